"""Arabic through the system's espeak-ng and an MBROLA diphone voice, where both are installed.

Arabic is written without its short vowels, so piper-tts's tashkeel network adds them first: by Whisper base's ear, that
takes a third to a half of the character errors away. On Debian the packages are `espeak-ng`, `mbrola` (contrib) and `mbrola-ar2` (non-free).
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import threading
import wave
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from manifests.errors import BadInput
from models.speech.contract import Voice
from models.speech.normalise import is_speakable
from models.speech.waveform import Waveform, trim, within_peak

if TYPE_CHECKING:
    from piper.tashkeel import TashkeelDiacritizer

PROGRAMS = ("espeak-ng", "mbrola")
TIMEOUT_S = 120


def missing(voice: Voice) -> str | None:
    """Why `voice` (named like `mb-ar2`) cannot speak on this machine, or None where it can."""
    for program in PROGRAMS:
        if shutil.which(program) is None:
            return f"the program {program} is not installed"
    database = voice.name.removeprefix("mb-")
    shares = (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")
    places = [Path(share, "mbrola", *tail) for share in shares for tail in ((database,), (database, database))]
    if not any(place.is_file() for place in places):
        return f"the MBROLA voice {database} is not installed (Debian: mbrola-{database})"
    return None


class MbrolaSpeaker:
    """Speaks through `espeak-ng -v mb-..`, a process per text. Safe to call from several threads at once."""

    def __init__(self) -> None:
        self._diacritizer: TashkeelDiacritizer | None = None
        self._diacritizing = threading.Lock()

    def speak(self, text: str, voice: Voice) -> Waveform:
        """See `Speaker`. Raises BadInput where the programs or the voice are not installed, or fail."""
        if not is_speakable(text):
            return np.zeros(0, np.float32)
        if reason := missing(voice):
            raise BadInput(reason, where=voice.id, remedy="Install it, or choose another voice.")
        spelled = " ".join(text.split())
        if voice.language == "ar":
            spelled = self._diacritize(spelled)
        ended = subprocess.run(
            ["espeak-ng", "-v", voice.name, "-b", "1", "--stdin", "--stdout"],
            input=spelled.encode(),
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        if ended.returncode or len(ended.stdout) <= 44:
            reason = ended.stderr.decode(errors="replace").strip()[-300:] or f"exit code {ended.returncode}"
            raise BadInput(f"espeak-ng spoke nothing: {reason}", where=voice.id)
        return within_peak(trim(_samples(ended.stdout, voice), voice.sample_rate))

    def _diacritize(self, text: str) -> str:
        from piper.tashkeel import TashkeelDiacritizer

        with self._diacritizing:
            if self._diacritizer is None:
                self._diacritizer = TashkeelDiacritizer()
            vocalised: str = self._diacritizer(text)
        return vocalised


def _samples(riff: bytes, voice: Voice) -> Waveform:
    """The samples of a 16-bit mono WAV that was written to a pipe: its header's length is not to be trusted."""
    with wave.open(io.BytesIO(riff)) as header:
        layout = (header.getnchannels(), header.getsampwidth(), header.getframerate())
    if layout != (1, 2, voice.sample_rate):
        raise BadInput(
            f"espeak-ng spoke (channels, bytes, Hz) = {layout}, the table says {voice.sample_rate} Hz", where=voice.id
        )
    pcm = riff[riff.index(b"data") + 8 :]
    return np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float32) / np.float32(32768)
