from dataclasses import dataclass, field, replace
from enum import Enum
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.keys import canonical, child_id, fingerprint
from manifests.time import Span


@dataclass(frozen=True)
class Sample:
    name: str
    span: Span
    rate: Fraction
    place: str = field(metadata={"key": False}, default="")


@dataclass(frozen=True)
class Lookalike:
    name: str
    span: Span
    rate: Fraction


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
sample = Sample("a", Span(0, 7), Fraction(1, 3))


def test_where_a_file_lies_does_not_count() -> None:
    assert fingerprint(sample) == fingerprint(replace(sample, place="elsewhere"))


@pytest.mark.parametrize("change", [{"name": "b"}, {"span": Span(0, 8)}, {"rate": Fraction(2, 3)}])
def test_everything_else_counts(change: dict[str, object]) -> None:
    assert fingerprint(sample) != fingerprint(replace(sample, **change))


def test_two_records_with_equal_fields_are_not_one() -> None:
    assert fingerprint(sample) != fingerprint(Lookalike("a", Span(0, 7), Fraction(1, 3)))


@given(plain, plain)
def test_different_data_have_different_keys(one: object, other: object) -> None:
    # 1, 1.0 and True are equal in Python and different in JSON, so compare what is written.
    assert (fingerprint(one) == fingerprint(other)) == (repr_of(one) == repr_of(other))


def repr_of(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{key!r}:{repr_of(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(repr_of, value)) + "]"
    return repr(value)


def test_a_path_is_refused() -> None:
    with pytest.raises(TypeError, match="content's hash"):
        fingerprint(Path("a.mp4"))


@dataclass(frozen=True)
class Held:
    one: object


class Kind(Enum):
    BASE = "base"


def test_keys_stay_what_they_were() -> None:
    """Changed, every lecture in every cache would be dubbed again."""
    words = ("wörd\u2028", 0.1, -0.0, 1e300, None, True, {"b": 1, "a": [sample]}, Kind.BASE, Held(Held(7)))
    assert fingerprint("stage", 3, words) == "84edb6fae5c16b76b975dc007b3129ad"


def test_canonical_data_are_plain() -> None:
    assert canonical([Held(Kind.BASE), Fraction(1, 3)]) == [{"": "Held", "one": "base"}, "1/3"]


def test_children_sort_in_their_order() -> None:
    ids = [child_id("v", "chunk", index) for index in (0, 2, 10, 100)]
    assert ids == sorted(ids)
