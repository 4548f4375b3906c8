"""Judgments of the portal.  Pure."""

from safebelt.rooms.portal.decide.public import (
    NOT_LEGAL_ADVICE,
    basis_label,
    class_label,
    csv_rows,
    entry_view,
    line_view,
    shown_on,
    statistics,
)

__all__ = [
    "NOT_LEGAL_ADVICE",
    "basis_label",
    "class_label",
    "csv_rows",
    "entry_view",
    "line_view",
    "shown_on",
    "statistics",
]
