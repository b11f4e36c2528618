"""The few facts of H.264 and HEVC bitstreams that splicing needs, read from NAL unit headers.

ITU-T H.264 (08/2021) 7.3.1, 7.4.1, Annex B; ITU-T H.265 (08/2021) 7.3.1, 7.4.2.2, Annex B; ISO/IEC 14496-15
5.3.3.1 (avcC) and 8.3.3.1 (hvcC).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

START_CODE = b"\x00\x00\x00\x01"
_ANY_START = re.compile(b"\x00\x00\x01")
_SPS, _PPS = 7, 8  # H.264
_VPS_HEVC, _PPS_HEVC = 32, 34  # HEVC: VPS 32, SPS 33, PPS 34


@dataclass(frozen=True, slots=True)
class Syntax:
    """How one codec's NAL units tell what they are."""

    codec: str
    idr_types: frozenset[int]
    slice_types: frozenset[int]
    parameter_types: frozenset[int]

    def type_of(self, unit: bytes) -> int:
        """The type of a NAL unit by its first byte."""
        return unit[0] & 0x1F if self.codec == "h264" else (unit[0] >> 1) & 0x3F

    def starts_closed(self, units: Sequence[bytes]) -> bool:
        """Whether the picture of `units` is an IDR: nothing after it refers to anything before it.

        An H.264 recovery point and an HEVC CRA or BLA are not counted: what follows may lean on what is gone.
        """
        first = next((t for t in map(self.type_of, units) if t in self.slice_types), None)
        return first in self.idr_types

    def parameter_sets(self, units: Sequence[bytes]) -> list[bytes]:
        """The parameter sets among `units`, in order."""
        return [unit for unit in units if self.type_of(unit) in self.parameter_types]


SYNTAXES = {
    "h264": Syntax("h264", frozenset({5}), frozenset(range(1, 6)), frozenset({_SPS, _PPS})),
    "hevc": Syntax("hevc", frozenset({19, 20}), frozenset(range(32)), frozenset(range(_VPS_HEVC, _PPS_HEVC + 1))),
}


def length_size(codec: str, extradata: bytes) -> int | None:
    """Bytes of the length before each NAL unit, from avcC or hvcC `extradata`; None where start codes are used."""
    if len(extradata) < 7 or extradata[0] != 1:
        return None
    at = 4 if codec == "h264" else 21
    return (extradata[at] & 3) + 1 if len(extradata) > at else None


def split(data: bytes, prefix: int | None) -> list[bytes]:
    """The NAL units of a packet: after lengths of `prefix` bytes, or between start codes where None."""
    return list(_by_length(data, prefix) if prefix else _by_start_code(data))


def _by_length(data: bytes, prefix: int) -> Iterator[bytes]:
    at = 0
    while at + prefix < len(data):
        size = int.from_bytes(data[at : at + prefix], "big")
        at += prefix
        if size:
            yield data[at : at + size]
        at += size


def _by_start_code(data: bytes) -> Iterator[bytes]:
    marks = [match.end() for match in _ANY_START.finditer(data)]
    for start, following in zip(marks, [*marks[1:], len(data) + 3], strict=True):
        unit = data[start : following - 3].rstrip(b"\0")
        if unit:
            yield unit


def extradata_units(codec: str, extradata: bytes) -> list[bytes]:
    """The parameter sets in a stream's `extradata`, whether avcC, hvcC or start codes."""
    if length_size(codec, extradata) is None:
        return split(extradata, None)
    return _avcc_units(extradata) if codec == "h264" else _hvcc_units(extradata)


def _avcc_units(extradata: bytes) -> list[bytes]:
    units: list[bytes] = []
    at = 5
    for mask in (0x1F, 0xFF):  # the sequence sets, then the picture sets
        if at >= len(extradata):
            break
        count = extradata[at] & mask
        at += 1
        for _ in range(count):
            size = int.from_bytes(extradata[at : at + 2], "big")
            units.append(extradata[at + 2 : at + 2 + size])
            at += 2 + size
    return units


def _hvcc_units(extradata: bytes) -> list[bytes]:
    units: list[bytes] = []
    at = 23
    for _ in range(extradata[22]):
        count = int.from_bytes(extradata[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            size = int.from_bytes(extradata[at : at + 2], "big")
            units.append(extradata[at + 2 : at + 2 + size])
            at += 2 + size
    return units


def annex_b(units: Sequence[bytes]) -> bytes:
    """`units` in a row, each after a start code."""
    return b"".join(START_CODE + unit for unit in units)


def h264_set_ids(units: Sequence[bytes]) -> frozenset[int]:
    """The ids that the H.264 sequence and picture parameter sets among `units` go by."""
    ids: set[int] = set()
    for unit in units:
        if unit[0] & 0x1F == _SPS:
            ids.add(_exp_golomb(unit[4:12]))  # after the header, profile, constraints and level
        elif unit[0] & 0x1F == _PPS:
            ids.add(_exp_golomb(unit[1:9]))
    return frozenset(ids)


def _exp_golomb(data: bytes) -> int:
    """The first unsigned Exp-Golomb number in `data` (H.264 9.1)."""
    bits = "".join(f"{byte:08b}" for byte in data)
    zeros = len(bits) - len(bits.lstrip("0"))
    return int(bits[zeros : 2 * zeros + 1] or "1", 2) - 1
