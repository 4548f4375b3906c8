"""Orders that do not stop but bound: what the ledger remembers of them."""

from dataclasses import dataclass
from typing import ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitOrdered(Event):
    """A person limited traffic, or lifted a limit.  The subject is the system, or what else it is for.

    Attributes:
        command: `limit` or `unlimit`.
        per_minute: Exchanges that may begin in a minute; 0 for any number.
        at_once: Exchanges that may run at the same time; 0 for any number.
        basis: What it rests on, as typed; empty for a house rule.
    """

    kind: ClassVar[str] = "belt.limit_ordered.v1"
    title: ClassVar[Text] = Text(zh="下达或解除了限流命令", en="Order given: limit traffic, or lift the limit")
    apart: ClassVar[frozenset[str]] = frozenset({"reason", "basis"})
    order_id: str
    command: str
    per_minute: int
    at_once: int
    basis: str
    reason: str
