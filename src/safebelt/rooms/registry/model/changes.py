"""Words of change control: what kind of change it was, what it re-opens, by when, and how that stands now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.responsibility import EVENTS as RESPONSIBILITY_EVENTS

HOUSE_RULE = "house rule"
"""The basis of what no norm says: our own rule, and shown as such."""


class ChangeKind(StrEnum):
    """What a change of facts is a change of."""

    MODEL = "model"
    SCALE = "scale"
    USE = "use"
    JURISDICTION = "jurisdiction"
    PEOPLE = "people"
    OTHER = "other"


class Touch(StrEnum):
    """How a fact must have changed for the change to count."""

    ANY = "any"
    ADDED = "added"
    REMOVED = "removed"
    GROWS = "grows"


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRule:
    """Which change of which fact belongs to a kind of change.

    Attributes:
        fact: A fact's id, or the beginning of ids up to and with a dot.
        when: How it must have changed.
        times: With `grows`: by what factor at least.
        options: With `added` and `removed`: only these options; empty for any.
    """

    fact: str
    when: Touch = Touch.ANY
    times: float = 1.0
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RedoRule:
    """Which evidence a kind of change makes stale, and how soon it is to be made anew.

    Attributes:
        evidence: Ids of `law/evidence.yaml`.
        within_days: How soon, where the law itself gives no day to come.
        basis: The norm that says so, which then must be established for the system; or `HOUSE_RULE`.
        says: Why.
    """

    evidence: tuple[str, ...]
    within_days: int
    basis: str
    says: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRule:
    """One kind of change."""

    id: ChangeKind
    title: Text
    says: Text
    facts: tuple[FactRule, ...] = ()
    redo: tuple[RedoRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRules:
    """`registry/changes.yaml`: what belongs to which kind of change, and what it re-opens.

    Attributes:
        new_within_days: How soon evidence must be there that was not asked for before, where the norm gives no day.
        expired_within_days: How soon evidence must be renewed that ran out while it was asked for.
    """

    kinds: Mapping[ChangeKind, KindRule]
    new_within_days: int
    expired_within_days: int


class Trigger(StrEnum):
    """What set a comparison going."""

    FACTS = "facts"
    LAW = "law"
    EXPIRY = "expiry"


class Cause(StrEnum):
    """Why evidence is to be made, or made anew."""

    NEW = "new"
    STALE = "stale"
    EXPIRED = "expired"


class Weight(StrEnum):
    """How much it weighs: verified law in force binds; law to come and unverified law do not, or not yet."""

    BINDING = "binding"
    COMING = "coming"
    INFORMS = "informs"


class Standing(StrEnum):
    """How something re-opened stands."""

    OPEN = "open"
    OVERDUE = "overdue"
    DONE = "done"
    RESTORED = "restored"
    LAPSED = "lapsed"
    AHEAD = "ahead"
    COMING = "coming"
    INFORMS = "informs"


TRIGGERS: Mapping[Trigger, Text] = {
    Trigger.FACTS: Text(zh="系统的事实有变", en="the system's facts changed"),
    Trigger.LAW: Text(zh="法律规定的日期到了，或法律有变", en="a date in the law came, or the law changed"),
    Trigger.EXPIRY: Text(zh="证据到期", en="evidence ran out"),
}
CAUSES: Mapping[Cause, Text] = {
    Cause.NEW: Text(zh="新要求", en="newly asked for"),
    Cause.STALE: Text(zh="原证据不再反映现状", en="what is held no longer shows the system as it is"),
    Cause.EXPIRED: Text(zh="证据已到期", en="what was held has run out"),
}
STANDINGS: Mapping[Standing, Text] = {
    Standing.OPEN: Text(zh="待办", en="open"),
    Standing.OVERDUE: Text(zh="已逾期", en="overdue"),
    Standing.DONE: Text(zh="已重做", en="made anew"),
    Standing.RESTORED: Text(zh="已恢复原状", en="as before again"),
    Standing.LAPSED: Text(zh="不再要求", en="no longer asked for"),
    Standing.AHEAD: Text(zh="到关口时要求", en="asked at its gate"),
    Standing.COMING: Text(zh="将来要求", en="asked for later"),
    Standing.INFORMS: Text(zh="仅供参考", en="for information"),
}
STILL_OPEN = frozenset({Standing.OPEN, Standing.OVERDUE})
"""Standings that keep a gate open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactChange:
    """One fact that differs; None is unknown."""

    fact: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Regraded:
    """Another strictest class of an instrument; `unknown`, and empty for none, are classes here."""

    instrument: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedDate:
    """A duty that applies before and after, with another day: its first one, or the one on which it is due."""

    norm: str
    before: date | None
    after: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redo:
    """Evidence that is to be made, or made anew, because of a change.

    Attributes:
        evidence: Its kind, an id of `law/evidence.yaml`.
        norms: The norms that ask for it.
        kinds: The kinds of change that made it stale.
        due: By when; None where it only informs and no date is known.
        basis: The norm the day comes from, or `HOUSE_RULE`.
        gate: The stage behind the gate that asks for it; empty where no gate does.
        seen: Ids of the evidence of that kind known then: none of it can be what was made since.
    """

    evidence: str
    cause: Cause
    weight: Weight
    norms: tuple[str, ...]
    kinds: tuple[ChangeKind, ...]
    due: date | None
    basis: str
    gate: str
    seen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What differs between two judgments by the same law, or of the same facts.

    Attributes:
        facts: Ids of the facts that differ.
        kinds: What kinds of change that is, in the order of `ChangeKind`.
        gained, lost: Duties and prohibitions that began or ceased to apply.
        informs: Those of them that rest on unverified text.
        regraded: Classes that changed.
        moved: Days that moved.
        redos: What is to be made, or made anew.
        reason: Why, in words.
    """

    facts: tuple[str, ...]
    kinds: tuple[ChangeKind, ...]
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    informs: tuple[str, ...]
    regraded: tuple[Regraded, ...]
    moved: tuple[MovedDate, ...]
    redos: tuple[Redo, ...]
    reason: Reason

    @property
    def reopened(self) -> tuple[Redo, ...]:
        """What verified law in force asks for now: only this opens a gate again."""
        return tuple(one for one in self.redos if one.weight is Weight.BINDING)

    @property
    def gates(self) -> tuple[str, ...]:
        """The gates that are open again, by the stage behind them."""
        return tuple(dict.fromkeys(one.gate for one in self.reopened if one.gate))

    @property
    def is_felt(self) -> bool:
        """Whether anything but the facts themselves differs."""
        return bool(self.gained or self.lost or self.regraded or self.moved or self.redos)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A difference that came about, as it was put on record.

    Attributes:
        id: `chg_…`.
        at, on: When, and the day it was judged by.
        before_version, version: The facts it was judged by, before and after.
        by: Pseudonymous id of whoever changed the facts, or of the house's own work.
    """

    id: str
    system_id: str
    trigger: Trigger
    at: datetime
    on: date
    before_version: int
    version: int
    by: str
    difference: Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopened:
    """One thing a change re-opened, and how it stands.

    Attributes:
        change_id, since: The change, and its day.
        redo: What is to be made.
        standing: How it stands.
        done_by: Id of the evidence that was made since; empty where there is none.
    """

    change_id: str
    since: date
    redo: Redo
    standing: Standing
    done_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What facts would come to, without being put on record.

    Attributes:
        version: The facts on record they were compared with; 0 where there are none.
        barred_by: Red lines they would meet.
    """

    system_id: str
    version: int
    difference: Difference
    barred_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledgered:
    """One thing re-opened, as the ledger keeps it."""

    evidence: str
    cause: str
    gate: str
    due: str
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeJudged(Event):
    """A change was compared with what stood before: duties gained and lost, classes, and what is open again."""

    kind: ClassVar[str] = "registry.change_judged.v1"
    title: ClassVar[Text] = Text(zh="评判了变更的影响", en="Effect of a change judged")
    change_id: str
    trigger: str
    before_version: int
    version: int
    kinds: tuple[str, ...]
    facts: tuple[str, ...]
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    regraded: tuple[Regraded, ...]
    reopened: tuple[Ledgered, ...]


EVENTS: tuple[type[Event], ...] = (ChangeJudged, *RESPONSIBILITY_EVENTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Up to where the house has looked by itself: a day, and the law as it stood.

    Attributes:
        day: The last day that was looked at; None before the first.
        law: Digest of the law's own files.
        adopted: Ids and digests of the drafts that judged.
    """

    day: date | None = None
    law: str = ""
    adopted: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One way through the register, from what was looked at to what holds now.

    Attributes:
        since, until: Where it starts from, and what it leads to.
        after: The last system that was looked at.
        is_done: Whether it is through.
        counts: How many systems were looked at, judged one by one, suspended, re-opened.
    """

    since: Mark
    until: Mark
    after: str = ""
    is_done: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)
