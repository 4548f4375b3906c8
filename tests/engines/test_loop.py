"""A loop goes on whatever happens, rests when there is nothing to do, and stops when told."""

import threading
import time

import pytest
from structlog.testing import capture_logs

from safebelt.engines.loop import Loop, meanwhile
from safebelt.kernel.errors import Unavailable
from safebelt.kernel.text import Text


def test_it_repeats_at_once_while_there_is_work_and_then_rests() -> None:
    left, done = [5], threading.Event()

    def step() -> bool:
        left[0] -= 1
        if left[0] <= 0:
            done.set()
        return left[0] > 0

    loop = Loop("t", step, idle_seconds=60)
    loop.start()

    assert done.wait(2)
    time.sleep(0.05)
    assert left == [0]
    assert loop.stop()


def test_waking_cuts_the_rest_short_even_if_it_rings_while_the_step_is_at_work() -> None:
    runs: list[float] = []
    loop = Loop(
        "t", lambda: runs.append(time.monotonic()) or (len(runs) == 1 and loop.wake()) or False, idle_seconds=60
    )
    loop.start()
    deadline = time.monotonic() + 2
    while len(runs) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)

    assert len(runs) == 2
    assert loop.stop()


@pytest.mark.parametrize("failures", [3, 1500])
def test_a_step_that_raises_again_and_again_never_ends_the_loop(failures: int) -> None:
    seen, done = [0], threading.Event()

    def step() -> bool:
        seen[0] += 1
        if seen[0] > failures:
            done.set()
            return False
        raise (
            ValueError("bug")
            if seen[0] % 2
            else Unavailable(what=Text(zh="断", en="gone"), hint=Text(zh="等", en="wait"))
        )

    loop = Loop("t", step, idle_seconds=0)
    with capture_logs() as said:
        loop.start()
        is_through = done.wait(20)
        loop.stop()

    assert is_through
    assert len(said) == failures


def test_stopping_lets_the_present_step_end_and_says_if_it_does_not() -> None:
    begun, finish = threading.Event(), threading.Event()

    def step() -> bool:
        begun.set()
        finish.wait(5)
        return True

    loop = Loop("t", step)
    loop.start()
    begun.wait(2)

    assert not loop.stop(timeout_seconds=0.05)
    finish.set()
    assert loop.stop()


def test_starting_twice_makes_one_thread_and_a_stopped_loop_starts_again() -> None:
    runs = []
    loop = Loop("only-one", lambda: bool(runs.append(1)), idle_seconds=60)
    loop.start()
    loop.start()

    assert sum(thread.name == "only-one" for thread in threading.enumerate()) == 1
    assert loop.stop()
    loop.start()
    assert loop.stop()
    assert len(runs) >= 1


def test_a_loop_that_never_ran_is_stopped() -> None:
    assert Loop("t", lambda: False).stop()


def test_meanwhile_repeats_until_the_block_ends_and_survives_trouble() -> None:
    runs: list[int] = []

    def step() -> None:
        runs.append(1)
        raise Unavailable(what=Text(zh="断", en="gone"), hint=Text(zh="等", en="wait"))

    with meanwhile(step, every_seconds=0.01):
        time.sleep(0.2)
    after = len(runs)
    time.sleep(0.05)

    assert after >= 3
    assert len(runs) == after
