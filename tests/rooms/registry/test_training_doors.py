"""Jobs at the command line and on pages: what waits, why it cannot be granted yet, and who may press what."""

import json

import pytest
from litestar.testing import TestClient
from tests.rooms.registry.house import build_app
from tests.rooms.registry.training_cases import CONFIG, DATA, MADE, OVERSEER, RUNNER, asking, forecast, granting

from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Refused
from safebelt.rooms.registry.cli import commands
from safebelt.rooms.registry.model.things import ProposeVersion
from safebelt.rooms.registry.model.training import JobKind, JobState, ReportJob, StartJob
from safebelt.rooms.registry.pages.training import panels
from safebelt.rooms.registry.service import Registry
from safebelt.web.terminal import Answer

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Doors are the same on both databases; what they do is tried on both in `test_training_deeds`."""


def run(registry: Registry, *words: str) -> Answer:
    answer = commands(registry)(["jobs", *words], exit_on_error=False, print_error=False, result_action="return_value")
    assert isinstance(answer, Answer)
    json.dumps(answer.data)
    return answer


def test_the_command_line_asks_shows_and_decides_but_never_both_for_one_job(registry: Registry) -> None:
    system = forecast(registry)
    person = granting(system).person_id
    plan = ("--flop", "1e9", "--steps", "10", "--dataset", DATA, "--config", CONFIG)

    own = run(registry, "ask", "training", system.id, "--purpose", "new quarter", *plan).data["id"]
    with pytest.raises(Refused):
        run(registry, "grant", own, "--person", person, "--reason", "checked")
    bare = registry.ask_job(asking(forecast(registry, facts="").id), by=RUNNER)
    missing = run(registry, "show", bare.id)
    theirs = registry.ask_job(asking(system.id), by=RUNNER)
    shown = run(registry, "show", theirs.id)
    granted = run(registry, "grant", theirs.id, "--person", person, "--reason", "checked", "--max-steps", "7")
    stopped = run(registry, "stop", theirs.id, "--reason", "enough")
    refused = run(registry, "refuse", own, "--reason", "not now")

    assert (missing.exit_code, "Put the system's facts on record first." in missing.says.en) == (1, True)
    assert (shown.exit_code, granted.data["limits"]["max_steps"]) == (0, 7)
    assert (stopped.data["state"], refused.data["state"]) == ("stopped", "refused")
    assert run(registry, "list", "--state", "asked").says.en == f"{bare.id}  training (waits for a person)"


def test_a_promotion_is_rolled_back_from_its_page(registry: Registry, clock) -> None:
    clock.move(days=-2)  # before the red line that wants a stop test is in force
    system = forecast(registry)
    for label in "12":
        version = registry.propose_version(system.id, ProposeVersion(label=label, digest=MADE), by=OWNER)
        job = registry.ask_job(asking(system.id, JobKind.PROMOTION, version_id=version.id), by=RUNNER)
        registry.grant_job(job.id, granting(system), by=OVERSEER)
    with TestClient(build_app(registry, actor=OVERSEER)) as people:
        path = f"/en/registry/jobs/{job.id}"
        page = people.get(path).text
        assert "Reason for going back to version “1”" in page
        back = page.split(f'action="{path}/roll-back/')[1].split('"')[0]
        empty = people.post(f"{path}/roll-back/{back}", data={"back_reason": " "})
        done = people.post(f"{path}/roll-back/{back}", data={"back_reason": "errors grew"}, follow_redirects=False)

    assert (empty.status_code, done.status_code) == (422, 303)
    assert registry.current_version(system.id).label == "1"


def test_forms_come_back_with_what_is_wrong_and_buttons_show_only_to_who_may(registry: Registry) -> None:
    system = forecast(registry)
    job = registry.ask_job(asking(system.id), by=RUNNER)
    theirs = registry.ask_job(asking(system.id), by=OVERSEER)
    path = f"/zh/registry/jobs/{job.id}"
    grant = {"person_id": granting(system).person_id, "reason": "已核对", "max_steps": "1000"}
    allowed = {"registry.read", "registry.grant", "belt.stop"}
    app = build_app(registry, actor=OVERSEER, may=lambda action: action in allowed, panels=panels(registry))
    with TestClient(app) as people:
        too_much = people.post(f"{path}/grant", data=grant)
        own = people.post(f"/zh/registry/jobs/{theirs.id}/grant", data=grant | {"max_steps": "1"})
        silent = people.post(f"{path}/refuse", data={"why": ""})
        refused = people.post(f"{path}/refuse", data={"why": "目的不清"}, follow_redirects=False)
        late = people.post(f"{path}/stop", data={"stop_reason": "x"})
        allowed -= {"registry.grant", "belt.stop"}
        read = people.get(f"/zh/registry/jobs/{theirs.id}").text
        pressed = people.post(f"/zh/registry/jobs/{theirs.id}/stop", data={"stop_reason": "x"})
        dossier = people.get(f"/zh/registry/systems/{system.id}").text

    assert (too_much.status_code, "不能超过申请的 100" in too_much.text) == (422, True)
    assert (own.status_code, "申请者和运行方不得批准自己的作业" in own.text) == (403, True)
    assert (silent.status_code, 'id="why-error"' in silent.text) == (422, True)
    assert "<form" not in read.split("<main")[1]
    assert (pressed.status_code, "训练与上线" in dossier) == (403, True)
    assert (refused.status_code, late.status_code, registry.job(job.id).state) == (303, 409, JobState.REFUSED)


def test_measures_of_any_size_are_drawn(registry: Registry) -> None:
    system = forecast(registry)
    job = registry.ask_job(asking(system.id), by=RUNNER)
    registry.grant_job(job.id, granting(system), by=OVERSEER)
    registry.start_job(job.id, StartJob(datasets=(DATA,), config=CONFIG), by=RUNNER)
    for number, value in enumerate((-1e300, 1e300, 0.0), 1):
        told = ReportJob(number=number, step=0, metrics={"<b>wild</b>": value, "flat": 1.0})
        registry.report_job(job.id, told, by=RUNNER)
    with TestClient(build_app(registry, actor=OVERSEER)) as people:
        page = people.get(f"/en/registry/jobs/{job.id}").text

    assert page.count("<polyline") == 2
    assert "<b>wild" not in page and "nan" not in page.split("<polyline")[1].split("/>")[0]
