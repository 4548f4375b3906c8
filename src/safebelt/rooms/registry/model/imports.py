"""Words of imports and their undoing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.imports_events import ImportUndone, SystemsImported
from safebelt.rooms.registry.model.register import PartyKind, System
from safebelt.rooms.rulebook.model import FactValue, Source


class Form(StrEnum):
    """Which form a file of foreign records has."""

    SYSTEM = "system"
    HF = "hf"
    ATRS = "atrs"
    NL = "nl"
    CSV = "csv"


FORMS: Mapping[Form, Text] = {
    Form.SYSTEM: Text(zh="系统描述（system.yaml）", en="descriptors (system.yaml)"),
    Form.HF: Text(zh="Hugging Face 模型卡", en="Hugging Face model cards"),
    Form.ATRS: Text(zh="英国算法透明度记录", en="UK algorithmic transparency records"),
    Form.NL: Text(zh="荷兰算法登记册", en="Dutch Algoritmeregister"),
    Form.CSV: Text(zh="表格（CSV、TSV）", en="tables (CSV, TSV)"),
}


class Outcome(StrEnum):
    """What becomes of one record."""

    NEW = "new"
    SAME = "same"
    LIKELY = "likely"
    REFUSED = "refused"
    ENTERED = "entered"
    TAKEN_OUT = "taken_out"


OUTCOMES: Mapping[Outcome, Text] = {
    Outcome.NEW: Text(zh="将新登记", en="will be entered"),
    Outcome.SAME: Text(zh="已登记过", en="already entered"),
    Outcome.LIKELY: Text(zh="很可能重复", en="likely a duplicate"),
    Outcome.REFUSED: Text(zh="不能登记", en="refused"),
    Outcome.ENTERED: Text(zh="已登记", en="entered"),
    Outcome.TAKEN_OUT: Text(zh="已撤出", en="taken out"),
}


class State(StrEnum):
    """Where a batch stands."""

    PLANNED = "planned"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    UNDONE = "undone"
    BROKEN = "broken"


STATES: Mapping[State, Text] = {
    State.PLANNED: Text(zh="待确认", en="to be confirmed"),
    State.WAITING: Text(zh="等待导入", en="waiting"),
    State.RUNNING: Text(zh="导入中", en="running"),
    State.DONE: Text(zh="已完成", en="done"),
    State.UNDONE: Text(zh="已撤销", en="undone"),
    State.BROKEN: Text(zh="已中断", en="broken off"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something in the source that cannot be used, and what to do.

    Attributes:
        where: Line or record number, as a person would look it up.
    """

    where: str
    says: Text
    hint: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """One record as its file holds it: named values, before anybody says what they mean."""

    where: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One system as a source states it.

    Attributes:
        where: Line or record number in the source.
        origin: The source: its title, or the file's name; `ref` means something within it alone.
        ref: What the source calls it (an address, a number); empty where it has none.
        name, purpose: As stated; where the source has one language, it stands for both.
        provider, deployer: Names of parties, or the id of one in the register; empty where none is stated.
        party_kind: What the parties are, as far as the kind of source tells.
        said: What the source says of the system's status; nothing here obeys it.
        facts: Fact id to what the source truly states, each with source and day.
        sources: The sources the facts name.
        extras: Everything else the source states, kept as it was.
        notes: What was assumed, told to whoever looks.
        sha256: Of the record's canonical JSON.
        key: What it is known by for good: the SHA-256 of its source and of what that calls it; empty without it.
    """

    where: str
    origin: str = ""
    ref: str = ""
    name: Text
    purpose: Text
    provider: str = ""
    deployer: str = ""
    party_kind: PartyKind = PartyKind.ORGANISATION
    said: str = ""
    facts: Mapping[str, FactValue] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    extras: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Text, ...] = ()
    sha256: str = ""
    key: str = field(init=False, default="")

    def __post_init__(self) -> None:
        """Work out the key once: every stage of an import asks for it."""
        if self.ref:
            known_by = f"{self.origin}\n{self.ref}".encode("utf-8", "surrogatepass")
            object.__setattr__(self, "key", sha256(known_by).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRule:
    """How one fact is read from a record.

    Attributes:
        column: Where it stands; empty for a constant.
        constant: The value of every record.
        values: The source's words to ours.
        separator: Between the values of a list in one cell.
        is_lenient: A word that is not among `values` leaves the fact unknown; otherwise the record is refused.
    """

    column: str = ""
    constant: Any = None
    values: Mapping[str, Any] = field(default_factory=dict)
    separator: str = ";"
    is_lenient: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """How the columns of a source become a registration and facts.

    Attributes:
        form: What the files are.
        fields: Field of a registration to the columns it is taken from, the first that is filled counts.
        constants: Field of a registration to the value of every record.
        facts: Fact id to how it is read.
        party_kind: What the parties are.
        provider_assumed: What is told where the provider is taken from the column of that name.
        provider_otherwise: What stands in a provider's place where nobody is named anywhere.
        source: Title and address of the source.
    """

    form: Form
    title: Text
    fields: Mapping[str, tuple[str, ...]]
    constants: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, FactRule] = field(default_factory=dict)
    party_kind: PartyKind = PartyKind.ORGANISATION
    provider_assumed: Text | None = None
    provider_otherwise: str = ""
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the register holds already of what a batch brings.

    Attributes:
        refs, digests: The key, and the digest, of records entered before, to the system.
        alike: Folded name and id of the provider, to the system.
        parties: Name, or id, to the party's id.
        names: Id of each of those parties to its name.
    """

    refs: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    alike: Mapping[tuple[str, str], str] = field(default_factory=dict)
    parties: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One record and what is to become of it.

    Attributes:
        place: Its number in the source, from 0.
        system_id: The system it repeats; empty where it repeats none.
        why: Why it is not simply entered.
        draft: The system it would become, still without ids; only of a record that is to be entered.
    """

    place: int
    record: Record
    outcome: Outcome
    system_id: str = ""
    why: Text | None = None
    draft: System | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One record of a batch as it is remembered.

    Attributes:
        system_id: The system entered, or the one it repeats.
        classes: Instrument to the strictest class on the day of the import.
        barred_by: Red lines met that day.
        entry_id: The ledger entry that covers it; empty where nothing was entered.
    """

    batch_id: str
    place: int
    where: str
    outcome: Outcome
    name: str
    provider: str
    ref: str
    said: str
    why: Text | None
    notes: tuple[Text, ...]
    system_id: str
    facts: int
    classes: Mapping[str, str]
    barred_by: tuple[str, ...]
    extras: Mapping[str, Any]
    entry_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One import.

    Attributes:
        id: `bat_…`.
        name: The file's name.
        sha256: Of the file's bytes.
        provider: The party that stands where a source names none; an id or a name.
        takes_likely: Whether likely duplicates are entered too.
        chosen: Places of likely duplicates that somebody chose to enter.
        total, done: Records there are; records dealt with.
        counts: Outcome to how many records.
        classes: Instrument to class to how many systems.
        barred: Systems that meet a red line.
        troubles: What could not be read, at most `TROUBLES_KEPT`.
    """

    id: str
    form: Form
    name: str
    sha256: str
    state: State
    by: str
    at: datetime
    provider: str = ""
    takes_likely: bool = False
    chosen: tuple[int, ...] = ()
    total: int = 0
    done: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    classes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    barred: int = 0
    troubles: tuple[Trouble, ...] = ()
    mapping: str = ""


TROUBLES_KEPT = 200
"""Troubles remembered of one file: nobody reads more, and the count says how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPage:
    """A page of batches, newest first."""

    items: tuple[Batch, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemPage:
    """A page of a batch's records, in the order of the source."""

    items: tuple[Item, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an import would do: counts of everything, and the first records.

    Attributes:
        outlook: Instrument to class to how many of the new systems; judged, nothing entered.
        barred: Names of the systems that would meet a red line.
        proposal: A mapping that was guessed from the headings, to be looked at; never used unasked.
    """

    form: Form
    total: int
    counts: Mapping[str, int]
    first: tuple[Planned, ...]
    outlook: Mapping[str, Mapping[str, int]]
    barred: tuple[str, ...]
    troubles: tuple[Trouble, ...]
    proposal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file that somebody brings."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How somebody wants files to be imported.

    Attributes:
        form: Which form they have; None to look.
        mapping: A mapping of columns, YAML; needed for tables.
        provider: The party, by id or by name, that stands where the source names none.
        takes_likely: Whether likely duplicates are entered too.
        chosen: Places of likely duplicates to enter.
    """

    form: Form | None = None
    mapping: str = ""
    provider: str = ""
    takes_likely: bool = False
    chosen: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a system's registration was read, as far as it was imported."""

    batch: Batch
    item: Item


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProof:
    """That one system was entered by an import: its leaf lies under the root that a ledger entry holds.

    Attributes:
        leaf: The system as it was entered, canonical JSON.
        index, size: Its place among the leaves, and how many there are.
        path: Hashes from the leaf to the root (RFC 6962), hexadecimal.
        root: The root, as the entry holds it.
        entry_id: The ledger entry.
    """

    system_id: str
    leaf: str
    index: int
    size: int
    path: tuple[str, ...]
    root: str
    entry_id: str


EVENTS: tuple[type[Event], ...] = (SystemsImported, ImportUndone)
