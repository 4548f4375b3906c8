"""Words of labelling: the label, the marks a file can carry, and what a check of it says."""

from safebelt.rooms.labelling.model.checks import (
    AXES,
    VERDICTS,
    Axis,
    AxisFound,
    Checked,
    FoundLabel,
    Verdict,
)
from safebelt.rooms.labelling.model.label import CITATIONS, KEYS, NOTICE, AigcLabel, Conformance, Generation
from safebelt.rooms.labelling.model.marks import MARKS, Duty, Mark, Marked, Wish

__all__ = [
    "AXES",
    "CITATIONS",
    "KEYS",
    "MARKS",
    "NOTICE",
    "VERDICTS",
    "AigcLabel",
    "Axis",
    "AxisFound",
    "Checked",
    "Conformance",
    "Duty",
    "FoundLabel",
    "Generation",
    "Mark",
    "Marked",
    "Verdict",
    "Wish",
]
