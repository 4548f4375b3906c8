"""The portal on a small house: registry, rulebook and ledger below it, and the doors as a visitor finds them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from tests.rooms.certificates.house import spare_keys

from safebelt.engines.blobs.folder import Folder
from safebelt.engines.clock import Clock, real_chance, real_ids
from safebelt.kernel.actors import PUBLIC, Actor
from safebelt.kernel.errors import Refused
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.service import Certificates, Tools
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.portal.room import ROOM
from safebelt.rooms.portal.service import Complaints, Portal
from safebelt.rooms.portal.service import Tools as ComplaintTools
from safebelt.rooms.registry.service import Registry
from safebelt.web.doors import KIT_DOORS
from safebelt.web.headers import add_security_headers
from safebelt.web.openapi import openapi
from safebelt.web.panels import BeltState
from safebelt.web.problems import problem_handlers
from safebelt.web.session import Csrf, SessionCookie, csrf_config
from safebelt.web.templating import templates


def build_portal(registry: Registry, ledger: Ledger, clock: Clock, keys: Path, appeals: Any = None) -> Portal:
    """The one place where tests construct the portal."""
    tools = Tools(
        sql=registry._sql,
        ledger=ledger,
        registry=registry,
        keys=keys,
        base="https://ai.example.org",
        clock=clock,
        chance=real_chance,
        make_key=spare_keys(),
    )
    complaints = build_complaints(registry, ledger, clock, keys.parent / "blobs", appeals)
    return Portal(registry, ledger, registry._rules, Certificates(tools), complaints, clock=clock)


def build_complaints(registry: Registry, ledger: Ledger, clock: Clock, blobs: Path, appeals: Any = None) -> Complaints:
    """The one place where tests construct what takes complaints."""
    return Complaints(
        ComplaintTools(
            sql=registry._sql,
            ledger=ledger,
            registry=registry,
            rules=registry._rules,
            folder=registry._tools.folder,
            blobs=Folder(blobs, max_bytes=10_000_000),
            clock=clock,
            new_id=real_ids(),
            chance=real_chance,
            appeals=appeals,
        )
    )


def build_app(portal: Portal, *, actor: Actor = PUBLIC, may: Callable[[str], bool] = lambda _action: True) -> Litestar:
    """The portal's doors, with `actor` knocking; forms are protected as in the whole house, and the belt runs."""

    async def knocking(request: Any) -> None:
        request.state.actor = actor

    def authorize(_actor: Actor, action: str, _resource: str) -> None:
        if not may(action):
            raise Refused(what=Text(zh="您没有这项权限。", en="You may not."), hint=Text(zh="请联系。", en="Ask."))

    cookie = SessionCookie()
    return Litestar(
        route_handlers=[*KIT_DOORS, *ROOM.api, *ROOM.pages],
        before_request=knocking,
        dependencies={
            "portal": Provide(lambda: portal, sync_to_thread=False),
            "by": Provide(lambda: actor, sync_to_thread=False),
        },
        middleware=[Csrf(csrf_config("a" * 64, cookie), cookie)],
        state=State({"authorize": authorize}),
        exception_handlers=problem_handlers(real_ids()),
        template_config=templates(["portal", "registry", "ledger"], belt_state=lambda: BeltState(command="run")),
        openapi_config=openapi(),
        before_send=[add_security_headers],
        logging_config=None,
    )
