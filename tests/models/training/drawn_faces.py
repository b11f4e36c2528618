"""Shards of a drawn face whose mouth opens with the loudness of its sound: enough to learn from, made in a second."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models.landmarks.topology import KEPT, LIPS_INNER, LIPS_MIDDLE, LIPS_NEAR_INNER, LIPS_OUTER
from models.training.shards import ShardWriter, shard_folder
from models.wav2lip.mel import COLUMNS

FRAMES = 60
STORED_PX = 128


def write_drawn_shards(folder: Path, *, clips: int, validation: int, frames: int = FRAMES) -> None:
    with ShardWriter(shard_folder(folder, 0), STORED_PX) as writer:
        for number in range(clips):
            random = np.random.default_rng(number)
            loud = loudness(random, frames)
            mel = mel_of(loud, random)
            opening = np.array([loud[80 * frame // 25 :][:COLUMNS].mean() for frame in range(frames)])
            skin = random.integers(150, 200, 3)
            faces = np.stack([draw(value, skin) for value in opening])
            points = np.stack([landmarks(value) for value in opening])
            split = "validation" if number < validation else "train"
            writer.add(f"clip{number}", "drawn", split, faces, points, mel)


def loudness(random: np.random.Generator, frames: int) -> npt.NDArray[np.float64]:
    """Syllables of random height, 0..1, one value for each mel column."""
    columns = frames * 80 // 25 + COLUMNS
    knots = random.uniform(0, 1, columns // 14 + 2) * (random.random(columns // 14 + 2) < 0.7)
    return np.interp(np.arange(columns), np.arange(len(knots)) * 14, knots)


def mel_of(loud: npt.NDArray[np.float64], random: np.random.Generator) -> npt.NDArray[np.float32]:
    bands = np.exp(-(((np.arange(80) - 25) / 20) ** 2))[:, None]
    noise = random.normal(0, 0.1, (80, len(loud)))
    return np.clip(-3 + 6 * bands * loud + noise, -4, 4).astype(np.float32)


def draw(opening: float, skin: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    picture = np.full((STORED_PX, STORED_PX, 3), 90, np.uint8)
    colour = tuple(int(each) for each in skin)
    cv2.ellipse(picture, (64, 64), (44, 58), 0, 0, 360, colour, -1)
    for x in (48, 80):
        cv2.circle(picture, (x, 50), 5, (30, 30, 30), -1)
    cv2.ellipse(picture, (64, 92), (17, 5 + round(10 * opening)), 0, 0, 360, (170, 60, 60), -1)
    cv2.ellipse(picture, (64, 92), (13, 1 + round(10 * opening)), 0, 0, 360, (40, 10, 10), -1)
    return picture


def landmarks(opening: float) -> npt.NDArray[np.float32]:
    points = np.random.default_rng(0).uniform(30, 98, (len(KEPT), 2))
    places = {index: place for place, index in enumerate(KEPT)}
    for name, (x, y) in {33: (42, 50), 133: (54, 50), 362: (74, 50), 263: (86, 50)}.items():
        points[places[name]] = x, y
    rings = ((LIPS_OUTER, 17, 5), (LIPS_MIDDLE, 16, 4), (LIPS_NEAR_INNER, 14, 2), (LIPS_INNER, 13, 1))
    for ring, width, height in rings:
        for step, index in enumerate(ring):
            angle = np.pi + np.pi * step / 10
            tall = height + 10 * opening
            points[places[index]] = 64 + width * np.cos(angle), 92 + tall * np.sin(angle)
    return ((points + 0.5) / STORED_PX).astype(np.float32)
