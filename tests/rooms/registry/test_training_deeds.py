"""Jobs as deeds and at their JSON door, on both databases: granted, reported, stopped, promoted; all on the ledger."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.rooms.registry.house import build_app
from tests.rooms.registry.training_cases import (
    CONFIG,
    DATA,
    FACTS,
    MADE,
    OVERSEER,
    RUNNER,
    asking,
    forecast,
    granting,
)

from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.registry.model.things import ProposeVersion, VersionState
from safebelt.rooms.registry.model.training import (
    Cause,
    FinishJob,
    Job,
    JobKind,
    JobState,
    Outcome,
    ReportJob,
    StartJob,
)
from safebelt.rooms.registry.service import Registry

START = StartJob(datasets=(DATA,), config=CONFIG)
DONE = FinishJob(outcome=Outcome.FINISHED, artefact=MADE, label="2.0")


def begun(registry: Registry, **limits: Any) -> Job:
    system = forecast(registry)
    job = registry.ask_job(asking(system.id), by=RUNNER)
    registry.grant_job(job.id, granting(system, **limits), by=OVERSEER)
    registry.start_job(job.id, START, by=RUNNER)
    return registry.job(job.id)


def kinds(registry: Registry, system_id: str) -> list[str]:
    entries = registry._ledger.entries(subject=system_id, limit=50)
    return [one.kind.removeprefix("registry.").removesuffix(".v1") for one in reversed(entries)]


def stopped_by(registry: Registry, order: Callable[[str], str]) -> None:
    registry._tools = replace(registry._tools, stopped=order)


def test_a_job_goes_from_question_to_proposed_version_and_every_step_is_on_the_ledger(registry: Registry) -> None:
    job = begun(registry)
    for number in range(1, 6):
        assert registry.report_job(
            job.id, ReportJob(number=number, step=number, metrics={"loss": 1 / number}), by=RUNNER
        ).go_on

    done = registry.finish_job(job.id, DONE, by=RUNNER)

    version = registry.version(done.version_id)
    assert (done.state, version.label, version.digest, version.state) == (
        JobState.FINISHED,
        "2.0",
        MADE,
        VersionState.PROPOSED,
    )
    assert [one.step for one in registry.job_reports(job.id)] == [1, 2, 3, 4, 5]
    steps = ["job_asked", "job_granted", "job_started", "job_heard", "version_proposed", "job_ended"]
    assert [one for one in kinds(registry, job.system_id) if "job" in one or "version" in one] == steps
    assert registry.job(job.id) == done


def test_a_retry_over_the_wire_is_not_counted_twice(registry: Registry) -> None:
    job = begun(registry)
    told = ReportJob(number=1, step=7, flop=5.0)

    answers = [registry.report_job(job.id, told, by=RUNNER) for _ in range(3)]

    assert [one.number for one in answers] == [1, 1, 1]
    assert (registry.job(job.id).progress.step, len(registry.job_reports(job.id))) == (7, 1)


def test_a_job_that_falls_silent_is_lost_by_the_first_look_at_it(registry: Registry, clock) -> None:
    job = begun(registry, lease_seconds=30)
    clock.move(seconds=31)

    assert registry.expire_jobs() == 1

    lost = registry.job(job.id)
    assert (lost.state, lost.stop.halt.cause, lost.stop.halt.by) == (JobState.LOST, Cause.LEASE, "safebelt")
    assert not registry.report_job(job.id, ReportJob(number=1, step=1), by=RUNNER).go_on
    with pytest.raises(Conflict, match="not taken"):
        registry.finish_job(job.id, DONE, by=RUNNER)
    assert registry.expire_jobs() == 0


def test_the_stop_control_stops_a_job_and_a_pause_holds_it(registry: Registry) -> None:
    job = begun(registry)

    stopped_by(registry, lambda _system: "pause")
    paused = registry.report_job(job.id, ReportJob(number=1, step=1), by=RUNNER)
    stopped_by(registry, lambda _system: "")
    resumed = registry.report_job(job.id, ReportJob(number=2, step=1), by=RUNNER)
    stopped_by(registry, lambda _system: "cut")
    cut = registry.report_job(job.id, ReportJob(number=3, step=1), by=RUNNER)
    stopped_by(registry, lambda _system: "")
    after = registry.report_job(job.id, ReportJob(number=4, step=2), by=RUNNER)

    assert [one.order.value for one in (paused, resumed, cut, after)] == ["pause", "run", "stop", "stop"]
    assert registry.job(job.id).stop.halt.cause is Cause.CONTROL
    assert "job_disobeyed" in kinds(registry, job.system_id)


def test_a_system_that_is_stopped_before_a_job_begins_does_not_begin_it(registry: Registry) -> None:
    system = forecast(registry)
    job = registry.ask_job(asking(system.id), by=RUNNER)
    stopped_by(registry, lambda asked: "cut" if asked == system.id else "")

    with pytest.raises(Conflict, match="No person stopped"):
        registry.grant_job(job.id, granting(system), by=OVERSEER)
    stopped_by(registry, lambda _system: "")
    registry.grant_job(job.id, granting(system), by=OVERSEER)
    stopped_by(registry, lambda _system: "drain")
    with pytest.raises(Conflict, match="drain"):
        registry.start_job(job.id, START, by=RUNNER)


def test_without_facts_or_people_or_with_facts_that_lag_behind_a_job_is_not_granted(registry: Registry) -> None:
    bare = forecast(registry, facts="", people=False)
    job = registry.ask_job(asking(bare.id), by=RUNNER)

    found = registry.job_gate(job.id)

    assert found.reason.holds is Truth.FALSE
    assert len(found.gaps) == 6
    big = FACTS + "  model.training_flop: {value: 1.5e9, note: test}\n"
    system = forecast(registry, facts=big)
    first, second = (registry.ask_job(asking(system.id), by=RUNNER) for _ in range(2))
    registry.grant_job(first.id, granting(system), by=OVERSEER)
    with pytest.raises(Conflict, match="compute"):
        registry.grant_job(second.id, granting(system), by=OVERSEER)


def test_a_proposed_version_becomes_current_only_by_a_granted_promotion_and_rolls_back_at_once(
    registry: Registry, clock
) -> None:
    clock.move(days=-2)  # before the red line that wants a stop test is in force
    system = forecast(registry)
    versions = [
        registry.propose_version(system.id, ProposeVersion(label=label, digest=MADE), by=OWNER) for label in "12"
    ]
    for version in versions:
        job = registry.ask_job(asking(system.id, JobKind.PROMOTION, version_id=version.id), by=RUNNER)
        assert registry.job_gate(job.id).reason.holds is Truth.TRUE
        done = registry.grant_job(job.id, granting(system), by=OVERSEER)
        assert done.state is JobState.FINISHED
    again = registry.ask_job(asking(system.id, JobKind.PROMOTION, version_id=versions[0].id), by=RUNNER)
    assert registry.current_version(system.id) == registry.version(versions[1].id)

    with pytest.raises(Conflict, match="superseded"):
        registry.grant_job(again.id, granting(system), by=OVERSEER)
    back = registry.roll_back_version(versions[0].id, "误差变大 errors grew", by=OWNER)

    assert (back.state, registry.current_version(system.id).id) == (VersionState.CURRENT, versions[0].id)
    assert registry.version(versions[1].id).state is VersionState.WITHDRAWN


def test_a_self_update_is_put_in_place_by_its_grant_and_nothing_else_is(registry: Registry, clock) -> None:
    clock.move(days=-2)
    system = forecast(registry)
    job = registry.ask_job(asking(system.id, JobKind.SELF_UPDATE), by=RUNNER)
    registry.grant_job(job.id, granting(system), by=OVERSEER)
    registry.start_job(job.id, StartJob(), by=RUNNER)

    with pytest.raises(Conflict, match="not what was granted"):
        registry.finish_job(job.id, replace(DONE, artefact="b" * 64), by=RUNNER)
    done = registry.finish_job(job.id, DONE, by=RUNNER)

    assert registry.current_version(system.id).id == done.version_id


def test_a_label_that_is_taken_does_not_lose_a_long_run(registry: Registry) -> None:
    job = begun(registry)
    registry.propose_version(job.system_id, ProposeVersion(label="2.0", digest=MADE), by=OWNER)

    done = registry.finish_job(job.id, DONE, by=RUNNER)

    assert registry.version(done.version_id).label == f"2.0-{job.id[-8:]}"


def test_a_runner_sees_its_own_jobs_and_no_others(registry: Registry) -> None:
    job = begun(registry)
    other = replace(RUNNER, id="usr_other_runner")

    with pytest.raises(NotFound):
        registry.job(job.id, by=other)
    assert registry.jobs(by=other).total == 0
    assert registry.jobs(by=RUNNER).total == registry.jobs(by=OVERSEER).total == 1
    with pytest.raises(Invalid, match="not linked"):
        registry.ask_job(replace(asking(job.system_id), model_id="mdl_x"), by=RUNNER)


def test_what_waits_for_a_person_comes_first(registry: Registry) -> None:
    running = begun(registry)
    refused, waiting = (registry.ask_job(asking(running.system_id), by=RUNNER) for _ in range(2))
    registry.refuse_job(refused.id, "not now", by=OVERSEER)

    found = registry.jobs(system_id=running.system_id)

    assert [one.id for one in found.items] == [waiting.id, running.id, refused.id]
    assert registry.jobs(state=JobState.REFUSED).total == registry.jobs_waiting() == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_runner_asks_and_reports_over_http_and_a_person_decides(registry: Registry) -> None:
    system = forecast(registry)
    person = granting(system).person_id
    body = {"kind": "training", "system_id": system.id, "purpose": "new quarter", "plan": {"datasets": [DATA], "flop": 1e9, "steps": 10, "config": CONFIG}}  # fmt: skip
    with (
        TestClient(build_app(registry, actor=RUNNER)) as runner,
        TestClient(build_app(registry, actor=OVERSEER)) as people,
    ):
        job = runner.post("/api/registry/jobs", json=body).json()
        path = f"/api/registry/jobs/{job['id']}"
        early = runner.post(f"{path}/reports", json={"number": 1, "step": 1})
        own = runner.post(f"{path}/grant", json={"person_id": person, "reason": "x"})
        seen = people.get(path).json()
        granted = people.post(f"{path}/grant", json={"person_id": person, "reason": "checked"})
        begun = runner.post(f"{path}/start", json={"datasets": [f"sha256:{DATA}"], "config": CONFIG})
        first = runner.post(f"{path}/reports", json={"number": 1, "step": 1, "metrics": {"loss": 0.5}})
        listed = runner.get("/api/registry/jobs?state=running").json()
        infinite = runner.post(f"{path}/reports", content='{"number": 2, "step": 1, "flop": 1e308}')
        people.post(f"{path}/stop", json={"reason": "enough"})
        second = runner.post(f"{path}/reports", json={"number": 2, "step": 2})
        heeded = runner.post(f"{path}/finish", json={"outcome": "stopped"})

    assert (early.status_code, own.status_code, granted.status_code) == (409, 403, 200)
    assert (seen["job"]["state"], seen["gate"]["reason"]["holds"], seen["answer"]["go_on"]) == ("asked", "true", False)
    assert (begun.json()["go_on"], first.json()["order"], infinite.status_code) == (True, "run", 422)
    assert second.json() | {"number": 0} == {
        "go_on": False, "order": "stop", "why": {"zh": "enough", "en": "enough"}, "by": OVERSEER.id, "number": 0, "report_again_within_seconds": 0,
    }  # fmt: skip
    assert heeded.json()["stop"]["heeded_at"]
    assert [one["id"] for one in listed["items"]] == [job["id"]]
