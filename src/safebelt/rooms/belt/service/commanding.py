"""What came over the command bus, and whether it is still heard."""

from contextlib import closing

from safebelt.kernel.actors import MACHINE
from safebelt.rooms.belt.control.in_force import RUNNING
from safebelt.rooms.belt.control.lease import Lease
from safebelt.rooms.belt.control.switch import ALL, key_of
from safebelt.rooms.belt.model import Layer, OrderRefused
from safebelt.rooms.belt.service.base import Chapter
from safebelt.rooms.belt.service.words import BusNow, Holds

EVERYTHING = "belt"
"""Subject of the ledger entry of an order for all systems."""


class Commanding(Chapter):
    """Orders from elsewhere."""

    def bus(self) -> BusNow | None:
        """Return how this machine stands to the command bus; None where it obeys nobody elsewhere."""
        if self._t.lease_seconds is None:
            return None
        with closing(Lease(self._t.box.folder / "lease", self._t.lease_seconds or float("inf"))) as lease:
            age, is_lapsed = lease.age_seconds(), lease.is_lapsed()
        orders = self._t.box.state().orders
        theirs = orders.get(key_of(ALL, Layer.BUS), RUNNING)
        return BusNow(
            lease_seconds=self._t.lease_seconds,
            silent_seconds=None if age == float("inf") else round(age, 1),
            is_lapsed=is_lapsed,
            ordered=Holds(command=theirs.command, order_id=theirs.order_id),
        )

    def note_refused(self, why: str, number: int, count: int) -> None:
        """Remember that messages on the command bus were not obeyed."""
        with self._t.sql.begin() as tx:
            event = OrderRefused(subject=EVERYTHING, why=why, number=number, count=count)
            self._t.ledger.append(tx, event, by=MACHINE)
