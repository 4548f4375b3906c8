"""What the belt does by itself: bring proofs to the ledger, and the index up to what is on disk."""

from safebelt.kernel.rooms import Habit
from safebelt.rooms.belt.service import Belt

EVERY_SECONDS = 0.4
"""A person who ordered a stop, or sent a prompt, finds it on the page within a second; both steps are cheap when
there is nothing to do."""
EXPORT_SECONDS = 2.0
"""Telemetry is looked at by the minute; nobody waits for it."""
MEASURE_SECONDS = 1.0
"""Somebody who asked for a measurement watches the page; a look is a listing of one folder."""
AGING_SECONDS = 600.0
"""Texts and segments grow old by the day; where nothing is too old a look costs milliseconds."""


def habits(belt: Belt) -> tuple[Habit, ...]:
    """Return what the belt does by itself."""
    return (
        Habit(name="belt.collect_proofs", every_seconds=EVERY_SECONDS, step=belt.collect_proofs),
        Habit(name="belt.keep_two_people", every_seconds=EVERY_SECONDS, step=belt.keep_two_people),
        Habit(name="belt.collect_calls", every_seconds=EVERY_SECONDS, step=belt.collect_calls),
        Habit(name="belt.sweep", every_seconds=AGING_SECONDS, step=belt.sweep),
        Habit(name="belt.let_go", every_seconds=AGING_SECONDS, step=belt.let_go),
        Habit(name="belt.index", every_seconds=EVERY_SECONDS, step=belt.index),
        Habit(name="belt.strikes", every_seconds=EVERY_SECONDS, step=belt.look_for_strikes),
        Habit(name="belt.measure_wanted", every_seconds=MEASURE_SECONDS, step=belt.measure_wanted),
        Habit(name="belt.export", every_seconds=EXPORT_SECONDS, step=belt.export),
    )
