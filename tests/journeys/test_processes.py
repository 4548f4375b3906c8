"""Starting and ending on bad days: taken ports, open pages, a signal, a leftover, two belts on one home."""

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from tests.journeys.home import PLAIN, Home, scripted_upstream, wait_for


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with scripted_upstream() as (upstream, _):
        yield Home(tmp_path / "home", upstream=upstream)


@pytest.fixture
def furnished(home: Home, prepared: Callable[[Path], Path]) -> Home:
    prepared(home.folder)
    return home


def test_up_says_which_port_is_taken_and_what_to_set(home: Home) -> None:
    with socket.create_server(("127.0.0.1", home.belt_port)):
        began = time.monotonic()
        said = home.run("up", timeout=120)

    assert said.returncode == 1, said.stdout + said.stderr
    assert str(home.belt_port) in said.stderr and "SAFEBELT_BELT_PORT" in said.stderr
    assert time.monotonic() - began < 30


def test_a_belt_by_hand_on_a_taken_port_says_so(furnished: Home) -> None:
    with socket.create_server(("127.0.0.1", furnished.belt_port)):
        said = furnished.run("serve", "belt", timeout=120)

    assert said.returncode == 1 and "SAFEBELT_BELT_PORT" in said.stderr and "Traceback" not in said.stderr


def test_a_belt_by_hand_obeys_signals_and_a_second_one_is_refused(furnished: Home) -> None:
    home = furnished
    process = home.start("serve", "belt")
    try:
        wait_for(f"{home.belt}/health", process)
        second = home.run("serve", "belt", timeout=120)
        os.kill(process.pid, signal.SIGUSR1)
        order = _order_becomes(home, "cut")
        home.json("belt", "resume", "--reason", "seen")
        resumed = _order_becomes(home, "run")
        (home.folder / "belt" / "stop").write_text("cut sys_of_nobody\n")
        slip = _order_becomes(home, "pause")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)

    assert second.returncode == 3 and "Traceback" not in second.stderr, second.stderr
    assert (order, resumed, slip) == ("cut", "run", "pause")


def test_an_open_page_does_not_keep_the_house_from_ending(furnished: Home) -> None:
    home = furnished
    (home.folder / "safebelt.pid").write_text(str(os.getpid()))  # left behind by a crash: it must not matter
    with home.up() as process:
        is_open = threading.Event()
        reading = threading.Thread(target=_read_for_ever, args=(home, is_open), daemon=True)
        reading.start()
        assert is_open.wait(90) and reading.is_alive(), "there is no live page to test with"
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        took = time.monotonic() - began

    assert took < 25, f"it took {took:.1f} s"


def test_an_end_ordered_while_everything_starts_is_obeyed_at_once(home: Home) -> None:
    process = home.start("up")
    deadline = time.monotonic() + 40
    while not (home.folder / "log" / "console.log").exists() and time.monotonic() < deadline:
        time.sleep(0.05)

    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    process.wait(40)

    assert time.monotonic() - began < 25 and home.run("down").returncode == 0


def _order_becomes(home: Home, wanted: str) -> str:
    order = ""
    for _ in range(300):
        order = httpx2.get(f"{home.belt}/health", timeout=5, verify=PLAIN).json()["order"]
        if order == wanted:
            break
        time.sleep(0.1)
    return order


def _read_for_ever(home: Home, is_open: threading.Event) -> None:
    token = home.json("access", "tokens", "issue", "--user", "admin")["token"]
    headers = {"authorization": f"Bearer {token}", "accept": "text/event-stream"}
    with httpx2.stream("GET", f"{home.console}/en/belt/live", headers=headers, timeout=60) as stream:
        assert stream.status_code == 200
        is_open.set()
        with contextlib.suppress(httpx2.RemoteProtocolError):  # the console ends in the middle of it
            for _ in stream.iter_raw():
                pass
