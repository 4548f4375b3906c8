"""`/api/belt/over-blocking`: how often each rule hits what should pass."""

from dataclasses import dataclass
from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter

from safebelt.kernel.errors import Invalid, NotFound, Unavailable
from safebelt.rooms.belt.model.over_blocking import Corpus, OverBlockingNow
from safebelt.rooms.belt.service import Belt
from safebelt.web.openapi import problems
from safebelt.web.security import requires

PolicyId = Annotated[str, QueryParameter(min_length=1, max_length=80, description="Policy id, such as `owner/name`.")]
Version = Annotated[
    str, QueryParameter(max_length=64, description="Eight or more digits of its digest; empty for the one in force.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureRequest:
    """Measure a policy: the version in force, or the one named."""

    policy: str
    version: str = ""


class OverBlockingApi(Controller):
    """`/api/belt/over-blocking`: how often each rule hits what should pass."""

    path = "/api/belt/over-blocking"
    tags = ("belt",)

    @get(sync_to_thread=True, guards=[requires("belt.read")], responses=problems(Invalid, NotFound, Unavailable))
    def over_blocking(self, belt: NamedDependency[Belt], policy: PolicyId, version: Version = "") -> OverBlockingNow:
        """Return what was measured of one version of a policy; `not_evaluated` until somebody has it measured."""
        found = belt.policy_version(policy, version) if version else belt.policy(policy)
        return belt.over_blocking(found)

    @get("/corpora", sync_to_thread=True, guards=[requires("belt.read")], responses=problems(Unavailable))
    def corpora(self, belt: NamedDependency[Belt]) -> list[Corpus]:
        """List the benign texts it is measured on, with licence and digest."""
        return list(belt.corpora())

    @post(
        sync_to_thread=True,
        status_code=202,
        guards=[requires("belt.read")],
        responses=problems(Invalid, NotFound, Unavailable, has_body=True),
    )
    def measure(self, belt: NamedDependency[Belt], data: JSONBody[MeasureRequest]) -> OverBlockingNow:
        """Have a version measured; the work process does it, and `GET` says how far it is."""
        return belt.order_over_blocking(data.policy, data.version)
