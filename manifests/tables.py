"""Records as Parquet tables with a declared schema, one row a record, readable with pandas or DuckDB.

Times are int64 flicks (`..._flicks`, see `manifests.time`; exact) with seconds beside them as float64 (`..._s`, for
reading). The key-value metadata of each file names the record, the version of its schema and the unit of time.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from manifests.embedding import Embedding
from manifests.time import FLICKS_PER_SECOND, Span

SCHEMA_VERSION = 1
_ROWS_AT_ONCE = 200

Record = TypeVar("Record")

_hints: Callable[[Any], dict[str, Any]] = cache(typing.get_type_hints)
"""The types of a record's fields: asked anew for each of 60,000 words, they take longer than all the rest."""


def schema_of(kind: type) -> pa.Schema:
    """The Arrow schema of a record type: spans as start and end, blobs as structs, tuples as lists."""
    hints = _hints(kind)
    fields: list[pa.Field] = []
    for entry in dataclasses.fields(kind):
        fields.extend(_columns(entry.name, hints[entry.name]))
    metadata = {
        "redub.record": kind.__name__,
        "redub.schema_version": str(SCHEMA_VERSION),
        "redub.flicks_per_second": str(FLICKS_PER_SECOND),
    }
    return pa.schema(fields, metadata=metadata)


def write_table(records: Sequence[Record], kind: type[Record], target: Path) -> None:
    """Write `records`, all of type `kind`, as one Parquet file. Equal records give an equal file."""
    schema = schema_of(kind)
    parts = [
        # Part by part: as Python's own lists and numbers a long lecture's rows take tens of megabytes.
        pa.Table.from_pylist([_row(each) for each in records[start : start + _ROWS_AT_ONCE]], schema=schema)
        for start in range(0, len(records), _ROWS_AT_ONCE)
    ]
    table = pa.concat_tables(parts) if parts else schema.empty_table()
    pq.write_table(table.combine_chunks(), target, compression="zstd")


def _row(record: Any) -> dict[str, Any]:
    hints = _hints(type(record))
    row: dict[str, Any] = {}
    for entry in dataclasses.fields(record):
        row.update(_cells(entry.name, getattr(record, entry.name), hints[entry.name]))
    return row


def read_table(kind: type[Record], source: Path) -> list[Record]:
    """The records that `write_table` wrote. ValueError where the file holds another record or schema version.

    What was added to a record since, and has a default, may be missing in the file.
    """
    with pq.ParquetFile(source) as file:  # `pq.read_table` would import pandas, which takes a second
        table = file.read()
    metadata = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    found = metadata.get("redub.record"), metadata.get("redub.schema_version")
    if found != (kind.__name__, str(SCHEMA_VERSION)):
        raise ValueError(f"{source} holds {found[0]} version {found[1]}, not {kind.__name__} version {SCHEMA_VERSION}")
    return [_build(kind, row) for row in table.to_pylist()]


_PLAIN = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_(), Fraction: pa.string()}


def _optional(hint: Any) -> Any:
    """The type inside `X | None`, else `hint` itself."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        inner = [each for each in typing.get_args(hint) if each is not types.NoneType]
        if len(inner) == 1:
            return inner[0]
    return hint


def _columns(name: str, hint: Any) -> list[pa.Field]:
    inner = _optional(hint)
    if inner is Span:
        parts = [
            ("start_flicks", pa.int64()),
            ("end_flicks", pa.int64()),
            ("start_s", pa.float64()),
            ("end_s", pa.float64()),
        ]
        return [pa.field(_prefixed(name, part), kind, nullable=False) for part, kind in parts]
    return [pa.field(name, _arrow(inner), nullable=inner is not hint)]


def _prefixed(name: str, part: str) -> str:
    return part if name == "span" else f"{name}_{part}"


def _arrow(hint: Any) -> pa.DataType:
    hint = _optional(hint)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if hint is Embedding:
        return pa.list_(pa.float64())
    if typing.get_origin(hint) is tuple:
        return pa.list_(_arrow(typing.get_args(hint)[0]))
    if dataclasses.is_dataclass(hint):
        hints = _hints(hint)
        inner = [column for entry in dataclasses.fields(hint) for column in _columns(entry.name, hints[entry.name])]
        return pa.struct(inner)
    raise TypeError(f"no Arrow type is declared for {hint}")


def _cells(name: str, value: Any, hint: Any) -> dict[str, Any]:
    if _optional(hint) is Span:
        parts = {"start_flicks": value.start, "end_flicks": value.end, "start_s": value.start_s, "end_s": value.end_s}
        return {_prefixed(name, part): cell for part, cell in parts.items()}
    return {name: _cell(value)}


def _cell(value: Any) -> Any:
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if isinstance(value, tuple):
        return [_cell(each) for each in value]
    if isinstance(value, Embedding):
        return np.array(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _row(value)
    return value


def _build(kind: Any, row: dict[str, Any]) -> Any:
    hints = _hints(kind)
    values = {}
    for entry in dataclasses.fields(kind):
        hint = _optional(hints[entry.name])
        if hint is not Span and entry.name not in row and entry.default is not dataclasses.MISSING:
            continue
        if hint is Span:
            values[entry.name] = Span(
                row[_prefixed(entry.name, "start_flicks")], row[_prefixed(entry.name, "end_flicks")]
            )
        else:
            values[entry.name] = _value(hint, row[entry.name])
    return kind(**values)


def _value(hint: Any, cell: Any) -> Any:
    hint = _optional(hint)
    if cell is None:
        return None
    if hint is Fraction:
        return Fraction(cell)
    if hint is Embedding:
        return Embedding(cell)
    if typing.get_origin(hint) is tuple:
        inner = typing.get_args(hint)[0]
        return tuple(_span_or_value(inner, each) for each in cell)
    if dataclasses.is_dataclass(hint):
        return _build(hint, cell)
    return cell


def _span_or_value(hint: Any, cell: Any) -> Any:
    return Span(cell["start"], cell["end"]) if hint is Span else _value(hint, cell)
