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


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldOrdered(Event):
    """A person paused a system so that new requests wait.  The subject is the system, or what else it is for.

    Attributes:
        command: `pause`.
        hold_seconds: How long a new request may wait before it is refused.
        hold_most: How many may wait on one machine.
    """

    kind: ClassVar[str] = "belt.hold_ordered.v1"
    title: ClassVar[Text] = Text(zh="下达了暂停命令，新请求等候", en="Order given: pause, and let new requests wait")
    apart: ClassVar[frozenset[str]] = frozenset({"reason"})
    order_id: str
    command: str
    hold_seconds: int
    hold_most: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionOrdered(Event):
    """A person rolled back to an earlier version, or went forward again.  The subject is what it is for.

    Attributes:
        command: `roll_back` or `forward`.
        to: Name of the earlier version in the settings; empty where only the model's name changes.
        model: Name the model is asked for by; empty for the caller's own.
        upstream: Address of the earlier version; empty for the ordinary upstream.
        ends_running: Whether running answers were cut; else they ended where they began.
    """

    kind: ClassVar[str] = "belt.version_ordered.v1"
    title: ClassVar[Text] = Text(zh="回退到较早版本，或撤销回退", en="Order given: roll back to a version, or forward")
    apart: ClassVar[frozenset[str]] = frozenset({"reason", "to", "model", "upstream"})
    order_id: str
    command: str
    to: str
    model: str
    upstream: str
    ends_running: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An earlier version that traffic can be rolled back to, as the settings name it.

    Attributes:
        name: What orders call it.
        upstream: Its address; empty where the ordinary upstream serves it still.
        model: Name the model is asked for by; empty for the caller's own.
        systems: Systems it is for; empty for any.
    """

    name: str
    upstream: str = ""
    model: str = ""
    systems: tuple[str, ...] = ()
