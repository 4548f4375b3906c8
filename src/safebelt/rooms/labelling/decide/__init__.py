"""Judgments of labelling: which label a content gets, what a found one is worth, what a check comes to.  Pure."""

from safebelt.rooms.labelling.decide.label import (
    as_field,
    as_header,
    incomplete,
    is_label_value,
    label,
    lang_of,
    made,
    missing,
    notice_for,
    provider_code_holds,
    provider_code_of,
)

__all__ = [
    "as_field",
    "as_header",
    "incomplete",
    "is_label_value",
    "label",
    "lang_of",
    "made",
    "missing",
    "notice_for",
    "provider_code_holds",
    "provider_code_of",
]
