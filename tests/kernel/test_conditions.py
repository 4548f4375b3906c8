"""Kleene's laws hold, unknown is never taken for an answer, and only what matters is asked for."""

from datetime import UTC, date, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safebelt.kernel.conditions import (
    OPERATORS,
    TAKES_A_LIST,
    Condition,
    Judged,
    Truth,
    conjunction,
    disjunction,
    negate,
)

T, F, U = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN
truths = st.sampled_from([T, F, U])
several = st.lists(truths, max_size=5).map(tuple)

# Kleene 1952, section 64: the strong tables, written out by hand.
AND = {(T, T): T, (T, F): F, (T, U): U, (F, T): F, (F, F): F, (F, U): F, (U, T): U, (U, F): F, (U, U): U}
OR = {(T, T): T, (T, F): T, (T, U): T, (F, T): T, (F, F): F, (F, U): U, (U, T): T, (U, F): U, (U, U): U}


@pytest.mark.parametrize("pair", list(product([T, F, U], repeat=2)))
def test_the_tables_are_kleenes(pair) -> None:
    assert (conjunction(pair), disjunction(pair)) == (AND[pair], OR[pair])
    assert [negate(t) for t in (T, F, U)] == [F, T, U]


@given(several, several)
def test_de_morgan_holds(left, right) -> None:
    assert negate(conjunction(left + right)) == disjunction(tuple(map(negate, left + right)))
    assert negate(disjunction(left + right)) == conjunction(tuple(map(negate, left + right)))


@given(several, several, several)
def test_all_and_any_are_associative_commutative_and_idempotent(a, b, c) -> None:
    for combine in (conjunction, disjunction):
        assert combine(a + b) == combine(b + a) == combine((combine(a), combine(b)))
        assert combine((combine(a + b), combine(c))) == combine((combine(a), combine(b + c)))
        assert combine(a + a) == combine(a)


@given(truths, truths)
def test_absorption_and_double_negation_hold(a, b) -> None:
    assert conjunction((a, disjunction((a, b)))) == a == disjunction((a, conjunction((a, b))))
    assert negate(negate(a)) == a


# --- trees -------------------------------------------------------------------------------------------------------

FACTS = ("a", "b", "c", "d")


def leaf(fact: str) -> dict:
    return {"fact": fact, "is": True}


def grow(children):
    groups = st.lists(children, min_size=1, max_size=3)
    return (
        groups.map(lambda parts: {"all": parts})
        | groups.map(lambda parts: {"any": parts})
        | children.map(lambda part: {"not": part})
    )


trees = st.recursive(st.sampled_from(FACTS).map(leaf), grow, max_leaves=6)
partial_facts = st.dictionaries(st.sampled_from(FACTS), st.booleans() | st.none())


@st.composite
def read_once_trees(draw):
    """Trees that mention each fact at most once."""

    def build(facts):
        if len(facts) == 1:
            node = leaf(facts[0])
        else:
            cut = draw(st.integers(1, len(facts) - 1))
            node = {draw(st.sampled_from(["all", "any"])): [build(facts[:cut]), build(facts[cut:])]}
        return {"not": node} if draw(st.booleans()) else node

    return build(draw(st.permutations(FACTS))[: draw(st.integers(1, 4))])


def completions(facts, open_facts):
    for values in product([True, False, None], repeat=len(open_facts)):
        yield {**facts, **dict(zip(open_facts, values, strict=True))}


def can_change(condition, facts, fact) -> bool:
    """By brute force: in some state of the other open facts, knowing this one changes the result."""
    others = [f for f in FACTS if facts.get(f) is None and f != fact]
    return any(
        len({condition.judge({**world, fact: value}).holds for value in (True, False, None)}) > 1
        for world in completions(facts, others)
    )


def classical(tree, facts) -> bool:
    """An independent two-valued evaluator."""
    match tree:
        case {"all": parts}:
            return all(classical(p, facts) for p in parts)
        case {"any": parts}:
            return any(classical(p, facts) for p in parts)
        case {"not": part}:
            return not classical(part, facts)
    return facts[tree["fact"]]


@given(trees, st.fixed_dictionaries({fact: st.booleans() for fact in FACTS}))
def test_with_all_facts_known_it_is_ordinary_logic_and_asks_for_nothing(tree, facts) -> None:
    judged = Condition.parse(tree).judge(facts)

    assert judged.holds is Truth.of(classical(tree, facts))
    assert judged.missing == ()


@given(trees, partial_facts, st.sampled_from(FACTS), st.booleans())
def test_a_verdict_reached_without_a_fact_is_never_overturned_by_it(tree, facts, fact, value) -> None:
    condition = Condition.parse(tree)
    before = condition.judge(facts).holds

    if before is not U and facts.get(fact) is None:
        assert condition.judge({**facts, fact: value}).holds is before


@given(trees, partial_facts)
def test_unknown_becomes_true_or_false_only_if_the_open_facts_cannot_matter(tree, facts) -> None:
    open_facts = [fact for fact in FACTS if facts.get(fact) is None]
    outcomes = {
        classical(tree, {**facts, **dict(zip(open_facts, v, strict=True))})
        for v in product([True, False], repeat=len(open_facts))
    }
    judged = Condition.parse(tree).judge(facts)

    if judged.holds is not U:
        assert outcomes == {judged.holds is T}
    assert (judged.holds is U) is bool(judged.missing)


@given(read_once_trees(), partial_facts)
def test_missing_names_exactly_the_facts_that_can_change_the_result(tree, facts) -> None:
    condition = Condition.parse(tree)
    open_facts = {fact for fact in FACTS if facts.get(fact) is None}

    assert set(condition.judge(facts).missing) == {f for f in open_facts if can_change(condition, facts, f)}


@given(trees, partial_facts)
def test_missing_never_leaves_out_a_fact_that_can_change_the_result(tree, facts) -> None:
    condition = Condition.parse(tree)
    open_facts = {fact for fact in FACTS if facts.get(fact) is None}
    missing = condition.judge(facts).missing

    assert {f for f in open_facts if can_change(condition, facts, f)} <= set(missing)
    assert len(set(missing)) == len(missing)


def test_missing_facts_come_in_the_order_of_first_mention() -> None:
    tree = {"all": [leaf("b"), {"any": [leaf("a"), leaf("b")]}, leaf("c")]}

    assert Condition.parse(tree).judge({}).missing == ("b", "a", "c")


# --- operators ---------------------------------------------------------------------------------------------------

CASES = [
    ("is", "x", "x", T), ("is", "x", "y", F), ("is", 1, True, F), ("is", True, 1, F), ("is", 1, 1.0, T), ("is", False, 0, F),
    ("one_of", "a", ["a", "b"], T), ("one_of", "c", ["a", "b"], F), ("one_of", True, [1], F),
    ("includes", ["a", "b"], "a", T), ("includes", ["a"], "b", F), ("includes", "text", "t", U), ("includes", [1], True, F),
    ("includes_any", ["a", "b"], ["c", "b"], T), ("includes_any", ["a"], ["b", "c"], F), ("includes_any", (), ["b"], F), ("includes_any", "bc", ["b"], U), ("includes_any", [1], [True], F),
    ("at_least", 18, 18, T), ("at_least", 17, 18, F), ("more_than", 18, 18, F), ("at_most", 18, 18, T), ("less_than", 18, 18, F),
    ("more_than", 19, 18, T), ("at_most", 19, 18, F), ("less_than", 17.5, 18, T), ("at_least", "18", 18, U), ("at_least", date(2026, 1, 2), date(2026, 1, 1), T),
    ("less_than", datetime(2026, 1, 1, tzinfo=UTC), date(2027, 1, 1), U),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "fact", "constant", "expected"), CASES)
def test_operators_compare_like_with_like(operator, fact, constant, expected) -> None:
    judged = Condition.parse({"fact": "x", operator: constant}).judge({"x": fact})

    assert judged.holds is expected
    assert judged.missing == (("x",) if expected is U else ())


def test_every_operator_has_a_case_on_both_sides() -> None:
    assert {(op, want) for op, _, _, want in CASES if want is not U} == set(product(OPERATORS, [T, F]))


@pytest.mark.parametrize("operator", list(OPERATORS))
def test_an_absent_fact_and_a_null_are_unknown_to_every_operator(operator) -> None:
    condition = Condition.parse({"fact": "x", operator: ["a"] if operator in TAKES_A_LIST else 1})

    assert condition.judge({}).holds is condition.judge({"x": None}).holds is U


@pytest.mark.parametrize(
    "tree",
    [
        None, "age", [], {}, {"all": []}, {"any": []}, {"all": {}}, {"not": []}, {"fact": "x"}, {"fact": 3, "is": 1},
        {"fact": "x", "is": 1, "at_least": 2}, {"fact": "x", "equals": 1}, {"all": [leaf("a")], "any": [leaf("b")]},
        {"fact": "x", "one_of": "abc"}, {"fact": "x", "one_of": []}, {"fact": "x", "includes_any": "abc"}, {"term": "t"}, {"applies": ["n"]}, {"fact": "x", "at_least": None}, {"fact": "x", 1: 2},
    ],
)  # fmt: skip
def test_what_is_no_condition_is_refused_with_what_is_allowed(tree) -> None:
    with pytest.raises(ValueError, match="not a condition") as error:
        Condition.parse({"all": [leaf("a"), tree]})

    assert repr(tree["not"] if isinstance(tree, dict) and "not" in tree else tree) in str(error.value)
    assert all(operator in str(error.value) for operator in OPERATORS)


def test_a_judgment_keeps_its_parts_so_that_it_can_be_explained() -> None:
    judged = Condition.parse({"any": [leaf("a"), {"not": leaf("b")}]}).judge({"a": False})

    assert [part.holds for part in judged.because] == [F, U]
    assert judged.because[1].of.form == "not"
    assert [truth.mark for truth in (T, F, U)] == ["+", "-", "?"]


# --- names -------------------------------------------------------------------------------------------------------


class Book:
    """Terms, rules and parameters as plain data."""

    def __init__(self, names: dict, facts: dict, parameters: dict) -> None:
        self.names, self.facts, self.parameters = names, facts, parameters

    def parameter(self, name: str):
        return self.parameters.get(name)

    def term(self, name: str) -> Judged:
        return Condition.parse(self.names[name], has_names=True).judge(self.facts, self)

    applies = term


def judged(tree, facts=None, names=None, parameters=None) -> Judged:
    facts = facts or {}
    return Condition.parse(tree, has_names=True).judge(facts, Book(names or {}, facts, parameters or {}))


@given(st.data(), trees, partial_facts)
def test_naming_a_part_of_a_condition_changes_neither_its_result_nor_what_it_asks_for(data, tree, facts) -> None:
    names = {}

    def hidden(node):
        grown = {
            form: hidden(part) if form == "not" else [hidden(p) for p in part]
            for form, part in node.items()
            if form != "fact" and form != "is"
        } or node
        if not data.draw(st.booleans()):
            return grown
        names[name := f"n{len(names)}"] = grown
        return {data.draw(st.sampled_from(["term", "applies"])): name}

    plain, named = Condition.parse(tree).judge(facts), judged(hidden(tree), facts, names)

    assert (named.holds, named.missing) == (plain.holds, plain.missing)


def test_applies_with_several_rules_holds_as_soon_as_one_does() -> None:
    names = {"one": leaf("a"), "two": leaf("b")}

    assert judged({"applies": ["one", "two"]}, {"b": True}, names).holds is T
    assert judged({"applies": ["one", "two"]}, {"a": False, "b": False}, names).holds is F
    assert judged({"applies": ["one", "two"]}, {"b": False}, names).missing == ("a",)


def test_a_parameter_stands_for_its_value_and_without_one_nothing_is_known() -> None:
    tree = {"fact": "size", "at_least": {"param": "limit"}}

    assert [judged(tree, {"size": n}, parameters={"limit": 10}).holds for n in (9, 10)] == [F, T]
    assert judged(tree, {"size": 10}).holds is U


@pytest.mark.parametrize(
    "tree",
    [{"term": ""}, {"term": ["a"]}, {"term": "a", "is": True}, {"applies": []}, {"applies": [3]}, {"fact": "x", "at_least": {"param": "a", "b": 1}}, {"fact": "x", "like": {"param": "a"}}],
)  # fmt: skip
def test_a_name_that_is_none_is_refused(tree) -> None:
    with pytest.raises(ValueError, match="not a condition"):
        Condition.parse(tree, has_names=True)


@pytest.mark.parametrize("tree", [{"term": "t"}, {"applies": "n"}, {"fact": "x", "at_least": {"param": "p"}}])
def test_a_condition_with_names_is_not_judged_without_what_they_stand_for(tree) -> None:
    with pytest.raises(ValueError, match=r"names '[tnp]'"):
        Condition.parse(tree, has_names=True).judge({"x": 1})
