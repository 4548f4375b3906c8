"""What an event is: a fact that happened, named once and never changed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, time
from enum import Enum
from typing import Any, ClassVar

from safebelt.kernel.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events.

    Attributes:
        kind: `<room>.<what_happened>.v<n>`; a published kind never changes its fields.
        title: What people call it.
        subject: Id of what the event is about.
        personal: Personal data that belongs to the event.  It is salted, kept apart from the
            proven leaf, and can be erased without breaking any proof (invariant 8).
        apart: Names of own fields that travel as `personal` does.  The log's leaves are public: what people type,
            and whatever names a system that may have to stay hidden, belongs here; ids and digests need not.
    """

    kind: ClassVar[str]
    title: ClassVar[Text]
    apart: ClassVar[frozenset[str]] = frozenset()
    subject: str
    personal: Mapping[str, str] = field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        """Return the public fields, as JSON-ready values in declaration order."""
        own = (f.name for f in fields(self) if f.name not in ("subject", "personal") and f.name not in self.apart)
        return {name: _plain(getattr(self, name)) for name in own}

    def kept_apart(self) -> dict[str, str]:
        """Return everything that stays out of the leaf, as texts; what is not text is written as JSON."""
        own = ((f.name, getattr(self, f.name)) for f in fields(self) if f.name in self.apart)
        return {**self.personal, **{name: _written(value) for name, value in own if value}}

    @classmethod
    def read_apart(cls, personal: Mapping[str, str] | None) -> dict[str, Any]:
        """Return own fields from what was kept apart; what was empty, or was erased since, is missing."""
        there = (f for f in fields(cls) if f.name in cls.apart and f.name in (personal or {}))
        return {f.name: _read((personal or {})[f.name], is_text=f.type is str) for f in there}


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(_plain(value), ensure_ascii=False)


def _read(text: str, *, is_text: bool) -> Any:
    return text if is_text else json.loads(text)


def _plain(value: Any) -> Any:
    """Make tuples lists and enums and dates text, so that canonical JSON can carry them.

    Raises:
        TypeError: The value is of a kind no event may carry.
    """
    if isinstance(value, Enum):
        value = value.value
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return str(value)
        case tuple() | list() | frozenset() | set():
            items = [_plain(v) for v in value]
            return sorted(items) if isinstance(value, set | frozenset) else items
        case Mapping():
            return {str(_plain(k)): _plain(v) for k, v in value.items()}
        case date() | time():
            return value.isoformat()
    if not is_dataclass(value):
        raise TypeError(f"an event cannot carry a {type(value).__name__}: {value!r}; use text, numbers, lists, dates")
    return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
