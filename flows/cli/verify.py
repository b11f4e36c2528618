"""`redub verify`: whether a dub is what it says it is."""

from __future__ import annotations

import dataclasses

from rich.markup import escape

from flows.cli.output import Output
from manifests.provenance import Statement


def verify_dub(file: str, source: str | None, output: Output) -> None:
    """Check `file` against the signed statement beside it, and say what that states."""
    from flows.fetched_dubs import verified

    verdict = verified(file, source)
    stated = verdict.statement
    signer = "known to this machine" if verdict.known else "not known to this machine: anybody may have signed it"
    lines = [
        f"[bold green]{escape(file)}[/] is as it was signed",
        f"  signed by    {escape(verdict.signer)} ({signer})",
        f"  synthetic    {_synthetic(stated)}",
        f"  language     {_languages(stated)}",
        f"  voices       {escape(', '.join(stated.voices)) or 'none'}",
        f"  made by      {escape(stated.software)}",
        f"  source       SHA-256 {stated.source_sha256}{' (the file given)' if source else ''}",
        *(f"  consent      SHA-256 {each}" for each in stated.consents),
        *(f"  {each.purpose:<12} {escape(each.name)} ({escape(each.revision)})" for each in stated.models),
    ]
    output.result({**dataclasses.asdict(verdict), "file": file}, "\n".join(lines))


def _languages(stated: Statement) -> str:
    """Of a dub, from which into which; of a face that was made to speak, what it speaks, where that is known."""
    told = [each for each in (stated.source_language, stated.language) if each]
    return " to ".join(told) or "unstated"


def _synthetic(stated: Statement) -> str:
    parts = [
        *(["speech"] if stated.synthetic_speech else []),
        *(["lips"] if stated.synthetic_lips else []),
    ]
    return " and ".join(parts) or "nothing"
