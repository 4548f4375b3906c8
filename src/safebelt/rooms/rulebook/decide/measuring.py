"""Measure interviews: how many questions described systems need, against the whole list of facts."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any

from safebelt.rooms.rulebook.decide.bench import prepare
from safebelt.rooms.rulebook.decide.interview import next_question
from safebelt.rooms.rulebook.decide.judging import judge
from safebelt.rooms.rulebook.model import OCCURRENCES, Description, LawText


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """One system's interview.

    Attributes:
        system: Its id.
        facts: The facts asked about, in order.
        unknown: How many of them its description does not tell.
        classes: Instrument id to strictest class, by the answers asked for.
        fully: The same by the whole description.
    """

    system: str
    facts: tuple[str, ...]
    unknown: int
    classes: Mapping[str, str]
    fully: Mapping[str, str]

    @property
    def asked(self) -> int:
        """How many questions it took."""
        return len(self.facts)


def measure(
    text: LawText, systems: Iterable[Description], on: date, instruments: Collection[str] | None = None
) -> list[Length]:
    """Interview systems by their descriptions: what a description does not tell is answered *I do not know*."""
    return [_length(text, one, on, instruments) for one in systems]


def _length(text: LawText, system: Description, on: date, instruments: Collection[str] | None) -> Length:
    known, answers = system.values(), dict[str, Any]()
    while (question := next_question(text, answers, on, instruments)) is not None:
        answers[question.fact.id] = known.get(question.fact.id)
    return Length(
        system=system.id,
        facts=tuple(answers),
        unknown=sum(value is None for value in answers.values()),
        classes=_strictest(text, answers, on, instruments),
        fully=_strictest(text, known, on, instruments),
    )


def _strictest(
    text: LawText, facts: Mapping[str, Any], on: date, instruments: Collection[str] | None
) -> dict[str, str]:
    return {name: one.strictest for name, one in judge(text, facts, on, instruments).classes.items()}


def everything(text: LawText, instruments: Collection[str] | None = None) -> frozenset[str]:
    """Return every fact the classes look at, directly or through names: the questionnaire without an interview."""
    reach = prepare(text).class_reach
    return frozenset(
        fact
        for instrument in text.instruments.values()
        if instruments is None or instrument.id in instruments
        for label in instrument.classes
        for fact in reach[f"{instrument.id}.{label.id}"].facts
        if text.facts[fact].subject not in OCCURRENCES
    )


def figures(text: LawText, lengths: list[Length], instruments: Collection[str] | None = None) -> dict[str, Any]:
    """Return what was measured: systems, median, 90th percentile and most questions, the full list, what cost most.

    Raises:
        statistics.StatisticsError: There is no system.
    """
    counts = sorted(one.asked for one in lengths)
    asked = Counter(fact for one in lengths for fact in one.facts)
    return {
        "systems": len(counts),
        "median": median(counts),
        "p90": counts[min(len(counts) - 1, len(counts) * 9 // 10)],
        "max": counts[-1],
        "full_list": len(everything(text, instruments)),
        "all_facts": len(text.facts),
        "median_unknown": median(one.unknown for one in lengths),
        "same_classes": sum(one.classes == one.fully for one in lengths),
        "asked": dict(asked.most_common()),
    }
