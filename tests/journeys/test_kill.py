"""`kill -9` at random moments under load: no exchange that was answered is missing from the records."""

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from tests.journeys.home import PLAIN, Home, scripted_upstream, wait_for

from safebelt.rooms.belt.records.reader import Reader

_CLIENTS = 6


class _Load:
    """Clients that ask again and again and remember which answers they got whole."""

    def __init__(self, home: Home) -> None:
        self.home, self.answered, self._ending = home, [], threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(_CLIENTS)]

    def __enter__(self) -> "_Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, number: int) -> None:
        headers = {"authorization": f"Bearer {self.home.key}"}
        with httpx2.Client(timeout=5, verify=PLAIN) as calls:
            while not self._ending.is_set():
                body = {"messages": [{"role": "user", "content": "SAY hello there"}], "stream": number % 2 == 0}
                try:
                    answer = calls.post(f"{self.home.belt}/v1/chat/completions", json=body, headers=headers)
                except httpx2.HTTPError:
                    time.sleep(0.02)
                    continue
                whole = b"data: [DONE]" in answer.content if number % 2 == 0 else answer.status_code == 200
                if answer.status_code == 200 and whole:
                    self.answered.append(answer.headers["x-safebelt-record"])


def _kill_again_and_again(home: Home, times: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    process = home.start("serve", "belt")
    wait_for(f"{home.belt}/health", process)
    with _Load(home) as load:
        for _ in range(times):
            time.sleep(chance.uniform(0.02, 0.6))
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            process = home.start("serve", "belt")
            wait_for(f"{home.belt}/health", process)
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    return load.answered


def _recorded(home: Home, type_: str) -> set[str]:
    reader = Reader(home.folder / "belt" / "records")
    lines = (line for segment in reader.segments() for _, line in reader.lines(segment))
    return {line.core.id for line in lines if line is not None and line.core.type == type_}


def _system(home: Home) -> str:
    said = home.run("--format", "json", "belt", "systems", "list")
    return str(json.loads(said.stdout)[0]["system_id"])


def _trial(folder: Path, times: int, seed: int, mode: str = "strict") -> None:
    with scripted_upstream() as (upstream, _):
        home = Home(folder, upstream=upstream)
        assert home.run("belt", "systems", "set", _system(home), "--record-mode", mode).returncode == 0
        answered = _kill_again_and_again(home, times, seed)
        verdict = home.run("belt", "verify")

    assert len(answered) > times, "the load must have been real"
    assert set(answered) - _recorded(home, "intent") == set()
    assert set(answered) - _recorded(home, "outcome") == set()
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


@pytest.mark.parametrize("mode", ["strict", "prompt"])
def test_a_few_kills_lose_no_answered_exchange(tmp_path: Path, prepared: Callable[[Path], Path], mode: str) -> None:
    _trial(prepared(tmp_path / "home"), times=3, seed=20261121, mode=mode)


@pytest.mark.soak
@pytest.mark.parametrize("mode", ["strict", "prompt"])
def test_two_hundred_kills_lose_no_answered_exchange(
    tmp_path: Path, prepared: Callable[[Path], Path], mode: str
) -> None:
    _trial(prepared(tmp_path / "home"), times=200, seed=int(os.environ.get("SAFEBELT_SEED", "7")), mode=mode)
