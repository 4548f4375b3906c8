"""What a change of the law does: to one system, and to a whole population by sector and by size.

Nothing here says whether a change is good.  It says who comes into another class, and which duties begin, end, move
or become a question.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import lru_cache
from typing import Any

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.decide.judging import judge
from safebelt.rooms.rulebook.decide.overlays import consolidate, in_order, text_on
from safebelt.rooms.rulebook.model import (
    Changed,
    Finding,
    Judgment,
    LawText,
    Modality,
    Overlay,
    Part,
    Rulebook,
    Verdict,
)

SECTOR_FACT, SIZE_FACT = "use.purposes", "provider.size"
"""Facts of the shared vocabulary by which a population is divided: groups of purposes, and sizes of the provider."""

NOT_STATED = "not_stated"
NOT_STATED_LABEL = Text(zh="未说明", en="not stated")

DUTIES = frozenset({Modality.MUST, Modality.MUST_NOT})
"""What a duty is here, prohibitions among them; rights, remedies and exemptions are counted apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reform:
    """A change of the text: how it reads on a day without it and with it.

    Attributes:
        changes: What the overlay does, entry by entry; empty on a day before it takes effect.
    """

    overlay: Overlay
    on: date
    before: LawText
    after: LawText
    changes: tuple[Changed, ...]

    def changed(self, part: Part) -> tuple[str, ...]:
        """Return the ids of the norms, provisions or other entries that it changes, in the order of its text."""
        return tuple(dict.fromkeys(one.id for one in self.changes if one.part is part))


def reform(rulebook: Rulebook, overlay: Overlay, on: date | None = None) -> Reform:
    """Return how the text reads on a day without an overlay and with it.

    Args:
        rulebook: The law.
        overlay: One that is enacted, which is then taken away for *before*; or a draft, which is added for *after*.
        on: The day; the first day of the overlay, if none is given.

    Raises:
        Invalid: The overlay does not fit the text, or a later one does not fit without it.
    """
    day = on or overlay.effective
    without = _without(rulebook, overlay)
    drafts = () if overlay in rulebook.enacted else (overlay,)
    after = text_on(without if drafts else rulebook, day, drafts)
    due = tuple(one for one in in_order((*without.enacted, overlay)) if one.effective <= day)
    changes = consolidate(rulebook.base, due).changes
    return Reform(
        overlay=overlay,
        on=day,
        before=text_on(without, day),
        after=after,
        changes=tuple(one for one in changes if one.overlay == overlay.id),
    )


@lru_cache(maxsize=16)
def _without(rulebook: Rulebook, overlay: Overlay) -> Rulebook:
    """The law without an overlay; kept, so that the same text is made ready for judging once."""
    return replace(rulebook, enacted=tuple(one for one in rulebook.enacted if one.id != overlay.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Regraded:
    """Another strictest class of an instrument; `unknown`, and empty for none, are classes here."""

    instrument: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gained:
    """A norm that applies afterwards and was not established before, and its first day."""

    norm: str
    from_: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A norm that applies before and after, with another first day."""

    norm: str
    before: date
    after: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a change of the law does to one system.

    Attributes:
        gained: Duties and prohibitions that apply now.
        lost: Duties and prohibitions that applied and do not any more.
        rights_gained: Rights, remedies and exemptions, likewise.
        opened: Norms of any kind that were settled and are now a question.
        moved: Norms of any kind with another first day.
    """

    regraded: tuple[Regraded, ...] = ()
    gained: tuple[Gained, ...] = ()
    lost: tuple[str, ...] = ()
    rights_gained: tuple[Gained, ...] = ()
    rights_lost: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    moved: tuple[Moved, ...] = ()

    @property
    def is_felt(self) -> bool:
        """Whether class, duties, rights or dates change; a new question alone changes nothing yet."""
        return bool(self.regraded or self.gained or self.lost or self.rights_gained or self.rights_lost or self.moved)


def effect(before: Judgment, after: Judgment) -> Effect:
    """Return what differs between two judgments of the same facts on the same day."""
    gained, lost, opened, moved = list[Finding](), list[Finding](), list[str](), list[Moved]()
    for name in dict.fromkeys((*before.findings, *after.findings)):
        old, new = before.findings.get(name), after.findings.get(name)
        was, now = _verdict(old), _verdict(new)
        if now is Verdict.UNKNOWN and was is not Verdict.UNKNOWN:
            opened.append(name)
        elif new is not None and now is Verdict.APPLIES:
            gained += () if was is Verdict.APPLIES else (new,)
            moved += () if old is None or was is not Verdict.APPLIES else _moved(old, new)
        elif old is not None and was is Verdict.APPLIES:
            lost.append(old)
    return Effect(
        regraded=_regraded(before, after),
        gained=_gained(gained, is_duty=True),
        lost=tuple(one.norm.id for one in lost if one.norm.modality in DUTIES),
        rights_gained=_gained(gained, is_duty=False),
        rights_lost=tuple(one.norm.id for one in lost if one.norm.modality not in DUTIES),
        opened=tuple(opened),
        moved=tuple(moved),
    )


def effect_on(change: Reform, facts: Mapping[str, Any]) -> Effect:
    """Return what a change of the law does to one system, by its facts."""
    return effect(judge(change.before, facts, change.on), judge(change.after, facts, change.on))


def _verdict(finding: Finding | None) -> Verdict:
    """A norm that is not there, or has ended, does not apply."""
    return Verdict.DOES_NOT if finding is None else finding.verdict


def _gained(found: list[Finding], *, is_duty: bool) -> tuple[Gained, ...]:
    return tuple(
        Gained(norm=one.norm.id, from_=one.in_force.from_) for one in found if (one.norm.modality in DUTIES) is is_duty
    )


def _moved(old: Finding, new: Finding) -> tuple[Moved, ...]:
    before, after = old.in_force.from_, new.in_force.from_
    return () if before == after else (Moved(norm=new.norm.id, before=before, after=after),)


def _regraded(before: Judgment, after: Judgment) -> tuple[Regraded, ...]:
    found = []
    for name in dict.fromkeys((*before.classes, *after.classes)):
        old, new = before.classes.get(name), after.classes.get(name)
        was, now = "" if old is None else old.strictest, "" if new is None else new.strictest
        if was != now:
            found.append(Regraded(instrument=name, before=was, after=now))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many systems change, and how.  One system may count in several columns.

    Attributes:
        systems: All, whether anything changes or not.
        affected: Those whose class, duties, rights or dates change.
        regraded: Those with another strictest class.
        gain: Those with a duty or prohibition more.
        lose: Those with one less.
        moved: Those with a norm that binds from another day.
        opened: Those for whom a norm that was settled is now a question; they count as affected only if more changes.
    """

    systems: int = 0
    affected: int = 0
    regraded: int = 0
    gain: int = 0
    lose: int = 0
    moved: int = 0
    opened: int = 0

    @property
    def share(self) -> float | None:
        """The share that is affected, between 0 and 1; None of nobody."""
        return self.affected / self.systems if self.systems else None

    def __add__(self, other: "Count") -> "Count":
        """Count two populations together."""
        return Count(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """A sector, or a size of the provider.  A system in several sectors counts in each."""

    id: str
    label: Text
    count: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """How many systems go from one strictest class of an instrument to another."""

    instrument: str
    before: str
    after: str
    systems: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NormCount:
    """How many systems a norm begins to apply to, ceases to, becomes a question for, or binds from another day."""

    norm: str
    gained: int = 0
    lost: int = 0
    opened: int = 0
    moved: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """A system whose class, duties, rights or dates change, and how."""

    id: str
    name: Text
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """What a change of the law does to a population; every count is exact, the list of systems is bounded.

    Attributes:
        reform: The change.
        total: The whole population.
        norms: Norms that change for somebody, those that change for most first.
        listed: The first systems that are affected, in the order of the population.
    """

    reform: Reform
    total: Count
    by_sector: tuple[Division, ...]
    by_size: tuple[Division, ...]
    transitions: tuple[Transition, ...]
    norms: tuple[NormCount, ...]
    listed: tuple[Affected, ...]

    @property
    def is_list_complete(self) -> bool:
        """Whether every system that is affected is listed."""
        return len(self.listed) == self.total.affected


def divisions(text: LawText, fact: str) -> tuple[tuple[str, Text, tuple[str, ...]], ...]:
    """Return id, label and options of each part a fact divides a population into: its groups, or else its options."""
    known = text.facts.get(fact)
    if known is None:
        return ()
    if not known.groups:
        return tuple((one.id, one.label, (one.id,)) for one in known.options)
    members: dict[str, list[str]] = {one.id: [] for one in known.groups}
    for option in known.options:
        members.setdefault(option.group, []).append(option.id)
    return tuple((one.id, one.label, tuple(members[one.id])) for one in known.groups)


def ranked(norms: Iterable[NormCount]) -> tuple[NormCount, ...]:
    """Return norms that change for somebody, those that change for most first."""
    changed = ((one.gained + one.lost + one.opened + one.moved, one) for one in norms)
    return tuple(one for many, one in sorted(changed, key=lambda pair: (-pair[0], pair[1].norm)) if many)
