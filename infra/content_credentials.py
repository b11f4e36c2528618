"""Content credentials (C2PA 2.x): a signed statement beside a file, bound to its bytes, which stay as they are.

The statement lies in a sidecar, NAME.c2pa, because a file that carries its own signature would differ from run to run.
Nothing here asks the network: no time stamp, no revocation list, no remote manifest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.signing import Signer
from manifests.errors import BadInput
from manifests.provenance import Statement, Verdict

LABEL = "org.redub.dub"
"""C2PA's name of the assertion that holds the statement."""

_SYNTHETIC = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""IPTC's term for recorded media with parts that a trained model made."""

_UNTRUSTED = "signingCredential.untrusted"
_FORMATS = {".mp4": "video/mp4", ".mov": "video/quicktime", ".m4a": "audio/mp4", ".wav": "audio/wav"}


def sign(file: Path, statement: Mapping[str, Any], title: str, signer: Signer, scratch: Path) -> bytes:
    """The sidecar that binds `statement` (plain JSON data) to the bytes of `file`; `scratch` needs room for a copy.

    BadInput for a format that C2PA does not bind, or a key or certificate that it does not accept.
    """
    import c2pa

    action = {"action": "c2pa.created", "digitalSourceType": _SYNTHETIC}
    manifest = {
        "claim_generator_info": [{"name": "redub"}],
        "title": title,
        "format": _format(file),
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [action]}},
            {"label": LABEL, "data": dict(statement)},
        ],
    }
    try:
        identity = c2pa.C2paSignerInfo(signer.algorithm.encode(), signer.chain, signer.key, None)
        with (
            c2pa.Context(_settings(leaves=_media_boxes(file) == 1)) as context,
            c2pa.Signer.from_info(identity) as hand,
        ):
            builder = c2pa.Builder(manifest, context)
            builder.set_no_embed()
            with file.open("rb") as content, (scratch / "signed").open("w+b") as copy:
                return bytes(builder.sign(hand, _format(file), content, copy))
    except c2pa.C2paError as error:
        raise BadInput(f"it cannot be signed ({error});", where=str(file)) from error


def check(file: Path, sidecar: bytes, authorities: bytes) -> Verdict:
    """Hold `file` against its `sidecar`. `authorities` (PEM) are those whose signers count as known.

    BadInput where the sidecar is none, or holds no statement of redub's.
    """
    import c2pa
    from pydantic import TypeAdapter, ValidationError

    try:
        with c2pa.Context(_settings(authorities=authorities)) as context, file.open("rb") as content:
            report = json.loads(c2pa.Reader(_format(file), content, sidecar, context).json())
    except c2pa.C2paError as error:
        raise BadInput(f"its content credentials cannot be read ({error});", where=str(file)) from error
    active = report["manifests"][report["active_manifest"]]
    stated = next((each["data"] for each in active["assertions"] if each["label"] == LABEL), None)
    try:
        statement = TypeAdapter(Statement).validate_python(stated)
    except ValidationError as error:
        raise BadInput("its content credentials are not redub's;", where=str(file)) from error
    results = report.get("validation_results", {}).get("activeManifest", {})
    failures = [each["code"] for each in results.get("failure", [])]
    return Verdict(
        statement=statement,
        signer=active.get("signature_info", {}).get("common_name") or "unnamed",
        known=_UNTRUSTED not in failures,
        faults=tuple(code for code in failures if code != _UNTRUSTED),
    )


def _settings(*, authorities: bytes = b"", leaves: bool = False) -> Any:
    """`leaves`: the media are hashed in pieces, each by itself, so that none but the piece is held in memory."""
    import c2pa

    settings: dict[str, Any] = {
        "verify": {"ocsp_fetch": False, "remote_manifest_fetch": False},
        # Else the library holds what it signs in memory, and the dub of an hour is a gigabyte.
        "core": {"backing_store_memory_threshold_in_mb": 16},
    }
    if leaves:
        # No proofs: those would lie in the file itself, which stays as it is.
        settings["core"] |= {"merkle_tree_chunk_size_in_kb": 4096, "merkle_tree_max_proofs": 0}
    if authorities:
        settings["trust"] = {"user_anchors": authorities.decode()}
    return c2pa.Settings.from_dict(settings)


def _media_boxes(file: Path) -> int:
    """How many boxes of media an MP4 has: redub writes one. Of several, c2pa 0.38 sometimes mixes up the pieces."""
    found, at, size = 0, 0, file.stat().st_size
    with file.open("rb") as stream:
        while at + 16 <= size:
            stream.seek(at)
            head = stream.read(16)
            length = int.from_bytes(head[:4], "big")
            if length == 1:
                length = int.from_bytes(head[8:], "big")
            found += head[4:8] == b"mdat"
            if length < 8:  # 0: to the end of the file
                break
            at += length
    return found


def _format(file: Path) -> str:
    found = _FORMATS.get(file.suffix.lower())
    if found is None:
        raise BadInput(
            "content credentials are not bound to such files;",
            where=str(file),
            remedy=f"give one of {', '.join(_FORMATS)}.",
        )
    return found
