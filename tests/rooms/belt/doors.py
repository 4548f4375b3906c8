"""The belt's doors in a small application, with the kit, the registry's dossier, and whoever knocks."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from tests.apps import lent
from tests.rooms.belt.house import House

from safebelt.engines.clock import real_ids
from safebelt.kernel.actors import OWNER, Actor
from safebelt.kernel.errors import Refused
from safebelt.kernel.text import Text
from safebelt.rooms.belt.pages import belt_state, dossier_panels
from safebelt.rooms.belt.room import ROOM
from safebelt.rooms.belt.service import TryIt
from safebelt.rooms.registry.pages.doors import RegistryPages
from safebelt.web.doors import KIT_DOORS
from safebelt.web.headers import add_security_headers
from safebelt.web.openapi import openapi
from safebelt.web.problems import problem_handlers
from safebelt.web.templating import templates

PROVIDED = ("belt", "registry", "by", "try_it")


def build_app(
    house: House,
    *,
    actor: Actor = OWNER,
    may: Callable[[str], bool] = lambda _action: True,
    try_it: TryIt | None = None,
) -> Litestar:
    def authorize(_actor: Actor, action: str, _resource: str) -> None:
        if not may(action):
            raise Refused(
                what=Text(zh="您没有这项权限。", en="You may not do this."),
                hint=Text(zh="请联系管理员。", en="Ask an administrator."),
            )

    trying = try_it or TryIt(belt_url="http://127.0.0.1:9", try_key=lambda: "")
    provided = {"belt": house.belt, "registry": house.registry, "by": actor, "try_it": trying}
    app = lent("belt", _made, authorize=authorize, **provided)
    app.state.dossier_panels = dossier_panels(house.belt)
    return app


def _made(desk: SimpleNamespace) -> Litestar:
    def authorize(*asked: Any) -> None:
        desk.authorize(*asked)

    return Litestar(
        route_handlers=[*KIT_DOORS, *ROOM.api, *ROOM.pages, RegistryPages],
        dependencies={name: Provide(_asked(desk, name), sync_to_thread=False) for name in PROVIDED},
        state=State(
            {
                "authorize": authorize,
                "event_titles": {event.kind: event.title for event in ROOM.events},
                "belt_url": "http://127.0.0.1:8801",
            }
        ),
        exception_handlers=problem_handlers(real_ids()),
        template_config=templates(["registry", "belt", "ledger"], belt_state=lambda: belt_state(desk.belt)),
        openapi_config=openapi(),
        before_send=[add_security_headers],
        logging_config=None,
    )


def _asked(desk: SimpleNamespace, name: str) -> Callable[[], Any]:
    return lambda: getattr(desk, name)
