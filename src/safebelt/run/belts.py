"""The belt's workers: several processes on one port, kept by one supervisor.

Each has records, a pulse and a thread that obeys of its own; an order has taken effect when all have confirmed it.  The
system deals new connections out to those that listen on the port (SO_REUSEPORT).
"""

import signal
import socket
from collections import deque

import structlog

from safebelt.app import House
from safebelt.engines.garbage import building
from safebelt.engines.supervisor import ChildSpec, Supervisor
from safebelt.kernel.errors import Conflict
from safebelt.kernel.text import Text
from safebelt.rooms.belt.control.crew import Crew
from safebelt.rooms.belt.control.watchdog import Watchdog
from safebelt.rooms.belt.model import Command, Order
from safebelt.rooms.belt.records.disk import log_name
from safebelt.run.handing import CAN_HAND_OVER, SIGNALS, hand_over
from safebelt.run.preparing import prepare

_log = structlog.get_logger("safebelt.belt")


def belt_children(house: House, workers: int) -> list[ChildSpec]:
    """Return what a supervisor needs to keep the belt's workers."""
    crew = Crew(house.box)
    return [_child(house, crew, worker, workers) for worker in range(1, workers + 1)]


def _child(house: House, crew: Crew, worker: int, workers: int) -> ChildSpec:
    page = crew.page(worker)
    watchdog = Watchdog(box=house.box, heartbeat=page, clock=house.clock, crew=crew, worker=worker)
    name = "-".join(filter(None, ("belt", log_name(worker))))
    return ChildSpec(
        name=name,
        argv=("-m", "safebelt", "serve", "belt", "--workers", str(workers), "--worker", str(worker)),
        watch=watchdog.watch,
        on_killed=watchdog.on_killed,
    )


def run_belts(house: House, workers: int = 0, worker: int = 0) -> None:
    """Serve the belt's port until SIGTERM: as one process, as one of several, or as the parent of several.

    Args:
        house: The house.
        workers: How many share the port; 0 for as many as the settings say.
        worker: Which of them this process is; 0 where it was started by hand.
    """
    workers = workers or house.settings.belt_workers
    if worker or workers == 1:
        run_belt(house, worker=max(1, worker), workers=workers, in_place=CAN_HAND_OVER)
        return
    if not hasattr(socket, "SO_REUSEPORT"):
        raise Conflict(
            what=Text(zh="此系统不能由多个进程共用一个端口。", en="Processes cannot share a port on this system."),
            hint=Text(zh="请将 SAFEBELT_BELT_WORKERS 设为 1。", en="Set SAFEBELT_BELT_WORKERS to 1."),
        )
    hold_port_free(house.settings.bind, house.settings.belt_port, "SAFEBELT_BELT_PORT")
    _keep(house, workers)


def run_belt(house: House, *, worker: int = 1, workers: int = 1, in_place: bool = False) -> None:
    """Serve the belt's port until SIGTERM, alone or as one of several workers.

    Args:
        house: The house.
        worker: Which this is.
        workers: Of how many.
        in_place: Whether to put a process that holds only what it needs in the place of this one.
    """
    with building():
        prepared = prepare(house)
    if in_place:
        house.close()
        hand_over(prepared, worker=worker, workers=workers)
    from safebelt.run.belt import serve_prepared  # noqa: PLC0415  what serves; here only where this process does

    serve_prepared(house, prepared, worker=worker, workers=workers)


def _keep(house: House, workers: int) -> None:
    told: deque[tuple[Command, str]] = deque()
    for name, command in SIGNALS.items():
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_, it=(command, name): told.append(it))
    supervisor = Supervisor(
        belt_children(house, workers),
        logs=house.settings.home / "log",
        say=lambda what: _log.warning("belt.worker", what=what),
    )
    supervisor.start()

    def pass_on() -> bool:
        while told:
            command, name = told.popleft()
            house.box.give(
                Order(id=house.new_id("ord"), command=command, system_id="", at=house.clock(), by="file", reason=name)
            )
        return False

    try:
        supervisor.run_until(pass_on)
    finally:
        supervisor.end()


def hold_port_free(host: str, port: int, setting: str) -> None:
    """Hold that nobody listens on a port: workers share one, so none of them would notice a stranger.

    Raises:
        Conflict: Somebody does.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Conflict(
                what=Text(
                    zh=f"端口 {host}:{port} 无法使用：{error.strerror}。",
                    en=f"Port {host}:{port} cannot be used: {error.strerror}.",
                ),
                hint=Text(
                    zh=f"请停止占用它的程序，或另设 {setting}。", en=f"End what uses it, or set {setting} to another."
                ),
            ) from error
