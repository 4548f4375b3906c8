"""Every date to come is listed once, where the law as it will then read puts it; legal time is counted as lawyers do."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.rulebook.small import INSTRUMENT, PAST, TODAY, U, both, cond, label, law, norm, yes

from safebelt.rooms.rulebook.decide import calendar, due_of, judge, text_on
from safebelt.rooms.rulebook.decide.dates import add, add_months, add_working_days, due_dates
from safebelt.rooms.rulebook.model import (
    Basis,
    Change,
    Deed,
    Due,
    DueKind,
    Effective,
    InForce,
    Modality,
    Overlay,
    OverlayStanding,
    Part,
    Rulebook,
    Start,
    Unit,
)

LATER = date(2027, 12, 2)
PLACED = "event.placed_on_market_on"
days = st.dates(date(1990, 1, 1), date(2090, 1, 1))


def told(entries):
    return [(one.on, one.kind.value, one.about) for one in entries]


# --- legal time --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "amount", "unit", "last"),
    [
        (date(2026, 1, 31), 1, Unit.MONTHS, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, Unit.MONTHS, date(2024, 2, 29)),
        (date(2026, 8, 31), 6, Unit.MONTHS, date(2027, 2, 28)),
        (date(2024, 2, 29), 1, Unit.YEARS, date(2025, 2, 28)),
        (date(2024, 2, 29), 4, Unit.YEARS, date(2028, 2, 29)),
        (date(2026, 12, 20), 15, Unit.DAYS, date(2027, 1, 4)),
        (date(2026, 12, 20), 2, Unit.WEEKS, date(2027, 1, 3)),
        (date(2026, 11, 20), 1, Unit.WORKING_DAYS, date(2026, 11, 23)),
        (date(2026, 11, 21), 1, Unit.WORKING_DAYS, date(2026, 11, 23)),
        (date(2026, 11, 21), 5, Unit.WORKING_DAYS, date(2026, 11, 27)),
        (date(2026, 11, 20), 10, Unit.WORKING_DAYS, date(2026, 12, 4)),
        (date(2026, 11, 20), 72, Unit.HOURS, date(2026, 11, 23)),
        (date(2026, 11, 20), 4, Unit.HOURS, date(2026, 11, 20)),
        (date(2026, 11, 20), 36, Unit.HOURS, date(2026, 11, 21)),
        (date(9999, 12, 30), 5, Unit.DAYS, date.max),
        (date(9999, 12, 30), 5, Unit.MONTHS, date.max),
        (date(9999, 12, 30), 7, Unit.WORKING_DAYS, date.max),
    ],
)
def test_periods_end_where_the_law_ends_them(day, amount, unit, last) -> None:
    assert add(day, amount, unit) == last


@given(days, st.integers(1, 400))
def test_working_days_are_counted_one_by_one(day, count) -> None:
    slow = day
    for _ in range(count):
        slow += timedelta(days=1)
        while slow.weekday() >= 5:
            slow += timedelta(days=1)

    assert add_working_days(day, count) == slow


@given(days, st.integers(0, 200))
def test_months_keep_the_day_or_end_with_the_month(day, months) -> None:
    last = add_months(day, months)

    assert (last.year * 12 + last.month) - (day.year * 12 + day.month) == months
    assert last.day == day.day or (last.day < day.day and (last + timedelta(days=1)).day == 1)


# --- due ---------------------------------------------------------------------------------------------------------

DUES = [
    (Due(kind=DueKind.BEFORE, event="placing_on_market"), "before placing on the market", "投放市场之前", date(2026, 12, 1)),
    (Due(kind=DueKind.AT, event="placing_on_market"), "at placing on the market", "投放市场时", date(2026, 12, 1)),
    (Due(kind=DueKind.PROMPTLY, event="placing_on_market"), "promptly after placing on the market", "投放市场后及时", date(2026, 12, 1)),
    (
        Due(kind=DueKind.WITHIN, event="placing_on_market", amount=1, unit=Unit.MONTHS),
        "within 1 month after placing on the market", "投放市场后 1 个月内", date(2027, 1, 1),
    ),
    (
        Due(kind=DueKind.WITHIN, fact="launched", amount=10, unit=Unit.WORKING_DAYS),
        "within 10 working days after launched (Monday to Friday; public holidays are not taken out)",
        "中文launched后 10 个工作日内（按周一至周五计，未扣除法定节假日）", date(2026, 12, 7),
    ),
    (Due(kind=DueKind.BY, by=LATER), "by 2027-12-02", "不迟于 2027-12-02", LATER),
    (
        Due(kind=DueKind.EVERY, event="placing_on_market", amount=12, unit=Unit.MONTHS),
        "every 12 months, counted from placing on the market", "自投放市场起每 12 个月一次", date(2027, 12, 1),
    ),
    (Due(kind=DueKind.EVERY, amount=1, unit=Unit.YEARS), "every year", "每年一次", date(2027, 1, 1)),
    (Due(kind=DueKind.ALWAYS), "at all times", "持续履行", None),
    (Due(kind=DueKind.AT, event="each_output"), "at each output", "每次输出时", None),
]  # fmt: skip


@pytest.mark.parametrize(("due", "en", "zh", "on"), DUES)
def test_a_due_date_is_told_in_words_and_as_a_date_where_a_known_date_fixes_it(due, en, zh, on) -> None:
    got = due_of(law(), due, {PLACED: date(2026, 12, 1), "launched": date(2026, 11, 23)}, TODAY, effective=PAST)

    assert (got.text.en, got.text.zh, got.on, got.fact) == (en, zh, on, "")


def test_every_way_of_being_due_is_tried() -> None:
    assert {due.kind for due, *_ in DUES} == set(DueKind)


def test_an_unknown_date_is_named_and_none_is_made_up() -> None:
    got = due_of(law(), DUES[3][0], {}, TODAY, effective=PAST)

    assert (got.on, got.fact) == (None, PLACED)


def test_nothing_is_due_before_it_can_bite() -> None:
    facts = {PLACED: date(2021, 1, 1)}

    assert due_of(law(), DUES[0][0], facts, TODAY, effective=LATER).on == LATER
    assert next(due_dates(DUES[6][0], facts, effective=LATER)) == date(2028, 1, 1)


def test_recurring_dates_are_counted_from_the_anchor_and_lose_no_month_end() -> None:
    due = Due(kind=DueKind.EVERY, fact="launched", amount=1, unit=Unit.MONTHS)
    first = [
        day for day, _ in zip(due_dates(due, {"launched": date(2026, 1, 31)}, effective=PAST), range(3), strict=False)
    ]

    assert first == [date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]


@pytest.mark.parametrize(
    "due", [Due(kind=DueKind.EVERY, amount=1, unit=Unit.HOURS), Due(kind=DueKind.EVERY, amount=0, unit=Unit.DAYS)]
)
def test_a_period_within_a_day_or_of_nothing_names_no_days(due) -> None:
    assert list(due_dates(due, {}, effective=PAST)) == []


# --- the calendar ------------------------------------------------------------------------------------------------


def test_what_begins_ends_and_falls_due_is_listed_in_order_with_reason_and_cites() -> None:
    text = law(
        norm("begins", yes("a"), in_force=InForce(from_=LATER)),
        norm("ends", in_force=InForce(from_=PAST, until=date(2027, 3, 1))),
        norm("due", due=Due(kind=DueKind.BY, by=date(2027, 1, 1))),
        norm("yearly", due=Due(kind=DueKind.EVERY, event="placing_on_market", amount=12, unit=Unit.MONTHS)),
        norm("bites", effective=Effective(from_=date(2027, 6, 1))),
        norm("not_me", yes("b"), in_force=InForce(from_=LATER)),
        norm("open", yes("c"), in_force=InForce(from_=LATER)),
        norm("spared", modality=Modality.EXEMPT, due=Due(kind=DueKind.BY, by=LATER)),
        norm("past", due=Due(kind=DueKind.BY, by=date(2026, 1, 1))),
    )
    entries = calendar(text, {"a": True, "b": False, PLACED: date(2026, 2, 1)}, TODAY)

    assert told(entries) == [
        (date(2027, 1, 1), "due", "due"),
        (date(2027, 2, 1), "due", "yearly"),
        (date(2027, 3, 1), "ends", "ends"),
        (date(2027, 6, 1), "starts", "bites"),
        (LATER, "starts", "begins"),
        (date(2028, 2, 1), "due", "yearly"),
    ]
    assert all(one.why.cites and one.cites and one.title.zh and one.title.en for one in entries)


def test_recurring_duties_go_as_far_as_asked_and_stop_when_the_norm_does() -> None:
    yearly = norm(
        "n",
        in_force=InForce(from_=PAST, until=date(2029, 1, 1)),
        due=Due(kind=DueKind.EVERY, amount=12, unit=Unit.MONTHS),
    )
    entries = calendar(law(yearly), {}, TODAY, recurring_until=date(2035, 1, 1))

    assert [one.on for one in entries if one.kind == "due"] == [date(2027, 1, 1), date(2028, 1, 1)]


def test_a_duty_of_every_day_does_not_bury_the_rest_unless_a_last_day_is_given() -> None:
    daily = law(norm("n", due=Due(kind=DueKind.EVERY, amount=1, unit=Unit.DAYS)))

    assert [one.on for one in calendar(daily, {}, TODAY)] == [TODAY + timedelta(days=n) for n in range(12)]
    assert len(calendar(daily, {}, TODAY, recurring_until=TODAY + timedelta(days=99))) == 100


def test_a_duty_whose_clock_waits_for_an_incident_is_not_in_the_calendar_until_it_has_happened() -> None:
    within = Due(kind=DueKind.WITHIN, event="incident_aware", amount=15, unit=Unit.DAYS)
    text = law(norm("n", upon=yes("incident.bad"), due=within))

    assert calendar(text, {"incident.aware_on": TODAY}, TODAY) == ()
    assert told(calendar(text, {"incident.aware_on": TODAY, "incident.bad": True}, TODAY)) == [
        (date(2026, 12, 7), "due", "n")
    ]


def test_a_start_that_facts_leave_open_is_listed_on_every_possible_day_as_possible() -> None:
    text = law(norm("n", in_force=InForce(from_=LATER), starts=(Start(when=cond(yes("a")), from_=date(2028, 8, 2)),)))

    assert told(calendar(text, {}, TODAY)) == [(LATER, "starts", "n"), (date(2028, 8, 2), "starts", "n")]
    assert all("may begin" in one.title.en for one in calendar(text, {}, TODAY))
    assert told(calendar(text, {"a": True}, TODAY)) == [(date(2028, 8, 2), "starts", "n")]


def test_a_class_that_takes_hold_later_is_listed() -> None:
    text = law(
        norm("ban", yes("a"), in_force=InForce(from_=LATER), status=U),
        classes=(label("prohibited", {"applies": "ban"}),),
    )

    got = calendar(text, {"a": True}, TODAY)

    assert told(got) == [(LATER, "class", "xx/act.prohibited"), (LATER, "starts", "ban")]
    assert {one.status for one in got} == {"unverified"}
    assert calendar(text, {"a": False}, TODAY) == ()


def amended(standing=OverlayStanding.ENACTED):
    changes = (
        Change(deed=Deed.AMEND, part=Part.NORM, ids=("moved",), fields={"in_force": InForce(from_=LATER)}),
        Change(deed=Deed.REPEAL, part=Part.NORM, ids=("gone",)),
        Change(deed=Deed.ADD, part=Part.NORM, entry=norm("new")),
    )
    overlay = Overlay(
        id="xx/act@1", title=both("amendment"), instrument=INSTRUMENT, standing=standing, effective=date(2027, 1, 1), basis=Basis.PRIMARY, changes=changes
    )  # fmt: skip
    base = law(norm("moved", in_force=InForce(from_=date(2027, 8, 2))), norm("gone"))
    return Rulebook(
        base=base, enacted=(overlay,) if standing == "enacted" else (), drafts=(overlay,) if standing == "draft" else ()
    )


def test_a_date_that_an_enacted_amendment_moves_is_given_once_where_it_will_be() -> None:
    rulebook = amended()

    assert told(calendar(text_on(rulebook, TODAY), {}, TODAY)) == [
        (date(2027, 1, 1), "amended", "xx/act@1"),
        (date(2027, 1, 1), "ends", "gone"),
        (date(2027, 1, 1), "starts", "new"),
        (LATER, "starts", "moved"),
    ]
    assert told(calendar(rulebook.base, {}, TODAY)) == [(date(2027, 8, 2), "starts", "moved")]


def test_a_draft_is_in_the_calendar_only_of_a_text_that_is_read_with_it_and_is_called_one() -> None:
    rulebook = amended(OverlayStanding.DRAFT)

    assert told(calendar(text_on(rulebook, TODAY), {}, TODAY)) == [(date(2027, 8, 2), "starts", "moved")]
    tried = calendar(text_on(rulebook, TODAY, rulebook.drafts), {}, TODAY)
    assert (LATER, "starts", "moved") in told(tried)
    assert [(one.status, "(draft)" in one.title.en) for one in tried if one.kind == "amended"] == [("unverified", True)]


def test_an_instrument_that_is_not_asked_for_has_no_dates() -> None:
    assert calendar(text_on(amended(), TODAY), {}, TODAY, instruments=["other"]) == ()


@given(st.dictionaries(st.sampled_from("abc"), st.booleans()), st.dates(date(2025, 1, 1), date(2029, 1, 1)))
def test_on_every_day_the_calendar_says_that_a_norm_begins_it_does(facts, on) -> None:
    text = law(
        norm("n", yes("a"), in_force=InForce(from_=LATER)), norm("m", yes("b"), in_force=InForce(from_=date(2026, 6, 1), until=date(2028, 1, 1)))
    )  # fmt: skip
    for one in calendar(text, facts, on):
        eve, day = (judge(text, facts, when).findings for when in (one.on - timedelta(days=1), one.on))
        live_before = one.about in eve and eve[one.about].in_force.now == "true"
        live_after = one.about in day and day[one.about].in_force.now == "true"
        assert (live_before, live_after) == ((False, True) if one.kind == "starts" else (True, False))
        assert one.on > on
