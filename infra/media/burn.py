"""Subtitles burned into the picture: for players, and people, that show no others. The picture is encoded again."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from infra.files import published
from infra.media.binary import run_ffmpeg
from infra.media.probe import inspect
from infra.media.render import RenderSettings
from infra.media.streams import media_url
from infra.media.x264 import REPEATABLE
from infra.subtitles import Cue
from manifests.errors import BadInput
from manifests.time import FLICKS_PER_SECOND, Flicks

_SLOWEST = 24  # frames/s: a slower picture would show cues late, and one that is held not at all
_CANVAS_HEIGHT = 1080
_FONT = "Noto Sans"  # or what fontconfig has in its place; scripts that it lacks come from any font that has them
_NO_GLYPH = re.compile(r"failed to find any fallback with glyph 0x([0-9A-Fa-f]+)")
_NO_FONTS = re.compile(r"can't find selected font provider|failed to find font|no fonts found", re.IGNORECASE)


def burn_subtitles(
    picture: Path,
    cues: Sequence[Cue],
    out: Path,
    *,
    frame_rate: Fraction,
    settings: RenderSettings | None = None,
    fonts: Path | None = None,
) -> None:
    """Write `picture` (a file with sound) to `out` (MP4) with `cues` in its picture, upright, in H.264 4:2:0 8 bit.

    Sound, chapters and metadata are copied, soft subtitles left out. Frames come at a steady `frame_rate`, a multiple
    of it where it is slower than 24 a second, so that cues change while the picture is held. `fonts` is a folder of
    fonts besides the system's. BadInput where no font has some letter; NoSpace where `out` cannot be written.
    """
    settings = settings or RenderSettings()
    with tempfile.TemporaryDirectory(prefix="redub-") as name, published(out) as draft:
        folder = Path(name)
        _require_glyphs(cues, folder, fonts)
        script = folder / "cues.ass"
        shown = inspect(picture)
        script.write_text(_ass(cues, Fraction(shown.width, shown.height)), encoding="utf-8")
        rate = frame_rate * -(-_SLOWEST // frame_rate)
        even = "pad=ceil(iw/2)*2:ceil(ih/2)*2,format=yuv420p"
        chain = f"fps={rate.numerator}/{rate.denominator},{even},{_ass_filter(script, fonts)}"
        run_ffmpeg(
            ["-i", media_url(picture), "-map", "0:v:0", "-map", "0:a?", "-map_metadata", "0", "-map_chapters", "0",
             "-vf", chain, "-c:v", "libx264", "-crf", str(settings.crf), "-preset", settings.preset,
             "-threads", str(settings.threads), "-x264-params", REPEATABLE, "-c:a", "copy",
             "-movflags", "+faststart+use_metadata_tags", "-fflags", "+bitexact", "-flags:v", "+bitexact",
             "-f", "mp4", media_url(draft)],
            where=out,
        )  # fmt: skip


def _require_glyphs(cues: Sequence[Cue], folder: Path, fonts: Path | None) -> None:
    """Whether some font has every letter, by drawing them all once. BadInput where not."""
    letters = sorted({letter for cue in cues for line in cue.lines for letter in line if letter.isprintable()})
    letters = [letter for letter in letters if not letter.isspace()]
    if not letters:
        return
    script = folder / "letters.ass"
    script.write_text(_script([(0, FLICKS_PER_SECOND, " ".join(map(_escaped, letters)))], 1920), encoding="utf-8")
    log = run_ffmpeg(
        ["-f", "lavfi", "-i", "color=size=320x180:rate=1:duration=1", "-vf", _ass_filter(script, fonts),
         "-f", "null", "-"],
        where=folder,
    )  # fmt: skip
    missing = sorted({chr(int(code, 16)) for code in _NO_GLYPH.findall(log)})
    if missing or _NO_FONTS.search(log):
        raise BadInput(
            f"no font on this machine has the letters {' '.join(missing[:8])} of the subtitles;" if missing
            else "this machine has no fonts to burn subtitles with;",
            where="burned subtitles",
            remedy="install one (such as the package fonts-noto-core), or leave the subtitles soft",
        )  # fmt: skip


def _ass(cues: Sequence[Cue], shape: Fraction) -> str:
    texts = [(cue.span.start, cue.span.end, r"\N".join(map(_escaped, cue.lines))) for cue in cues]
    return _script(texts, round(_CANVAS_HEIGHT * shape))


def _script(texts: Sequence[tuple[Flicks, Flicks, str]], width: int) -> str:
    """Advanced SubStation Alpha: white on a dark edge, lines as they were broken, directions as Unicode has them."""
    # The last but one field of a style, -1, lets each line find its own direction.
    size = min(54, width // 26)  # a line of 42 fits an upright picture too
    head = (
        "[Script Info]\nScriptType: v4.00+\nWrapStyle: 2\nScaledBorderAndShadow: yes\n"
        f"PlayResX: {width}\nPlayResY: {_CANVAS_HEIGHT}\n\n[V4+ Styles]\n"
        "Format: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, BackColour, Bold, BorderStyle, Outline,"
        " Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\n"
        f"Style: Default,{_FONT},{size},&H00FFFFFF,&H00101010,&H80000000,0,1,3,1,2,40,40,48,-1\n\n[Events]\n"
        "Format: Layer, Start, End, Style, Text\n"
    )
    return head + "".join(f"Dialogue: 0,{_time(start)},{_time(end)},Default,{text}\n" for start, end, text in texts)


def _time(time: Flicks) -> str:
    hundredths = (2 * time * 100 + FLICKS_PER_SECOND) // (2 * FLICKS_PER_SECOND)
    minutes, rest = divmod(hundredths, 6000)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest // 100:02d}.{rest % 100:02d}"


def _escaped(line: str) -> str:
    """`line` with nothing in it that ASS would take for a command."""
    return line.replace("\\", "\\\u2060").replace("{", r"\{").replace("}", r"\}")


def _ass_filter(script: Path, fonts: Path | None) -> str:
    options = f"filename={_quoted(script)}"
    return f"ass={options}" + (f":fontsdir={_quoted(fonts)}" if fonts is not None else "")


def _quoted(path: Path) -> str:
    """A path as a filter's option: escaped for the option, and again for the graph."""
    option = re.sub(r"([\\':])", r"\\\1", str(path.absolute()))
    return re.sub(r"([\\'\[\],;])", r"\\\1", option)
