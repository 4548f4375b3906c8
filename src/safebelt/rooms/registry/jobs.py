"""What the registry does by itself: notice what a new day or new law turns, and go on with what people began."""

from safebelt.kernel.rooms import Habit
from safebelt.rooms.registry.service import Registry

WATCH_SECONDS = 30.0
"""A date of the law begins at midnight, UTC; half a minute later the first systems it bars are out of service.  A turn
in which nothing has turned reads one row."""
GO_ON_SECONDS = 2.0
"""Somebody waits before a page for an import or an act on many systems: it goes on at once, and costs one row else."""
EXPIRE_SECONDS = 5.0
"""A job that fell silent is told from one that works within seconds of its lease's end."""
MERGE_SECONDS = 20.0
"""Fresh entries of the index are found anyway, only slower the more there are."""


def habits(registry: Registry) -> tuple[Habit, ...]:
    """Return what the registry does by itself."""
    return (
        Habit(name="registry.watch", every_seconds=WATCH_SECONDS, step=registry.watch),
        Habit(name="registry.labels", every_seconds=WATCH_SECONDS, step=registry.keep_labels),
        Habit(name="registry.import", every_seconds=GO_ON_SECONDS, step=registry.import_waiting),
        Habit(name="registry.bulk", every_seconds=GO_ON_SECONDS, step=registry.step_bulks),
        Habit(name="registry.expire", every_seconds=EXPIRE_SECONDS, step=registry.expire_jobs),
        Habit(name="registry.merge", every_seconds=MERGE_SECONDS, step=registry.keep_index),
    )
