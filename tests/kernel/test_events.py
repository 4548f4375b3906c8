"""What an event says can be written canonically, whatever it is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum, IntEnum, StrEnum
from types import MappingProxyType
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safebelt.engines.canonical import canonical
from safebelt.kernel.events import Event
from safebelt.kernel.text import Text


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


class Pair(Enum):
    BOTH = (1, "two")


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened(Event):
    kind: ClassVar[str] = "test.happened.v1"
    value: Any


leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.dates()
    | st.datetimes(timezones=st.just(UTC))
    | st.sampled_from([Colour.RED, Level.HIGH, Pair.BOTH])
    | st.builds(Text, zh=st.text(), en=st.text())
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text() | st.just(Colour.RED), inner)
        | st.dictionaries(st.text(), inner).map(MappingProxyType) | st.frozensets(st.text())
    ),
    max_leaves=10,
)  # fmt: skip


@given(values)
def test_the_data_of_an_event_is_canonical_json_able(value) -> None:
    data = Happened(subject="s", value=value).data()

    assert canonical(data) == canonical(data)
    assert set(data) == {"value"}


def test_personal_data_and_subject_are_no_part_of_the_public_data() -> None:
    event = Happened(subject="usr_1", value=1, personal={"name": "王小明"})

    assert event.data() == {"value": 1}


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Colour.RED, "red"), (Level.HIGH, 3), (Pair.BOTH, [1, "two"]), (("a", ("b",)), ["a", ["b"]]),
        (frozenset({"b", "a"}), ["a", "b"]), (date(2026, 1, 2), "2026-01-02"), ({Colour.RED: 1}, {"red": 1}),
        (datetime(2026, 1, 2, 3, tzinfo=UTC), "2026-01-02T03:00:00+00:00"), (Text(zh="中", en="m"), {"zh": "中", "en": "m"}),
    ],
)  # fmt: skip
def test_rich_values_become_plain_ones(value, plain) -> None:
    got = Happened(subject="s", value=value).data()["value"]

    assert got == plain
    assert type(got) is type(plain)


@pytest.mark.parametrize("value", [b"bytes", object(), 1j, Text])
def test_a_value_no_event_may_carry_is_refused_by_name(value) -> None:
    with pytest.raises(TypeError):
        Happened(subject="s", value=value).data()


def test_events_cannot_be_changed() -> None:
    event = Happened(subject="s", value=1)

    with pytest.raises(AttributeError):
        event.value = 2  # type: ignore[misc]
    assert isinstance(event.personal, Mapping)
