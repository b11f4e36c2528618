"""Provenance: what a dub says of itself, in its own metadata and in a signed statement beside it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path

from infra.content_credentials import check, sign
from infra.signing import Signer, known_authorities, load_signer
from infra.store import Store
from manifests.errors import BadInput
from manifests.keys import canonical
from manifests.provenance import Statement, Verdict
from manifests.records import Blob
from tasks.assemble import LIP_DISCLOSURE, SPEECH_DISCLOSURE
from tasks.stage import Stage

SIDECAR_SUFFIX = ".c2pa"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignWork:
    """A finished file and what is said of it. `fingerprint` is of the certificate that `signer` signs with."""

    file: Blob
    title: str
    statement: Statement
    fingerprint: str
    signer: Signer = field(metadata={"key": False})  # its private half must reach no key, log or record


def sign_work(file: Blob, title: str, statement: Statement) -> SignWork:
    """The work of signing `file` as this machine's signer. BadInput where the environment names an unfit one."""
    signer = load_signer()
    return SignWork(file=file, title=title, statement=statement, fingerprint=signer.fingerprint, signer=signer)


def require_signer() -> None:
    """BadInput where the environment names an unfit signer: to be known before the work, not after it."""
    load_signer()


def sign_statement(work: SignWork, store: Store) -> Blob:
    """The sidecar: a C2PA manifest bound to the file's bytes."""
    with store.scratch() as folder:
        stated = dataclasses.asdict(work.statement)
        sidecar = folder / f"statement{SIDECAR_SUFFIX}"
        sidecar.write_bytes(sign(store.path(work.file), stated, work.title, work.signer, folder))
        return store.put(sidecar)


SIGN: Stage[SignWork, Blob] = Stage("sign", 1, Blob, sign_statement)


def settings_text(settings: object) -> str:
    """Settings (dataclasses, nested) as canonical JSON."""
    return json.dumps(canonical(settings), sort_keys=True, ensure_ascii=False)


def disclosures(statement: Statement) -> tuple[str, ...]:
    """What a viewer of the file is told, sentence by sentence."""
    return (
        *((SPEECH_DISCLOSURE,) if statement.synthetic_speech else ()),
        *((LIP_DISCLOSURE,) if statement.synthetic_lips else ()),
    )


def container_metadata(statement: Statement) -> tuple[tuple[str, str], ...]:
    """The same in short, as metadata of the container itself: it stays where the sidecar is lost."""
    return (
        ("software", statement.software),
        ("source_sha256", statement.source_sha256),
        ("synthetic_speech", "yes" if statement.synthetic_speech else "no"),
        ("synthetic_lips", "yes" if statement.synthetic_lips else "no"),
    )


def verify(file: Path, source: Path | None = None) -> Verdict:
    """Hold a dub against the statement beside it; with `source`, also whether that is what it was made from.

    BadInput where there is no such file, no statement beside it, or either was changed since it was signed.
    """
    from infra.store import sha256_of

    sidecar = file.with_suffix(SIDECAR_SUFFIX)
    for needed, remedy in ((file, "check the name."), (sidecar, "it lies beside the dub; copy both together.")):
        if not needed.is_file():
            raise BadInput("there is no such file;", where=str(needed), remedy=remedy)
    verdict = check(file, sidecar.read_bytes(), known_authorities())
    if verdict.faults:
        raise BadInput(
            f"it is not as it was signed ({', '.join(verdict.faults)});",
            where=str(file),
            remedy="do not trust it: take the dub from whoever made it, or dub the source again.",
        )
    if source is not None:
        if not source.is_file():
            raise BadInput("there is no such file;", where=str(source), remedy="check the name.")
        if sha256_of(source) != verdict.statement.source_sha256:
            raise BadInput("this is not what the dub was made from;", where=str(source))
    return verdict
