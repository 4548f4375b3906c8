"""The guard at every door: who is it, and may they?

Every route handler names its action: `guards=[requires("registry.register")]`, or says why it needs none:
`guards=[open_to_all("public verification")]`.  A test fails where a handler does neither.  The answer comes
from the access room, which `run/doors.py` wires in as `app.state.authorize`.
"""

from collections.abc import Callable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler

from safebelt.kernel.actors import PUBLIC, Actor
from safebelt.kernel.errors import Problem

Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], None]
Authorize = Callable[[Actor, str, str], None]
"""`(actor, action, resource id or "")`; raises `Refused` or `Unauthenticated`, or returns."""


def requires(action: str, *, resource: str = "") -> Guard:
    """Build a guard that lets an actor through only for `action` (`room.verb`).

    Args:
        action: A Cedar action of `access/`.
        resource: Name of the path parameter that holds the resource's id.
    """

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        target = str(connection.path_params.get(resource, "")) if resource else ""
        connection.app.state.authorize(actor_of(connection), action, target)

    guard.safebelt_action = action  # type: ignore[attr-defined]
    return guard


def may(connection: ASGIConnection[Any, Any, Any, Any], action: str, resource: str = "") -> bool:
    """Whether whoever asks may do something, for what a page shows or leaves out; the doors themselves still guard."""
    try:
        connection.app.state.authorize(actor_of(connection), action, resource)
    except (Problem, HTTPException):
        return False
    return True


def open_to_all(why: str) -> Guard:
    """Build a guard that lets everybody through, and says why that is right."""

    def guard(_connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        return None

    guard.safebelt_open = why  # type: ignore[attr-defined]
    return guard


def actor_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Actor:
    """Return who knocks: the signed-in user, the token's owner, or the public.

    The middleware of `web/session.py` has put it in the connection's state.
    """
    actor: Actor = connection.state.get("actor", PUBLIC)
    return actor
