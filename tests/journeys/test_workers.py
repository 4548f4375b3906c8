"""Four workers on one port: one order ends every stream of all of them; a killed one loses no answered exchange."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.journeys.home import PLAIN, Home, scripted_upstream, wait_for
from tests.journeys.streams import callers, endless_upstream
from tests.journeys.test_kill import _Load as Load
from tests.journeys.test_kill import _recorded as recorded

from safebelt.rooms.belt.control.crew import Crew
from safebelt.rooms.belt.control.heartbeat import WATCHER
from safebelt.rooms.belt.control.orders import OrderBox
from safebelt.rooms.belt.records.disk import logs

WORKERS = 4
STREAMS = 48
HANG_SECONDS = 180.0


def _workers(home: Home, pids: frozenset[int] = frozenset()) -> dict[int, int]:
    """Wait until all workers are at work, none of them one of these; return their process ids by number."""
    deadline = time.monotonic() + HANG_SECONDS
    while time.monotonic() < deadline:
        with contextlib.closing(Crew(OrderBox(home.folder / "belt"))) as crew:
            found = crew.at_work()
            is_beating = all(crew.page(number).age_seconds(WATCHER) < 1 for number in found)
        if len(found) == WORKERS and is_beating and not pids & set(found.values()):
            return found
        time.sleep(0.1)
    raise AssertionError("the workers did not come up")


@pytest.fixture
def upstream() -> Iterator[str]:
    with endless_upstream(20261123) as found:
        yield found


def _house(folder: Path, upstream: str) -> Home:
    return Home(folder, upstream=upstream, belt_workers=str(WORKERS))


def _answered_by(home: Home) -> int:
    """Return which worker answers a new connection."""
    pid: int = httpx2.get(f"{home.belt}/health", timeout=HANG_SECONDS, verify=PLAIN).json()["pid"]
    return pid


def _ask(home: Home) -> int:
    body, headers = {"messages": [{"role": "user", "content": "hi"}]}, {"authorization": f"Bearer {home.key}"}
    url = f"{home.belt}/v1/chat/completions"
    return httpx2.post(url, json=body, headers=headers, timeout=HANG_SECONDS, verify=PLAIN).status_code


def test_one_order_cuts_the_streams_of_all_four_workers_and_holds_for_one_that_is_killed(
    tmp_path: Path, upstream: str, prepared: Callable[[Path], Path]
) -> None:
    home = _house(prepared(tmp_path / "home"), upstream)
    process = home.start("serve", "belt")
    try:
        wait_for(f"{home.belt}/health", process)
        workers = _workers(home)
        assert len(home.json("belt", "state")["workers"]) == WORKERS
        assert {_answered_by(home) for _ in range(60)} == set(workers.values())
        with callers(home.belt_port, home.key, STREAMS) as streams:
            assert streams.begun() == ["200"]
            said = home.json("belt", "stop", "--reason", "all four")
            effective = time.time()
            assert streams.ended()["last_byte"] <= effective
        proof = OrderBox(home.folder / "belt").proof(said["order"])
        assert {_ask(home) for _ in range(20)} == {503}

        os.kill(workers[2], signal.SIGKILL)
        again = _workers(home, frozenset({workers[2]}))
        assert {_ask(home) for _ in range(20)} == {503}
        home.json("belt", "resume", "--reason", "seen")
        assert {_ask(home) for _ in range(20)} == {200}
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)

    assert proof is not None
    assert (proof.streams_cut, proof.bytes_after, proof.killed_by_supervisor) == (STREAMS, 0, False)
    assert {number: pid for number, pid in again.items() if number != 2} == {
        number: pid for number, pid in workers.items() if number != 2
    }


def test_a_killed_worker_is_started_again_and_no_answered_exchange_is_lost(
    tmp_path: Path, prepared: Callable[[Path], Path]
) -> None:
    with scripted_upstream() as (upstream, _):
        home = _house(prepared(tmp_path / "home"), upstream)
        process = home.start("serve", "belt")
        wait_for(f"{home.belt}/health", process)
        workers = _workers(home)
        with Load(home) as load:
            for number in (1, 3):
                time.sleep(1.0)
                killed = workers[number]
                os.kill(killed, signal.SIGKILL)
                workers = _workers(home, frozenset({killed}))
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        verdict = home.run("belt", "verify", "--format", "json")
        listed = _exchanges(home)

    assert len(load.answered) > 50, "the load must have been real"
    assert set(load.answered) - recorded(home, "intent") == set()
    assert set(load.answered) - recorded(home, "outcome") == set()
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    assert listed >= len(load.answered)
    assert len(logs(home.folder / "belt" / "records")) > 1, "one worker alone had all the load"


def _exchanges(home: Home) -> int:
    said: Any = json.loads(home.run("belt", "exchanges", "list", "--format", "json").stdout)
    return int(said["count"])
