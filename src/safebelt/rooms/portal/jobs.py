"""What the portal does by itself: tend the complaints."""

from safebelt.kernel.rooms import Habit
from safebelt.rooms.portal.service import Portal

TEND_SECONDS = 60.0
"""Days end at midnight, UTC; a minute later what is overdue is marked.  A turn without work reads two indexes."""


def habits(portal: Portal) -> tuple[Habit, ...]:
    """Return what the portal does by itself."""
    return (Habit(name="portal.complaints", every_seconds=TEND_SECONDS, step=portal.complaints.tend),)
