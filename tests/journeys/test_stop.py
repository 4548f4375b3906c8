"""A person stops an AI system: from the command line, by file, with a wedged worker; and the stop is proven."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from tests.journeys.home import PLAIN, Home, scripted_upstream

FOREVER = {"messages": [{"role": "user", "content": "SAY FOREVER"}], "stream": True}


class _Streams:
    """Clients that read endless streams and note when the last byte came."""

    def __init__(self, home: Home, count: int) -> None:
        self.last_byte = [0.0] * count
        self.begun = threading.Semaphore(0)
        self._home = home
        self._threads = [threading.Thread(target=self._read, args=(n,)) for n in range(count)]
        for thread in self._threads:
            thread.start()
        for _ in range(count):
            assert self.begun.acquire(timeout=20)

    def _read(self, number: int) -> None:
        headers = {"authorization": f"Bearer {self._home.key}"}
        url = f"{self._home.belt}/v1/chat/completions"
        with (
            contextlib.suppress(httpx2.HTTPError),
            httpx2.stream("POST", url, json=FOREVER, headers=headers, timeout=30, verify=PLAIN) as answer,
        ):
            is_first = True
            for _ in answer.iter_raw():
                self.last_byte[number] = time.time()
                if is_first:
                    self.begun.release()
                    is_first = False

    def ended(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with scripted_upstream() as (upstream, _):
        home = Home(tmp_path_factory.mktemp("stop") / "home", upstream=upstream)
        with home.up():
            yield home


@pytest.fixture(autouse=True)
def resumed(running: Home) -> Iterator[None]:
    yield
    running.json("belt", "resume", "--reason", "next test")


def _ask(home: Home) -> httpx2.Response:
    headers = {"authorization": f"Bearer {home.key}"}
    body = {"messages": [{"role": "user", "content": "SAY hi"}]}
    return httpx2.post(f"{home.belt}/v1/chat/completions", json=body, headers=headers, timeout=10, verify=PLAIN)


def _last_proof(home: Home, seconds: float = 60.0) -> dict[str, Any]:
    """The newest order, once the ledger has its proof."""
    deadline = time.monotonic() + seconds
    newest: dict[str, Any] = {}
    while time.monotonic() < deadline:
        newest = home.json("belt", "stops")["stops"][0]
        if newest["effective_entry"]:
            return newest
        time.sleep(0.2)
    raise AssertionError(f"no proof: {newest}")


def test_cut_ends_fifty_streams_and_nothing_is_delivered_afterwards(running: Home) -> None:
    streams = _Streams(running, 50)

    said = running.json("belt", "stop", "--reason", "fifty streams")
    effective = time.time()

    assert streams.ended(3), "a stream went on"
    assert max(streams.last_byte) <= effective
    assert _ask(running).status_code == 503
    proof = _last_proof(running)
    assert (proof["streams_cut"], proof["bytes_after"], proof["killed_by_supervisor"]) == (50, 0, False)
    assert said


def test_the_stop_file_cuts_without_http_or_database(running: Home) -> None:
    streams = _Streams(running, 5)

    (running.folder / "belt" / "stop").write_text("cut\n")

    assert streams.ended(2)
    assert _ask(running).status_code == 503
    newest = _last_proof(running)
    assert (newest["streams_cut"], newest["by"]) == (5, "file")


def test_a_worker_that_cannot_obey_is_killed_within_a_second_and_stays_stopped(running: Home) -> None:
    pid = httpx2.get(f"{running.belt}/health").json()["pid"]
    streams = _Streams(running, 5)
    os.kill(pid, signal.SIGSTOP)  # every thread of the worker stands still, as if stuck in native code

    ordered = time.monotonic()
    (running.folder / "belt" / "stop").write_text("cut\n")
    assert streams.ended(20)
    took = time.monotonic() - ordered

    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
    _wait_until(lambda: httpx2.get(f"{running.belt}/health", timeout=2, verify=PLAIN).status_code == 200)
    assert took < 5, f"it took {took:.2f} s"  # 0.85 s on a quiet machine; the bound leaves room for a busy one
    assert _ask(running).status_code == 503
    assert _last_proof(running)["killed_by_supervisor"] is True


def test_one_system_is_stopped_and_another_goes_on(running: Home) -> None:
    system = running.json("belt", "systems", "list")
    other = _second_system(running)
    key = running.json("belt", "keys", "issue", "--system", other, "--name", "second")["key"]
    first = system[0]["system_id"]

    running.json("belt", "stop", "--system", first, "--reason", "only this one")

    body = {"messages": [{"role": "user", "content": "SAY hi"}]}
    headers = {"authorization": f"Bearer {key}"}
    assert _ask(running).status_code == 503
    assert httpx2.post(f"{running.belt}/v1/chat/completions", json=body, headers=headers).status_code == 200
    running.json("belt", "resume", "--system", first, "--reason", "done")
    assert _ask(running).status_code == 200


def _second_system(home: Home) -> str:
    parties = home.json("registry", "parties", "list")
    wording = ("--name-en", "Second", "--purpose-en", "A second system for the test")
    made = home.json("registry", "systems", "add", "--provider", parties["items"][0]["id"], *wording)
    home.json("belt", "systems", "fit", made["id"])
    return str(made["id"])


def _wait_until(holds: Any, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx2.HTTPError):
            if holds():
                return
        time.sleep(0.1)
    raise AssertionError("it did not come to hold")
