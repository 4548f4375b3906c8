"""Judgments of the rulebook: facts and a day in; what applies, why and when out.  Pure."""

from safebelt.rooms.rulebook.decide.bench import Bench, prepare
from safebelt.rooms.rulebook.decide.calendar import calendar
from safebelt.rooms.rulebook.decide.crosswalks import Pair, crosswalk
from safebelt.rooms.rulebook.decide.dates import due_dates, due_of
from safebelt.rooms.rulebook.decide.faults import faults
from safebelt.rooms.rulebook.decide.judging import EVERYWHERE, PLACES, exit_code, judge, red_lines, touched
from safebelt.rooms.rulebook.decide.overlays import Consolidation, consolidate, differences, reading, text_on
from safebelt.rooms.rulebook.decide.owing import coverage, owe
from safebelt.rooms.rulebook.decide.walking import Reach, Walker, leaves, overriders
from safebelt.rooms.rulebook.decide.world import World

__all__ = [
    "EVERYWHERE",
    "PLACES",
    "Bench",
    "Consolidation",
    "Pair",
    "Reach",
    "Walker",
    "World",
    "calendar",
    "consolidate",
    "coverage",
    "crosswalk",
    "differences",
    "due_dates",
    "due_of",
    "exit_code",
    "faults",
    "judge",
    "leaves",
    "overriders",
    "owe",
    "prepare",
    "reading",
    "red_lines",
    "text_on",
    "touched",
]
