"""Stopping works on bad days: odd stop files, full disks, orders at awkward moments, a belt that only just starts."""

import asyncio
import datetime
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.rooms.belt.control.test_stop import Bench, drain, order

from safebelt.engines.clock import real_ids, wall_clock
from safebelt.kernel.errors import Invalid
from safebelt.rooms.belt.control.heartbeat import Heartbeat
from safebelt.rooms.belt.control.in_force import InForce
from safebelt.rooms.belt.control.line import Stopped
from safebelt.rooms.belt.control.orders import OrderBox, State, parse_stop_line
from safebelt.rooms.belt.control.switch import Switch
from safebelt.rooms.belt.control.watchdog import Watchdog
from safebelt.rooms.belt.control.watcher import Watcher
from safebelt.rooms.belt.model import Command, Order
from safebelt.rooms.belt.proxy.limits import Limits
from safebelt.rooms.belt.proxy.server import ClientConnection

NEW_ID = real_ids()


class Post:
    """A watcher without a server."""

    def __init__(self, home: Path) -> None:
        self.box, self.complaints = OrderBox(home), list[str]()
        self.heartbeat = Heartbeat(home / "pulse")
        self.loop = asyncio.new_event_loop()
        self.switch = Switch(self.box.state().orders)
        self.watcher = Watcher(
            box=self.box,
            switch=self.switch,
            clock=wall_clock,
            new_id=NEW_ID,
            loop=self.loop,
            heartbeat=self.heartbeat,
            complain=self.complaints.append,
        )

    def command(self, system: str = "any") -> Command:
        return self.switch.in_force(system).command


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    made = Post(tmp_path)
    yield made
    made.loop.close()


@pytest.mark.parametrize(
    "text", ["run\ncut\n", "cut\npause\n", "cut\r\nsys_a\r\n", "cut a b", "\ud83d", "\0", "x" * 9999]
)
def test_a_stop_file_with_more_than_one_order_pauses_and_complains(post: Post, text: str) -> None:
    post.box.stop_file.write_text(text, "utf-8", "replace")

    post.watcher.look()

    assert post.command() is Command.PAUSE and post.complaints


@pytest.mark.parametrize("text", ["cut", "cut\n", "CUT\r\n", "\ufeffcut\r\n", "  cut  \n\n", "\ncut"])
def test_one_line_is_understood_however_it_was_written(post: Post, text: str) -> None:
    post.box.stop_file.write_bytes(text.encode())

    post.watcher.look()

    assert post.command() is Command.CUT and not post.complaints


def _folder(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _link_to_folder(path: Path) -> None:
    (path.parent / "elsewhere").mkdir()
    path.symlink_to(path.parent / "elsewhere")


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@pytest.mark.parametrize("make", [_folder, _pipe, _link_to_folder, _socket])
def test_a_stop_file_that_is_no_file_pauses_and_complains(post: Post, make: Callable[[Path], None]) -> None:
    make(post.box.stop_file)

    post.watcher.look()
    post.watcher.look()

    assert post.command() is Command.PAUSE and len(post.complaints) == 1


def test_a_link_to_a_stop_file_is_followed(post: Post) -> None:
    (post.box.folder / "real").write_text("drain")
    post.box.stop_file.symlink_to(post.box.folder / "real")

    post.watcher.look()

    assert post.command() is Command.DRAIN


def test_two_orders_within_one_tick_of_the_file_systems_clock_are_both_seen(post: Post) -> None:
    post.box.stop_file.write_text("run\n")
    post.watcher.look()
    status = post.box.stop_file.stat()
    post.box.stop_file.write_text("cut\n")
    os.utime(post.box.stop_file, ns=(status.st_atime_ns, status.st_mtime_ns))

    post.watcher.look()

    assert post.command() is Command.CUT


def test_an_emptied_stop_file_orders_nothing_and_is_remembered(post: Post) -> None:
    post.box.stop_file.write_text("")

    post.watcher.look()

    assert post.command() is Command.RUN
    assert post.box.state().stop_file == post.box.stop_file_identity()


def test_a_second_line_is_never_a_systems_id() -> None:
    with pytest.raises(Invalid):
        parse_stop_line("run\ncut")


def _full(box: OrderBox) -> Callable[[], None]:
    """Make the folder's own writes fail as a full disk does; return what heals it."""
    keep, done = box.keep, box.done

    def refuse(_what: object) -> None:
        raise OSError(28, "No space left on device")

    box.keep = box.done = refuse  # type: ignore[method-assign,assignment]

    def heal() -> None:
        box.keep, box.done = keep, done  # type: ignore[method-assign]

    return heal


def test_on_a_full_disk_every_order_is_carried_out_once_and_proven_when_there_is_room(post: Post) -> None:
    first, second = order(Command.CUT, "sys_a"), order(Command.PAUSE, "sys_b")
    post.box.give(first)
    post.box.give(second)
    heal = _full(post.box)

    for _ in range(3):
        post.watcher.look()
    assert (post.command("sys_a"), post.command("sys_b")) == (Command.CUT, Command.PAUSE)
    heal()
    post.watcher.look()

    assert {proof.order.id for proof in post.box.proofs()} == {first.id, second.id}
    assert post.box.waiting() == [] and post.box.state().orders["sys_a"].command is Command.CUT


def test_a_belt_that_obeys_but_cannot_write_the_proof_is_not_killed(post: Post) -> None:
    dog = Watchdog(box=OrderBox(post.box.folder), heartbeat=post.heartbeat, clock=wall_clock)
    _full(post.box)
    assert dog.watch(1) == ""
    post.watcher.look()
    post.box.give(order(Command.CUT))
    deadline = time.monotonic() + 2.4

    while time.monotonic() < deadline:
        post.watcher.look()
        assert dog.watch(1) == ""
        time.sleep(0.02)

    assert post.command() is Command.CUT


def test_while_a_slow_disk_takes_one_proof_the_next_order_is_obeyed_and_nobody_is_killed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Bench(tmp_path) as bench:
            dog = Watchdog(box=OrderBox(bench.box.folder), heartbeat=bench.heartbeat, clock=wall_clock)
            assert dog.watch(1) == ""
            keep, slow = bench.box.keep, threading.Event()
            bench.box.keep = lambda state: (slow.wait(60), keep(state))[1]  # type: ignore[method-assign]
            first, second = order(Command.PAUSE), order(Command.CUT)

            bench.box.give(first)
            while bench.switch.in_force("any").command is not Command.PAUSE:
                await asyncio.sleep(0.01)
            bench.box.give(second)
            seen, deadline = set[str](), time.monotonic() + 1.5
            while time.monotonic() < deadline:
                seen.add(dog.watch(1))
                await asyncio.sleep(0.05)

            assert bench.switch.in_force("any").command is Command.CUT
            assert seen == {""} and bench.box.proofs() == []
            slow.set()
            await bench.proof(first.id, 20)
            await bench.proof(second.id, 20)
            assert bench.box.state().orders[""].command is Command.CUT

    asyncio.run(scenario())


def test_an_order_that_a_glance_cannot_see_is_obeyed_all_the_same(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Bench(tmp_path) as bench:
            bench.box.marks = lambda: ("the clock", "stands still")  # type: ignore[method-assign]
            await asyncio.sleep(0.05)
            given = order(Command.CUT)
            bench.box.give(given)

            proof = await bench.proof(given.id, 20)

            assert proof.streams_cut == 0 and bench.switch.in_force("any").command is Command.CUT

    asyncio.run(scenario())


def test_a_belt_whose_watcher_stands_still_is_killed(post: Post) -> None:
    """Negative control of the test above."""
    dog = Watchdog(box=OrderBox(post.box.folder), heartbeat=post.heartbeat, clock=wall_clock)
    assert dog.watch(1) == ""
    post.watcher.look()
    post.box.give(order(Command.CUT))

    assert dog.watch(1) == ""
    time.sleep(0.9)
    assert "within" in dog.watch(1)


def test_a_belt_that_is_only_starting_is_not_killed_for_an_order_it_will_obey(tmp_path: Path) -> None:
    box, heartbeat = OrderBox(tmp_path), Heartbeat(tmp_path / "pulse")
    dog = Watchdog(box=box, heartbeat=heartbeat, clock=wall_clock)
    box.give(order(Command.CUT))

    assert dog.watch(1) == ""
    time.sleep(0.9)
    assert dog.watch(1) == ""


def test_nothing_an_order_file_holds_ends_the_thread_that_stops_things(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Bench(tmp_path) as bench:
            orders = tmp_path / "belt" / "orders"
            (orders / "ord_0.json").write_text("[]")
            (orders / "ord_1.json").mkdir()
            odd = Order(
                id="ord_\0",
                command=Command.PAUSE,
                system_id="sys_odd",
                at=wall_clock(),
                by="x",
                reason="a name no file has",
            )
            (orders / "ord_2.json").write_bytes(msgspec.json.encode(odd))
            await asyncio.sleep(0.1)
            (tmp_path / "belt" / "stop").write_text("cut\n")
            await asyncio.sleep(0.3)

            assert bench.switch.in_force("any").command is Command.CUT

    asyncio.run(scenario())


def test_an_order_from_inside_needs_no_disk(post: Post) -> None:
    _full(post.box)

    post.watcher.order(Command.CUT, "signal")
    post.watcher.look()

    assert post.command() is Command.CUT


@pytest.mark.parametrize("second", [Command.CUT, Command.RUN])
def test_a_held_stream_obeys_the_next_order(tmp_path: Path, second: Command) -> None:
    async def scenario() -> None:
        async with Bench(tmp_path) as bench:
            reader = await bench.open()
            for command in (Command.PAUSE, second):
                given = order(command, "sys_a")
                bench.box.give(given)
                proof = await bench.proof(given.id)
                await asyncio.sleep(0.05)
            if second is Command.CUT:
                assert proof.streams_cut == 1 and proof.bytes_after == 0
                await asyncio.wait_for(drain(reader), 10)
                assert bench.switch.running() == 0
            else:
                assert await asyncio.wait_for(reader.read(10), 10)

    asyncio.run(scenario())


def test_a_drained_stream_can_still_be_cut(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Bench(tmp_path) as bench:
            reader = await bench.open()
            for command in (Command.DRAIN, Command.CUT):
                given = order(command)
                bench.box.give(given)
                proof = await bench.proof(given.id)

            assert proof.streams_cut == 1
            await asyncio.wait_for(drain(reader), 10)

    asyncio.run(scenario())


def test_a_client_that_leaves_a_held_stream_frees_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Bench(tmp_path) as bench:
            await bench.open()
            given = order(Command.PAUSE)
            bench.box.give(given)
            await bench.proof(given.id)
            bench.writers[0].close()
            for _ in range(100):
                await asyncio.sleep(0.01)
                if not bench.switch.running():
                    break

            assert bench.switch.running() == 0

    asyncio.run(scenario())


def test_resuming_one_system_does_not_resume_it_while_all_are_paused() -> None:
    switch = Switch()
    switch.apply(Command.PAUSE, "", "ord_1")
    with switch.line("sys_a") as line:
        switch.apply(Command.RUN, "sys_a", "ord_2")

        assert line.order is Command.PAUSE and switch.in_force("sys_a").command is Command.PAUSE


def test_no_line_opened_beside_an_order_escapes_it() -> None:
    """A race on purpose: many lines open while orders come; after each cut no open line may still write."""
    switch, escaped = Switch(), []
    is_over = threading.Event()

    def traffic() -> None:
        while not is_over.is_set():
            with switch.line("sys_a") as line:
                seen = line.order
                for _ in range(20):
                    with switch.lock:
                        in_force = switch._in_force("sys_a").command
                        if in_force is Command.CUT and line.order is not Command.CUT:
                            escaped.append((seen, line.order))

    threads = [threading.Thread(target=traffic) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(300):
        switch.apply(Command.CUT, "sys_a" if number % 2 else "", f"ord_{number}")
        switch.apply(Command.RUN, "sys_a" if number % 2 else "", f"ord_{number}")
    is_over.set()
    for thread in threads:
        thread.join()

    assert escaped == []


def test_a_state_file_that_was_half_written_means_cut(tmp_path: Path) -> None:
    box = OrderBox(tmp_path)
    box.keep(State(orders={"": InForce(command=Command.RUN, order_id="o")}))
    whole = (tmp_path / "state.json").read_bytes()

    for end in range(len(whole)):
        (tmp_path / "state.json").write_bytes(whole[:end])
        assert box.state().orders[""].command is Command.CUT


def test_stopped_is_raised_only_behind_a_closed_gate() -> None:
    class Client:
        sent, socket, is_closing = 0, None, False

        def write(self, data: bytes) -> None:
            self.sent += len(data)

        def abort(self) -> None:
            self.is_closing = True

    async def scenario() -> int:
        switch, client = Switch(), Client()
        with switch.line("s") as line:
            line.attach(client)
            await line.send(b"one")
            switch.apply(Command.CUT, "s", "o")
            switch.apply(Command.RUN, "s", "p")  # running again for others; this one stays ended
            with pytest.raises(Stopped):
                await line.send(b"two")
        return client.sent

    assert asyncio.run(scenario()) == 3


def _certificate(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "belt")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - day).not_valid_after(now + day)
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    pem += key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "both.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return context


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
@pytest.mark.parametrize("is_tls", [False, True])
def test_a_cut_reaches_every_kind_of_connection_on_every_loop(
    tmp_path: Path, run: Callable[..., None], is_tls: bool
) -> None:
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE

    async def scenario() -> None:
        async with Bench(tmp_path) as bench:
            server = await asyncio.get_running_loop().create_server(
                lambda: ClientConnection(bench.stream, Limits(), bench.connections),
                "127.0.0.1",
                0,
                ssl=_certificate(tmp_path) if is_tls else None,
            )
            port = server.sockets[0].getsockname()[1]
            readers = []
            for _ in range(5):
                reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust if is_tls else None)
                bench.writers.append(writer)
                writer.write(b"GET /sys_a HTTP/1.1\r\nHost: x\r\n\r\n")
                await reader.readuntil(b"tick")
                readers.append(reader)
            given = order(Command.CUT)
            bench.box.give(given)
            proof = await bench.proof(given.id)
            await asyncio.wait_for(asyncio.gather(*map(drain, readers)), 20)
            server.close()

            assert (proof.streams_cut, proof.bytes_after, bench.switch.running()) == (5, 0, 0)

    run(scenario())
