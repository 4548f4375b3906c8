"""Systems with the same key are judged alike, so that judging one of them is judging all."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.rulebook.columns import generated
from tests.rooms.rulebook.columns.shipped import shipped
from tests.rooms.rulebook.columns.test_judging import random_facts
from tests.rooms.rulebook.small import TODAY

from safebelt.rooms.rulebook.columns import Alike, compile_law
from safebelt.rooms.rulebook.decide import judge, text_on


def outcome(text, facts, on):
    judgment = judge(text, facts, on)
    return (
        {name: (one.verdict, one.in_force.now, one.is_established) for name, one in judgment.findings.items()},
        {name: (one.strictest, dict(one.truths)) for name, one in judgment.classes.items()},
    )


@given(generated.laws(), st.lists(generated.facts, min_size=2, max_size=12), st.sampled_from(generated.DAYS))
@settings(max_examples=120, deadline=None)
def test_whoever_has_the_same_key_is_judged_alike_whatever_the_law(text, population, on) -> None:
    alike, found = Alike(compile_law(text, on).layout), {}

    for facts in population:
        said = outcome(text, facts, on)

        assert found.setdefault(alike.key(facts), said) == said


def test_under_the_whole_law_a_system_changed_in_what_nobody_asks_keeps_its_key_and_its_judgment() -> None:
    text, random = text_on(shipped(), TODAY), Random(7)
    alike = Alike(compile_law(text, TODAY).layout)
    asked = {slot.fact for slot in compile_law(text, TODAY).layout.slots.values()}
    kept = 0

    for _ in range(12):
        facts = random_facts(text, random)
        other = {name: value + 0.25 if type(value) is int else value for name, value in facts.items()}
        other |= {name: "said differently" for name in facts if name not in asked}
        if alike.key(other) == alike.key(facts):
            assert outcome(text, other, TODAY) == outcome(text, facts, TODAY)
            kept += 1

    assert kept


@pytest.mark.parametrize(
    "fact, one, other",
    [
        ("size", 5, 7.5),
        ("size", 5, 4),
        ("a", True, False),
        ("a", True, None),
        ("a", True, 1),
        ("kind", "red", "blue"),
        ("uses", ["x"], ["x", "y"]),
        ("uses", ("x",), ()),
        ("launched", generated.DAYS[0], generated.DAYS[1]),
    ],
)
def test_what_the_law_asks_about_tells_keys_apart(fact, one, other) -> None:
    wanted = {"all": [{"fact": "a", "is": True}, {"fact": "size", "at_least": 5}, {"fact": "size", "more_than": 5},
                      {"fact": "kind", "one_of": ["red", "blue"]}, {"fact": "uses", "includes_any": ["x", "y"]},
                      {"fact": "launched", "is": generated.DAYS[0]}]}  # fmt: skip
    text = generated.law(generated.norm("n0", wanted), facts=generated.VOCABULARY)
    alike = Alike(compile_law(text, TODAY).layout)

    assert alike.key({fact: one}) != alike.key({fact: other})
    assert alike.key({fact: one, "nobody.asks": 1}) == alike.key({fact: one})


def test_a_number_counts_by_the_limits_it_lies_between_and_a_set_by_its_options_in_any_order() -> None:
    wanted = {"all": [{"fact": "size", "at_least": 5}, {"fact": "uses", "includes_any": ["x", "y"]}]}
    text = generated.law(generated.norm("n0", wanted), facts=generated.VOCABULARY)
    alike = Alike(compile_law(text, TODAY).layout)

    assert alike.key({"size": 6}) == alike.key({"size": 10**400})
    assert alike.key({"uses": ("y", "x", "z")}) == alike.key({"uses": ["x", "y"]})
