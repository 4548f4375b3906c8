"""Us as a witness: the protocol to the letter, and never two trees of one size."""

import threading
from collections.abc import Iterator
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from litestar.testing import TestClient
from tests.rooms.ledger.conftest import Desk
from tests.rooms.ledger.peers_support import OtherLog, peer_doors

from safebelt.engines.signing import SignatureType, Signer, open_note
from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Problem, Refused
from safebelt.rooms.ledger import decide
from safebelt.rooms.ledger.model import LogUnwatched, LogWatched, Standing
from safebelt.rooms.ledger.service import Cosignatures, Malformed, Stale
from safebelt.rooms.ledger.store import peers

BODY = """old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
"""
"""The example of c2sp.org/tlog-witness."""


@pytest.fixture
def other() -> OtherLog:
    return OtherLog("other.example/log", *map(str, range(12)))


@pytest.fixture
def watching(desk: Desk, other: OtherLog) -> Desk:
    desk.ledger.witnessing.add(other.origin, [other.key], by=OWNER)
    return desk


def test_the_example_of_the_specification_is_read_and_written_again() -> None:
    read = decide.read_submission(BODY)

    assert (read.old, len(read.path), read.checkpoint.size) == (20852014, 4, 20852163)
    assert decide.write_submission(read) == BODY


@pytest.mark.parametrize(
    "body",
    [
        "",
        "old 1\n",
        BODY.replace("old ", "Old "),
        BODY.replace("old 20852014", "old 020852014"),
        BODY.replace("old 20852014", "old -1"),
        BODY.replace("old 20852014", "old 2085\N{ARABIC-INDIC DIGIT TWO}"),
        BODY.replace("kaw=", "kaw"),
        BODY.replace("kaw=", "kax="),
        BODY.replace("20852163\n", "\n"),
        BODY.replace("\n\n", "\n", 1),
        BODY.replace("\n", "\r\n"),
        "old 0\n" + "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n" * 64 + BODY.partition("\n\n")[2],
    ],
)
def test_what_is_no_submission_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        decide.read_submission(body)


@settings(max_examples=150)
@given(st.binary(max_size=80) | st.lists(st.sampled_from(BODY.split("\n")), max_size=12).map("\n".join).map(str.encode))
def test_whatever_is_sent_is_read_or_refused(data: bytes) -> None:
    try:
        read = decide.read_submission(data.decode())
    except ValueError:
        return
    assert decide.write_submission(read).encode() == data


@given(st.text(max_size=24) | st.integers().map(lambda number: f"{number}\n"))
def test_the_size_a_witness_tells_is_a_plain_number_or_refused(text: str) -> None:
    try:
        size = decide.read_size(text)
    except ValueError:
        return
    assert text == f"{size}\n"
    assert 0 <= size < 10**19


@given(st.integers(0, 12), st.integers(0, 12), st.booleans())
def test_only_what_adds_to_the_tree_known_is_fit(old: int, new: int, is_forked: bool) -> None:
    log = OtherLog("o", *map(str, range(12)))
    shown = OtherLog("o", "x", *map(str, range(1, 12))) if is_forked else log
    asked = decide.read_submission(shown.submission(old, new).decode())

    standing = decide.stand(asked, old, log.root(old) if old else None)

    if old > new:
        assert standing is Standing.IMPOSSIBLE
    else:
        is_fit = not is_forked or old == 0
        assert standing is (Standing.FIT if is_fit else Standing.INCONSISTENT)
    assert old == new or decide.stand(asked, new, log.root(new) if new else None) is not Standing.FIT


def test_a_checkpoint_that_only_adds_is_cosigned_by_both_keys_and_kept(watching: Desk, other: OtherLog) -> None:
    witness = watching.ledger.witnessing
    for old, new in ((0, 0), (0, 5), (5, 5), (5, 12)):
        answer = witness.add_checkpoint(other.submission(old, new))

        assert isinstance(answer, Cosignatures)
        opened = open_note(f"{other.text(new)}\n{answer.lines}", witness.cosigner_keys())
        assert [key.type for key in opened.signed_by] == [SignatureType.ED25519, SignatureType.MLDSA44]
        assert set(opened.at.values()) == {int(watching.ledger._clock().timestamp())}
    (log,) = witness.watched()
    assert (log.size, log.root) == (12, other.root(12))
    latest = witness.latest(sha256(other.origin.encode()).hexdigest())
    assert open_note(latest, [other.key, *witness.cosigner_keys()]).signed_by == (other.key, *witness.cosigner_keys())


def test_a_wrong_beginning_is_told_the_size_and_a_wrong_proof_is_refused(watching: Desk, other: OtherLog) -> None:
    witness, forked = watching.ledger.witnessing, OtherLog(other.origin, "x", *map(str, range(1, 12)))
    witness.add_checkpoint(other.submission(0, 5))

    assert witness.add_checkpoint(other.submission(0, 5)) == Stale(size=5)
    assert witness.add_checkpoint(other.submission(4, 9)) == Stale(size=5)
    for body in (
        forked.submission(5, 9),
        forked.submission(5, 5),
        other.submission(5, 9).replace(b"\n\n", b"\n" + b"A" * 43 + b"=\n\n", 1),
        decide_path(other, 4, 9, old=5),
    ):
        with pytest.raises(Invalid):
            witness.add_checkpoint(body)
    with pytest.raises(Malformed):
        witness.add_checkpoint(other.submission(9, 5))
    (log,) = witness.watched()
    assert (log.size, log.root) == (5, other.root(5))


def decide_path(log: OtherLog, start: int, new: int, *, old: int) -> bytes:
    """A submission with the proof of another beginning."""
    return log.submission(start, new).replace(f"old {start}".encode(), f"old {old}".encode())


def test_the_empty_tree_has_one_root_and_takes_no_proof(watching: Desk, other: OtherLog) -> None:
    witness = watching.ledger.witnessing
    false = other.signed(decide.checkpoint_text(other.origin, 0, bytes(32)))

    with pytest.raises(Invalid):
        witness.add_checkpoint(f"old 0\n\n{false}".encode())
    with pytest.raises(Invalid):
        witness.add_checkpoint(other.submission(0, 3).replace(b"old 0\n", b"old 0\n" + b"A" * 43 + b"=\n"))


def test_strangers_forgers_and_noise_are_told_apart(watching: Desk, other: OtherLog) -> None:
    witness = watching.ledger.witnessing
    stranger = OtherLog("stranger.example", "a", seed=9)
    forger = OtherLog(other.origin, *map(str, range(12)), seed=9)
    spoiled = other.submission(0, 5).replace(other.text(5).encode(), other.text(6).encode())

    with pytest.raises(NotFound):
        witness.add_checkpoint(stranger.submission(0, 1))
    for body in (forger.submission(0, 5), spoiled):
        with pytest.raises(Refused):
            witness.add_checkpoint(body)
    for body in (b"", b"\xff", b"old 0\n\n" + other.text(5).encode(), other.submission(0, 5)[:-1]):
        with pytest.raises(Malformed):
            witness.add_checkpoint(body)
    assert witness.watched()[0].size == 0


def test_a_log_removed_and_added_again_cannot_begin_anew(watching: Desk, other: OtherLog) -> None:
    witness, forked = watching.ledger.witnessing, OtherLog(other.origin, *("x",) * 12)
    witness.add_checkpoint(other.submission(0, 5))

    witness.remove(other.origin, reason="drill", by=OWNER)
    with pytest.raises(NotFound):
        witness.add_checkpoint(other.submission(5, 6))
    with pytest.raises(NotFound):
        witness.remove(other.origin, reason="drill", by=OWNER)
    witness.add(other.origin, [other.key], by=OWNER)

    assert witness.add_checkpoint(forked.submission(0, 5)) == Stale(size=5)
    assert isinstance(witness.add_checkpoint(other.submission(5, 6)), Cosignatures)


def test_which_logs_are_witnessed_is_remembered_and_a_single_cosignature_is_not(
    watching: Desk, other: OtherLog
) -> None:
    witness = watching.ledger.witnessing
    witness.add_checkpoint(other.submission(0, 5))
    witness.remove(other.origin, reason="it moved", by=OWNER)

    told = [(entry.kind, entry.subject, entry.data) for entry in reversed(watching.ledger.entries())]
    assert told == [
        (LogWatched.kind, other.origin, {"keys": [str(other.key)]}),
        (LogUnwatched.kind, other.origin, {"reason": "it moved"}),
    ]


def test_what_cannot_be_witnessed_is_refused_and_leaves_nothing(desk: Desk, other: OtherLog) -> None:
    witness, key = desk.ledger.witnessing, other.key
    for origin in ("", "a\nb", " a", "a" * 81, desk.ledger.origin):
        with pytest.raises(Invalid):
            witness.add(origin, [key], by=OWNER)
    for keys in ([], [Signer.of(f"k{i}", bytes([i]) * 32).verifier for i in range(9)]):
        with pytest.raises(Invalid):
            witness.add(other.origin, keys, by=OWNER)
    witness.add(other.origin, [key], by=OWNER)
    with pytest.raises(Conflict):
        witness.add(other.origin, [key], by=OWNER)
    with pytest.raises(Invalid):
        witness.remove(other.origin, reason=" ", by=OWNER)

    assert desk.ledger.count() == 1


def test_two_trees_of_one_size_asked_for_at_once_are_never_both_cosigned(watching: Desk, other: OtherLog) -> None:
    forks = [OtherLog(other.origin, f"fork {i}", *map(str, range(1, 12))) for i in range(4)]
    answers: list[tuple[bytes, object]] = []
    gate = threading.Barrier(len(forks) * 2)

    def ask(log: OtherLog) -> None:
        gate.wait()
        try:
            answers.append((log.root(7), watching.ledger.witnessing.add_checkpoint(log.submission(0, 7))))
        except Problem as problem:
            answers.append((log.root(7), problem))

    threads = [threading.Thread(target=ask, args=(log,)) for log in forks * 2]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    cosigned = [root for root, answer in answers if isinstance(answer, Cosignatures)]
    assert len(answers) == len(threads)
    assert len(cosigned) == 1
    assert watching.ledger.witnessing.watched()[0].root == cosigned[0]


class Crash(Exception):
    """The process ends here."""


@pytest.mark.parametrize("is_after", [False, True])
def test_a_crash_while_cosigning_leaves_no_cosignature_outside_of_the_record(
    watching: Desk, other: OtherLog, monkeypatch: pytest.MonkeyPatch, is_after: bool
) -> None:
    keep = peers.keep_cosigned

    def cut_short(*args: object) -> bool:
        if is_after:
            keep(*args)  # type: ignore[arg-type]
        raise Crash

    with monkeypatch.context() as broken:
        broken.setattr(peers, "keep_cosigned", cut_short)
        with pytest.raises(Crash):
            watching.ledger.witnessing.add_checkpoint(other.submission(0, 5))

    assert watching.ledger.witnessing.watched()[0].size == 0
    assert isinstance(watching.ledger.witnessing.add_checkpoint(other.submission(0, 5)), Cosignatures)


@pytest.fixture
def client(watching: Desk) -> Iterator[TestClient]:
    with TestClient(peer_doors(watching.ledger)) as found:
        yield found


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_door_answers_with_the_statuses_of_the_protocol(client: TestClient, other: OtherLog) -> None:
    def ask(body: bytes) -> tuple[int, str, str]:
        answer = client.post("/witness/add-checkpoint", content=body)
        return answer.status_code, answer.headers["content-type"].partition(";")[0], answer.text

    hashed = sha256(other.origin.encode()).hexdigest()
    forked = OtherLog(other.origin, *("x",) * 12)
    assert client.get(f"/witness/{hashed}/checkpoint").status_code == 404

    status, form, text = ask(other.submission(0, 5))
    assert (status, form) == (200, "text/plain")
    assert all(line.startswith("— ") for line in text.removesuffix("\n").split("\n"))
    assert ask(other.submission(0, 5)) == (409, decide.SIZE_MEDIA_TYPE, "5\n")
    statuses = {
        400: other.submission(9, 5),
        403: OtherLog(other.origin, "a", seed=9).submission(0, 1),
        404: OtherLog("stranger.example", "a").submission(0, 1),
        413: b"a" * (decide.MAX_SUBMISSION_BYTES + 1),
        422: forked.submission(5, 6),
    }
    assert {status: ask(body)[0] for status, body in statuses.items()} == {status: status for status in statuses}
    assert ask(b"noise")[0] == 400
    latest = client.get(f"/witness/{hashed}/checkpoint")
    assert (latest.status_code, latest.text.startswith(other.text(5))) == (200, True)
    assert client.get(f"/witness/{'0' * 64}/checkpoint").status_code == 404


def test_a_key_that_is_replaced_counts_no_more(watching: Desk, other: OtherLog) -> None:
    successor = OtherLog(other.origin, *map(str, range(12)), seed=5)

    watching.ledger.witnessing.add(other.origin, [successor.key], by=OWNER)

    with pytest.raises(Refused):
        watching.ledger.witnessing.add_checkpoint(other.submission(0, 5))
    assert isinstance(watching.ledger.witnessing.add_checkpoint(successor.submission(0, 5)), Cosignatures)
