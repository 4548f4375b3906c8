"""A step that is repeated in a thread of its own until told to stop: workers and relays are made of it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from safebelt.kernel.errors import Problem, Unavailable

_LONGEST_WAIT_SECONDS = 30.0
"""A dependency that stays away is tried again at least this often."""
_DOUBLINGS = 10

_log = structlog.get_logger(__name__)


class Loop:
    """Repeats `step`: at once while it has work, after `idle_seconds` when it has none.

    A step that raises is logged and tried again, waiting twice as long each time; a thread that
    dies silently would be the worst of all outcomes.

    Args:
        name: Name of the thread.
        step: Does a piece of work; returns whether there was any.
        idle_seconds: How long to rest when there was none.
    """

    def __init__(self, name: str, step: Callable[[], bool], *, idle_seconds: float = 1.0) -> None:
        self._name, self._step, self._idle = name, step, idle_seconds
        self._stopping, self._bell = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; a loop that is already running stays as it is."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Look for work now instead of after the rest."""
        self._bell.set()

    def stop(self, timeout_seconds: float = 10.0) -> bool:
        """Let the present step end, then stop.

        Returns:
            Whether it has ended; False where the step is still at work after `timeout_seconds`.
        """
        self._stopping.set()
        self._bell.set()
        if self._thread is None:
            return True
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._bell.clear()
            try:
                has_more = self._step()
                failures = 0
            except Exception as error:  # noqa: BLE001  whatever it is, the loop goes on and says so
                failures += 1
                has_more = False
                trace = None if isinstance(error, Unavailable) else error
                _log.error("loop.step_failed", loop=self._name, failures=failures, error=str(error), exc_info=trace)
            if not has_more and not self._stopping.is_set():
                self._bell.wait(min(self._idle * 2.0 ** min(failures, _DOUBLINGS), _LONGEST_WAIT_SECONDS))


@contextmanager
def meanwhile(step: Callable[[], None], *, every_seconds: float) -> Iterator[None]:
    """Repeat a small step in the background for as long as the block runs, as a lease is renewed."""
    ended = threading.Event()

    def repeat() -> None:
        while not ended.wait(every_seconds):
            try:
                step()
            except Problem as problem:
                _log.warning("loop.meanwhile_failed", error=str(problem))

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
