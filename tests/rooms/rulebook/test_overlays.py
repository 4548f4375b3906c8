"""The text on a day is the first text with what was enacted by then, and each change is told exactly."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.rulebook.small import INSTRUMENT, TODAY, both, cond, fact, label, law, norm, parameter, term, yes

from safebelt.kernel.errors import Invalid
from safebelt.rooms.rulebook.decide import consolidate, judge, reading, text_on
from safebelt.rooms.rulebook.model import (
    Basis,
    Change,
    Deed,
    InForce,
    LawText,
    Overlay,
    OverlayStanding,
    Part,
    Provision,
    Rulebook,
    Start,
)

DAY = date(2026, 7, 27)
AMEND, ADD, REPEAL = Deed.AMEND, Deed.ADD, Deed.REPEAL


def change(deed, part, *ids, entry=None, values=None, **fields):
    return Change(deed=deed, part=part, ids=ids, entry=entry, fields=fields, values=values or {}, cites=("art. 1",))


def overlay(*changes, name="xx/act@1", on=DAY, draft=False):
    standing = OverlayStanding.DRAFT if draft else OverlayStanding.ENACTED
    return Overlay(
        id=name,
        title=both(name),
        instrument=INSTRUMENT,
        standing=standing,
        effective=on,
        basis=Basis.PRIMARY,
        changes=changes,
    )


def base(**more) -> LawText:
    entries = {
        "n": norm("n", yes("a"), in_force=InForce(from_=date(2026, 8, 2)), starts=(Start(when=cond(yes("b")), from_=date(2027, 1, 1)),)),
        "m": norm("m", {"term": "t"}), "t": term("t", yes("c")), "p": parameter("p", {date(2020, 1, 1): 10}),
        "q": norm("q", {"fact": "size", "at_least": {"param": "p"}}),
    } | more  # fmt: skip
    return law(
        *entries.values(),
        classes=(label("high", {"applies": ["n", "m"]}), label("low", {"not": {"applies": ["n", "m"]}})),
    )


CHANGES = (
    change(AMEND, Part.NORM, "n", in_force=InForce(from_=date(2027, 12, 2)), starts=None, when=cond(yes("d"))),
    change(REPEAL, Part.NORM, "m"),
    change(ADD, Part.NORM, entry=norm("new", yes("e"))),
    change(AMEND, Part.TERM, "t", when=cond(yes("b"))),
    change(AMEND, Part.PARAMETER, "p", values={DAY: 100}),
    change(AMEND, Part.CLASS, f"{INSTRUMENT}.high", when=cond({"applies": ["n"]})),
    change(AMEND, Part.CLASS, f"{INSTRUMENT}.low", when=cond({"not": {"applies": ["n"]}})),
    change(ADD, Part.FACT, entry=fact("f")),
)


def by_hand() -> LawText:
    """What the text should read like after `CHANGES`, written out."""
    entries = (
        norm("n", yes("d"), in_force=InForce(from_=date(2027, 12, 2))), term("t", yes("b")), parameter("p", {date(2020, 1, 1): 10, DAY: 100}),
        norm("q", {"fact": "size", "at_least": {"param": "p"}}), norm("new", yes("e")),
    )  # fmt: skip
    text = law(*entries, classes=(label("high", {"applies": ["n"]}), label("low", {"not": {"applies": ["n"]}})))
    return replace(text, facts={**text.facts, "f": fact("f")})


def outcome(judgment) -> dict:
    findings = {
        name: (one.verdict, one.in_force, one.effective, one.missing, one.status, one.why)
        for name, one in judgment.findings.items()
    }
    classes = {
        name: (one.truths, one.strictest, one.missing, one.barred_by, one.why) for name, one in judgment.classes.items()
    }
    return {"findings": findings, "classes": classes}


some_facts = st.fixed_dictionaries(
    {}, optional={**{name: st.booleans() for name in "abcdef"}, "size": st.sampled_from([5, 50, 500])}
)


@given(some_facts, st.sampled_from([DAY, TODAY, date(2027, 12, 2), date(2030, 1, 1)]))
@settings(max_examples=60)
def test_judging_the_amended_text_equals_judging_one_consolidated_by_hand(facts, on) -> None:
    rulebook = Rulebook(base=base(), enacted=(overlay(*CHANGES),))

    assert outcome(judge(text_on(rulebook, on), facts, on)) == outcome(judge(by_hand(), facts, on))


@given(some_facts)
@settings(max_examples=30)
def test_before_its_day_and_without_changes_an_overlay_changes_nothing(facts) -> None:
    before = DAY - timedelta(days=1)
    first = base()
    amended = Rulebook(base=first, enacted=(overlay(*CHANGES),))
    empty = Rulebook(base=first, enacted=(overlay(),))

    assert outcome(judge(text_on(amended, before), facts, before)) == outcome(judge(first, facts, before))
    assert outcome(judge(text_on(empty, TODAY), facts, TODAY)) == outcome(judge(first, facts, TODAY))
    assert consolidate(first, (overlay(),)).changes == ()


def test_the_two_texts_do_differ() -> None:
    rulebook = Rulebook(base=base(), enacted=(overlay(*CHANGES),))

    assert "m" in text_on(rulebook, DAY - timedelta(days=1)).norms
    assert "m" not in text_on(rulebook, DAY).norms
    assert text_on(rulebook, DAY).overlays == ("xx/act@1",)


def test_the_first_text_stays_as_it_was() -> None:
    first = base()
    kept = {name: dict(getattr(first, name)) for name in ("norms", "terms", "parameters", "facts", "instruments")}

    consolidate(first, (overlay(*CHANGES),))

    assert kept == {name: getattr(first, name) for name in kept}


def test_each_change_is_told_with_what_stood_before_and_after() -> None:
    done = consolidate(base(), (overlay(*CHANGES),))
    told = {(one.deed, one.part, one.id): one for one in done.changes}

    assert done.faults == ()
    assert list(told) == [
        (AMEND, "norm", "n"), (REPEAL, "norm", "m"), (ADD, "norm", "new"), (AMEND, "term", "t"), (AMEND, "parameter", "p"),
        (AMEND, "class", "xx/act.high"), (AMEND, "class", "xx/act.low"), (ADD, "fact", "f"),
    ]  # fmt: skip
    amended = told[AMEND, "norm", "n"]
    assert {one.field: (one.before, one.after) for one in amended.fields} == {
        "when": (cond(yes("a")), cond(yes("d"))), "in_force": (InForce(from_=date(2026, 8, 2)), InForce(from_=date(2027, 12, 2))),
        "starts": (base().norms["n"].starts, ()),
    }  # fmt: skip
    assert told[REPEAL, "norm", "m"].after is None
    assert told[ADD, "norm", "new"].before is None
    assert all(one.overlay == "xx/act@1" and one.cites == ("art. 1",) for one in done.changes)


def test_a_change_that_says_the_same_again_changes_no_field() -> None:
    done = consolidate(base(), (overlay(change(AMEND, Part.NORM, "n", when=cond(yes("a")))),))

    assert [one.fields for one in done.changes] == [()]


def test_everything_that_does_not_fit_is_named_at_once() -> None:
    wrong = overlay(
        change(AMEND, Part.NORM, "gone", when=None),
        change(REPEAL, Part.TERM, "gone_too"),
        change(ADD, Part.NORM, entry=norm("n")),
        change(ADD, Part.TERM, entry=norm("other")),
        change(AMEND, Part.NORM, "n", colour="red", id="x", title=None),
        change(AMEND, Part.TERM, "t", values={DAY: 3}),
        change(ADD, Part.CLASS),
    )

    done = consolidate(base(), (wrong,))
    said = [one.what.en for one in done.faults]

    assert len(said) == 9
    for part in (
        "no norm gone",
        "no term gone_too",
        "n is there already",
        "no term to add",
        "colour of n",
        "id of n",
        "without title",
        "t is no parameter",
        "no class to add",
    ):
        assert any(part in one for one in said), part
    assert done.changes == ()
    with pytest.raises(Invalid) as refused:
        text_on(Rulebook(base=base(), enacted=(wrong,)), TODAY)
    assert len(refused.value.details) == 9


def test_a_repeal_that_leaves_a_reference_behind_is_refused_before_anything_is_judged() -> None:
    rulebook = Rulebook(base=base(), enacted=(overlay(change(REPEAL, Part.TERM, "t")),))

    with pytest.raises(Invalid, match="no term t"):
        judge(text_on(rulebook, TODAY), {}, TODAY)


def test_overlays_take_effect_by_their_days_and_a_draft_only_if_it_is_asked_for() -> None:
    second = overlay(change(AMEND, Part.NORM, "new", when=cond(yes("a"))), name="xx/act@2", on=date(2027, 1, 1))
    draft = overlay(change(REPEAL, Part.NORM, "q"), name="draft", on=DAY, draft=True)
    rulebook = Rulebook(base=base(), enacted=(second, overlay(*CHANGES)), drafts=(draft,))

    assert text_on(rulebook, date(2027, 1, 1)).overlays == ("xx/act@1", "xx/act@2")
    assert "q" in text_on(rulebook, TODAY).norms
    tried = text_on(rulebook, TODAY, (draft,))
    assert (tried.overlays, "q" in tried.norms) == (("xx/act@1", "draft"), False)
    assert reading(tried, date(2027, 1, 1)).overlays == ("xx/act@1", "draft", "xx/act@2")
    assert reading(tried, date(2020, 1, 1)).overlays == ()


def test_the_same_state_of_the_text_is_the_same_object() -> None:
    rulebook = Rulebook(base=base(), enacted=(overlay(*CHANGES),))

    assert text_on(rulebook, DAY) is text_on(rulebook, TODAY)
    assert text_on(rulebook, DAY) is not text_on(rulebook, DAY - timedelta(days=1))


def test_a_provision_is_added_amended_and_repealed() -> None:
    def provision(eid, words):
        return Provision(
            id=f"{INSTRUMENT}#{eid}", instrument=INSTRUMENT, eid=eid, summary=both(words), basis=Basis.PRIMARY
        )

    first = replace(base(), provisions={one.id: one for one in (provision("a", "old"), provision("b", "old"))})
    done = consolidate(
        first,
        (
            overlay(
                change(ADD, Part.PROVISION, entry=provision("c", "new")),
                change(AMEND, Part.PROVISION, f"{INSTRUMENT}#a", summary=both("new")),
                change(REPEAL, Part.PROVISION, f"{INSTRUMENT}#b"),
            ),
        ),
    )

    assert {name: one.summary.en for name, one in done.text.provisions.items()} == {
        f"{INSTRUMENT}#a": "new",
        f"{INSTRUMENT}#c": "new",
    }
