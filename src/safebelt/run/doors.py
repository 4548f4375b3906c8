"""The console's application: every room's pages, JSON API and public log, behind one guard and one set of headers."""

from collections.abc import Callable
from typing import Any

from litestar import Litestar, Request, get
from litestar.datastructures import State
from litestar.di import Provide

from safebelt.app import ROOMS, House, furnish
from safebelt.kernel.actors import Actor
from safebelt.rooms.belt.pages.panels import belt_state, dossier_panels
from safebelt.rooms.certificates.pages import panels as certificate_panels
from safebelt.rooms.labelling.pages import panels as labelling_panels
from safebelt.rooms.portal.pages import panels as portal_panels
from safebelt.rooms.registry.pages import panels as registry_panels
from safebelt.web.doors import KIT_DOORS
from safebelt.web.headers import add_security_headers
from safebelt.web.openapi import NO_TOKEN, openapi, public_problems
from safebelt.web.problems import problem_handlers
from safebelt.web.security import actor_of, open_to_all
from safebelt.web.session import Authenticate, Csrf, SessionCookie, csrf_config, csrf_secret
from safebelt.web.templating import templates


@get(
    "/health",
    guards=[open_to_all("says only that the process answers")],
    sync_to_thread=False,
    tags=["house"],
    security=NO_TOKEN,
    responses=public_problems(),
)
def health() -> dict[str, str]:
    """Say that the console answers."""
    return {"status": "ok"}


def web(house: House) -> Litestar:
    """Build the console, the portal and the JSON API as one ASGI application."""
    services = furnish(house)
    house.belt.begin_counting()
    titles = {event.kind: event.title for room in ROOMS for event in room.events}
    cookie = SessionCookie(is_tls=house.settings.is_tls)
    secret = csrf_secret(house.settings.home / "keys" / "csrf.secret")
    state = {
        "authorize": house.access.authorize,
        "session_cookie": cookie,
        "sign_in_path": "access/sign-in",
        "event_titles": titles,
        "dossier_panels": (
            *registry_panels(house.registry),
            *certificate_panels(house.certificates),
            *dossier_panels(house.belt),
            *labelling_panels(house.labelling),
            *portal_panels(house.portal),
        ),
        "public_url": house.settings.public_url,
        "belt_url": house.settings.belt_base,
    }
    return Litestar(
        route_handlers=[*KIT_DOORS, health, *(door for room in ROOMS for door in (*room.api, *room.pages))],
        dependencies={
            "by": Provide(_who, sync_to_thread=False),
            "try_it": Provide(_always(house.try_it), sync_to_thread=False),
            **{name: Provide(_always(service), sync_to_thread=False) for name, service in services.items()},
        },
        middleware=[Authenticate(house.access, cookie), Csrf(csrf_config(secret, cookie), cookie)],
        exception_handlers=problem_handlers(house.new_id),
        before_send=[add_security_headers],
        template_config=templates(
            (room.name for room in ROOMS), belt_state=lambda: belt_state(house.belt), event_titles=titles
        ),
        openapi_config=openapi(),
        state=State(state),
        request_max_body_size=house.settings.max_body_bytes,
        logging_config=None,
    )


def _who(request: Request[Any, Any, Any]) -> Actor:
    return actor_of(request)


def _always(value: object) -> Callable[[], object]:
    return lambda: value
