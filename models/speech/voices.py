"""The voices that speak here, and how one is chosen.

Every row was heard but for those whose note says otherwise; the note gives the mean character error rate (CER) of
Whisper base on 3 to 5 spoken sentences (8 in Arabic). Kokoro grades its voices by the length and quality of their
training speech (VOICES.md of hexgrad/Kokoro-82M); of the many English ones only some graded C or better are here.
Kokoro has no German, and one French voice: its Spanish, Italian and Portuguese voices speak both from espeak-ng's
phonemes, with an accent. Its American voices do not (CER 0.10 in French).
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from manifests.errors import BadInput, MissingWeights
from models.speech import engines
from models.speech.contract import AgeBand, Gender, Voice

KOKORO_HZ = 24_000
PIPER_HZ = 22_050
MBROLA_HZ = 22_050

_GENDERS = {"f": Gender.FEMALE, "m": Gender.MALE}


def _kokoro(language: str, name: str, note: str = "") -> Voice:
    """A row for a Kokoro voice; its name's letters give its own language and gender (`if_sara`: Italian, female)."""
    return Voice(
        id=f"{language}-kokoro-{name.replace('_', '-')}",
        language=language,
        gender=_GENDERS[name[1]],
        age=AgeBand.ADULT,
        engine="kokoro",
        name=name,
        sample_rate=KOKORO_HZ,
        note=note,
    )


def _piper(language: str, name: str, gender: Gender, note: str) -> Voice:
    speaker = name.split("-")[1]
    return Voice(
        id=f"{language}-piper-{speaker}",
        language=language,
        gender=gender,
        age=AgeBand.ADULT,
        engine="piper",
        name=name,
        sample_rate=PIPER_HZ,
        note=note,
    )


VOICES: tuple[Voice, ...] = (
    _kokoro("en", "af_heart", "American, grade A"),
    _kokoro("en", "am_michael", "American, grade C+"),
    _kokoro("en", "bf_emma", "British, grade B-"),
    _kokoro("en", "am_fenrir", "American, grade C+"),
    _kokoro("en", "af_bella", "American, grade A-"),
    _kokoro("en", "bm_george", "British, grade C"),
    _kokoro("en", "af_aoede", "American, grade C+"),
    _kokoro("en", "am_puck", "American, grade C+"),
    _kokoro("en", "af_sarah", "American, grade C+"),
    _kokoro("en", "bm_fable", "British, grade C"),
    _kokoro("en", "bf_isabella", "British, grade C"),
    _piper("en", "en_US-joe-medium", Gender.MALE, "American; look at its licence's note before commercial use"),
    _kokoro("fr", "ff_siwis", "the only native one, grade B-; CER 0.01"),
    _kokoro("fr", "em_alex", "a Spanish voice, with an accent; CER 0.02"),
    _kokoro("fr", "ef_dora", "a Spanish voice, with an accent; CER 0.02"),
    _kokoro("fr", "pm_alex", "a Brazilian voice, with an accent; CER 0.02"),
    _kokoro("fr", "if_sara", "an Italian voice, with an accent; CER 0.03"),
    _kokoro("fr", "im_nicola", "an Italian voice, with an accent; CER 0.04"),
    _piper("fr", "fr_FR-siwis-medium", Gender.FEMALE, "not heard here"),
    _piper("de", "de_DE-thorsten-medium", Gender.MALE, "a native voice; not heard here"),
    _kokoro("de", "if_sara", "an Italian voice, with an accent; CER 0.02"),
    _kokoro("de", "pm_alex", "a Brazilian voice, with an accent; CER 0.02"),
    _kokoro("de", "ef_dora", "a Spanish voice, with an accent; CER 0.04"),
    _kokoro("de", "em_alex", "a Spanish voice, with an accent; CER 0.04"),
    _kokoro("de", "im_nicola", "an Italian voice, with an accent; CER 0.06"),
    _kokoro("es", "ef_dora"),
    _kokoro("es", "em_alex"),
    _kokoro("es", "em_santa"),
    _kokoro("es", "if_sara", "an Italian voice; CER 0.00"),
    _kokoro("es", "im_nicola", "an Italian voice; CER 0.00"),
    _kokoro("it", "if_sara"),
    _kokoro("it", "im_nicola"),
    _kokoro("it", "ef_dora", "a Spanish voice; CER 0.00"),
    _kokoro("it", "em_alex", "a Spanish voice; CER 0.01"),
    _kokoro("pt", "pf_dora", "Brazilian; CER 0.01"),
    _kokoro("pt", "pm_alex", "Brazilian; CER 0.01"),
    _piper("ar", "ar_JO-kareem-medium", Gender.MALE, "a native voice; not heard here"),
    Voice(
        id="ar-mbrola-ar2",
        language="ar",
        gender=Gender.MALE,
        age=AgeBand.ADULT,
        engine="mbrola",
        name="mb-ar2",
        sample_rate=MBROLA_HZ,
        note="diphones, hard to follow: CER 0.31; needs the system's espeak-ng, mbrola and mbrola-ar2",
    ),
)

_BY_ID = {voice.id: voice for voice in VOICES}


def find(voice_id: str) -> Voice:
    """The voice called `voice_id`. Raises BadInput where there is none, naming those of its language."""
    voice = _BY_ID.get(voice_id)
    if voice is None:
        language = voice_id.partition("-")[0]
        near = [known.id for known in voices_for(language)] or list(_BY_ID)
        raise BadInput(f"no voice is called {voice_id!r};", remedy=f"there are: {', '.join(near)}.")
    return voice


def languages() -> tuple[str, ...]:
    """The languages that have a voice, in the table's order."""
    return tuple(dict.fromkeys(voice.language for voice in VOICES))


def voices_for(language: str) -> tuple[Voice, ...]:
    """All voices of `language` (ISO 639-1), the best first, whether or not they are installed. May be empty."""
    return tuple(voice for voice in VOICES if voice.language == language)


def choose(
    language: str,
    gender: Gender | None,
    taken: Collection[str] = (),
    *,
    unavailable: Callable[[Voice], str | None] = engines.available,
) -> Voice:
    """A voice that can speak `language` on this machine: the right gender first, then the least taken, then the best.

    `taken` are the ids of voices already given to other speakers, one entry each time. `unavailable` says why a voice
    cannot speak here, or None. The same arguments give the same voice. A language that lacks the gender gives its other
    voices. Raises BadInput for a language without a voice, MissingWeights, which names what to pull, for one without a
    voice here.
    """
    known = voices_for(language)
    if not known:
        raise BadInput(f"no voice speaks {language!r};", remedy=f"there are voices for: {', '.join(languages())}.")
    reasons = {voice.id: unavailable(voice) for voice in known}
    usable = [voice for voice in known if reasons[voice.id] is None]
    if not usable:
        ways = dict.fromkeys(reason for reason in reasons.values() if reason)
        raise MissingWeights(
            f"no voice for {language!r} is installed;", remedy=f"one of these helps: {'; '.join(ways)}."
        )
    counts = list(taken)
    return min(usable, key=lambda voice: (gender is not None and voice.gender is not gender, counts.count(voice.id)))
