"""What a page of duties shows: duties by when, classes with why, rights, and what is still unknown.  Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook import decide
from safebelt.rooms.rulebook.decide import saying
from safebelt.rooms.rulebook.model import (
    UNKNOWN_CLASS,
    Bearer,
    ClassResult,
    Duty,
    Entry,
    Fact,
    Finding,
    Instrument,
    LawText,
    Modality,
    Status,
    Verdict,
)
from safebelt.rooms.rulebook.model.described import Description, FactValue, Source
from safebelt.rooms.rulebook.pages.cited import Cited, every
from safebelt.rooms.rulebook.service.owing import Outlook

SOON_DAYS = 90
"""A quarter: what falls due within it is to be planned now."""

OUTSIDE = frozenset({"", "out_of_scope"})


class When(StrEnum):
    """The groups of duties, in the order of the page."""

    PASSED = "passed"
    SOON = "soon"
    LATER = "later"
    STANDING = "standing"
    UPON = "upon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One duty, right or exemption as it is shown.

    Attributes:
        day: The day that puts it into its group: due, or begins.
        begins: Since or from when it applies, in words.
        held, lacking: Titles of evidence.
    """

    finding: Finding
    when: When
    instrument: Instrument
    bearer: Bearer
    persons: tuple[str, ...]
    day: date | None
    begins: Text
    due: Text | None
    cites: tuple[Cited, ...]
    held: tuple[Text, ...]
    lacking: tuple[Text, ...]
    is_verified: bool
    note: Text | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Duties of one group, by regime."""

    when: When
    count: int
    regimes: tuple[tuple[Instrument, tuple[Line, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """What one instrument makes of the facts.

    Attributes:
        classes: Titles of the classes that hold, strictest first.
        is_open: A stricter class could still hold.
        missing: Labels of the facts that would settle it.
        duties: How many apply.
    """

    instrument: Instrument
    result: ClassResult
    classes: tuple[Text, ...]
    is_open: bool
    missing: tuple[Text, ...]
    duties: int
    is_verified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFact:
    """A fact that is not known, and how many norms wait for it."""

    fact: Fact
    norms: int
    regimes: tuple[Text, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFact:
    """A fact as it was judged, with where it comes from."""

    id: str
    label: Text
    value: Text
    known: FactValue | None
    source: Source | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What a reader wants to see; empty means everything."""

    instrument: str = ""
    bearer: str = ""

    def takes(self, finding: Finding) -> bool:
        """Whether a finding is wanted."""
        norm = finding.norm
        return self.instrument in ("", norm.instrument) and self.bearer in ("", norm.bearer.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedView:
    """Everything the page shows.

    Attributes:
        settled: Regimes into one of whose classes the facts fall.
        unsettled: Regimes not known yet, of places the facts mention; `elsewhere`: those of other places.
        outside: Regimes out of whose scope the system is.
        red_lines: Prohibitions whose conditions are met, in force or not.
        instruments, bearers: What the filters offer.
        grounds: Grounds that many reasons share, with their numbers.
    """

    on: date
    settled: tuple[Regime, ...]
    unsettled: tuple[Regime, ...]
    elsewhere: tuple[Regime, ...]
    outside: tuple[Instrument, ...]
    red_lines: tuple[Line, ...]
    groups: tuple[Group, ...]
    rights: tuple[Line, ...]
    unknown: tuple[OpenFact, ...]
    unknown_norms: int
    calendar: tuple[Entry, ...]
    instruments: tuple[Instrument, ...]
    bearers: tuple[Bearer, ...]
    grounds: Mapping[Reason, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many duties are shown."""
        return sum(one.count for one in self.groups)


def view(outlook: Outlook, chosen: Chosen) -> OwedView:
    """Return what the page shows of an outlook."""
    applying = [one for one in outlook.judgment.findings.values() if one.verdict is Verdict.APPLIES]
    duties = [one for one in outlook.duties if not is_red_line(one.finding)]
    lines = [_duty_line(one, outlook) for one in duties if chosen.takes(one.finding)]
    regimes = [_regime(one, outlook) for one in outlook.judgment.classes.values()]
    unsettled = [one for one in regimes if not one.classes and one.is_open]
    settled = [one for one in regimes if one.classes and not _is_outside(one)]
    here = decide.touched(outlook.text, outlook.facts)
    entitled = (Modality.MAY, Modality.EXEMPT)
    concerned = dict.fromkeys(one.norm.instrument for one in applying)
    waiting = [
        one
        for one in outlook.judgment.findings.values()
        if one.verdict is Verdict.UNKNOWN and one.norm.instrument in here and chosen.takes(one)
    ]
    rights = tuple(_line(one, outlook) for one in applying if one.norm.modality in entitled and chosen.takes(one))
    red_lines = tuple(_line(one, outlook) for one in applying if is_red_line(one) and chosen.takes(one))
    told = [one.finding.why for one in (*red_lines, *lines, *rights)]
    return OwedView(
        on=outlook.on,
        settled=tuple(sorted(settled, key=lambda one: (-one.duties, one.instrument.id))),
        unsettled=tuple(one for one in unsettled if one.instrument.id in here),
        elsewhere=tuple(one for one in unsettled if one.instrument.id not in here),
        outside=tuple(one.instrument for one in regimes if _is_outside(one)),
        red_lines=red_lines,
        groups=tuple(_groups(lines)),
        rights=rights,
        unknown=open_facts(outlook, waiting),
        unknown_norms=len(waiting),
        calendar=tuple(one for one in outlook.calendar if _is_wanted(one, outlook, chosen)),
        instruments=tuple(outlook.text.instruments[name] for name in concerned),
        bearers=tuple(dict.fromkeys(one.bearer for one in outlook.duties)),
        grounds=common_grounds(told),
    )


def is_red_line(finding: Finding) -> bool:
    """Whether it is a prohibition of which *applies* means that the system meets it."""
    return finding.norm.red_line and finding.norm.modality is Modality.MUST_NOT


def _is_wanted(entry: Entry, outlook: Outlook, chosen: Chosen) -> bool:
    if entry.about in outlook.judgment.findings:
        return chosen.takes(outlook.judgment.findings[entry.about])
    return chosen.instrument in ("", entry.instrument)


# ---- duties


def _duty_line(duty: Duty, outlook: Outlook) -> Line:
    return _line(duty.finding, outlook, persons=duty.persons, held=duty.held, lacking=duty.lacking)


def _line(
    finding: Finding,
    outlook: Outlook,
    *,
    persons: tuple[str, ...] = (),
    held: tuple[str, ...] = (),
    lacking: tuple[str, ...] = (),
) -> Line:
    norm, text = finding.norm, outlook.text
    when, day = placed(finding, outlook.on)
    return Line(
        finding=finding,
        when=when,
        instrument=text.instruments[norm.instrument],
        bearer=norm.bearer,
        persons=persons,
        day=day,
        begins=_begins(finding, outlook.on),
        due=finding.due.text if finding.due else None,
        cites=every(text, norm.cites),
        held=outlook.held_titles(held),
        lacking=_titles(text, lacking),
        is_verified=finding.status is Status.VERIFIED,
        note=norm.interpretation.note if norm.interpretation else None,
    )


def placed(finding: Finding, on: date) -> tuple[When, date | None]:
    """Return the group of a duty, and the day that puts it there.

    A duty that does not bite yet is placed by the day it begins to; one whose clock waits for an occurrence, by that;
    every other by the day it is due, if a known date fixes one.
    """
    begins = finding.effective
    if finding.in_force.now is Truth.FALSE or begins > on:
        return (When.SOON if begins <= on + timedelta(days=SOON_DAYS) else When.LATER), begins
    if finding.contingent:
        return When.UPON, None
    due = finding.due.on if finding.due else None
    if due is None:
        return When.STANDING, None
    if due < on:
        return When.PASSED, due
    return (When.SOON if due <= on + timedelta(days=SOON_DAYS) else When.LATER), due


def _begins(finding: Finding, on: date) -> Text:
    span, bites = finding.in_force, finding.effective
    if len(span.possible) > 1:
        days = [one.isoformat() for one in span.possible]
        return Text(
            zh=f"自 {' 或 '.join(days)} 起（视尚不清楚的事实而定）",
            en=f"from {' or '.join(days)}: facts not yet known decide",
        )
    first = span.from_.isoformat()
    said = Text(zh=f"自 {first} 起", en=f"since {first}" if span.from_ <= on else f"from {first}")
    if bites != span.from_:
        said = Text(zh=f"{said.zh}，实际约束自 {bites}", en=f"{said.en}; can bite from {bites}")
    if span.until is not None:
        said = Text(zh=f"{said.zh}，至 {span.until} 止", en=f"{said.en}, until {span.until}")
    return said


def _titles(text: LawText, evidence: Iterable[str]) -> tuple[Text, ...]:
    return tuple(text.evidence[one].title if one in text.evidence else saying.same(one) for one in evidence)


def _groups(lines: Collection[Line]) -> Iterable[Group]:
    for when in When:
        here = [one for one in lines if one.when is when]
        by_regime: dict[str, list[Line]] = {}
        for one in here:
            by_regime.setdefault(one.instrument.id, []).append(one)
        if here:
            regimes = tuple((found[0].instrument, tuple(_in_order(found))) for found in by_regime.values())
            yield Group(when=when, count=len(here), regimes=regimes)


def _in_order(lines: Iterable[Line]) -> list[Line]:
    return sorted(lines, key=lambda one: (one.day or date.max, _natural(one.finding.norm.id)))


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    """Sort article 9 before article 10."""
    digits = "".join(char if char.isdigit() else " " for char in name).split()
    return (*((int(one), "") for one in digits), (0, name))


def common_grounds(reasons: Iterable[Reason]) -> dict[Reason, int]:
    """Return the grounds that many reasons share, numbered from 1: told once, each reason then only points there.

    Args:
        reasons: Trees that stand on one page.
    """
    roots = tuple(reasons)
    often = Counter(node for root in roots for depth, node in root.walk() if depth and _is_long(node))
    met: Counter[Reason] = Counter()

    def visit(node: Reason) -> None:
        if often[node] >= _SHARED_BY:
            met[node] += 1
            if met[node] > 1:
                return
        for part in node.because:
            visit(part)

    for root in roots:
        visit(root)
    return {node: number for number, node in enumerate((one for one in met if met[one] >= _SHARED_BY), start=1)}


_SHARED_BY = 3
_LONG = 3


def _is_long(reason: Reason) -> bool:
    return sum(1 for _ in reason.walk()) > _LONG


# ---- classes


def _regime(result: ClassResult, outlook: Outlook) -> Regime:
    instrument = outlook.text.instruments[result.instrument]
    titles = {one.id: one.title for one in instrument.classes}
    return Regime(
        instrument=instrument,
        result=result,
        classes=tuple(titles[name] for name in result.all if name not in OUTSIDE),
        is_open=result.strictest == UNKNOWN_CLASS,
        missing=tuple(saying.label(outlook.text, name) for name in result.missing),
        duties=sum(1 for one in outlook.duties if one.finding.norm.instrument == instrument.id),
        is_verified=result.status is Status.VERIFIED,
    )


def _is_outside(regime: Regime) -> bool:
    """Whether the facts fall into no class, or only into the mildest, and nothing is owed: it has nothing to say."""
    mildest = regime.instrument.classes[-1].title
    return not regime.is_open and not regime.duties and regime.classes in ((), (mildest,))


# ---- facts


def open_facts(outlook: Outlook, findings: Iterable[Finding]) -> tuple[OpenFact, ...]:
    """Return the facts that unknown findings wait for, those that would settle most first."""
    waiting: Counter[str] = Counter()
    regimes: dict[str, dict[str, Text]] = {}
    for finding in findings:
        instrument = finding.norm.instrument
        for name in finding.missing:
            waiting[name] += 1
            regimes.setdefault(name, {})[instrument] = outlook.text.instruments[instrument].short
    facts = outlook.text.facts
    found = (
        OpenFact(fact=facts[name], norms=count, regimes=tuple(regimes[name].values()))
        for name, count in waiting.items()
        if name in facts
    )
    return tuple(sorted(found, key=lambda one: (-one.norms, one.fact.rank, one.fact.id)))


def known_facts(description: Description, outlook: Outlook) -> tuple[KnownFact, ...]:
    """Return the facts that were judged, with their sources; those the house itself knows have none."""
    found = []
    for name, value in outlook.facts.items():
        fact = outlook.text.facts.get(name)
        known = description.facts.get(name)
        source = description.sources.get(known.source) if known else None
        label = fact.label if fact else saying.same(name)
        said = saying.known(fact, value)
        found.append(
            (fact.rank if fact else 0, KnownFact(id=name, label=label, value=said, known=known, source=source))
        )
    return tuple(one for _, one in sorted(found, key=lambda pair: (pair[0], pair[1].id)))
