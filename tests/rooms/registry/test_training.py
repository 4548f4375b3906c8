"""Jobs as pure judgments: nothing runs without another person's grant, and once stopped nothing is told to go on."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.registry.training_cases import (
    AT,
    CONFIG,
    DATA,
    FACTS,
    MADE,
    asking,
    gate,
    granting,
    later,
)
from tests.rooms.rulebook.house import law

from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, Problem, Refused
from safebelt.kernel.text import Text
from safebelt.rooms.registry.decide import training as decide
from safebelt.rooms.registry.model import NamedPerson, PersonRole, Status, System
from safebelt.rooms.registry.model.training import (
    Cause,
    FinishJob,
    Halt,
    Job,
    JobKind,
    JobOrder,
    JobRules,
    JobState,
    Outcome,
    ReportJob,
    StartJob,
)
from safebelt.rooms.registry.packs.training import load_rules, read_rules
from safebelt.rooms.rulebook import decide as rulebook
from safebelt.rooms.rulebook import packs

ROOT = Path(__file__).parents[3]
START = StartJob(datasets=(DATA,), config=CONFIG)
CUT = Halt(cause=Cause.CONTROL, by="stop_control", why=Text(zh="停止。", en="Stop."))
PAUSE = replace(CUT, order=JobOrder.PAUSE)


@cache
def rules() -> JobRules:
    return load_rules(ROOT / "registry", law().rulebook.base.evidence)


def system(*roles: PersonRole, status: Status = Status.DEVELOPMENT) -> System:
    named = roles or (PersonRole.ACCOUNTABLE, PersonRole.OVERSEER)
    return System(
        id="sys_x",
        name=Text(zh="系统", en="System"),
        purpose=Text(zh="用途", en="Purpose"),
        provider_id="pty_x",
        deployer_id="",
        status=status,
        people=tuple(
            NamedPerson(id=f"per_{one}", role=one, name="王敏", contact="", since=date(2026, 1, 1)) for one in named
        ),
        registered_at=AT,
    )


def asked(kind: JobKind = JobKind.TRAINING, **more) -> Job:
    command = asking(kind=kind, **({"version_id": "ver_x"} if kind is JobKind.PROMOTION else {}), **more)
    return decide.ask(command, rules(), new_id="job_x", by="usr_runner", at=AT, facts_version=1).job


def granted(kind: JobKind = JobKind.TRAINING, **limits) -> Job:
    return decide.grant(
        asked(kind), granting(system(), **limits), gate(), system(), rules(), by="usr_overseer", at=AT
    ).job


def running(**limits) -> Job:
    return decide.start(granted(**limits), START, by="usr_runner", at=AT, halt=None).job


def report(job: Job, number: int, *, step: int = 0, at: datetime = AT, halt: Halt | None = None, **more):
    told = decide.check_report(ReportJob(number=number, step=step, **more))
    return decide.report(job, told, sha256_of_it=f"{number}/{step}", by="usr_runner", at=at, halt=halt)


# --- the machine, pushed about at random -------------------------------------------------------------------------

_PUSHES = st.lists(
    st.tuples(
        st.sampled_from(["grant", "refuse", "start", "report", "retry", "finish", "stop", "lapse"]),
        st.sampled_from(["usr_runner", "usr_overseer"]),
        st.sampled_from([None, PAUSE, CUT]),
        st.integers(0, 130),
    ),
    max_size=14,
)


def pushed(job: Job, what: str, by: str, halt: Halt | None, n: int, at: datetime):
    """Try one step, as whoever; a step that is not open raises a problem and leaves the job as it was."""
    if what == "grant":
        return decide.grant(job, granting(system()), gate(), system(), rules(), by=by, at=at).job, None
    if what == "refuse":
        return decide.refuse(job, "no", by=by, at=at).job, None
    if what == "start":
        return decide.start(job, START, by=by, at=at, halt=halt).job, None
    if what in ("report", "retry"):
        number = max(1, job.progress.number + (what == "report"))
        heard = decide.report(job, ReportJob(number=number, step=n), sha256_of_it=f"{number}", by=by, at=at, halt=halt)
        return heard.job, heard.answer
    if what == "finish":
        outcome = list(Outcome)[n % 3]
        return decide.finish(job, FinishJob(outcome=outcome, artefact=MADE), by=by, at=at).job, None
    if what == "stop":
        return decide.stop(job, "enough", by=by, at=at).job, None
    lapsed = (
        decide.lapse(job, at, halt)
        if job.state is JobState.RUNNING
        else decide.lapse_unbegun(job, at)
        if job.is_open
        else None
    )
    return (lapsed.job if lapsed else job), None


@settings(max_examples=150, derandomize=True, deadline=None)
@given(_PUSHES)
def test_no_path_leads_to_running_without_another_persons_grant_nor_past_a_stop(pushes) -> None:
    job, at, was_stopped = asked(), AT, False
    for what, by, halt, n in pushes:
        at += timedelta(seconds=n)
        before = job
        try:
            job, answer = pushed(job, what, by, halt, n, at)
        except Problem:
            assert job is before
            continue

        if job.state in (JobState.GRANTED, JobState.RUNNING, JobState.FINISHED):
            assert job.decision is not None and job.limits is not None
            assert job.decision.by not in (job.asked_by, job.runner)
            assert job.decision.person_id
        if answer is not None:
            assert answer.go_on == (answer.order is JobOrder.RUN)
            assert not (answer.go_on and (was_stopped or halt is not None))
        was_stopped = was_stopped or job.state in (JobState.STOPPED, JobState.LOST)
        if was_stopped:
            assert job.state in (JobState.STOPPED, JobState.LOST) and not decide.answer(job, None).go_on
        if not before.is_open:
            assert job.state is before.state
        assert job.progress.number >= before.progress.number


# --- asking and granting -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["usr_runner", "usr_asker"])
def test_neither_who_asked_nor_who_runs_it_grants_a_job(by: str) -> None:
    job = replace(asked(), asked_by="usr_asker")

    with pytest.raises(Refused):
        decide.grant(job, granting(system()), gate(), system(), rules(), by=by, at=AT)
    assert decide.grant(job, granting(system()), gate(), system(), rules(), by="usr_other", at=AT)


@pytest.mark.parametrize("holds", [Truth.FALSE, Truth.UNKNOWN])
def test_a_gate_that_does_not_hold_or_is_not_evaluated_blocks_and_says_what_is_missing(holds: Truth) -> None:
    with pytest.raises(Conflict, match="Facts are missing"):
        decide.grant(asked(), granting(system()), gate(holds), system(), rules(), by="usr_overseer", at=AT)


def test_a_grant_needs_a_named_person_a_reason_and_limits_within_what_was_asked() -> None:
    good = granting(system())
    wrong = (
        replace(good, person_id="per_operator"),
        replace(good, reason=" "),
        replace(good, max_steps=101),
        replace(good, max_flop=2e9),
        replace(good, valid_hours=float("nan")),
        replace(good, max_wall_hours=1e9),
        replace(good, lease_seconds=0),
    )

    for one in wrong:
        with pytest.raises(Invalid):
            decide.grant(asked(), one, gate(), system(), rules(), by="usr_overseer", at=AT)
    with pytest.raises(Invalid, match="person"):
        operator = system(PersonRole.OPERATOR)
        named = replace(good, person_id=operator.people[0].id)
        decide.grant(asked(), named, gate(), operator, rules(), by="usr_overseer", at=AT)


@pytest.mark.parametrize("kind", [JobKind.PROMOTION, JobKind.SELF_UPDATE])
def test_a_promotion_and_a_self_update_say_what_evidence_was_looked_at(kind: JobKind) -> None:
    blind = replace(granting(system()), looked_at="")

    with pytest.raises(Invalid, match="evidence"):
        decide.grant(asked(kind), blind, gate(), system(), rules(), by="usr_overseer", at=AT)
    assert decide.grant(asked(), blind, gate(), system(), rules(), by="usr_overseer", at=AT)


@pytest.mark.parametrize(
    "plan",
    [
        {"flop": float("inf")}, {"flop": float("nan")}, {"flop": 0.0}, {"steps": 0}, {"steps": 2**60}, {"config": "abc"},
        {"datasets": ("somewhere",)}, {"datasets": (DATA,) * 201}, {"datasets": ("dat_\0x",)},
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be_held_to_is_not_taken(plan) -> None:
    with pytest.raises(Invalid):
        asked(plan=plan)


def test_a_self_update_names_exactly_what_it_puts_in_place_and_lapses_soon() -> None:
    with pytest.raises(Invalid, match="put in place"):
        asked(JobKind.SELF_UPDATE, plan={"target": ""})

    assert asked(JobKind.SELF_UPDATE).expires_at < asked().expires_at


def test_a_question_nobody_answered_and_a_grant_nobody_used_end_by_themselves() -> None:
    assert decide.lapse_unbegun(asked(), later(hours=335)) is None
    assert decide.lapse_unbegun(asked(), later(hours=336)).job.state is JobState.EXPIRED
    assert decide.lapse_unbegun(granted(valid_hours=1.0), later(hours=1)).job.state is JobState.EXPIRED
    with pytest.raises(Conflict):
        decide.grant(asked(), granting(system()), gate(), system(), rules(), by="usr_overseer", at=later(hours=336))


# --- running -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "start", [StartJob(datasets=(), config=CONFIG), StartJob(datasets=(DATA, MADE), config=CONFIG), StartJob(datasets=(DATA,))]
)  # fmt: skip
def test_a_job_begins_only_with_the_data_and_the_configuration_that_were_granted(start: StartJob) -> None:
    with pytest.raises(Refused):
        decide.start(granted(), start, by="usr_runner", at=AT, halt=None)
    assert decide.start(granted(), START, by="usr_runner", at=AT, halt=None).job.state is JobState.RUNNING


def test_a_job_does_not_begin_for_another_actor_after_the_grant_or_while_the_system_is_stopped() -> None:
    with pytest.raises(Refused):
        decide.start(granted(), START, by="usr_overseer", at=AT, halt=None)
    with pytest.raises(Conflict):
        decide.start(granted(valid_hours=1.0), START, by="usr_runner", at=later(hours=1), halt=None)
    with pytest.raises(Conflict):
        decide.start(granted(), START, by="usr_runner", at=AT, halt=CUT)


@pytest.mark.parametrize(
    ("limits", "step", "flop", "after", "cause"),
    [
        ({"max_steps": 10}, 11, 0.0, 1, Cause.LIMIT),
        ({"max_flop": 5.0}, 1, 6.0, 1, Cause.LIMIT),
        ({"max_wall_hours": 0.001, "lease_seconds": 60}, 1, 0.0, 4, Cause.LIMIT),
        ({"valid_hours": 0.001, "lease_seconds": 60}, 1, 0.0, 4, Cause.GRANT_ENDED),
        ({"lease_seconds": 5}, 1, 0.0, 6, Cause.LEASE),
    ],
)
def test_a_limit_that_is_passed_stops_the_job_and_says_so(limits, step, flop, after, cause) -> None:
    heard = report(running(**limits), 1, step=step, flop=flop, at=later(seconds=after))

    assert (heard.answer.go_on, heard.answer.order, heard.job.stop.halt.cause) == (False, JobOrder.STOP, cause)
    assert heard.job.state is (JobState.LOST if cause is Cause.LEASE else JobState.STOPPED)
    assert [event.kind for event in heard.events] == ["registry.job_heard.v1", "registry.job_ended.v1"]
    assert report(running(**limits), 1, step=1, at=AT).answer.go_on


def test_a_retry_is_answered_and_not_counted_twice_and_a_number_is_used_once() -> None:
    once = report(running(), 1, step=5, flop=10.0)
    again = report(once.job, 1, step=5, flop=10.0)

    assert (once.is_new, again.is_new, again.job.progress) == (True, False, once.job.progress)
    assert again.answer.go_on and again.events == ()
    with pytest.raises(Conflict, match="Report 1"):
        report(once.job, 1, step=6)
    late = report(report(once.job, 2, step=9).job, 1, step=99)
    assert (late.is_new, late.job.progress.step) == (False, 9)


def test_a_pause_holds_a_job_which_goes_on_afterwards() -> None:
    held = report(running(), 1, step=1, halt=PAUSE)

    assert (held.answer.go_on, held.answer.order, held.job.state) == (False, JobOrder.PAUSE, JobState.RUNNING)
    assert report(held.job, 2, step=1).answer.go_on


def test_a_runner_that_goes_on_after_it_was_told_is_disobedient_and_one_that_only_retries_is_not() -> None:
    stopped = decide.stop(report(running(), 1, step=1).job, "enough", by="usr_overseer", at=AT).job
    told = report(stopped, 2, step=2)
    retried = report(told.job, 2, step=2)
    ending = report(told.job, 3, step=2, is_running=False)
    went_on = report(told.job, 3, step=3)
    still = report(report(went_on.job, 3, step=3).job, 4, step=4)

    assert (told.answer.by, told.answer.why.en, told.job.is_disobedient) == ("usr_overseer", "enough", False)
    assert (retried.job.is_disobedient, ending.job.is_disobedient) == (False, False)
    assert (went_on.job.stop.disobeyed, [one.kind for one in went_on.events]) == (1, ["registry.job_disobeyed.v1"])
    assert (still.job.stop.disobeyed, still.events) == (2, ())
    assert not any(one.answer.go_on for one in (told, retried, ending, went_on, still))


def test_what_a_stopped_job_made_is_not_taken_and_its_word_that_it_stopped_is() -> None:
    stopped = decide.stop(running(), "enough", by="usr_overseer", at=AT).job

    with pytest.raises(Conflict, match="not taken"):
        decide.finish(stopped, FinishJob(outcome=Outcome.FINISHED, artefact=MADE), by="usr_runner", at=AT)
    heeded = decide.finish(stopped, FinishJob(outcome=Outcome.STOPPED), by="usr_runner", at=AT)
    assert (heeded.job.stop.heeded_at, heeded.event.kind) == (AT, "registry.job_stop_heeded.v1")
    with pytest.raises(Conflict):
        decide.finish(heeded.job, FinishJob(outcome=Outcome.STOPPED), by="usr_runner", at=AT)


def test_a_self_update_puts_in_place_what_was_granted_and_nothing_else() -> None:
    update = decide.start(granted(JobKind.SELF_UPDATE), StartJob(), by="usr_runner", at=AT, halt=None).job

    with pytest.raises(Conflict, match="not what was granted"):
        decide.finish(update, FinishJob(outcome=Outcome.FINISHED, artefact="b" * 64), by="usr_runner", at=AT)
    done = decide.finish(update, FinishJob(outcome=Outcome.FINISHED, artefact=f"sha256:{MADE}"), by="usr_runner", at=AT)
    assert (done.job.state, done.job.artefact) == (JobState.FINISHED, MADE)


def test_the_end_of_a_job_fixes_every_report_by_one_chain() -> None:
    def chain(*steps: int) -> str:
        job = running()
        for number, step in enumerate(steps, 1):
            job = report(job, number, step=step).job
        return decide.finish(job, FinishJob(outcome=Outcome.FAILED), by="usr_runner", at=AT).event.chain_sha256

    assert len(chain(1, 2, 3)) == 64
    assert len({chain(1, 2, 3), chain(1, 2, 4), chain(2, 2, 3), chain(1, 2)}) == 4


@settings(max_examples=100, derandomize=True, deadline=None)
@given(
    st.builds(
        lambda number, step, flop, metrics: {"number": number, "step": step, "flop": flop, "metrics": metrics},
        st.integers(),
        st.integers(),
        st.floats(),
        st.dictionaries(st.text(max_size=80), st.floats(), max_size=40),
    )
)
def test_any_report_is_either_counted_with_finite_numbers_or_refused(fields) -> None:
    try:
        told = decide.check_report(ReportJob(**fields))
    except Invalid:
        return

    assert told.number >= 1 and told.step >= 0 and 0 <= told.flop < float("inf") and len(told.metrics) <= 32
    assert all(abs(value) < float("inf") for value in told.metrics.values())


@given(st.integers(1, 2**53), st.integers(1, 1000))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_however_long_a_run_its_picture_stays_small(number: int, most: int) -> None:
    every = decide.stride(number, most)

    assert number // every < most and (every == 1 or number // (every // 2) >= most)


# --- the gate ----------------------------------------------------------------------------------------------------


def judged(facts: str, **more):
    values = packs.read_description(facts, law().rulebook).values() | more
    on = date(2026, 12, 1)
    return rulebook.judge(rulebook.text_on(law().rulebook, on), values, on)


def case(kind: JobKind = JobKind.TRAINING, **more) -> decide.Case:
    demands = decide.demands(judged(FACTS), rules().evidence_for(kind), {"stop_control_test": ("evd_1",)}, {})
    compute = decide.Compute(planned=1e9, on_record=None)
    good = {"kind": kind, "system": system(), "facts_version": 1, "barred_by": (), "order": "", "demands": demands, "compute": compute}  # fmt: skip
    return decide.Case(**good | more)


@pytest.mark.parametrize("kind", JobKind)
def test_a_job_with_everything_in_place_may_be_granted(kind: JobKind) -> None:
    found = decide.check(case(kind), rules())

    assert (found.reason.holds, found.gaps) == (Truth.TRUE, ())


@pytest.mark.parametrize(
    ("kind", "missing", "truth", "says"),
    [
        (JobKind.TRAINING, {"facts_version": 0, "demands": None, "compute": None}, Truth.FALSE, "facts are on record"),
        (JobKind.TRAINING, {"barred_by": ("house.x",)}, Truth.FALSE, "house.x"),
        (JobKind.SELF_UPDATE, {"system": system(status=Status.SUSPENDED)}, Truth.FALSE, "suspended"),
        (JobKind.TRAINING, {"system": system(status=Status.WITHDRAWN)}, Truth.FALSE, "withdrawn"),
        (JobKind.PROMOTION, {"system": system(status=Status.RETIRED)}, Truth.FALSE, "retired"),
        (JobKind.TRAINING, {"order": "pause"}, Truth.FALSE, "stopped the system"),
        (JobKind.TRAINING, {"system": system(PersonRole.OVERSEER)}, Truth.FALSE, "accountable"),
        (JobKind.TRAINING, {"system": system(PersonRole.ACCOUNTABLE)}, Truth.FALSE, "overseer"),
        (JobKind.TRAINING, {"demands": None}, Truth.UNKNOWN, "not evaluated"),
        (JobKind.TRAINING, {"strangers": ("dat_1",)}, Truth.FALSE, "Not registered: dat_1"),
        (JobKind.TRAINING, {"compute": decide.Compute(planned=2e9, on_record=1e9)}, Truth.FALSE, "compute"),
        (JobKind.FINE_TUNING, {"compute": decide.Compute(planned=2, on_record=None, changes=("x",))}, Truth.FALSE, "x"),
        (JobKind.PROMOTION, {"version_fault": Text(zh="没有", en="no such version")}, Truth.FALSE, "no such version"),
    ],
)  # fmt: skip
def test_each_check_finds_what_is_missing_and_says_it(kind, missing, truth, says) -> None:
    found = decide.check(case(kind, **missing), rules())

    assert found.reason.holds is truth
    assert says in " ".join(gap.en for gap in found.gaps)
    assert all(gap.zh and gap.zh != gap.en for gap in found.gaps)


def test_evidence_that_a_verified_duty_asks_for_blocks_until_it_is_there() -> None:
    wanted = rules().evidence_for(JobKind.PROMOTION)
    missing = decide.check(case(JobKind.PROMOTION, demands=decide.demands(judged(FACTS), wanted, {}, {})), rules())

    assert missing.reason.holds is Truth.FALSE
    assert "stop_control_test" in missing.gaps[0].en
    assert decide.check(case(JobKind.PROMOTION), rules()).reason.holds is Truth.TRUE


def test_a_duty_that_cannot_be_judged_blocks_and_names_the_facts_that_would_settle_it() -> None:
    without = judged(FACTS.replace("  intl.party.frameworks: {value: [], note: test}\n", ""))
    open_ = decide.demands(without, rules().evidence_for(JobKind.TRAINING), {}, {})

    found = decide.check(case(demands=open_), rules())

    assert found.reason.holds is Truth.UNKNOWN
    assert "intl.party.frameworks" in found.gaps[0].en
    held = {kind: ("evd_1",) for kind in rules().evidence_for(JobKind.TRAINING)}
    settled = decide.demands(without, rules().evidence_for(JobKind.TRAINING), held, {})
    assert decide.check(case(demands=settled), rules()).reason.holds is Truth.TRUE


def test_only_compute_that_the_law_looks_at_asks_for_new_facts() -> None:
    model = (ROOT / "law" / "systems" / "model-olmo-2-32b.yaml").read_text()

    def plan(flop: float) -> tuple[str, ...]:
        return decide.changed(
            judged(model, **{"model.training_flop": 0.0}), judged(model, **{"model.training_flop": flop})
        )

    assert plan(1e9) == ()
    assert plan(1e27) != ()


# --- the rules ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("id: facts", "id: fact"), ("format: safebelt", "format: other"), ("kinds: [promotion]", "kinds: [promo]"),
        ("lease_seconds: 60", "lease_seconds: 0"), ("closed: [suspended", "closed: [sleeping"),
        ("consent_record:", "consent:"), ("compute_fact: model.training_flop", "compute_fact: ''"),
        ("says: {zh: 已指定负责人, en: An accountable person is named}", "says: {zh: 已指定负责人}"),
        ("id: overseer", "id: accountable"), ("ask_hours: 336, ", ""),
    ],
)  # fmt: skip
def test_a_mistake_in_the_rules_is_found(was: str, becomes: str) -> None:
    text = (ROOT / "registry" / "training.yaml").read_text()
    assert was in text

    with pytest.raises(Invalid):
        read_rules(text.replace(was, becomes, 1), law().rulebook.base.evidence)


@settings(max_examples=80, derandomize=True, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["format", "terms", "checks", "closed", "evidence", "compute_fact", "id", "kinds"]), inner, max_size=6), max_leaves=12))  # fmt: skip
def test_any_yaml_is_either_rules_or_refused(data) -> None:
    import yaml

    with pytest.raises(Invalid):
        read_rules(yaml.safe_dump(data), ())
