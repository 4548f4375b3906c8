"""Machinery that judges a whole population by columns: what a million systems owe, and what a change does to them."""

from safebelt.rooms.rulebook.columns.alike import Alike, Key
from safebelt.rooms.rulebook.columns.judging import BATCH_ROWS, Columns, compile_law, compile_together
from safebelt.rooms.rulebook.columns.layout import Layout
from safebelt.rooms.rulebook.columns.verdicts import RowVerdicts, Tally, Verdicts

__all__ = [
    "BATCH_ROWS",
    "Alike",
    "Columns",
    "Key",
    "Layout",
    "RowVerdicts",
    "Tally",
    "Verdicts",
    "compile_law",
    "compile_together",
]
