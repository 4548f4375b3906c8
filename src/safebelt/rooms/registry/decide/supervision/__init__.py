"""Judgments of supervision: who may take which step when, what follows from it, and by which day."""

from safebelt.rooms.registry.decide.supervision.dates import days_left, last_day
from safebelt.rooms.registry.decide.supervision.forms import OUTCOMES_OF, answer, hold_office, new_case, write
from safebelt.rooms.registry.decide.supervision.positions import (
    BURDENS,
    measure_of,
    next_due,
    opportunity,
    position,
    pressing,
    standing_of,
    targets,
    waits_on,
)
from safebelt.rooms.registry.decide.supervision.rules import RULES, may
from safebelt.rooms.registry.decide.supervision.seeing import hold_side, may_see, sides_of
from safebelt.rooms.registry.decide.supervision.serving import file_step, note_receipt, publish, serve

__all__ = [
    "BURDENS",
    "OUTCOMES_OF",
    "RULES",
    "answer",
    "days_left",
    "file_step",
    "hold_office",
    "hold_side",
    "last_day",
    "may",
    "may_see",
    "measure_of",
    "new_case",
    "next_due",
    "note_receipt",
    "opportunity",
    "position",
    "pressing",
    "publish",
    "serve",
    "sides_of",
    "standing_of",
    "targets",
    "waits_on",
    "write",
]
