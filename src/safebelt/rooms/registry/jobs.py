"""What the registry does by itself: it notices what a new day, or a new state of the law, turns."""

from safebelt.kernel.rooms import Habit
from safebelt.rooms.registry.service import Registry

EVERY_SECONDS = 30.0
"""A date of the law begins at midnight, UTC; half a minute later the first systems it bars are out of service.  A turn
in which nothing has turned reads one row."""


def habits(registry: Registry) -> tuple[Habit, ...]:
    """Return what the registry does by itself."""
    return (Habit(name="registry.watch", every_seconds=EVERY_SECONDS, step=registry.watch),)
