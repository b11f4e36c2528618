"""Projects as the page gets them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from manifests.errors import BadInput
from manifests.languages import language as known_language
from studio.estimate import estimated
from studio.probing import Source
from studio.records import Disclosure, Progress, Project, Result, ResultFile, direction, iso

_DAY_S = 86_400


def project_view(
    project: Project, progress: Mapping[str, Any] | None, place: int | None, *, retention_days: int, shows_prefect: bool
) -> dict[str, Any]:
    """A project. `place` is its place in the queue; reads the records of earlier runs for the estimate."""
    estimate = estimated(project)
    return {
        "id": project.id,
        "kind": project.kind,
        "title": project.title,
        "created": iso(project.created_s),
        "state": project.state,
        "place_in_queue": place,
        "source": _source(project.source),
        "audio": None if project.audio is None else _source(project.audio),
        "from": project.from_ or "auto",
        "to": list(project.to),
        "voices": dict(project.voices),
        "lips": project.lips,
        "review": project.review,
        "text": project.text,
        "estimate": {"seconds": estimate.seconds, "basis": estimate.basis},
        "progress": dict(progress) if progress else asdict(Progress(fraction=1.0 if project.state == "done" else 0.0)),
        "error": None if project.trouble is None else asdict(project.trouble),
        "run_page": project.run_page if shows_prefect else None,
        "results": [result_view(project.id, each) for each in project.results],
        "expires": iso(project.touched_s + retention_days * _DAY_S),
        "edited": project.edited,
    }


def _source(source: Source) -> dict[str, Any]:
    names = ("name", "kind", "duration_s", "width", "height", "fps", "language", "size_bytes")
    return {name: getattr(source, name) for name in names}


def result_view(project_id: str, result: Result) -> dict[str, Any]:
    """A result, with the addresses of its files."""
    files = [_file(project_id, each) for each in result.files]
    of_kind: dict[str, list[dict[str, Any]]] = {}
    for each in files:
        of_kind.setdefault(each["kind"], []).append(each)
    statement = _first(of_kind.get("disclosure", ()))
    return {
        "language": result.language,
        "direction": direction(result.language),
        "video": _first(of_kind.get("video", ())),
        "subtitles": of_kind.get("subtitles", []),
        "sheet": _first(of_kind.get("sheet", ())),
        "report": _first(of_kind.get("report", ())),
        "disclosure": None if result.disclosure is None else _disclosure(result.disclosure, statement),
        "mended": result.mended,
        "degraded": [asdict(each) for each in result.degraded],
        "files": files,
    }


def _file(project_id: str, file: ResultFile) -> dict[str, Any]:
    return {
        "name": file.name,
        "label": _named(file.language),
        "kind": file.kind,
        "language": file.language,
        "size_bytes": file.size_bytes,
        "url": f"/media/{project_id}/{quote(file.name)}",
    }


def _disclosure(stated: Disclosure, file: dict[str, Any] | None) -> dict[str, Any]:
    """What is signed, with a sentence that says it."""
    made = " and ".join(stated.synthetic) or "nothing"
    start, end = (_named(code) if code else "a recording" for code in stated.languages)
    verb = "are" if len(stated.synthetic) > 1 else "is"
    return {
        "text": f"Dubbed from {start} into {end} by a machine: {made} {verb} synthetic.",
        "signer": stated.signer,
        "signed_by": stated.signer,
        "known": stated.known,
        "synthetic": list(stated.synthetic),
        "languages": list(stated.languages),
        "voices": list(stated.voices),
        "software": stated.software,
        "source_sha256": stated.source_sha256,
        "file": file,
        "url": None if file is None else file["url"],
    }


def _first(files: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    return next(iter(files), None)


def _named(code: str) -> str:
    try:
        return known_language(code).name
    except BadInput:
        return code
