"""Real, described systems: each reads, each says where it was read, and each comes out as expected or says why not."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from safebelt.rooms.rulebook.decide import judge, text_on
from safebelt.rooms.rulebook.model import Description, Expected, Judgment, Rulebook
from safebelt.rooms.rulebook.packs import Unreadable, load_law, read_description

LAW = Path(__file__).parents[2] / "law"
SYSTEMS = LAW / "systems"
FILES = sorted(SYSTEMS.glob("*.yaml"))
ON = date(2026, 11, 22)
HEADING = re.compile(r"^## (?P<system>\S+) · (?P<instrument>\S+): (?P<expected>\S+) → (?P<found>\S+)$", re.MULTILINE)
FEWEST: Mapping[tuple[str, ...], int] = {("eu-",): 40, ("uk-",): 25, ("cn-",): 15, ("us-", "kr-", "model-"): 10}

Disagreement = tuple[str, str, str, str]


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load_law(LAW)


@pytest.fixture(scope="module")
def systems(rulebook: Rulebook) -> Mapping[str, Description]:
    return {path.stem: read_description(path, rulebook) for path in FILES}


def judged(system: Description, rulebook: Rulebook) -> Judgment:
    return judge(text_on(rulebook, ON), system.values(), ON, {one.instrument for one in system.expected})


def disagreements(system: Description, rulebook: Rulebook) -> Iterator[Disagreement]:
    classes = judged(system, rulebook).classes
    for one in system.expected:
        found = classes[one.instrument].strictest
        if found != one.strictest:
            yield system.id, one.instrument, one.strictest, found


def listed() -> dict[Disagreement, str]:
    """Every disagreement that the list has, with its explanation."""
    text = (SYSTEMS / "DISAGREEMENTS.md").read_text(encoding="utf-8")
    starts = [*HEADING.finditer(text)]
    ends = [one.start() for one in starts[1:]] + [len(text)]
    return {
        (one["system"], one["instrument"], one["expected"], one["found"]): text[one.end() : end]
        for one, end in zip(starts, ends, strict=True)
    }


def test_every_described_system_reads_and_is_named_after_its_file(systems: Mapping[str, Description]) -> None:
    assert {name: system.id for name, system in systems.items()} == {name: name for name in systems}


def test_there_are_as_many_of_each_kind_as_promised() -> None:
    for kinds, fewest in FEWEST.items():
        assert sum(path.name.startswith(kinds) for path in FILES) >= fewest, kinds


def test_every_system_says_where_it_was_read(systems: Mapping[str, Description]) -> None:
    silent = [
        f"{system.id}: {fact}"
        for system in systems.values()
        for fact, known in system.facts.items()
        if not (known.source in system.sources or (not known.source and known.note.startswith("assumed")))
    ]

    assert silent == []
    assert [one.id for one in systems.values() if not all(s.url.startswith("http") for s in one.sources.values())] == []


def test_every_expectation_names_its_source_and_its_reason(systems: Mapping[str, Description]) -> None:
    bare = [
        system.id
        for system in systems.values()
        if not system.expected or any(one.source not in system.sources or one.why is None for one in system.expected)
    ]

    assert bare == []


def test_every_system_comes_out_as_expected_or_the_list_says_why_not(
    systems: Mapping[str, Description], rulebook: Rulebook
) -> None:
    found = {one for system in systems.values() for one in disagreements(system, rulebook)}

    assert found == set(listed()), "bring law/systems/DISAGREEMENTS.md in line, or report the rule that is wrong"


def test_every_disagreement_is_explained_in_both_languages() -> None:
    for heading, explanation in listed().items():
        paragraphs = [one for one in explanation.split("\n\n") if one.strip()]
        chinese = [one for one in paragraphs if re.search(r"[\u4e00-\u9fff]", one)]

        assert len(chinese) >= 1, heading
        assert len(paragraphs) > len(chinese), heading


def test_what_is_expected_to_be_unknown_says_what_to_ask(
    systems: Mapping[str, Description], rulebook: Rulebook
) -> None:
    open_ones = [
        (system, one.instrument) for system in systems.values() for one in system.expected if one.strictest == "unknown"
    ]

    assert open_ones
    for system, instrument in open_ones:
        assert judged(system, rulebook).classes[instrument].missing, (system.id, instrument)


def test_a_wrong_expectation_is_noticed(systems: Mapping[str, Description], rulebook: Rulebook) -> None:
    wrong = replace(systems["eu-spam-filter"], expected=(Expected(instrument="eu/ai-act", strictest="prohibited"),))

    assert [*disagreements(wrong, rulebook)] == [("eu-spam-filter", "eu/ai-act", "prohibited", "minimal")]


def test_a_misspelt_fact_is_refused(rulebook: Rulebook) -> None:
    text = (SYSTEMS / "eu-spam-filter.yaml").read_text(encoding="utf-8")

    with pytest.raises(Unreadable):
        read_description(text.replace("use.purposes:", "use.purpose:"), rulebook, name="eu-spam-filter.yaml")


def test_an_intimate_picture_app_is_told_which_ban_is_coming(
    systems: Mapping[str, Description], rulebook: Rulebook
) -> None:
    coming = judged(systems["eu-nudify-app"], rulebook).classes["eu/ai-act"].coming

    assert [(one.class_id, one.on) for one in coming if one.class_id] == [("prohibited", date(2026, 12, 2))]
