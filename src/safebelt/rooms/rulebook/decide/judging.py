"""Judge facts on a day: what applies, what does not, what is still unknown."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from safebelt.rooms.rulebook.decide.bench import prepare
from safebelt.rooms.rulebook.decide.classes import ClassJudge
from safebelt.rooms.rulebook.decide.explaining import VERDICT_OF, Explainer
from safebelt.rooms.rulebook.decide.world import World
from safebelt.rooms.rulebook.model import UNKNOWN_CLASS, Finding, Judgment, LawText

PLACES = ("market.jurisdictions", "output.used_in", "provider.established_in", "deployer.established_in", "data.leaves")
"""Facts that say which places have to do with a system."""
EVERYWHERE = frozenset({"house", "intl"})
"""Jurisdictions of instruments that belong to no place."""


def judge(text: LawText, facts: Mapping[str, Any], on: date, instruments: Collection[str] | None = None) -> Judgment:
    """Judge facts against the law's text.

    Args:
        text: The text as it reads on the day (`text_on`).
        facts: Fact id to value (bool, str, a set of str, number, date); absent or None is unknown.
        on: The day.
        instruments: Judge only these; what they refer to in others is judged where it is needed.

    Returns:
        A finding for every norm that has not ended, and a class result for every instrument that has classes.
        Reasons and missing facts are worked out when they are asked for.

    Raises:
        Invalid: The text has faults.
    """
    bench = prepare(text)
    world = World(bench, bench.presuming(facts), on)
    explainer = Explainer(world)
    findings = {
        norm.id: Finding(norm=norm, verdict=VERDICT_OF[world.holds(norm.id)], explains=explainer)
        for norm in text.norms.values()
        if (norm.in_force.until is None or on < norm.in_force.until)
        and (instruments is None or norm.instrument in instruments)
    }
    classes = ClassJudge(explainer, facts)
    asked = [one for one in bench.classes if instruments is None or one in instruments]
    return Judgment(on=on, findings=findings, classes={one: classes.result(one) for one in asked})


def red_lines(judgment: Judgment) -> tuple[Finding, ...]:
    """Return the red lines that are met and in force by verified law alone: what bars a system from service."""
    return tuple(one for one in judgment.findings.values() if one.norm.red_line and one.is_established)


def exit_code(judgment: Judgment, counted: Collection[str] | None = None) -> int:
    """Return 1 if verified red lines in force put the system into a class that bars, 3 if a strictest is unknown.

    Args:
        judgment: What was judged.
        counted: Instruments whose unknown class counts; None for all that were judged.
    """
    results = judgment.classes.values()
    if any(result.barred_by for result in results):
        return 1
    open_ones = (one.instrument for one in results if one.strictest == UNKNOWN_CLASS)
    return 3 if any(counted is None or name in counted for name in open_ones) else 0


def touched(text: LawText, facts: Mapping[str, Any]) -> frozenset[str]:
    """Return the instruments of the places that a description mentions, and those that belong to no place.

    A description of a system offered in one place leaves much open that only another place's law would ask; that
    does not make the description incomplete.  Where no place is mentioned, every instrument is touched.
    """
    given = [facts[name] for name in PLACES if facts.get(name)]
    places = {str(one) for value in given for one in ([value] if isinstance(value, str) else value)}
    return frozenset(
        name
        for name, one in text.instruments.items()
        if not given or one.jurisdiction in places or one.jurisdiction in EVERYWHERE
    )
