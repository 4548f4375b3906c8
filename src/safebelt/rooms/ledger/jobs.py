"""The ledger's own work: sequence, integrate and sign; have it cosigned; and look at other logs.

Each is a habit by itself: a witness that is slow, or a log that does not answer, holds up no entry.
"""

from safebelt.kernel.rooms import Habit
from safebelt.rooms.ledger.service import Ledger

ADVANCE_EVERY_SECONDS = 0.4
"""The promise is a signed head at most one second old; the rest is room for the work itself."""


def habits(ledger: Ledger) -> tuple[Habit, ...]:
    """Return what the ledger does by itself."""
    return (
        Habit(name="ledger.advance", every_seconds=ADVANCE_EVERY_SECONDS, step=ledger.advance),
        Habit(name="ledger.collect", every_seconds=ledger.witness_seconds, step=ledger.asking.collect),
        Habit(name="ledger.monitor", every_seconds=ledger.monitor_seconds, step=ledger.following.look),
    )
