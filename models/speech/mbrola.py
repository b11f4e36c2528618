"""Arabic through the system's espeak-ng and an MBROLA diphone voice, where both are installed.

espeak-ng turns the text, which comes with its short vowels (`models.speech.arabic`), into phonemes with durations and
pitch; mbrola speaks them. espeak-ng 1.51 spells some phonemes as the voice ar2 does not
know them (its r, and the vowels after velarised consonants), which would silence every r: `respell` mends that. On
Debian the packages are `espeak-ng`, `mbrola` (contrib) and `mbrola-ar2` (non-free).

Understood with effort: Whisper base hears 8 sentences, brought to one level, with a character error rate of 0.31 (from
0.02 to 0.68); 0.38 without `respell`, 0.33 without tashkeel, 0.45 without both.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import wave
from pathlib import Path

import numpy as np

from manifests.errors import BadInput
from models.speech.contract import Voice
from models.speech.normalise import is_speakable
from models.speech.waveform import Waveform, trim, within_peak

PROGRAMS = ("espeak-ng", "mbrola")
TIMEOUT_S = 120

_VELARISED = {"d.", "t.", "s.", "z."}
_VOWELS = {"a", "i", "u"}
_RENAMED = {"R": "r", "D.": "z.", "e": "i", "o": "u", "p": "b", "v": "f", "g": "k"}


def missing(voice: Voice) -> str | None:
    """Why `voice` (named like `mb-ar2`) cannot speak on this machine, or None where it can."""
    for program in PROGRAMS:
        if shutil.which(program) is None:
            return f"install the program {program}"
    if _database(voice) is None:
        return f"install the MBROLA voice {_database_name(voice)} (Debian: mbrola-{_database_name(voice)})"
    return None


def respell(pho: str) -> str:
    """espeak-ng's phonemes (a line each: `a 80 0 120 ..`) in the symbols that the voice ar2 has, times and pitch kept.

    The vowels a, i and u are written `a.`, `i.`, `u.` after a velarised consonant and nowhere else, as the voice's
    README asks; r is `r`; sounds that Arabic lacks become their neighbours.
    """
    lines = []
    velarised = False
    for line in pho.splitlines():
        if not line.strip() or line.startswith(";"):
            continue
        symbol, *rest = line.split()
        base = symbol.rstrip(".:")
        if base in _VOWELS or _RENAMED.get(base) in _VOWELS:
            symbol = _RENAMED.get(base, base) + ("." if velarised else "")
        else:
            symbol = _RENAMED.get(symbol, symbol)
            velarised = symbol in _VELARISED
        lines.append(" ".join((symbol, *rest)))
    return "\n".join(lines) + "\n"


def paced(pho: str, rate: float) -> str:
    """`pho` (see `respell`) spoken `rate` times as fast. Pitch points are shares of a phoneme's time, so they keep."""
    if rate == 1.0:
        return pho
    lines = (line.split() for line in pho.splitlines())
    return "".join(
        f"{symbol} {float(ms) / rate:.1f} {' '.join(points)}".rstrip() + "\n" for symbol, ms, *points in lines
    )


class MbrolaSpeaker:
    """Speaks through two small processes per text. Safe to call from several threads at once."""

    def speak(self, text: str, voice: Voice, *, rate: float = 1.0) -> Waveform:
        """See `Speaker`. Raises BadInput where the programs or the voice are not installed, or fail."""
        if not is_speakable(text):
            return np.zeros(0, np.float32)
        database, reason = _database(voice), missing(voice)
        if database is None or reason:
            raise BadInput(f"cannot speak here: {reason}", where=voice.id, remedy="Or choose another voice.")
        pho = _run(
            ["espeak-ng", "-v", voice.name, "-b", "1", "-q", "--pho", "--stdin"], " ".join(text.split()).encode(), voice
        )
        heard = paced(respell(pho.decode(errors="replace")), rate)
        riff = _run(["mbrola", "-e", str(database), "-", "-.wav"], heard.encode(), voice)
        return within_peak(trim(_samples(riff, voice), voice.sample_rate))


def _database_name(voice: Voice) -> str:
    return voice.name.removeprefix("mb-")


def _database(voice: Voice) -> Path | None:
    name = _database_name(voice)
    shares = (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")
    places = [Path(share, "mbrola", *tail) for share in shares for tail in ((name,), (name, name))]
    return next((place for place in places if place.is_file()), None)


def _run(command: list[str], sent: bytes, voice: Voice) -> bytes:
    ended = subprocess.run(command, input=sent, capture_output=True, timeout=TIMEOUT_S, check=False)
    if ended.returncode or not ended.stdout:
        reason = ended.stderr.decode(errors="replace").strip()[-300:] or f"exit code {ended.returncode}"
        raise BadInput(f"{command[0]} failed: {reason}", where=voice.id)
    return ended.stdout


def _samples(riff: bytes, voice: Voice) -> Waveform:
    """The samples of a 16-bit mono WAV that was written to a pipe: its header's length is not to be trusted."""
    with wave.open(io.BytesIO(riff)) as header:
        layout = (header.getnchannels(), header.getsampwidth(), header.getframerate())
    if layout != (1, 2, voice.sample_rate):
        raise BadInput(
            f"spoke (channels, bytes, Hz) = {layout}, the voice table says {voice.sample_rate} Hz", where=voice.id
        )
    pcm = riff[riff.index(b"data") + 8 :]
    return np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float32) / np.float32(32768)
