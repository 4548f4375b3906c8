"""Two machines and a bus: one order stops both; without the bus both stop by themselves; nothing false is obeyed.

Each node is a network namespace with a belt of its own, where this system can make one (`nodes.Net`).
"""

import base64
import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.nodes import HANG_SECONDS, Bus, Lines, Net, Node, net_of

from safebelt.engines.clock import real_chance, real_ids, wall_clock
from safebelt.engines.signing import KeyStore, sign_note
from safebelt.rooms.belt.control.orders import OrderBox
from safebelt.rooms.belt.control.standing import Standing, subject_of, text_of
from safebelt.rooms.belt.model import Command, Order

LEASE_SECONDS = 3.0
STREAMS = 8
COMMANDS = "commands.example/log"
LATE_SECONDS = 2.0
"""What a busy machine may add to a lease."""
SILENT_SECONDS = 1.0
"""Who is not held has an answer by then: it takes some hundredths."""


class Two:
    """The commanding house and one that obeys it, each with its belt, its upstream, and somebody who asks."""

    def __init__(self, net: Net, folder: Path, bus: Bus) -> None:
        self.net, self.bus = net, bus
        self.first = self._node(folder, "first", log_origin=COMMANDS)
        key = self.first.run("ledger", "key", "--format", "json")
        assert key.returncode == 0, key.stderr
        keys = folder / "commanding.keys"
        keys.write_text(self.first.run("ledger", "key").stdout)
        self.second = self._node(folder, "second", log_origin="obeys.example/log", command_keys=str(keys))
        self.asking = {}
        for node in self.both:
            self.work(node)

    def _node(self, folder: Path, name: str, **settings: str) -> Node:
        (folder / name).mkdir()
        bus = {"bus": self.bus.url, "lease_seconds": str(LEASE_SECONDS)}
        node = Node(self.net, name, folder, **bus, **settings)
        upstream = Lines(node.talk("tests.journeys.streams", "upstream", "7")).hear()
        node.env["SAFEBELT_UPSTREAM"] = f"http://127.0.0.1:{upstream}/v1"
        if name == "first":  # the other does not know that version
            earlier = {"v1": {"upstream": node.env["SAFEBELT_UPSTREAM"]}}
            node.env["SAFEBELT_EARLIER_VERSIONS"] = json.dumps(earlier)
        prepared = node.run("demo")
        assert prepared.returncode == 0, prepared.stderr
        return node

    @property
    def both(self) -> tuple[Node, Node]:
        return self.first, self.second

    def work(self, node: Node) -> None:
        node.belts = [node.start("serve", "belt"), node.start("serve", "orders")]  # type: ignore[attr-defined]
        self.asking[node.name] = Lines(node.talk("tests.journeys.nodes", "ask", str(node.belt_port), node.key))

    def ask(self, node: Node) -> tuple[int, str]:
        said = self.asking[node.name].ask()
        return said["status"], said["code"]

    def heard_again(self, node: Node, since: float) -> None:
        """Wait until the workers of a node have taken back what the lease stopped."""

        def is_it(proof: Any) -> bool:
            order = proof.order
            return order.by == "lease" and order.command is Command.RUN and proof.effective_at.timestamp() > since

        _proof(node, is_it)

    def until(self, node: Node, status: int, code: str = "", seconds: float = HANG_SECONDS) -> float:
        """Wait until a new request is answered so; return when that was."""
        deadline, said = time.monotonic() + seconds, (0, "")
        while time.monotonic() < deadline:
            said = self.ask(node)
            if said[0] == status and code in said[1]:
                return time.time()
            time.sleep(0.05)
        raise AssertionError(f"{node.name} says {said}, not {status} {code}")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    folder = tmp_path_factory.mktemp("bus")
    with net_of("first", "second") as net:
        bus = Bus(net, folder)
        bus.start()
        found = Two(net, folder, bus)
        try:
            for node in found.both:
                found.until(node, 200)
            yield found
        finally:
            for node in found.both:
                node.end()
            bus.kill()


@contextlib.contextmanager
def _streams(two: Two) -> Iterator[dict[str, Lines]]:
    """Have callers read endless answers at both nodes."""
    found = {}
    for node in two.both:
        module = ("tests.journeys.streams", "callers", str(node.belt_port), node.key, str(STREAMS), "FOREVER")
        found[node.name] = Lines(node.talk(*module))
    for lines in found.values():
        assert lines.hear()["statuses"] == ["200"]
    yield found


def _proof(node: Node, is_it: Callable[[Any], bool]) -> Any:
    box, deadline = OrderBox(node.folder / "belt"), time.monotonic() + HANG_SECONDS
    while time.monotonic() < deadline:
        if found := [proof for proof in box.proofs() if is_it(proof)]:
            return found[-1]
        time.sleep(0.02)
    raise AssertionError("no proof came")


@contextlib.contextmanager
def _held(two: Two) -> Iterator[dict[str, Lines]]:
    """Have a pause given on the first node hold a request at each; its answer is the next line that is heard."""
    waiting = {}
    for node in two.both:
        waiting[node.name] = Lines(node.talk("tests.journeys.nodes", "ask", str(node.belt_port), node.key))
        assert waiting[node.name].ask()["status"] == 200  # the control, and from here on it asks at once
    given = _order(two, "pause", "--hold", "--hold-seconds", "100", "--reason", "wait for it")
    for node in two.both:
        _proof(node, lambda proof: proof.order.id == given["order"])
    _say_to(waiting)
    assert all(lines.is_silent(SILENT_SECONDS) for lines in waiting.values())
    yield waiting


def _say_to(asking: dict[str, Lines]) -> None:
    for lines in asking.values():
        lines.say("")


def _order(two: Two, *words: str) -> dict[str, Any]:
    said: dict[str, Any] = two.first.json("belt", *words)
    return said


def _refused(node: Node, why: str) -> int:
    """Wait until the ledger of a node knows of such a message; return how many entries there are."""
    deadline = time.monotonic() + HANG_SECONDS
    while time.monotonic() < deadline:
        said = node.json("ledger", "list", "--kind", "belt.order_refused.v1")
        entries = said["entries"] if isinstance(said, dict) else said
        if found := [entry for entry in entries if why in str(entry)]:
            return len(found)
        time.sleep(0.3)
    raise AssertionError(f"the ledger has no word of a message that was {why}")


def test_a_limit_goes_over_the_bus_and_each_machine_counts_for_itself(two: Two) -> None:
    given = _order(two, "limit", "--per-minute", "2", "--reason", "overload")
    for node in two.both:
        _proof(node, lambda proof: proof.order.id == given["order"])
    bound = {node.name: [two.ask(node) for _ in range(3)] for node in two.both}
    two.second.json("belt", "unlimit", "--reason", "of its own")
    still = two.ask(two.second)
    _order(two, "unlimit", "--reason", "over")

    passed, beyond = (200, ""), (429, "limited_by_human")
    assert bound == {node.name: [passed, passed, beyond] for node in two.both} and still == beyond
    for node in two.both:
        two.until(node, 200)


def test_a_roll_back_goes_over_the_bus_and_who_does_not_know_the_version_asks_nobody(two: Two) -> None:
    given = _order(two, "roll-back", "--to", "v1", "--reason", "wrong answers")
    for node in two.both:
        _proof(node, lambda proof: proof.order.id == given["order"])
    seen = [two.ask(node) for node in two.both]
    _order(two, "roll-forward", "--reason", "corrected")

    assert seen == [(200, ""), (503, "unknown_version")]
    two.until(two.second, 200)


def test_one_order_stops_both_nodes_and_only_the_commanding_house_lifts_it(two: Two) -> None:
    with _streams(two) as streams:
        given = _order(two, "stop", "--reason", "both")
        ended = {name: lines.hear() for name, lines in streams.items()}
    here = _proof(two.first, lambda proof: proof.order.id == given["order"])
    there = _proof(two.second, lambda proof: proof.order.id == given["order"])
    seen = [two.ask(node) for node in two.both]
    two.second.json("belt", "resume", "--reason", "of its own")
    still = two.ask(two.second)
    _order(two, "resume", "--reason", "seen")

    assert (here.streams_cut, there.streams_cut, there.bytes_after) == (STREAMS, STREAMS, 0)
    assert (there.order.by, here.order.by != "bus") == ("bus", True)
    assert seen == [(503, "stopped_by_human")] * 2 and still[0] == 503
    assert ended["second"]["last_byte"] <= there.effective_at.timestamp() + LATE_SECONDS
    assert (there.effective_at - there.order.at).total_seconds() < 1 + LATE_SECONDS
    for node in two.both:
        two.until(node, 200)


def test_a_node_that_was_away_obeys_what_stands_when_it_is_back(two: Two) -> None:
    for process in two.second.belts:  # type: ignore[attr-defined]
        process.kill()
        process.wait()
    _order(two, "stop", "--reason", "while it was away")

    two.work(two.second)

    two.until(two.second, 503, "stopped_by_human")
    _order(two, "resume", "--reason", "seen")
    two.until(two.second, 200)


def test_forged_replayed_and_old_messages_are_ignored_and_remembered(two: Two, tmp_path: Path) -> None:
    tap = Lines(two.second.talk("tests.journeys.nodes", "tap", two.bus.url))
    running = tap.hear()  # a true message, from before the stop: it says that all may run
    _order(two, "stop", "--reason", "hold")
    two.until(two.second, 503)
    stopped = tap.hear()

    tap.say(f"{running['subject']} {running['data']}")
    assert _refused(two.second, "old") == 1
    tap.say(f"{stopped['subject']} {stopped['data']}")
    tap.say(f"{subject_of(COMMANDS)} {_forged(tmp_path)}")
    tap.say(f"{subject_of(COMMANDS)} {base64.b64encode(bytes(range(256))).decode()}")
    assert _refused(two.second, "forged") == 1 and _refused(two.second, "garbled") == 1

    assert two.ask(two.second)[0] == 503  # the control: a true word lifts it
    _order(two, "resume", "--reason", "seen")
    two.until(two.second, 200)


def _forged(folder: Path) -> str:
    """Return a message in the commanding house's name that lifts every order, signed by somebody else of that name."""
    run = Order(id=real_ids()("ord"), command=Command.RUN, system_id="", at=wall_clock(), by="usr_1", reason="let go")
    text = text_of(COMMANDS, 2**50, Standing(at=wall_clock(), orders=(run,)))
    note = sign_note(text, KeyStore(folder / "forger.key", name=COMMANDS, chance=real_chance).current())
    return base64.b64encode(note.encode()).decode()


def test_without_the_bus_both_stop_by_themselves_within_the_lease_and_go_on_when_it_is_back(two: Two) -> None:
    with _streams(two) as streams:
        killed = time.time()
        two.bus.kill()
        ended = {name: lines.hear()["last_byte"] for name, lines in streams.items()}
    closed = [two.until(node, 503, "stopped_by_lease") for node in two.both]
    proofs = [
        _proof(node, lambda proof: proof.order.by == "lease" and proof.streams_cut == STREAMS) for node in two.both
    ]
    says = two.second.json("belt", "state")

    assert all(last - killed <= LEASE_SECONDS + LATE_SECONDS for last in ended.values()), ended
    assert all(proof.effective_at.timestamp() - killed <= LEASE_SECONDS + LATE_SECONDS for proof in proofs)
    assert all(proof.bytes_after == 0 for proof in proofs) and len(closed) == 2
    assert says["bus"]["lapsed"] is True and says["all"]["command"] == "cut"
    two.bus.start()
    for node in two.both:
        two.until(node, 200)
    assert two.second.json("belt", "state")["bus"]["lapsed"] is False


def test_a_node_whose_cable_is_pulled_stops_alone_and_learns_what_was_ordered_meanwhile(two: Two) -> None:
    if not two.net.is_real:
        pytest.skip("no network namespaces here: a cable cannot be pulled")
    two.net.plug("second", is_in=False)

    two.until(two.second, 503, "stopped_by_lease")
    alone = two.ask(two.first)
    _order(two, "stop", "--reason", "while the cable was out")
    two.net.plug("second", is_in=True)

    assert alone == (200, "")
    two.until(two.second, 503, "stopped_by_human")
    _order(two, "resume", "--reason", "seen")
    two.until(two.second, 200)


def test_one_pause_lets_new_requests_wait_at_both_nodes_and_a_run_lets_both_go(two: Two) -> None:
    with _held(two) as waiting:
        two.second.json("belt", "resume", "--reason", "of its own")
        still = [lines.is_silent(SILENT_SECONDS) for lines in waiting.values()]
        resumed = time.time()
        _order(two, "resume", "--reason", "over")
        said = [lines.hear() for lines in waiting.values()]

    assert still == [True, True], "the node that obeys cannot let its own go"
    assert [each["status"] for each in said] == [200, 200]
    assert all(each["at"] > resumed for each in said)


def test_who_waits_when_the_bus_is_killed_is_cut_by_the_lease_and_the_pause_holds_when_it_is_back(two: Two) -> None:
    with _held(two) as waiting:
        killed = time.time()
        two.bus.kill()
        ended = [lines.hear() for lines in waiting.values()]
        closed = [two.ask(node) for node in two.both]
        _order(two, "resume", "--reason", "while the bus is away")
        alone = [two.ask(node) for node in two.both]
        _order(two, "pause", "--hold", "--hold-seconds", "100", "--reason", "wait on")
        two.bus.start()
        for node in two.both:
            two.heard_again(node, killed)
        _say_to(waiting)
        still = [lines.is_silent(SILENT_SECONDS) for lines in waiting.values()]
        _order(two, "resume", "--reason", "over")
        said = [lines.hear() for lines in waiting.values()]

    assert [each["status"] for each in ended] == [0, 0], "nobody who waited was let through, or told to go on"
    assert all(each["at"] - killed <= LEASE_SECONDS + LATE_SECONDS for each in ended)
    assert closed == alone == [(503, "stopped_by_lease")] * 2
    assert still == [True, True] and [each["status"] for each in said] == [200, 200]
