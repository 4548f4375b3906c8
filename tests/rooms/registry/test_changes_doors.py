"""Doors to changes, responsibility and rights: pages in both languages, JSON, command line."""

import csv
import io
import json
from pathlib import Path

import pytest
from cyclopts import App
from litestar.testing import TestClient
from tests.rooms.registry.house import build_app
from tests.rooms.registry.test_changes import LARGE, SMALL, attest, register
from tests.rooms.registry.test_responsibility import TOOL, people

from safebelt.kernel.actors import OWNER
from safebelt.rooms.registry.cli.changes import add
from safebelt.rooms.registry.model import NamePerson, PersonRole, Status
from safebelt.rooms.registry.pages.changes import panels
from safebelt.rooms.registry.service import Registry
from safebelt.web.terminal import DONE, NEGATIVE, NOT_EVALUATED


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One database: nothing here depends on it; `test_changes_habit.py` takes both."""
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
def system(registry: Registry, clock):
    found = register(registry, SMALL)
    attest(registry, found, clock, *registry.gate(found.id, Status.IN_SERVICE).asked)
    people(registry, found)
    return registry.system(found.id)


def run(registry: Registry, *words: str):
    app = App(name="registry", result_action="return_value")
    add(app, registry)
    return app(list(words))


def test_pages_show_what_is_open_by_when_and_by_which_rule(registry: Registry, system, client: TestClient) -> None:
    registry.describe(system.id, LARGE, by=OWNER)

    page = client.get(f"/en/registry/systems/{system.id}/changes").text
    assert "Detection tool" in page and "house rule" in page and "2026-12-21" in page
    assert f"/en/rulebook/norms/{TOOL}" in page and "not legal advice" in page
    assert "检测工具" in client.get(f"/zh/registry/systems/{system.id}/changes").text


def test_a_page_previews_a_change_and_puts_former_facts_back(registry: Registry, system, client: TestClient) -> None:
    here = f"/en/registry/systems/{system.id}/changes"

    seen = client.post(f"{here}/preview", data={"descriptor": LARGE}).text
    assert "Detection tool" in seen and "nothing was put on record" in seen
    assert registry.changes(system.id) == ()
    assert client.post(f"{here}/preview", data={"descriptor": "nonsense"}).status_code == 422
    registry.describe(system.id, LARGE, by=OWNER)
    back = client.post(f"{here}/put-back", data={"version": "1"}, follow_redirects=False)
    assert back.status_code == 303
    assert len(registry.descriptions(system.id)) == 3
    assert client.post(f"{here}/put-back", data={"version": "3"}).status_code == 409
    assert client.post(f"{here}/put-back", data={"version": "x" * 40}).status_code == 404


def test_a_page_assigns_hands_over_and_ends(registry: Registry, system, client: TestClient) -> None:
    registry.describe(system.id, LARGE, by=OWNER)
    here = f"/en/registry/systems/{system.id}/responsibility"
    named = {one.role: one.id for one in system.people}
    boss, operator = named[PersonRole.ACCOUNTABLE], named[PersonRole.OPERATOR]
    handing = {"scope": TOOL, "part": "accountable", "from_person": boss, "to_person": operator, "reason": "runs it"}

    assert client.post(f"{here}/hand-over", data={**handing, "to_person": boss}).status_code == 422
    assert client.post(f"{here}/hand-over", data=handing, follow_redirects=False).status_code == 303
    assert client.post(f"{here}/assign", data={"scope": TOOL, "part": "told"}).status_code == 422
    telling = {"scope": "bearer:provider", "part": "told", "person_id": operator, "reason": "to know", "since": ""}
    assert client.post(f"{here}/assign", data=telling, follow_redirects=False).status_code == 303
    terms = registry.assignments(system.id)
    ended = client.post(f"{here}/end", data={"assignment_id": terms[1].id}, follow_redirects=False)
    assert ended.status_code == 303

    page = client.get(here).text
    assert "李雷" in page and "assigned to this duty" in page and "Rights and remedies" in page
    assert "责任图" in client.get(here.replace("/en/", "/zh/")).text


def test_without_facts_the_pages_say_not_evaluated(registry: Registry, client: TestClient) -> None:
    from safebelt.rooms.registry.model import RegisterParty, RegisterSystem

    party = registry.register_party(RegisterParty(name="P"), by=OWNER)
    bare = registry.register_system(RegisterSystem(provider_id=party.id, name_en="A", purpose_en="B"), by=OWNER)

    assert "not evaluated" in client.get(f"/en/registry/systems/{bare.id}/responsibility").text
    assert "first facts are no change" in client.get(f"/en/registry/systems/{bare.id}/changes").text
    assert run(registry, "responsibility", bare.id).exit_code == NOT_EVALUATED
    assert run(registry, "rights", bare.id).exit_code == NOT_EVALUATED
    assert client.get("/en/registry/systems/sys_nobody/changes").status_code == 404


def test_the_json_door_lists_previews_assigns_and_exports(registry: Registry, system, client: TestClient) -> None:
    here = f"/api/registry/systems/{system.id}"

    seen = client.post(f"{here}/changes/preview", json={"descriptor": LARGE}).json()
    assert {one["evidence"] for one in seen["difference"]["redos"]} >= {"detection_tool"}
    registry.describe(system.id, LARGE, by=OWNER)
    listed = client.get(f"{here}/changes").json()
    assert [one["standing"] for one in listed["to_do"]].count("open") == len(seen["difference"]["redos"])
    boss = system.current(PersonRole.ACCOUNTABLE)[0].id
    made = client.post(
        f"{here}/responsibility",
        json={"scope": TOOL, "part": "told", "person_id": boss, "reason": "answers for it"},
    )
    assert made.status_code == 201
    assert client.post(f"{here}/responsibility/ends", json={"assignment_id": "asg_x", "reason": "x"}).status_code == 404
    back = client.post(f"{here}/changes/put-back", json={"version": 1}).json()
    assert back["version"] == 3
    rows = list(csv.DictReader(io.StringIO(client.get(f"{here}/responsibility/export").text)))
    assert {row["norm"] for row in rows} == {
        one["norm"] for one in client.get(f"{here}/responsibility").json()["duties"]
    }
    assert isinstance(client.get(f"{here}/rights").json(), list)


def test_the_command_line_previews_lists_and_hands_over(registry: Registry, system, tmp_path) -> None:
    file = tmp_path / "system.json"
    file.write_text(LARGE, "utf-8")

    seen = run(registry, "changes", "preview", system.id, str(file))
    assert seen.exit_code == NEGATIVE and "detection_tool" in seen.as_text("en")
    assert "没有变更记录" in run(registry, "changes", "list", system.id).as_text("zh")
    registry.describe(system.id, LARGE, by=OWNER)
    listed = run(registry, "changes", "list", system.id)
    assert listed.exit_code == DONE and "[open] detection_tool" in listed.as_text("en")
    assert json.dumps(listed.data)
    boss, operator = (system.current(role)[0].id for role in (PersonRole.ACCOUNTABLE, PersonRole.OPERATOR))
    words = ("--part", "accountable", "--from-person", boss, "--to-person", operator, "--reason", "runs it")
    made = run(registry, "hand-over", system.id, TOOL, *words)
    assert made.data["person_id"] == operator
    assert run(registry, "responsibility", system.id).exit_code == DONE
    assert run(registry, "end-assignment", system.id, made.data["id"], "--reason", "over").exit_code == DONE
    assert run(registry, "changes", "put-back", system.id, "1").data["version"] == 3


def test_the_dossier_shows_what_is_open_and_who_answers(registry: Registry, system) -> None:
    registry.describe(system.id, LARGE, by=OWNER)

    with TestClient(build_app(registry, panels=panels(registry))) as client:
        page = client.get(f"/en/registry/systems/{system.id}").text
        assert "Open again after changes" in page and "Detection tool" in page and "by <time" in page
        assert "Who answers for what" in page
    registry.name_person(system.id, NamePerson(role=PersonRole.ACCOUNTABLE, name="赵云"), by=OWNER)
