"""A described system: facts, each with its source and day."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from safebelt.kernel.text import Text

FORMAT = "system/1"
"""What a descriptor file says in its key `safebelt`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where facts were read."""

    title: str
    url: str = ""
    as_of: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactValue:
    """What is known of one fact.

    Attributes:
        value: bool, str, tuple[str, ...], int, float or date, by the fact's type.
        source: Id of a source of the description; empty where none is named.
        as_of: Day the value was true.
    """

    value: Any
    source: str = ""
    as_of: date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What somebody else says the outcome is; never read by a judgment."""

    instrument: str
    strictest: str
    source: str = ""
    why: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A system as described.

    Attributes:
        facts: Fact id to what is known; a fact that is not here is unknown.
    """

    id: str
    name: Text
    purpose: Text | None = None
    sources: Mapping[str, Source] = field(default_factory=dict)
    facts: Mapping[str, FactValue] = field(default_factory=dict)
    expected: tuple[Expected, ...] = ()

    def values(self) -> dict[str, Any]:
        """Return fact id to value, which is what judgments take."""
        return {name: known.value for name, known in self.facts.items()}
