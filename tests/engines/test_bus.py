"""Both buses keep the same promises; the relay never skips an entry."""

import queue
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engines.conftest import NatsServer
from tests.ports import free_port

from safebelt.engines.bus.inprocess import InProcess
from safebelt.engines.bus.nats import Nats
from safebelt.engines.bus.port import MAX_DELIVERIES, Bus, Message, matches
from safebelt.engines.bus.relay import Outgoing, Relay
from safebelt.engines.sql import Sql
from safebelt.kernel.errors import Conflict, Unavailable
from safebelt.kernel.text import Text

WAIT_SECONDS = 10


@pytest.fixture(params=["inprocess", "nats"])
def bus(request: pytest.FixtureRequest) -> Iterator[Bus]:
    bus = InProcess() if request.param == "inprocess" else Nats(request.getfixturevalue("nats_url"))
    yield bus
    bus.close()


@pytest.fixture
def unique(request: pytest.FixtureRequest) -> str:
    """A subject part and a listener's name that no other test uses: the NATS server is shared."""
    return f"t{abs(hash((request.node.name, time.time_ns())))}"


class Ear:
    """Collects what it hears, and can fail at first."""

    def __init__(self, failures: int = 0) -> None:
        self.heard: queue.Queue[Message] = queue.Queue()
        self.calls, self.failures = 0, failures

    def __call__(self, message: Message) -> None:
        self.calls += 1
        if self.calls <= self.failures:
            raise ValueError("not now")
        self.heard.put(message)

    def take(self, count: int) -> list[Message]:
        return [self.heard.get(timeout=WAIT_SECONDS) for _ in range(count)]

    def take_until(self, id: str) -> None:
        """Wait for a message, past others that may come again; fails by time-out."""
        while self.heard.get(timeout=WAIT_SECONDS).id != id:
            pass

    def is_silent(self, for_seconds: float = 0.3) -> bool:
        time.sleep(for_seconds)
        return self.heard.empty()


def test_a_listener_hears_what_fits_its_pattern_and_nothing_else(bus, unique) -> None:
    ear = Ear()
    bus.subscribe(f"events.{unique}.*.v1", ear, name=unique)

    bus.publish(f"events.{unique}.sealed.v1", f"{unique}-1", b'{"n":1}')
    bus.publish(f"events.{unique}.sealed.v2", f"{unique}-2", b"{}")
    bus.publish(f"events.{unique}.opened.v1", f"{unique}-3", "中文".encode())

    assert ear.take(2) == [
        Message(id=f"{unique}-1", subject=f"events.{unique}.sealed.v1", data=b'{"n":1}'),
        Message(id=f"{unique}-3", subject=f"events.{unique}.opened.v1", data="中文".encode()),
    ]
    assert ear.is_silent()


def test_every_listener_hears_everything(bus, unique) -> None:
    first, second = Ear(), Ear()
    bus.subscribe(f"events.{unique}.>", first, name=f"{unique}-a")
    bus.subscribe(f"events.{unique}.>", second, name=f"{unique}-b")

    bus.publish(f"events.{unique}.x", f"{unique}-1", b"")

    assert first.take(1) == second.take(1)


def test_the_same_id_published_again_is_heard_once(bus, unique) -> None:
    ear = Ear()
    bus.subscribe(f"events.{unique}.>", ear, name=unique)

    for _ in range(3):
        bus.publish(f"events.{unique}.x", f"{unique}-1", b"")
    bus.publish(f"events.{unique}.x", f"{unique}-2", b"")

    assert [message.id for message in ear.take(2)] == [f"{unique}-1", f"{unique}-2"]
    assert ear.is_silent()


def test_a_handler_that_fails_hears_the_message_again(bus, unique) -> None:
    ear = Ear(failures=2)
    bus.subscribe(f"events.{unique}.>", ear, name=unique)

    bus.publish(f"events.{unique}.x", f"{unique}-1", b"")

    assert ear.take(1)[0].id == f"{unique}-1"
    assert ear.calls == 3


def test_a_message_no_handler_can_bear_is_passed_over_and_the_next_one_arrives(bus, unique) -> None:
    ear = Ear(failures=MAX_DELIVERIES)
    bus.subscribe(f"events.{unique}.>", ear, name=unique)

    bus.publish(f"events.{unique}.x", f"{unique}-1", b"")
    deadline = time.monotonic() + WAIT_SECONDS
    while ear.calls < MAX_DELIVERIES and time.monotonic() < deadline:
        time.sleep(0.02)
    bus.publish(f"events.{unique}.x", f"{unique}-2", b"")

    assert ear.take(1)[0].id == f"{unique}-2"
    assert ear.calls == MAX_DELIVERIES + 1


@pytest.mark.parametrize("subject", ["", "events", "other.x", "events.a b", "events.*", "events.a.>", "events..a"])
def test_a_malformed_subject_is_refused(bus, subject) -> None:
    with pytest.raises(ValueError, match="not a subject"):
        bus.publish(subject, "1", b"")


@pytest.mark.parametrize("pattern", ["", "a b", "a.>.b", "a.b*", ".a"])
def test_a_malformed_pattern_is_refused(bus, pattern, unique) -> None:
    with pytest.raises(ValueError, match="not a pattern"):
        bus.subscribe(pattern, Ear(), name=unique)


def test_a_name_listens_once_per_process_and_has_no_odd_letters(bus, unique) -> None:
    bus.subscribe(f"events.{unique}.x", Ear(), name=unique)

    with pytest.raises(ValueError, match="already listens"):
        bus.subscribe(f"events.{unique}.x", Ear(), name=unique)
    with pytest.raises(ValueError, match="not a listener's name"):
        bus.subscribe(f"events.{unique}.x", Ear(), name="a b")


part = st.sampled_from("ab")


@given(st.lists(part, min_size=1, max_size=4), st.lists(part | st.just("*"), min_size=1, max_size=4), st.booleans())
def test_patterns_mean_what_nats_says_they_mean(parts, wanted, has_rest) -> None:
    pattern = ".".join([*wanted, ">"] if has_rest else wanted)
    fits = all(w in ("*", p) for w, p in zip(wanted, parts, strict=False))
    long_enough = len(parts) > len(wanted) if has_rest else len(parts) == len(wanted)

    assert matches(pattern, ".".join(parts)) is (fits and long_enough)


def test_a_nats_listener_that_was_away_hears_what_it_missed(nats_url, unique) -> None:
    before = Nats(nats_url)
    before.subscribe(f"events.{unique}.>", Ear(), name=unique)
    before.publish(f"events.{unique}.x", f"{unique}-0", b"")
    before.close()
    publisher = Nats(nats_url)
    publisher.publish(f"events.{unique}.x", f"{unique}-1", b"")
    ear = Ear()

    publisher.subscribe(f"events.{unique}.>", ear, name=unique)

    ear.take_until(f"{unique}-1")
    publisher.close()


def test_closing_in_the_middle_of_traffic_never_hangs_and_listens_no_more(nats_url, unique) -> None:
    publisher = Nats(nats_url)
    for turn in range(12):
        bus, ear = Nats(nats_url), Ear()
        bus.subscribe(f"events.{unique}.>", ear, name=unique)
        publisher.publish(f"events.{unique}.x", f"{unique}-{turn}", b"")
        began = time.monotonic()
        bus.close()
        assert time.monotonic() - began < 15

    publisher.close()


def test_a_nats_server_that_is_not_there_is_said_so_with_what_to_do() -> None:
    with pytest.raises(Unavailable, match="SAFEBELT_BUS"):
        Nats(f"nats://somebody:secret@127.0.0.1:{free_port()}", answer_seconds=0.5)


def test_a_password_in_the_url_is_not_repeated_in_the_message() -> None:
    with pytest.raises(Unavailable) as error:
        Nats(f"nats://somebody:hunter2@127.0.0.1:{free_port()}", answer_seconds=0.3)

    assert "hunter2" not in error.value.in_("en") + error.value.in_("zh")


def test_after_a_server_crash_nothing_acknowledged_is_lost_and_listening_goes_on(tmp_path, unique) -> None:
    server = NatsServer(tmp_path, free_port())
    server.start()
    bus, ear = Nats(server.url, answer_seconds=1), Ear()
    bus.subscribe(f"events.{unique}.>", ear, name=unique)
    bus.publish(f"events.{unique}.x", f"{unique}-1", b"")
    ear.take(1)

    server.kill()
    with pytest.raises(Unavailable):
        bus.publish(f"events.{unique}.x", f"{unique}-2", b"")
    server.start()
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            bus.publish(f"events.{unique}.x", f"{unique}-3", b"")
            break
        except Unavailable:
            time.sleep(0.1)

    ear.take_until(f"{unique}-3")
    bus.close()
    server.kill()


def test_a_closed_bus_says_so(nats_url) -> None:
    bus = Nats(nats_url)
    bus.close()
    bus.close()

    with pytest.raises(Unavailable, match="closed"):
        bus.publish("events.x", "1", b"")


# --- the relay ---------------------------------------------------------------------------------------------------


class Recorder:
    """A bus that keeps what it was given and crashes on demand."""

    def __init__(self, crash_at: int | None = None) -> None:
        self.taken: list[str] = []
        self.crash_at = crash_at

    def publish(self, subject: str, id: str, data: bytes) -> None:
        if len(self.taken) == self.crash_at:
            self.crash_at = None
            raise Unavailable(what=TEXT, hint=TEXT)
        self.taken.append(id)

    def subscribe(self, pattern, handler, *, name) -> None: ...

    def close(self) -> None: ...


TEXT = Text(zh="断开", en="gone")


def log_of(size: int):
    entries = [Outgoing(index=i, id=f"ent_{i}", subject="events.a.b.v1", data=b"{}") for i in range(size)]
    return lambda after, limit: entries[after + 1 : after + 1 + limit]


def test_the_relay_publishes_every_entry_in_order_and_then_rests(sql: Sql) -> None:
    bus = Recorder()
    relay = Relay(sql, bus, log_of(450))

    while relay.run_once():
        pass

    assert bus.taken == [f"ent_{i}" for i in range(450)]
    assert relay.position() == 449
    assert not relay.run_once()


def test_a_restarted_relay_continues_where_it_stood(sql: Sql) -> None:
    Relay(sql, Recorder(), log_of(3)).run_once()
    bus = Recorder()

    Relay(sql, bus, log_of(5)).run_once()

    assert bus.taken == ["ent_3", "ent_4"]


def test_when_the_bus_fails_the_relay_keeps_what_was_taken_and_skips_nothing(sql: Sql) -> None:
    bus = Recorder(crash_at=2)
    relay = Relay(sql, bus, log_of(5))

    with pytest.raises(Unavailable):
        relay.run_once()
    assert relay.position() == 1
    relay.run_once()

    assert bus.taken == [f"ent_{i}" for i in range(5)]


def test_a_crash_between_publishing_and_moving_the_cursor_repeats_and_never_skips(sql: Sql, monkeypatch) -> None:
    bus = Recorder()
    crashing = Relay(sql, bus, log_of(3))

    def crash(position: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(crashing, "_move", crash)
    with pytest.raises(KeyboardInterrupt):
        crashing.run_once()
    Relay(sql, bus, log_of(3)).run_once()

    assert bus.taken == ["ent_0", "ent_1", "ent_2"] * 2


def test_two_relays_at_once_may_repeat_but_never_move_the_cursor_back(sql: Sql) -> None:
    relay = Relay(sql, Recorder(), log_of(10))
    slow_read = threading.Event()

    def slow(after: int, limit: int):
        batch = log_of(4)(after, limit)
        Relay(sql, Recorder(), log_of(10)).run_once()
        slow_read.set()
        return batch

    Relay(sql, Recorder(), slow).run_once()

    assert slow_read.is_set()
    assert relay.position() == 9


def test_a_gap_in_the_ledger_stops_the_relay_at_the_gap(sql: Sql) -> None:
    bus = Recorder()
    relay = Relay(sql, bus, lambda after, limit: [e for e in log_of(5)(after, limit) if e.index != 2])

    with pytest.raises(Conflict, match="entry 2 was expected"):
        relay.run_once()

    assert bus.taken == ["ent_0", "ent_1"]
    assert relay.position() == 1


def test_an_entry_reaches_a_listener_through_relay_and_bus(sql: Sql, bus, unique) -> None:
    ear = Ear()
    bus.subscribe(f"events.{unique}.>", ear, name=unique)
    entry = Outgoing(index=0, id=f"{unique}-0", subject=f"events.{unique}.b.v1", data=b'{"a":1}')

    Relay(sql, bus, lambda after, limit: [entry][after + 1 :]).run_once()

    assert ear.take(1) == [Message(id=entry.id, subject=entry.subject, data=entry.data)]
