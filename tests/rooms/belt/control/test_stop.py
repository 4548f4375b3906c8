"""A person can stop any system at any moment, and the stop is proven."""

import asyncio
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safebelt.engines.clock import real_ids, wall_clock
from safebelt.kernel.errors import Invalid
from safebelt.rooms.belt.control.heartbeat import WATCHER, Heartbeat
from safebelt.rooms.belt.control.in_force import InForce
from safebelt.rooms.belt.control.line import Stopped
from safebelt.rooms.belt.control.orders import OrderBox, State, parse_stop_line
from safebelt.rooms.belt.control.switch import Switch
from safebelt.rooms.belt.control.watchdog import Watchdog
from safebelt.rooms.belt.control.watcher import Watcher
from safebelt.rooms.belt.model import Command, Order
from safebelt.rooms.belt.proxy.limits import Limits
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.server import ClientConnection
from safebelt.rooms.belt.proxy.wire import Request

NEW_ID = real_ids()


def order(command: Command, system_id: str = "") -> Order:
    return Order(id=NEW_ID("ord"), command=command, system_id=system_id, at=wall_clock(), by="usr_1", reason="test")


class Bench:
    """A small belt: a server that streams for ever, a switch, a watcher."""

    def __init__(self, home: Path) -> None:
        self.box = OrderBox(home / "belt")
        self.switch = Switch(self.box.state().orders)
        self.heartbeat = Heartbeat(home / "belt" / "pulse")
        self.complaints: list[str] = []
        self.stopped = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def stream(self, request: Request, reply: Reply) -> None:
        system = request.path.strip("/")
        with self.switch.line(system) as line:
            if line.order is not Command.RUN:
                await reply.whole(503, (), b"stopped")
                return
            reply.open_line(line)
            try:
                await reply.begin(200, ())
                while True:
                    await reply.write(b"tick ")
                    await asyncio.sleep(0.001)
            except (Stopped, asyncio.CancelledError):
                self.stopped += 1
                raise

    async def __aenter__(self) -> "Bench":
        loop = asyncio.get_running_loop()
        self.watcher = Watcher(
            box=self.box,
            switch=self.switch,
            clock=wall_clock,
            new_id=NEW_ID,
            loop=loop,
            heartbeat=self.heartbeat,
            complain=self.complaints.append,
        )
        self.watcher.start()
        self.connections: set[ClientConnection] = set()
        self.server = await loop.create_server(
            lambda: ClientConnection(self.stream, Limits(), self.connections), "127.0.0.1", 0
        )
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.watcher.stop()
        for writer in self.writers:
            writer.close()
        self.server.close()
        for connection in list(self.connections):
            connection.abort()
        await asyncio.sleep(0.05)

    async def ask(self, system: str) -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        writer.write(f"GET /{system} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return reader

    async def open(self, system: str = "sys_a") -> asyncio.StreamReader:
        reader = await self.ask(system)
        await reader.readuntil(b"tick")
        return reader

    async def proof(self, order_id: str, seconds: float = 2.0):
        for _ in range(int(seconds / 0.01)):
            if proof := self.box.proof(order_id):
                return proof
            await asyncio.sleep(0.01)
        raise AssertionError("no proof")


async def drain(reader: asyncio.StreamReader) -> int:
    total = 0
    try:
        while data := await reader.read(65536):
            total += len(data)
    except ConnectionError:
        pass
    return total


def test_cut_ends_fifty_streams_and_refuses_new_work(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Bench(tmp_path) as bench:
            streams = [await bench.open() for _ in range(50)]
            given_order = order(Command.CUT)
            bench.box.give(given_order)
            proof = await bench.proof(given_order.id)
            leftovers = await asyncio.wait_for(asyncio.gather(*(drain(reader) for reader in streams)), 20)
            refusal = await (await bench.ask("sys_a")).read(300)

            assert (proof.streams_cut, proof.bytes_after) == (50, 0)
            assert (proof.effective_at - proof.seen_at).total_seconds() < 3
            assert b"503" in refusal and len(leftovers) == 50 and bench.switch.running() == 0
            assert bench.stopped == 50

    asyncio.run(scenario())


def test_the_stop_file_works_while_the_event_loop_is_busy(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Bench(tmp_path) as bench:
            streams = [await bench.open() for _ in range(5)]

            def write_soon() -> None:
                time.sleep(0.1)
                (tmp_path / "belt" / "stop").write_text("cut\n")

            threading.Thread(target=write_soon).start()
            busy_until = time.monotonic() + 0.8
            while time.monotonic() < busy_until:  # the event loop does nothing else meanwhile
                pass
            proof = bench.box.proofs()[-1]
            received = [await drain(reader) for reader in streams]

            assert (proof.streams_cut, proof.bytes_after, proof.order.by) == (5, 0, "file")
            assert (proof.effective_at - proof.order.at).total_seconds() < 3
            assert all(count < 20_000 for count in received)

    asyncio.run(scenario())


def test_a_stop_file_caught_between_creation_and_writing_is_obeyed_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Bench(tmp_path) as bench:
            await bench.open()
            stop_file, read = tmp_path / "belt" / "stop", bench.box.stop_line

            def read_after_the_shell_wrote() -> str:
                if not stop_file.read_text():
                    stop_file.write_text("cut\n")
                return read()

            bench.box.stop_line = read_after_the_shell_wrote  # type: ignore[method-assign]
            stop_file.touch()
            await asyncio.sleep(0.3)
            assert [proof.streams_cut for proof in bench.box.proofs()] == [1]

    asyncio.run(scenario())


def test_a_cut_discards_what_a_slow_reader_has_not_read(tmp_path: Path) -> None:
    async def scenario() -> int:
        async with Bench(tmp_path) as bench:
            reader = await bench.open()
            connection = next(iter(bench.connections))
            connection.transport.pause_reading()
            for _ in range(200):
                connection.write(b"x" * 100_000)
            given_order = order(Command.CUT, "sys_a")
            bench.box.give(given_order)
            await bench.proof(given_order.id)
            return await drain(reader)

    assert asyncio.run(scenario()) < 20_000_000 / 2


def test_pause_holds_a_stream_and_run_lets_it_go_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Bench(tmp_path) as bench:
            reader = await bench.open()
            pause = order(Command.PAUSE, "sys_a")
            bench.box.give(pause)
            proof = await bench.proof(pause.id)
            await asyncio.sleep(0.05)
            while True:
                try:
                    await asyncio.wait_for(reader.read(65536), 0.1)
                except TimeoutError:
                    break
            go_on = order(Command.RUN, "sys_a")
            bench.box.give(go_on)
            await bench.proof(go_on.id)

            assert (proof.streams_held, proof.bytes_after) == (1, 0)
            assert await asyncio.wait_for(reader.read(10), 10)

    asyncio.run(scenario())


def test_drain_lets_running_work_end_and_refuses_new(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Bench(tmp_path) as bench:
            reader = await bench.open()
            drain_order = order(Command.DRAIN)
            bench.box.give(drain_order)
            await bench.proof(drain_order.id)

            assert await asyncio.wait_for(reader.read(10), 10)
            assert b"503" in await (await bench.ask("sys_b")).read(200)

    asyncio.run(scenario())


def test_an_order_for_one_system_leaves_the_others_alone(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Bench(tmp_path) as bench:
            mine = await bench.open("sys_a")
            other = await bench.open("sys_b")
            cut = order(Command.CUT, "sys_a")
            bench.box.give(cut)
            proof = await bench.proof(cut.id)
            await asyncio.wait_for(drain(mine), 10)

            assert proof.streams_cut == 1
            assert await asyncio.wait_for(other.read(10), 10)

    asyncio.run(scenario())


def test_a_gate_that_leaks_is_seen_in_the_proof() -> None:
    """Negative control: bytes that get round the gate are counted."""

    class Client:
        sent, socket, is_closing = 0, None, False

        def write(self, data: bytes) -> None:
            self.sent += len(data)

        def abort(self) -> None:
            pass

    async def scenario() -> tuple[int, int]:
        switch, client = Switch(), Client()
        with switch.line("s") as line:
            line.attach(client)
            await line.send(b"before")
            switch.apply(Command.CUT, "s", "ord_1")
            tight = line.bytes_after()
            client.write(b"leak")
            with pytest.raises(Stopped):
                await line.send(b"after")
            return tight, line.bytes_after()

    assert asyncio.run(scenario()) == (0, 4)


def test_what_nobody_can_understand_pauses_and_complains(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Bench(tmp_path) as bench:
            (tmp_path / "belt" / "stop").write_text("STOP EVERYTHING NOW please!!\n")
            await asyncio.sleep(0.15)

            assert bench.switch.in_force("any").command is Command.PAUSE
            assert "stop file" in bench.complaints[0]

    asyncio.run(scenario())


def test_a_restart_stays_stopped_and_an_old_stop_file_is_not_obeyed_twice(tmp_path: Path) -> None:
    async def first() -> None:
        async with Bench(tmp_path) as bench:
            (tmp_path / "belt" / "stop").write_text("cut\n")
            await asyncio.sleep(0.15)
            assert bench.switch.in_force("x").command is Command.CUT

    async def second() -> None:
        async with Bench(tmp_path) as bench:
            assert bench.switch.in_force("x").command is Command.CUT
            run = order(Command.RUN)
            bench.box.give(run)
            await bench.proof(run.id)

    async def third() -> Command:
        async with Bench(tmp_path) as bench:
            await asyncio.sleep(0.1)
            return bench.switch.in_force("x").command

    asyncio.run(first())
    asyncio.run(second())
    assert asyncio.run(third()) is Command.RUN


def test_an_unreadable_state_means_cut_never_run(tmp_path: Path) -> None:
    box = OrderBox(tmp_path)
    box.keep(State(orders={}))
    (tmp_path / "state.json").write_text("{broken")

    assert Switch(box.state().orders).in_force("any").command is Command.CUT


def test_the_watchdog_gives_up_on_a_worker_that_does_not_obey(tmp_path: Path) -> None:
    box, heartbeat = OrderBox(tmp_path), Heartbeat(tmp_path / "pulse")
    dog = Watchdog(box=box, heartbeat=heartbeat, clock=wall_clock)
    cut = order(Command.CUT, "sys_a")

    assert dog.watch(1) == ""
    heartbeat.beat(WATCHER)
    box.give(cut)
    box.stop_file.write_text("drain sys_b")
    assert dog.watch(1) == ""
    time.sleep(0.9)
    assert "within" in dog.watch(1)
    dog.on_killed(1)

    orders = box.state().orders
    assert (orders["sys_a"].command, orders["sys_b"].command) == (Command.CUT, Command.DRAIN)
    assert all(proof.killed_by_supervisor for proof in box.proofs())
    assert dog.watch(1) == "" and box.waiting() == []


def test_the_watchdog_waits_for_a_worker_that_is_still_starting(tmp_path: Path) -> None:
    box, heartbeat = OrderBox(tmp_path), Heartbeat(tmp_path / "pulse")
    heartbeat.beat(WATCHER)  # of the worker before
    dog = Watchdog(box=box, heartbeat=heartbeat, clock=wall_clock)
    box.give(order(Command.CUT))

    assert dog.watch(1) == ""
    time.sleep(0.9)
    assert dog.watch(1) == ""


@given(st.text(max_size=30))
def test_a_stop_line_is_understood_or_refused_with_a_hint(text: str) -> None:
    try:
        command, system = parse_stop_line(text)
    except Invalid as error:
        assert error.hint.zh and error.hint.en
    else:
        assert command in list(Command) and " " not in system


@pytest.mark.parametrize("both", [(a, b) for a in Command for b in Command])
def test_of_two_orders_the_stricter_holds(both: tuple[Command, Command]) -> None:
    switch = Switch({"": InForce(command=both[0], order_id="o1"), "s": InForce(command=both[1], order_id="o2")})

    assert switch.in_force("s").command is max(both, key=lambda command: command.weight)
