"""What labelling does by itself: hands are renewed in time, and who received a copy is erased in time."""

from safebelt.kernel.rooms import Habit
from safebelt.rooms.labelling.service import Labelling

_RENEW_SECONDS = 3600.0
_FORGET_SECONDS = 3600.0
"""What is kept until a day is erased within the hour after it, UTC; a turn without work reads one index."""


def habits(labelling: Labelling) -> tuple[Habit, ...]:
    """Return the room's habits."""
    return (
        Habit(name="labelling.renew", every_seconds=_RENEW_SECONDS, step=labelling.renew_hands),
        Habit(name="labelling.forget", every_seconds=_FORGET_SECONDS, step=labelling.forget),
    )
