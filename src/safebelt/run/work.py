"""The work process: sequence and sign the ledger, tell the bus, collect stop proofs, index exchanges, do due jobs."""

import os
import signal
import threading
from collections.abc import Callable

from safebelt.app import ROOMS, House, furnish
from safebelt.engines.jobs import Worker
from safebelt.engines.loop import Loop

_LEDGER_SECONDS = 0.4
"""A head is to be at most a second old; the rest is for the work itself."""
_BELT_SECONDS = 0.3
"""How long the console may lag behind the traffic."""


def run_work(house: House) -> None:
    """Work until SIGTERM."""
    until = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: until.set())
    loops = [
        Loop("ledger", _idle(house.ledger.advance), idle_seconds=_LEDGER_SECONDS),
        Loop("relay", house.relay.run_once, idle_seconds=_LEDGER_SECONDS),
        Loop("belt-proofs", lambda: house.belt.collect_proofs() > 0, idle_seconds=_BELT_SECONDS),
        Loop("belt-index", lambda: house.belt.index() > 0, idle_seconds=_BELT_SECONDS),
    ]
    services = furnish(house)
    handlers = {kind: do for room in ROOMS if room.jobs for kind, do in room.jobs(services[room.name]).items()}
    worker = Worker(house.jobs, handlers, name=f"work-{os.getpid()}")
    for loop in loops:
        loop.start()
    worker.start()
    until.wait()
    worker.stop()
    for loop in reversed(loops):
        loop.stop()
    house.ledger.advance()


def _idle(step: Callable[[], object]) -> Callable[[], bool]:
    """A step that always rests afterwards."""

    def run() -> bool:
        step()
        return False

    return run
