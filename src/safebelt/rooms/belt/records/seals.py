"""Tell the ledger of finished segments, beside the traffic: a slow database must not delay a record."""

import queue
import threading
from collections.abc import Callable
from typing import NamedTuple

import structlog


class Seal(NamedTuple):
    """A finished segment: its name, how many records, and their root in hex."""

    segment: str
    records: int
    root: str


OnSealed = Callable[[str, int, str], object]
"""Takes segment, records and root (hex).  If it raises, it is called again later: it must be idempotent."""


class Seals:
    """Calls back for each finished segment, in order, again and again until it succeeds."""

    def __init__(self, on_sealed: OnSealed, *, retry_seconds: float) -> None:
        self._on_sealed, self._retry_seconds = on_sealed, retry_seconds
        self._queue: queue.Queue[Seal | None] = queue.Queue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="belt-seals", daemon=True)

    @property
    def waiting(self) -> int:
        """How many finished segments wait to be told, about."""
        return self._queue.qsize()

    def start(self) -> None:
        """Begin telling."""
        self._thread.start()

    def tell(self, seal: Seal) -> None:
        """Queue a finished segment; never blocks."""
        self._queue.put(seal)

    def close(self) -> None:
        """Try once more what waits, then stop.  What still fails is told at the next start."""
        self._closing.set()
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (seal := self._queue.get()) is not None:
            while not self._tell(seal) and not self._closing.wait(self._retry_seconds):
                pass

    def _tell(self, seal: Seal) -> bool:
        try:
            self._on_sealed(*seal)
        except Exception:  # noqa: BLE001  whatever the service raises, the seal must be told again
            structlog.get_logger().exception("belt.seal_not_told", segment=seal.segment)
            return False
        return True
