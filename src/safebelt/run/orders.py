"""The process that carries orders between machines: it says what this house ordered, and hears what it has to obey.

A house without `command_keys` commands: its own people's orders go out, to every machine that trusts its key.  A house
with them obeys.  Both must hear the commanding house: that is the lease (`control/lease.py`).
"""

import asyncio
import contextlib
import signal
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import structlog
from nats import errors as nats_errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from safebelt.app import House
from safebelt.engines.signing import VerifierKey, open_note
from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.belt.control.lease import Lease
from safebelt.rooms.belt.control.standing import (
    Heard,
    Message,
    Said,
    Standing,
    Why,
    keep,
    load_heard,
    load_said,
    news,
    place_of,
    read,
    refusal,
    subject_of,
    text_of,
)
from safebelt.rooms.belt.model import Layer, Order

_SAY_SECONDS = 2.0
"""What stands is said this often, or four times within the lease where that is shorter."""
_LOOK_SECONDS = 0.02
"""A new order is on the bus within this."""
_AGAIN_SECONDS = 0.2
_NOTE_SECONDS = 60.0
"""A flood of forged messages is one ledger entry a minute."""
_TROUBLE = (nats_errors.Error, OSError, TimeoutError)

_log = structlog.get_logger("safebelt.orders")


def run_orders(house: House) -> None:
    """Carry orders until SIGTERM.

    Raises:
        Invalid: No bus is set, or the commanding house's keys cannot be read.
    """
    if not house.settings.bus:
        raise Invalid(
            what=Text(zh="没有设置命令总线。", en="No bus is set to carry orders."),
            hint=Text(zh="请设置 SAFEBELT_BUS。", en="Set SAFEBELT_BUS."),
        )
    asyncio.run(_Carrier(house).run())


def commanding_keys(path: Path) -> list[VerifierKey]:
    """Return the keys of the house whose orders are obeyed, one a line.

    Raises:
        Invalid: The file cannot be read, or holds none.
    """
    try:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
        keys = [VerifierKey.parse(line) for line in lines if line and not line.startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        raise _no_keys(path, str(error)) from error
    if not keys:
        raise _no_keys(path, "empty")
    return keys


def _no_keys(path: Path, why: str) -> Invalid:
    return Invalid(
        what=Text(zh=f"无法读取指挥方的公钥 {path}：{why}。", en=f"The commanding house's keys in {path}: {why}."),
        hint=Text(
            zh="请写入指挥方 `safebelt ledger key` 的输出，每行一个。",
            en="Write there what `safebelt ledger key` prints at the commanding house, one key a line.",
        ),
    )


class _Carrier:
    def __init__(self, house: House) -> None:
        self._house, self._settings = house, house.settings
        self._folder = house.settings.home / "belt"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = house.settings.command_keys
        self._trusted = None if path is None else commanding_keys(path)
        self._names = sorted({key.name for key in self._keys()})
        self._said: Said = load_said(self._folder / "said.json")
        self._heard: Heard = load_heard(self._folder / "heard.json")
        self._lease = Lease(self._folder / "lease", house.settings.lease_seconds or float("inf"))
        self._refused, self._numbers, self._noted = Counter[Why](), dict[Why, int](), dict[Why, float]()
        self._client = Client()

    def _keys(self) -> list[VerifierKey]:
        return self._trusted or [self._house.keys.current().verifier]

    @property
    def _commands(self) -> bool:
        return self._trusted is None

    # ------------------------------------------------------------------ the bus

    async def run(self) -> None:
        until, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, until.set)
        tasks = [loop.create_task(self._speak()), loop.create_task(self._note())]
        connected = loop.create_task(self._connect())
        _log.info("orders.carrying", commands=self._commands, authorities=self._names)
        try:
            await until.wait()
        finally:
            for task in (*tasks, connected):
                task.cancel()
            with contextlib.suppress(*_TROUBLE):
                await asyncio.wait_for(self._client.close(), 2)

    async def _connect(self) -> None:
        """Come to the bus, however long that takes; from then on the client comes back by itself."""
        every = self._every
        while True:
            try:
                await self._client.connect(
                    self._settings.bus,
                    name="safebelt-orders",
                    connect_timeout=2,
                    allow_reconnect=True,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=1,
                    ping_interval=max(1, round(every * 2)),
                    max_outstanding_pings=2,
                    error_cb=_say_error,
                    disconnected_cb=_say_disconnected,
                    reconnected_cb=_say_reconnected,
                )
                break
            except _TROUBLE as error:
                _log.warning("orders.no_bus", error=str(error) or type(error).__name__)
                await asyncio.sleep(_AGAIN_SECONDS)
        for name in self._names:
            await self._client.subscribe(subject_of(name), cb=self._on_message)

    @property
    def _every(self) -> float:
        lease = self._settings.lease_seconds
        return min(_SAY_SECONDS, lease / 4) if lease else _SAY_SECONDS

    # ------------------------------------------------------------------ speaking

    async def _speak(self) -> None:
        """Say what stands at every turn, and at once where something new was ordered."""
        if not self._commands:
            return
        due = 0.0
        while True:
            try:
                new = self._house.box.to_send()
                if (new or time.monotonic() >= due) and self._client.is_connected:
                    await self._say(new)
                    due = time.monotonic() + self._every
            except Exception as error:  # noqa: BLE001  the next turn must come: silence stops every machine
                _log.error("orders.not_said", error=repr(error))
                await asyncio.sleep(_AGAIN_SECONDS)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _say(self, new: list[Order]) -> None:
        for order in new:
            self._said.orders[place_of(order)] = order
        now = self._house.clock()
        self._said.number = max(self._said.number + 1, int(now.timestamp() * 1000))
        keep(self._folder / "said.json", self._said)  # first: no number is ever used for two messages
        standing = Standing(at=now, orders=tuple(self._said.orders.values()))
        name = self._house.settings.log_origin
        note = self._house.sign(text_of(name, self._said.number, standing))
        await self._client.publish(subject_of(name), note.encode())
        await self._client.flush(timeout=2)
        for order in new:
            self._house.box.sent(order.id)

    # ------------------------------------------------------------------ hearing

    async def _on_message(self, received: Msg) -> None:
        try:
            self._take(received.data)
        except Exception as error:  # noqa: BLE001  what one message does to us must not keep the next from being heard
            _log.error("orders.not_taken", error=repr(error))

    def _take(self, raw: bytes) -> None:
        found = read(raw, self._names, lambda note: open_note(note, self._keys()).text)
        if isinstance(found, Why):
            self._refuse(found, 0)
        elif (why := refusal(found, self._heard, self._house.clock())) is not None:
            self._refuse(why, found.number)
        else:
            self._obey(found)

    def _obey(self, message: Message) -> None:
        """Give what is new to this machine's box; then the message counts, and the lease is renewed."""
        for order in news(message, self._heard):
            if not self._commands:
                self._house.box.give(self._theirs(order))
            self._heard.obeyed[place_of(order)] = order.id
        self._heard.number = message.number
        keep(self._folder / "heard.json", self._heard)
        self._lease.hear(int(self._house.clock().timestamp() * 1000))

    def _theirs(self, order: Order) -> Order:
        reason = f"{order.reason} ({self._names[0]}, {order.by})".strip()
        return replace(order, by=Layer.BUS.value, layer=Layer.BUS.value, reason=reason)

    # ------------------------------------------------------------------ what was not obeyed

    def _refuse(self, why: Why, number: int) -> None:
        self._refused[why] += 1
        self._numbers[why] = number
        _log.warning("orders.refused", why=why.value, number=number)

    async def _note(self) -> None:
        """Bring what was refused to the ledger, each kind at most once a minute."""
        while True:
            await asyncio.sleep(_AGAIN_SECONDS)
            now = time.monotonic()
            due = [why for why in self._refused if now - self._noted.get(why, -_NOTE_SECONDS) >= _NOTE_SECONDS]
            for why in due:
                count, self._noted[why] = self._refused.pop(why), now
                try:
                    await asyncio.to_thread(self._house.belt.note_refused, why.value, self._numbers[why], count)
                except Exception as error:  # noqa: BLE001  the database may be away; hearing goes on, and this comes again
                    self._refused[why] += count
                    _log.warning("orders.refusal_not_noted", error=repr(error))


async def _say_error(error: Exception) -> None:
    _log.warning("orders.bus_error", error=str(error) or type(error).__name__)


async def _say_disconnected() -> None:
    _log.warning("orders.bus_lost")


async def _say_reconnected() -> None:
    _log.info("orders.bus_back")
