"""What a dossier shows to whom, by the real policies: what staff say among themselves stays among them."""

from datetime import timedelta
from hashlib import sha256

import pytest
from litestar.testing import TestClient
from tests.rooms.registry.house import build_app
from tests.rooms.registry.lifecycle_house import ASSESSOR, AUTHORITY, DESCRIBED, OPERATOR, enter, staff

from safebelt.kernel.actors import Actor, Role
from safebelt.rooms.registry.model.lifecycle import Attest
from safebelt.rooms.registry.model.notes import Assign, Say
from safebelt.rooms.registry.pages import panels

ASSOCIATION = Actor(id="usr_association", roles=frozenset({Role.ASSOCIATION}), door="web")
OUTSIDE = (AUTHORITY, ASSESSOR, ASSOCIATION)
SAID = "Our lawyer calls this risky"


@pytest.fixture
def database_url(tmp_path) -> str:
    """What is tried here is the doors."""
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
def system(registry):
    found = enter(registry, DESCRIBED)
    registry.comment(Say(subject_id=found.id, text=SAID), by=OPERATOR)
    registry.assign_task(Assign(subject_id=found.id, title=SAID), by=OPERATOR)
    return found


def door(registry, actor: Actor) -> TestClient:
    rights = registry._rules._access
    return TestClient(
        build_app(registry, actor=actor, may=lambda action: rights.may(actor, action), panels=panels(registry))
    )


def test_what_staff_say_among_themselves_is_shown_to_nobody_else(registry, system) -> None:
    own = door(registry, OPERATOR)
    for lang in ("zh", "en"):
        page = own.get(f"/{lang}/registry/systems/{system.id}").text
        assert SAID in page and 'id="notes"' in page
    assert SAID in own.get("/api/registry/comments", params={"about": system.id}).text
    for actor in OUTSIDE:
        client = door(registry, actor)
        page = client.get(f"/en/registry/systems/{system.id}")
        assert page.status_code == 200 and SAID not in page.text and 'id="notes"' not in page.text
        asked = ("/api/registry/comments", "/api/registry/attachments", "/api/registry/tasks")
        assert {client.get(each, params={"about": system.id}).status_code for each in asked} == {403}
        pages = (f"/en/registry/systems/{system.id}/notes", "/zh/registry/tasks", f"/zh/registry/notes/{system.id}")
        assert {client.get(each).status_code for each in pages} == {403}


def test_an_authority_hands_no_internal_notes_out(registry, system) -> None:
    client, at = door(registry, AUTHORITY), f"/api/registry/systems/{system.id}/package"
    asked = {"recipient": "Court", "basis": "Its order", "parts": ["system", "notes"]}

    assert "notes" not in {one["id"] for one in client.get(at).json()}
    assert client.post(at, json=asked).status_code == 403
    assert SAID not in client.get(f"/en/registry/systems/{system.id}/package").text
    assert client.post(at, json={**asked, "parts": ["system"]}).status_code == 200
    assert door(registry, OPERATOR).post(at, json=asked).status_code == 200


def test_a_file_opens_to_outsiders_only_where_something_is_attested_by_it(registry, system) -> None:
    plan = registry.attach(system.id, "plan.txt", [b"secret plan"], by=OPERATOR)
    report = registry.attach(system.id, "report.txt", [b"test report"], by=OPERATOR)
    attested = Attest(
        kind="technical_documentation",
        statement="We keep it",
        person_id=staff(registry, system.id).id,
        expires_on=registry.today() + timedelta(days=30),
        digest=sha256(b"test report").hexdigest(),
    )
    registry.attest(system.id, attested, by=OPERATOR)
    for actor in OUTSIDE:
        client = door(registry, actor)
        assert client.get(f"/api/registry/attachments/{report.id}/content").content == b"test report"
        closed = (f"/api/registry/attachments/{plan.id}", f"/api/registry/attachments/{plan.id}/content")
        assert {client.get(each).status_code for each in (*closed, f"/zh/registry/files/{plan.id}")} == {403}
    assert door(registry, OPERATOR).get(f"/zh/registry/files/{plan.id}").content == b"secret plan"


def test_a_page_offers_only_what_its_reader_may_do(registry, system) -> None:
    links = (f"/en/registry/systems/{system.id}/change", f"/en/registry/systems/{system.id}/people/new")
    own, theirs = (door(registry, one).get(f"/en/registry/systems/{system.id}").text for one in (OPERATOR, ASSESSOR))

    assert all(f'href="{link}"' in own for link in links)
    assert not any(f'href="{link}"' in theirs for link in links) and "/people/new" not in theirs
    assert f"/en/registry/systems/{system.id}/package" in own and "/package" not in theirs


def test_no_door_sets_a_stage_and_no_name_runs_in_a_page(registry, system) -> None:
    client, bad = door(registry, OPERATOR), "</title><script>alert(1)</script>"
    change = {"version": registry.system(system.id).version, "reason": "x", "name_en": bad, "name_zh": bad}
    answer = client.patch(f"/api/registry/systems/{system.id}", json={**change, "status": "in_service"})
    if answer.status_code != 200:  # a field nobody knows is refused as well as left alone
        assert client.patch(f"/api/registry/systems/{system.id}", json=change).status_code == 200

    assert registry.system(system.id).status.value == "idea"
    for page in (f"/en/registry/systems/{system.id}", "/zh/registry", f"/zh/registry/systems/{system.id}/publication"):
        shown = client.get(page)
        assert shown.status_code == 200 and "<script>alert" not in shown.text
