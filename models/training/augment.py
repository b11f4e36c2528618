"""Changes to the pictures of a window that leave what the mouth says as it is: place, shape, colour, light, dirt.

One speaker's mouth must not become everyone's, so besides the usual affine and colour changes a smooth random warp
gives each window a face of other proportions. Everything is drawn once a window, so its frames stay one moment of one
face; each frame costs one remapping, and colours are changed in passes over the whole window.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.landmarks.topology import KEPT, LIPS_OUTER
from models.training.config import PictureAugment
from models.training.shards import MARGIN

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

_LIPS = [KEPT.index(point) for point in LIPS_OUTER]
_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
"""RGB to YIQ (NTSC 1953): hue is the angle, saturation the length of (I, Q)."""
_RGB = np.linalg.inv(_YIQ)
_VALUES = np.linspace(0, 1, 256)[:, None]
_NOISE_LENGTH = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """Where each pixel of the face is taken from in the stored crop: `x` and `y` (rows, S) in its pixels.

    `to_face` (2, 3) takes the stored crop's pixels to the face's; the smooth warp is left out of it. `flipped` where
    left and right changed places.
    """

    x: Floats
    y: Floats
    to_face: npt.NDArray[np.float64]
    flipped: bool


def draw_geometry(
    random: np.random.Generator, settings: PictureAugment, *, stored_px: int, face_px: int, first_row: int = 0
) -> Geometry:
    """A random placing of the face of `face_px` in its stored crop, for its rows from `first_row` on."""
    step = stored_px / (MARGIN * face_px)  # stored pixels to a pixel of the face
    flipped = bool(random.random() < settings.flip_chance)
    angle = math.radians(settings.rotation_deg) * random.uniform(-1, 1)
    scale = step * math.exp(settings.scale * random.uniform(-1, 1))
    aspect = math.exp(0.5 * settings.aspect * random.uniform(-1, 1))
    shear = settings.shear * random.uniform(-1, 1)
    cosine, sine = math.cos(angle), math.sin(angle)
    stretch = np.array([[scale * aspect * (-1 if flipped else 1), 0.0], [0.0, scale / aspect]])
    linear = np.array([[cosine, -sine], [sine, cosine]]) @ np.array([[1.0, shear], [0.0, 1.0]]) @ stretch
    shift = settings.shift * face_px * random.uniform(-1, 1, 2)
    centre_in, centre_out = (face_px - 1) / 2, (stored_px - 1) / 2
    to_stored = np.column_stack([linear, centre_out - linear @ (centre_in + shift)])

    columns = np.arange(face_px, dtype=np.float32)
    rows = np.arange(first_row, face_px, dtype=np.float32)[:, None]
    if settings.mesh:
        knots = random.standard_normal((2, settings.mesh_knots, settings.mesh_knots)).astype(np.float32)
        knots *= np.float32(settings.mesh * face_px)
        size = (face_px, face_px)
        warp_x, warp_y = (cv2.resize(each, size, interpolation=cv2.INTER_CUBIC)[first_row:] for each in knots)
        columns, rows = columns + warp_x, rows + warp_y
    (a, b, c), (d, e, f) = to_stored.astype(np.float32)
    x = np.ascontiguousarray(a * columns + b * rows + c, np.float32)
    y = np.ascontiguousarray(d * columns + e * rows + f, np.float32)
    return Geometry(x, y, np.asarray(cv2.invertAffineTransform(to_stored), np.float64), flipped)


def warp(frames: Bytes, geometry: Geometry, jitter_px: Floats | None = None) -> Bytes:
    """The stored crops `frames` (n, S', S', 3) as faces (n, rows, S, 3), frame i moved by `jitter_px[i]` (x, y)."""
    faces = np.empty((len(frames), *geometry.x.shape, 3), np.uint8)
    for place, frame in enumerate(frames):
        x, y = geometry.x, geometry.y
        if jitter_px is not None:
            x, y = x + jitter_px[place, 0], y + jitter_px[place, 1]
        cv2.remap(frame, x, y, cv2.INTER_LINEAR, dst=faces[place], borderMode=cv2.BORDER_REPLICATE)
    return faces


def draw_jitter(random: np.random.Generator, settings: PictureAugment, *, stored_px: int, count: int) -> Floats | None:
    """Small shifts (count, 2) of single frames, in pixels of the stored crop; None where there are none."""
    if not settings.jitter:
        return None
    return (settings.jitter * stored_px / MARGIN * random.standard_normal((count, 2))).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Colours:
    """A change of colour and light: a table for each of R, G and B, then a matrix, then a factor a pixel."""

    table: Bytes
    matrix: npt.NDArray[np.float64]
    light: Floats | None


def draw_colours(random: np.random.Generator, settings: PictureAugment, *, shape: tuple[int, int]) -> Colours:
    """A random change of colour for pictures of `shape` (rows, columns)."""
    gamma = np.exp(settings.gamma * (random.uniform(-1, 1) + 0.25 * random.uniform(-1, 1, 3)))
    contrast = math.exp(settings.contrast * random.uniform(-1, 1))
    gain = np.exp(settings.gain * (random.uniform(-1, 1) + 0.35 * random.uniform(-1, 1, 3)))
    offset = settings.offset * (random.uniform(-1, 1) + 0.35 * random.uniform(-1, 1, 3))
    table = ((_VALUES**gamma - 0.5) * contrast + 0.5) * gain + offset
    bytes_of = np.clip(table * 255 + 0.5, 0, 255).astype(np.uint8)

    saturation = (
        0.0 if random.random() < settings.grey_chance else math.exp(settings.saturation * random.uniform(-1, 1))
    )
    hue = math.radians(settings.hue_deg) * random.uniform(-1, 1)
    turn = np.eye(3)
    turn[1:, 1:] = saturation * np.array([[math.cos(hue), -math.sin(hue)], [math.sin(hue), math.cos(hue)]])
    matrix = _RGB @ turn @ _YIQ

    light: Floats | None = None
    if settings.lighting:
        corners = np.exp(settings.lighting * random.standard_normal((3, 3)) * 0.6).astype(np.float32)
        light = np.asarray(cv2.resize(corners, shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)
    return Colours(bytes_of, np.asarray(matrix, np.float64), light)


def recolour(faces: Bytes, colours: Colours) -> Bytes:
    """`faces` (n, rows, columns, 3) RGB in other colours, as BGR."""
    count, rows, columns, _ = faces.shape
    sheet: npt.NDArray[Any] = cv2.LUT(faces.reshape(count * rows, columns, 3), colours.table.reshape(256, 1, 3))
    sheet = cv2.transform(sheet, colours.matrix[::-1])  # rows reversed: the result is BGR
    if colours.light is not None:
        light = np.repeat(np.tile(colours.light, (count, 1))[:, :, None], 3, axis=2)
        sheet = cv2.multiply(sheet, light, dtype=cv2.CV_8U)
    return np.asarray(sheet, np.uint8).reshape(count, rows, columns, 3)


def degrade(
    faces: Bytes, random: np.random.Generator, settings: PictureAugment, lips: npt.NDArray[np.float64]
) -> Bytes:
    """`faces` (n, rows, columns, 3) as a worse camera, lens or codec would give them, something held before them.

    `lips` (k, 2): points in pixels of these pictures that nothing may hide. Changes `faces` in place.
    """
    if random.random() < settings.patch_chance:
        _hide(faces, random, lips)
    soften, sharpen = random.random() < settings.soften_chance, random.random() < settings.sharpen_chance
    if soften:
        _soften(faces, random)
    elif sharpen:
        amount = random.uniform(0.3, 1.0)
        for face in faces:
            blurred = cv2.GaussianBlur(face, (0, 0), 1.2)
            cv2.addWeighted(face, 1 + amount, blurred, -amount, 0, dst=face)
    if random.random() < settings.noise_chance:
        faces = _noisy(faces, random, settings.noise)
    if random.random() < settings.jpeg_chance:
        quality = int(random.integers(25, 80))
        for face in faces:
            file = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
            face[:] = cv2.imdecode(file, cv2.IMREAD_COLOR)
    return faces


def lips_in_face(
    points: npt.NDArray[np.float32], geometry: Geometry, *, stored_px: int, first_row: int = 0
) -> npt.NDArray[np.float64]:
    """The lips' rims of `points` (n, 202, 2), in shares of the stored crop, as (n * 20, 2) pixels of the face."""
    stored = points[:, _LIPS].reshape(-1, 2).astype(np.float64) * stored_px - 0.5
    place = stored @ geometry.to_face[:, :2].T + geometry.to_face[:, 2]
    return np.asarray(place - (0, first_row))


def _soften(faces: Bytes, random: np.random.Generator) -> None:
    """Through a smaller picture and back, or out of focus."""
    rows, columns = faces.shape[1:3]
    if random.random() < 0.5:
        share = random.uniform(0.35, 0.8)
        small = (max(8, round(columns * share)), max(4, round(rows * share)))
        for face in faces:
            shrunk = cv2.resize(face, small, interpolation=cv2.INTER_AREA)
            cv2.resize(shrunk, (columns, rows), dst=face, interpolation=cv2.INTER_LINEAR)
    else:
        deviation = random.uniform(0.4, 1.3) * columns / 96
        for face in faces:
            cv2.GaussianBlur(face, (0, 0), deviation, dst=face)


def _hide(faces: Bytes, random: np.random.Generator, lips: npt.NDArray[np.float64]) -> None:
    """One to three patches of plain or noisy colour that stay clear of the lips."""
    rows, columns = faces.shape[1:3]
    (left, top), (right, bottom) = lips.min(axis=0), lips.max(axis=0)
    margin = 0.04 * columns
    for _ in range(int(random.integers(1, 4))):
        width, height = (int(side) for side in random.uniform(0.08, 0.35, 2) * columns)
        x, y = int(random.uniform(-width / 2, columns - width / 2)), int(random.uniform(-height / 2, rows - height / 2))
        colour = random.integers(0, 256, 3)
        rough = random.random() < 0.5
        if x < right + margin and x + width > left - margin and y < bottom + margin and y + height > top - margin:
            continue
        patch = faces[:, max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)]
        if rough and patch.size:
            grain = random.integers(-40, 41, (*patch.shape[1:3], 1))
            patch[:] = np.clip(colour + grain, 0, 255).astype(np.uint8)
        else:
            patch[:] = colour.astype(np.uint8)


def _noisy(faces: Bytes, random: np.random.Generator, most: float) -> Bytes:
    bank = _noise_bank()
    start = int(random.integers(0, len(bank) - faces.size)) if faces.size < len(bank) else 0
    noise = np.resize(bank[start : start + faces.size], faces.shape)
    amount = random.uniform(0.1, 1.0) * most * 255
    sheet = faces.reshape(-1, faces.shape[2] * 3)
    noisy = cv2.addWeighted(sheet, 1, noise.reshape(sheet.shape), amount / 32, 0, dtype=cv2.CV_8U)
    return np.asarray(noisy, np.uint8).reshape(faces.shape)


@cache
def _noise_bank() -> npt.NDArray[np.int8]:
    """Normal noise of deviation 32, drawn once: drawing it afresh would cost more than all other changes."""
    noise = np.random.Generator(np.random.PCG64(0)).standard_normal(_NOISE_LENGTH, dtype=np.float32) * 32
    return np.clip(noise, -127, 127).astype(np.int8)
