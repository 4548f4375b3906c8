"""Judgments of the belt: what a finding comes to, and what of a text may be passed on.  Pure."""

from safebelt.rooms.belt.decide.arguments import Matches, plain, steps
from safebelt.rooms.belt.decide.keys import (
    ATTRIBUTES,
    WORD,
    hold_terms,
    is_over,
    opens,
    read_limits,
    scope_of,
    written_limits,
)
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
    joined,
    judge,
    strictest,
)
from safebelt.rooms.belt.decide.toolcalls import MAX_NAME_CHARS, is_offered, judge_call

__all__ = [
    "ATTRIBUTES",
    "MASKED",
    "MAX_NAME_CHARS",
    "PLACEHOLDERS",
    "WORD",
    "Matches",
    "RawHit",
    "Redactor",
    "Resolver",
    "apply",
    "as_hit",
    "changed_red_lines",
    "done_by",
    "hits_of",
    "hold_terms",
    "in_force",
    "is_acting",
    "is_offered",
    "is_over",
    "joined",
    "judge",
    "judge_call",
    "mask",
    "missing_red_lines",
    "opens",
    "placeholder",
    "plain",
    "read_limits",
    "scope_of",
    "steps",
    "strictest",
    "written_limits",
]
