"""A small house for the registry's tests: its ledger, itself, and its doors, put together in one place."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from litestar import Litestar, Request
from litestar.datastructures import State
from litestar.di import Provide
from tests.apps import lent

from safebelt.engines.blobs.folder import Folder
from safebelt.engines.clock import Chance, Clock, real_chance, real_ids
from safebelt.engines.signing import KeyStore, sign_note
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import OWNER, Actor
from safebelt.kernel.errors import Refused
from safebelt.kernel.ids import NewId
from safebelt.kernel.text import Text
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.registry.api import API
from safebelt.rooms.registry.pages import PAGES
from safebelt.rooms.registry.room import ROOM
from safebelt.rooms.registry.service import Registry, Tools
from safebelt.rooms.rulebook.service import Rules
from safebelt.web.doors import KIT_DOORS
from safebelt.web.headers import add_security_headers
from safebelt.web.openapi import openapi
from safebelt.web.panels import BeltState, Panel
from safebelt.web.problems import problem_handlers
from safebelt.web.templating import templates

ORIGIN = "test.safebelt/log"
ROOT = Path(__file__).parents[3]


def build_ledger(sql: Sql, folder: Path, *, clock: Clock, new_id: NewId, chance: Chance) -> Ledger:
    """The one place where these tests construct the ledger."""
    keys = KeyStore(folder / "keys" / "ledger.key", name=ORIGIN, chance=chance)
    return Ledger(sql, clock=clock, new_id=new_id, chance=chance, signer=keys, origin=ORIGIN, tiles=folder / "tiles")


def build_registry(sql: Sql, ledger: Ledger, rules: Rules, clock: Clock, new_id: NewId, folder: Path) -> Registry:
    """The one place where tests construct the registry; `folder` takes its files and its key."""
    keys = KeyStore(folder / "keys" / "registry.key", name=ORIGIN, chance=real_chance)
    return Registry(
        Tools(
            sql=sql,
            ledger=ledger,
            rules=rules,
            folder=ROOT / "registry",
            blobs=Folder(folder / "blobs", max_bytes=1_000_000),
            sign=lambda text: sign_note(text, keys.current()),
            stopped=lambda _system: "",
            clock=clock,
            new_id=new_id,
            chance=real_chance,
        )
    )


def build_app(
    registry: Registry,
    *,
    actor: Actor = OWNER,
    may: Callable[[str], bool] = lambda _action: True,
    panels: tuple[Panel, ...] = (),
    belt: BeltState | None = None,
    handlers: tuple[Any, ...] = (),
) -> Litestar:
    """The registry's doors and the kit's, with `actor` knocking."""

    def authorize(_actor: Actor, action: str, _resource: str) -> None:
        if not may(action):
            raise Refused(
                what=Text(zh="您没有这项权限。", en="You may not do this."),
                hint=Text(zh="请联系管理员。", en="Ask an administrator."),
            )

    serving = {"registry": registry, "actor": actor, "authorize": authorize, "belt": belt}
    app = _made(SimpleNamespace(**serving), *handlers) if handlers else lent("registry", _made, **serving)
    app.state.dossier_panels = panels
    return app


def _made(desk: SimpleNamespace, *handlers: Any) -> Litestar:
    def authorize(*asked: Any) -> None:
        desk.authorize(*asked)

    async def knocking(request: Request[Any, Any, Any]) -> None:
        request.state.actor = desk.actor

    return Litestar(
        route_handlers=[*KIT_DOORS, *API, *PAGES, *handlers],
        before_request=knocking,
        dependencies={
            "registry": Provide(lambda: desk.registry, sync_to_thread=False),
            "by": Provide(lambda: desk.actor, sync_to_thread=False),
        },
        state=State(
            {
                "authorize": authorize,
                "event_titles": {event.kind: event.title for event in ROOM.events},
            }
        ),
        exception_handlers=problem_handlers(real_ids()),
        template_config=templates(["registry"], belt_state=lambda: desk.belt),
        openapi_config=openapi(),
        before_send=[add_security_headers],
        logging_config=None,
    )
