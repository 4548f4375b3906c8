"""An order that somebody wants; and a pause that lets new requests wait: how many, and for how long."""

from dataclasses import dataclass

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.belt.model import NO_TERMS, Command, OrderTerms, Scope, scope_of

MOST_SECONDS = 300
"""Most clients and proxies have given up by then."""
MOST_WAITING = 10_000
"""Each keeps a connection open; `control/waiting_room.py` bounds their bytes besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An order that somebody wants to give, checked.

    Attributes:
        command: What.
        target: For what.
        terms: What it says besides.
        eases: Whether it lets more pass than the one of its kind that stands, or other things.
    """

    command: Command
    target: str
    terms: OrderTerms = NO_TERMS
    eases: bool = False


def checked_hold(command: Command, target: str, terms: OrderTerms) -> OrderTerms:
    """Return the terms of an order to stop or run.

    Raises:
        Invalid: They let nothing wait, or what they are for cannot wait; nothing was ordered.
    """
    if terms == NO_TERMS:
        return NO_TERMS
    if command is not Command.PAUSE:
        raise _no_hold("command", Text(zh="只有暂停可以让请求等候。", en="Only a pause lets requests wait."))
    if scope_of(target.strip()) is Scope.TOOL:
        raise _no_hold("part", Text(zh="工具调用不能等候。", en="A tool's calls cannot wait here."))
    if not (0 < terms.hold_seconds <= MOST_SECONDS and 0 < terms.hold_most <= MOST_WAITING):
        raise _no_hold("hold_seconds", Text(zh="数目超出范围。", en="A number is out of range."))
    return OrderTerms(hold_seconds=terms.hold_seconds, hold_most=terms.hold_most)


def _no_hold(field: str, what: Text) -> Invalid:
    return Invalid(
        what=what,
        hint=Text(
            zh=f"没有下达命令。请求可等候 1–{MOST_SECONDS} 秒，每台机器至多 {MOST_WAITING} 个；或下达不等候的暂停。",
            en=f"Nothing was ordered. Requests may wait for 1 to {MOST_SECONDS} s, {MOST_WAITING} on a machine; or "
            "pause without it.",
        ),
        details={"field": field},
    )
