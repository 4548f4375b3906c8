"""Orders from elsewhere: what is believed, what is not, and what silence means."""

import asyncio
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safebelt.engines.clock import real_chance, real_ids, wall_clock
from safebelt.engines.signing import KeyStore, open_note, sign_note
from safebelt.rooms.belt.control.heartbeat import Heartbeat
from safebelt.rooms.belt.control.lease import Lease
from safebelt.rooms.belt.control.orders import OrderBox
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
    text_of,
)
from safebelt.rooms.belt.control.switch import Switch
from safebelt.rooms.belt.control.watcher import Watcher
from safebelt.rooms.belt.model import Command, Layer, Order, OrderTerms
from safebelt.rooms.belt.proxy.errors import stopped

HOUSE = "example.org/log"
NEW_ID = real_ids()


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> KeyStore:
    return KeyStore(tmp_path_factory.mktemp("keys") / "k", name=HOUSE, chance=real_chance)


def order(command: Command, system_id: str = "") -> Order:
    return Order(id=NEW_ID("ord"), command=command, system_id=system_id, at=wall_clock(), by="usr_1", reason="why")


def said(key: KeyStore, number: int, *orders: Order, name: str = HOUSE) -> bytes:
    return sign_note(text_of(name, number, Standing(at=wall_clock(), orders=orders)), key.current()).encode()


def hear(raw: bytes, key: KeyStore) -> Message | Why:
    return read(raw, [HOUSE], lambda note: open_note(note, [key.current().verifier]).text)


def test_a_true_message_says_what_stands_and_is_taken_once(key: KeyStore) -> None:
    cut = order(Command.CUT)
    message, heard = hear(said(key, 5, cut), key), Heard(number=4)

    assert isinstance(message, Message)
    assert refusal(message, heard, wall_clock()) is None and news(message, heard) == [cut]
    heard.number, heard.obeyed[""] = 5, cut.id
    assert refusal(message, heard, wall_clock()) is Why.REPLAYED
    repeated = hear(said(key, 6, cut), key)
    assert isinstance(repeated, Message) and news(repeated, heard) == []
    heard.number = 9
    assert refusal(repeated, heard, wall_clock()) is Why.OLD


def test_a_message_that_was_kept_back_is_not_believed(key: KeyStore) -> None:
    message = hear(said(key, 5), key)

    assert isinstance(message, Message)
    assert refusal(message, Heard(), wall_clock() + timedelta(seconds=61)) is Why.LATE
    assert refusal(message, Heard(), wall_clock() + timedelta(seconds=30)) is None


def test_nobody_else_speaks_for_the_house(key: KeyStore, tmp_path: Path) -> None:
    other = KeyStore(tmp_path / "k", name=HOUSE, chance=real_chance)
    true = said(key, 5, order(Command.RUN))

    assert hear(said(other, 5, order(Command.RUN)), key) is Why.FORGED
    assert hear(true.replace(b"\n5\n", b"\n6\n"), key) is Why.FORGED
    assert hear(said(key, 5, name="other.example/log"), key) is Why.FORGED  # signed by it, for another log
    head = sign_note(f"{HOUSE}/belt/seg-00000001\n5\nAAAA\n", key.current()).encode()
    assert isinstance(hear(head, key), Why)  # a signed head of the records is no order
    assert isinstance(hear(true, key), Message)  # the control


@given(st.binary(max_size=300))
def test_whatever_comes_over_the_bus_is_judged_and_never_raises(raw: bytes) -> None:
    assert read(raw, [HOUSE], lambda note: note) in list(Why)


def test_what_was_said_and_heard_is_kept_over_a_restart(tmp_path: Path) -> None:
    cut = order(Command.CUT)
    keep(tmp_path / "said", Said(number=7, orders={"": cut}))
    keep(tmp_path / "heard", Heard(number=7, obeyed={"": cut.id}))

    assert load_said(tmp_path / "said") == Said(number=7, orders={"": cut})
    assert load_heard(tmp_path / "heard") == Heard(number=7, obeyed={"": cut.id})
    (tmp_path / "heard").write_text("{broken")
    assert load_heard(tmp_path / "heard") == Heard()  # then every order that stands is news, and the stricter holds


def test_only_the_houses_own_orders_are_laid_out_for_others(tmp_path: Path) -> None:
    commands, obeys = OrderBox(tmp_path / "a", sends=True), OrderBox(tmp_path / "b")
    own = order(Command.CUT)
    theirs = Order(
        id="ord_2", command=Command.RUN, system_id="", at=wall_clock(), by="bus", reason="", layer=Layer.BUS.value
    )
    for box in (commands, obeys):
        box.give(own)
        box.give(theirs)

    assert [each.id for each in commands.to_send()] == [own.id] and obeys.to_send() == []
    commands.sent(own.id)
    assert commands.to_send() == []


class _Ticks:
    def __init__(self) -> None:
        self.now = 10**12

    def __call__(self) -> int:
        return self.now

    def go(self, seconds: float) -> None:
        self.now += int(seconds * 1e9)


class _Worker:
    """A worker's obeying side on one folder, looked at by hand."""

    def __init__(self, folder: Path, ticks: _Ticks, loop: asyncio.AbstractEventLoop) -> None:
        self.box, self.lease = OrderBox(folder), Lease(folder / "lease", 10.0, ticks=ticks)
        state = self.box.state()
        self.switch = Switch(state.orders, state.numbers)
        self.watcher = Watcher(
            box=self.box,
            switch=self.switch,
            clock=wall_clock,
            new_id=NEW_ID,
            loop=loop,
            heartbeat=Heartbeat(folder / "pulse"),
            complain=lambda _text: None,
            lease=self.lease,
        )

    @property
    def command(self) -> Command:
        return self.switch.in_force("any").command


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    found = asyncio.new_event_loop()
    runner = threading.Thread(target=found.run_forever, daemon=True)
    runner.start()
    yield found
    found.call_soon_threadsafe(found.stop)
    runner.join()
    found.close()


def test_silence_stops_the_belt_after_the_lease_and_not_before_and_a_word_lets_it_go_on(
    tmp_path: Path, loop: asyncio.AbstractEventLoop
) -> None:
    ticks = _Ticks()
    worker = _Worker(tmp_path, ticks, loop)
    worker.watcher.look()
    unheard = worker.command
    seen = []
    for step in (0.0, 9.9, 0.2, 0.0):
        if step == 0.0:
            worker.lease.hear(1_000)
        ticks.go(step)
        worker.watcher.look()
        seen.append(worker.command)

    assert unheard is Command.CUT  # whoever never heard a word does not begin
    assert seen == [Command.RUN, Command.RUN, Command.CUT, Command.RUN]
    proofs = worker.box.proofs()
    assert {proof.order.by for proof in proofs} == {"lease"} and len({proof.order.id for proof in proofs}) == 4
    assert all(proof.order.reason for proof in proofs)


def test_of_house_bus_and_lease_none_lifts_what_another_ordered(
    tmp_path: Path, loop: asyncio.AbstractEventLoop
) -> None:
    worker = _Worker(tmp_path, _Ticks(), loop)
    worker.lease.hear(1_000)
    worker.watcher.look()
    bus = {"layer": Layer.BUS.value, "by": "bus"}

    def give(command: Command, **more: str) -> Command:
        made = {"id": NEW_ID("ord"), "system_id": "", "by": "usr_1", "reason": "why", **more}
        worker.box.give(Order(command=command, at=wall_clock(), **made))
        worker.watcher.look()
        return worker.command

    assert give(Command.CUT, **bus) is Command.CUT
    assert give(Command.RUN) is Command.CUT
    assert give(Command.PAUSE) is Command.CUT
    assert give(Command.RUN, **bus) is Command.PAUSE
    assert give(Command.RUN) is Command.RUN
    assert worker.box.stopping("any") == ""


def test_a_restart_stays_stopped_by_the_lease_without_a_second_entry(
    tmp_path: Path, loop: asyncio.AbstractEventLoop
) -> None:
    ticks = _Ticks()
    first = _Worker(tmp_path, ticks, loop)
    first.watcher.look()
    again = _Worker(tmp_path, ticks, loop)
    again.watcher.look()

    assert again.command is Command.CUT and len(again.box.proofs()) == 1


def test_a_caller_is_told_that_nobody_ordered_it() -> None:
    lapsed, ordered = stopped("cut", "lse_1"), stopped("cut", "ord_1")

    assert (lapsed.code, ordered.code) == ("stopped_by_lease", "stopped_by_human")
    assert b"bus" in lapsed.body()


def test_a_limit_and_a_stop_of_one_system_both_travel_and_each_is_lifted_by_its_own(key: KeyStore) -> None:
    terms = OrderTerms(per_minute=5, basis="§ 3")
    cut, limit = order(Command.CUT, "sys_1"), replace(order(Command.LIMIT, "sys_1"), terms=terms)
    heard = Heard()
    message = hear(said(key, 1, cut, limit), key)
    assert isinstance(message, Message) and message.standing.orders[1].terms == terms
    assert news(message, heard) == [cut, limit]
    for each in (cut, limit):
        heard.obeyed[place_of(each)] = each.id

    lifted = hear(said(key, 2, cut, order(Command.UNLIMIT, "sys_1")), key)
    assert isinstance(lifted, Message)
    assert [each.command for each in news(lifted, heard)] == [Command.UNLIMIT]
    assert place_of(cut) == "sys_1", "as earlier releases kept it"


def test_a_pause_that_holds_travels_and_who_does_not_know_its_terms_refuses_at_once(key: KeyStore) -> None:
    pause = replace(order(Command.PAUSE), terms=OrderTerms(hold_seconds=20, hold_most=9))
    message = hear(said(key, 1, pause), key)

    assert isinstance(message, Message) and message.standing.orders[0].terms == pause.terms
    later = text_of(HOUSE, 2, Standing(at=wall_clock(), orders=(pause,)))
    head, number, standing, _ = later.split("\n")
    known = b64decode(standing).replace(b'"hold_seconds":20', b'"term_of_tomorrow":20')
    raw = sign_note("\n".join((head, number, b64encode(known).decode(), "")), key.current()).encode()
    older = hear(raw, key)
    assert isinstance(older, Message) and older.standing.orders[0].command is Command.PAUSE
    assert older.standing.orders[0].terms.hold_seconds == 0, "a pause that lets nothing wait: stricter, never laxer"


def test_a_node_that_does_not_know_an_order_believes_nothing_of_the_message(key: KeyStore) -> None:
    cut = order(Command.CUT)
    text = text_of(HOUSE, 3, Standing(at=wall_clock(), orders=(cut,)))
    head, number, standing, _ = text.split("\n")
    unknown = b64decode(standing).replace(b'"command":"cut"', b'"command":"tomorrow"')
    raw = sign_note("\n".join((head, number, b64encode(unknown).decode(), "")), key.current()).encode()

    assert isinstance(hear(said(key, 3, cut), key), Message)
    assert hear(raw, key) is Why.GARBLED, "so the lease is not renewed, and the node stops by itself"
