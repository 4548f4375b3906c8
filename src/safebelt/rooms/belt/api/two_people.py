"""`/api/belt`: orders that take two people."""

from dataclasses import dataclass

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused
from safebelt.rooms.belt.api.limiting import LimitRequest
from safebelt.rooms.belt.api.stopping import Ordered, ResumeRequest, StopCommand, ordered
from safebelt.rooms.belt.api.versions import ForwardRequest, RollBackRequest
from safebelt.rooms.belt.api.words import Id
from safebelt.rooms.belt.model import Command, OrderTerms, TwoPeople, target_of
from safebelt.rooms.belt.service import Belt
from safebelt.web.openapi import problems
from safebelt.web.security import requires


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeResume:
    """Propose to let one system, model, tool or caller's key run again; all where none is named."""

    reason: str
    system_id: str = ""
    model: str = ""
    tool: str = ""
    key_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeStop:
    """Propose to stop one system, model, tool or caller's key; all where none is named."""

    command: StopCommand
    reason: str
    system_id: str = ""
    model: str = ""
    tool: str = ""
    key_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoPeopleRequest:
    """Set which orders for a system take two people; for all where none is named.

    Attributes:
        lifting: To let it run again after a stop, to ease or lift a limit, to go forward after a roll-back.
        placing: To stop, limit or roll it back; a person at the machine can always stop by the stop file.
    """

    reason: str
    lifting: bool = False
    placing: bool = False
    system_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondRequest:
    """The second person's reason."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What waits for a second person; empty where one person was enough and it is done."""

    proposal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconded:
    """What came of an act of two people; null where it set a rule and gave no order."""

    ordered: Ordered | None


class TwoPeopleApi(Controller):
    """`/api/belt`: orders of two people."""

    path = "/api/belt"
    tags = ("belt",)

    @get("/two-people", sync_to_thread=True, guards=[requires("belt.read")], responses=problems())
    def rules(self, belt: NamedDependency[Belt]) -> dict[str, TwoPeople]:
        """Return which orders take two people, by system; under the empty name for all."""
        return belt.two_people()

    @post(
        "/two-people",
        sync_to_thread=True,
        guards=[requires("belt.resume")],
        responses=problems(Invalid, NotFound, Refused, has_body=True),
    )
    def require(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], data: JSONBody[TwoPeopleRequest]
    ) -> Proposed:
        """Set which orders take two people; where that becomes laxer, another person must second it."""
        rule = TwoPeople(lifting=data.lifting, placing=data.placing)
        waits = belt.require_two(data.system_id, rule, data.reason, by)
        return Proposed(proposal=waits.id if waits else "")

    @post(
        "/resume/propose",
        sync_to_thread=True,
        guards=[requires("belt.resume")],
        responses=problems(Invalid, Refused, has_body=True),
    )
    def propose_resume(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], data: JSONBody[ProposeResume]
    ) -> Proposed:
        """Propose to let traffic pass again; another person seconds it."""
        target = target_of(data.system_id, model=data.model, tool=data.tool, key=data.key_id)
        return Proposed(proposal=belt.propose_order(Command.RUN, target, data.reason, by).id)

    @post(
        "/stop/propose",
        sync_to_thread=True,
        guards=[requires("belt.stop")],
        responses=problems(Invalid, Refused, has_body=True),
    )
    def propose_stop(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], data: JSONBody[ProposeStop]
    ) -> Proposed:
        """Propose pause, drain or cut; another person seconds it."""
        target = target_of(data.system_id, model=data.model, tool=data.tool, key=data.key_id)
        return Proposed(proposal=belt.propose_order(Command(data.command.value), target, data.reason, by).id)

    @post(
        "/limit/propose",
        sync_to_thread=True,
        guards=[requires("belt.stop")],
        responses=problems(Invalid, Conflict, Refused, has_body=True),
    )
    def propose_limit(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], data: JSONBody[LimitRequest]
    ) -> Proposed:
        """Propose a limit; another person seconds it."""
        target = target_of(data.system_id, model=data.model, tool=data.tool, key=data.key_id)
        terms = OrderTerms(per_minute=data.per_minute, at_once=data.at_once, basis=data.basis)
        return Proposed(proposal=belt.propose(belt.to_limit(target, terms, by), data.reason, by).id)

    @post(
        "/unlimit/propose",
        sync_to_thread=True,
        guards=[requires("belt.resume")],
        responses=problems(Invalid, Refused, has_body=True),
    )
    def propose_unlimit(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], data: JSONBody[ResumeRequest]
    ) -> Proposed:
        """Propose to lift a limit; another person seconds it."""
        target = target_of(data.system_id, model=data.model, tool=data.tool, key=data.key_id)
        return Proposed(proposal=belt.propose_order(Command.UNLIMIT, target, data.reason, by).id)

    @post(
        "/roll-back/propose",
        sync_to_thread=True,
        guards=[requires("belt.stop")],
        responses=problems(Invalid, Conflict, Refused, has_body=True),
    )
    def propose_roll_back(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], data: JSONBody[RollBackRequest]
    ) -> Proposed:
        """Propose a roll-back; another person seconds it."""
        target = target_of(data.system_id, model=data.model, key=data.key_id)
        wanted = belt.to_roll_back(target, data.to, by, ends_running=data.ends_running)
        return Proposed(proposal=belt.propose(wanted, data.reason, by).id)

    @post(
        "/roll-forward/propose",
        sync_to_thread=True,
        guards=[requires("belt.resume")],
        responses=problems(Invalid, Refused, has_body=True),
    )
    def propose_roll_forward(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], data: JSONBody[ForwardRequest]
    ) -> Proposed:
        """Propose to undo a roll-back; another person seconds it."""
        target = target_of(data.system_id, model=data.model, key=data.key_id)
        return Proposed(proposal=belt.propose_order(Command.FORWARD, target, data.reason, by).id)

    @post(
        "/orders/{proposal_id:str}/second",
        sync_to_thread=True,
        guards=[requires("belt.stop")],
        responses=problems(Invalid, NotFound, Conflict, Refused, has_body=True),
    )
    def second(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], proposal_id: Id, data: JSONBody[SecondRequest]
    ) -> Seconded:
        """Second what another person proposed: the order is given, or the rule is set.  Its own right is asked too."""
        made = belt.second_order(proposal_id, answer=data.reason, by=by)
        return Seconded(ordered=ordered(belt, made) if made else None)
