"""Judgments of the registry: words in; result, event and reason out."""

from safebelt.rooms.registry.decide.register import (
    MOVES,
    NAME_LIMIT,
    TEXT_LIMIT,
    change_system,
    has_duties,
    hold_describable,
    hold_not_barred,
    name_person,
    persons_by_bearer,
    register_party,
    register_system,
    standing,
    suspension,
)

__all__ = [
    "MOVES",
    "NAME_LIMIT",
    "TEXT_LIMIT",
    "change_system",
    "has_duties",
    "hold_describable",
    "hold_not_barred",
    "name_person",
    "persons_by_bearer",
    "register_party",
    "register_system",
    "standing",
    "suspension",
]
