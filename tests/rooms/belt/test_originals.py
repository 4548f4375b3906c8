"""Originals for an auditor: two people choose that they are kept, two hand one out, and the house opens none."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest
from litestar.testing import TestClient
from tests.conftest import StillClock
from tests.rooms.belt.doors import build_app
from tests.rooms.belt.house import House, build, intent, outcome
from tests.rooms.belt.test_policy_versions import OPERATOR, OVERSEER

from safebelt.engines.archive_age import Keys
from safebelt.engines.clock import real_chance
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import OWNER, Actor, Role
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused, Unavailable
from safebelt.rooms.access.model import Stand
from safebelt.rooms.belt.cli import commands
from safebelt.rooms.belt.model import ContentMode, Record
from safebelt.rooms.belt.records.handout import identities, opened, read
from safebelt.rooms.belt.records.sealing import Sealer
from safebelt.web.terminal import NOT_EVALUATED, Answer

AUDITOR, OTHER = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
PUBLIC = str(AUDITOR.to_public())
KEYS, WRONG = Keys(identities=(str(AUDITOR),)), Keys(identities=(str(OTHER),))
SECRET = "my card is 11010519491231002X"
ADMIN = Actor(id="usr_admin", roles=frozenset({Role.ADMIN}), door="web")
AUDITS = Actor(id="usr_audits", roles=frozenset({Role.AUDITOR}), door="web")


@pytest.fixture
def house(sql: Sql, tmp_path: Path, clock: StillClock) -> Iterator[House]:
    house = build(sql, tmp_path, clock=clock)
    house.belt.fit(house.system_id, by=OWNER)
    yield house


def propose(house: House, *recipients: str, by: Actor = OPERATOR, **more: Any) -> Any:
    words = {"basis": "letter of the authority, 2026-11-20", "reason": "an inquiry", **more}
    return house.belt.propose_sealing(house.system_id, recipients or (PUBLIC,), **words, by=by)


def sealed_exchange(house: House, id_: str = "rec_1", *halves: str) -> None:
    """Record an exchange as a belt does that seals."""
    sealer = Sealer((PUBLIC,), chance=real_chance)

    def with_box(record: Record) -> Record:
        content = dict(record.content or {})
        if record.type in (halves or ("intent", "outcome")):
            content["sealed"] = sealer.seal(id_, record.type, {"messages[0].content": f"{SECRET} {record.type}"})
        return Record(type=record.type, id=record.id, core=record.core, content=content)

    with house.writing() as put:
        put(with_box(intent(id_, house.system_id)))
        put(with_box(outcome(id_)))
    house.belt.index()


def everything_on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


# ---------------------------------------------------------------- keeping them


def test_two_people_choose_that_originals_are_kept_and_the_ledger_says_for_whom(house: House) -> None:
    proposal = propose(house)
    before = house.belt.harness(house.system_id)

    after = house.belt.second_sealing(proposal.id, answer="read the letter", by=OVERSEER)

    assert (before.content, before.recipients) == (ContentMode.MASKED, ()), "nothing changed while it waited"
    assert (after.content, after.recipients) == (ContentMode.SEALED, (PUBLIC,))
    assert house.belt.snapshot().harnesses[house.system_id] == after == house.belt.harness(house.system_id)
    entry = house.entries("harness_set", 2)[-1]
    assert (entry["content"], list(entry["recipients"]), entry["proposal"]) == ("sealed", [PUBLIC], proposal.id)
    assert "letter of the authority" in house.belt.sealing(proposal.id).reason


def test_one_person_is_not_enough_neither_alone_nor_twice(house: House) -> None:
    proposal = propose(house)

    with pytest.raises(Refused):
        house.belt.second_sealing(proposal.id, answer="I agree with myself", by=OPERATOR)
    with pytest.raises(Refused, match="two people"):
        house.belt.change(house.system_id, by=OWNER, version=1, content=ContentMode.SEALED)
    assert house.belt.harness(house.system_id).content is ContentMode.MASKED
    house.belt.second_sealing(proposal.id, answer="yes", by=OVERSEER)
    with pytest.raises(Conflict):
        house.belt.second_sealing(proposal.id, answer="once more", by=OVERSEER)


@pytest.mark.parametrize("actor", [ADMIN, AUDITS])
def test_who_has_not_the_right_neither_proposes_nor_seconds(house: House, actor: Actor) -> None:
    proposal = propose(house)

    with pytest.raises(Refused):
        propose(house, by=actor)
    with pytest.raises(Refused):
        house.belt.second_sealing(proposal.id, answer="yes", by=actor)


@pytest.mark.parametrize(
    ("recipients", "more"),
    [
        (("",), {}),
        (("age1nobody",), {}),
        (("ssh-rsa AAAAB3NzaC1yc2E",), {}),
        ((str(AUDITOR),), {}),
        (tuple(str(pyrage.x25519.Identity.generate().to_public()) for _ in range(9)), {}),
        ((PUBLIC,), {"basis": " "}),
        ((PUBLIC,), {"reason": ""}),
    ],
)
def test_what_names_no_auditor_no_basis_or_no_reason_is_not_proposed(
    house: House, recipients: tuple[str, ...], more: dict[str, str]
) -> None:
    with pytest.raises(Invalid) as refused:
        propose(house, *recipients, **more)

    assert str(AUDITOR)[:18] not in refused.value.what.en, "a private key that slipped in is not said again"
    assert house.belt.sealings(house.system_id) == []


def test_whose_key_it_is_stays_out_of_the_ledger(house: House) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    proposal = propose(house, f"{key} jane.doe@example.org")

    assert proposal.content["recipients"] == [key]


def test_a_change_meanwhile_is_not_overruled(house: House) -> None:
    proposal = propose(house)
    house.belt.change(house.system_id, by=OWNER, version=1, content=ContentMode.DIGEST)

    with pytest.raises(Conflict):
        house.belt.second_sealing(proposal.id, answer="yes", by=OVERSEER)

    assert house.belt.harness(house.system_id).content is ContentMode.DIGEST
    assert house.belt.sealing(proposal.id).stand is Stand.OPEN, "nobody's word was spent"


def test_other_settings_leave_it_and_one_person_ends_it(house: House) -> None:
    house.belt.second_sealing(propose(house).id, answer="yes", by=OVERSEER)

    kept = house.belt.change(house.system_id, by=OWNER, version=2, content_days=90)
    with pytest.raises(Conflict):
        propose(house)
    ended = house.belt.change(house.system_id, by=OWNER, version=3, content=ContentMode.MASKED)

    assert (kept.content, kept.recipients) == (ContentMode.SEALED, (PUBLIC,))
    assert (ended.content, ended.recipients) == (ContentMode.MASKED, ())


# ---------------------------------------------------------------- handing one out


def test_two_people_hand_an_original_out_and_only_the_auditor_reads_it(house: House) -> None:
    sealed_exchange(house)
    proposal = house.belt.propose_opening("rec_1", "the authority asks", by=OPERATOR)

    handed = house.belt.hand_out(proposal.id, answer="seen the letter", by=OVERSEER)

    assert SECRET.encode() not in handed.content and handed.texts is None
    found = read(handed.content)
    assert opened(found, KEYS) == {half: {"messages[0].content": f"{SECRET} {half}"} for half in ("intent", "outcome")}
    with pytest.raises(Invalid):
        opened(found, WRONG)
    entry = house.entries("original_handed_out")[-1]
    assert (list(entry["recipients"]), entry["proposal"], entry["opened_here"]) == ([PUBLIC], proposal.id, False)
    assert [each.stand for each in house.belt.openings("rec_1")] == [Stand.SECONDED]


def test_no_original_leaves_on_one_persons_word_nor_twice_on_two(house: House) -> None:
    sealed_exchange(house)
    proposal = house.belt.propose_opening("rec_1", "curious", by=OPERATOR)

    with pytest.raises(Refused):
        house.belt.hand_out(proposal.id, answer="still curious", by=OPERATOR)
    with pytest.raises(Refused):
        house.belt.hand_out(proposal.id, answer="me too", by=ADMIN)
    with pytest.raises(Invalid):
        house.belt.propose_opening("rec_1", " ", by=OPERATOR)
    assert house.entries("original_handed_out") == []
    house.belt.hand_out(proposal.id, answer="yes", by=OVERSEER)
    with pytest.raises(Conflict):
        house.belt.hand_out(proposal.id, answer="and again", by=OVERSEER)
    assert len(house.entries("original_handed_out")) == 1


def test_an_act_about_something_else_hands_nothing_out(house: House) -> None:
    sealed_exchange(house)
    other = propose(house)

    with pytest.raises(NotFound):
        house.belt.hand_out(other.id, answer="yes", by=OVERSEER)
    with pytest.raises(NotFound):
        house.belt.hand_out("prp_none", answer="yes", by=OVERSEER)


def test_a_wrong_identity_spends_nothing_and_a_right_one_shows_it_once_and_keeps_it_nowhere(
    house: House, tmp_path: Path
) -> None:
    sealed_exchange(house)
    proposal = house.belt.propose_opening("rec_1", "the auditor sits here", by=OPERATOR)

    with pytest.raises(Invalid):
        house.belt.hand_out(proposal.id, answer="yes", by=OVERSEER, keys=WRONG)
    assert house.belt.opening(proposal.id).stand is Stand.OPEN
    handed = house.belt.hand_out(proposal.id, answer="yes", by=OVERSEER, keys=KEYS)

    assert handed.texts is not None and SECRET in handed.texts["intent"]["messages[0].content"]
    assert house.entries("original_handed_out")[-1]["opened_here"] is True
    assert SECRET.encode() not in everything_on_disk(tmp_path)
    assert SECRET not in repr([dict(entry.data) for entry in house.ledger.entries(limit=200)])


def test_a_record_without_an_original_has_none_to_hand_out(house: House) -> None:
    with house.writing() as put:
        put(intent("rec_plain", house.system_id))
    house.belt.index()

    with pytest.raises(Conflict):
        house.belt.propose_opening("rec_plain", "why not", by=OPERATOR)
    with pytest.raises(NotFound):
        house.belt.propose_opening("rec_none", "why not", by=OPERATOR)


def test_what_came_since_it_was_proposed_is_not_handed_out_on_the_old_word(house: House) -> None:
    sealer = Sealer((PUBLIC,), chance=real_chance)
    asked = intent("rec_1", house.system_id)
    box = {"sealed": sealer.seal("rec_1", "intent", {"a": SECRET})}
    with house.writing() as put:
        put(Record(type="intent", id="rec_1", core=asked.core, content={**(asked.content or {}), **box}))
        house.belt.index()
        proposal = house.belt.propose_opening("rec_1", "it hangs", by=OPERATOR)
        box = {"sealed": sealer.seal("rec_1", "outcome", {"a": SECRET})}
        put(Record(type="outcome", id="rec_1", core=outcome("rec_1").core, content={"texts": {}, **box}))
    house.belt.index()

    with pytest.raises(Conflict):
        house.belt.hand_out(proposal.id, answer="yes", by=OVERSEER)

    assert house.belt.opening(proposal.id).stand is Stand.OPEN


def test_a_changed_box_is_neither_proposed_on_nor_handed_out(house: House) -> None:
    sealed_exchange(house)
    proposal = house.belt.propose_opening("rec_1", "the authority asks", by=OPERATOR)
    path = next(house.records.glob("seg-*.log"))
    data = path.read_bytes()
    at = data.index(b'"box":"') + 20
    path.write_bytes(data[:at] + (b"A" if data[at : at + 1] != b"A" else b"B") + data[at + 1 :])

    with pytest.raises(Unavailable):
        house.belt.hand_out(proposal.id, answer="yes", by=OVERSEER)
    with pytest.raises(Unavailable):
        house.belt.propose_opening("rec_1", "once more", by=OPERATOR)
    assert house.belt.verify().holds is Truth.FALSE


# ---------------------------------------------------------------- going


def test_erasing_takes_the_sealed_original_too_and_every_proof_stands(house: House) -> None:
    sealed_exchange(house)
    waiting = house.belt.propose_opening("rec_1", "the authority asks", by=OPERATOR)
    assert b'"box"' in everything_on_disk(house.records)

    house.belt.erase("rec_1", "on request", OWNER)

    assert b'"box"' not in everything_on_disk(house.records)
    found = house.belt.verify()
    assert (found.holds, found.erased) == (Truth.TRUE, 2)
    with pytest.raises(Conflict):
        house.belt.hand_out(waiting.id, answer="too late", by=OVERSEER)


def test_days_take_the_sealed_original_too(house: House, clock: StillClock) -> None:
    house.belt.change(house.system_id, by=OWNER, version=1, content_days=30)
    sealed_exchange(house)
    clock.now += timedelta(days=100)

    assert house.belt.sweep() == 2

    assert b'"box"' not in everything_on_disk(house.records)
    assert house.belt.verify().holds is Truth.TRUE
    assert house.belt.original("rec_1").parts == {}


# ---------------------------------------------------------------- doors


def test_the_api_proposes_seconds_and_hands_out(house: House) -> None:
    sealed_exchange(house)
    body = {"recipients": [PUBLIC], "basis": "a letter", "reason": "an inquiry"}
    with TestClient(build_app(house, actor=OPERATOR)) as client:
        waits = client.post(f"/api/belt/systems/{house.system_id}/sealings", json=body)
        opening = client.post("/api/belt/exchanges/rec_1/openings", json={"reason": "asked"})
        assert (waits.status_code, opening.status_code) == (201, 201)
        assert (
            client.post(f"/api/belt/systems/{house.system_id}/sealings", json={**body, "recipients": []}).status_code
            == 422
        )
        alone = client.post(f"/api/belt/openings/{opening.json()['proposal']}/second", json={"reason": "me"})
        assert alone.status_code == 403
    with TestClient(build_app(house, actor=OVERSEER)) as client:
        sealed = client.post(f"/api/belt/sealings/{waits.json()['proposal']}/second", json={"reason": "yes"})
        assert sealed.json()["recipients"] == [PUBLIC]
        second = f"/api/belt/openings/{opening.json()['proposal']}/second"
        handed = client.post(second, json={"reason": "yes"})
        assert handed.status_code == 200 and handed.headers["cache-control"] == "no-store"
        assert opened(read(handed.content), KEYS)["intent"]
        assert client.post(second, json={"reason": "again"}).status_code == 409
        (told,) = client.get("/api/belt/exchanges/rec_1/openings").json()
        assert (told["stand"], told["by"], told["decided_by"]) == ("seconded", OPERATOR.id, OVERSEER.id)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_pages_propose_wait_second_and_hand_out(house: House, lang: str) -> None:
    sealed_exchange(house)
    of_system, of_record = (
        f"/{lang}/belt/systems/{house.system_id}/originals",
        f"/{lang}/belt/exchanges/rec_1/originals",
    )
    with TestClient(build_app(house, actor=OPERATOR)) as client:
        assert of_system in client.get(f"/{lang}/belt/systems/{house.system_id}").text
        assert of_record in client.get(f"/{lang}/belt/exchanges/rec_1").text
        bad = client.post(of_system, data={"recipients": "<b>age1", "basis": "", "reason": ""})
        assert bad.status_code == 422 and "<b>age1" not in bad.text
        form = {"recipients": f"{PUBLIC}\r\n", "basis": "a letter", "reason": "an inquiry"}
        assert PUBLIC in client.post(of_system, data=form).text
        assert "/second" not in client.post(of_record, data={"reason": "asked"}).text
        assert client.post(of_record, data={"reason": ""}).status_code == 422
    with TestClient(build_app(house, actor=OVERSEER)) as client:
        (sealing,), (opening,) = house.belt.sealings(house.system_id), house.belt.openings("rec_1")
        seal, hand = (
            f"/{lang}/belt/{what}/{one.id}/second" for what, one in (("sealings", sealing), ("openings", opening))
        )
        assert seal in client.get(of_system).text and hand in client.get(of_record).text
        assert (
            client.post(seal, data={"answer": ""}).status_code
            == client.post(hand, data={"answer": ""}).status_code
            == 422
        )
        assert "?done=sealed" in str(client.post(seal, data={"answer": "yes"}).url)
        handed = client.post(hand, data={"answer": "yes"})
        assert "rec_1.sealed.json" in handed.headers["content-disposition"]
        assert opened(read(handed.content), KEYS)["outcome"]
        assert client.post(hand, data={"answer": "again"}).status_code == 409
        assert OVERSEER.id in client.get(of_record).text
        house.belt.erase("rec_1", "on request", OWNER)
        assert of_record in client.get(f"/{lang}/belt/exchanges/rec_1").text, "who had it is still told"
        assert PUBLIC not in client.get(of_record).text


def test_without_the_right_no_form_is_shown(house: House) -> None:
    sealed_exchange(house)
    house.belt.propose_opening("rec_1", "asked", by=OPERATOR)
    app = build_app(house, actor=OVERSEER, may=lambda action: action == "belt.read")

    with TestClient(app) as client:
        assert "<textarea" not in client.get("/en/belt/exchanges/rec_1/originals").text
        assert "<textarea" not in client.get(f"/en/belt/systems/{house.system_id}/originals").text
        assert client.post("/en/belt/exchanges/rec_1/originals", data={"reason": "x"}).status_code == 403


def test_the_command_line_proposes_seconds_opens_and_unseals(house: House, tmp_path: Path) -> None:
    sealed_exchange(house)
    app = commands(house.belt)

    def run(*words: str) -> Answer:
        answer: Any = app([*words], exit_on_error=False, print_error=False, result_action="return_value")
        assert isinstance(answer, Answer)
        return answer

    key, wrong, file = tmp_path / "auditor.txt", tmp_path / "other.txt", tmp_path / "out.json"
    key.write_text(f"# created: today\n# public key: {PUBLIC}\n{AUDITOR}\n")
    wrong.write_text(f"{OTHER}\n")
    waits = run("seal", house.system_id, "--recipient", PUBLIC, "--basis", "a letter", "--reason", "an inquiry")
    assert waits.exit_code == NOT_EVALUATED
    with pytest.raises(Refused):
        run("seal", house.system_id, "--proposal", waits.data["proposal"], "--reason", "the same hand")
    theirs = propose(house)
    assert run("seal", house.system_id, "--proposal", theirs.id, "--reason", "yes").data["content"] == "sealed"

    assert run("open", "rec_1", "--reason", "asked").exit_code == NOT_EVALUATED
    opening = house.belt.propose_opening("rec_1", "asked", by=OPERATOR).id
    second = ("open", "rec_1", "--proposal", opening, "--reason", "yes")
    with pytest.raises(Invalid):
        run(*second)
    with pytest.raises(Conflict):
        run("open", "rec_2", "--proposal", opening, "--reason", "yes", "--output", str(file))
    with pytest.raises(Conflict):
        run(*second, "--output", str(key))
    with pytest.raises(Invalid):
        run(*second, "--identity", str(wrong))
    handed = run(*second, "--output", str(file), "--identity", str(key))
    assert SECRET in handed.data["originals"]["intent"]["messages[0].content"] and SECRET in handed.says.en
    assert SECRET not in file.read_text()

    unsealed = run("unseal", str(file), "--identity", str(key))
    assert unsealed.data["originals"] == handed.data["originals"] and SECRET in unsealed.says.zh
    with pytest.raises(Invalid):
        run("unseal", str(file), "--identity", str(wrong))
    with pytest.raises(Invalid):
        run("unseal", str(key), "--identity", str(key))


@pytest.mark.parametrize("change", ["record", "format", "parts", "half"])
def test_a_changed_file_does_not_open(house: House, change: str) -> None:
    sealed_exchange(house)
    proposal = house.belt.propose_opening("rec_1", "asked", by=OPERATOR)
    content = json.loads(house.belt.hand_out(proposal.id, answer="yes", by=OVERSEER).content)
    if change == "half":
        content["parts"] = {"intent": content["parts"]["outcome"]}
    else:
        content[change] = {"record": "rec_2", "format": "other", "parts": {}}[change]

    with pytest.raises(Invalid):
        opened(read(json.dumps(content).encode()), KEYS)


def test_an_identity_file_is_read_as_its_tools_write_it() -> None:
    pem = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"

    assert identities(f"# a comment\n\n{AUDITOR}\n").identities == (str(AUDITOR),)
    assert identities(pem).identities == (pem,)
