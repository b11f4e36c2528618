"""Boxes, alignment, smoothing and identities: pure arithmetic."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from manifests.time import FLICKS_PER_SECOND, flicks
from models.faces.contract import Face
from models.faces.geometry import clipped, fitted_size, largest_first, overlaps, similarity
from models.faces.identity import link
from models.faces.smoothing import smooth
from models.faces.tracking import matched

seeds = st.integers(0, 2**32 - 1)


def boxes(seed: int, count: int) -> npt.NDArray[np.float32]:
    generator = np.random.default_rng(seed)
    return np.concatenate(
        [generator.uniform(-50, 150, (count, 2)), generator.uniform(1, 100, (count, 2))], axis=1
    ).astype(np.float32)


@given(seeds, st.integers(0, 6), st.integers(0, 6))
def test_overlap_is_symmetric_bounded_and_one_with_itself(seed: int, some: int, others: int) -> None:
    one, other = boxes(seed, some), boxes(seed + 1, others)
    table = overlaps(one, other)
    assert table.shape == (some, others)
    assert ((table >= 0) & (table <= 1)).all()
    np.testing.assert_allclose(table, overlaps(other, one).T)
    np.testing.assert_allclose(np.diag(overlaps(one, one)), 1, atol=1e-6)


def test_overlap_of_halves() -> None:
    whole, half, beside = [0, 0, 10, 10], [0, 0, 5, 10], [10, 0, 10, 10]
    table = overlaps(np.array([whole], np.float32), np.array([half, beside], np.float32))
    np.testing.assert_allclose(table, [[0.5, 0]])


@given(seeds, st.integers(1, 6))
def test_clipped_faces_lie_inside_and_come_largest_first(seed: int, count: int) -> None:
    faces = largest_first(clipped((Face(box, 0.9, None) for box in boxes(seed, count)), width=100, height=80))
    for face in faces:
        x, y, width, height = face.box.tolist()
        assert 0 <= x < x + width <= 100 + 1e-4
        assert 0 <= y < y + height <= 80 + 1e-4
    areas = [float(face.box[2] * face.box[3]) for face in faces]
    assert areas == sorted(areas, reverse=True)


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 1000))
def test_fitted_size_keeps_shape_and_never_grows(width: int, height: int, longest: int) -> None:
    fitted = fitted_size((width, height), longest)
    assert max(fitted) <= max(longest, 1)
    assert fitted[0] <= width
    assert fitted[1] <= height
    assert max(width, height) > longest or fitted == (width, height)


@given(seeds, st.floats(0.2, 5), st.floats(-3.1, 3.1), st.floats(-100, 100), st.floats(-100, 100))
def test_similarity_recovers_turn_scale_and_shift(seed: int, scale: float, turn: float, dx: float, dy: float) -> None:
    points = np.random.default_rng(seed).uniform(0, 100, (5, 2))
    true = np.array([[np.cos(turn), -np.sin(turn), dx], [np.sin(turn), np.cos(turn), dy]])
    true[:, :2] *= scale
    moved = points @ true[:, :2].T + true[:, 2]
    found = similarity(points.astype(np.float32), moved.astype(np.float32))
    np.testing.assert_allclose(points @ found[:, :2].T + found[:, 2], moved, atol=1e-2)


@given(seeds, st.integers(3, 60), st.floats(0.05, 1))
def test_smoothing_keeps_steady_motion_up_to_the_ends(seed: int, count: int, window_s: float) -> None:
    generator = np.random.default_rng(seed)
    times = np.cumsum(generator.integers(flicks(0.005), flicks(0.1), count))
    line = generator.uniform(-100, 100, 4) * (times / FLICKS_PER_SECOND)[:, None] + generator.uniform(0, 500, 4)
    np.testing.assert_allclose(smooth(times, line.astype(np.float32), window_s), line, atol=0.02)


@given(seeds, st.integers(1, 40))
def test_smoothing_has_no_lag(seed: int, count: int) -> None:
    """Run backwards in time it gives the same: what leads nor trails."""
    values = np.random.default_rng(seed).normal(size=(count, 4)).astype(np.float32)
    times = np.arange(count) * flicks(0.04)
    forth = smooth(times, values, 0.3)
    back = smooth(times, values[::-1], 0.3)[::-1]
    np.testing.assert_allclose(forth, back, atol=1e-4)


def test_smoothing_calms_trembling_but_leaves_a_nod() -> None:
    times = np.arange(200) * flicks(0.04)
    trembling = np.random.default_rng(0).normal(0, 2, 200).astype(np.float32)
    assert np.std(smooth(times, trembling, 0.3)) < 0.6 * np.std(trembling)
    nod = 20 * np.sin(2 * np.pi * 1.0 * np.arange(200) * 0.04)
    assert np.abs(smooth(times, nod.astype(np.float32), 0.3) - nod)[4:-4].max() < 0.15 * 20


def test_smoothing_leaves_alone_what_it_should() -> None:
    times = np.arange(5) * flicks(0.04)
    values = np.array([0, 9, 1, 8, 2], np.float32)
    np.testing.assert_array_equal(smooth(times, values, 0), values)
    assert np.isnan(smooth(times, np.full((5, 5, 2), np.nan, np.float32), 0.3)).all()
    with pytest.raises(ValueError, match="negative"):
        smooth(times, values, -1)


@given(
    hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.floats(0, 1)),
    st.floats(0.1, 1),
)
def test_matching_takes_each_once_and_leaves_no_pair_that_could_be_made(
    table: npt.NDArray[np.float64], least: float
) -> None:
    pairs = matched(table, least)
    rows, columns = [row for row, _ in pairs], [column for _, column in pairs]
    assert len(set(rows)) == len(rows)
    assert len(set(columns)) == len(columns)
    assert all(table[pair] >= least for pair in pairs)
    for row, column in np.argwhere(table >= least).tolist():
        assert row in rows or column in columns


def people(seed: int, counts: list[int], spread: float = 0.03) -> tuple[npt.NDArray[np.float32], list[int]]:
    """Embeddings of several tracks of each of some people, nearly orthogonal to one another."""
    generator = np.random.default_rng(seed)
    basis = np.linalg.qr(generator.normal(size=(128, len(counts))))[0].T
    true = [person for person, count in enumerate(counts) for _ in range(count)]
    vectors = basis[true] + generator.normal(0, spread, (len(true), 128))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), true


@given(seeds, st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_link_finds_the_people_in_any_order(seed: int, counts: list[int]) -> None:
    vectors, true = people(seed, counts)
    order = np.random.default_rng(seed).permutation(len(true))
    durations = np.random.default_rng(seed + 1).uniform(0.5, 20, len(true))
    labels = link(vectors[order], durations[order], 0.363)
    shuffled = [true[index] for index in order]
    assert all(
        (labels[a] == labels[b]) == (shuffled[a] == shuffled[b]) for a, b in itertools.combinations(range(len(true)), 2)
    )


@given(seeds, st.integers(0, 8), st.floats(-1, 1))
def test_link_numbers_by_first_appearance_whatever_the_order(seed: int, count: int, least: float) -> None:
    vectors = np.random.default_rng(seed).normal(size=(count, 4))
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    durations = np.random.default_rng(seed + 1).uniform(1, 5, count)
    labels = link(vectors.astype(np.float32), durations, least)
    assert len(labels) == count
    seen: list[int] = []
    for label in labels:
        if label not in seen:
            seen.append(label)
    assert seen == list(range(len(seen)))
    order = np.random.default_rng(seed + 2).permutation(count)
    other = link(vectors[order].astype(np.float32), durations[order], least)
    pairs = itertools.combinations(range(count), 2)
    assert all((other[a] == other[b]) == (labels[order[a]] == labels[order[b]]) for a, b in pairs)


@given(seeds, st.integers(2, 8), st.floats(-0.5, 0.9), st.floats(0, 0.5))
def test_a_stricter_cosine_only_splits_groups(seed: int, count: int, least: float, more: float) -> None:
    vectors = np.random.default_rng(seed).normal(size=(count, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assume(np.isfinite(vectors).all())
    loose, strict = (link(vectors, np.ones(count), cosine) for cosine in (least, least + more))
    assert all(loose[a] == loose[b] for a, b in itertools.combinations(range(count), 2) if strict[a] == strict[b])


def test_a_face_that_could_not_be_embedded_is_a_person_of_its_own() -> None:
    vectors, _ = people(3, [2])
    with_blanks = np.concatenate([np.zeros((2, 128), np.float32), vectors])
    assert link(with_blanks, np.ones(4), -1.0) == [0, 1, 2, 2]


def test_link_wants_a_positive_duration_for_each() -> None:
    with pytest.raises(ValueError, match="durations"):
        link(np.eye(2, 128, dtype=np.float32), [1.0], 0.3)
    with pytest.raises(ValueError, match="durations"):
        link(np.eye(2, 128, dtype=np.float32), [1.0, 0.0], 0.3)
