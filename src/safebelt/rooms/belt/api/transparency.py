"""`/api/public/transparency`: what everybody may know of screening."""

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from safebelt.rooms.belt.service import Belt, Transparency
from safebelt.web.openapi import NO_TOKEN, public_problems
from safebelt.web.security import open_to_all

_HEADERS = {"access-control-allow-origin": "*", "cache-control": "public, max-age=300"}


class TransparencyApi(Controller):
    """`/api/public/transparency`."""

    path = "/api/public/transparency"
    tags = ("public",)
    security = NO_TOKEN

    @get(
        sync_to_thread=True,
        guards=[open_to_all("whoever is screened may know by which rules; no list's terms and no exchange is told")],
        responses=public_problems(),
    )
    def transparency(self, belt: NamedDependency[Belt]) -> Response[Transparency]:
        """Return the rules in use with what they rest on, how often they acted, and who may change them.

        Those on tools of agents and on repeated abuse are among them.
        """
        return Response(belt.transparency(), headers=_HEADERS)
