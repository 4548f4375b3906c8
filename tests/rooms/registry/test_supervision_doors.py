"""Doors of supervision: the real policies keep the sides apart; pages work without script; the command line says for whom."""

import base64
import json
import re

import pytest
from litestar.testing import TestClient
from tests.rooms.registry.house import build_app
from tests.rooms.registry.supervision_house import (
    ASSESSOR,
    AUDITOR,
    BOTH,
    CONTEST,
    ELSEWHERE,
    GROUND,
    OFFICER,
    OPERATOR,
    Bench,
    build_bench,
)
from tests.rooms.rulebook.house import permissions

from safebelt.kernel.actors import OWNER, PUBLIC, Actor, Role
from safebelt.rooms.registry.cli import commands
from safebelt.rooms.registry.model import NamePerson, PartyKind, PersonRole, RegisterParty
from safebelt.rooms.registry.model.supervision import Confidentiality, StepKind

STEP = {"kind": "question", "text": "How long are logs kept?", "contest": CONTEST, "basis": [GROUND], "days": 7}


@pytest.fixture
def database_url(tmp_path) -> str:
    """What is tried here is the doors; the deeds behind them are tried on both databases elsewhere."""
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
def bench(registry) -> Bench:
    return build_bench(registry)


def door(bench: Bench, actor: Actor) -> TestClient:
    """The registry's doors with somebody knocking, judged by the policies of this repository."""
    rights = bench.registry._rules._access
    return TestClient(build_app(bench.registry, actor=actor, may=lambda action: rights.may(actor, action)))


def test_a_case_by_api_from_question_to_closing(bench) -> None:
    officer, operator = door(bench, OFFICER), door(bench, OPERATOR)
    asked = {"system_id": bench.system.id, "about": "Logs", "basis": [GROUND]}
    case = officer.post("/api/registry/cases", json=asked).json()["id"]
    at = f"/api/registry/cases/{case}"
    assert operator.get(at).status_code == 404
    document = {"name": "a.txt", "content": base64.b64encode("日志".encode()).decode()}
    draft = officer.post(f"{at}/drafts", json={**STEP, "files": [document]}).json()
    assert officer.post(f"{at}/drafts/{draft['id']}/service", json={"channel": "post"}).status_code == 201
    shown = operator.get(at).json()
    assert (shown["side"], shown["waiting"], shown["days_left"], shown["drafts"]) == ("operator", [draft["id"]], 7, [])
    assert {one["kind"] for one in shown["options"] if one["can"]} == {"answer", "extension_request"}
    file = operator.get(f"{at}/steps/{draft['id']}/files/{draft['files'][0]['digest']}")
    assert file.text == "日志" and file.headers["content-disposition"].startswith("attachment")
    assert operator.post(f"{at}/steps/{draft['id']}/receipt").status_code == 201
    assert operator.post(f"{at}/answers", json={"text": "Six months."}).status_code == 201
    closing = officer.post(
        f"{at}/drafts", json={"kind": "closing", "text": "Done.", "contest": CONTEST, "basis": [GROUND]}
    )
    officer.post(f"{at}/drafts/{closing.json()['id']}/service", json={})
    assert operator.get(at).json()["case"]["stage"] == "closed"
    assert operator.get("/api/registry/cases?waits_on=nobody").json()["total"] == 1
    assert officer.delete(at).status_code == 409


@pytest.mark.parametrize("actor", [OPERATOR, BOTH, AUDITOR, ASSESSOR, PUBLIC], ids=lambda one: one.id)
def test_nobody_but_an_authority_gets_through_the_authoritys_doors(bench, actor) -> None:
    case = bench.case()
    draft = bench.draft(case, StepKind.QUESTION, days=3)
    client, at = door(bench, actor), f"/api/registry/cases/{case.id}"
    tries = [
        client.post("/api/registry/cases", json={"system_id": bench.system.id, "about": "x", "basis": [GROUND]}),
        client.post(f"{at}/drafts", json=STEP),
        client.post(f"{at}/drafts/{draft.id}/service", json={}),
        client.delete(f"{at}/drafts/{draft.id}"),
        client.delete(at),
        client.post("/api/registry/offices", json={"party_id": bench.authority.id, "jurisdiction": "eu"}),
        client.get(f"/en/registry/supervision/{case.id}/draft/decision"),
        client.post(f"/en/registry/supervision/{case.id}/steps/{draft.id}/serve"),
    ]

    assert {one.status_code for one in tries} == {403}


@pytest.mark.parametrize("actor", [OFFICER, ELSEWHERE, AUDITOR, PUBLIC], ids=lambda one: one.id)
def test_nobody_but_the_operator_gets_through_its_doors(bench, actor) -> None:
    case = bench.case()
    asked = bench.serve(case, StepKind.QUESTION, days=3)
    client, at = door(bench, actor), f"/api/registry/cases/{case.id}"
    tries = [
        client.post(f"{at}/answers", json={"text": "x"}),
        client.post(f"{at}/answers", json={"text": "x", "kind": "appeal"}),
        client.post(f"{at}/steps/{asked.id}/receipt"),
        client.get(f"/en/registry/supervision/{case.id}/reply/answer"),
    ]

    assert {one.status_code for one in tries} == {403}
    assert len(bench.registry.case_file(case.id, by=OPERATOR).steps) == 1


def test_another_authority_sees_nothing_and_an_auditor_what_was_served(bench) -> None:
    case = bench.case()
    bench.serve(case, StepKind.QUESTION, days=3)
    bench.draft(case, StepKind.FACT, text="A secret finding")

    assert door(bench, ELSEWHERE).get(f"/en/registry/supervision/{case.id}").status_code == 404
    page = door(bench, AUDITOR).get(f"/en/registry/supervision/{case.id}").text
    assert "On the question." in page and "secret finding" not in page
    assert "secret finding" in door(bench, OFFICER).get(f"/en/registry/supervision/{case.id}").text
    assert door(bench, ASSESSOR).get("/en/registry/supervision").status_code == 403


def test_a_form_comes_back_with_what_was_typed_and_what_is_wrong(bench) -> None:
    case = bench.case()
    client, at = door(bench, OFFICER), f"/zh/registry/supervision/{case.id}"
    typed = {"text": "请说明", "more_basis": "eu/ai-act#art_99999", "contest": "可提异议", "days": "七"}
    answer = client.post(f"{at}/draft/question", data=typed, files={"none": b""})

    assert answer.status_code == 422
    assert "eu/ai-act#art_99999" in answer.text and "七" in answer.text and "整数" in answer.text
    answer = client.post(f"{at}/draft/question", data={**typed, "days": "7"}, files={"none": b""})
    assert answer.status_code == 422 and "规则库中没有这些依据" in answer.text
    assert client.get(f"{at}/draft/no_such_kind").status_code == 404
    assert client.get(f"{at}/draft/answer").status_code == 403


def test_a_basis_in_words_is_shown_as_not_in_the_rulebook(bench) -> None:
    case = bench.case()
    bench.serve(case, StepKind.QUESTION, days=3, basis=(), other_basis="Ministerial order 7")

    assert re.search(
        "Ministerial order 7.*not in the rulebook",
        door(bench, OPERATOR).get(f"/en/registry/supervision/{case.id}").text,
    )


def test_the_dossier_says_that_there_is_a_case_and_of_a_private_one_nothing_more(bench) -> None:
    from safebelt.rooms.registry.pages.supervision import panels

    (panel,) = panels(bench.registry)
    bench.serve(bench.case(about="Logs"), StepKind.QUESTION, days=3)
    bench.serve(bench.case(about="A secret raid", confidentiality=Confidentiality.PARTIES), StepKind.QUESTION, days=3)
    bench.case(about="Not served")
    bench.registry.name_person(bench.system.id, NamePerson(role=PersonRole.ACCOUNTABLE, name="王敏"), by=OWNER)
    client = TestClient(build_app(bench.registry, panels=(panel,)))

    page = client.get(f"/en/registry/systems/{bench.system.id}").text.partition('id="supervision"')[2]
    assert "Logs" in page and "A case for its parties only" in page
    assert "secret raid" not in page and "Not served" not in page


def test_the_form_for_an_office_offers_every_authority_however_many_other_parties_came_later(
    bench, monkeypatch
) -> None:
    from safebelt.rooms.registry.pages import supervision

    monkeypatch.setattr(supervision, "_IN_A_LIST", 3)
    for at in range(4):
        bench.registry.register_party(RegisterParty(name=f"Company {at}", kind=PartyKind.ORGANISATION), by=OWNER)

    page = door(bench, OFFICER).get("/en/registry/supervision/office").text

    assert bench.authority.name in page and bench.other.name in page
    assert "Company 3" not in page


def run(bench: Bench, *words: str):
    return commands(bench.registry)(
        ("supervise", *words), exit_on_error=False, print_error=False, result_action="return_value"
    )


def test_the_owner_says_for_whom_they_act_and_acts_for_nobody_else(bench) -> None:
    from cyclopts.exceptions import MissingArgumentError

    with pytest.raises(MissingArgumentError):
        run(bench, "list")
    run(bench, "office", bench.authority.id, "--as", "authority")
    case = run(bench, "open", bench.system.id, "Logs", "--as", "authority", "--basis", GROUND).data["id"]
    common = ("--as", "authority", "--basis", GROUND, "--contest", CONTEST)
    asked = run(bench, "step", case, "question", "How long?", *common, "--days", "7", "--serve").data
    told = run(bench, "show", case, "--as", "operator")
    assert asked["id"] in told.says.zh and "答复" in told.says.zh and told.exit_code == 0
    run(bench, "answer", case, "六个月", "--as", "operator")
    run(bench, "step", case, "fact", "Six months.", *common, "--serve")
    run(bench, "step", case, "decision", "A warning.", *common, "--outcome", "warning", "--appeal-days", "5", "--serve")
    run(bench, "appeal", case, "不服", "--as", "operator")
    shown = run(bench, "show", case, "--as", "authority").data
    assert json.dumps(shown) and shown["case"]["stage"] == "appealed"
    assert "appeal_decision" not in shown["next"]  # the owner decided: the owner does not judge the appeal
    assert run(bench, "list", "--as", "operator").data["total"] == 1


def test_what_is_overdue_is_marked_and_makes_the_command_say_no(bench, clock) -> None:
    case = bench.case()
    bench.serve(case, StepKind.QUESTION, days=1)
    clock.move(days=3)

    told = run(bench, "show", case.id, "--as", "operator")
    assert told.exit_code == 1
    page = door(bench, OPERATOR).get("/zh/registry/supervision").text
    assert "已逾期 2 天" in page
    assert bench.stage(case) == "inquiry"  # and nothing happens by itself


def test_the_policies_know_the_actions_and_forbid_an_operator_to_supervise(bench) -> None:
    rights = bench.registry._rules._access

    assert permissions()
    assert rights.may(OFFICER, "registry.supervise") and not rights.may(OFFICER, "registry.answer")
    assert rights.may(OPERATOR, "registry.answer") and not rights.may(BOTH, "registry.supervise")
    assert not rights.may(Actor(id="usr_o", roles=frozenset({Role.OVERSEER})), "registry.supervise")
