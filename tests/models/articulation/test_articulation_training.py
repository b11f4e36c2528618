"""Teaching the articulation network: on a made-up language whose sounds tell the mouth, it learns to hear it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from talking_heads import FRONTAL, mouths_with, posed, walk

from models.articulation.features import RATE_HZ, SIZE
from models.articulation.network import ArticulationConfig, ArticulationNetwork
from models.articulation.shapes import MouthModel
from models.articulation.training import ArticulationClip, ArticulationTraining, Validation, train
from models.articulation.voices import in_other_voices

SHAPES = 4
SETTINGS = ArticulationTraining(
    network=ArticulationConfig(shapes=SHAPES, hidden=16, dropout=0.1),
    steps=40,
    batch=4,
    warmup_steps=5,
    learning_rate=2e-2,
    validation_every=4,
)


@pytest.fixture(scope="module")
def clips(model: MouthModel) -> list[ArticulationClip]:
    """Eight clips of 1.2 s: features are a fixed mix of the shapes, in two voices that differ by noise."""
    mix = np.random.default_rng(99).normal(0, 1, (SHAPES, SIZE))
    made = []
    for seed in range(8):
        frames, rows = 30, 60
        shapes = np.zeros((frames, model.size), np.float32)
        shapes[:, :SHAPES] = walk(frames, SHAPES, seed)
        at = (np.arange(rows) + 0.5) / RATE_HZ * 25
        heard = np.stack([np.interp(at, np.arange(frames), column) for column in shapes[:, :SHAPES].T], axis=1) @ mix
        rng = np.random.default_rng(seed)
        voices = tuple((heard + rng.normal(0, noise, heard.shape)).astype(np.float16) for noise in (0.1, 0.5))
        made.append(
            ArticulationClip(
                points=posed(model, mouths_with(model, shapes), FRONTAL),
                times_s=np.arange(frames) / 25,
                features=voices,
            )
        )
    return made


def taught(
    clips: list[ArticulationClip], settings: ArticulationTraining = SETTINGS
) -> tuple[ArticulationNetwork, list[float], Validation]:
    losses: list[float] = []
    network, _, validation = train(clips, settings, lambda step, loss: losses.append(loss))
    return network, losses, validation


@pytest.fixture(scope="module")
def once(clips: list[ArticulationClip]) -> tuple[ArticulationNetwork, list[float], Validation]:
    return taught(clips)


def test_it_learns_to_hear_the_mouth(once: tuple[ArticulationNetwork, list[float], Validation]) -> None:
    _, losses, validation = once
    assert len(losses) == SETTINGS.steps
    assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:5])
    assert len(validation.opening) == 2, "one for each voice"
    assert min(validation.opening) > 0.7, "on clips that it was not taught"
    assert 0 <= validation.recall <= 1
    assert 0 <= validation.precision <= 1


def test_teaching_is_repeatable(
    clips: list[ArticulationClip], once: tuple[ArticulationNetwork, list[float], Validation]
) -> None:
    few = dataclasses.replace(SETTINGS, steps=5)
    networks, losses, _ = zip(taught(clips, few), taught(clips, few), strict=True)
    assert losses[0] == losses[1]
    for name, tensor in networks[0].state_dict().items():
        assert torch.equal(tensor, networks[1].state_dict()[name]), name
    _, other, _ = taught(clips, dataclasses.replace(few, seed=1))
    assert other != losses[0]


def test_clips_that_are_held_out_teach_nothing(clips: list[ArticulationClip]) -> None:
    few = dataclasses.replace(SETTINGS, steps=5)
    held_out = [*clips]
    rng = np.random.default_rng(0)
    for index in range(0, len(clips), SETTINGS.validation_every):
        features = tuple(rng.normal(0, 1, each.shape).astype(np.float16) for each in clips[index].features)
        held_out[index] = dataclasses.replace(clips[index], features=features)
    _, losses, _ = taught(clips, few)
    _, same, validation = taught(held_out, few)
    assert same == losses
    assert max(validation.opening) < 0.7, "noise tells no mouth"


def test_one_clip_is_not_enough(clips: list[ArticulationClip]) -> None:
    with pytest.raises(ValueError, match="two at least"):
        train(clips[:1], SETTINGS, lambda step, loss: None)


def test_clips_of_different_lengths_are_taught_together(clips: list[ArticulationClip]) -> None:
    short = ArticulationClip(
        points=clips[1].points[:21],
        times_s=clips[1].times_s[:21],
        features=tuple(each[:42] for each in clips[1].features),
    )
    _, losses, _ = taught([clips[0], short, clips[2]], dataclasses.replace(SETTINGS, steps=3))
    assert np.isfinite(losses).all()


@pytest.mark.slow
def test_other_voices_say_the_same_at_the_same_time() -> None:
    rng = np.random.default_rng(1)
    time = np.arange(16_000) / 16_000
    syllables = np.maximum(np.sin(2 * np.pi * 3 * time), 0)
    buzz = np.sign(np.sin(2 * np.pi * 140 * time))
    spoken = (0.5 * syllables * buzz + rng.normal(0, 1e-3, 16_000)).astype(np.float32)
    voices = in_other_voices(spoken, seed=4)
    assert np.array_equal(voices[0], spoken)
    assert [len(each) for each in voices] == [len(spoken)] * 3
    assert centroid(voices[2]) < centroid(voices[0]) < centroid(voices[1])
    for other in voices[1:]:
        assert np.corrcoef(loudness(spoken), loudness(other))[0, 1] > 0.8
    assert all(np.array_equal(a, b) for a, b in zip(voices, in_other_voices(spoken, seed=4), strict=True))


def centroid(waveform: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(waveform)) ** 2
    below = np.fft.rfftfreq(len(waveform), 1 / 16_000) < 500
    return float((power * np.arange(len(power)))[below].sum() / power[below].sum())


def loudness(waveform: np.ndarray) -> np.ndarray:
    return np.asarray((waveform[: 100 * 160].reshape(100, 160) ** 2).mean(axis=1))
