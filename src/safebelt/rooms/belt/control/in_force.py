"""Orders in force, as they are kept, and what came of applying one.

A module of its own, because the switch is compiled, and a dataclass must not be: what reads and writes it as JSON would
not find its fields.
"""

from dataclasses import dataclass

from safebelt.rooms.belt.control.line import Line
from safebelt.rooms.belt.model import NO_TERMS, Command, OrderTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """An order in force."""

    command: Command
    order_id: str
    terms: OrderTerms = NO_TERMS


RUNNING = InForce(command=Command.RUN, order_id="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What applying an order did.

    Attributes:
        touched: Running lines the order concerns.
        cut: Those it ended.
        held: How many it holds.
    """

    touched: tuple[Line, ...]
    cut: tuple[Line, ...]
    held: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """A limit that an exchange would go beyond.

    Attributes:
        order_id: By which order.
        target: What it is for, as the order names it.
        terms: What it lets pass.
        seconds: When it is worth asking again.
    """

    order_id: str
    target: str
    terms: OrderTerms
    seconds: int
