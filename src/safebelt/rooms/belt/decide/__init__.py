"""Judgments of the belt: what a finding comes to, and what of a text may be passed on.  Pure."""

from safebelt.rooms.belt.decide.masking import MASKED, PLACEHOLDERS, Redactor, mask, placeholder
from safebelt.rooms.belt.decide.screening import (
    RawHit,
    Resolver,
    apply,
    as_hit,
    done_by,
    hits_of,
    in_force,
    is_acting,
    judge,
    strictest,
)

__all__ = [
    "MASKED",
    "PLACEHOLDERS",
    "RawHit",
    "Redactor",
    "Resolver",
    "apply",
    "as_hit",
    "done_by",
    "hits_of",
    "in_force",
    "is_acting",
    "judge",
    "mask",
    "placeholder",
    "strictest",
]
