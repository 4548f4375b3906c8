"""A monitor believes nothing: growth, rollback, forgery and a split view are told apart, and evidence checks by itself."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.ledger.conftest import Desk
from tests.rooms.ledger.peers_support import Net, OtherLog, new_desk

from safebelt.engines.signing import VerifierKey
from safebelt.kernel import merkle
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid, Problem, Refused
from safebelt.rooms.ledger import decide
from safebelt.rooms.ledger.model import LogMisbehaved, Sight
from safebelt.rooms.ledger.service import Monitor, check_evidence, real_client
from safebelt.rooms.ledger.service.elsewhere import is_address

ORIGIN = "other.example/log"
HONEST = OtherLog(ORIGIN, *map(str, range(700)))
FORKED = OtherLog(ORIGIN, "x", *map(str, range(1, 700)))
FORGER = OtherLog(ORIGIN, *map(str, range(700)), seed=9)


class Watch:
    """A folder that a log is published in, and its monitor."""

    def __init__(self, tmp_path: Path) -> None:
        self.log, self.state = tmp_path / "log", tmp_path / "state" / "kept.note"
        self.monitor = self.anew()

    def anew(self, key: VerifierKey = HONEST.key) -> Monitor:
        return Monitor(str(self.log), [key], self.state, new_client=real_client)

    def shows(self, log: OtherLog, size: int) -> None:
        shutil.rmtree(self.log, ignore_errors=True)
        log.publish(self.log, size)

    def sees(self, *also: str) -> list[Sight]:
        return [each.sight for each in self.monitor.look(also)]

    def kept(self) -> int:
        return decide.parse_checkpoint(self.state.read_text()).size


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    return Watch(tmp_path)


def test_a_log_that_grows_is_seen_to_grow_and_its_last_checkpoint_is_kept(watch: Watch) -> None:
    seen = []
    for size in (0, 0, 3, 255, 256, 257, 257, 700):
        watch.shows(HONEST, size)
        seen += watch.sees()
        assert watch.kept() == size

    assert seen == [Sight.FIRST, Sight.SAME, *[Sight.GREW] * 4, Sight.SAME, Sight.GREW]
    assert [path.name for path in watch.state.parent.iterdir() if not path.name.startswith(".")] == ["kept.note"]


def test_an_older_checkpoint_is_a_rollback_and_the_newer_one_stays_kept(watch: Watch) -> None:
    watch.shows(HONEST, 300)
    watch.sees()
    for size in (299, 1, 0):
        watch.shows(HONEST, size)
        assert watch.sees() == [Sight.OLDER]

    assert watch.kept() == 300
    watch.shows(HONEST, 301)
    assert watch.sees() == [Sight.GREW]


@pytest.mark.parametrize(("kept", "shown"), [(300, 300), (300, 301), (256, 700), (1, 2), (300, 299), (3, 1)])
def test_a_split_view_is_seen_and_its_evidence_convinces_whoever_has_the_key(
    watch: Watch, kept: int, shown: int
) -> None:
    watch.shows(HONEST, kept)
    watch.sees()
    watch.shows(FORKED, shown)

    (seen,) = watch.monitor.look()

    if shown < kept:  # the smaller tree is all that is served, and it cannot show what it once was
        assert seen.sight is Sight.OLDER
        return
    assert seen.sight is Sight.SPLIT
    assert watch.kept() == kept
    evidence = watch.monitor.evidence_file(seen).read_text()
    reason, proven = check_evidence(evidence, [HONEST.key])
    assert reason.holds is Truth.TRUE
    assert proven == {"origin": ORIGIN, "old_size": kept, "new_size": shown}
    assert watch.sees() == [Sight.SPLIT]


def test_every_changed_byte_of_evidence_is_refused(watch: Watch) -> None:
    watch.shows(HONEST, 5)
    watch.sees()
    watch.shows(FORKED, 7)
    (seen,) = watch.monitor.look()
    evidence = seen.evidence.encode()

    for at in range(len(evidence)):
        changed = bytearray(evidence)
        changed[at] ^= 1
        try:
            reason, _ = check_evidence(changed.decode(errors="surrogateescape"), [HONEST.key])
        except Invalid:
            continue
        assert reason.holds is not Truth.TRUE, at


def test_what_does_not_contradict_is_no_evidence() -> None:
    old, new = (decide.parse_checkpoint(HONEST.note(size)) for size in (5, 9))
    leaves = [merkle.leaf_hash(str(i).encode()) for i in range(9)]
    path = merkle.consistency_proof(5, leaves)
    for text in (
        decide.write_evidence(old, new),
        decide.write_evidence(old, old),
        decide.write_evidence(old, new, old.root, path),
        decide.write_evidence(old, new, bytes(32), path),
        decide.write_evidence(old, decide.parse_checkpoint(OtherLog("else", "a").note(1))),
        decide.write_evidence(old, decide.parse_checkpoint(FORGER.note(5))),
    ):
        assert check_evidence(text, [HONEST.key])[0].holds is not Truth.TRUE
    with pytest.raises(Invalid):
        check_evidence("hello\n", [HONEST.key])


LINES = decide.write_evidence(*(decide.parse_checkpoint(HONEST.note(size)) for size in (5, 9)), bytes(32)).split("\n")


@settings(max_examples=150)
@given(st.lists(st.sampled_from(LINES) | st.text(max_size=8), max_size=16).map("\n".join) | st.text(max_size=80))
def test_whatever_is_called_evidence_is_judged_or_refused(text: str) -> None:
    try:
        reason, proven = check_evidence(text, [HONEST.key])
    except Invalid:
        return
    assert reason.holds is not Truth.TRUE
    assert proven is None


@settings(max_examples=100)
@given(st.lists(st.sampled_from(HONEST.note(5).split("\n")) | st.text(max_size=8), max_size=8).map("\n".join))
def test_whatever_is_called_a_checkpoint_is_read_or_refused(text: str) -> None:
    try:
        checkpoint = decide.parse_checkpoint(text)
    except ValueError:
        return
    assert text.startswith(decide.checkpoint_text(checkpoint.origin, checkpoint.size, checkpoint.root)[:-1])


def test_a_forged_checkpoint_is_not_believed_and_changes_nothing(watch: Watch) -> None:
    watch.shows(HONEST, 5)
    watch.sees()
    spoiled = HONEST.note(6).replace("\n6\n", "\n7\n")
    for note in (FORGER.note(6), spoiled, "<html>", HONEST.note(6)[:-1], OtherLog("else", "a").note(1)):
        watch.shows(HONEST, 6)
        (watch.log / "checkpoint").write_text(note)
        assert watch.sees() == [Sight.FORGED]

    assert watch.kept() == 5


def test_tiles_that_do_not_lead_to_the_signed_root_prove_nothing(watch: Watch) -> None:
    watch.shows(HONEST, 5)
    watch.sees()
    watch.shows(HONEST, 9)
    tile = watch.log / "tile/0/000.p/9"
    whole = tile.read_bytes()
    tile.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert watch.sees() == [Sight.UNPROVEN]
    tile.write_bytes(whole[:-1])
    assert watch.sees() == [Sight.UNPROVEN]

    assert watch.kept() == 5
    tile.write_bytes(whole)
    assert watch.sees() == [Sight.GREW]


def test_a_first_look_holds_the_root_against_the_tiles(watch: Watch) -> None:
    watch.shows(HONEST, 9)
    (watch.log / "checkpoint").write_text(FORKED.note(9))

    assert watch.sees() == [Sight.UNPROVEN]
    assert not watch.state.exists()


def test_what_cannot_be_seen_is_unknown_and_not_well(watch: Watch) -> None:
    assert watch.sees() == [Sight.UNREACHABLE]
    watch.shows(HONEST, 5)
    watch.sees()
    watch.shows(HONEST, 9)
    shutil.rmtree(watch.log / "tile")

    assert watch.sees() == [Sight.UNREACHABLE]
    assert Sight.UNREACHABLE.holds is Truth.UNKNOWN
    assert watch.kept() == 5


def test_what_others_were_shown_is_compared(watch: Watch, tmp_path: Path) -> None:
    files = {
        name: tmp_path / name for name in ("older", "same", "newer", "fork", "younger fork", "forged", "else", "proof")
    }
    files["older"].write_text(HONEST.note(3))
    files["same"].write_text(HONEST.note(300))
    files["newer"].write_text(HONEST.note(301))
    files["fork"].write_text(FORKED.note(300))
    files["younger fork"].write_text(FORKED.note(7))
    files["forged"].write_text(FORGER.note(3))
    files["else"].write_text(OtherLog("else", "a").note(1))
    files["proof"].write_text(f"c2sp.org/tlog-proof@v1\nindex 0\n\n{FORKED.note(300)}")
    watch.shows(HONEST, 300)

    first, *seen = watch.sees(*map(str, files.values()), str(tmp_path / "nowhere"))

    assert first is Sight.FIRST
    assert seen == [
        Sight.GREW,
        Sight.SAME,
        Sight.OLDER,
        Sight.SPLIT,
        Sight.SPLIT,
        Sight.FORGED,
        Sight.FORGED,
        Sight.SPLIT,
        Sight.UNREACHABLE,
    ]
    for found in watch.monitor.look([str(files["fork"]), str(files["younger fork"])])[1:]:
        evidence = watch.monitor.evidence_file(found).read_text()
        assert check_evidence(evidence, [HONEST.key])[0].holds is Truth.TRUE


def test_a_state_file_that_was_changed_or_is_of_another_key_is_not_used(watch: Watch) -> None:
    watch.shows(HONEST, 5)
    watch.sees()
    good = watch.state.read_text()

    with pytest.raises(Refused):
        watch.anew(FORGER.key).look()
    for text in (good.replace("\n5\n", "\n4\n"), "", "hello\n", good[:-1]):
        watch.state.write_text(text)
        with pytest.raises(Problem):
            watch.sees()


def test_two_monitors_of_one_state_never_put_an_older_checkpoint_back(watch: Watch, tmp_path: Path) -> None:
    places = {size: HONEST.publish(tmp_path / f"log{size}", size) for size in (3, 40)}
    gate = threading.Barrier(8)

    def look(place: Path) -> None:
        gate.wait()
        Monitor(str(place), [HONEST.key], watch.state, new_client=real_client).look()

    threads = [threading.Thread(target=look, args=(place,)) for place in [*places.values()] * 4]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert watch.kept() == 40


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_two_trees_are_consistent_exactly_where_one_is_a_prefix_of_the_other(one: int, other: int, fork: int) -> None:
    first = OtherLog("o", *map(str, range(40)))
    second = OtherLog("o", *map(str, range(fork)), *("x" for _ in range(fork, 40)))
    leaves = [merkle.leaf_hash(body) for body in (second if other >= one else first)._bodies]
    old, new = (decide.parse_checkpoint(log.note(size)) for log, size in ((first, one), (second, other)))

    sight, evidence = decide.compare(old, new, merkle.node_reader(leaves[: max(one, other)]))

    is_prefix = min(one, other) <= fork
    assert (sight in (Sight.SAME, Sight.GREW)) is is_prefix
    assert is_prefix or check_evidence(evidence, [first.key])[0].holds is Truth.TRUE


@pytest.mark.parametrize(
    "place", ["", "x", "ftp://h/", "http://", "http://u:p@h/", "http://h/?q", "http://h/#f", "http://[::1", "/log"]
)
def test_what_is_no_plain_address_is_not_asked(place: str) -> None:
    assert not is_address(place)
    assert is_address("https://example.org/log")


# --- as a habit


@pytest.fixture
def net() -> Iterator[Net]:
    found = Net()
    yield found
    found.close()


@pytest.fixture
def home(tmp_path: Path, net: Net, clock: Callable[[], Any], new_id: Any, chance: Callable[[int], bytes]) -> Desk:
    policy = tmp_path / "logs.policy"
    policy.write_text(f"log {HONEST.key} http://other.example/log\nlog {FORGER.key}\nquorum none\n")
    return new_desk("home.example", tmp_path / "home", net, clock=clock, new_id=new_id, chance=chance, policy=policy)


def serve(net: Net, log: OtherLog, size: int, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    log.publish(folder, size)

    def answer(request: httpx2.Request) -> httpx2.Response:
        file = folder / request.url.path.removeprefix("/log/")
        return httpx2.Response(200, content=file.read_bytes()) if file.is_file() else httpx2.Response(404)

    net.hosts["other.example"] = answer


def test_the_habit_watches_the_logs_of_its_policy_and_remembers_a_finding_once(
    home: Desk, net: Net, tmp_path: Path
) -> None:
    following = home.ledger.following
    assert [each.sight for each in following.look()] == [Sight.UNREACHABLE]
    serve(net, HONEST, 5, tmp_path / "other")
    assert [each.sight for each in following.look()] == [Sight.FIRST]
    serve(net, HONEST, 7, tmp_path / "other")
    assert [each.sight for each in following.look()] == [Sight.GREW]
    assert home.ledger.count() == 0
    for log, size in ((FORKED, 9), (FORKED, 9), (FORKED, 12), (HONEST, 6), (HONEST, 6)):
        serve(net, log, size, tmp_path / "other")
        following.look()

    entries = [entry for entry in home.ledger.entries() if entry.kind == LogMisbehaved.kind]
    assert [(each.data["sight"], each.data["kept_size"], each.data["shown_size"]) for each in reversed(entries)] == [
        ("split_view", 7, 9),
        ("rolled_back", 7, 6),
    ]
    assert {each.subject for each in entries} == {ORIGIN}
    assert any(len(json.dumps(dict(each.data))) > 100 and each.data["evidence"] for each in entries)


def test_a_policy_that_cannot_be_read_is_said_so(home: Desk, tmp_path: Path) -> None:
    (tmp_path / "logs.policy").write_text("log x\n")
    with pytest.raises(Invalid):
        home.ledger.following.look()
    (tmp_path / "logs.policy").unlink()
    with pytest.raises(Problem, match="policy file"):
        home.ledger.following.look()
