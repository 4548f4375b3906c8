"""Systems led through their lives, on both databases: real ones, refused and passed, by every door."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from cyclopts import App
from litestar.testing import TestClient
from tests.rooms.registry.house import ORIGIN, build_app
from tests.rooms.registry.lifecycle_house import (
    ASSESSOR,
    AUTHORITY,
    CN_MORE,
    DESCRIBED,
    EU_MORE,
    OPERATOR,
    attest,
    attest_all,
    enter,
    into_service,
    move,
    name,
    real,
    sign,
    staff,
)

from safebelt.engines.signing import KeyStore, open_note
from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused
from safebelt.rooms.registry.cli import lifecycle as cli
from safebelt.rooms.registry.model import EvidenceOnFile, PersonRole, Standing, Status
from safebelt.rooms.registry.model.lifecycle import Attest, Issuer, SignGate, VouchFor, Withdraw
from safebelt.rooms.registry.model.road import StepState


@pytest.mark.parametrize(
    ("system", "more", "on", "asked", "skipped"),
    [
        (
            "eu-cv-ranking",
            EU_MORE,
            datetime(2028, 3, 1, tzinfo=UTC),
            {"conformity_assessment", "technical_documentation", "registration_record", "human_oversight_plan"},
            set(),
        ),
        (
            "cn-doubao",
            CN_MORE,
            datetime(2026, 12, 1, tzinfo=UTC),
            {"explicit_label", "implicit_label_metadata", "stop_control_test"},
            {Status.FILED, Status.REGISTERED, Status.UNDER_REVIEW},
        ),
        (
            "eu-spam-filter",
            "",
            datetime(2026, 12, 1, tzinfo=UTC),
            {"ai_literacy_record", "training_record", "stop_control_test"},
            {Status.FILED, Status.UNDER_REVIEW, Status.REGISTERED},
        ),
    ],
)
def test_a_real_system_goes_from_idea_to_service_by_what_its_law_asks(
    registry, ledger, clock, system, more, on, asked, skipped
):
    clock.now = on
    one = enter(registry, real(system, more))
    with pytest.raises(Conflict) as refused:
        move(registry, one.id, Status.IN_SERVICE)
    named = {line for line in refused.value.details if line.startswith("evidence:")}
    assert {f"evidence:{kind}" for kind in asked} <= named
    assert {"person:accountable", "person:overseer", "sign_off:accountable"} <= set(refused.value.details)
    assert registry.system(one.id).status is Status.IDEA

    person = staff(registry, one.id)
    held = attest_all(registry, one.id, person)
    assert {f"evidence:{each.kind}" for each in held} == named  # exactly what was missing
    sign(registry, one.id, person)
    gate = registry.gate(one.id, Status.IN_SERVICE)
    assert {step.stage for step in gate.road if step.state is StepState.SKIPPED} == skipped
    moved = move(registry, one.id, Status.IN_SERVICE)

    assert (moved.status, moved.provisional) == (Status.IN_SERVICE, True)
    life = registry.life(one.id)
    assert [each.after for each in life.passages] == [Status.IN_SERVICE]
    assert life.passages[0].asks["holds"] == "true" and life.passages[0].facts_version == 1
    assert life.sign_offs[0].used_at is not None
    assert ledger.entries(subject=one.id, limit=1)[0].kind == "registry.system_moved.v1"


def test_without_facts_nothing_is_evaluated_and_nothing_passes(registry):
    one = enter(registry)
    person = staff(registry, one.id)
    gate = registry.gate(one.id, Status.DEVELOPMENT)

    assert gate.holds is Truth.UNKNOWN
    assert [each.id for each in gate.missing] == ["on_record"]
    with pytest.raises(Conflict, match="not evaluated"):
        move(registry, one.id, Status.DEVELOPMENT)
    with pytest.raises(Conflict):
        sign(registry, one.id, person)
    assert move(registry, one.id, Status.DESIGN).status is Status.DESIGN  # which asks for a person only


def test_a_duty_that_waits_for_a_fact_blocks_and_the_fact_is_named(registry):
    one = enter(registry, real("cn-doubao"))
    person = staff(registry, one.id)
    attest_all(registry, one.id, person)
    sign(registry, one.id, person)

    gate = registry.gate(one.id, Status.IN_SERVICE)

    assert gate.holds is Truth.UNKNOWN
    assert {each.kind.value for each in gate.missing} == {"duties"}
    assert "data.personal_information" in {each.id for each in gate.missing}
    assert len(gate.advice) > 10  # and what is not verified stands beside, without blocking


def test_a_signature_lapses_with_the_facts_and_opens_a_gate_once(registry):
    one = enter(registry, DESCRIBED)
    person = staff(registry, one.id)
    attest_all(registry, one.id, person)
    sign(registry, one.id, person)
    registry.describe(one.id, DESCRIBED.replace("office_productivity", "search_and_knowledge"), by=OPERATOR)
    with pytest.raises(Conflict, match="lapsed"):
        move(registry, one.id, Status.IN_SERVICE)

    sign(registry, one.id, person)
    move(registry, one.id, Status.IN_SERVICE)
    move(registry, one.id, Status.SUSPENDED, "a fault")
    with pytest.raises(Conflict) as refused:
        move(registry, one.id, Status.IN_SERVICE)
    assert set(refused.value.details) == {"sign_off:accountable"}


def test_down_and_back_need_no_gate_and_nothing_comes_back_from_retirement(registry):
    one = enter(registry, DESCRIBED)
    into_service(registry, one.id)
    with pytest.raises(Conflict):
        move(registry, one.id, Status.TESTING)
    for to in (Status.SUSPENDED, Status.DEVELOPMENT, Status.DESIGN, Status.WITHDRAWN, Status.RETIRED):
        assert move(registry, one.id, to, "because").status is to
    assert not registry.system(one.id).provisional
    for to in (Status.IDEA, Status.IN_SERVICE):
        with pytest.raises(Conflict):
            move(registry, one.id, to)
    with pytest.raises(Invalid):
        move(registry, one.id, Status.IDEA, "  ")


def test_service_is_provisional_until_others_vouch_for_everything_asked(registry, clock):
    one = enter(registry, DESCRIBED)
    into_service(registry, one.id)
    pieces = registry.life(one.id).evidence
    for piece in pieces[:-1]:
        registry.vouch(piece.id, VouchFor(statement="looked at it"), by=ASSESSOR)
    assert registry.system(one.id).provisional
    last = registry.vouch(pieces[-1].id, VouchFor(statement="looked at it"), by=AUTHORITY)

    assert not registry.system(one.id).provisional
    assert last.vouched[0].issuer is Issuer.AUTHORITY
    registry.withdraw(last.id, Withdraw(reason="wrong document"), by=OPERATOR)
    assert registry.system(one.id).provisional
    clock.move(days=200)  # what is vouched for expires too
    assert [each.id for each in registry.expiring(system_id=one.id)]
    assert registry.gate(one.id, Status.IN_SERVICE).holds is Truth.FALSE


def test_evidence_of_an_assessor_is_no_claim(registry):
    one = enter(registry, DESCRIBED)
    until = registry.today() + timedelta(days=30)
    given = registry.issue(
        one.id, Attest(kind="stop_control_test", statement="We stopped it.", expires_on=until), by=ASSESSOR
    )

    assert (given.issuer, given.is_claimed, given.person_id) == (Issuer.ASSESSOR, False, "")
    with pytest.raises(Refused):
        registry.issue(one.id, Attest(kind="stop_control_test", statement="x", expires_on=until), by=OPERATOR)


def test_a_statement_is_signed_dated_and_by_somebody_named(registry, tmp_path, chance):
    one = enter(registry, DESCRIBED)
    person = staff(registry, one.id)
    piece = attest(registry, one.id, "stop_control_test", person)

    keys = KeyStore(tmp_path / "keys" / "registry.key", name=ORIGIN, chance=chance)
    said = json.loads(open_note(piece.note, keys.verifiers()).text)
    assert (said["kind"], said["person"], said["system"]) == ("stop_control_test", person.id, one.id)
    assert "王敏" not in piece.note
    former = name(registry, one.id, PersonRole.ACCOUNTABLE, "新人")
    for wrong in (
        {"person_id": person.id},  # her term has ended
        {"person_id": "per_nobody"},
        {"kind": "no_such_kind"},
        {"expires_on": registry.today() + timedelta(days=367)},
        {"expires_on": registry.today() - timedelta(days=1)},
        {"digest": "abc"},
        {"statement": " "},
    ):
        cmd = {"kind": "stop_control_test", "statement": "s", "expires_on": registry.today(), "person_id": former.id}
        with pytest.raises(Invalid):
            registry.attest(one.id, Attest(**{**cmd, **wrong}), by=OPERATOR)
    with pytest.raises(Invalid):
        registry.sign_off(one.id, SignGate(to=Status.IN_SERVICE, person_id=person.id), by=OPERATOR)


def test_the_dossier_says_what_is_held_and_by_whom_and_never_that_a_duty_is_met(registry):
    one = enter(registry, DESCRIBED)
    person = staff(registry, one.id)
    before = registry.dossier(one.id)
    attest_all(registry, one.id, person)
    after = registry.dossier(one.id)

    assert isinstance(before.evidence, EvidenceOnFile) and isinstance(after.evidence, EvidenceOnFile)
    assert before.standing is Standing.INCOMPLETE and before.evidence.missing == tuple(before.evidence.asked)
    assert after.standing is Standing.EVALUATED and after.evidence.claimed == tuple(after.evidence.asked)
    literacy = next(each for each in after.duties.owed if "ai_literacy_record" in each["held"])
    assert literacy["lacking"] == []


def test_api_and_pages_refuse_and_pass_alike(registry, clock):
    clock.move(days=10)  # the house's own rules hold from the day they were written
    one = enter(registry, DESCRIBED)
    with TestClient(build_app(registry, actor=OPERATOR)) as client:
        path, page = f"/api/registry/systems/{one.id}", f"/en/registry/systems/{one.id}/gates"
        refused = client.post(f"{path}/passages", json={"to": "in_service", "reason": "r"})
        shown = client.post(f"{page}/move", data={"to": "in_service", "reason": "r"})
        assert (refused.status_code, shown.status_code) == (409, 409)
        for kind in ("ai_literacy_record", "training_record", "stop_control_test"):
            assert f"evidence:{kind}" in refused.json()["details"] and kind in shown.text
        person = staff(registry, one.id)
        until = (registry.today() + timedelta(days=9)).isoformat()
        body = {"kind": "stop_control_test", "statement": "s", "person_id": person.id, "expires_on": until}
        made = client.post(f"{path}/evidence", json=body).json()
        assert client.post(f"{page}/attest", data={**body, "kind": "training_record"}).status_code == 200
        assert client.post(f"{page}/attest", data={**body, "kind": "ai_literacy_record"}).status_code == 200
        assert client.post(f"{page}/attest", data={**body, "expires_on": "2099-01-01"}).status_code == 422
        assert client.post(f"{page}/sign", data={"to": "in_service", "person_id": person.id}).status_code == 200
        for lang in ("zh", "en"):
            assert client.get(f"/{lang}/registry/evidence/{made['id']}").status_code == 200
            assert client.get(f"/{lang}/registry/systems/{one.id}/gates?to=in_service").status_code == 200
        assert client.get(f"{path}/gates?to=in_service").json()["gate"]["holds"] == "true"
        assert client.post(f"{page}/move", data={"to": "in_service", "reason": "ready"}).status_code == 200
        dossier = client.get(f"/en/registry/systems/{one.id}").text
        assert "in service, provisional" in dossier and "claimed" in dossier
        assert client.get(f"{path}/gates?to=retired").status_code == 409
        assert client.get("/api/registry/systems/sys_x/gates").status_code == 404
        assert client.post(f"/api/registry/evidence/{made['id']}/vouches", json={"statement": "s"}).status_code == 403


def test_the_command_line_does_the_same(registry, tmp_path, clock):
    clock.move(days=10)
    app = App()
    cli.add(app, registry)

    def run(*words: str):
        return app(list(words), result_action="return_value")

    party = enter(registry).provider_id
    file = tmp_path / "system.yaml"
    file.write_text(DESCRIBED, "utf-8")
    entered = run("register", str(file), "--provider", party)
    system = entered.data["system"]["id"]
    bare = run("gate", registry.systems().items[-1].id, "--to", "design")
    asked = run("gate", system, "--to", "in_service")
    assert (entered.exit_code, bare.exit_code, asked.exit_code) == (0, 1, 1)
    assert "stop_control_test" in asked.as_text("zh")
    person, until = staff(registry, system), (registry.today() + timedelta(days=9)).isoformat()
    for kind in ("ai_literacy_record", "training_record", "stop_control_test"):
        made = run("attest", system, kind, "--statement", "kept", "--person", person.id, "--until", until)
    run("sign-off", system, "--person", person.id)
    with pytest.raises(Refused):  # the owner entered it, and so cannot vouch for it
        run("vouch", made.data["id"], "--statement", "seen", "--issuer", "assessor")
    passed = run("gate", system, "--to", "in_service", "--pass", "--reason", "ready")
    down = run("gate", system, "--to", "suspended", "--pass", "--reason", "a fault")

    assert (passed.exit_code, passed.data["status"], passed.data["provisional"]) == (0, "in_service", True)
    assert down.data["status"] == "suspended"
    assert run("show", system).exit_code == 0 and run("evidence", system).exit_code == 1
    assert run("withdraw", made.data["id"], "--reason", "wrong").data["withdrawn_at"]
    assert run("gate", system, "--to", "in_service", "--pass", "--reason", "again").exit_code == 1
    empty = enter(registry).id
    staff(registry, empty)
    assert run("gate", empty, "--to", "development").exit_code == 3
    assert msgspec.json.encode(asked.data)


def test_what_nobody_knows_is_not_found(registry):
    with pytest.raises(NotFound):
        registry.gate("sys_nobody")
    with pytest.raises(NotFound):
        registry.vouch("evd_\0", VouchFor(statement="x"), by=ASSESSOR)
    assert registry.held_kinds("sys_nobody").all == ()
    with pytest.raises(NotFound):
        registry.life("sys_nobody")
    assert OWNER.id not in {each.by for each in registry.expiring()}
