"""The strictest class is unknown while a stricter one could hold; only verified red lines in force bar."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.rulebook.small import INSTRUMENT, TODAY, U, label, law, norm, term, yes

from safebelt.kernel.conditions import Truth
from safebelt.rooms.rulebook.decide import exit_code, judge
from safebelt.rooms.rulebook.model import InForce, Modality

LATER = date(2027, 12, 2)


def ban(name="ban", fact="a", **more):
    return norm(name, yes(fact), **{"modality": Modality.MUST_NOT, "red_line": True} | more)


CLASSES = (
    label("prohibited", {"applies": ["ban"]}, bars=True),
    label("high", {"term": "high"}),
    label("minimal", {"not": {"any": [{"applies": ["ban"]}, {"term": "high"}]}}),
)
TEXT = law(ban(), term("high", {"any": [yes("b"), yes("c")]}), classes=CLASSES)


def result(facts, text=TEXT, on=TODAY):
    return judge(text, facts, on).classes[INSTRUMENT]


@pytest.mark.parametrize(
    ("facts", "strictest", "holding", "missing", "code"),
    [
        ({"a": True, "b": True}, "prohibited", ("prohibited", "high"), (), 1),
        ({"a": True}, "prohibited", ("prohibited",), (), 1),
        ({"a": False, "b": True}, "high", ("high",), (), 0),
        ({"b": True}, "unknown", ("high",), ("a",), 3),
        ({"a": False, "b": False, "c": False}, "minimal", ("minimal",), (), 0),
        ({"a": False, "b": False}, "unknown", (), ("c",), 3),
        ({}, "unknown", (), ("a", "b", "c"), 3),
    ],
)
def test_the_strictest_class_and_what_could_still_change_it(facts, strictest, holding, missing, code) -> None:
    got = result(facts)

    assert (got.strictest, got.all, got.missing) == (strictest, holding, missing)
    assert exit_code(judge(TEXT, facts, TODAY)) == code
    assert got.why.cites


def test_where_no_class_holds_and_none_can_there_is_none() -> None:
    got = result({"a": False}, law(classes=(label("only", yes("a")),)))

    assert (got.strictest, got.all, got.missing, got.why.holds) == ("", (), (), Truth.TRUE)
    assert "in none of the classes" in got.why.as_text("en")


def test_only_the_instruments_asked_for_are_judged() -> None:
    assert judge(TEXT, {}, TODAY, ["other/act"]).classes == {}
    assert judge(TEXT, {}, TODAY, ["other/act"]).findings == {}
    assert exit_code(judge(TEXT, {}, TODAY, ["other/act"])) == 0
    assert set(judge(TEXT, {}, TODAY, [INSTRUMENT]).classes) == {INSTRUMENT}


def test_an_unverified_prohibition_is_shown_and_neither_bars_nor_counts() -> None:
    text = law(ban(status=U), term("high", yes("b")), classes=CLASSES)
    got = result({"a": True}, text)

    assert (got.strictest, got.status, got.barred_by) == ("prohibited", "unverified", ())
    assert exit_code(judge(text, {"a": True}, TODAY)) == 0
    assert "not verified" in got.why.as_text("en")
    assert (result({"a": True}).status, result({"a": True}).barred_by) == ("verified", ("ban",))


def test_a_class_is_verified_only_if_that_nothing_stricter_holds_is_too() -> None:
    text = law(ban(), term("high", yes("b"), status=U), classes=CLASSES)

    assert result({"a": False, "b": False}, text).status == "unverified"
    assert result({"a": True, "b": False}, text).status == "verified"
    assert result({"a": False, "b": False, "c": False}).status == "verified"


def test_a_class_that_bars_without_a_red_line_behind_it_does_not_bar() -> None:
    text = law(ban(red_line=False), term("high", yes("b")), classes=CLASSES)

    assert (result({"a": True}, text).strictest, result({"a": True}, text).barred_by) == ("prohibited", ())
    assert exit_code(judge(text, {"a": True}, TODAY)) == 0


def test_a_red_line_behind_a_class_that_does_not_bar_and_a_class_that_rests_on_unverified_law_bar_nothing() -> None:
    plain = law(ban(), classes=(label("watched", {"applies": ["ban"]}),))
    shaky = law(
        ban(),
        term("t", yes("b"), status=U),
        classes=(label("prohibited", {"all": [{"term": "t"}, {"applies": ["ban"]}]}, bars=True),),
    )

    assert (result({"a": True}, plain).strictest, result({"a": True}, plain).barred_by) == ("watched", ())
    assert (result({"a": True, "b": True}, shaky).strictest, result({"a": True, "b": True}, shaky).barred_by) == (
        "prohibited",
        (),
    )


def test_a_prohibition_to_come_makes_no_class_today_and_is_listed_with_its_day() -> None:
    text = law(ban(in_force=InForce(from_=LATER)), term("high", yes("b")), classes=CLASSES)
    got = result({"a": True, "b": False}, text)

    assert (got.strictest, exit_code(judge(text, {"a": True, "b": False}, TODAY))) == ("minimal", 0)
    assert [(one.class_id, one.on, one.norms) for one in got.coming] == [("prohibited", LATER, ("ban",))]
    assert result({"a": False, "b": False}, text).coming == ()
    then = result({"a": True, "b": False}, text, on=LATER)
    assert (then.strictest, then.barred_by, then.coming) == ("prohibited", ("ban",), ())


def test_a_red_line_to_come_that_leads_to_no_class_is_listed_all_the_same() -> None:
    text = law(ban("other", in_force=InForce(from_=LATER)), ban(), term("high", yes("b")), classes=CLASSES)

    assert [(one.class_id, one.on, one.norms) for one in result({"a": True}, text).coming] == [("", LATER, ("other",))]


def test_a_class_that_a_prohibition_leaves_when_it_ends_is_not_coming() -> None:
    text = law(ban(in_force=InForce(from_=date(2020, 1, 1), until=LATER)), term("high", yes("b")), classes=CLASSES)

    assert [(one.class_id, one.on) for one in result({"a": True, "b": False}, text).coming] == [("minimal", LATER)]


def test_the_reason_of_an_open_class_shows_what_is_open_and_not_what_is_excluded() -> None:
    said = result({"b": False, "c": False}).why.as_text("en")

    assert "a stricter class may still hold" in said
    assert "class prohibited" in said
    assert "class high" not in said


@given(st.dictionaries(st.sampled_from("abc"), st.booleans()), st.dictionaries(st.sampled_from("abc"), st.booleans()))
@settings(max_examples=60)
def test_a_class_established_stays_and_a_strictest_class_known_stays(facts, more) -> None:
    before, after = result(facts), result({**more, **facts})

    assert set(before.all) <= set(after.all)
    assert before.strictest in ("unknown", after.strictest)
    assert (before.strictest == "unknown") is bool(before.missing)
    assert set(before.barred_by) <= set(after.barred_by)
