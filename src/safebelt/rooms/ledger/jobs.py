"""The ledger's own work: sequence, integrate and sign, so that what was done is provable within a second."""

from safebelt.kernel.rooms import Habit
from safebelt.rooms.ledger.service import Ledger

ADVANCE_EVERY_SECONDS = 0.4
"""The promise is a signed head at most one second old; the rest is room for the work itself."""


def habits(ledger: Ledger) -> tuple[Habit, ...]:
    """Return what the ledger does by itself."""
    return (Habit(name="ledger.advance", every_seconds=ADVANCE_EVERY_SECONDS, step=ledger.advance),)
