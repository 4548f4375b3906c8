"""Words of admission: who asks for what in which setting, the rules of the house, and what they come to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from safebelt.kernel.text import Text
from safebelt.rooms.belt.model.policies import Brought


class Asked(NamedTuple):
    """One request, as rules see it; what is not known is None.

    Attributes:
        key_id, caller: The key, and who uses it as its terms say.
        system_id: The system behind the belt.
        scope: What for: `chat`, `embeddings`, `mcp:<name>` …
        model: Name of the model asked for.
        purpose, user_class, region, data_class: From the key, else from headers.
        hour, weekday: In the house's time zone; Monday is 1.
        minor: Whether a minor uses it.
    """

    key_id: str
    caller: str
    system_id: str
    scope: str
    model: str | None = None
    purpose: str | None = None
    user_class: str | None = None
    region: str | None = None
    data_class: str | None = None
    hour: int | None = None
    weekday: int | None = None
    minor: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionRule:
    """One rule of admission.

    Attributes:
        id: Its own id.
        permits: Whether it permits or forbids.
        why: What for, as whoever it bars reads it.
        cites: What it rests on; empty for a rule of the house.
    """

    id: str
    permits: bool
    why: Text
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Admittance:
    """What the rules come to for one request.

    Attributes:
        is_admitted: Whether it is let in.
        rules: The rules that decide.
        unknown: Rules that could not be evaluated, with what is not known.
        facts: What the record says of it.
    """

    is_admitted: bool
    rules: tuple[AdmissionRule, ...] = ()
    unknown: tuple[tuple[AdmissionRule, str], ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


class Admits(Protocol):
    """Rules of admission, ready to be asked.

    Attributes:
        digest: SHA-256 of their text, hex.
        reads: What of a request they look at: names of `Asked`.
    """

    digest: str
    reads: frozenset[str]

    def ask(self, asked: Asked) -> Admittance:
        """Say what the rules come to."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionVersion:
    """Rules that came into force.

    Attributes:
        number: Counts from 1; the highest is in force.
        digest: SHA-256 of the text, hex.
        content: The text, Cedar.
        brought: From the house's folder, loaded, or rolled back.
        at, by, reason: When, who and why.
        entry_id: The ledger's entry.
    """

    number: int
    digest: str
    content: str
    brought: Brought
    at: datetime
    by: str
    reason: str
    entry_id: str
