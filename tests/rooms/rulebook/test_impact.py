"""What a change of the law does to one system, and the 2026 amendment of the EU's AI Act as the first case."""

from dataclasses import replace
from datetime import date

import pytest
from tests.rooms.rulebook.columns.shipped import LAW, shipped
from tests.rooms.rulebook.small import INSTRUMENT, PAST, TODAY, Basis, both, cond, fact, label, law, norm, yes

from safebelt.rooms.rulebook.columns.impact import impact
from safebelt.rooms.rulebook.columns.population import described, from_folder
from safebelt.rooms.rulebook.decide import consolidate, judge
from safebelt.rooms.rulebook.decide.impact import (
    Count,
    Effect,
    Gained,
    Moved,
    Regraded,
    divisions,
    effect,
    effect_on,
    reform,
)
from safebelt.rooms.rulebook.model import (
    Change,
    Deed,
    Description,
    FactValue,
    InForce,
    Modality,
    Overlay,
    OverlayStanding,
    Part,
    Rulebook,
    Start,
)

LATER = date(2027, 8, 2)


def effect_of(before, after, facts, on=TODAY):
    return effect(judge(before, facts, on), judge(after, facts, on))


# --- one system --------------------------------------------------------------------------------------------------


def test_a_duty_that_begins_is_gained_with_its_first_day_and_one_that_ends_is_lost() -> None:
    before = law(norm("old", yes("a")))
    after = law(norm("new", yes("a"), in_force=InForce(from_=LATER)))

    found = effect_of(before, after, {"a": True})

    assert found == Effect(gained=(Gained(norm="new", from_=LATER),), lost=("old",))
    assert found.is_felt


def test_a_duty_whose_last_day_has_come_is_lost() -> None:
    ends = InForce(from_=PAST, until=TODAY)

    assert effect_of(law(norm("n", yes("a"))), law(norm("n", yes("a"), in_force=ends)), {"a": True}).lost == ("n",)


def test_rights_and_exemptions_are_told_apart_from_duties() -> None:
    before = law(norm("r", yes("a"), modality=Modality.MAY))
    after = law(norm("e", yes("a"), modality=Modality.EXEMPT))

    assert effect_of(before, after, {"a": True}) == Effect(
        rights_gained=(Gained(norm="e", from_=PAST),), rights_lost=("r",)
    )


def test_a_duty_that_was_open_and_now_applies_is_gained_and_one_that_is_now_a_question_is_opened() -> None:
    asks, settles = law(norm("n", {"all": [yes("a"), yes("b")]})), law(norm("n", yes("a")))

    assert effect_of(asks, settles, {"a": True}).gained == (Gained(norm="n", from_=PAST),)
    opened = effect_of(settles, asks, {"a": True})
    assert opened == Effect(opened=("n",))
    assert not opened.is_felt


def test_a_first_day_that_moves_is_told_with_both_days_also_where_facts_choose_it() -> None:
    before = law(norm("n", yes("a"), starts=(Start(when=cond(yes("b")), from_=TODAY),)))
    after = law(norm("n", yes("a"), starts=(Start(when=cond(yes("b")), from_=LATER),)))

    assert effect_of(before, after, {"a": True, "b": True}).moved == (Moved(norm="n", before=TODAY, after=LATER),)
    assert effect_of(before, after, {"a": True, "b": False}) == Effect()
    assert effect_of(before, after, {"a": False, "b": True}) == Effect()


def test_another_strictest_class_is_told_with_both_and_none_is_a_class_too() -> None:
    before, after = law(classes=(label("strict", yes("a")),)), law(classes=(label("strict", yes("b")),))

    assert effect_of(before, after, {"a": True, "b": False}).regraded == (
        Regraded(instrument=INSTRUMENT, before="strict", after=""),
    )
    assert effect_of(before, after, {"a": False}).regraded == (
        Regraded(instrument=INSTRUMENT, before="", after="unknown"),
    )
    assert effect_of(before, after, {"a": True, "b": True}).regraded == ()


# --- a change of the text ----------------------------------------------------------------------------------------


def overlay(name="xx@1", *, standing=OverlayStanding.DRAFT, effective=TODAY, when="b"):
    change = Change(deed=Deed.AMEND, part=Part.NORM, ids=("n",), fields={"when": cond(yes(when))})
    return Overlay(
        id=name, title=both(name), instrument=INSTRUMENT, standing=standing, effective=effective, basis=Basis.PRIMARY, changes=(change,)
    )  # fmt: skip


def test_a_draft_is_added_and_an_enacted_change_taken_away() -> None:
    text = law(norm("n", yes("a")))
    draft, enacted = overlay(), overlay(standing=OverlayStanding.ENACTED)

    proposed = reform(Rulebook(base=text), draft)
    made = reform(Rulebook(base=text, enacted=(enacted,)), enacted)

    for change in (proposed, made):
        assert change.on == TODAY
        assert change.changed(Part.NORM) == ("n",)
        assert change.changed(Part.PROVISION) == ()
        assert effect_on(change, {"a": False, "b": True}).gained == (Gained(norm="n", from_=PAST),)
        assert effect_on(change, {"a": True, "b": False}).lost == ("n",)


def test_before_its_day_a_change_does_nothing() -> None:
    draft = overlay(effective=LATER)

    change = reform(Rulebook(base=law(norm("n", yes("a")))), draft, TODAY)

    assert change.changes == ()
    assert effect_on(change, {"a": True, "b": False}) == Effect()


def test_a_draft_is_measured_against_the_law_as_enacted() -> None:
    enacted = overlay("xx@1", standing=OverlayStanding.ENACTED, when="b")
    draft = overlay("xx@2", when="c")

    change = reform(Rulebook(base=law(norm("n", yes("a"))), enacted=(enacted,)), draft)

    assert effect_on(change, {"a": True, "b": True, "c": False}).lost == ("n",)
    assert effect_on(change, {"a": True, "b": False, "c": False}) == Effect()
    assert [one.overlay for one in change.changes] == ["xx@2"]


def test_the_same_change_asked_for_again_is_the_same_text() -> None:
    rulebook, draft = Rulebook(base=law(norm("n", yes("a")))), overlay()

    assert reform(rulebook, draft).before is reform(rulebook, draft).before


def test_counts_add_up_and_nobody_has_no_share() -> None:
    assert Count(systems=2, affected=1) + Count(systems=2, moved=1) == Count(systems=4, affected=1, moved=1)
    assert Count(systems=4, affected=1).share == 0.25
    assert Count().share is None


def test_a_fact_without_groups_divides_by_its_options_and_one_that_is_not_there_not_at_all() -> None:
    text = law(facts=(fact("kind", type(fact("x").type).ONE_OF, "red", "blue"),))

    assert [(name, options) for name, _, options in divisions(text, "kind")] == [("red", ("red",)), ("blue", ("blue",))]
    assert divisions(text, "nothing") == ()


# --- the 2026 amendment on the 2024 text -------------------------------------------------------------------------

FIRST_DAY, BAN = date(2026, 7, 27), date(2026, 12, 2)


def amendment():
    return next(one for one in shipped().enacted if one.id == "eu/ai-act@2026-1744")


def test_the_2026_amendment_names_exactly_what_it_changes() -> None:
    change = reform(shipped(), amendment())

    assert change.on == FIRST_DAY
    for part, shelf in ((Part.NORM, "norms"), (Part.PROVISION, "provisions"), (Part.TERM, "terms")):
        before, after = getattr(change.before, shelf), getattr(change.after, shelf)
        differing = {name for name in {*before, *after} if before.get(name) != after.get(name)}
        listed = {
            name
            for one in amendment().changes
            if one.part is part
            for name in (*one.ids, *((one.entry.id,) if one.entry is not None else ()))
        }
        assert set(change.changed(part)) == listed
        assert differing == listed


def test_an_annex_iii_systems_duties_move_to_december_2027() -> None:
    found = impact(reform(shipped(), amendment()), from_folder(LAW / "systems", shipped()))
    moved = {one.norm: one for one in next(one for one in found.listed if one.id == "eu-cv-ranking").effect.moved}

    oversight = moved["eu.ai-act.art_26__para_2"]

    assert (oversight.before, oversight.after) == (date(2026, 8, 2), date(2027, 12, 2))
    assert {one.after for one in moved.values()} == {date(2027, 12, 2)}
    assert set(moved) <= set(found.reform.changed(Part.NORM))


def nudifier():
    return next(one for one in from_folder(LAW / "systems", shipped()) if one.id == "eu-nudify-app")


def test_a_nudifier_learns_of_the_ban_on_the_first_day_and_is_prohibited_from_december_2026() -> None:
    ban = "eu.ai-act.art_5__para_1__point_ba.provider"

    on_the_first_day, once_it_applies = (
        effect_on(reform(shipped(), amendment(), on), nudifier().facts) for on in (FIRST_DAY, BAN)
    )

    assert Gained(norm=ban, from_=BAN) in on_the_first_day.gained
    assert on_the_first_day.regraded == ()
    assert once_it_applies.regraded == (Regraded(instrument="eu/ai-act", before="transparency", after="prohibited"),)
    found = impact(reform(shipped(), amendment(), BAN), [nudifier()])
    assert [(one.before, one.after, one.systems) for one in found.transitions] == [("transparency", "prohibited", 1)]
    assert {one.id for one in found.by_sector if one.count.regraded} == {"media_social"}


def test_a_system_outside_the_union_is_not_touched() -> None:
    here = Description(
        id="here",
        name=both("here"),
        facts={name: FactValue(value=value) for name, value in nudifier().facts.items()}
        | {
            "market.jurisdictions": FactValue(value=("cn",)),
            "output.used_in": FactValue(value=("cn",)),
            "provider.established_in": FactValue(value=("cn",)),
            "deployer.established_in": FactValue(value=("cn",)),
        },
    )

    found = impact(reform(shipped(), amendment(), BAN), described([here]))

    assert found.total == Count(systems=1)


def test_a_change_listed_that_the_overlay_does_not_make_would_be_noticed() -> None:
    change = reform(shipped(), amendment())
    added = next(one for one in amendment().changes if one.deed is Deed.ADD and one.part is Part.NORM)
    fewer = replace(amendment(), changes=tuple(one for one in amendment().changes if one is not added))

    done = consolidate(change.before, (fewer,))

    assert {one.id for one in change.changes} - {one.id for one in done.changes} == {added.entry.id}


@pytest.mark.parametrize("fact_id", ["use.purposes", "provider.size"])
def test_the_facts_that_divide_a_population_exist_in_the_law(fact_id) -> None:
    assert divisions(shipped().base, fact_id)
