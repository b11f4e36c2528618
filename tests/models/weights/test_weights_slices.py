"""A zip in slices reads as the zip."""

from __future__ import annotations

import io
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from models.weights.sources import SliceReader

slices = st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=6)
moves = st.lists(st.tuples(st.sampled_from([0, 1, 2]), st.integers(-60, 260), st.integers(-1, 120)), max_size=12)


@given(slices, moves)
def test_seeks_and_reads_as_the_concatenation(cuts: list[bytes], steps: list[tuple[int, int, int]]) -> None:
    opened: set[int] = set()

    def open_slice(index: int) -> io.BytesIO:
        opened.add(index)
        return io.BytesIO(cuts[index])

    reader = io.BufferedReader(SliceReader([len(cut) for cut in cuts], open_slice), buffer_size=16)
    whole = io.BytesIO(b"".join(cuts))
    for whence, offset, count in steps:
        origin = {0: 0, 1: whole.tell(), 2: len(whole.getvalue())}[whence]
        if origin + offset < 0:
            continue
        assert reader.seek(offset, whence) == whole.seek(origin + offset)
        assert reader.read(count) == whole.read(count)
        assert reader.tell() == whole.tell()


@given(slices, st.data())
def test_only_the_slices_that_are_read_are_opened(cuts: list[bytes], data: st.DataObject) -> None:
    ends = list(accumulate(len(cut) for cut in cuts))
    position = data.draw(st.integers(0, ends[-1] - 1))
    opened: set[int] = set()

    def open_slice(index: int) -> io.BytesIO:
        opened.add(index)
        return io.BytesIO(cuts[index])

    reader = SliceReader([len(cut) for cut in cuts], open_slice)
    reader.seek(position)
    assert reader.read(1) == b"".join(cuts)[position : position + 1]
    assert opened == {next(index for index, end in enumerate(ends) if position < end)}
