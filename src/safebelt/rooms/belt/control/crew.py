"""The belt's workers on this machine: who is at work, and who has not confirmed an order yet.

Each worker is a process of its own with its own pulse page, `pulse`, `pulse-w2` …  An order has taken effect when every
worker that is at work has confirmed it; whoever confirms last, or notices that a worker has gone, adds the
confirmations up to one proof.  A worker that has gone serves nobody, and obeys before it opens its port again.
"""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from safebelt.rooms.belt.control.heartbeat import Heartbeat
from safebelt.rooms.belt.control.orders import OrderBox
from safebelt.rooms.belt.model import Order, StopProof

_PAGE = re.compile(r"pulse(?:-w([1-9]\d?))?")
_MISSED_SECONDS = 5.0
"""What no box holds, a silence or a line in the stop file that was gone at once, a worker may never have seen."""
UNCOUNTED = -1
"""Streams of a worker that was killed: all of them ended, and nobody counted."""


def pulse_page(folder: Path, worker: int) -> Path:
    """Return where a worker's pulse is, by its number from one."""
    return folder / ("pulse" if worker <= 1 else f"pulse-w{worker}")


class Crew:
    """The workers of one belt's folder.

    Args:
        box: Orders, confirmations and proofs.
    """

    def __init__(self, box: OrderBox) -> None:
        self._box, self._folder = box, box.folder
        self._pages: dict[int, Heartbeat] = {}

    def known(self) -> list[int]:
        """Return the numbers of all workers that ever had a page here."""
        found = (_PAGE.fullmatch(path.name) for path in self._folder.glob("pulse*"))
        return sorted(int(match[1] or 1) for match in found if match)

    def page(self, worker: int) -> Heartbeat:
        """Return a worker's pulse page."""
        if worker not in self._pages:
            self._pages[worker] = Heartbeat(pulse_page(self._folder, worker))
        return self._pages[worker]

    def at_work(self) -> dict[int, int]:
        """Return the process id of every worker that is there, by number; one that was killed is not."""
        pids = {worker: self.page(worker).pid for worker in self.known()}
        return {worker: pid for worker, pid in pids.items() if pid and _exists(pid)}

    def confirm(self, worker: int, proof: StopProof) -> None:
        """Keep what one worker can prove of an order; with the last one the order is proven.

        Raises:
            OSError: The disk refuses.
        """
        if not (self.at_work().keys() - {worker}) and not self._box.confirmed(proof.order.id):
            self._box.done(proof)
            return
        self._box.confirm(worker, proof)
        self.settle()

    def settle(self) -> None:
        """Prove every order that all workers at work have confirmed.

        Raises:
            OSError: The disk refuses.
        """
        open_orders = self._box.unsettled()
        if not open_orders:
            return
        there = self.at_work().keys()
        for order_id in open_orders:
            parts = self._box.confirmed(order_id)
            is_missed = not self._box.is_waiting(order_id) and self._box.oldest_confirmation(order_id) > _MISSED_SECONDS
            if parts and (there <= parts.keys() or is_missed):
                self._box.done(added_up(list(parts.values())))
                self._box.forget_confirmations(order_id)

    def owing(self, orders: Iterable[Order]) -> dict[int, tuple[str, ...]]:
        """Return which orders each worker at work has not confirmed."""
        parts = {order.id: self._box.confirmed(order.id).keys() for order in orders}
        return {
            worker: tuple(id_ for id_, who in parts.items() if worker not in who) for worker in sorted(self.at_work())
        }

    def close(self) -> None:
        """Let the pages go."""
        for page in self._pages.values():
            page.close()
        self._pages.clear()


def added_up(parts: Sequence[StopProof]) -> StopProof:
    """Return one proof of several: in force when the last had obeyed, with the streams and bytes of all."""
    last = max(parts, key=lambda part: part.effective_at)
    is_counted = all(part.streams_cut != UNCOUNTED for part in parts)
    return StopProof(
        order=last.order,
        seen_at=max(part.seen_at for part in parts),
        effective_at=last.effective_at,
        streams_cut=sum(part.streams_cut for part in parts) if is_counted else UNCOUNTED,
        streams_held=sum(part.streams_held for part in parts),
        bytes_after=sum(part.bytes_after for part in parts),
        killed_by_supervisor=any(part.killed_by_supervisor for part in parts),
        worker=last.worker,
    )


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's by now, or not ours to ask: who may be there counts as there
    return True
