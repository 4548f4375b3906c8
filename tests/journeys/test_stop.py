"""A person stops an AI system: from the command line, by file, flooded, with a wedged worker; and the stop is proven.

Waits here only bound a hang.  What is measured is taken from the proof, not from how soon this process got its turn.
"""

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.journeys.home import PLAIN, Home
from tests.journeys.streams import callers, endless_upstream

from safebelt.engines.clock import real_ids, wall_clock
from safebelt.rooms.belt.control.orders import OrderBox
from safebelt.rooms.belt.model import Command, Order

SEED = int(os.environ.get("SAFEBELT_SEED", "20261123"))
HANG_SECONDS = 120.0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, prepared: Callable[[Path], Path]) -> Iterator[Home]:
    with endless_upstream(SEED) as upstream:
        home = Home(prepared(tmp_path_factory.mktemp("stop") / "home"), upstream=upstream)
        with home.up():
            yield home


@pytest.fixture(autouse=True)
def resumed(running: Home) -> Iterator[None]:
    yield
    running.json("belt", "resume", "--reason", "next test")


def _ask(home: Home, key: str = "") -> httpx2.Response:
    headers = {"authorization": f"Bearer {key or home.key}"}
    body = {"messages": [{"role": "user", "content": "say hi"}]}
    url = f"{home.belt}/v1/chat/completions"
    return httpx2.post(url, json=body, headers=headers, timeout=HANG_SECONDS, verify=PLAIN)


def _health(home: Home) -> dict[str, Any]:
    answer: dict[str, Any] = httpx2.get(f"{home.belt}/health", timeout=HANG_SECONDS, verify=PLAIN).json()
    return answer


def _wait_until(holds: Callable[[], Any], seconds: float = HANG_SECONDS) -> Any:
    """Return what at last is true of something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx2.HTTPError):
            if found := holds():
                return found
        time.sleep(0.05)
    raise AssertionError("it did not come to hold")


def _stop(home: Home, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return a stop once the ledger has its proof."""

    def look() -> dict[str, Any] | None:
        stops = home.json("belt", "stops")["stops"]
        return next((stop for stop in stops if is_it(stop) and stop["effective_entry"]), None)

    found: dict[str, Any] = _wait_until(look)
    return found


def _by_file(home: Home, before: set[str]) -> dict[str, Any]:
    """Return the stop that a file gave after those known before."""
    return _stop(home, lambda stop: stop["by"] == "file" and stop["order"] not in before)


def _known(home: Home) -> set[str]:
    return {stop["order"] for stop in home.json("belt", "stops")["stops"]}


def test_cut_ends_fifty_streams_and_nothing_is_delivered_afterwards(running: Home) -> None:
    with callers(running.belt_port, running.key, 50) as streams:
        assert streams.begun() == ["200"]

        said = running.json("belt", "stop", "--reason", "fifty streams")
        effective = time.time()

        assert streams.ended()["last_byte"] <= effective
    assert _ask(running).status_code == 503
    proof = _stop(running, lambda stop: stop["order"] == said["order"])
    assert (proof["streams_cut"], proof["bytes_after"], proof["killed_by_supervisor"]) == (50, 0, False)


def test_the_stop_file_cuts_without_http_or_database(running: Home) -> None:
    before = _known(running)
    with callers(running.belt_port, running.key, 5) as streams:
        assert streams.begun() == ["200"]

        (running.folder / "belt" / "stop").write_text("cut\n")

        streams.ended()
    assert _ask(running).status_code == 503
    assert _by_file(running, before)["streams_cut"] == 5


def _give(home: Home, command: Command) -> dict[str, Any]:
    """Order as the console does, without a process that has to start first; return what the ledger says came of it."""
    order = Order(id=real_ids()("ord"), command=command, system_id="", at=wall_clock(), by="usr_1", reason="flooded")
    OrderBox(home.folder / "belt").give(order)
    return _stop(home, lambda stop: stop["order"] == order.id)


def _flood_and_cut(home: Home, count: int) -> None:
    """Flood the belt, see that it answers nevertheless, cut, and hold the proof against what the callers got."""
    with callers(home.belt_port, home.key, count, "FLOOD") as streams:
        assert streams.begun() == ["200"]
        before = _health(home)
        proof = _give(home, Command.CUT)
        streams.ended()

    assert before["running"] == count, "the flood was over before the order"
    assert (proof["streams_cut"], proof["bytes_after"], proof["killed_by_supervisor"]) == (count, 0, False)
    took = datetime.fromisoformat(proof["effective_at"]) - datetime.fromisoformat(proof["ordered_at"])
    assert took.total_seconds() < 5  # 20 ms on a quiet machine
    assert _health(home)["pid"] == before["pid"]


def test_a_flooded_belt_answers_obeys_and_proves_it(running: Home) -> None:
    _flood_and_cut(running, 100)

    assert _ask(running).status_code == 503


@pytest.mark.soak
def test_a_belt_that_is_flooded_again_and_again_obeys_each_time(running: Home) -> None:
    draw = random.Random(SEED)

    for _ in range(30):
        _flood_and_cut(running, draw.randint(50, 400))
        _give(running, Command.RUN)


def test_a_worker_that_cannot_obey_is_killed_within_a_second_and_stays_stopped(running: Home) -> None:
    before, pid = _known(running), _health(running)["pid"]
    with callers(running.belt_port, running.key, 5) as streams:
        assert streams.begun() == ["200"]
        os.kill(pid, signal.SIGSTOP)  # every thread of the worker stands still, as if stuck in native code
        _wait_until(lambda: _stands_still(pid))

        ordered = time.monotonic()
        (running.folder / "belt" / "stop").write_text("cut\n")
        streams.ended()
        took = time.monotonic() - ordered

    _wait_until(lambda: _health(running)["pid"] != pid)
    assert took < 10, f"it took {took:.2f} s"  # 0.85 s on a quiet machine; the bound leaves room for a busy one
    assert _ask(running).status_code == 503
    assert _by_file(running, before)["killed_by_supervisor"] is True


def _stands_still(pid: int) -> bool:
    """Whether every thread has taken the signal: until each has, one of them may yet obey."""
    states = [path.read_text().rpartition(")")[2].split()[0] for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    return set(states) == {"T"}


def test_an_order_given_while_the_belt_starts_again_is_waited_for_and_proven(running: Home) -> None:
    pid = _health(running)["pid"]
    os.kill(pid, signal.SIGKILL)

    said = running.json("belt", "stop", "--reason", "it is just starting")

    assert said["effective"] is True and said["worker"] != pid
    assert _wait_until(lambda: _ask(running).status_code) == 503


def test_one_system_is_stopped_and_another_goes_on(running: Home) -> None:
    system = running.json("belt", "systems", "list")
    other = _second_system(running)
    key = running.json("belt", "keys", "issue", "--system", other, "--name", "second")["key"]
    first = system[0]["system_id"]

    running.json("belt", "stop", "--system", first, "--reason", "only this one")

    assert _ask(running).status_code == 503
    assert _ask(running, key).status_code == 200
    running.json("belt", "resume", "--system", first, "--reason", "done")
    assert _ask(running).status_code == 200


def _second_system(home: Home) -> str:
    parties = home.json("registry", "parties", "list")
    wording = ("--name-en", "Second", "--purpose-en", "A second system for the test")
    made = home.json("registry", "systems", "add", "--provider", parties["items"][0]["id"], *wording)
    home.json("belt", "systems", "fit", made["id"])
    return str(made["id"])
