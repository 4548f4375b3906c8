"""`/api/belt/upstreams`: how the model's side stands, and where the time goes."""

from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from safebelt.kernel.errors import Invalid
from safebelt.rooms.belt.model.upstreams import UpstreamsNow
from safebelt.rooms.belt.service import Belt
from safebelt.web.openapi import problems
from safebelt.web.security import requires

Minutes = Annotated[int, QueryParameter(ge=1, le=1440, description="How far back the times go.")]


class UpstreamApi(Controller):
    """`/api/belt/upstreams`: how the model's side stands, and where the time goes."""

    path = "/api/belt/upstreams"
    tags = ("belt",)

    @get(sync_to_thread=True, guards=[requires("belt.read")], responses=problems(Invalid))
    def upstreams(self, belt: NamedDependency[Belt], minutes: Minutes = 60) -> UpstreamsNow:
        """Return how every upstream stands, over all workers of this machine, and where the time of exchanges went."""
        return belt.upstreams(minutes)
