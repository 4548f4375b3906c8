"""A list or an answer that was replaced stays caught when it comes again: in another check, and in another process."""

import json
import multiprocessing
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.certificates.pki_faults import crafted, responder
from tests.rooms.certificates.pki_house import DAY, NOW, family, strangers
from tests.rooms.certificates.test_room_doors import run

from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Unavailable
from safebelt.rooms.certificates import store
from safebelt.rooms.certificates.model import Axis, Role
from safebelt.rooms.certificates.pki import crl
from safebelt.rooms.certificates.pki.crl import Revoked
from safebelt.rooms.certificates.pki.names import Ground
from safebelt.rooms.certificates.pki.ocsp import State
from safebelt.rooms.certificates.pki.path import Examined
from safebelt.rooms.certificates.pki.seen import ANSWERS_KEPT, Seen, authority_of, remember, remembered
from safebelt.rooms.certificates.service import Brought, check_offline, pem_of

HOUR = DAY / 24
AUTHORITY = authority_of(family().issuing.certificate)
ABOUT = AUTHORITY, family().leaf.serial_number


def why(examined: Examined) -> str:
    return examined.revocation.reason.as_text("en")


# --- lists -------------------------------------------------------------------------------------------------------


def test_a_list_that_was_replaced_is_caught_when_it_comes_again() -> None:
    before, after = family().list_(number=7, on=NOW - HOUR), family().list_(number=8)

    first = family().examine(crls=(before,))
    second = family().examine(crls=(after,), seen=first.seen)
    third = family().examine(crls=(before,), seen=second.seen)

    assert first.is_ok and second.is_ok
    assert third.revocation.state == "unknown" and "an old one replayed" in why(third)
    assert family().examine(crls=(before,)).is_ok  # who has no memory cannot tell


def test_the_same_list_again_is_no_replay_and_neither_is_another_authoritys_lower_number() -> None:
    seen = family().examine(crls=(family().list_(number=8),)).seen

    assert family().examine(crls=(family().list_(number=8),), seen=seen).is_ok
    assert strangers().examine(crls=(strangers().list_(number=1),), seen=seen).is_ok  # of the very same name


def test_a_replay_beside_the_list_that_replaced_it_does_no_harm() -> None:
    before, after = family().list_(number=7, on=NOW - HOUR), family().list_(number=8)
    seen = family().examine(crls=(after,)).seen

    assert family().examine(crls=(before, after), seen=seen).is_ok


def test_a_revocation_told_by_an_old_list_stays_true_but_a_hold_does_not() -> None:
    number = family().leaf.serial_number
    seen = Seen(lists={AUTHORITY: (9, NOW)})
    revoked = family().list_([Revoked(serial=number, at=NOW)], number=8)
    held = family().list_([Revoked(serial=number, at=NOW, reason=Ground.CERTIFICATE_HOLD)], number=8)

    assert family().examine(crls=(revoked,), seen=seen).revocation.state == "bad"
    assert family().examine(crls=(held,), seen=seen).revocation.state == "unknown"


def test_the_roots_list_is_remembered_too_and_one_that_names_the_issuing_authority_is_bad() -> None:
    root, answer = family().root, family().answer()
    lines = [Revoked(serial=family().issuing.certificate.serial_number, at=NOW, reason=Ground.CA_COMPROMISE)]
    after = crl.make_crl(root, [], number=5, on=NOW, next_update=NOW + DAY)
    naming = crl.make_crl(root, lines, number=6, on=NOW, next_update=NOW + DAY)

    seen = family().examine(ocsp=answer, crls=(after,)).seen
    replayed = family().examine(ocsp=answer, seen=seen)  # with the family's list of the root, number 1

    assert seen.lists[authority_of(root.certificate)] == (5, NOW)
    assert replayed.revocation.state == "unknown" and "lower than 5" in why(replayed)
    named = family().examine(ocsp=answer, crls=(naming,), seen=seen)
    assert named.revocation.state == "bad" and "was revoked at" in why(named)
    assert family().examine(ocsp=answer, crls=(after,), seen=named.seen).revocation.state == "unknown"


# --- answers -----------------------------------------------------------------------------------------------------


def test_an_answer_older_than_one_seen_is_caught_and_one_about_another_certificate_is_not() -> None:
    before, after = family().answer(on=NOW - HOUR), family().answer()
    seen = family().examine(ocsp=after).seen
    other = family().issue(serial=77)

    replayed = family().examine(ocsp=before, seen=seen)

    assert seen.answers == {ABOUT: NOW}
    assert replayed.revocation.state == "unknown" and "an old one replayed" in why(replayed)
    assert family().examine(ocsp=after, seen=seen).is_ok
    # Answers may be made beforehand, for each certificate at its own time.
    assert family().examine(leaf=other, ocsp=family().answer(leaf=other, on=NOW - HOUR), seen=seen).is_ok


def test_an_answer_with_the_nonce_asked_for_was_made_for_us_whatever_was_seen() -> None:
    seen = Seen(answers={ABOUT: NOW + HOUR})
    answer = family().answer(nonce=b"n" * 16)

    assert family().examine(ocsp=answer, nonce=b"n" * 16, seen=seen).is_ok
    assert family().examine(ocsp=answer, seen=seen).revocation.state == "unknown"


def test_a_revocation_told_by_an_old_answer_stays_true() -> None:
    told = family().answer(State(at=NOW - DAY), on=NOW - HOUR)

    assert family().examine(ocsp=told, seen=Seen(answers={ABOUT: NOW})).revocation.state == "bad"


def test_a_responder_that_the_authoritys_own_list_revokes_proves_nothing() -> None:
    number = family().responder.certificate.serial_number
    naming = family().list_([Revoked(serial=number, at=NOW, reason=Ground.KEY_COMPROMISE)])
    other = responder(serial=number + 1)

    examined = family().examine(ocsp=family().answer(), crls=(naming,))

    assert examined.revocation.state == "unknown" and "responder's certificate is revoked" in why(examined)
    assert family().examine(ocsp=crafted(by=other), crls=(naming,)).is_ok


# --- what is remembered ------------------------------------------------------------------------------------------


def test_nothing_is_remembered_that_no_proven_authority_has_signed() -> None:
    theirs = strangers()
    tomorrow = family().list_(number=99, on=NOW + DAY, next_update=NOW + 2 * DAY)
    spoilt = bytearray(family().list_(number=99))
    spoilt[-1] ^= 1

    lists = (theirs.list_(number=99), bytes(spoilt), tomorrow, b"junk")
    examined = family().examine(crls=lists, ocsp=family().answer(on=NOW + DAY))
    without_chain = family().examine(crls=(family().list_(number=99),), roots=[theirs.root.certificate])

    assert AUTHORITY not in examined.seen.lists and examined.seen.answers == {}
    assert without_chain.seen == Seen()


def test_a_stale_list_is_remembered_for_it_was_signed() -> None:
    stale = family().list_(number=50, on=NOW - 2 * DAY, next_update=NOW - DAY)

    examined = family().examine(crls=(stale,))

    assert examined.revocation.state == "unknown"
    assert examined.seen.lists[AUTHORITY] == (50, NOW - 2 * DAY)


marks = st.sampled_from(["0" * 64, "1" * 64, "a" * 64])
moments = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
memories = st.builds(
    Seen,
    lists=st.dictionaries(marks, st.tuples(st.integers(0, 1 << 159), moments), max_size=3),
    answers=st.dictionaries(st.tuples(marks, st.integers(1, 1 << 159)), moments, max_size=4),
)


@given(a=memories, b=memories, c=memories)
def test_memories_join_in_any_order_and_nothing_is_forgotten(a, b, c) -> None:
    assert a.joined(b) == b.joined(a)
    assert a.joined(b).joined(c) == a.joined(b.joined(c))
    assert a.joined(a) == a
    assert all(a.joined(b).lists[one] >= latest for one, latest in a.lists.items())


@given(seen=memories)
def test_a_memory_is_read_back_as_it_was_written(seen) -> None:
    assert Seen.from_text(seen.as_text()) == seen


@given(seen=memories)
def test_pruning_forgets_no_list_and_no_answer_that_could_still_be_relied_on(seen) -> None:
    latest = max(seen.answers.values(), default=None)

    assert seen.pruned().lists == seen.lists
    assert all(about in seen.pruned().answers for about, at in seen.answers.items() if at >= latest - ANSWERS_KEPT)


# --- the file ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"version": 2, "lists": {}, "answers": {}}',
        '{"version": 1, "lists": {"xy": [1, "2026-01-01T00:00:00+00:00"]}, "answers": {}}',
        '{"version": 1, "lists": {"%s": [-1, "2026-01-01T00:00:00+00:00"]}, "answers": {}}' % ("0" * 64),
        '{"version": 1, "lists": {"%s": [true, "2026-01-01T00:00:00+00:00"]}, "answers": {}}' % ("0" * 64),
        '{"version": 1, "lists": {"%s": [1, "2026-01-01T00:00:00"]}, "answers": {}}' % ("0" * 64),
        '{"version": 1, "lists": {"%s": 1}, "answers": {}}' % ("0" * 64),
        '{"version": 1, "lists": {}, "answers": {"%s": "2026-01-01T00:00:00+00:00"}}' % ("0" * 64),
        "[" * 100_000,
    ],
)
def test_a_memory_that_cannot_be_read_is_not_taken_for_an_empty_one(tmp_path, text) -> None:
    path = tmp_path / "seen.json"
    path.write_text(text)
    path.chmod(0o600)

    with pytest.raises(Unavailable, match="replay could not be told"):
        remembered(path)
    with pytest.raises(Unavailable, match="replay could not be told"):
        remember(path, Seen(lists={AUTHORITY: (1, NOW)}))
    assert path.read_text() == text


def test_a_memory_that_others_may_write_to_is_not_used(tmp_path) -> None:
    path = tmp_path / "seen.json"
    remember(path, Seen(lists={AUTHORITY: (1, NOW)}))
    assert path.stat().st_mode & 0o777 == 0o600 and remembered(path).lists == {AUTHORITY: (1, NOW)}

    path.chmod(0o666)

    with pytest.raises(Unavailable):
        remembered(path)


def test_a_memory_is_only_written_where_something_new_was_seen(tmp_path) -> None:
    path = tmp_path / "deep" / "seen.json"
    remember(path, Seen())
    assert not path.exists()

    remember(path, Seen(lists={AUTHORITY: (5, NOW)}))
    before = path.stat().st_ino
    remember(path, Seen(lists={AUTHORITY: (4, NOW)}))

    assert path.stat().st_ino == before and remembered(path).lists == {AUTHORITY: (5, NOW)}
    assert json.loads(path.read_text())["version"] == 1


def _see(path, first: int) -> None:
    for number in range(first, 40, 4):
        mark = f"{number % 8:064x}"
        remember(path, Seen(lists={mark: (number, NOW + timedelta(seconds=number))}))


def test_processes_that_remember_at_the_same_time_lose_nothing(tmp_path) -> None:
    path = tmp_path / "seen.json"
    ways = multiprocessing.get_context("fork")
    working = [ways.Process(target=_see, args=(path, first)) for first in range(4)]
    for one in working:
        one.start()
    for one in working:
        one.join(60)

    assert [one.exitcode for one in working] == [0, 0, 0, 0]
    assert sorted(number for number, _ in remembered(path).lists.values()) == list(range(32, 40))


def test_an_authority_is_known_by_its_key_and_not_by_its_name() -> None:
    ours, theirs = family().issuing.certificate, strangers().issuing.certificate

    assert ours.subject == theirs.subject and authority_of(ours) != authority_of(theirs)
    assert isinstance(ours, x509.Certificate) and len(authority_of(ours)) == 64


# --- at home, and in the shell -----------------------------------------------------------------------------------


def test_the_house_notices_when_its_table_is_put_back_to_an_older_list_of_the_root(certificates, issued, sql) -> None:
    def revocation() -> Truth:
        return certificates.check(pem_of(issued.der).encode()).axes[Axis.REVOCATION].holds

    assert revocation() is Truth.TRUE
    certificates.renew_root_list(by=OWNER)
    assert revocation() is Truth.TRUE

    with sql.begin() as tx:
        tx.execute(sa.delete(store.root_list).where(store.root_list.c.number == 2))

    assert revocation() is Truth.UNKNOWN
    certificates.renew_root_list(by=OWNER)  # number 2 once more, signed at the same moment of this still clock
    assert revocation() is Truth.TRUE


def test_a_stranger_who_remembers_catches_the_list_that_hides_a_revocation(
    certificates, issued, clock, tmp_path
) -> None:
    root = certificates.part(Role.ROOT)
    chain = (pem_of(issued.der) + pem_of(certificates.part(Role.ISSUING))).encode()
    before = (certificates.revocation_list(), certificates.root_list())
    clock.move(minutes=1)
    certificates.suspend(issued.serial, reason="a complaint", by=OWNER)
    after = (certificates.revocation_list(), certificates.root_list())

    def revocation(lists: tuple[bytes, ...], memory) -> Truth:
        found = check_offline(chain, Brought(roots=root, crls=lists, memory=memory), on=clock())
        return found.axes[Axis.REVOCATION].holds

    memory = tmp_path / "mine" / "seen.json"
    assert [revocation(lists, memory) for lists in (before, after, before)] == [
        Truth.TRUE,
        Truth.FALSE,
        Truth.UNKNOWN,
    ]
    assert revocation(before, None) is Truth.TRUE  # who does not remember is shown yesterday's list, and believes it
    memory.write_text("spoilt")
    with pytest.raises(Unavailable, match="replay could not be told"):
        revocation(before, memory)


def test_the_shell_remembers_between_two_calls(certificates, tmp_path) -> None:
    held = [Revoked(serial=family().leaf.serial_number, at=NOW, reason=Ground.CERTIFICATE_HOLD)]
    files = {
        "chain.pem": (family().leaf, family().issuing.certificate),
        "root.pem": (family().root.certificate,),
        "root.crl": family().root_list,
        "before.crl": family().list_(number=7, on=NOW - HOUR),
        "after.crl": family().list_(held, number=8),
    }
    for name, made in files.items():
        data = made if isinstance(made, bytes) else b"".join(one.public_bytes(Encoding.PEM) for one in made)
        (tmp_path / name).write_bytes(data)

    def verdict(name: str) -> str:
        words = ["check", "chain.pem", "--root", "root.pem", "--crl", "root.crl", "--crl", name, "--state", "seen.json"]
        answer = run(certificates, *(str(tmp_path / word) if "." in word else word for word in words))
        return str(answer.data["axes"]["revocation"]["verdict"])

    assert [verdict("before.crl"), verdict("after.crl"), verdict("before.crl")] == ["ok", "bad", "unknown"]
