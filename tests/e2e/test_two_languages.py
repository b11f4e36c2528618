"""A lecture in two languages at once: what both share is done once, and each file is its own language's.

No weights that translate into Spanish come from a package registry, so a fake stands in for them here; the voices,
the sound and the files are real.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import av
import pysubs2
import pytest
from redub_command import Dubbed

from infra.store import Store
from manifests.records import Hypothesis
from models.translation import engines
from models.translation.contract import Translator
from tasks.journal import Journal
from tasks.lecture import DubJob, dub_lecture
from tasks.pool import InProcessPool
from tasks.publish import publish_dubs
from tasks.settings import lecture

pytestmark = [pytest.mark.weights, pytest.mark.timeout(1800)]

SHARED = (
    "shots",
    "speech",
    "faces",
    "identify",
    "listen",
    "voice_samples",
    "background",
    "meshes",
    "speaking",
    "library",
    "appearances",
    "real_lips",
)
OF_EACH_LANGUAGE = (
    "translate",
    "speak",
    "mix",
    "voice",
    "lips",
    "render",
    "assemble",
    "sign",
    "heard_back",
    "dubbed_lips",
    "levels",
)


class FakeSpanish:
    """Stands in for trained weights: says how many words each sentence has, in Spanish."""

    source, target, experimental = "en", "es", False

    def translate(self, sentences: Sequence[str], *, candidates: int = 1) -> list[tuple[Hypothesis, ...]]:
        return [(Hypothesis(text=f"Son {len(each.split())} palabras.", score=-0.1),) for each in sentences]


@pytest.fixture
def fake_spanish(monkeypatch: pytest.MonkeyPatch) -> None:
    load, weights_of, weights_into = engines.load, engines.weights_of, engines.weights_into

    def known(target: str) -> str:
        return "fr" if target == "es" else target

    def load_or_fake(engine: str, source: str, target: str) -> Translator:
        return FakeSpanish() if target == "es" else load(engine, source, target)

    def weights_or_others(engine: str, source: str, target: str) -> str:
        return weights_of(engine, source, known(target))

    monkeypatch.setattr(engines, "load", load_or_fake)
    monkeypatch.setattr(engines, "weights_of", weights_or_others)
    monkeypatch.setattr(engines, "weights_into", lambda engine, target: weights_into(engine, known(target)))


@pytest.mark.usefixtures("fake_spanish")
def test_shared_stages_are_done_once(
    sample_dub: Dubbed, usual_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDUB_WEIGHTS", str(usual_weights))
    monkeypatch.setenv("REDUB_STATE", str(sample_dub.redub.state))  # who signs
    store, journal = Store(sample_dub.redub.cache), Journal()
    job = DubJob(
        source=sample_dub.source, targets=("fr", "es"), source_language=None, audio_track=None, settings=lecture()
    )
    dubbed = dub_lecture(job, InProcessPool(store, journal))

    done = Counter((entry.stage, entry.language) for entry in journal.entries)
    assert set(done) == {
        *((stage, None) for stage in SHARED),
        *((stage, language) for stage in OF_EACH_LANGUAGE for language in ("fr", "es")),
    }
    # What the two are measured by is one and the same: the real lips are looked at for the first, found for the second.
    assert all(count == 1 for (stage, language), count in done.items() if language is None and stage != "real_lips")
    # The command has dubbed it into French before, on the same store: that work serves this plain Python shell.
    assert {(entry.stage, entry.language) for entry in journal.entries if not entry.hit} == {
        (stage, "es") for stage in OF_EACH_LANGUAGE
    }

    french, spanish = publish_dubs(dubbed, sample_dub.source.stem, tmp_path, store)
    assert Path(french.files[0]).read_bytes() == sample_dub.video.read_bytes()
    assert languages(Path(french.files[0])) == ["fra", "eng", "fra", "eng"]
    assert languages(Path(spanish.files[0])) == ["spa", "eng", "spa", "eng"]
    cues = pysubs2.load(str(tmp_path / f"{sample_dub.source.stem}.es.srt"))
    words = [len(utterance.text.split()) for utterance in dubbed.heard.utterances]
    assert " ".join(cue.plaintext for cue in cues).split() == " ".join(f"Son {n} palabras." for n in words).split()
    assert [each.voice.partition("-")[0] for dub in dubbed.dubs for group in dub.voiced.clips for each in group] == [
        language for language in ("fr", "es") for _ in words
    ]


def languages(video: Path) -> list[str]:
    with av.open(str(video)) as container:
        return [s.metadata["language"] for s in container.streams if s.type in {"audio", "subtitle"}]
