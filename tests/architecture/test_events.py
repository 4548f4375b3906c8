"""A published event never changes."""

import re
from dataclasses import dataclass
from typing import ClassVar

from tests.architecture.event_fields import frozen, shape
from tests.architecture.house import events

from safebelt.kernel.events import Event


def test_every_event_is_versioned_and_every_kind_is_one_event() -> None:
    kinds = [event.kind for event in events()]

    assert [kind for kind in kinds if not re.fullmatch(r"[a-z]+\.[a-z]+(_[a-z]+)*\.v[1-9]\d*", kind)] == []
    assert len(set(kinds)) == len(kinds)


def test_every_published_event_has_the_fields_it_was_published_with() -> None:
    now, then = {event.kind: shape(event) for event in events()}, frozen()

    changed = {
        kind: (then[kind], now[kind])
        for kind in then.keys() & now.keys()
        if list(then[kind].items()) != list(now[kind].items())
    }
    assert changed == {}, "a published event changed: give it a new kind, ending in the next version"
    assert then.keys() - now.keys() == set(), "a published event vanished: the ledger still holds entries of it"
    assert now.keys() - then.keys() == set(), "new events: run `python -m tests.architecture.event_fields`"


def test_a_changed_renamed_or_retyped_field_shows() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Before(Event):
        kind: ClassVar[str] = "test.done.v1"
        count: int
        reason: str

    @dataclass(frozen=True, slots=True, kw_only=True)
    class After(Event):
        kind: ClassVar[str] = "test.done.v1"
        count: float
        reason: str

    assert shape(Before) == {"count": "int", "reason": "str"}
    assert shape(Before) != shape(After)


def test_every_event_has_a_title_in_both_languages() -> None:
    unnamed = [event.kind for event in events() if not (event.title.zh.strip() and event.title.en.strip())]

    assert unnamed == []
