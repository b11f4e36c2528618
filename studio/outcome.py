"""What a run came to, as the studio keeps it: files by their names, and what the signed statement of each dub says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from manifests.errors import BadInput
from manifests.records import Degradation
from studio.records import UNDETERMINED, Degraded, Disclosure, Result, ResultFile
from tasks.runs import LanguageOutcome, RunRecord

_KINDS: dict[str, Literal["video", "subtitles", "sheet", "report", "disclosure", "figures"]] = {
    ".mp4": "video",
    ".mkv": "video",
    ".srt": "subtitles",
    ".vtt": "subtitles",
    ".csv": "sheet",
    ".html": "report",
    ".json": "figures",
    ".c2pa": "disclosure",
}


def results_of(records: Sequence[RunRecord], folder: Path) -> tuple[Result, ...]:
    """The results of the flow runs `records`, whose files lie below the project's `folder`."""
    return tuple(_result(each, folder) for record in records for each in record.languages)


def _result(outcome: LanguageOutcome, folder: Path) -> Result:
    paths = [Path(file) for file in outcome.files]
    if outcome.report:
        page = Path(outcome.report)
        paths += [page, page.with_suffix(".json")]
    video = next((path for path in paths if path.suffix == ".mp4"), None)
    if video is not None:
        paths.append(video.with_suffix(".csv"))
    files = [found for path in dict.fromkeys(paths) if (found := _file(path, outcome.language, folder)) is not None]
    return Result(
        language=outcome.language,
        files=tuple(files),
        disclosure=None if video is None else disclosure_of(video),
        degraded=degraded(outcome.degradations),
        mended=outcome.mended,
    )


def _file(path: Path, language: str, folder: Path) -> ResultFile | None:
    kind = _KINDS.get(path.suffix.lower())
    if kind is None or not path.is_file():
        return None
    spoken = path.stem.rpartition(".")[2] if kind == "subtitles" else language
    return ResultFile(
        name=path.name,
        place=path.relative_to(folder).as_posix(),
        kind=kind,
        language=spoken or UNDETERMINED,
        size_bytes=path.stat().st_size,
    )


def disclosure_of(video: Path) -> Disclosure | None:
    """What is signed of a video; None where nothing lies beside it."""
    from tasks.provenance import SIDECAR_SUFFIX, verify

    if not video.with_suffix(SIDECAR_SUFFIX).is_file():
        return None
    try:
        verdict = verify(video)
    except BadInput:
        return None
    stated = verdict.statement
    synthetic = (("speech",) if stated.synthetic_speech else ()) + (("lips",) if stated.synthetic_lips else ())
    return Disclosure(
        signer=verdict.signer,
        known=verdict.known,
        synthetic=synthetic,
        languages=(stated.source_language, stated.language),
        voices=stated.voices,
        software=stated.software,
        source_sha256=stated.source_sha256,
    )


def degraded(found: Iterable[Degradation]) -> tuple[Degraded, ...]:
    """Each reason once, with how often and how long."""
    spans: dict[str, list[float]] = defaultdict(list)
    for each in found:
        spans[each.reason].append(each.span.duration_s)
    return tuple(
        Degraded(reason=reason, spans=len(each), seconds=round(sum(each), 1)) for reason, each in spans.items()
    )
