"""A dossier handed out checks offline; what is left out is named, and whatever is altered is found."""

import io
import json
import zipfile
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.registry.cli.dossiers import key_text
from safebelt.rooms.registry.model import NamePerson, PersonRole, RegisterParty, RegisterSystem
from safebelt.rooms.registry.model.dossiers import DOSSIER_PARTS, HandOver
from safebelt.rooms.registry.service import Registry
from safebelt.rooms.registry.service.packaging import check_dossier

SECRET = "Wang Xiaoming"
CONTACT = "wang@example.org"
NAMES = ["manifest.json", "parts/system.json", "proofs/x.tlog-proof", "receipt.tlog-proof", "../up", "x/"]
ASKED = HandOver(recipient="Market surveillance authority", basis="request 2026/17")


@pytest.fixture
def system_id(registry: Registry) -> str:
    party = registry.register_party(RegisterParty(name="Example Ltd", contact=CONTACT), by=OWNER)
    system = registry.register_system(
        RegisterSystem(provider_id=party.id, name_en="Scorer", purpose_en="Scores applications"), by=OWNER
    )
    named = NamePerson(role=PersonRole.ACCOUNTABLE, name=SECRET, contact=CONTACT)
    registry.name_person(system.id, named, by=OWNER)
    return system.id


def files_of(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: dict[str, bytes]) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return body.getvalue()


def test_a_stranger_with_the_public_key_finds_it_whole(registry: Registry, ledger: Ledger, system_id: str) -> None:
    handed = registry.hand_over_dossier(system_id, ASKED, by=OWNER)

    reason = check_dossier(handed.body, ledger.verifier_keys())

    assert reason.holds is Truth.TRUE
    assert len([name for name in files_of(handed.body) if name.startswith("proofs/")]) == 2


def test_the_ledger_remembers_what_was_given_and_keeps_the_recipient_apart(
    registry: Registry, ledger: Ledger, system_id: str
) -> None:
    handed = registry.hand_over_dossier(system_id, ASKED, by=OWNER)

    entry = ledger.entries(kind="registry.dossier_handed_over.v1")[0]
    assert entry.data["manifest_sha256"] == handed.sha256 == sha256(files_of(handed.body)["manifest.json"]).hexdigest()
    assert ASKED.recipient not in entry.body.decode() and dict(entry.personal or {}) == {
        "recipient": ASKED.recipient,
        "basis": ASKED.basis,
    }


def test_personal_data_stays_in_unless_asked_for_and_what_is_left_out_is_named(
    registry: Registry, ledger: Ledger, system_id: str
) -> None:
    without = files_of(registry.hand_over_dossier(system_id, ASKED, by=OWNER).body)
    with_people = HandOver(recipient="r", basis="b", parts=("people",), because={"acts": "not asked for"})
    people = registry.hand_over_dossier(system_id, with_people, by=OWNER)

    everything = b"".join(without.values()).decode()
    assert SECRET not in everything and CONTACT not in everything
    listed = {one["id"]: one for one in json.loads(without["manifest.json"])["parts"]}
    assert not listed["people"]["included"] and listed["people"]["sha256"] and listed["people"]["personal"]
    assert SECRET in files_of(people.body)["parts/people.json"].decode()
    told = check_dossier(people.body, ledger.verifier_keys())
    assert told.holds is Truth.TRUE
    assert any("not asked for" in part.says.en for part in told.because)


def test_every_part_has_its_data(registry: Registry, system_id: str) -> None:
    made = registry.preview_dossier(system_id, ASKED)

    assert [one.part.id for one in made] == list(DOSSIER_PARTS)


@pytest.mark.parametrize("name", ["manifest.json", "parts/system.json", "parts/acts.json", "receipt.tlog-proof"])
def test_a_changed_byte_is_found(registry: Registry, ledger: Ledger, system_id: str, name: str) -> None:
    files = files_of(registry.hand_over_dossier(system_id, ASKED, by=OWNER).body)
    for at in (len(files[name]) // 3, len(files[name]) // 2, len(files[name]) - 2):
        altered = bytearray(files[name])
        altered[at] ^= 1
        try:
            reason = check_dossier(packed({**files, name: bytes(altered)}), ledger.verifier_keys())
        except Invalid:
            continue
        assert reason.holds is Truth.FALSE, (name, at)


def test_what_is_taken_away_or_slipped_in_is_found(registry: Registry, ledger: Ledger, system_id: str) -> None:
    files = files_of(registry.hand_over_dossier(system_id, ASKED, by=OWNER).body)
    keys = ledger.verifier_keys()
    proof = next(name for name in files if name.startswith("proofs/"))

    for gone in ("parts/system.json", "receipt.tlog-proof", proof):
        assert check_dossier(packed({k: v for k, v in files.items() if k != gone}), keys).holds is Truth.FALSE, gone
    for extra in ("parts/people.json", "notes.txt", "parts/more.json"):
        assert check_dossier(packed({**files, extra: b"{}"}), keys).holds is Truth.FALSE, extra


def test_the_receipt_of_another_dossier_does_not_serve(registry: Registry, ledger: Ledger, system_id: str) -> None:
    one = files_of(registry.hand_over_dossier(system_id, ASKED, by=OWNER).body)
    other = files_of(registry.hand_over_dossier(system_id, ASKED, by=OWNER).body)

    mixed = packed({**one, "receipt.tlog-proof": other["receipt.tlog-proof"]})

    assert check_dossier(mixed, ledger.verifier_keys()).holds is Truth.FALSE


def test_another_logs_key_opens_nothing(registry: Registry, system_id: str, tmp_path, chance) -> None:
    from safebelt.engines.signing import KeyStore

    stranger = KeyStore(tmp_path / "other.key", name="test.safebelt/log", chance=lambda n: b"\7" * n)
    handed = registry.hand_over_dossier(system_id, ASKED, by=OWNER)

    assert check_dossier(handed.body, stranger.verifiers()).holds is Truth.FALSE


@pytest.mark.parametrize(
    "asked",
    [
        HandOver(recipient="", basis="b"),
        HandOver(recipient="r", basis=" "),
        HandOver(recipient="r", basis="b", parts=("everything",)),
        HandOver(recipient="r" * 501, basis="b"),
    ],
)
def test_a_hand_over_without_recipient_or_basis_is_refused(registry: Registry, system_id: str, asked: HandOver) -> None:
    with pytest.raises(Invalid):
        registry.hand_over_dossier(system_id, asked, by=OWNER)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.one_of(st.binary(max_size=300), st.dictionaries(st.sampled_from(NAMES), st.binary(max_size=40), max_size=4)))
def test_rubbish_is_refused_and_breaks_nothing(rubbish: bytes | dict[str, bytes]) -> None:
    body = rubbish if isinstance(rubbish, bytes) else packed({name: value for name, value in rubbish.items()})
    with pytest.raises(Invalid):
        check_dossier(body, ())


def test_the_page_shows_every_part_and_hands_the_file_over(client, ledger: Ledger, system_id: str) -> None:
    address = f"/en/registry/systems/{system_id}/package"
    shown = client.get(address)
    given = client.post(address, data={"parts": ["system", "acts"], "recipient": "An authority", "basis": "request 1"})
    bad = client.post(address, data={"parts": ["system"], "recipient": "", "basis": "request 1"})
    nothing = client.post(address, data={"recipient": "An authority", "basis": "request 1"})

    assert shown.status_code == 200 and "not legal advice" in shown.text
    assert given.headers["content-type"] == "application/zip"
    assert check_dossier(given.content, ledger.verifier_keys()).holds is Truth.TRUE
    assert bad.status_code == 422 and "request 1" in bad.text
    assert nothing.status_code == 422


def test_the_api_lists_the_parts_and_hands_the_file_over(client, ledger: Ledger, system_id: str) -> None:
    address = f"/api/registry/systems/{system_id}/package"
    parts = client.get(address).json()
    given = client.post(address, json={"recipient": "An authority", "basis": "request 1"})

    assert [one["id"] for one in parts] == list(DOSSIER_PARTS)
    assert check_dossier(given.content, ledger.verifier_keys()).holds is Truth.TRUE


def test_a_key_file_that_is_no_text_is_met_with_what_to_do(tmp_path) -> None:
    key = tmp_path / "log.key.pub"
    key.write_bytes(b"\xff\xfe\x00rubbish")

    with pytest.raises(Invalid, match="UTF-8"):
        key_text(str(key))


def test_a_key_may_be_given_as_it_stands_or_in_a_file(tmp_path) -> None:
    key = tmp_path / "log.key.pub"
    key.write_text("test.safebelt/log+1+abc\n", "utf-8")

    assert key_text(str(key)).strip() == key_text("test.safebelt/log+1+abc") == "test.safebelt/log+1+abc"
