"""Limits that persons ordered: how much may pass, counted by all workers of a machine together.

Each limit has a page shared by file, `<home>/belt/limits/<order>`, with a region for each worker, written by that
worker alone.  Whoever lets an exchange in counts it first and looks at the sum of all regions second; where that is too
much it takes its own back.  So never more than was ordered begin, whoever else counts at the same moment; at worst two
who meet both go away.  An exchange counts for 61 seconds at most: seconds are whole, and none is let in too early.
"""

import mmap
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from safebelt.rooms.belt.model import OrderTerms

MOST_WORKERS = 64
"""As many as the settings allow."""
_SECONDS = 61
_ALIVE, _RUNNING, _REFUSED, _SLOTS = 0, 1, 2, 3
_WORDS = _SLOTS + _SECONDS
_SIZE = _WORDS * 8 * MOST_WORKERS
_COUNT_BITS = 24
_MASK = (1 << _COUNT_BITS) - 1
_DEAD_SECONDS = 2.0
"""What a worker runs that gave no sign for so long is not counted any more: it was killed, or stands still."""
_BUSY_SECONDS = 1
"""When it is worth asking again where too many run: nobody knows when the next one ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """How much of a limit is used now.

    Attributes:
        in_minute: Exchanges that began in the last minute and were let in.
        running: Exchanges that run.
        refused: How many were refused since the order.
    """

    in_minute: int = 0
    running: int = 0
    refused: int = 0


class Ration:
    """One limit.  Whoever calls keeps others of its own process out (the switch's lock).

    Args:
        order_id: By which order.
        terms: How much it lets pass.
        page: Shared by the workers, or this worker's own.
        worker: Which one this is, from one.
        workers: How many there may be.
        ticks: The machine's monotonic clock, in seconds.
    """

    def __init__(
        self,
        order_id: str,
        terms: OrderTerms,
        page: mmap.mmap | bytearray,
        *,
        worker: int = 1,
        workers: int = 1,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.order_id, self.terms = order_id, terms
        # Words, each read and written at one stroke: `struct` blanks before it writes, and another would see nothing.
        self._page = memoryview(page).cast("Q")
        self._base, self._worker, self._ticks = (worker - 1) * _WORDS, worker, ticks
        self._workers = max(worker, workers)
        self._set(_RUNNING, 0)  # what ran in a worker of this number that was killed runs no more
        self.mark()

    def mark(self) -> None:
        """Give a sign of life."""
        self._set(_ALIVE, int(self._ticks() * 1000) + 1)

    def take(self) -> int:
        """Count one exchange more; return 0, or where that is too much, nothing is counted: after how many seconds."""
        now = int(self._ticks())
        self._add(now, 1)
        self._set(_RUNNING, self._get(_RUNNING) + 1)
        wait = self._over(now)
        if wait:
            self.give_back(now)
            self._set(_REFUSED, self._get(_REFUSED) + 1)
        return wait

    def _over(self, now: int) -> int:
        """Return 0 where what is counted is not too much, else how long it stays so."""
        begun = self._begun(now) if self.terms.per_minute else {}
        left = sum(begun.values()) - self.terms.per_minute
        for second in sorted(begun):
            if left <= 0:
                break
            left -= begun[second]
            if left <= 0:
                return max(1, second + _SECONDS - now)
        return _BUSY_SECONDS if 0 < self.terms.at_once < self._running() else 0

    def count(self) -> int:
        """Return the second in which `take` counts now."""
        return int(self._ticks())

    def join(self) -> None:
        """Count one that runs already."""
        self._set(_RUNNING, self._get(_RUNNING) + 1)

    def leave(self) -> None:
        """Note that one has ended."""
        self._set(_RUNNING, max(0, self._get(_RUNNING) - 1))

    def give_back(self, second: int) -> None:
        """Take one back that was counted in a second, as if it had never come."""
        self._add(second, -1)
        self.leave()

    def used(self) -> Used:
        """Return how much is used now, by all workers."""
        now = int(self._ticks())
        refused = sum(self._get(_REFUSED, worker) for worker in range(1, self._workers + 1))
        return Used(in_minute=sum(self._begun(now).values()), running=self._running(), refused=refused)

    # ------------------------------------------------------------------ the page

    def _begun(self, now: int) -> dict[int, int]:
        """Return how many began in each second that counts still."""
        found: dict[int, int] = {}
        for worker in range(1, self._workers + 1):
            base = (worker - 1) * _WORDS
            for word in self._page[base + _SLOTS : base + _WORDS].tolist():
                second, count = word >> _COUNT_BITS, word & _MASK
                if count and now - _SECONDS < second <= now + 1:
                    found[second] = found.get(second, 0) + count
        return found

    def _running(self) -> int:
        return sum(self._get(_RUNNING, worker) for worker in range(1, self._workers + 1) if self._is_alive(worker))

    def _is_alive(self, worker: int) -> bool:
        age = self._ticks() - self._get(_ALIVE, worker) / 1000
        return worker == self._worker or -1 < age < _DEAD_SECONDS

    def _add(self, second: int, more: int) -> None:
        field = _SLOTS + second % _SECONDS
        word = self._get(field)
        if word >> _COUNT_BITS == second:
            count = (word & _MASK) + more
        elif more > 0:
            count = more
        else:
            return  # it was forgotten meanwhile
        self._set(field, second << _COUNT_BITS | max(0, count))

    def _get(self, field: int, worker: int = 0) -> int:
        return self._page[((worker - 1) * _WORDS if worker else self._base) + field]

    def _set(self, field: int, value: int) -> None:
        self._page[self._base + field] = value


class Rations:
    """The folder of limits.

    Args:
        folder: `<home>/belt/limits`; None keeps every count in this process alone.
        worker: Which worker this is, from one.
        workers: How many there are.
        ticks: The machine's monotonic clock, in seconds.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        worker: int = 1,
        workers: int = 1,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._worker, self._workers, self._ticks = folder, worker, workers, ticks

    def open(self, order_id: str, terms: OrderTerms) -> Ration:
        """Return what counts for an order.

        Where the disk refuses a page, this worker counts alone, and takes its share of the number: the limit holds.
        """
        page: mmap.mmap | bytearray | None = None
        if self._folder is not None:
            try:
                page = _mapped(self._folder, order_id)
            except (OSError, ValueError):
                terms = self._share(terms)
        worker, workers = (self._worker, self._workers) if page is not None else (1, 1)
        page = page if page is not None else bytearray(_SIZE)
        return Ration(order_id, terms, page, worker=worker, workers=workers, ticks=self._ticks)

    def _share(self, terms: OrderTerms) -> OrderTerms:
        def part(number: int) -> int:
            return max(1, number // self._workers) if number else 0

        return OrderTerms(per_minute=part(terms.per_minute), at_once=part(terms.at_once), basis=terms.basis)

    def forget(self, order_id: str) -> None:
        """Take away the page of an order that is lifted; who has it open still may go on."""
        if self._folder is not None:
            try:
                (self._folder / order_id).unlink(missing_ok=True)
            except OSError:
                return  # an unused page of 32 KB stays


def used_now(folder: Path, order_id: str, ticks: Callable[[], float] = time.monotonic) -> Used | None:
    """Return how much of a limit is used, as whoever is no worker reads it; None where no worker has begun to count."""
    try:
        page = bytearray((folder / order_id).read_bytes())
    except OSError:
        return None
    if len(page) != _SIZE:
        return None
    outside = Ration(order_id, OrderTerms(), page + bytearray(_WORDS * 8), worker=MOST_WORKERS + 1, ticks=ticks)
    return outside.used()


def _mapped(folder: Path, order_id: str) -> mmap.mmap:
    """Open a page, made whole by whoever comes first: a sparse one could fail in the middle of a count."""
    path = folder / order_id
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = folder / f".{order_id}.{os.getpid()}"
        temporary.write_bytes(bytes(_SIZE))
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass  # another worker was first
        finally:
            temporary.unlink(missing_ok=True)
    with path.open("r+b") as file:
        return mmap.mmap(file.fileno(), _SIZE)
