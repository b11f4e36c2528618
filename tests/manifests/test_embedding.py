"""Embeddings: the same numbers wherever they go, in a quarter of a tuple's room."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from manifests.embedding import Embedding
from manifests.keys import fingerprint
from manifests.tables import read_table, write_table

numbers = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20)


@dataclass(frozen=True, slots=True)
class Known:
    name: str
    face: Embedding


@given(numbers)
def test_nothing_is_lost_on_the_way(given_numbers: list[float]) -> None:
    embedding, adapter = Embedding(given_numbers), TypeAdapter(Known)
    record = Known("a", embedding)
    assert list(embedding) == given_numbers
    assert adapter.validate_json(adapter.dump_json(record)) == record
    assert pickle.loads(pickle.dumps(record)) == copy.deepcopy(record) == record  # noqa: S301 (its own bytes)
    assert fingerprint(embedding) == fingerprint(tuple(given_numbers)), "or what is finished would be done again"
    assert np.array_equal(np.array([embedding]), np.array([given_numbers], np.float64))


@given(numbers, numbers)
def test_equal_are_those_of_the_same_numbers(one: list[float], other: list[float]) -> None:
    first, second = Embedding(one), Embedding(other)
    assert (first == second) == (one == other)
    if first == second:
        assert hash(first) == hash(second)


def test_it_is_a_column_of_a_table(tmp_path: Path) -> None:
    records = [Known("a", Embedding([0.1, -2.5])), Known("b", Embedding())]
    write_table(records, Known, tmp_path / "known.parquet")
    assert read_table(Known, tmp_path / "known.parquet") == records


def test_it_does_not_change() -> None:
    embedding = Embedding([1.0, 2.0])
    np.asarray(embedding)[0] = 7.0
    assert embedding == Embedding([1.0, 2.0])
    assert embedding[1:] == Embedding([2.0])
    with pytest.raises(ValueError, match="copy"):
        embedding.__array__(copy=False)
