"""Several workers obey one order: in force when the last has confirmed it, the same for all, whoever is killed."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import pytest

from safebelt.engines.clock import real_ids, wall_clock
from safebelt.rooms.belt.control.crew import Crew
from safebelt.rooms.belt.control.numbers import Numbers
from safebelt.rooms.belt.control.orders import OrderBox, id_of_file
from safebelt.rooms.belt.control.switch import Switch
from safebelt.rooms.belt.control.watchdog import Watchdog
from safebelt.rooms.belt.control.watcher import Watcher
from safebelt.rooms.belt.model import Command, Order

NEW_ID = real_ids()


def order(command: Command, system_id: str = "") -> Order:
    return Order(
        id=NEW_ID("ord"), command=command, system_id=system_id, at=wall_clock(), by="usr_1", reason="for a test"
    )


class Hand:
    """One worker's obeying side, and a process of its own that stands for it."""

    def __init__(self, folder: Path, number: int, loop: asyncio.AbstractEventLoop) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        self.box, self.number = OrderBox(folder), number
        self.crew = Crew(self.box)
        self.page = self.crew.page(number)
        self.page.clear()
        self.page.enter(self.process.pid)
        state = self.box.state()
        self.switch = Switch(state.orders, state.numbers)
        self.watcher = Watcher(
            box=self.box,
            switch=self.switch,
            clock=wall_clock,
            new_id=NEW_ID,
            loop=loop,
            heartbeat=self.page,
            complain=lambda _text: None,
            crew=self.crew,
            worker=number,
        )

    @property
    def command(self) -> Command:
        return self.switch.in_force("any").command

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def hands(tmp_path: Path) -> Iterator[list[Hand]]:
    with _hands(tmp_path / "belt", 3) as found:
        yield found


@contextmanager
def _hands(folder: Path, count: int) -> Iterator[list[Hand]]:
    loop = asyncio.new_event_loop()
    runner = threading.Thread(target=loop.run_forever, daemon=True)
    runner.start()
    found = [Hand(folder, number, loop) for number in range(1, count + 1)]
    try:
        yield found
    finally:
        for hand in found:
            hand.kill()
        loop.call_soon_threadsafe(loop.stop)
        runner.join()
        loop.close()


def test_an_order_is_in_effect_when_every_worker_has_confirmed_it_and_not_before(hands: list[Hand]) -> None:
    box, given = hands[0].box, order(Command.CUT)
    box.give(given)

    for hand in hands[:2]:
        hand.watcher.look()
    owing = hands[0].crew.owing(box.waiting())
    early = box.proof(given.id)
    hands[2].watcher.look()

    assert early is None and owing == {1: (), 2: (), 3: (given.id,)}
    proof = box.proof(given.id)
    assert proof is not None and (proof.streams_cut, proof.killed_by_supervisor) == (0, False)
    assert {hand.command for hand in hands} == {Command.CUT}
    assert box.waiting() == [] and box.unsettled() == []


def test_a_worker_that_is_killed_keeps_nobody_waiting_and_obeys_when_it_is_back(hands: list[Hand]) -> None:
    box, given = hands[0].box, order(Command.CUT)
    box.give(given)
    for hand in hands[:2]:
        hand.watcher.look()
    assert box.proof(given.id) is None

    hands[2].kill()
    hands[0].watcher.look()

    assert box.proof(given.id) is not None
    assert Switch(box.state().orders).in_force("any").command is Command.CUT


def test_a_wedged_worker_is_given_up_alone_and_the_proof_says_so(hands: list[Hand]) -> None:
    box = hands[0].box
    dogs = [
        Watchdog(box=box, heartbeat=hand.page, clock=wall_clock, crew=hand.crew, worker=hand.number) for hand in hands
    ]
    for hand, dog in zip(hands, dogs, strict=True):
        pid = hand.process.pid
        dog.watch(pid)  # which takes the page for a new worker's
        hand.page.enter(pid)
        hand.watcher.look()
    given = order(Command.CUT)
    box.give(given)
    deadline, said = time.monotonic() + 20, ["", "", ""]

    while time.monotonic() < deadline and not said[2]:  # the third stands still
        for hand in hands[:2]:
            hand.watcher.look()
        said = [dog.watch(hand.process.pid) for hand, dog in zip(hands, dogs, strict=True)]
        time.sleep(0.02)
    hands[2].kill()
    dogs[2].on_killed(hands[2].process.pid)

    assert said[:2] == ["", ""] and "within" in said[2]
    proof = box.proof(given.id)
    assert proof is not None and proof.killed_by_supervisor and proof.streams_cut == -1


def test_all_workers_take_the_stop_file_for_one_and_the_same_order(hands: list[Hand]) -> None:
    box = hands[0].box
    box.stop_file.write_text("cut\n")
    for _ in range(2):
        for hand in hands:
            hand.watcher.look()

    proofs = box.proofs()

    assert len(proofs) == 1 and proofs[0].order.by == "file"
    assert {hand.command for hand in hands} == {Command.CUT} and box.waiting() == []
    before = id_of_file(box.stop_file_identity(), wall_clock())
    time.sleep(0.02)
    box.stop_file.write_text("pause\n")
    assert id_of_file(box.stop_file_identity(), wall_clock()) != before  # negative control: written again, a new one


def test_what_the_stop_file_said_before_is_not_obeyed_by_who_has_read_what_it_says_now(hands: list[Hand]) -> None:
    box = hands[0].box
    box.stop_file.write_text("cut\n")
    hands[0].watcher.look()
    time.sleep(0.02)
    box.stop_file.write_text("run\n")

    hands[1].watcher.look()  # reads the file, and finds in the box what it said before

    assert [each.command for each in box.waiting()] == [Command.CUT, Command.RUN]
    assert hands[1].command is Command.RUN
    for _ in range(2):
        for hand in hands:
            hand.watcher.look()
    assert {hand.command for hand in hands} == {Command.RUN} and box.waiting() == []
    assert {proof.order.command for proof in box.proofs()} == {Command.CUT, Command.RUN}


def test_an_order_by_hand_is_not_taken_for_an_earlier_text_of_the_stop_file(hands: list[Hand]) -> None:
    """Negative control of the test above."""
    box, cut = hands[0].box, order(Command.CUT)
    box.stop_file.write_text("run\n")
    hands[1].watcher.look()
    box.give(cut)
    hands[1].watcher.look()

    assert hands[1].command is Command.CUT


def test_a_signal_is_obeyed_though_the_stop_file_claims_to_be_younger(hands: list[Hand]) -> None:
    box = hands[0].box
    box.stop_file.write_text("run\n")
    os.utime(box.stop_file, (time.time() + 3600, time.time() + 3600))
    hands[0].watcher.look()
    hands[1].watcher.look()

    hands[1].watcher.order(Command.CUT, "file", "SIGUSR1")
    for hand in (hands[1], hands[0]):
        hand.watcher.look()

    assert {hands[0].command, hands[1].command} == {Command.CUT}


def test_opposite_orders_end_the_same_for_all_in_whatever_order_workers_see_them(hands: list[Hand]) -> None:
    box, cut, run = hands[0].box, order(Command.CUT), order(Command.RUN)
    box.give(cut)
    hands[0].watcher.look()
    box.give(run)
    waiting = box.waiting()
    hands[1].watcher.look()
    for late in reversed(waiting):  # as a listing might have them that was taken between the two
        hands[2].watcher.carry_out(late)
    for hand in hands:
        hand.watcher.look()

    assert [each.id for each in waiting] == [cut.id, run.id]
    assert {hand.command for hand in hands} == {Command.RUN}
    assert Switch(box.state().orders).in_force("any").command is Command.RUN


def test_without_numbers_the_last_seen_would_hold() -> None:
    """Negative control of the test above."""
    switch = Switch()
    switch.apply(Command.RUN, "", "ord_2")
    switch.apply(Command.CUT, "", "ord_1")

    assert switch.in_force("any").command is Command.CUT


def test_a_system_signal_to_one_worker_stops_all(hands: list[Hand]) -> None:
    hands[1].watcher.order(Command.CUT, "file", "SIGUSR1")
    for _ in range(2):
        for hand in (hands[1], hands[0], hands[2]):
            hand.watcher.look()

    assert {hand.command for hand in hands} == {Command.CUT}
    assert len(hands[0].box.proofs()) == 1 and hands[0].box.waiting() == []


def _take(path: str, count: int) -> list[int]:
    found = []
    for _ in range(count):
        with Numbers(Path(path)).next() as number:
            found.append(number)
    return found


def test_no_number_is_given_twice_by_whoever_gives_them(tmp_path: Path) -> None:
    with get_context("spawn").Pool(3) as pool:
        taken = pool.starmap(_take, [(str(tmp_path / "numbers"), 60)] * 3)

    numbers = [number for each in taken for number in each]
    assert len(set(numbers)) == 180 and all(each == sorted(each) for each in taken)


def test_a_lone_worker_proves_at_once_and_leaves_no_confirmations(tmp_path: Path) -> None:
    with _hands(tmp_path / "belt", 1) as (hand,):
        given = order(Command.PAUSE)
        hand.box.give(given)
        hand.watcher.look()

        assert hand.box.proof(given.id) is not None and hand.box.unsettled() == []
