"""The state machine of a case, walked at random: whatever people try in whatever order, the rules hold."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safebelt.kernel.actors import Actor, Role
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, Problem, Refused
from safebelt.rooms.registry.decide import supervision as decide
from safebelt.rooms.registry.decide.supervision.positions import TELLINGS
from safebelt.rooms.registry.decide.supervision.rules import HEARD_FIRST
from safebelt.rooms.registry.model.supervision import (
    OPERATOR_KINDS,
    STEP_KINDS,
    AnswerCase,
    Case,
    CaseKind,
    Channel,
    Competence,
    Confidentiality,
    CountsFrom,
    DayUnit,
    Deadline,
    Moment,
    Office,
    Outcome,
    Side,
    Stage,
    Step,
    StepKind,
    WriteStep,
)
from safebelt.rooms.registry.service.supervising.handing import sniffed

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOME, AWAY, ABOVE = "pty_home", "pty_away", "pty_above"
PEOPLE = {HOME: ("usr_a", "usr_b"), AWAY: ("usr_c",), ABOVE: ("usr_d",)}


def a_case(kind: CaseKind = CaseKind.ROUTINE, confidentiality: Confidentiality = Confidentiality.PUBLIC) -> Case:
    return Case(
        id="cas_1", system_id="sys_1", party_id="pty_p", office_id=HOME, competence=Competence(jurisdiction="eu"), zone="UTC",
        kind=kind, confidentiality=confidentiality, about="x", basis=("n.1",), other_basis="", prepared_at=NOON, opened_by="usr_a",
    )  # fmt: skip


class Walk:
    """A case, its steps, and what the ledger was told."""

    def __init__(self, kind: CaseKind, confidentiality: Confidentiality = Confidentiality.PUBLIC) -> None:
        self.case, self.steps, self.events, self.day = a_case(kind, confidentiality), (), [], NOON
        self._told, self._pos = -1, decide.position(())

    @property
    def pos(self):
        if self._told != len(self.steps):
            self._told, self._pos = len(self.steps), decide.position(self.steps)
        return self._pos

    def moment(self, by: str, office: str = "") -> Moment:
        side = Side.AUTHORITY if office else Side.OPERATOR
        return Moment(by=by, side=side, office=office, today=self.day.date())

    def take(self, kind: StepKind, who: str, office: str = "", **more) -> Step:
        """Take a step as the service does; raises what the judgments raise."""
        moment, new_id = self.moment(who, office), f"stp_{len(self.steps) + 1}"
        if kind in OPERATOR_KINDS and not office:
            draft = decide.answer(
                self.case,
                AnswerCase(kind=kind, text="t", re=more.get("re", "")),
                new_id=new_id,
                at=self.day,
                by=who,
                files=(),
            )
            self.case, step, told = decide.file_step(self.case, self.steps, draft, moment=moment, at=self.day)
        else:
            words = {"text": "t", "basis": ("n.1",), "contest": "c", **more}
            draft = decide.write(self.case, WriteStep(kind=kind, **words), new_id=new_id, at=self.day, moment=moment)
            taker = Office(
                party_id=office, name="o", competence=Competence(jurisdiction="cn"), zone="UTC", declared_at=NOON
            )
            self.case, step, told = decide.serve(
                self.case, self.steps, draft, moment=moment, at=self.day, channel=Channel.HERE, taker=taker
            )
        self.steps, self.events = (*self.steps, step), [*self.events, *told]
        return step


def wording(kind: StepKind, outcome: Outcome | None, day: date) -> dict:
    """Everything a kind of step might need to say."""
    more: dict = {"outcome": outcome} if outcome else {}
    if kind in {
        StepKind.QUESTION,
        StepKind.DOCUMENTS,
        StepKind.ORDER,
        StepKind.HEARING,
        StepKind.EXTENSION,
        StepKind.VERIFICATION,
    }:
        more["days"] = 3
    if kind in {StepKind.DOCUMENTS, StepKind.ORDER} or outcome is Outcome.RECTIFY:
        more |= {"items": ("one",), "days": 3}
    if kind in {StepKind.INSPECTION, StepKind.INSPECTION_NOTICE}:
        more["held_on"] = day
    if kind is StepKind.REFERRAL:
        more["to_office"] = AWAY
    if kind is StepKind.DECISION:
        more |= {"appeal_days": 5, "is_suspensive": True, "appeal_to": ABOVE}
    return more


ACTORS = (("usr_op", ""), *((who, office) for office, people in PEOPLE.items() for who in people))


def tried(walk: Walk, rnd: Random, seen: Counter) -> tuple[StepKind, Outcome | None, str, str]:
    """Choose a step: mostly the one seen least among those that can be taken, at times any at all, by anybody."""
    if rnd.random() < 0.25:
        return rnd.choice(ways(rnd.choice(list(StepKind)), rnd))
    kinds = sorted(StepKind, key=lambda kind: (seen[kind], rnd.random()))
    return next(way for kind in kinds for way in ways(kind, rnd) if _can(walk, *way))


def ways(kind: StepKind, rnd: Random) -> list[tuple[StepKind, Outcome | None, str, str]]:
    """Every outcome a kind of step can have, by everybody, in any order."""
    outcomes = sorted(decide.OUTCOMES_OF.get(kind, ())) or [None]
    found = [(kind, outcome, who, office) for outcome in outcomes for who, office in ACTORS]
    return rnd.sample(found, len(found))


def _can(walk: Walk, kind: StepKind, outcome: Outcome | None, who: str, office: str) -> bool:
    return decide.may(walk.case, walk.pos, kind, walk.moment(who, office), outcome).holds is Truth.TRUE


def stroll(kind: CaseKind, rnd, length: int = 30) -> Counter:
    """Walk a case, hold the rules at each step, and count what happened."""
    walk, seen = Walk(kind), Counter()
    for _ in range(length):
        walk.day += timedelta(days=rnd.randint(0, 4))
        what, outcome, who, office = tried(walk, rnd, seen)
        before, told, moved = walk.pos, len(walk.events), walk.case
        re = decide.targets(before, what, walk.steps)
        more = wording(what, outcome, walk.day.date()) | ({"re": rnd.choice(re).id} if re else {})
        try:
            step = walk.take(what, who, office, **more)
        except Problem as problem:
            assert (walk.pos, len(walk.events), walk.case) == (before, told, moved)  # refused: nothing happened
            seen[type(problem)] += 1
            continue
        hold_step(walk, before, step, walk.events[told:])
        seen[what] += 1
    return seen


WALKS = settings(
    max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


def test_whatever_is_tried_the_rules_of_a_case_hold_and_every_kind_of_step_is_reached() -> None:
    seen: Counter = Counter()

    @WALKS
    @given(kind=st.sampled_from(list(CaseKind)), seed=st.integers(0, 2**32))
    def go(kind, seed) -> None:
        seen.update(stroll(kind, Random(seed)))

    go()
    for seed in range(6):  # enough that a rule which nothing reaches is noticed
        seen.update(stroll(list(CaseKind)[seed % 3], Random(seed)))
    assert {kind for kind in StepKind if not seen[kind]} == set()
    assert seen[Conflict] and seen[Refused]


def hold_step(walk: Walk, before, step: Step, told) -> None:
    """What is true of every step that was taken."""
    last = told[-1]
    assert (last.step, last.number, last.stage) == (step.id, len(walk.steps), walk.pos.stage.value)
    assert len(told) == 1 + (step.number == 1)  # and the opening, once
    assert (step.office_id == "") == (step.kind in OPERATOR_KINDS)
    if step.office_id:
        assert step.basis and last.basis == step.basis and step.contest
    if before.stage is Stage.CLOSED:
        assert step.kind is StepKind.REOPENING
    if step.kind is StepKind.DECISION:
        assert step.outcome not in HEARD_FIRST[walk.case.kind] or decide.opportunity(before, step.served.on)
        assert step.outcome is Outcome.NO_MEASURE or before.findings
    if step.kind is StepKind.APPEAL:
        assert before.stage is Stage.DECIDED and step.served.on <= before.decision.appeal_until
    if step.kind is StepKind.APPEAL_DECISION:
        assert (step.office_id, step.written_by) == (ABOVE, "usr_d")
        assert step.written_by != before.decision.written_by
    if step.kind is StepKind.CLOSING:
        assert not before.orders and before.stage in {Stage.INQUIRY, Stage.DECIDED}
    if before.stage is Stage.REFERRED and step.kind not in OPERATOR_KINDS:
        assert step.office_id == AWAY and walk.pos.stage is before.before


def test_every_kind_of_step_has_a_rule_a_telling_and_a_name() -> None:
    assert set(decide.RULES) == set(TELLINGS) == set(STEP_KINDS) == set(StepKind)


def heard(walk: Walk) -> None:
    walk.take(StepKind.FACT, "usr_a", HOME)
    walk.take(StepKind.HEARING, "usr_a", HOME, days=3)


@pytest.mark.parametrize("outcome", [Outcome.RECTIFY, Outcome.SUSPEND, Outcome.WITHDRAW])
def test_no_hearing_no_decision_and_a_day_that_is_past_is_an_opportunity(outcome) -> None:
    walk = Walk(CaseKind.ROUTINE)
    heard(walk)
    more = wording(StepKind.DECISION, outcome, walk.day.date())
    with pytest.raises(Conflict, match="opportunity to be heard"):
        walk.take(StepKind.DECISION, "usr_a", HOME, **more)
    walk.day += timedelta(days=3)
    with pytest.raises(Conflict):  # the last day is still the operator's
        walk.take(StepKind.DECISION, "usr_a", HOME, **more)
    walk.day += timedelta(days=1)

    assert walk.take(StepKind.DECISION, "usr_a", HOME, **more).outcome is outcome


def test_an_urgent_suspension_comes_first_and_the_hearing_before_closing() -> None:
    walk = Walk(CaseKind.URGENT)
    walk.take(StepKind.FACT, "usr_a", HOME)
    walk.take(StepKind.DECISION, "usr_a", HOME, outcome=Outcome.SUSPEND)
    with pytest.raises(Conflict, match="has since had the opportunity"):
        walk.take(StepKind.CLOSING, "usr_a", HOME)
    hearing = walk.take(StepKind.HEARING, "usr_a", HOME, days=3)
    walk.take(StepKind.ANSWER, "usr_op", re=hearing.id)
    walk.take(StepKind.CLOSING, "usr_a", HOME)

    assert decide.measure_of(walk.steps).outcome is Outcome.SUSPEND  # closing a case lifts no measure


def test_an_appeal_the_day_after_is_too_late_and_one_not_begun_to_run_is_not() -> None:
    walk = Walk(CaseKind.ROUTINE)
    walk.take(StepKind.FACT, "usr_a", HOME)
    walk.take(StepKind.DECISION, "usr_a", HOME, outcome=Outcome.WARNING, appeal_days=5)
    walk.day += timedelta(days=6)
    with pytest.raises(Conflict, match="time of appeal"):
        walk.take(StepKind.APPEAL, "usr_op")
    walk.take(StepKind.CLOSING, "usr_a", HOME)

    other = Walk(CaseKind.ROUTINE)
    other.take(StepKind.FACT, "usr_a", HOME)
    other.take(StepKind.DECISION, "usr_a", HOME, outcome=Outcome.WARNING, appeal_days=5, counts_from=CountsFrom.RECEIPT)
    other.day += timedelta(days=60)
    with pytest.raises(Conflict, match="No appeal can come any more"):
        other.take(StepKind.CLOSING, "usr_a", HOME)
    assert other.take(StepKind.APPEAL, "usr_op").kind is StepKind.APPEAL


def test_a_decision_without_appeal_takes_none() -> None:
    walk = Walk(CaseKind.ROUTINE)
    walk.take(StepKind.FACT, "usr_a", HOME)
    walk.take(StepKind.DECISION, "usr_a", HOME, outcome=Outcome.WARNING)

    with pytest.raises(Conflict):
        walk.take(StepKind.APPEAL, "usr_op")


def test_a_new_decision_without_measure_lifts_the_old_one() -> None:
    walk = Walk(CaseKind.URGENT)
    walk.take(StepKind.FACT, "usr_a", HOME)
    decision = walk.take(StepKind.DECISION, "usr_a", HOME, outcome=Outcome.SUSPEND)
    walk.take(StepKind.DECISION, "usr_b", HOME, outcome=Outcome.NO_MEASURE)

    assert walk.pos.stage is Stage.CLOSED
    assert decide.measure_of(walk.steps) is None
    assert decide.standing_of(decision, walk.steps) == "superseded"


def test_a_reply_that_could_mean_several_steps_must_say_which() -> None:
    walk = Walk(CaseKind.ROUTINE)
    first, _second = (walk.take(StepKind.QUESTION, "usr_a", HOME, days=3) for _ in range(2))
    with pytest.raises(Conflict, match="say which"):
        walk.take(StepKind.ANSWER, "usr_op")
    with pytest.raises(Conflict, match="cannot reply"):
        walk.take(StepKind.ANSWER, "usr_op", re="stp_elsewhere")

    assert walk.take(StepKind.ANSWER, "usr_op", re=first.id).re == first.id


@pytest.mark.parametrize(
    ("kind", "more", "field"),
    [
        (StepKind.QUESTION, {}, "days"),
        (StepKind.QUESTION, {"days": 3, "outcome": Outcome.DONE}, "outcome"),
        (StepKind.QUESTION, {"days": 3, "due": date(2026, 12, 1)}, "due"),
        (StepKind.QUESTION, {"due": date(2026, 11, 1)}, "due"),
        (StepKind.QUESTION, {"days": 4000}, "days"),
        (StepKind.QUESTION, {"days": 3, "text": " "}, "text"),
        (StepKind.QUESTION, {"days": 3, "text": "a\0b"}, "text"),
        (StepKind.QUESTION, {"days": 3, "contest": ""}, "contest"),
        (StepKind.QUESTION, {"days": 3, "basis": (" ",)}, "basis"),
        (StepKind.QUESTION, {"days": 3, "appeal_days": 3}, "appeal_days"),
        (StepKind.DOCUMENTS, {"days": 3, "items": (" ",)}, "items"),
        (StepKind.INSPECTION, {"held_on": date(2026, 12, 1)}, "held_on"),
        (StepKind.HEARING, {}, "held_on"),
        (StepKind.DECISION, {}, "outcome"),
        (StepKind.DECISION, {"outcome": Outcome.RECTIFY, "items": ("x",)}, "days"),
        (StepKind.EXTENSION, {"outcome": Outcome.GRANTED}, "days"),
        (StepKind.REFERRAL, {}, "to_office"),
        (StepKind.FACT, {"to_office": "pty_x"}, "to_office"),
    ],
)
def test_a_step_that_does_not_say_what_it_must_is_refused(kind, more, field) -> None:
    words = {"text": "t", "basis": ("n.1",), "contest": "c", **more}
    moment = Moment(by="usr_a", side=Side.AUTHORITY, office=HOME, today=NOON.date())

    with pytest.raises(Invalid) as problem:
        decide.write(a_case(), WriteStep(kind=kind, **words), new_id="stp_1", at=NOON, moment=moment)
    assert problem.value.details["field"] == field


@given(
    days=st.integers(1, 400),
    start=st.dates(date(2020, 1, 1), date(2040, 1, 1)),
    off=st.sets(st.integers(1, 300), max_size=5),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_working_days_skip_weekends_and_named_days_and_nothing_else(days, start, off) -> None:
    free = tuple(start + timedelta(days=each) for each in off)
    deadline = Deadline(days=days, unit=DayUnit.WORKING, not_counted=free)
    last = decide.last_day(deadline, served_on=start, received_on=None)

    between = [start + timedelta(days=each) for each in range(1, (last - start).days + 1)]
    assert sum(day.weekday() < 5 and day not in free for day in between) == days
    assert last.weekday() < 5 and last not in free
    plain = replace(deadline, unit=DayUnit.CALENDAR)
    assert decide.last_day(plain, served_on=start, received_on=None) == start + timedelta(days=days)
    assert decide.last_day(replace(plain, counts_from=CountsFrom.RECEIPT), served_on=start, received_on=None) is None


@pytest.mark.parametrize(
    "roles", [{Role.OPERATOR}, {Role.OPERATOR, Role.AUTHORITY}, {Role.OVERSEER}, {Role.OWNER}, set()]
)
def test_whoever_is_an_operator_or_neither_side_never_acts_as_an_authority(roles) -> None:
    by = Actor(id="usr_x", roles=frozenset(roles))

    with pytest.raises(Refused):
        decide.hold_side(by, Side.AUTHORITY)
    decide.hold_side(Actor(id="usr_y", roles=frozenset({Role.AUTHORITY})), Side.AUTHORITY)


def test_a_reason_says_each_thing_that_stands_in_the_way() -> None:
    walk = Walk(CaseKind.INVESTIGATION)
    walk.take(StepKind.QUESTION, "usr_a", HOME, days=3)
    reason = decide.may(walk.case, walk.pos, StepKind.DECISION, walk.moment("usr_op"), Outcome.WARNING)

    failing = [each.says.en for _, each in reason.walk() if each.holds is not Truth.TRUE and not each.because]
    assert reason.holds is Truth.FALSE
    assert any("authority's" in each for each in failing) and any("finding" in each for each in failing)
    assert any("heard" in each for each in failing)


@given(content=st.binary(max_size=64))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_any_bytes_are_told_to_be_something(content) -> None:
    told = sniffed(content)

    assert told != "text/html" and (told != "text/plain" or content.decode("utf-8") is not None)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"%PDF-1.7", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        ("日志".encode(), "text/plain"),
        (b"<html>", "text/plain"),
        (b"\xff\xfe", "application/octet-stream"),
    ],
)
def test_a_document_is_told_by_its_bytes_and_never_as_a_page(content, told) -> None:
    assert sniffed(content) == told
