"""`/api/belt`: roll-backs to earlier versions."""

from dataclasses import dataclass

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.belt.api.stopping import Ordered, ordered
from safebelt.rooms.belt.model import Earlier, target_of
from safebelt.rooms.belt.service import Belt, VersionNow
from safebelt.web.openapi import problems
from safebelt.web.security import requires


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBackRequest:
    """Roll one system, model or caller's key back; all where none is named.

    Attributes:
        to: A version that the settings name, or `model:` and a name; empty for the one named for the system.
        ends_running: Whether answers that run are cut; else they end where they began.
    """

    reason: str
    to: str = ""
    ends_running: bool = False
    system_id: str = ""
    model: str = ""
    key_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardRequest:
    """Undo the roll-back of one system, model or caller's key; of all where none is named."""

    reason: str
    system_id: str = ""
    model: str = ""
    key_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """Earlier versions.

    Attributes:
        earlier: Those there are.
        in_force: Roll-backs in force.
    """

    earlier: list[Earlier]
    in_force: list[VersionNow]


class VersionApi(Controller):
    """`/api/belt`: versions."""

    path = "/api/belt"
    tags = ("belt",)

    @get("/versions", sync_to_thread=True, guards=[requires("belt.read")], responses=problems())
    def versions(self, belt: NamedDependency[Belt]) -> Versions:
        """List the earlier versions there are, and the roll-backs in force."""
        return Versions(earlier=list(belt.earlier()), in_force=list(belt.state().versions))

    @post(
        "/roll-back",
        sync_to_thread=True,
        guards=[requires("belt.stop")],
        responses=problems(Invalid, NotFound, Conflict, has_body=True),
    )
    def roll_back(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], data: JSONBody[RollBackRequest]
    ) -> Ordered:
        """Send what comes to an earlier version, and wait two seconds for the proof."""
        target = target_of(data.system_id, model=data.model, key=data.key_id)
        return ordered(belt, belt.roll_back(target, data.to, data.reason, by, ends_running=data.ends_running))

    @post(
        "/roll-forward",
        sync_to_thread=True,
        guards=[requires("belt.resume")],
        responses=problems(Invalid, NotFound, Conflict, has_body=True),
    )
    def roll_forward(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], data: JSONBody[ForwardRequest]
    ) -> Ordered:
        """Undo a roll-back, and wait two seconds for the proof."""
        target = target_of(data.system_id, model=data.model, key=data.key_id)
        return ordered(belt, belt.forward(target, data.reason, by))
