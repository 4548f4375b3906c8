"""Judgments about jobs that train, tune, promote or update: every step pure, with its reason and its event."""

from safebelt.rooms.registry.decide.training.asking import ask, grant, granted, lapse_unbegun, refuse, start
from safebelt.rooms.registry.decide.training.base import Moved
from safebelt.rooms.registry.decide.training.gate import (
    CHECK_IDS,
    Case,
    Compute,
    Demand,
    changed,
    check,
    closed,
    demands,
)
from safebelt.rooms.registry.decide.training.running import (
    HOUSE,
    Heard,
    answer,
    carried_out,
    check_report,
    finish,
    lapse,
    report,
    stop,
    stride,
)

__all__ = [
    "CHECK_IDS",
    "HOUSE",
    "Case",
    "Compute",
    "Demand",
    "Heard",
    "Moved",
    "answer",
    "ask",
    "carried_out",
    "changed",
    "check",
    "check_report",
    "closed",
    "demands",
    "finish",
    "grant",
    "granted",
    "lapse",
    "lapse_unbegun",
    "refuse",
    "report",
    "start",
    "stop",
    "stride",
]
