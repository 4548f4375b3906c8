"""`/api/belt/policies`: what is screened for, and every version that ever was."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused, Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.belt.api.words import Id, WhyRequest
from safebelt.rooms.belt.model import Adoption, Policy, RedLineChange, Replay
from safebelt.rooms.belt.service import Belt, Loaded
from safebelt.web.openapi import problems
from safebelt.web.problems import invalid_field
from safebelt.web.security import requires

MAX_AT_ONCE = 2_000
"""Exchanges of a replay that somebody waits for; the command line takes more."""
PolicyId = Annotated[str, QueryParameter(min_length=1, max_length=80, description="Policy id, such as `owner/name`.")]
AnyPolicyId = Annotated[str, QueryParameter(max_length=80, description="Policy id; empty for all.")]
Version = Annotated[
    str, QueryParameter(min_length=1, max_length=64, description="Its number, or eight or more digits of its digest.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyText:
    """A policy file's content, YAML."""

    yaml: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRequest:
    """Bring a policy file's content, YAML, into force."""

    yaml: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBackRequest:
    """Bring an earlier version back into force: the one before, unless another is named."""

    policy: str
    reason: str
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRequest:
    """Replay a policy, YAML, over the newest exchanges since a moment; of one system where it is named."""

    yaml: str
    since: datetime
    system: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BroughtVersion:
    """What came of it: an adoption, or an act that waits for a second person because it changes red lines."""

    policy: str
    version: int
    digest: str
    red_lines: tuple[RedLineChange, ...]
    adoption: Adoption | None
    proposal: str


class PolicyApi(Controller):
    """`/api/belt/policies`: what is screened for, and every version that ever was."""

    path = "/api/belt"
    tags = ("belt",)

    @get("/policies", sync_to_thread=True, guards=[requires("belt.read")], responses=problems())
    def policies(self, belt: NamedDependency[Belt]) -> list[Policy]:
        """List the screening policies, with every rule and what it rests on."""
        return list(belt.policies())

    @post(
        "/policies/check",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("belt.read")],
        responses=problems(Invalid, has_body=True),
    )
    def check_policy(self, belt: NamedDependency[Belt], data: JSONBody[PolicyText]) -> Policy:
        """Read a policy as the house would, without putting it in force; every error is named with its line."""
        return belt.check_policy(data.yaml.encode("utf-8", "replace"))

    @get("/policies/versions", sync_to_thread=True, guards=[requires("belt.read")], responses=problems(Invalid))
    def versions(self, belt: NamedDependency[Belt], policy: AnyPolicyId = "") -> list[Adoption]:
        """List what came into force, newest first: when, who brought it and why."""
        return list(belt.policy_versions(policy))

    @get(
        "/policies/version",
        sync_to_thread=True,
        guards=[requires("belt.read")],
        responses=problems(Invalid, NotFound, Unavailable),
    )
    def version(self, belt: NamedDependency[Belt], policy: PolicyId, version: Version) -> Policy:
        """Return a version that is or was in force, whole."""
        return belt.policy_version(policy, version)

    @post(
        "/policies",
        sync_to_thread=True,
        guards=[requires("belt.configure")],
        responses=problems(Invalid, Conflict, Refused, Unavailable, has_body=True),
    )
    def load(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], data: JSONBody[LoadRequest]
    ) -> BroughtVersion:
        """Bring a version into force without a restart; one that changes red lines waits for a second person."""
        return _brought(belt.load_policy(data.yaml.encode("utf-8", "replace"), data.reason, by=by))

    @post(
        "/policies/replay",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("belt.read")],
        responses=problems(Invalid, has_body=True),
    )
    def replay(self, belt: NamedDependency[Belt], data: JSONBody[ReplayRequest]) -> Replay:
        """Say what a policy would have done to the newest 2,000 exchanges since a moment; ids, never contents."""
        if data.since.tzinfo is None:
            raise invalid_field(
                "since",
                Text(zh="时刻没有时区。", en="The moment says no zone."),
                Text(zh="请写成 2026-11-21T12:00:00Z 的形式。", en="Write it like 2026-11-21T12:00:00Z."),
            )
        policy = belt.check_policy(data.yaml.encode("utf-8", "replace"))
        return belt.replay(policy, data.since.astimezone(UTC), system_id=data.system, most=MAX_AT_ONCE)

    @post(
        "/policies/roll-back",
        sync_to_thread=True,
        guards=[requires("belt.configure")],
        responses=problems(Invalid, NotFound, Conflict, Refused, Unavailable, has_body=True),
    )
    def roll_back(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], data: JSONBody[RollBackRequest]
    ) -> BroughtVersion:
        """Bring an earlier version back into force; where that changes red lines it waits for a second person."""
        return _brought(belt.roll_back_policy(data.policy, data.reason, by=by, version=data.version))

    @post(
        "/policies/changes/{proposal_id:str}/second",
        sync_to_thread=True,
        guards=[requires("belt.red_lines")],
        responses=problems(Invalid, NotFound, Conflict, Refused, has_body=True),
    )
    def second(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], proposal_id: Id, data: JSONBody[WhyRequest]
    ) -> Adoption:
        """Second a change of red lines that another person proposed: the version comes into force."""
        return belt.second_policy(proposal_id, answer=data.reason, by=by)


def _brought(loaded: Loaded) -> BroughtVersion:
    return BroughtVersion(
        policy=loaded.policy.id,
        version=loaded.policy.version,
        digest=loaded.policy.digest,
        red_lines=loaded.changes,
        adoption=loaded.adoption,
        proposal=loaded.proposal.id if loaded.proposal else "",
    )
