"""`/api/belt`: human command."""

from dataclasses import dataclass
from enum import StrEnum

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.belt.api.words import Id, PageNumber, PageSize, SystemId
from safebelt.rooms.belt.model import BLIND_SPOTS, NO_TERMS, Command, Order, StopProof, target_of
from safebelt.rooms.belt.service import Belt, BeltNow, Stop, Stops
from safebelt.web.openapi import problems
from safebelt.web.security import requires

WAIT_SECONDS = 2.0
"""How long an order waits for its proof before it answers."""


class StopCommand(StrEnum):
    """What may be ordered with the right to stop."""

    PAUSE = "pause"
    DRAIN = "drain"
    CUT = "cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequest:
    """Stop one system, model, tool or caller's key; all where none is named.

    Attributes:
        hold: Whether a pause lets new requests wait for the resume, instead of refusing them.
        hold_seconds: How long one may wait then; 0 for as long as the settings say.
        hold_most: How many may wait on a machine then; 0 for as many as the settings say.
    """

    command: StopCommand
    reason: str
    system_id: str = ""
    model: str = ""
    tool: str = ""
    key_id: str = ""
    hold: bool = False
    hold_seconds: int = 0
    hold_most: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeRequest:
    """Let one system, model, tool or caller's key run again; all where none is named."""

    reason: str
    system_id: str = ""
    model: str = ""
    tool: str = ""
    key_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """What came of an order.

    Attributes:
        order: The order; it holds from now on.
        proof: What the belt proved of it; null where no belt answered in time.
        remembered: Whether the ledger has the order already.
        still_stopped: After a resume, systems that stay stopped by orders of their own.
        blind_spots: What a proof cannot see.
    """

    order: Order
    proof: StopProof | None
    remembered: bool
    still_stopped: list[str]
    blind_spots: list[str]


class StopApi(Controller):
    """`/api/belt`: human command."""

    path = "/api/belt"
    tags = ("belt",)

    @get("/state", sync_to_thread=True, guards=[requires("belt.read")], responses=problems())
    def state(self, belt: NamedDependency[Belt]) -> BeltNow:
        """Say what holds now, for all and for each system."""
        return belt.state()

    @post(
        "/stop",
        sync_to_thread=True,
        guards=[requires("belt.stop")],
        responses=problems(Invalid, NotFound, Conflict, has_body=True),
    )
    def stop(self, belt: NamedDependency[Belt], by: NamedDependency[Actor], data: JSONBody[StopRequest]) -> Ordered:
        """Order pause, drain or cut, and wait two seconds for the proof."""
        terms = belt.hold(data.hold_seconds, data.hold_most) if data.hold else NO_TERMS
        return ordered(belt, belt.order(Command(data.command.value), _target(data), data.reason, by, terms))

    @post(
        "/resume",
        sync_to_thread=True,
        guards=[requires("belt.resume")],
        responses=problems(Invalid, NotFound, Conflict, has_body=True),
    )
    def resume(self, belt: NamedDependency[Belt], by: NamedDependency[Actor], data: JSONBody[ResumeRequest]) -> Ordered:
        """Let traffic pass again, and wait two seconds for the proof."""
        return ordered(belt, belt.order(Command.RUN, _target(data), data.reason, by))

    @get("/stops", sync_to_thread=True, guards=[requires("belt.read")], responses=problems())
    def stops(
        self, belt: NamedDependency[Belt], system: SystemId = "", page: PageNumber = 1, size: PageSize = 50
    ) -> Stops:
        """List orders and what became of them, newest first."""
        return belt.stops(page, size, system)

    @get("/stops/{order_id:str}", sync_to_thread=True, guards=[requires("belt.read")], responses=problems(NotFound))
    def one_stop(self, belt: NamedDependency[Belt], order_id: Id) -> Stop:
        """Return one order and its proof."""
        return belt.stop(order_id)


def _target(asked: StopRequest | ResumeRequest) -> str:
    return target_of(asked.system_id, model=asked.model, tool=asked.tool, key=asked.key_id)


def ordered(belt: Belt, order: Order) -> Ordered:
    """Wait for the proof of an order, and say what came of it."""
    proof = belt.wait_effective(order.id, WAIT_SECONDS)
    stopped = belt.state().systems if order.command is Command.RUN else ()
    return Ordered(
        order=order,
        proof=proof,
        remembered=belt.is_remembered(order.id),
        still_stopped=[name for name in stopped if name != order.system_id],
        blind_spots=[spot.en for spot in BLIND_SPOTS],
    )
