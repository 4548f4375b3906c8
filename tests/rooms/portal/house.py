"""The portal on a small house: registry, rulebook and ledger below it, and the doors as a visitor finds them."""

from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide

from safebelt.engines.clock import Clock, real_ids
from safebelt.kernel.actors import PUBLIC, Actor
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.portal.room import ROOM
from safebelt.rooms.portal.service import Portal
from safebelt.rooms.registry.service import Registry
from safebelt.web.doors import KIT_DOORS
from safebelt.web.headers import add_security_headers
from safebelt.web.openapi import openapi
from safebelt.web.panels import BeltState
from safebelt.web.problems import problem_handlers
from safebelt.web.session import Csrf, SessionCookie, csrf_config
from safebelt.web.templating import templates


def build_portal(registry: Registry, ledger: Ledger, clock: Clock) -> Portal:
    """The one place where tests construct the portal."""
    return Portal(registry, ledger, registry._rules, clock=clock)


def build_app(portal: Portal, *, actor: Actor = PUBLIC) -> Litestar:
    """The portal's doors, with `actor` knocking; forms are protected as in the whole house, and the belt runs."""

    async def knocking(request: Any) -> None:
        request.state.actor = actor

    cookie = SessionCookie()
    return Litestar(
        route_handlers=[*KIT_DOORS, *ROOM.api, *ROOM.pages],
        before_request=knocking,
        dependencies={"portal": Provide(lambda: portal, sync_to_thread=False)},
        middleware=[Csrf(csrf_config("a" * 64, cookie), cookie)],
        state=State({"authorize": lambda _actor, _action, _resource: None}),
        exception_handlers=problem_handlers(real_ids()),
        template_config=templates(["portal", "registry", "ledger"], belt_state=lambda: BeltState(command="run")),
        openapi_config=openapi(),
        before_send=[add_security_headers],
        logging_config=None,
    )
