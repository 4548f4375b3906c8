"""What every chapter of the belt's service holds in its hands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from safebelt.engines.clock import Chance, Clock
from safebelt.engines.reports import Press
from safebelt.engines.sql import Sql
from safebelt.kernel.errors import Invalid, NotFound
from safebelt.kernel.ids import NewId
from safebelt.kernel.text import Text
from safebelt.rooms.belt.control.orders import OrderBox
from safebelt.rooms.belt.model import Earlier, Policy
from safebelt.rooms.belt.records.head import Open

if TYPE_CHECKING:  # a belt's worker holds all of these, and asks hardly any of them
    from safebelt.rooms.access.service import Access
    from safebelt.rooms.belt.exports.collector import Collector
    from safebelt.rooms.belt.scanner.policies import Source
    from safebelt.rooms.certificates.model import Carried
    from safebelt.rooms.ledger.service import Ledger
    from safebelt.rooms.registry.service import Registry

MAX_REASON_CHARS = 1000
"""A reason is a sentence or a paragraph; it goes to the ledger for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedHere:
    """Whose identity the belt of this home carries.

    Attributes:
        folder: Where the belt writes down how it stands.
        of: What the settings say, for as long as it has written nothing.
    """

    folder: Path
    of: "Carried"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Everything the belt's deeds are done with; built in `app.py`.

    Attributes:
        sql: The database.
        ledger: Remembers every deed.
        registry: Knows the systems.
        access: Holds acts that need two people.
        box: Where orders go and proofs come from.
        records: Folder of the record segments.
        policies: Screening policies of the house's folder, by id.
        open_note: Opens a signed head, or raises a `Problem`.
        log_origin: Name of the log, as in the signed heads.
        lists: Folder of the word lists that a policy names which comes without a folder of its own; None for none.
        press: Prints reports.
        clock, new_id, chance: Time, ids and randomness.
        identity: Whose identity the belt carries; None where the settings name nobody.
        default_policy: What a system gets where no policy is named; empty for the first by id.
        sources: The policies of the house's folder with what each was read from.
        complaints: Counts the complaints about a system; None where nobody can be asked.
        required: Ids of the red lines that every policy in use must draw.
        admission: Folder of the rules of admission; None for no rules.
        zone: The house's time zone.
        collector: Where telemetry is sent; None for nowhere.
        records_days: How many days the records are kept; 0 for ever.
        earlier: Versions that traffic can be rolled back to.
        hold_seconds, hold_most: How long, and how many, requests wait where a pause lets them and says no more.
        lease_seconds: How long the command bus may be silent, 0 for ever; None where there is no such bus.
    """

    sql: Sql
    ledger: "Ledger"
    registry: "Registry"
    access: "Access"
    box: OrderBox
    records: Path
    policies: Mapping[str, Policy]
    open_note: Open
    log_origin: str
    press: Press
    clock: Clock
    new_id: NewId
    chance: Chance
    identity: CarriedHere | None = None
    lease_seconds: float | None = None
    collector: "Collector | None" = None
    default_policy: str = ""
    sources: Callable[[], "Mapping[str, Source]"] = dict
    required: Callable[[], frozenset[str]] = field(default=frozenset)
    complaints: Callable[[str], int] | None = None
    admission: Path | None = None
    lists: Path | None = None
    zone: tzinfo = UTC
    records_days: int = 0
    earlier: tuple[Earlier, ...] = ()
    hold_seconds: int = 30
    hold_most: int = 100


class Served(Protocol):
    """What serves an earlier version, as the settings say it."""

    @property
    def upstream(self) -> str:
        """Its address."""

    @property
    def model(self) -> str:
        """What the model is called there."""

    @property
    def systems(self) -> tuple[str, ...]:
        """Which systems it is for."""


def earlier_of(versions: Mapping[str, Served]) -> tuple[Earlier, ...]:
    """Return the earlier versions that the settings name."""
    return tuple(
        Earlier(name=name, upstream=one.upstream, model=one.model, systems=one.systems)
        for name, one in versions.items()
    )


class Chapter:
    """A part of the service."""

    def __init__(self, tools: Tools) -> None:
        self._t = tools


def given(text: str, *, field: str, what: Text, limit: int = MAX_REASON_CHARS) -> str:
    """Return a text a person must give, trimmed and writable everywhere.

    Raises:
        Invalid: It is empty or longer than `limit`.
    """
    kept = text.replace("\0", "").encode("utf-8", "replace").decode().strip()
    if not kept:
        raise Invalid(
            what=Text(zh=f"请填写{what.zh}。", en=f"Give {what.en}."),
            hint=Text(
                zh=f"{what.zh}会写入存证账本，供日后核查。", en="It is kept in the ledger for whoever asks later."
            ),
            details={"field": field},
        )
    if len(kept) > limit:
        raise Invalid(
            what=Text(
                zh=f"{what.zh}超过 {limit} 个字符。",
                en=f"What was given is longer than {limit} characters ({what.en}).",
            ),
            hint=Text(zh="请写得更短一些。", en="Say it in fewer words."),
            details={"field": field},
        )
    return kept


REASON = Text(zh="理由", en="a reason")


def missing(kind: Text, id_: str, hint: Text) -> NotFound:
    """Build the problem of something that does not exist."""
    shown = id_[:80]
    return NotFound(
        what=Text(zh=f"没有{kind.zh}“{shown}”。", en=f"There is no {kind.en} “{shown}”."),
        hint=hint,
        details={"id": shown},
    )


def pages_of(count: int, per_page: int) -> int:
    """Return how many pages `count` things fill; at least one."""
    return max(1, -(-count // per_page))
