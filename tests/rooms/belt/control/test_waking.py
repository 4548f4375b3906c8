"""The thread that obeys is woken when an order is written; who has not read an order lets nothing new in."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.rooms.belt.control.test_stop import order

from safebelt.engines.clock import real_ids, wall_clock
from safebelt.rooms.belt.control import watcher as watching
from safebelt.rooms.belt.control.heartbeat import Heartbeat
from safebelt.rooms.belt.control.news import News
from safebelt.rooms.belt.control.orders import OrderBox
from safebelt.rooms.belt.control.switch import Switch
from safebelt.rooms.belt.control.waking import Wake
from safebelt.rooms.belt.control.watcher import Watcher
from safebelt.rooms.belt.model import Command

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells (inotify)")
NEW_ID = real_ids()
_LONG_SECONDS = 20.0


def _woken_by(wake: Wake, deed: Callable[[], object], seconds: float = _LONG_SECONDS) -> bool:
    threading.Timer(0.05, deed).start()
    return wake.wait(seconds)


def _write(path: Path) -> None:
    path.write_text("cut\n")


def _replace(path: Path) -> None:
    other = path.with_name(".other")
    other.write_text("cut\n")
    other.replace(path)


def _by_shell(path: Path) -> None:
    subprocess.run(["sh", "-c", f"echo cut > '{path}'"], check=True)


@pytest.mark.parametrize("deed", [_write, _replace, _by_shell])
@pytest.mark.parametrize("is_there", [True, False])
def test_whoever_writes_the_stop_file_wakes(tmp_path: Path, deed: Callable[[Path], None], is_there: bool) -> None:
    box = OrderBox(tmp_path)
    if is_there:
        box.stop_file.write_text("run\n")
    wake = box.wake()

    assert wake.tells and _woken_by(wake, lambda: deed(box.stop_file))


def test_an_order_in_the_box_wakes_and_nothing_else_in_the_folder_does(tmp_path: Path) -> None:
    box = OrderBox(tmp_path)
    wake = box.wake()

    assert _woken_by(wake, lambda: box.give(order(Command.CUT)))
    while wake.wait(0.2):
        pass
    assert not _woken_by(wake, lambda: box.keep(box.state()), 0.5), "a state that is kept is no order"


def test_whoever_rings_wakes_without_news(tmp_path: Path) -> None:
    wake, began = OrderBox(tmp_path).wake(), time.monotonic()

    assert not _woken_by(wake, wake.ring)
    assert time.monotonic() - began < _LONG_SECONDS / 2


def test_a_flood_of_changes_is_told_although_the_system_forgot_some(tmp_path: Path) -> None:
    box = OrderBox(tmp_path)
    wake = box.wake()
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    for number in range(most + 10):
        place = tmp_path / f"x{number % 50}"
        os.close(os.open(place, os.O_CREAT | os.O_WRONLY))
        place.replace(tmp_path / "y")

    assert any(wake.wait(0.1) for _ in range(most // 100)), "more than it could keep counts as news"


@contextmanager
def _watched(folder: Path) -> Iterator[tuple[OrderBox, Switch, Watcher]]:
    box, loop = OrderBox(folder), asyncio.new_event_loop()
    runner = threading.Thread(target=loop.run_forever, daemon=True)
    runner.start()
    page = box.news()
    switch = Switch(is_behind=page.is_behind)
    watcher = Watcher(
        box=box,
        switch=switch,
        clock=wall_clock,
        new_id=NEW_ID,
        loop=loop,
        heartbeat=Heartbeat(folder / "pulse"),
        complain=lambda _text: None,
        page=page,
    )
    watcher.start()
    try:
        yield box, switch, watcher
    finally:
        watcher.stop()
        loop.call_soon_threadsafe(loop.stop)
        runner.join()
        loop.close()


def _until(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + _LONG_SECONDS
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.001)
    return holds()


def test_an_order_is_obeyed_long_before_the_next_look_is_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_LOOK_SECONDS", 3600.0)
    with _watched(tmp_path) as (box, switch, _):
        for command in (Command.CUT, Command.RUN, Command.PAUSE):
            box.stop_file.write_text(f"{command.value}\n")
            assert _until(lambda wanted=command: switch.in_force("any").command is wanted)
        box.give(order(Command.CUT))
        assert _until(lambda: switch.in_force("any").command is Command.CUT)


def test_where_the_system_once_did_not_tell_the_thread_asks_by_itself(tmp_path: Path) -> None:
    with _watched(tmp_path) as (box, switch, watcher):
        assert watcher._is_told
        elsewhere = tmp_path.parent / "elsewhere"
        elsewhere.write_text("run\n")
        box.stop_file.symlink_to(elsewhere)
        assert _until(lambda: "run" in box.stop_line() and watcher._stop_file == box.stop_file_identity())
        elsewhere.write_text("cut\n")  # no event in our folder: as where another machine writes
        assert _until(lambda: switch.in_force("any").command is Command.CUT)
        assert _until(lambda: not watcher._is_told)


def test_who_has_not_read_an_order_is_behind_and_who_has_is_not(tmp_path: Path) -> None:
    box = OrderBox(tmp_path)
    first, second = box.news(), box.news()
    assert not first.is_behind() and not second.is_behind()

    box.give(order(Command.CUT))
    said = first.said()

    assert first.is_behind() and second.is_behind()
    assert first.catch_up(said) and not first.catch_up(said)
    assert not first.is_behind() and second.is_behind(), "each worker for itself"
    box.give(order(Command.RUN))
    assert first.is_behind(), "what was said after that is not carried out by it"
    assert not News(tmp_path / "news").is_behind(), "a worker that starts reads the orders before it opens its port"


def test_nothing_new_is_let_in_from_the_moment_an_order_is_given(tmp_path: Path) -> None:
    box = OrderBox(tmp_path)
    page = box.news()
    switch = Switch(is_behind=page.is_behind)
    before = switch.open("sys_1")
    box.give(order(Command.CUT))  # nobody watches: as where the thread had no turn yet
    after = switch.open("sys_1")

    assert before.order is Command.RUN and after.order is Command.PAUSE and not after.order_id
    assert switch.apply(Command.CUT, "", "ord_1").cut == (before,), "what waits to be let in is not cut: it is refused"
    page.catch_up(page.said())
    assert switch.entering(after).command is Command.CUT


def test_without_a_page_an_order_is_given_and_found_all_the_same(tmp_path: Path) -> None:
    box = OrderBox(tmp_path)
    (tmp_path / "news").mkdir()

    box.give(order(Command.CUT))

    assert [each.command for each in box.waiting()] == [Command.CUT]
