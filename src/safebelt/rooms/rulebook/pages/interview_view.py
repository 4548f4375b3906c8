"""What the pages of an interview show: choices in groups, what is at stake, the result so far, the answers given."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook import decide
from safebelt.rooms.rulebook.decide import saying
from safebelt.rooms.rulebook.decide.contract import UNKNOWN_TITLE
from safebelt.rooms.rulebook.decide.interview import Question
from safebelt.rooms.rulebook.model import (
    UNKNOWN_CLASS,
    ClassResult,
    Coming,
    Fact,
    Judgment,
    LawText,
    Modality,
    Option,
    Verdict,
)
from safebelt.rooms.rulebook.pages.cited import Cited, every

DUTIES = (Modality.MUST, Modality.MUST_NOT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Options under one heading."""

    label: Text | None
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The options of a fact: those that can change the outcome, and all others."""

    first: tuple[Section, ...]
    others: tuple[Section, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """What an answer can still change in one regime."""

    short: Text
    classes: tuple[Text, ...]
    norms: tuple[Text, ...]
    cites: tuple[Cited, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """One regime's result so far."""

    id: str
    short: Text
    title: Text
    says: Text | None
    is_open: bool
    found: ClassResult
    cites: tuple[Cited, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the answers come to.

    Attributes:
        regimes: Of the places that the answers speak of; what is still open first.
        elsewhere: All others.
        duties: How many duties and prohibitions apply.
        open: How many norms are not decided.
    """

    on: str
    regimes: tuple[Regime, ...]
    elsewhere: tuple[Regime, ...]
    coming: tuple[tuple[Regime, Coming], ...]
    duties: int
    open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One answer as it was given."""

    fact: Fact
    answer: Text
    is_known: bool


def choices(fact: Fact, matters: tuple[str, ...]) -> Choices:
    """Return the options in their groups; all of them first where it is not known that some matter more."""
    chosen = frozenset(matters) or frozenset(one.id for one in fact.options)
    return Choices(
        first=_sections(fact, [one for one in fact.options if one.id in chosen]),
        others=_sections(fact, [one for one in fact.options if one.id not in chosen]),
    )


def _sections(fact: Fact, options: list[Option]) -> tuple[Section, ...]:
    labels: dict[str, Text | None] = {one.id: one.label for one in fact.groups}
    groups = dict.fromkeys(one.group for one in options)
    return tuple(
        Section(label=labels.get(group), options=tuple(one for one in options if one.group == group))
        for group in groups
    )


def stakes(text: LawText, question: Question) -> tuple[Stake, ...]:
    """Return what a question's answer can still change, regime by regime, with where the law says so."""
    found = []
    for one, reason in zip(question.decides, question.why.because, strict=True):
        instrument = text.instruments[one.instrument]
        labels = [label.title for label in instrument.classes if label.id in one.classes]
        norms = tuple(text.norms[name].title for name in one.norms)
        cites = every(text, reason.cites)
        found.append(Stake(short=instrument.short, classes=tuple(labels), norms=norms, cites=cites))
    return tuple(found)


def result(text: LawText, judgment: Judgment, answers: Mapping[str, Any]) -> Result:
    """Return what the answers come to so far."""
    touched = decide.touched(text, {name: value for name, value in answers.items() if value is not None})
    regimes = [_regime(text, one) for one in judgment.classes.values()]
    near = sorted((one for one in regimes if one.id in touched), key=lambda one: not one.is_open)
    applies = [one for one in judgment.findings.values() if one.verdict is Verdict.APPLIES]
    return Result(
        on=judgment.on.isoformat(),
        regimes=tuple(near),
        elsewhere=tuple(one for one in regimes if one.id not in touched),
        coming=tuple((one, coming) for one in near for coming in one.found.coming),
        duties=sum(one.norm.modality in DUTIES for one in applies),
        open=sum(one.verdict is Verdict.UNKNOWN for one in judgment.findings.values()),
    )


def _regime(text: LawText, found: ClassResult) -> Regime:
    instrument = text.instruments[found.instrument]
    label = next((one for one in instrument.classes if one.id == found.strictest), None)
    none = Text(zh="不属于任何类别", en="in none of the classes")
    is_open = found.strictest == UNKNOWN_CLASS
    return Regime(
        id=instrument.id,
        short=instrument.short,
        title=label.title if label else UNKNOWN_TITLE if is_open else none,
        says=label.says if label else None,
        is_open=is_open,
        found=found,
        cites=every(text, label.cites if label else ()),
    )


def given(text: LawText, answers: Mapping[str, Any]) -> tuple[Given, ...]:
    """Return the answers in words, in the order given; facts that the law no longer knows are left out."""
    unknown = Text(zh="不知道", en="I do not know")
    return tuple(
        Given(
            fact=text.facts[name],
            answer=unknown if value is None else saying.known(text.facts[name], value),
            is_known=value is not None,
        )
        for name, value in answers.items()
        if name in text.facts
    )


def typed(value: Any) -> str | tuple[str, ...]:
    """Return an answer as a form holds it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return tuple(map(str, value))
    return "" if value is None else str(value)
