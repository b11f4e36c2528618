"""Embeddings: the numbers by which a network knows who somebody is."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Any, final, overload

import numpy as np
import numpy.typing as npt
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


@final
class Embedding(Sequence[float]):
    """Numbers that do not change, eight bytes each: a tuple takes four times that, and a long lecture has a million.

    To numpy it is an array, to JSON a list.
    """

    __slots__ = ("_numbers",)

    def __init__(self, numbers: Iterable[float] = ()) -> None:
        self._numbers = array("d", numbers)

    @overload
    def __getitem__(self, index: int) -> float: ...
    @overload
    def __getitem__(self, index: slice) -> Embedding: ...
    def __getitem__(self, index: int | slice) -> float | Embedding:
        """A number, or some of them."""
        return Embedding(self._numbers[index]) if isinstance(index, slice) else self._numbers[index]

    def __len__(self) -> int:
        """How many; none where nothing is known."""
        return len(self._numbers)

    def __eq__(self, other: object) -> bool:
        """Whether they are the same numbers."""
        return isinstance(other, Embedding) and self._numbers == other._numbers

    def __hash__(self) -> int:
        """Alike for the same numbers."""
        return hash(tuple(self._numbers))

    def __repr__(self) -> str:
        """As it would be written."""
        return f"Embedding({self._numbers.tolist()})"

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:  # noqa: FBT001 (NumPy's signature)
        """(N,), float64 unless asked for otherwise; never these very numbers, which do not change."""
        if copy is False:
            raise ValueError("an embedding is given to numpy as a copy")
        return np.array(self._numbers, dtype=np.float64 if dtype is None else dtype)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """A list of numbers."""
        return core_schema.no_info_after_validator_function(
            cls,
            core_schema.union_schema(
                [core_schema.is_instance_schema(cls), core_schema.list_schema(core_schema.float_schema())]
            ),
            serialization=core_schema.plain_serializer_function_ser_schema(list),
        )
