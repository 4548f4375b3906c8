"""The interview's questions: each can change something, none comes twice, and the answers asked for say it all."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.rulebook.small import INSTRUMENT, TODAY, cond, derived, fact, label, law, norm, parameter, term, yes

from safebelt.rooms.rulebook.decide import judge, prepare
from safebelt.rooms.rulebook.decide.interview import Goal, Question, next_question
from safebelt.rooms.rulebook.decide.outcomes import Outcomes
from safebelt.rooms.rulebook.model import FactType, LawText, Verdict

FACTS = (
    *(fact(name) for name in "abcde"),
    fact("size", FactType.NUMBER),
    fact("kind", FactType.ONE_OF, "red", "green", "blue"),
    fact("uses", FactType.SOME_OF, "x", "y", "z"),
)
VALUES: dict[str, list[Any]] = {
    **{name: [False, True] for name in "abcde"},
    "size": [0, 5, 10, 15],
    "kind": ["red", "green", "blue"],
    "uses": [(), ("x",), ("y",), ("x", "z")],
}
LEAVES = [
    *(yes(name) for name in "abcde"),
    {"fact": "size", "at_least": 10},
    {"fact": "size", "more_than": {"param": "most"}},
    {"fact": "kind", "one_of": ["red", "green"]},
    {"fact": "uses", "includes": "x"},
    {"fact": "uses", "includes_any": ["y", "z"]},
    {"fact": "grade", "at_least": 2},
]
trees = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=5,
)
some_answers = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in VALUES.items()})


@st.composite
def laws(draw: Any) -> LawText:
    first, second, third, fourth = (draw(trees) for _ in range(4))
    return law(
        parameter("most", {TODAY: 5}),
        derived("grade", [(yes("e"), 3), ({"fact": "size", "at_least": 10}, 2)], 1),
        term("t", first, unless=draw(trees)),
        norm("n", {"any": [{"term": "t"}, second]}),
        norm("free", third, overrides=("n",)),
        classes=(
            label("worst", {"applies": "n"}),
            label("bad", {"all": [fourth, {"not": {"term": "t"}}]}),
            label("fine", {"not": {"any": [{"applies": "n"}, fourth]}}),
        ),
        facts=FACTS,
    )


def held(text: LawText, answers: dict[str, Any], knows: dict[str, Any], goal: Goal = Goal.CLASSES) -> list[Question]:
    """The whole interview of somebody who knows this much; the answers are added to `answers`."""
    asked = []
    while (question := next_question(text, answers, TODAY, goal=goal)) is not None:
        assert question.fact.id not in answers
        answers[question.fact.id] = knows.get(question.fact.id)
        asked.append(question)
    return asked


def strictest(text: LawText, facts: dict[str, Any]) -> str:
    return judge(text, facts, TODAY).classes[INSTRUMENT].strictest


@settings(max_examples=60, deadline=None)
@given(laws(), some_answers)
def test_the_answers_asked_for_come_to_the_same_class_as_all_that_is_known(text: LawText, knows: dict) -> None:
    answers: dict[str, Any] = {}

    asked = held(text, answers, knows)

    assert strictest(text, answers) == strictest(text, knows)
    assert len({one.fact.id for one in asked}) == len(asked) <= len(FACTS)


@settings(max_examples=40, deadline=None)
@given(laws(), some_answers)
def test_when_duties_are_asked_for_no_verdict_is_left_that_an_answer_could_give(text: LawText, knows: dict) -> None:
    answers: dict[str, Any] = {}

    held(text, answers, knows, Goal.DUTIES)
    partly, fully = judge(text, answers, TODAY), judge(text, knows, TODAY)

    assert {one: partly.findings[one].verdict for one in partly.findings} == {
        one: fully.findings[one].verdict for one in fully.findings
    }


def may_change(text: LawText, answers: dict[str, Any], name: str) -> bool:
    """Whether two full sets of answers that differ in this alone come to different outcomes; tried one by one."""
    others = [one for one in VALUES if one not in answers and one != name]
    for chosen in product(*([None, *VALUES[one]] for one in others)):
        filled = {**answers, **dict(zip(others, chosen, strict=True))}
        if len({strictest(text, {**filled, name: value}) for value in (None, *VALUES[name])}) > 1:
            return True
    return False


@settings(max_examples=8, deadline=None)
@given(laws(), some_answers)
def test_every_question_can_change_the_outcome(text: LawText, knows: dict) -> None:
    known = {**dict.fromkeys("de"), "size": 15, **knows}  # fewer open facts, so that all of them can be tried
    answers = {name: known[name] for name in ("d", "e", "size", "kind") if name in known}

    while (question := next_question(text, answers, TODAY)) is not None:
        assert may_change(text, answers, question.fact.id)
        answers[question.fact.id] = known.get(question.fact.id)


def test_a_fact_that_is_mentioned_and_can_change_nothing_is_not_asked() -> None:
    classes = (label("bad", {"any": [yes("a"), {"all": [yes("a"), yes("b")]}]}),)
    text = law(classes=classes, facts=FACTS)

    assert [one.fact.id for one in held(text, {}, {"a": False})] == ["a"]
    assert may_change(text, {}, "a")
    assert not may_change(text, {}, "b"), "the check can fail"


@settings(max_examples=60, deadline=None)
@given(laws(), some_answers)
def test_the_diagrams_come_to_what_judging_comes_to(text: LawText, knows: dict) -> None:
    known = prepare(text).admitted(knows)
    missing = [one for one in VALUES if one not in known]

    drawn = Outcomes(text, [cond({"applies": "n"})], known, missing, TODAY)
    judgment = judge(text, knows, TODAY)

    holds = {Verdict.APPLIES: True, Verdict.DOES_NOT: False, Verdict.UNKNOWN: None}
    for name, finding in judgment.findings.items():
        assert drawn.sheet.value(drawn.holds(name)) is holds[finding.verdict]
    assert drawn.sheet.value(drawn.strictest(INSTRUMENT)) == judgment.classes[INSTRUMENT].strictest


@settings(max_examples=40, deadline=None)
@given(laws(), some_answers)
def test_at_most_so_many_questions_follow_as_were_promised(text: LawText, knows: dict) -> None:
    asked = held(text, {}, knows)

    for at, question in enumerate(asked):
        if question.settled < question.of:
            assert question.at_most >= sum(one.settled < one.of for one in asked[at:])
            assert 1 <= question.likely <= question.at_most


def test_a_question_says_what_it_can_still_change_and_by_which_provision() -> None:
    classes = (label("bad", {"all": [yes("a"), {"fact": "uses", "includes": "y"}]}), label("fine", {"not": yes("a")}))
    text = law(classes=classes, facts=FACTS)

    question = next_question(text, {"a": True}, TODAY)

    assert question is not None
    assert (question.fact.id, question.matters) == ("uses", ("y",))
    assert [one.classes for one in question.decides] == [("bad",)]
    assert question.why.cites == (f"{INSTRUMENT}#bad",)
    assert "class bad" in question.why.as_text("en")


def test_what_rests_on_something_nobody_knows_is_not_pursued() -> None:
    classes = (label("bad", {"all": [yes("a"), yes("b")]}), label("fine", {"not": {"all": [yes("a"), yes("b")]}}))
    text = law(classes=classes, facts=FACTS)

    assert next_question(text, {"a": None}, TODAY).fact.id == "b", "no to it would still decide"
    assert next_question(text, {"a": None, "b": None}, TODAY) is None
    assert next_question(text, {"a": False}, TODAY) is None


def test_what_the_conditions_cannot_see_for_themselves_is_asked_last() -> None:
    classes = (label("bad", {"any": [yes("a"), {"not": yes("a")}]}),)
    text = law(classes=classes, facts=FACTS)

    answers: dict[str, Any] = {}

    assert [one.fact.id for one in held(text, answers, {"a": True})] == ["a"]
    assert strictest(text, answers) == "bad"


def test_an_occurrence_is_never_asked_to_classify() -> None:
    classes = (label("bad", {"any": [yes("incident.bad"), yes("a")]}),)
    text = law(norm("n", yes("incident.bad")), classes=classes)

    assert [one.fact.id for one in held(text, {}, {})] == ["a"]
    assert "incident.bad" in [one.fact.id for one in held(text, {}, {}, Goal.DUTIES)]


@pytest.mark.parametrize("value", [1e26, 1e26 + 1e24, 2e26, 0])
def test_numbers_too_long_to_count_by_one_still_decide(value: float) -> None:
    text = law(classes=(label("bad", {"fact": "size", "more_than": 1e26}),), facts=FACTS)

    assert [one.fact.id for one in held(text, {}, {"size": value})] == ["size"]
