"""Two houses witness each other over HTTP: cosignatures are asked for, checked, published, proven, and asked of a policy."""

import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from tests.rooms.ledger.conftest import Desk
from tests.rooms.ledger.peers_support import Net, OtherLog, new_desk

from safebelt.engines.signing import SignatureType, VerifierKey, open_note
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.ledger import decide, store
from safebelt.rooms.ledger.cli import commands
from safebelt.rooms.ledger.model import LogWatched, Sight, WitnessAsked, WitnessDropped
from safebelt.rooms.ledger.service import Ledger, Monitor, check, read_policy
from safebelt.rooms.ledger.store import peers
from safebelt.web.terminal import Answer

URL = "http://b.example/witness"


@pytest.fixture
def net() -> Iterator[Net]:
    found = Net()
    yield found
    found.close()


@pytest.fixture
def make(tmp_path: Path, net: Net, clock: Any, new_id: Any, chance: Any) -> Callable[[str], Desk]:
    return lambda name: new_desk(name, tmp_path / name, net, clock=clock, new_id=new_id, chance=chance)


@pytest.fixture
def a(make: Callable[[str], Desk]) -> Desk:
    return make("a.example")


@pytest.fixture
def b(make: Callable[[str], Desk]) -> Desk:
    return make("b.example")


def meet(asker: Desk, witness: Desk) -> None:
    """One house asks another to witness it, and that one does."""
    witness.ledger.witnessing.add(asker.ledger.origin, asker.ledger.verifier_keys(), by=OWNER)
    url = f"http://{witness.ledger.origin.partition('/')[0]}/witness"
    asker.ledger.asking.ask(url, witness.ledger.witnessing.cosigner_keys(), by=OWNER)


def cosigned_sizes(desk: Desk) -> list[int]:
    with desk.sql.read() as tx:
        return sorted({size for size, _, _ in peers.cosignatures(tx)})


def run(ledger: Ledger, *words: str) -> Answer:
    answer = commands(ledger)(list(words), exit_on_error=False, print_error=False, result_action="return_value")
    assert isinstance(answer, Answer)
    return answer


def test_two_houses_witness_each_other_and_neither_log_grows_by_it(a: Desk, b: Desk) -> None:
    meet(a, b)
    meet(b, a)
    a.note("x")
    for _ in range(3):
        for house in (a, b):
            house.ledger.advance()
            house.ledger.asking.collect()

    for house, other in ((a, b), (b, a)):
        published = (house.folder / "checkpoint").read_text("utf-8")
        keys = other.ledger.witnessing.cosigner_keys()
        assert set(open_note(published, keys).signed_by) == set(keys)
        assert published == house.ledger.checkpoint().note  # type: ignore[union-attr]
        assert house.ledger.verify().faults == ()
    assert a.ledger.count() == 3
    assert b.ledger.count() == 2
    kinds = [entry.kind for entry in b.ledger.entries()]
    assert sorted(kinds) == [LogWatched.kind, WitnessAsked.kind]


def test_cosignatures_come_to_a_log_on_either_database(
    sql: Sql, tmp_path: Path, net: Net, clock: Any, new_id: Any, chance: Any, b: Desk
) -> None:
    a = new_desk("a.example", tmp_path / "a", net, clock=clock, new_id=new_id, chance=chance, sql=sql)
    keys = b.ledger.witnessing.cosigner_keys()
    a.ledger.asking.ask(URL, keys, by=OWNER)
    (entry,) = a.note("x")
    a.ledger.advance()
    a.ledger.asking.collect()
    assert a.ledger.asking.witnesses()[0].trouble is not None

    b.ledger.witnessing.add(a.ledger.origin, a.ledger.verifier_keys(), by=OWNER)
    a.ledger.asking.collect()
    a.note("y")
    a.ledger.advance()

    (witness,) = a.ledger.asking.witnesses()
    assert (witness.trouble, witness.size, set(witness.keys)) == (None, 2, set(map(str, keys)))
    proof = a.ledger.prove(entry)
    assert set(open_note(proof.partition("\n\n")[2], keys).signed_by) == set(keys)
    assert check(proof, a.ledger.verifier_keys())[0].holds is Truth.TRUE
    assert a.ledger.verify().faults == ()
    a.ledger.asking.drop(URL, reason="over", by=OWNER)
    assert a.ledger.asking.witnesses() == []
    a.ledger.asking.ask(URL, keys, by=OWNER)
    assert a.ledger.asking.witnesses()[0].size == 2


def test_growth_is_proven_to_the_witness_from_what_it_knows(a: Desk, b: Desk, net: Net) -> None:
    meet(a, b)
    for count in (1, 3, 300):
        a.note(*map(str, range(count)))
        a.ledger.advance()
        a.ledger.asking.collect()

    assert cosigned_sizes(a) == [2, 5, 305]
    assert b.ledger.witnessing.watched()[0].size == 305
    asked = len(net.asked)
    a.ledger.asking.collect()
    assert len(net.asked) == asked, "what is cosigned is not asked for again"


def test_a_witness_that_knows_another_size_tells_it_and_is_asked_from_there(a: Desk, b: Desk) -> None:
    meet(a, b)
    a.ledger.advance()
    a.ledger.asking.collect()
    with a.sql.begin() as tx:
        tx.execute(sa.delete(peers.cosignature))  # as after a restored database
    a.note("x")
    a.ledger.advance()

    a.ledger.asking.collect()

    assert cosigned_sizes(a) == [2]
    assert a.ledger.asking.witnesses()[0].trouble is None


def test_a_proof_carries_the_most_widely_cosigned_checkpoint_and_meets_a_policy(
    a: Desk, b: Desk, make: Callable[[str], Desk], tmp_path: Path
) -> None:
    c = make("c.example")
    meet(a, b)
    meet(a, c)
    (entry,) = a.note("x")
    a.ledger.advance()
    a.ledger.asking.collect()
    a.note("y")
    a.ledger.advance()  # a newer checkpoint, which nobody has cosigned yet

    proof, key = a.ledger.prove(entry), str(a.ledger.verifier_keys()[-1])

    file, policy = tmp_path / "x.tlog-proof", tmp_path / "quorum.policy"
    file.write_text(proof)
    lines = [f"log {key}"]
    for name, house in (("B", b), ("C", c)):
        ed, ml = house.ledger.witnessing.cosigner_keys()
        lines += [f"witness {name}-ed {ed}", f"witness {name}-ml {ml}", f"group {name} all {name}-ed {name}-ml"]
    policy.write_text("\n".join([*lines, "group both all B C", "quorum both", ""]))
    wrote = run(a.ledger, "prove", entry, "-o", str(file))
    assert wrote.data["witnesses"] == ["b.example/witness", "c.example/witness"]
    assert "b.example/witness" in wrote.says.en
    assert "c.example/witness" in wrote.says.zh

    held = run(a.ledger, "check", str(file), "--key", key, "--policy", str(policy))
    assert held.exit_code == 0, held.says.en
    assert [each.split()[0] for each in held.data["proven"]["witnesses"]] == ["B-ed", "B-ml", "C-ed", "C-ml"]
    plain = run(a.ledger, "check", str(file), "--key", key)
    assert plain.exit_code == 0
    assert "Witnesses: not evaluated" in plain.says.en
    assert "见证：未评估" in plain.says.zh

    third = OtherLog("third", "x")
    strict = policy.read_text().replace(
        "quorum both", f"witness T {cosigner('t')}\ngroup three all both T\nquorum three"
    )
    elsewhere = policy.read_text().replace(f"log {key}", f"log {third.key}")
    for text in (strict, elsewhere):
        policy.write_text(text)
        refused = run(a.ledger, "check", str(file), "--key", key, "--policy", str(policy))
        assert refused.exit_code == 1
        assert refused.data["proven"] is None
    policy.write_text("quorum nobody\n")
    with pytest.raises(Invalid):
        run(a.ledger, "check", str(file), "--key", key, "--policy", str(policy))


def cosigner(name: str) -> VerifierKey:
    from safebelt.engines.signing import Cosigner

    return Cosigner.of(name, SignatureType.ED25519, sha256(name.encode()).digest()).verifier


def test_a_changed_cosignature_spoils_the_proof_for_who_knows_the_witness(a: Desk, b: Desk) -> None:
    meet(a, b)
    (entry,) = a.note("x")
    a.ledger.advance()
    a.ledger.asking.collect()
    proof, keys = a.ledger.prove(entry), a.ledger.verifier_keys()
    ed, _ = b.ledger.witnessing.cosigner_keys()
    policy = read_policy(f"witness B {ed}\nquorum none\n".encode())
    (line,) = (line for line in proof.split("\n") if "b.example" in line and len(line) < 200)
    at = proof.index(line) + 40

    changed = proof[:at] + ("A" if proof[at] != "A" else "B") + proof[at + 1 :]

    assert check(proof, keys, policy)[0].holds is Truth.TRUE
    assert check(changed, keys, policy)[0].holds is Truth.FALSE
    assert check(changed, keys)[0].holds is Truth.TRUE, "a stranger's signature is passed over, as the form asks"


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (200, b""),
        (200, b"\xff\n"),
        (200, b"hello\n"),
        (200, "— b.example/witness AAAAAAAAAAAAAAAAAAAA\n".encode()),
        (404, b""),
        (403, b""),
        (422, b""),
        (500, b"x" * 100_000),
        (409, b"7"),
        (409, b"-1\n"),
        (409, b"99\n"),
        (302, b""),
    ],
)
def test_whatever_else_a_witness_answers_is_trouble_and_no_cosignature(
    a: Desk, b: Desk, net: Net, status: int, content: bytes
) -> None:
    meet(a, b)
    a.ledger.advance()
    net.hosts["b.example"] = lambda _request: httpx2.Response(status, content=content)

    a.ledger.asking.collect()

    (witness,) = a.ledger.asking.witnesses()
    assert cosigned_sizes(a) == []
    assert witness.trouble is not None
    assert witness.trouble.zh and witness.trouble.en


def test_a_cosignature_of_another_checkpoint_or_of_no_time_is_not_kept(a: Desk, b: Desk, net: Net) -> None:
    meet(a, b)
    last = a.ledger.advance()
    assert last
    ed = b.ledger.witnessing._cosigners.cosigners()[0]
    other = decide.checkpoint_text(a.ledger.origin, 1, bytes(32))
    for line in (ed.cosign(other, at=1), ed.cosign(decide.text_of(last.note), at=0)):
        net.hosts["b.example"] = lambda _request, line=line: httpx2.Response(200, content=line.encode())
        a.ledger.asking.collect()
        assert cosigned_sizes(a) == []


def test_a_silent_witness_delays_neither_the_log_nor_another_witness(
    a: Desk, b: Desk, make: Callable[[str], Desk], net: Net
) -> None:
    c, is_over, waits = make("c.example"), threading.Event(), threading.Event()
    meet(a, b)
    meet(a, c)

    def silent(_request: httpx2.Request) -> httpx2.Response:
        waits.set()
        is_over.wait(30)
        return httpx2.Response(500)

    net.hosts["b.example"] = silent
    a.ledger.advance()
    a.ledger.asking.collect(wait_seconds=0.2)
    assert waits.wait(10)
    a.note("x")

    last = a.ledger.advance()
    a.ledger.asking.collect(wait_seconds=5.0)

    assert last is not None
    assert last.size == 3
    with a.sql.read() as tx:
        names = {line.split(" ")[1] for line in peers.lines_of(tx, 3)}
    assert names == {"c.example/witness"}
    assert sum("b.example" in asked for asked in net.asked) == 1, "who has not answered is not asked again"
    is_over.set()


def test_a_changed_cosignature_or_published_checkpoint_is_named(a: Desk, b: Desk) -> None:
    meet(a, b)
    a.ledger.advance()
    a.ledger.asking.collect()
    assert a.ledger.verify().faults == ()
    file = a.folder / "checkpoint"
    good = file.read_text("utf-8")

    for text in (good.replace("b.example", "c.example"), good[:-3] + "A=\n", good + "x\n"):
        file.write_text(text, "utf-8")
        assert {fault.where for fault in a.ledger.verify().faults} == {"file checkpoint"}
    file.write_text(good, "utf-8")
    ed, ml = b.ledger.witnessing.cosigner_keys()
    for table, column, value in ((peers.cosignature, "line", "— x AAAAAAA=\n"), (peers.witness, "key", str(ml))):
        with a.sql.begin() as tx:
            was = tx.execute(sa.select(table.c[column]).where(table.c.key_id == ed.key_id.hex())).scalar_one()
            tx.execute(sa.update(table).where(table.c.key_id == ed.key_id.hex()).values({column: value}))
        assert "cosignature" in {fault.code for fault in a.ledger.verify().faults}
        with a.sql.begin() as tx:
            tx.execute(sa.update(table).where(table.c.key_id == ed.key_id.hex()).values({column: was}))
    assert a.ledger.verify().faults == ()


def test_whom_we_ask_is_remembered_and_what_cannot_be_asked_is_refused(a: Desk) -> None:
    asking, key = a.ledger.asking, cosigner("w")
    for url in ("", "ftp://b.example", "https://u:p@b.example/", "https://b.example/?x"):
        with pytest.raises(Invalid):
            asking.ask(url, [key], by=OWNER)
    for keys in ([], list(a.ledger.verifier_keys()), [cosigner(str(i)) for i in range(5)]):
        with pytest.raises(Invalid):
            asking.ask(URL, keys, by=OWNER)
    assert a.ledger.count() == 0

    asking.ask(f"{URL}/", [key], by=OWNER)
    for url in (URL, "http://c.example/witness"):
        with pytest.raises(Conflict):
            asking.ask(url, [key], by=OWNER)
    asking.drop(URL, reason="closed", by=OWNER)
    with pytest.raises(NotFound):
        asking.drop(URL, reason="closed", by=OWNER)
    assert asking.witnesses() == []
    assert [entry.kind for entry in a.ledger.entries()] == [WitnessDropped.kind, WitnessAsked.kind]


def test_what_a_witness_cosigned_stays_when_it_is_dropped(a: Desk, b: Desk) -> None:
    meet(a, b)
    a.ledger.advance()
    a.ledger.asking.collect()

    a.ledger.asking.drop(URL, reason="closed", by=OWNER)

    assert cosigned_sizes(a) == [1]
    assert a.ledger.verify().faults == ()


def test_a_forged_an_old_and_a_split_checkpoint_are_each_caught(a: Desk, b: Desk, net: Net, tmp_path: Path) -> None:
    """The operator of A rewrites its history: witness and monitor each notice, and so does A's own log."""
    meet(a, b)
    a.note("x", "y", "z")
    a.ledger.advance()
    a.ledger.asking.collect()
    keys = a.ledger.verifier_keys()
    monitor = Monitor("http://a.example/log", keys, tmp_path / "kept.note", new_client=net.client)
    assert [each.sight for each in monitor.look()] == [Sight.FIRST]
    honest = (a.folder / "checkpoint").read_text("utf-8")

    forged = honest.replace("\n4\n", "\n3\n", 1)
    (a.folder / "checkpoint").write_text(forged, "utf-8")
    assert [each.sight for each in monitor.look()] == [Sight.FORGED]

    fork = OtherLog(a.ledger.origin, "other", "history", "of", "four")
    fork._signer = a.keys.current()
    fork.publish(a.folder, 4)
    (split,) = monitor.look()
    assert split.sight is Sight.SPLIT
    with pytest.raises(Invalid):
        b.ledger.witnessing.add_checkpoint(fork.submission(4, 4))
    hashed = sha256(a.ledger.origin.encode()).hexdigest()
    seen_by_b = f"http://b.example/witness/{hashed}/checkpoint"
    fresh = Monitor("http://a.example/log", keys, tmp_path / "fresh.note", new_client=net.client)
    assert [each.sight for each in fresh.look([seen_by_b])] == [Sight.FIRST, Sight.SPLIT]

    old = OtherLog(a.ledger.origin, "other")
    old._signer = a.keys.current()
    old.publish(a.folder, 1)
    assert [each.sight for each in monitor.look()] == [Sight.OLDER]
    evidence = tmp_path / monitor.evidence_file(split).name
    told = run(a.ledger, "check-contradiction", str(evidence), "--key", str(keys[-1]))
    assert told.exit_code == 0
    assert told.data["proven"]["new_size"] == 4


def test_the_commands_say_in_both_languages_what_they_did(a: Desk, b: Desk, tmp_path: Path) -> None:
    key_file = tmp_path / "b.keys"
    key_file.write_text(run(b.ledger, "witness", "key").says.en + "\n")
    assert "none yet" in run(a.ledger, "witness", "list").says.en
    refused = run(a.ledger, "witness", "ask", URL, "--key", str(key_file))
    assert (refused.exit_code, refused.data["trouble"]["en"]) == (3, "It does not witness this log (404).")

    added = run(b.ledger, "witness", "add", a.ledger.origin, "--key", str(a.ledger.verifier_keys()[0]))
    a.ledger.asking.collect()
    listed, watched = run(a.ledger, "witness", "list"), run(b.ledger, "witness", "list")

    assert added.data["origin"] == a.ledger.origin
    assert listed.data["witnesses"][0]["size"] == 1
    assert "it has cosigned to 1" in listed.says.en
    assert "已联署至 1" in listed.says.zh
    assert watched.data["watched"][0]["size"] == 1
    assert run(a.ledger, "witness", "drop", URL, "--reason", "over").exit_code == 0
    assert run(b.ledger, "witness", "remove", a.ledger.origin, "--reason", "over").exit_code == 0


def test_the_monitor_command_exits_with_what_it_saw(a: Desk, tmp_path: Path) -> None:
    log = OtherLog("other.example/log", *map(str, range(9)))
    fork = OtherLog(log.origin, "x", *map(str, range(1, 9)))
    place, state = tmp_path / "other", tmp_path / "kept.note"

    def look(*more: str) -> Answer:
        words = ("monitor", str(place), "--key", str(log.key), "--state", str(state), *more)
        return run(a.ledger, *words)

    assert look("--once").exit_code == 3
    log.publish(place, 3)
    seen = look("--once")
    assert (seen.exit_code, seen.data[0]["sight"]) == (0, "first_seen")
    theirs = tmp_path / "theirs.note"
    theirs.write_text(fork.note(3))
    split = look("--once", "--also", str(theirs))
    assert (split.exit_code, [each["sight"] for each in split.data]) == (1, ["same", "split_view"])
    assert Path(split.data[1]["evidence"]).exists()
    assert "split view" in split.says.en
    assert "分裂视图" in split.says.zh
    fork.publish(place, 5)
    assert look().exit_code == 1, "without --once it ends as soon as something is wrong"


def test_published_checkpoints_of_old_stay_whole_when_nobody_witnesses(a: Desk) -> None:
    a.note("x")
    last = a.ledger.advance()

    assert last
    assert (a.folder / "checkpoint").read_text() == last.note == a.ledger.checkpoint().note  # type: ignore[union-attr]
    with a.sql.read() as tx:
        assert store.notes(tx) == [(1, last.note)]
