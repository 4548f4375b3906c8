"""The interview is short: over the described systems, and with the same classes as everything that is known of them."""

from datetime import date
from pathlib import Path
from statistics import median

import pytest

from safebelt.rooms.rulebook.decide import text_on
from safebelt.rooms.rulebook.decide.measuring import Length, everything, measure
from safebelt.rooms.rulebook.model import LawText
from safebelt.rooms.rulebook.packs import load_law, read_description

LAW = Path(__file__).parents[2] / "law"
ON = date(2026, 11, 22)
PROMISED = 12


@pytest.fixture(scope="module")
def text() -> LawText:
    return text_on(load_law(LAW), ON)


@pytest.fixture(scope="module")
def lengths(text: LawText) -> list[Length]:
    return interviewed(text, every=2)


def interviewed(text: LawText, *, every: int) -> list[Length]:
    """Interview every so many of the described systems, by the order of their names."""
    rulebook = load_law(LAW)
    files = sorted((LAW / "systems").glob("*.yaml"))[::every]
    return measure(text, [read_description(path, rulebook) for path in files], ON)


def test_half_of_the_described_systems_need_at_most_twelve_questions(lengths: list[Length]) -> None:
    assert len(lengths) >= 80
    assert median(one.asked for one in lengths) <= PROMISED


def test_the_answers_asked_for_give_the_same_classes_as_the_whole_description(lengths: list[Length]) -> None:
    assert [one.system for one in lengths if one.classes != one.fully] == []
    assert {one.fully["eu/ai-act"] for one in lengths} >= {
        "prohibited",
        "high_risk",
        "transparency",
        "minimal",
        "unknown",
    }


def test_the_full_list_is_several_times_as_long(text: LawText, lengths: list[Length]) -> None:
    assert len(everything(text)) >= 4 * median(one.asked for one in lengths)


@pytest.mark.soak
def test_every_described_system_comes_to_the_same_classes_and_half_of_them_in_twelve_questions(text: LawText) -> None:
    lengths = interviewed(text, every=1)

    assert [one.system for one in lengths if one.classes != one.fully] == []
    assert median(one.asked for one in lengths) <= PROMISED
