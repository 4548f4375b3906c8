"""The work process: every room's habits, the relay to the bus, and the jobs that are due."""

import os
import signal
import threading

from safebelt.app import ROOMS, House, furnish
from safebelt.engines.garbage import building
from safebelt.engines.jobs import Worker
from safebelt.engines.loop import Loop
from safebelt.kernel.rooms import Habit

_RELAY_SECONDS = 0.4
"""An entry that is sequenced is on the bus within a second."""
_LOOKS_SECONDS = 1.0
"""So late at most is an order to end obeyed that came while the process was paused (SIGSTOP, a frozen container)."""


def run_work(house: House) -> None:
    """Work until SIGTERM."""
    until = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: until.set())
    with building():
        services = furnish(house)
        habits = [habit for room in ROOMS if room.habits for habit in room.habits(services[room.name])]
        handlers = {kind: do for room in ROOMS if room.jobs for kind, do in room.jobs(services[room.name]).items()}
    worker = Worker(house.jobs, handlers, name=f"work-{os.getpid()}")
    loops = [*map(_loop, habits), Loop("relay", house.relay.run_once, idle_seconds=_RELAY_SECONDS)]
    for loop in loops:
        loop.start()
    worker.start()
    while not until.wait(_LOOKS_SECONDS):  # a signal that another thread was woken for is only heard between two waits
        pass
    worker.stop()
    for loop in reversed(loops):
        loop.stop()
    house.ledger.advance()


def _loop(habit: Habit) -> Loop:
    def turn() -> bool:
        habit.step()
        return False  # rest after each turn

    return Loop(habit.name, turn, idle_seconds=habit.every_seconds)
