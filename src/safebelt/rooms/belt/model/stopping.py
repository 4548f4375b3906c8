"""Words of human command: orders, and the proof that they worked."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text


class Matter(StrEnum):
    """What an order is about.  Orders of two matters stand beside one another, and neither lifts the other."""

    STOP = ""
    LIMIT = "limit"
    VERSION = "version"


class Command(StrEnum):
    """What a person can order.

    `run` lets traffic pass; `pause` holds running streams, and refuses new work or lets it wait (`OrderTerms`);
    `drain` refuses new work and lets running work end; `cut` refuses new work and ends running work now.
    `limit` lets so much pass and no more, until `unlimit`.  `roll_back` sends what comes to an earlier version,
    until `forward`.
    """

    RUN = "run"
    PAUSE = "pause"
    DRAIN = "drain"
    CUT = "cut"
    LIMIT = "limit"
    UNLIMIT = "unlimit"
    ROLL_BACK = "roll_back"
    FORWARD = "forward"

    @property
    def matter(self) -> Matter:
        """What it is about."""
        return _MATTERS.get(self, Matter.STOP)

    @property
    def lifts(self) -> bool:
        """Whether it takes back what was ordered in its matter."""
        return self in LIFTING.values()

    @property
    def weight(self) -> int:
        """Place in the order of severity: of an order for all and one for a system the stricter holds."""
        return _WEIGHTS[self]


STOPS = (Command.RUN, Command.PAUSE, Command.DRAIN, Command.CUT)
"""Orders to stop, and to run again, mildest first."""
LIFTING = {Matter.STOP: Command.RUN, Matter.LIMIT: Command.UNLIMIT, Matter.VERSION: Command.FORWARD}
"""Which command takes back what was ordered."""
_MATTERS = {
    Command.LIMIT: Matter.LIMIT,
    Command.UNLIMIT: Matter.LIMIT,
    Command.ROLL_BACK: Matter.VERSION,
    Command.FORWARD: Matter.VERSION,
}
_WEIGHTS = {command: place for place, command in enumerate(Command)}


class Scope(StrEnum):
    """What, besides a system or all of them, an order can be for: `model:<name>`, `tool:<name>`, `key:<id>`."""

    MODEL = "model"
    TOOL = "tool"
    KEY = "key"

    def of(self, name: str) -> str:
        """Return what an order for this names as its system."""
        return f"{self.value}:{name}"


def scope_of(target: str) -> Scope | None:
    """Return which kind of thing an order's target is; None for a system and for all."""
    kind, colon, name = target.partition(":")
    return Scope(kind) if colon and name and kind in list(Scope) else None


def target_of(system_id: str = "", *, model: str = "", tool: str = "", key: str = "") -> str:
    """Return what an order names; empty for all.

    Raises:
        Invalid: It is to be for several things at once.
    """
    named = {Scope.MODEL: model.strip(), Scope.TOOL: tool.strip(), Scope.KEY: key.strip()}
    found = [system_id.strip(), *(scope.of(name) if name else "" for scope, name in named.items())]
    found = [each for each in found if each]
    if len(found) > 1:
        raise Invalid(
            what=Text(zh="一条命令只能针对一个对象。", en="An order is for one thing."),
            hint=Text(
                zh="请只写系统、模型、工具、密钥之一；需要时分别下令。",
                en="Name a system, a model, a tool or a key, and give several orders where you need them.",
            ),
        )
    return found[0] if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTerms:
    """What an order says besides its command.

    Attributes:
        per_minute: How many exchanges (calls, where it is for a tool) may begin in any sixty seconds; 0 for any number.
        at_once: How many exchanges may run at the same time; 0 for any number.
        basis: What the order rests on, as typed: a provision, a contract; empty for a house rule.
        to: Name of the earlier version that is to serve, as the settings have it; empty where only the model's name
            changes.
        model: Name the model is asked for by; empty for the one that the caller asks for.
        upstream: Address of the earlier version, as the ordering house knows it; empty for the ordinary upstream.
        ends_running: Whether answers that run are cut; else they may end where they began.
        hold_seconds: How long a pause lets a new request wait before it is refused; 0 refuses at once.
        hold_most: How many requests may wait so on one machine.
    """

    per_minute: int = 0
    at_once: int = 0
    basis: str = ""
    to: str = ""
    model: str = ""
    upstream: str = ""
    ends_running: bool = False
    hold_seconds: int = 0
    hold_most: int = 0

    def is_within(self, other: "OrderTerms") -> bool:
        """Whether these limits let nothing pass that the other's would not."""
        pairs = ((self.per_minute, other.per_minute), (self.at_once, other.at_once))
        return all(not theirs or 0 < ours <= theirs for ours, theirs in pairs)


NO_TERMS = OrderTerms()


class Layer(StrEnum):
    """Who can stop a belt beside one another; none of them lifts what another ordered, and the strictest holds."""

    HOUSE = ""
    BUS = "bus"
    LEASE = "lease"


def named(target: str) -> str:
    """Return what an order is for, as it may be kept: no name reaches into another layer or matter.

    Raises:
        Invalid: It begins as only the keys of those do.
    """
    marks = [f"{layer.value}/" for layer in Layer if layer] + [f"{matter.value}|" for matter in Matter if matter]
    if any(target.startswith(mark) for mark in marks):
        raise Invalid(
            what=Text(zh=f"“{target[:80]}”不是系统编号。没有下达命令。", en=f"“{target[:80]}” is no system's id."),
            hint=Text(
                zh="请核对编号；情况紧急时请停止全部系统。", en="Nothing was ordered. Check the id, or stop all."
            ),
            details={"field": "system"},
        )
    return target


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A person's order.

    Attributes:
        id: `ord_…`.
        command: What is ordered.
        system_id: For which system; empty for all; or for a model, a tool or a caller's key (`Scope`).
        at: When it was given.
        by: Pseudonymous id of who gave it; `file` where it came by the stop file alone.
        reason: Why.
        number: Its place among the orders of this house, so that all workers end with the same one in force; 0 where
            it came without the box.
        layer: Who speaks: empty for this house; see `Layer`.
        terms: What it says besides.
    """

    id: str
    command: Command
    system_id: str
    at: datetime
    by: str
    reason: str
    number: int = field(default=0, compare=False)
    layer: str = field(default="", compare=False)
    terms: OrderTerms = NO_TERMS


@dataclass(frozen=True, slots=True, kw_only=True)
class StopProof:
    """What the belt can prove of an order, *through this belt*.

    Attributes:
        order: The order.
        seen_at: When the belt saw it.
        effective_at: When no client socket could receive anything more.
        streams_cut: How many running exchanges were ended.
        streams_held: How many are held by a pause.
        bytes_after: Bytes handed to any client socket of the system after `seen_at`, as counted at the gate.
        killed_by_supervisor: Whether the worker did not answer within a second and was killed.
        worker: Process id of the worker.
    """

    order: Order
    seen_at: datetime
    effective_at: datetime
    streams_cut: int
    streams_held: int
    bytes_after: int
    killed_by_supervisor: bool
    worker: int


BLIND_SPOTS: tuple[Text, ...] = (
    Text(zh="不经过本安全带的流量。", en="Traffic that does not pass through this belt."),
    Text(
        zh="命令生效前已交给操作系统、仍在网络途中的字节。",
        en="Bytes handed to the operating system before the order was seen and still under way in the network.",
    ),
    Text(
        zh="上游模型内部尚未停止的计算。", en="Computation inside the upstream model that has not noticed the cut yet."
    ),
    Text(zh="客户端此前已收到的内容。", en="What the client had received before."),
    Text(
        zh="暂停之后，本进程先前已开始发送的至多一个片段（64 KB）。",
        en="After a pause: at most one piece (64 KB) that this process had begun to send before.",
    ),
)
"""What a stop proof cannot see; shown beside every proof."""
