"""Stands in for the computing of a run, so that a browser test takes seconds: python quick_run.py PROJECT.

It tells and hears as `studio.run` does, and leaves real files: a video that plays, subtitles of what the sheet says, a
sheet that can be mended. Only the words are made up. A project named "slow ..." works until it is cancelled or told on.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import imageio_ffmpeg

from infra.subtitles import Cue, write_subtitles
from manifests.records import SheetRow
from manifests.time import FLICKS_PER_SECOND, Span
from studio import events
from studio.orders import CONTINUE
from studio.projects import read_project
from studio.records import Project
from tasks.sheet import read_sheet, row_id, write_sheet
from tasks.sheet_changes import view_sheet

SAID = (
    ("Welcome to this short lecture.", "Bienvenue dans ce cours."),
    ("Why does the sea rise?", "Pourquoi la mer monte-t-elle ?"),
)
LINE = 2 * FLICKS_PER_SECOND
PATIENCE_S = 60.0
VOICE = "fr-kokoro-ff-siwis"
STAGES = ("listen", "translate", "speak", "finish")


def tell(folder: Path, at: int, *, label: str = "Working") -> None:
    states = ["done"] * at + ["running"] + ["waiting"] * (len(STAGES) - at - 1)
    stages = [
        {"id": name, "label": name, "state": state, "done": 1, "of": 2}
        for name, state in zip(STAGES, states, strict=True)
    ]
    told = {
        "fraction": at / len(STAGES),
        "stage": STAGES[at],
        "label": label,
        "done": 1,
        "of": 2,
        "language": None,
        "eta_s": 60.0,
        "stages": stages,
    }
    events.append(folder, "progress", told)


def ffmpeg(*arguments: str) -> None:
    subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y", *arguments], check=True
    )


def still(project: Project, folder: Path) -> None:
    (folder / "stills").mkdir(exist_ok=True)
    ffmpeg("-i", str(folder / project.source.file), "-frames:v", "1", str(folder / "stills" / "000000000.source.jpg"))
    told = {
        "url": f"/media/{project.id}/stills/000000000.source.jpg",
        "time_s": 0.0,
        "kind": "before",
        "language": None,
    }
    events.append(folder, "still", told)


def draft(out: Path, stem: str, language: str) -> None:
    """A sheet of two lines, where there is none yet."""
    sheet = read_sheet(out, stem, language)
    if sheet.rows:
        return
    rows = []
    for index, (source, translation) in enumerate(SAID):
        span = Span(index * LINE, (index + 1) * LINE)
        name = f"video/c0000/u{index:04d}"
        rows.append(
            SheetRow(
                id=row_id(name, language),
                utterance_id=name,
                video_id="video",
                language=language,
                lecture=Span(0, 2 * LINE),
                span=span,
                machine_span=span,
                speaker="speaker1",
                machine_speaker="speaker1",
                voice=VOICE,
                machine_voice=VOICE,
                source=source,
                machine_source=source,
                translation=translation,
                machine_translation=translation,
                check="",
                note="",
                worry=0.0,
            )
        )
    write_sheet(rows, sheet)


def dub(project: Project, folder: Path, language: str) -> dict[str, object]:
    out, stem = folder / "out", Path(project.source.file).stem
    video, vtt = out / f"{stem}.{language}.mp4", out / f"{stem}.{language}.vtt"
    shutil.copy(folder / project.source.file, video)
    lines = view_sheet(out, stem, language).lines
    write_subtitles([Cue(span=line.span, lines=(line.translation,)) for line in lines], vtt)
    return result(folder, language, video, vtt, out / f"{stem}.{language}.csv")


def talk(project: Project, folder: Path) -> dict[str, object]:
    """The picture with the recording, or with a tone where a text would be said."""
    language = project.to[0] if project.kind == "text" else "und"
    video = folder / "out" / f"talk.{language}.mp4"
    picture = ["-loop", "1", "-framerate", "10"] if project.source.kind == "image" else []
    sound = (
        ["-i", str(folder / project.audio.file)]
        if project.audio
        else ["-f", "lavfi", "-i", "sine=frequency=300:duration=1.5"]
    )
    look = ["-vf", "scale=320:-2", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    ffmpeg(
        *picture,
        "-i",
        str(folder / project.source.file),
        *sound,
        "-map",
        "0:v",
        "-map",
        "1:a",
        *look,
        "-c:a",
        "aac",
        "-shortest",
        str(video),
    )
    return result(folder, language, video)


def result(folder: Path, language: str, *files: Path) -> dict[str, object]:
    kinds = {".mp4": "video", ".vtt": "subtitles", ".csv": "sheet"}
    return {
        "language": language,
        "files": [
            {
                "name": each.name,
                "place": str(each.relative_to(folder)),
                "kind": kinds[each.suffix],
                "language": language,
                "size_bytes": each.stat().st_size,
            }
            for each in files
        ],
        "disclosure": {
            "signer": "a test",
            "known": False,
            "synthetic": ["speech"],
            "languages": ["en", language],
            "voices": [VOICE],
            "software": "redub",
            "source_sha256": "00" * 32,
        },
    }


def reviewed(folder: Path) -> bool:
    """Waits for the reviewer; False where they leave."""
    events.append(folder, "paused", {"problem": ""})
    if sys.stdin.readline().strip() == CONTINUE:
        events.append(folder, "going-on", {})
        return True
    events.append(folder, "left", {})
    return False


def main() -> None:
    folder = Path(sys.argv[1])
    project = read_project(folder)
    (folder / "out").mkdir(exist_ok=True)
    events.append(folder, "page", {"url": "http://127.0.0.1:4200/runs/1"})
    tell(folder, 0)
    still(project, folder)
    if project.title.startswith("slow"):
        until_s = time.monotonic() + PATIENCE_S
        while not (folder / "go-on").exists() and time.monotonic() < until_s:
            time.sleep(0.05)
    tell(folder, 1)
    if project.kind == "dub":
        for language in project.to:
            draft(folder / "out", Path(project.source.file).stem, language)
        if project.review and not project.reviewed and not reviewed(folder):
            return
    tell(folder, 2)
    made = [dub(project, folder, each) for each in project.to] if project.kind == "dub" else [talk(project, folder)]
    tell(folder, 3)
    events.append(folder, "results", {"results": made, "worked_s": 1.0})


if __name__ == "__main__":
    main()
