"""`/api/belt`: limits that persons order."""

from dataclasses import dataclass

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.belt.api.stopping import Ordered, ResumeRequest, ordered
from safebelt.rooms.belt.model import OrderTerms, target_of
from safebelt.rooms.belt.service import Belt, LimitNow
from safebelt.web.openapi import problems
from safebelt.web.security import requires


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRequest:
    """Limit one system, model, tool or caller's key; all where none is named.

    Attributes:
        per_minute: Exchanges (of a tool: calls) that may begin in any minute; 0 for any number.
        at_once: Exchanges that may run at the same time; 0 for any number.
        basis: What it rests on; empty for a house rule.
    """

    reason: str
    per_minute: int = 0
    at_once: int = 0
    basis: str = ""
    system_id: str = ""
    model: str = ""
    tool: str = ""
    key_id: str = ""


class LimitApi(Controller):
    """`/api/belt`: limits."""

    path = "/api/belt"
    tags = ("belt",)

    @get("/limits", sync_to_thread=True, guards=[requires("belt.read")], responses=problems())
    def limits(self, belt: NamedDependency[Belt]) -> list[LimitNow]:
        """List the limits in force, and how much of each is used on this machine now."""
        return list(belt.state().limits)

    @post(
        "/limit",
        sync_to_thread=True,
        guards=[requires("belt.stop")],
        responses=problems(Invalid, NotFound, Conflict, has_body=True),
    )
    def limit(self, belt: NamedDependency[Belt], by: NamedDependency[Actor], data: JSONBody[LimitRequest]) -> Ordered:
        """Let so much traffic pass and no more, and wait two seconds for the proof."""
        target = target_of(data.system_id, model=data.model, tool=data.tool, key=data.key_id)
        terms = OrderTerms(per_minute=data.per_minute, at_once=data.at_once, basis=data.basis)
        return ordered(belt, belt.limit(target, terms, data.reason, by))

    @post(
        "/unlimit",
        sync_to_thread=True,
        guards=[requires("belt.resume")],
        responses=problems(Invalid, NotFound, Conflict, has_body=True),
    )
    def unlimit(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], data: JSONBody[ResumeRequest]
    ) -> Ordered:
        """Lift a limit, and wait two seconds for the proof."""
        target = target_of(data.system_id, model=data.model, tool=data.tool, key=data.key_id)
        return ordered(belt, belt.unlimit(target, data.reason, by))
