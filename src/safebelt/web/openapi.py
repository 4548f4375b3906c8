"""The OpenAPI description: complete about failure too, and served without anybody else's scripts.

@post("/systems", responses=problems(Conflict, Invalid), …)
"""

from typing import Any

from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

import safebelt
from safebelt.kernel.errors import Problem, Refused, TooMany, Unauthenticated, Unavailable
from safebelt.web.problem_words import (
    KINDS,
    BadRequest,
    Internal,
    TooLarge,
    UnsupportedMedia,
)
from safebelt.web.problems import MEDIA_TYPE, ProblemBody

_ALWAYS: tuple[type[Problem], ...] = (BadRequest, Unauthenticated, Refused, TooMany, Internal, Unavailable)
"""What any door may answer, whatever it does."""
_PUBLIC: tuple[type[Problem], ...] = (BadRequest, Unauthenticated, TooMany, Internal, Unavailable)
"""Nobody needs a token at an open door, but one that is sent must be good."""
NO_TOKEN: list[dict[str, list[str]]] = [{}]
"""OpenAPI's way to say that an operation needs no token."""
_WITH_BODY: tuple[type[Problem], ...] = (TooLarge, UnsupportedMedia)


def problems(*more: type[Problem], has_body: bool = False) -> dict[int, ResponseSpec]:
    """Declare the problem responses of a handler behind a guard.

    Args:
        *more: Kinds beyond those every guarded door may answer with (400, 401, 403, 429, 500, 503).
        has_body: Whether it reads a request body (adds 413 and 415).
    """
    return _specs((*_ALWAYS, *more, *(_WITH_BODY if has_body else ())))


def public_problems(*more: type[Problem], has_body: bool = False) -> dict[int, ResponseSpec]:
    """Declare the problem responses of a handler that is open to all.

    Args:
        *more: Kinds beyond those every open door may answer with (400, 401 for a bad token, 429, 500, 503).
        has_body: Whether it reads a request body (adds 413 and 415, and 403 for a form another site made).
    """
    with_body: tuple[type[Problem], ...] = (Refused, *_WITH_BODY) if has_body else ()
    return _specs((*_PUBLIC, *more, *with_body))


def _specs(kinds: tuple[type[Problem], ...]) -> dict[int, ResponseSpec]:
    return {
        kind.status: ResponseSpec(
            data_container=ProblemBody,
            description=f"{KINDS[kind.code].title.en}. {KINDS[kind.code].title.zh}。",
            media_type=MEDIA_TYPE,
            generate_examples=False,
        )
        for kind in sorted(kinds, key=lambda kind: kind.status)
    }


def openapi(**more: Any) -> OpenAPIConfig:
    """Return the OpenAPI configuration: `/schema/openapi.json`, nothing loaded from elsewhere.

    The page for people is `/{lang}/api` (`web.doors`).
    """
    return OpenAPIConfig(
        title="Safebelt",
        version=safebelt.__version__,
        description="The safety belt for artificial intelligence. 人工智能安全带。",
        path="/schema",
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        use_handler_docstrings=True,
        components=Components(
            security_schemes={"token": SecurityScheme(type="http", scheme="bearer", description="API token")}
        ),
        security=[{"token": []}],
        **more,
    )
