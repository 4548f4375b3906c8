"""Every comparison is said as people would say it, in both languages, with what is known beside it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.rulebook.small import FACTS, PAST, TODAY, U, cond, derived, fact, law, norm, parameter, term, yes

from safebelt.kernel.conditions import Condition, Truth
from safebelt.rooms.rulebook.decide import Walker, judge, leaves, overriders
from safebelt.rooms.rulebook.decide.saying import known, number
from safebelt.rooms.rulebook.model import FactType, InForce

MANY = tuple(f"o{i}" for i in range(12))
DECLARED = (*FACTS, fact("many", FactType.SOME_OF, *MANY), fact("name", FactType.TEXT))
LIMIT = parameter("limit", {PAST: 1e25})


def said(tree, facts, lang="en"):
    """What the reason says of the norm's only comparison."""
    text = law(norm("n", tree), LIMIT, facts=DECLARED)
    return judge(text, facts, TODAY).findings["n"].why.because[0].says.in_(lang)


@pytest.mark.parametrize(
    ("tree", "facts", "en", "zh"),
    [
        (yes("a"), {"a": True}, "a: yes", "中文a：是"),
        (yes("a"), {"a": False}, "a: yes (known: no)", "中文a：是（已知：否）"),
        (yes("a"), {}, "a: yes (not known)", "中文a：是（尚不清楚）"),
        ({"fact": "kind", "is": "red"}, {"kind": "red"}, "kind: red", "中文kind：中文red"),
        ({"fact": "kind", "one_of": ["red", "blue"]}, {"kind": "green"}, "kind: one of red, blue (known: green)", "中文kind：为以下之一：中文red、中文blue（已知：中文green）"),
        ({"fact": "uses", "includes": "x"}, {"uses": ["y", "x"]}, "uses: includes x", "中文uses：包含中文x"),
        ({"fact": "uses", "includes": "x"}, {"uses": []}, "uses: includes x (known: none)", "中文uses：包含中文x（已知：无）"),
        ({"fact": "size", "at_least": 25_000_000}, {"size": 30}, "size: at least 25,000,000 people (known: 30 people)", "中文size：不少于 25,000,000 人（已知：30 人）"),
        ({"fact": "size", "less_than": 0.35}, {"size": 1}, "size: less than 0.35 people (known: 1 people)", "中文size：少于 0.35 人（已知：1 人）"),
        ({"fact": "size", "more_than": {"param": "limit"}}, {}, "size: more than 10^25 people (limit limit) (not known)", "中文size：超过 10^25 人（中文limit limit）（尚不清楚）"),
        ({"fact": "launched", "at_least": date(2026, 8, 2)}, {"launched": date(2026, 1, 1)}, "launched: on or after 2026-08-02 (known: 2026-01-01)", "中文launched：不早于 2026-08-02（已知：2026-01-01）"),
        ({"fact": "name", "is": "Ada"}, {"name": "Ada"}, "name: Ada", "中文name：Ada"),
        (
            {"fact": "many", "includes_any": list(MANY)}, {},
            "many: includes any of o0, o1, o2, o3, o4, o5, o6, o7 and 4 more (not known)", "中文many：包含以下任一项：中文o0、中文o1、中文o2、中文o3、中文o4、中文o5、中文o6、中文o7等共 12 项（尚不清楚）",
        ),
    ],
)  # fmt: skip
def test_a_comparison_is_said_in_words(tree, facts, en, zh) -> None:
    assert (said(tree, facts), said(tree, facts, "zh")) == (en, zh)


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0"), (1e25, "10^25"), (2.5e25, "2.5×10^25"), (1234.5, "1,234.5"), (5e5, "500,000"), (-3, "-3")],
)
def test_a_number_is_written_as_people_write_it(value, words) -> None:
    assert number(value) == words


def test_members_of_a_set_are_told_in_the_order_of_the_options_whatever_order_they_came_in() -> None:
    uses = next(one for one in FACTS if one.id == "uses")

    assert known(uses, frozenset({"z", "x"})).en == known(uses, ("z", "x")).en == "x, z"


# --- what is left out of a reason --------------------------------------------------------------------------------


def lines(tree, facts, *entries):
    return judge(law(norm("n", tree), *entries), facts, TODAY).findings["n"].why.as_text("en").splitlines()[1:-1]


def test_of_an_any_that_holds_only_what_holds_is_told_and_of_an_all_that_fails_only_what_fails() -> None:
    assert lines({"any": [yes("a"), yes("b"), yes("c")]}, {"a": False, "b": True}) == ["  [+] b: yes"]
    assert lines({"all": [yes("a"), yes("b"), yes("c")]}, {"a": False, "b": True}) == ["  [-] a: yes (known: no)"]


def test_an_open_any_tells_what_is_open_and_an_open_all_tells_everything() -> None:
    assert lines({"any": [yes("a"), yes("b")]}, {"a": False}) == ["  [?] b: yes (not known)"]
    assert lines({"all": [yes("a"), yes("b")]}, {"a": True}) == [
        "  [?] all of these hold",
        "    [+] a: yes",
        "    [?] b: yes (not known)",
    ]


def test_an_all_within_an_all_is_told_as_one_list() -> None:
    assert lines({"all": [yes("a"), {"all": [yes("b"), {"all": [yes("c")]}]}]}, dict.fromkeys("abc", True)) == [
        "  [+] all of these hold", "    [+] a: yes", "    [+] b: yes", "    [+] c: yes",
    ]  # fmt: skip


def test_twice_not_is_told_as_not_at_all_and_once_with_its_part() -> None:
    assert lines({"not": {"not": yes("a")}}, {"a": True}) == ["  [+] a: yes"]
    assert lines({"not": {"not": {"all": [{"not": yes("a")}]}}}, {"a": True}) == ["  [-] not: a: yes"]


def test_a_derived_fact_is_told_with_the_row_that_decided_it_and_what_it_cites() -> None:
    grade = derived("grade", [(yes("a"), 5), (yes("b"), 3)], 1)
    why = (
        judge(law(norm("n", {"fact": "grade", "at_least": 3}), grade), {"a": False, "b": True}, TODAY).findings["n"].why
    )

    assert [reason.says.en for _, reason in why.walk()][1:3] == ["derived grade: at least 3 (known: 3)", "b: yes"]
    assert why.because[0].cites == ("xx/act#grade",)


def test_a_norm_within_a_reason_shows_its_time_and_what_overrides_it() -> None:
    base, free = norm("base", in_force=InForce(from_=date(2027, 12, 2))), norm("free", yes("a"), overrides=("done",))
    got = lines({"any": [{"applies": "base"}, {"applies": "done"}]}, {"a": True}, base, norm("done"), free)

    assert "    [-] “duty base” applies on 2026-11-22" in got
    assert "      [-] in force now (it is only from 2027-12-02 on)" in got
    assert "      [-] it is not overridden by “duty free”" in got


def test_an_unverified_term_is_marked_where_it_is_named() -> None:
    assert lines({"term": "t"}, {"a": True}, term("t", yes("a"), status=U))[0] == "  [+] “term t” is met (unverified)"
    assert lines({"term": "t"}, {"a": True}, term("t", yes("a")))[0] == "  [+] “term t” is met"


@given(st.recursive(st.sampled_from([yes("a"), yes("b"), yes("c")]), lambda t: st.lists(t, min_size=1, max_size=3).flatmap(lambda p: st.sampled_from([{"all": p}, {"any": p}, {"not": p[0]}])), max_leaves=6), st.dictionaries(st.sampled_from("abc"), st.booleans()))  # fmt: skip
def test_what_a_reason_tells_suffices_for_what_it_concludes(tree, facts) -> None:
    text = law(norm("n", tree))
    why = judge(text, facts, TODAY).findings["n"].why
    told = {
        name
        for name in facts
        for _, reason in why.walk()
        if reason.says.en.removeprefix("not: ").startswith(f"{name}:")
    }

    again = judge(text, {name: facts[name] for name in told}, TODAY).findings["n"].why.holds

    assert why.holds in (Truth.UNKNOWN, again)


# --- walking -----------------------------------------------------------------------------------------------------

BOOK = law(
    LIMIT, derived("grade", [(yes("d"), 5)], 1), term("t", {"all": [yes("b"), {"fact": "grade", "is": 5}]}),
    norm("base", {"term": "t"}), norm("free", yes("c"), overrides=("base",), status=U), norm("n", {"any": [yes("a"), {"applies": "base"}]}),
    norm("alone", {"fact": "size", "at_least": {"param": "limit"}}),
)  # fmt: skip


def test_a_norm_reaches_everything_it_rests_on_through_names_and_overrides() -> None:
    reach = Walker(BOOK).from_norm("n")

    assert (list(reach.facts), list(reach.terms), list(reach.norms), list(reach.derived)) == (
        ["a", "b", "d", "c"],
        ["t"],
        ["base", "free"],
        ["grade"],
    )
    assert reach.is_shaky(BOOK)
    assert list(Walker(BOOK).from_norm("alone").parameters) == ["limit"]
    assert not Walker(BOOK).from_norm("alone").is_shaky(BOOK)


def test_leaves_come_in_order_of_mention_and_overriders_by_id() -> None:
    condition = cond({"all": [yes("b"), {"not": {"any": [yes("a"), {"term": "t"}]}}]})

    assert [leaf.fact or leaf.names[0] for leaf in leaves(condition, None)] == ["b", "a", "t"]
    assert overriders(law(norm("z", overrides=("n",)), norm("y", overrides=("n",)), norm("n"))) == {"n": ("y", "z")}
    assert isinstance(next(leaves(condition)), Condition)
