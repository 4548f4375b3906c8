"""The dossier: what ties duties, evidence, acts and outcome of one AI system together."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.lifecycle import Evidence
from safebelt.rooms.registry.model.register import Party, System


class Standing(StrEnum):
    """What a dossier comes to.  There is no overall pass: who vouches for what is written in its parts."""

    INCOMPLETE = "incomplete"
    NOT_EVALUATED = "not_evaluated"
    EVALUATED = "evaluated"


STANDINGS: Mapping[Standing, Text] = {
    Standing.INCOMPLETE: Text(zh="要素不全", en="incomplete"),
    Standing.NOT_EVALUATED: Text(zh="未评估", en="not evaluated"),
    Standing.EVALUATED: Text(zh="已逐项评估", en="evaluated item by item"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something that was done about a system, as the ledger remembers it.

    Attributes:
        entry_id: Id of the ledger's entry.
        at: When.
        actor: Pseudonymous id of who did it.
        kind: Event kind.
        data: The event's fields, those kept apart from the public leaf among them.
    """

    entry_id: str
    at: datetime
    actor: str
    kind: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """A part of the dossier that nothing has filled yet (not evaluated, which is no pass), and what fills it."""

    fills: Text


DUTIES_AWAITED = Awaited(
    fills=Text(
        zh="记录该系统的事实之后，这里会逐条列出法律要求谁做什么、依据哪一条、自何时起；在此之前，义务“未评估”。",
        en="Once the system's facts are on record, what the law demands of whom, by which provision and since when is "
        "listed here; until then, duties are not evaluated.",
    )
)
EVIDENCE_AWAITED = Awaited(
    fills=Text(
        zh="记录该系统的事实之后，这里会列出义务要求哪些证据、已有哪些、由谁作证；在此之前“未评估”。",
        en="Once the system's facts are on record, the evidence its duties ask for is listed here, with what is held "
        "and who vouches for it; until then, it is not evaluated.",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """What the rulebook finds for the facts on record.

    Attributes:
        on: The day it was judged for.
        facts_version: Which description it was judged by.
        classes: Instrument id to its classes, as the rulebook's contract has them.
        owed: Duties, as the rulebook's contract has them, soonest first.
        open: Norms that cannot be judged yet, for want of facts.
        barred_by: Red lines that bar the system from service now.
    """

    on: date
    facts_version: int
    classes: Mapping[str, Any]
    owed: tuple[Mapping[str, Any], ...]
    open: int
    barred_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceOnFile:
    """What is held, beside what duties ask for before service.  That it is held never says that a duty is met.

    Attributes:
        pieces: What counts today, latest first.
        asked: Kind to the norms that ask for it.
        missing: Kinds asked for that are not held.
        claimed: Kinds asked for that nobody but the system's own side stands for, the missing ones among them.
    """

    pieces: tuple[Evidence, ...]
    asked: Mapping[str, tuple[str, ...]]
    missing: tuple[str, ...]
    claimed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """One AI system, all of it: duties, evidence, acts, outcome, and the people who answer.

    Attributes:
        system: The system.
        provider, deployer: Its parties; None where the register names none.
        duties: What the law demands of it.
        evidence: What is held, and what duties ask for.
        acts: What was done about it, newest first.
        standing: What it comes to.
        reason: Why.
    """

    system: System
    provider: Party | None
    deployer: Party | None
    duties: Duties | Awaited
    evidence: EvidenceOnFile | Awaited
    acts: tuple[Act, ...]
    standing: Standing
    reason: Reason
