"""The belt's process: the traffic side, its records, and the thread that obeys."""

import asyncio
import ctypes
import gc
import os
import signal
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256

import structlog
import truststore

from safebelt.app import House
from safebelt.engines.classifiers.asking import Asker
from safebelt.engines.clock import in_blocks, real_ids
from safebelt.kernel.errors import Conflict, Problem
from safebelt.kernel.ids import encode, uuid7
from safebelt.kernel.text import Text
from safebelt.rooms.belt.control.calls import CallBox
from safebelt.rooms.belt.control.crew import Crew
from safebelt.rooms.belt.control.lease import Lease
from safebelt.rooms.belt.control.news import News
from safebelt.rooms.belt.control.rations import Rations
from safebelt.rooms.belt.control.switch import Switch, matter_of, parts_of
from safebelt.rooms.belt.control.watcher import Watcher
from safebelt.rooms.belt.decide.minors import policies_in_use
from safebelt.rooms.belt.model import LIFTING, Command, Layer, Order, Scope, Snapshot, scope_of
from safebelt.rooms.belt.proxy.classifying import asks_classifier
from safebelt.rooms.belt.proxy.fetching import Places
from safebelt.rooms.belt.proxy.gateway import Gateway
from safebelt.rooms.belt.proxy.limits import Limits
from safebelt.rooms.belt.proxy.mcp import McpServer, servers_of
from safebelt.rooms.belt.proxy.meter import Meter, Metered
from safebelt.rooms.belt.proxy.port import BeltPort
from safebelt.rooms.belt.proxy.screens import Screens
from safebelt.rooms.belt.proxy.toolcalls import Waiting
from safebelt.rooms.belt.proxy.tools import Tools
from safebelt.rooms.belt.records.acks import Deliver, inline, on_loop
from safebelt.rooms.belt.records.disk import log_name, logs
from safebelt.rooms.belt.records.writer import Writer
from safebelt.rooms.belt.scanner.engine import mask_all
from safebelt.run.handing import SIGNALS, Prepared, shelf_of
from safebelt.run.identity import BeltIdentity, belt_identity
from safebelt.run.upstreams import earlier_of, keep_telling, upstreams_of

_REFRESH_SECONDS = 0.5
"""A changed stance or a revoked key is in force after at most this long."""

_log = structlog.get_logger("safebelt.belt")


class Snapshots:
    """Keys, harnesses and policies in memory, read again twice a second and when an unknown key knocks.

    While the database does not answer, the last good snapshot stays in force and the log says so.
    """

    def __init__(self, house: House, screens: Screens) -> None:
        self._house, self.screens = house, screens
        self._now = self._look()
        mask_all(" ")  # compiles what records are masked by: now, not in the first exchange
        settle()
        self._reading: asyncio.Task[Snapshot] | None = None

    def now(self) -> Snapshot:
        """Return what is known."""
        return self._now

    async def refresh(self) -> Snapshot:
        """Read again; however many ask at once, the database is asked once."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.get_running_loop().create_task(self._read())
        return await asyncio.shield(self._reading)

    async def _read(self) -> Snapshot:
        try:
            self._now = await asyncio.to_thread(self._look)
        except Exception as error:  # noqa: BLE001  whatever it is, the next reading must still come
            _log.warning("belt.snapshot_stale", problem=str(error))
        return self._now

    def _look(self) -> Snapshot:
        """Read, and have the scanners ready before an exchange asks for them."""
        snapshot, today = self._house.serving.snapshot(), self._house.clock().date()
        in_use = policies_in_use(snapshot, self._house.settings.minors_policy, self.screens.knows)
        for policy in in_use:
            self.screens.of(policy, today)
        self.screens.keep(in_use)
        return snapshot

    def knows(self, system_id: str) -> bool:
        """Whether a system has a belt, or an order can be for this besides systems."""
        scope, name = scope_of(system_id), system_id.partition(":")[2]
        if scope is Scope.KEY:
            return any(key.id == name for key in self._now.keys.values())
        return scope is not None or system_id in self._now.harnesses

    async def keep_fresh(self) -> None:
        """Read again for ever."""
        while True:
            await asyncio.sleep(_REFRESH_SECONDS)
            await self.refresh()


def settle() -> None:
    """Take what was built so far out of the collector's sight: word lists are millions of objects, and stay.

    What building them took goes back to the system (glibc keeps it: 42 of 223 MB with 10,000 words).
    """
    gc.collect()
    gc.freeze()
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)


_SWITCH_SECONDS = 0.0005
"""The thread that obeys gets the interpreter from a busy event loop after at most this long; Python's own 5 ms, at each
of an order's steps, would be felt."""


def serve_prepared(house: House, prepared: Prepared, *, worker: int = 1, workers: int = 1) -> None:
    """Serve the belt's port until SIGTERM, alone or as one of several workers."""
    house.serving.take(prepared.policies, prepared.kept)
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        import uvloop  # noqa: PLC0415  not there on Windows
    except ImportError:
        asyncio.run(_serve(house, prepared, worker, workers))
    else:
        uvloop.run(_serve(house, prepared, worker, workers))


async def _serve(house: House, prepared: Prepared, worker: int, workers: int) -> None:
    loop, until = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, until.set)
    # First the records, for their lock: another belt's pulse is not ours to clear.
    with _records(house, loop, log_name(worker)) as writer:
        _settle_left(house, worker, workers)
        snapshots = Snapshots(house, Screens(shelf_of(house)))
        with (
            _at_work(house, worker, workers) as (crew, switch, news),
            _obeying(house, switch, loop, snapshots, (crew, worker, news)),
            belt_identity(house) as identity,
        ):
            asker = Asker()
            tools = _tools(house, switch, (writer, _meter(house, prepared)), snapshots, identity, asker)
            switch.heard = tools.room.among(workers).look
            limits = Limits(body_bytes=house.settings.max_body_bytes)
            servers = _mcp(house)
            port = BeltPort(Gateway(tools, servers), limits=limits, switch=switch, heartbeat=crew.page(worker))
            forever = snapshots.keep_fresh(), keep_telling(house, worker, tools.upstream, tools.earlier)
            going_on = [loop.create_task(each) for each in forever]
            if any(asks_classifier(policy) for policy in snapshots.now().policies.values()):
                await asker.warm()
            try:
                await _listen(house, port, until, is_shared=workers > 1)
            finally:
                for each in going_on:
                    each.cancel()
                for upstream in (tools.upstream, *tools.earlier.values()):
                    upstream.close()
                await asker.close()
                for server in servers.values():
                    server.close()


async def _listen(house: House, port: BeltPort, until: asyncio.Event, *, is_shared: bool) -> None:
    tls = server_tls(house)
    _log.info("belt.listening", port=house.settings.belt_port, upstream=house.settings.upstream_url, pid=os.getpid())
    try:
        await port.serve(house.settings.bind, house.settings.belt_port, tls=tls, until=until, is_shared=is_shared)
    except OSError as error:
        number, why = house.settings.belt_port, error.strerror or str(error)
        raise Conflict(
            what=Text(zh=f"无法监听 {number} 端口：{why}。", en=f"Port {number} cannot be used: {why}."),
            hint=Text(
                zh="请停止占用它的程序，或用 SAFEBELT_BELT_PORT 另设端口。",
                en="End the program that uses it, or set another port with SAFEBELT_BELT_PORT.",
            ),
        ) from error


def _meter(house: House, prepared: Prepared) -> Meter:
    meter = Meter()
    meter.restore(prepared.usages.values(), house.clock())
    return meter


def _tools(  # noqa: PLR0917  what every exchange works with comes from many places
    house: House,
    switch: Switch,
    kept: tuple[Writer, Meter],
    snapshots: Snapshots,
    identity: BeltIdentity,
    asker: Asker,
) -> Tools:
    writer, meter = kept
    tls = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    upstreams = upstreams_of(house, tls)
    named = [origin for origin in house.settings.picture_origins.split(",") if origin]
    earlier = [one.upstream for one in house.settings.earlier_versions.values() if one.upstream]
    origins = [house.settings.upstream_url, *house.settings.fallback_upstreams, *earlier, *named]
    places = Places(origins, tls=tls)

    def health() -> dict[str, object]:
        state = writer.state()
        return {
            "status": "ok" if state.problem is None else "failed",
            "records": state.health.value,
            "pid": os.getpid(),
            "log": writer.log,
            "upstreams": upstreams.health(),
            **identity.health(),
        }

    return Tools(
        upstream=upstreams,
        switch=switch,
        recorder=Metered(writer, meter, house.clock),
        snapshot=snapshots.now,
        refresh=snapshots.refresh,
        screens=snapshots.screens,
        clock=house.clock,
        new_id=real_ids(in_blocks(house.chance)),
        labelling=house.at_the_belt,
        health=health,
        prove=identity.prove,
        fetch=places.fetch,
        complain_at=partial(_complain_at, house.settings.public_base),
        hold=Waiting(CallBox(house.box.folder / "calls"), house.clock),
        meter=meter,
        zone=house.serving.zone,
        minors_policy=house.settings.minors_policy,
        earlier=earlier_of(house, tls),
        classify=asker,
    )


def _mcp(house: House) -> dict[str, McpServer]:
    """Return the MCP servers behind the belt."""
    tls = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return servers_of(house.settings.mcp_servers, house.settings.mcp_keys, tls)


def _complain_at(base: str, system_id: str) -> Text:
    return Text(zh=f"{base}/zh/complaints?system={system_id}", en=f"{base}/en/complaints?system={system_id}")


@contextmanager
def _at_work(house: House, worker: int, workers: int) -> Iterator[tuple[Crew, Switch, News]]:
    """Be one of the crew, with the orders in force: from now on every order waits for this worker too."""
    crew = Crew(house.box)
    page = crew.page(worker)
    page.clear()
    page.enter(os.getpid())
    news = house.box.news()
    state = house.box.state()  # only now: an order given after it was read waits for us
    try:
        rations = Rations(house.box.limits, worker=worker, workers=workers)
        yield crew, Switch(state.orders, state.numbers, rations, is_behind=news.is_behind), news
    finally:
        page.enter(0)


def _settle_left(house: House, worker: int, workers: int) -> None:
    """Let the first worker recover and seal the logs of workers that there were before and are not any more."""
    if worker != 1:
        return
    for log in set(logs(house.records)) - {log_name(each) for each in range(1, workers + 1)}:
        try:
            writer = _writer(house, inline, log)
            writer.start()
            writer.close()
        except Problem as problem:  # still being written, by a worker that has not ended yet: the next start does it
            _log.warning("belt.log_not_settled", log=log, problem=str(problem))


@contextmanager
def _records(house: House, loop: asyncio.AbstractEventLoop, log: str) -> Iterator[Writer]:
    writer = _writer(house, on_loop(loop), log)
    writer.start()
    try:
        yield writer
    finally:
        writer.close()


def _writer(house: House, deliver: Deliver, log: str) -> Writer:
    return Writer(
        house.records,
        sign=house.sign,
        log_origin=house.settings.log_origin,
        clock=house.clock,
        chance=in_blocks(house.chance),
        new_id=house.new_id,
        on_sealed=house.serving.sealed,
        sealed=house.serving.sealed_segments(),
        deliver=deliver,
        log=log,
    )


@contextmanager
def _obeying(
    house: House, switch: Switch, loop: asyncio.AbstractEventLoop, snapshots: Snapshots, at: tuple[Crew, int, News]
) -> Iterator[Watcher]:
    crew, worker, news = at
    watcher = Watcher(
        box=house.box,
        switch=switch,
        clock=house.clock,
        new_id=house.new_id,
        loop=loop,
        heartbeat=crew.page(worker),
        complain=lambda what: _log.error("belt.order_not_understood", what=what),
        knows=snapshots.knows,
        crew=crew,
        worker=worker,
        lease=_lease(house),
        page=news,
    )
    for name, command in SIGNALS.items():
        if hasattr(signal, name):  # not by the loop, which may be busy: the handler only leaves word for the watcher
            signal.signal(getattr(signal, name), partial(_told, watcher, command))
    watcher.start()
    if not house.settings.bus:
        _leave_bus(house, watcher, switch)
    try:
        yield watcher
    finally:
        watcher.stop()


def _lease(house: House) -> Lease | None:
    settings = house.settings
    is_held = bool(settings.bus) and settings.lease_seconds > 0
    return Lease(settings.home / "belt" / "lease", settings.lease_seconds) if is_held else None


def _leave_bus(house: House, watcher: Watcher, switch: Switch) -> None:
    """Lift what was ordered over a bus that the settings do not name any more: nobody could ever lift it."""
    for key, ordered in switch.orders().items():
        layer, system_id = parts_of(key)
        if layer == Layer.BUS:
            mark = sha256(f"left {ordered.order_id}".encode()).digest()[:10]  # the same for every worker
            id_ = f"ord_{encode(uuid7(0, mark))}"
            reason = "未设置命令总线 · no command bus is set"
            watcher.carry_out(
                Order(
                    id=id_,
                    command=LIFTING[matter_of(key)],
                    system_id=system_id,
                    at=house.clock(),
                    by=layer,
                    reason=reason,
                    layer=layer,
                )
            )


def _told(watcher: Watcher, command: Command, number: int, _frame: object) -> None:
    """A signal says the same as the stop file, and leaves the same trace."""
    watcher.order(command, "file", signal.Signals(number).name)


def server_tls(house: House) -> ssl.SSLContext | None:
    """Return the TLS context of our ports, or None for plain HTTP."""
    if house.settings.tls_cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(house.settings.tls_cert, house.settings.tls_key)
    return context
