"""The public complains without signing in; it reaches who answers and an authority; everything said can be erased."""

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.portal.complaints_house import HOME, OFFICER, OPERATOR, PNG, WORDS, Town, build_town
from tests.rooms.registry.supervision_house import AUDITOR, BOTH, ELSEWHERE

from safebelt.engines.canonical import canonical
from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Problem, Refused, TooMany
from safebelt.rooms.ledger.service import check, read_keys
from safebelt.rooms.portal.decide import complaints as decide
from safebelt.rooms.portal.decide import files as judge
from safebelt.rooms.portal.model.complaints import Complain, FileIn, PassOn, Stage, Suspicion
from safebelt.rooms.portal.packs.complaints import read_complaints
from safebelt.rooms.portal.service.limits import counted_as

OTHER = "198.51.100.9"


ONCE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what is judged before anything is asked of a database."""


@pytest.fixture
def town(sql, clock, tmp_path: Path) -> Town:
    return build_town(sql, tmp_path, clock)


def said(town: Town, filed, *, by=OPERATOR) -> list[str]:
    return [one.text for one in town.case(filed, by=by).said]


# --- complaining -------------------------------------------------------------------------------------------------


def test_a_complaint_reaches_who_answers_and_the_competent_authority_and_nobody_else(town: Town) -> None:
    filed = town.complain(contact="tel 555", files=(FileIn(name="../shot.png", content=PNG),))

    assert filed.complaint.stage is Stage.WITH_PARTY
    assert filed.destination.party == "明理科技有限公司"
    assert filed.destination.authority == "Market Surveillance Office"
    for reader in (OPERATOR, OFFICER, BOTH):
        found = town.case(filed, by=reader)
        assert found.said[0].text == WORDS and found.said[0].contact == "tel 555"
        assert [one.name for one in found.said[0].files] == ["shot.png"]
    with pytest.raises(NotFound):
        town.case(filed, by=ELSEWHERE)
    with pytest.raises(Refused):
        town.case(filed, by=AUDITOR)
    assert town.kinds(filed.complaint.id) == ["received.v1"]


@ONCE
def test_an_answer_is_owed_after_fifteen_days_as_the_data_says_and_says_that_no_law_does(town: Town) -> None:
    filed = town.complain()

    assert (filed.complaint.due_on - filed.complaint.received_at.date()).days == town.complaints.rules.answer_days == 15
    assert "not of any law" in town.complaints.rules.basis.en


@ONCE
def test_a_complaint_about_an_unnamed_system_is_received_and_says_that_nobody_is_known_to_answer(town: Town) -> None:
    filed = town.complain(system_id="")

    assert filed.complaint.stage is Stage.RECEIVED
    assert (filed.destination.has_party, filed.destination.authority, filed.destination.system) == (False, "", None)
    assert said(town, filed) == [WORDS]
    with pytest.raises(NotFound):
        town.case(filed, by=OFFICER)


@ONCE
def test_a_hidden_system_and_one_that_is_not_there_are_refused_with_the_same_words(town: Town) -> None:
    told = []
    for system in (town.hidden, "sys_nothing", "sys_\0", "x" * 500):
        with pytest.raises(Invalid) as refusal:
            town.complain(system_id=system)
        told.append((refusal.value.what, refusal.value.hint, refusal.value.details))

    assert len(set(map(str, told))) == 1
    assert town.hidden not in str(told)


REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"text": "  \n "}, "text"),
    ({"text": "a" * 5001}, "text"),
    ({"kind": "weather"}, "kind"),
    ({"contact": "c" * 201}, "contact"),
    ({"files": tuple(FileIn(name=f"{n}.png", content=PNG) for n in range(6))}, "files"),
    ({"files": (FileIn(name="empty.png", content=b""),)}, "files"),
    ({"files": (FileIn(name="big.png", content=PNG + b"0" * 4_000_000),)}, "files"),
    ({"files": tuple(FileIn(name=f"{n}.png", content=PNG + b"0" * 3_500_000) for n in range(2))}, "files"),
    ({"files": (FileIn(name="photo.png", content=b"MZ\x90\0 a program"),)}, "files"),
    ({"files": (FileIn(name="note.txt", content=b"<script>alert(1)</script>"),)}, "files"),
    ({"files": (FileIn(name="note.txt", content="﻿  <svg/onload=x>".encode()),)}, "files"),
    ({"files": (FileIn(name="archive.pdf", content=b"PK\x03\x04"),)}, "files"),
)


@ONCE
def test_what_is_not_taken_is_refused_with_its_reason_and_leaves_nothing(town: Town) -> None:
    for more, field in REFUSED:
        with pytest.raises(Invalid) as refusal:
            town.complain(**more)
        assert refusal.value.details["field"] == field, more

    assert town.complaints.complaints(by=OPERATOR).total == 0
    assert not [one for one in (town.folder / "blobs").rglob("*") if one.is_file()]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"), (b"\xff\xd8\xff\xe0", "image/jpeg"), (b"GIF89a..", "image/gif"), (b"%PDF-1.7", "application/pdf"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"), ("我的笔记".encode(), "text/plain"), (b"RIFF\x10\0\0\0WAVE", None), (b"\xff\xfe", None),
    ],
)  # fmt: skip
def test_a_file_s_kind_is_what_its_bytes_say(content, kind) -> None:
    assert judge.media_type(content) == kind


@given(st.binary(max_size=200), st.text(max_size=80))
def test_no_file_and_no_name_makes_a_crash(content: bytes, name: str) -> None:
    assert judge.media_type(content) in {
        None,
        "text/plain",
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "application/pdf",
    }
    cleaned = judge.clean_name(name)
    assert cleaned and "/" not in cleaned and "\0" not in cleaned


@given(st.text(alphabet=st.characters(), max_size=300))
def test_whatever_is_typed_becomes_text_that_every_database_takes(text: str) -> None:
    cleaned = decide.clean(text)

    assert "\0" not in cleaned
    assert cleaned.encode("utf-8").decode() == cleaned
    assert decide.clean(cleaned) == cleaned


# --- floods and spam ---------------------------------------------------------------------------------------------


@ONCE
def test_one_address_is_stopped_after_so_many_complaints_an_hour_and_others_are_not(town: Town) -> None:
    for number in range(6):
        town.complain(f"Complaint number {number}")

    with pytest.raises(TooMany) as stop:
        town.complain("One too many")
    assert int(stop.value.details["retry_after_seconds"]) == 3600
    town.complain("From elsewhere", address=OTHER)
    town.clock.move(minutes=61)
    town.complain("An hour later")


@ONCE
def test_sendings_that_are_refused_count_too(town: Town) -> None:
    for _ in range(30):
        with pytest.raises(Invalid):
            town.complain("")

    with pytest.raises(TooMany):
        town.complain()


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"), ("::ffff:203.0.113.7", HOME),
        (HOME, HOME), ("not an address", "not an address"),
    ],
)  # fmt: skip
def test_a_subscriber_of_ipv6_is_one_address(address, counted) -> None:
    assert counted_as(address) == counted


@ONCE
@pytest.mark.parametrize(
    ("more", "because"),
    [
        ({"website": "http://spam.example"}, Suspicion.TRAP),
        ({"text": "http://a.b https://c.d www.e.f http://g.h"}, Suspicion.LINKS),
    ],
)
def test_what_looks_like_spam_is_received_and_owed_an_answer_but_listed_apart(town: Town, more, because) -> None:
    filed = town.complain(**more)

    assert (filed.complaint.is_apart, filed.complaint.apart_because) == (True, because)
    assert filed.complaint.due_on is not None and filed.code
    assert town.complaints.complaints(by=OPERATOR, is_apart=False).total == 0
    assert town.complaints.complaints(by=OPERATOR, is_apart=True).total == 1
    town.complaints.set_apart(filed.complaint.id, is_apart=False, by=OPERATOR)
    assert town.complaints.complaints(by=OPERATOR, is_apart=False).total == 1
    assert town.kinds(filed.complaint.id) == ["received.v1", "set_apart.v1"]


@ONCE
def test_the_same_words_again_are_listed_apart_and_other_words_are_not(town: Town) -> None:
    assert [town.complain(text).complaint.is_apart for text in (WORDS, WORDS, "Other words")] == [False, True, False]


# --- following ---------------------------------------------------------------------------------------------------


@ONCE
def test_the_code_follows_the_complaint_however_it_is_typed_and_only_its_hash_is_kept(town: Town) -> None:
    filed = town.complain()
    typed = f"  {filed.code[:5].upper()}-{filed.code[5:]} ".replace("0", "o").replace("1", "L")

    assert len(filed.code) == 26  # 128 bits in Crockford's base 32
    assert town.complaints.follow(typed, address=HOME).complaint == filed.complaint
    kept = (town.folder / "portal.db").read_bytes() if (town.folder / "portal.db").exists() else b""
    assert filed.code.encode() not in kept


@ONCE
def test_a_wrong_code_follows_nothing(town: Town) -> None:
    town.complain()

    for code in ("", "0" * 26, "wrong", "\0", "x" * 100_000, "' or 1=1 --", "٣" * 26):
        with pytest.raises(NotFound):
            town.complaints.follow(code, address=HOME)


@ONCE
def test_guessing_codes_is_stopped_and_the_right_code_waits_too(town: Town) -> None:
    filed = town.complain()
    for number in range(30):
        with pytest.raises(NotFound):
            town.complaints.follow(f"{number}", address=OTHER)

    with pytest.raises(TooMany):
        town.complaints.follow(filed.code, address=OTHER)
    assert town.complaints.follow(filed.code, address=HOME).complaint.id == filed.complaint.id


@ONCE
def test_the_receipt_waits_for_the_signed_checkpoint_then_checks_offline_and_opens_what_was_said(town: Town) -> None:
    filed = town.complain(contact="a@b.example", files=(FileIn(name="s.png", content=PNG),))
    before = town.complaints.receipt(filed.code, address=HOME)
    town.ledger.advance()
    after = town.complaints.receipt(filed.code, address=HOME)

    assert before.proof is None and after.proof is not None
    keys = read_keys("\n".join(map(str, town.ledger.verifier_keys())))
    reason, proven = check(after.proof, keys)
    assert reason.holds is Truth.TRUE and proven is not None
    body = json.loads(town.ledger.entry(after.opening["entry"]).body)
    opened = sha256(bytes.fromhex(after.opening["salt"]) + canonical(after.opening["said"])).hexdigest()
    assert opened == after.opening["commitment"] == body["data"]["commitment"]
    assert after.opening["said"]["text"] == WORDS
    assert after.opening["said"]["files"] == [{"name": "s.png", "sha256": sha256(PNG).hexdigest(), "size": len(PNG)}]
    changed = sha256(
        bytes.fromhex(after.opening["salt"]) + canonical({**after.opening["said"], "text": "x"})
    ).hexdigest()
    assert changed != opened


@ONCE
def test_the_receipt_opens_what_was_said_first_after_the_complaint_went_elsewhere(town: Town) -> None:
    filed = town.complain(system_id="")
    town.complaints.pass_on(filed.complaint.id, PassOn(reason="It is ours.", system_id=town.system), by=OPERATOR)

    opening = town.complaints.receipt(filed.code, address=HOME).opening

    assert opening["said"]["system"] == ""
    assert sha256(bytes.fromhex(opening["salt"]) + canonical(opening["said"])).hexdigest() == opening["commitment"]


def test_somebody_adds_is_answered_adds_again_and_an_answer_is_owed_anew(town: Town) -> None:
    filed = town.complain()
    case = filed.complaint.id
    town.complaints.add(filed.code, "It happened again.", files=(FileIn(name="n.txt", content=b"notes"),), address=HOME)
    town.complaints.answer(case, "We are sorry.", by=OPERATOR)
    assert town.complaints.follow(filed.code, address=HOME).complaint.stage is Stage.ANSWERED
    town.clock.move(days=3)
    town.complaints.add(filed.code, "And again.", address=HOME)

    now = town.complaints.follow(filed.code, address=HOME)

    assert now.complaint.stage is Stage.WITH_PARTY
    assert (now.complaint.due_on - town.clock().date()).days == 15
    assert [one.text for one in now.said] == [WORDS, "It happened again.", "We are sorry.", "And again."]
    assert town.kinds(case) == ["received.v1", "added.v1", "answered.v1", "added.v1"]


@ONCE
def test_a_withdrawn_complaint_is_over_for_everybody(town: Town) -> None:
    filed = town.complain()
    town.complaints.withdraw(filed.code, reason="Settled.", address=HOME)

    assert town.complaints.follow(filed.code, address=HOME).complaint.stage is Stage.WITHDRAWN
    for act in (
        lambda: town.complaints.withdraw(filed.code, address=HOME),
        lambda: town.complaints.add(filed.code, "More", address=HOME),
        lambda: town.complaints.answer(filed.complaint.id, "An answer", by=OPERATOR),
        lambda: town.complaints.close(filed.complaint.id, "Because", is_refused=True, by=OFFICER),
    ):
        with pytest.raises(Conflict):
            act()
    assert town.kinds(filed.complaint.id) == ["received.v1", "withdrawn.v1"]


def test_whoever_complained_has_everything_erased_and_every_proof_stands(town: Town) -> None:
    filed = town.complain(contact="a@b.example", files=(FileIn(name="secret.png", content=PNG),))
    town.complaints.answer(filed.complaint.id, "We wrote to a@b.example.", by=OPERATOR)
    town.ledger.advance()
    proof = town.complaints.receipt(filed.code, address=HOME).proof
    blobs = [one for one in (town.folder / "blobs").rglob("*") if one.is_file()]
    town.complaints.erase(filed.code, address=HOME)

    now = town.complaints.follow(filed.code, address=HOME)
    assert now.complaint.erased_at is not None and now.complaint.stage is Stage.WITHDRAWN
    assert [(one.text, one.contact, one.salt, one.files) for one in now.said] == [("", "", "", ()), ("", "", "", ())]
    assert blobs and not [one for one in blobs if one.exists()]
    assert town.complaints.receipt(filed.code, address=HOME).opening is None
    keys = read_keys("\n".join(map(str, town.ledger.verifier_keys())))
    assert check(proof, keys)[0].holds is Truth.TRUE
    town.ledger.advance()
    assert town.ledger.verify().holds is Truth.TRUE
    with pytest.raises(Conflict):
        town.complaints.erase(filed.code, address=HOME)


# --- the two parties ---------------------------------------------------------------------------------------------


@ONCE
def test_the_authority_answers_too_and_closes_what_was_answered(town: Town) -> None:
    filed = town.complain()
    with pytest.raises(Conflict):
        town.complaints.close(filed.complaint.id, "Done.", by=OFFICER)
    town.complaints.answer(filed.complaint.id, "We look into it.", by=OFFICER)
    town.complaints.close(filed.complaint.id, "Put right.", by=OFFICER)

    now = town.complaints.follow(filed.code, address=HOME)

    assert now.complaint.stage is Stage.CLOSED and now.complaint.ended_at is not None
    assert now.speakers[now.said[1].office_id] == "Market Surveillance Office"


@ONCE
def test_a_refusal_says_why_and_what_is_with_the_authority_the_operator_does_not_refuse(town: Town) -> None:
    mine, theirs = town.complain("First"), town.complain("Second")
    town.complaints.close(mine.complaint.id, "Not about this system.", is_refused=True, by=OPERATOR)
    other = town.bench.other.id
    town.complaints.pass_on(theirs.complaint.id, PassOn(reason="Yours to judge.", office_id=other), by=OPERATOR)

    assert said(town, mine)[-1] == "Not about this system."
    with pytest.raises(Conflict):
        town.complaints.close(theirs.complaint.id, "No.", is_refused=True, by=OPERATOR)
    town.complaints.close(theirs.complaint.id, "No breach.", is_refused=True, by=ELSEWHERE)
    assert town.complaints.follow(theirs.code, address=HOME).complaint.stage is Stage.REFUSED


def test_a_complaint_passed_on_is_with_the_new_desk_and_no_longer_with_the_old(town: Town) -> None:
    filed = town.complain()
    moved = town.complaints.pass_on(
        filed.complaint.id, PassOn(reason="Theirs.", office_id=town.bench.other.id), by=OFFICER
    )

    assert (moved.stage, moved.office_id) == (Stage.PASSED_ON, town.bench.other.id)
    assert town.complaints.follow(filed.code, address=HOME).destination.authority == "数据监管局"
    assert town.case(filed, by=ELSEWHERE)
    with pytest.raises(NotFound):
        town.case(filed, by=OFFICER)


def test_a_complaint_about_an_unnamed_system_is_passed_to_its_system_and_its_authority_then_sees_it(town: Town) -> None:
    filed = town.complain(system_id="")
    moved = town.complaints.pass_on(filed.complaint.id, PassOn(reason="Ours.", system_id=town.system), by=OPERATOR)

    assert (moved.stage, moved.party_id) == (Stage.WITH_PARTY, town.bench.provider.id)
    assert said(town, filed, by=OFFICER)[-1] == "Ours."


@ONCE
def test_a_complaint_passed_to_a_hidden_system_tells_its_complainant_nothing_of_it(town: Town) -> None:
    filed = town.complain(system_id="")
    town.complaints.pass_on(filed.complaint.id, PassOn(reason="We know.", system_id=town.hidden), by=OPERATOR)

    told = town.complaints.follow(filed.code, address=HOME).destination

    assert (told.system, told.party, told.has_party) == (None, "", True)


@ONCE
@pytest.mark.parametrize("cmd", [PassOn(reason="x"), PassOn(reason="", office_id="pty_x")])
def test_passing_on_names_where_to_and_why(town: Town, cmd) -> None:
    with pytest.raises(Invalid):
        town.complaints.pass_on(town.complain().complaint.id, cmd, by=OPERATOR)


def test_a_paper_complaint_is_entered_at_the_desk_and_followed_with_the_code_that_is_handed_out(town: Town) -> None:
    filed = town.complaints.enter(Complain(text="On paper.", system_id=town.hidden), lang="zh", by=OFFICER)

    assert filed.complaint.channel.value == "paper" and filed.complaint.entered_by == OFFICER.id
    assert filed.complaint.office_id == town.bench.authority.id
    assert town.complaints.follow(filed.code, address=HOME).said[0].text == "On paper."
    with pytest.raises(Refused):
        town.complaints.enter(Complain(text="On paper."), lang="zh", by=AUDITOR)
    with pytest.raises(Invalid):
        town.complaints.enter(Complain(text="On paper.", system_id="sys_x"), lang="zh", by=OPERATOR)


def test_two_answers_at_once_do_not_both_count_as_one(town: Town) -> None:
    from safebelt.rooms.portal import store

    filed = town.complain()
    stale = town.case(filed).complaint
    town.complaints.answer(filed.complaint.id, "First.", by=OPERATOR)

    with pytest.raises(Conflict), town.bench.registry._sql.begin() as tx:
        store.save(tx, decide.answered(stale, town.clock()))


# --- days --------------------------------------------------------------------------------------------------------


def test_what_is_overdue_is_marked_once_listed_and_counted(town: Town) -> None:
    filed, spam = town.complain(), town.complain("Spam", website="x")
    answered = town.complain("Answered")
    town.complaints.answer(answered.complaint.id, "An answer.", by=OPERATOR)
    town.clock.move(days=15)
    assert town.complaints.tend() == 0
    town.clock.move(days=1)

    assert town.complaints.tend() == 2
    assert town.complaints.tend() == 0
    for reader in (OPERATOR, OFFICER):
        late = town.complaints.complaints(by=reader, is_overdue=True)
        assert {one.id for one in late.items} == {filed.complaint.id, spam.complaint.id}
    counts = town.complaints.counts(town.system)
    assert (counts.total, counts.open, counts.overdue) == (3, 3, 2)
    assert town.kinds(filed.complaint.id) == ["received.v1", "overdue.v1"]


def test_texts_are_erased_when_they_were_kept_as_long_as_is_stated(town: Town) -> None:
    filed = town.complain()
    town.complaints.withdraw(filed.code, address=HOME)
    town.clock.move(days=365)
    assert town.complaints.tend() == 0
    town.clock.move(hours=1)

    assert town.complaints.tend() == 1
    assert said(town, filed) == ["", ""]
    assert town.kinds(filed.complaint.id)[-1] == "erased.v1"
    assert town.complaints.tend() == 0


@ONCE
def test_what_an_older_backup_brought_back_is_erased_again(town: Town) -> None:
    filed = town.complain()

    town.complaints.erase_again(filed.complaint.id, by=OWNER)

    assert said(town, filed) == [""]
    with pytest.raises(Conflict):
        town.complaints.erase_again(filed.complaint.id, by=OWNER)
    with pytest.raises(NotFound):
        town.complaints.erase_again("cpl_forgotten", by=OWNER)


# --- privacy -----------------------------------------------------------------------------------------------------


def test_nothing_that_was_said_is_in_any_entry_of_the_ledger_nor_beside_it(town: Town) -> None:
    secrets = ("purple walrus", "+44 20 7946 0000", "my-diagnosis", "sorry-walrus", "settled-walrus", "pass-walrus")
    filed = town.complain(
        f"The {secrets[0]} did it", contact=secrets[1], files=(FileIn(name=f"{secrets[2]}.png", content=PNG),)
    )
    town.complaints.answer(filed.complaint.id, secrets[3], by=OPERATOR)
    town.complaints.pass_on(filed.complaint.id, PassOn(reason=secrets[5], office_id=town.bench.other.id), by=OPERATOR)
    town.complaints.withdraw(filed.code, reason=secrets[4], address=HOME)
    town.ledger.advance()

    entries = town.ledger.entries(limit=200)
    leaves = b"".join(one.body for one in entries if one.kind.startswith("portal."))
    apart = " ".join(str(one.personal) for one in entries)

    digest = sha256(PNG).hexdigest()
    for secret in (*secrets, filed.code, HOME, digest):
        assert secret.encode() not in b"".join(one.body for one in entries)
        assert secret not in apart
    assert town.system.encode() not in leaves and town.bench.authority.id.encode() not in leaves
    assert re.search(rb'"commitment":"[0-9a-f]{64}"', leaves)


# --- the rules as data -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        ("answer_days: 15", "answer_days: 0"), ("answer_days: 15", ""), ("files: 5", "files: five"), ("other:", "Other Kind:"),
        ("safebelt: complaints/1", "safebelt: complaints/2"), ("retention_days: 365", "retention_days: 365\nmore: 1"),
    ],
)  # fmt: skip
def test_rules_that_do_not_fit_are_refused_by_name(change) -> None:
    source = (Path(__file__).parents[3] / "registry" / "complaints.yaml").read_text()
    assert read_complaints(source).answer_days == 15

    with pytest.raises(Invalid, match="cannot be read"):
        read_complaints(source.replace(*change, 1))


@given(st.text(max_size=200))
def test_no_text_in_place_of_the_rules_makes_a_crash(source: str) -> None:
    with pytest.raises(Problem):
        read_complaints(source)
