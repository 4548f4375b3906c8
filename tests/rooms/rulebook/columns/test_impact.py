"""The impact on a population, counted by columns, is what comparing the judgments one by one counts."""

import string
from collections import Counter
from dataclasses import asdict
from datetime import date
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.rulebook.columns import generated
from tests.rooms.rulebook.columns.shipped import LAW, shipped
from tests.rooms.rulebook.columns.test_judging import random_facts
from tests.rooms.rulebook.small import INSTRUMENT, TODAY, Basis, both, fact, label, law, norm, yes

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.columns import impact as machinery
from safebelt.rooms.rulebook.columns.impact import Comparison, impact
from safebelt.rooms.rulebook.columns.population import Member, from_folder
from safebelt.rooms.rulebook.decide.impact import Count, Reform, effect_on, reform
from safebelt.rooms.rulebook.model import FactType, Group, Option, Overlay, OverlayStanding, Rulebook
from safebelt.rooms.rulebook.packs import Unreadable

AMENDMENT = "eu/ai-act@2026-1744"
OVERLAY = Overlay(
    id="draft", title=both("Draft"), instrument=INSTRUMENT, standing=OverlayStanding.DRAFT, effective=TODAY, basis=Basis.PRIMARY, changes=()
)  # fmt: skip


def change_of(before, after, on=TODAY):
    return Reform(overlay=OVERLAY, on=on, before=before, after=after, changes=())


def members(population):
    return [
        Member(id=f"s{number}", name=Text(zh="系统", en="system"), facts=one) for number, one in enumerate(population)
    ]


def counted(change, population):
    """The counts that comparing one by one comes to."""
    effects = [effect_on(change, one) for one in population]
    total = Count(
        systems=len(effects),
        affected=sum(one.is_felt for one in effects),
        regraded=sum(bool(one.regraded) for one in effects),
        gain=sum(bool(one.gained) for one in effects),
        lose=sum(bool(one.lost) for one in effects),
        moved=sum(bool(one.moved) for one in effects),
        opened=sum(bool(one.opened) for one in effects),
    )
    norms = Counter()
    for one in effects:
        norms.update(("gained", new.norm) for new in (*one.gained, *one.rights_gained))
        norms.update(("lost", name) for name in (*one.lost, *one.rights_lost))
        norms.update(("opened", name) for name in one.opened)
        norms.update(("moved", new.norm) for new in one.moved)
    transitions = Counter((turn.instrument, turn.before, turn.after) for one in effects for turn in one.regraded)
    return total, norms, transitions


def as_counted(found):
    norms = Counter(
        {(kind, one.norm): many for one in found.norms for kind, many in asdict(one).items() if kind != "norm" and many}
    )
    return found.total, norms, Counter({(one.instrument, one.before, one.after): one.systems for one in found.transitions})  # fmt: skip


@given(
    generated.laws(),
    generated.laws(),
    st.lists(generated.facts, min_size=1, max_size=10),
    st.sampled_from(generated.DAYS),
)
@settings(max_examples=60, deadline=None)
def test_what_columns_count_is_what_comparing_one_by_one_counts(before, after, population, on) -> None:
    change = change_of(before, after, on)

    found = impact(change, members(population))

    assert as_counted(found) == counted(change, population)
    assert [one.effect for one in found.listed] == [
        felt for felt in (effect_on(change, one) for one in population) if felt.is_felt
    ]


def about(facts, others, random):
    """Facts of a described system, some forgotten, some replaced by chance."""
    kept = {name: value for name, value in facts.items() if random.random() < 0.9}
    return kept | {name: value for name, value in others.items() if random.random() < 0.1}


@pytest.mark.parametrize("on", [date(2026, 7, 27), date(2026, 12, 2)])
def test_the_2026_amendment_does_to_systems_what_comparing_one_by_one_shows(on) -> None:
    change = reform(shipped(), next(one for one in shipped().enacted if one.id == AMENDMENT), on)
    random, described = Random(7), list(from_folder(LAW / "systems", shipped()))
    population = [about(one.facts, random_facts(change.after, random), random) for one in random.sample(described, 40)]

    assert as_counted(impact(change, members(population), listed=0)) == counted(change, population)


SECTORS = fact("use.purposes", FactType.SOME_OF, *string.ascii_lowercase[:3])
SECTORS = type(SECTORS)(
    **{
        **{name: getattr(SECTORS, name) for name in SECTORS.__slots__},
        "groups": (Group(id="care", label=both("care")), Group(id="rail", label=both("rail")), Group(id="none", label=both("none"))),
        "options": (Option(id="a", label=both("a"), group="care"), Option(id="b", label=both("b"), group="care"), Option(id="c", label=both("c"), group="rail")),
    }
)  # fmt: skip
GROUPED = (SECTORS, fact("provider.size", FactType.ONE_OF, "sme", "large"), fact("x"), fact("y"))
BEFORE = law(norm("n", yes("x")), classes=(label("strict", yes("y")), label("mild", yes("x"))), facts=GROUPED)
AFTER = law(norm("n", yes("y")), classes=(label("strict", yes("x")), label("mild", yes("x"))), facts=GROUPED)
POPULATION = members(
    [
        {"x": True, "y": False, "use.purposes": ["a", "c"], "provider.size": "sme"},
        {"x": False, "y": False, "use.purposes": ["b"], "provider.size": "large"},
        {"x": False, "y": True, "use.purposes": [], "provider.size": "large"},
        {"x": True, "y": True},
    ]
)


def test_sectors_and_sizes_are_counted_and_who_says_nothing_is_not_left_out() -> None:
    found = impact(change_of(BEFORE, AFTER), POPULATION)

    by_sector = {one.id: (one.count.systems, one.count.affected) for one in found.by_sector}
    by_size = {one.id: (one.count.systems, one.count.gain, one.count.lose, one.count.regraded) for one in found.by_size}
    assert by_sector == {"care": (2, 1), "rail": (1, 1), "none": (0, 0), "not_stated": (2, 1)}
    assert by_size == {"sme": (1, 0, 1, 1), "large": (2, 1, 0, 1), "not_stated": (1, 0, 0, 0)}
    assert (found.total.systems, found.total.affected, found.total.share) == (4, 2, 0.5)
    assert found.by_sector[2].count.share is None


def test_the_list_is_bounded_and_says_so_while_the_counts_stay_exact(monkeypatch) -> None:
    monkeypatch.setattr(machinery, "BATCH", 3)
    many = [Member(id=f"s{number}", name=both("s"), facts={"x": True, "y": number % 2 == 0}) for number in range(20)]

    found = impact(change_of(BEFORE, AFTER), iter(many), listed=4)

    assert [one.id for one in found.listed] == ["s1", "s3", "s5", "s7"]
    assert not found.is_list_complete
    assert found.total.affected == 10


def test_a_change_of_nothing_touches_nobody() -> None:
    found = impact(change_of(BEFORE, BEFORE), POPULATION)

    assert found.total == Count(systems=4)
    assert (found.norms, found.transitions, found.listed) == ((), (), ())


def test_nobody_is_a_population_too() -> None:
    found = impact(change_of(BEFORE, AFTER), [])

    assert found.total == Count()
    assert found.total.share is None


def test_what_a_change_does_not_touch_is_worked_out_once_and_not_compared() -> None:
    before = law(norm("same", yes("a")), norm("other", yes("b")))
    after = law(norm("same", yes("a")), norm("other", yes("c")))

    comparison = Comparison(change_of(before, after))

    one, other = comparison.columns.readings
    assert one.norms["same"] == other.norms["same"]
    assert [delta.norm for delta in comparison._deltas] == ["other"]


def test_described_systems_are_a_population() -> None:
    found = {one.id: one for one in from_folder(LAW / "systems", shipped())}

    assert len(found) >= 80
    assert found["eu-nudify-app"].facts["market.jurisdictions"] == ("eu",)


def test_a_folder_with_a_file_that_describes_nothing_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text("safebelt: system/1\nid: odd\n")

    with pytest.raises(Unreadable) as refused:
        list(from_folder(tmp_path, Rulebook(base=law())))

    assert refused.value.findings[0].file == "odd.yaml"
