"""Judgments of the belt: what a finding comes to, and what of a text may be passed on.  Pure."""

from safebelt.rooms.belt.decide.arguments import Matches, plain, steps
from safebelt.rooms.belt.decide.masking import MASKED, PLACEHOLDERS, Redactor, mask, placeholder
from safebelt.rooms.belt.decide.red_lines import changed_red_lines, missing_red_lines
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
from safebelt.rooms.belt.decide.toolcalls import MAX_NAME_CHARS, is_offered, judge_call

__all__ = [
    "MASKED",
    "MAX_NAME_CHARS",
    "PLACEHOLDERS",
    "Matches",
    "RawHit",
    "Redactor",
    "Resolver",
    "apply",
    "as_hit",
    "changed_red_lines",
    "done_by",
    "hits_of",
    "in_force",
    "is_acting",
    "is_offered",
    "judge",
    "judge_call",
    "mask",
    "missing_red_lines",
    "placeholder",
    "plain",
    "steps",
    "strictest",
]
