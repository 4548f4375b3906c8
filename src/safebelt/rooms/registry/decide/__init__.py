"""Judgments of the registry: words in; result, event and reason out."""

from safebelt.rooms.registry.decide.register import (
    NAME_LIMIT,
    TEXT_LIMIT,
    change_system,
    has_duties,
    has_evidence,
    hold_describable,
    name_person,
    on_file,
    persons_by_bearer,
    register_party,
    register_system,
    standing,
    suspended_by,
)

__all__ = [
    "NAME_LIMIT",
    "TEXT_LIMIT",
    "change_system",
    "has_duties",
    "has_evidence",
    "hold_describable",
    "name_person",
    "on_file",
    "persons_by_bearer",
    "register_party",
    "register_system",
    "standing",
    "suspended_by",
]
