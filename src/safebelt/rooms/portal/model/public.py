"""Words of the portal: counts with their names, and what a machine gets of the public register."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from safebelt.kernel.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """One line of the open statistics.

    Attributes:
        key: Stable name, for machines.
        label: For people.
    """

    key: str
    label: Text
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CountTable:
    """One table of the open statistics.

    Attributes:
        id: Stable name: `stage`, `place`, `class:eu/ai-act`.
        note: What a reader has to know to read it right; None where nothing.
        in_order: Whether the lines have an order of their own (months), and not the largest first.
    """

    id: str
    title: Text
    lines: tuple[Count, ...]
    note: Text | None = None
    in_order: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """The public register in numbers, as of a moment.

    Attributes:
        at: When they were counted.
        total: Public systems.
        not_evaluated: Public systems without facts on record when they were published.
        imported: Public systems taken over from another register.
        provisional: Public systems in service on their operators' own claims.
        tables: Every count.
    """

    at: datetime
    total: int
    not_evaluated: int
    imported: int
    provisional: int
    tables: tuple[CountTable, ...]

    def table(self, id_: str) -> CountTable | None:
        """Return one table, or None."""
        return next((one for one in self.tables if one.id == id_), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSystem:
    """A system of the public register, as a list has it.

    Attributes:
        name: By language.
        purpose: By language.
        provider: Name of the organisation; empty where a person provides it.
        stage: Where it stands now.
        is_provisional: In service on its operator's own claims.
        is_evaluated: Whether facts were on record when it was published; *not evaluated* is no pass.
        is_imported: Taken over from another register: no gate was passed here.
        since: First public day.
        published_at: When this version was published.
        record_sha256: Digest of the record, as the ledger has it.
        url: Its page.
    """

    id: str
    name: dict[str, str]
    purpose: dict[str, str]
    provider: str
    stage: str
    is_provisional: bool
    is_evaluated: bool
    is_imported: bool
    since: date
    published_at: datetime
    version: int
    record_sha256: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSystems:
    """One page of the public register.

    Attributes:
        total: How many match; at least so many where `is_more`.
        next: What to send as `cursor` for what follows; empty at the end.
    """

    items: list[PublicSystem]
    total: int
    is_more: bool
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicVersion:
    """Something that happened to an entry of the public register.

    Attributes:
        is_end: Whether it was taken out.
        on: The day it took hold.
        record_sha256: Digest of the record; empty for an ending.
        entry: Id of the ledger's entry.
        record_url: The very bytes of the record; empty for an ending, and once it is taken out.
        proof_url: A proof, checkable without us, that it is on the ledger.
    """

    version: int
    is_end: bool
    on: date
    record_sha256: str
    entry: str
    record_url: str
    proof_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicEntry:
    """Everything a machine may know of one system.

    Attributes:
        is_public: Whether it is public now.
        withdrawn_on: The day it was taken out; None while it is public.
        withdrawn_because: Why, where that was said in public.
        system: As lists have it; None once it is taken out.
        record: What was published; None once it is taken out.
        is_behind: Whether the register has changed since it was published.
        history: Latest first.
        notice: Nothing in here is legal advice, by language.
    """

    id: str
    is_public: bool
    withdrawn_on: date | None
    withdrawn_because: str
    system: PublicSystem | None
    record: dict[str, Any] | None
    is_behind: bool
    history: list[PublicVersion]
    notice: Mapping[str, str]
