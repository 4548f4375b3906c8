"""An interview as JSON-ready data, and the file it is saved in: `interview/1`."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from safebelt.rooms.rulebook.decide.contract import class_data, plain_facts, words
from safebelt.rooms.rulebook.decide.interview import Question
from safebelt.rooms.rulebook.model import NOT_LEGAL_ADVICE, UNKNOWN_CLASS, Judgment, LawText, Verdict

FORMAT = "interview/1"
"""What a file of answers says in its key `safebelt`."""

_WHOLE = 1e15
"""Below it a number without a fraction is kept as a whole one; above, digits are no longer exact anyway."""


def question_data(question: Question | None) -> dict[str, Any] | None:
    """Return a question: what is asked, how it can be answered, why, and how far the interview is."""
    if question is None:
        return None
    fact = question.fact
    return {
        "fact": fact.id,
        "type": fact.type.value,
        "question": words(fact.question),
        "help": words(fact.help) if fact.help else None,
        "options": [{"id": one.id, "label": words(one.label), "group": one.group} for one in fact.options],
        "matters": list(question.matters),
        "unit": fact.unit,
        "why": question.why.as_data(),
        "decides": [
            {"instrument": one.instrument, "classes": list(one.classes), "norms": list(one.norms)}
            for one in question.decides
        ],
        "at_most": question.at_most,
        "likely": question.likely,
        "settled": question.settled,
        "of": question.of,
    }


def result_data(judgment: Judgment, text: LawText) -> dict[str, Any]:
    """Return what the answers come to so far: every regime's classes, and how many norms apply and are open."""
    verdicts = [one.verdict for one in judgment.findings.values()]
    return {
        "on": judgment.on.isoformat(),
        "classes": {name: class_data(one) for name, one in judgment.classes.items()},
        "applies": verdicts.count(Verdict.APPLIES),
        "unknown": verdicts.count(Verdict.UNKNOWN),
        "overlays": list(text.overlays),
        "notice": words(NOT_LEGAL_ADVICE),
    }


def open_regimes(judgment: Judgment) -> list[str]:
    """Return the instruments whose strictest class is not known."""
    return [name for name, one in judgment.classes.items() if one.strictest == UNKNOWN_CLASS]


def answers_data(answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return answers as JSON carries them; None is *I do not know*."""
    return plain_facts(answers)


def number_in(word: str) -> int | float | str:
    """Return the number somebody wrote, with or without commas; the words themselves where they are none."""
    try:
        number = float(word.replace(",", ""))
    except ValueError:
        return word
    if not isfinite(number):
        return word
    return int(number) if number.is_integer() and abs(number) < _WHOLE else number
