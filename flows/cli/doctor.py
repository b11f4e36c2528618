"""`redub doctor`: what this machine can do, and what to do about what it cannot."""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict, dataclass
from importlib.metadata import version

from flows.cli.layout import hung
from flows.cli.output import Output
from flows.mirrored_weights import bring_weights
from flows.server import configured_api_url
from infra.places import cache_folder, state_folder

_ENOUGH_GB = 5
_WIDTH = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `state` is "ok", "note" (works without it) or "fault" (a dub would fail)."""

    what: str
    state: str
    detail: str


def diagnose(output: Output) -> None:
    """Look at everything; exit code 3 where a default dub would fail for want of something."""
    import typer

    bring_weights()
    findings = [*_machine(), *_media(), *_weights(), *_voices(), *_translations(), *_server()]
    marks = {"ok": "[green]ok   [/]", "note": "[yellow]note [/]", "fault": "[red]fault[/]"}
    lines = [f"{marks[each.state]} {each.what:<{_WIDTH}} {hung(each.detail, _WIDTH + 7)}" for each in findings]
    output.result({"findings": [asdict(each) for each in findings]}, "\n".join(lines))
    if any(each.state == "fault" for each in findings):
        raise typer.Exit(3)


def _machine() -> list[Finding]:
    from tasks import installed

    return [Finding("redub", "ok", version("redub")), Finding("devices", "ok", installed.devices()), *_folders()]


def _folders() -> list[Finding]:
    findings = []
    for what, folder in (("cache folder", cache_folder()), ("state folder", state_folder())):
        existing = next(each for each in (folder, *folder.parents) if each.exists())
        free_gb = shutil.disk_usage(existing).free / 1e9
        writable = os.access(existing, os.W_OK)
        state = "ok" if writable and free_gb > _ENOUGH_GB else "note" if writable else "fault"
        detail = f"{folder}, {free_gb:.0f} GB free" if writable else f"{folder} may not be written"
        findings.append(Finding(what, state, detail))
    return findings


def _media() -> list[Finding]:
    from infra.versions import media_versions

    return [Finding("media", "ok", media_versions())]


def _weights() -> list[Finding]:
    from tasks import installed

    needed = installed.needed_for("en", "fr")
    absent = [name for name in needed if not installed.present(name)]
    dubbing = Finding("weights, en to fr", "ok", ", ".join(needed))
    if absent:
        dubbing = Finding("weights, en to fr", "fault", f"missing {', '.join(absent)}: redub weights pull --for fr")
    lips = installed.lip_engines()
    missing = Finding("lips", "fault", "none: redub weights pull --for fr")
    return [dubbing, Finding("lips", "ok", ", ".join(lips)) if lips else missing]


def _voices() -> list[Finding]:
    from tasks import installed

    speaking: dict[str, list[str]] = {}
    silent: dict[str, str] = {}
    for row in installed.voice_rows():
        if row.missing is None:
            speaking.setdefault(row.language, []).append(row.id)
        else:
            silent.setdefault(row.language, row.missing)
    return [
        *(Finding(f"voices, {code}", "ok", ", ".join(ids)) for code, ids in sorted(speaking.items())),
        *(Finding(f"voices, {code}", "note", why) for code, why in sorted(silent.items()) if code not in speaking),
    ]


def _translations() -> list[Finding]:
    from tasks import installed

    here = [f"{source} to {target}" for source, target, _, present in installed.translation_rows() if present]
    absent = [f"{source} to {target}" for source, target, _, present in installed.translation_rows() if not present]
    return [
        Finding("translation", "ok" if here else "fault", ", ".join(here) or "none: redub weights pull --for fr"),
        Finding("translation, to pull", "note", f"{', '.join(absent)}: redub weights pull --for LANGUAGE")
        if absent
        else Finding("translation, to pull", "ok", "none"),
    ]


def _server() -> list[Finding]:
    from urllib.error import URLError
    from urllib.request import urlopen

    url = configured_api_url(os.environ)
    if url is None:
        detail = "none configured: each command starts an embedded one on loopback, for as long as it runs"
        return [Finding("Prefect server", "ok", detail)]
    try:
        with urlopen(f"{url.rstrip('/')}/health", timeout=5):  # noqa: S310 (the API that the user configured)
            return [Finding("Prefect server", "ok", url)]
    except (URLError, OSError) as error:
        return [
            Finding("Prefect server", "fault", f"{url} does not answer ({error}); start it, or unset PREFECT_API_URL")
        ]
