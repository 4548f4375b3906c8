"""What labelling does by itself: the hands that sign contents are renewed in time."""

from safebelt.kernel.rooms import Habit
from safebelt.rooms.labelling.service import Labelling

_RENEW_SECONDS = 3600.0


def habits(labelling: Labelling) -> tuple[Habit, ...]:
    """Return the room's habits."""
    return (Habit(name="labelling.renew", every_seconds=_RENEW_SECONDS, step=labelling.renew_hands),)
