"""The doors on which the law is read, put together for tests, with somebody knocking."""

from collections.abc import Callable
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide

from safebelt.engines.clock import real_ids
from safebelt.kernel.actors import OWNER, Actor
from safebelt.kernel.errors import Refused
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.pages import law, reading_more
from safebelt.rooms.rulebook.service import Rules
from safebelt.web.doors import KIT_DOORS
from safebelt.web.headers import add_security_headers
from safebelt.web.openapi import openapi
from safebelt.web.panels import BeltState
from safebelt.web.problems import problem_handlers
from safebelt.web.templating import templates


def build_law_app(
    rules: Rules,
    *,
    actor: Actor = OWNER,
    may: Callable[[str], bool] = lambda _action: True,
    doors: tuple[Any, ...] = (),
) -> Litestar:
    """The pages of the law, and whatever other doors are named, with `actor` knocking."""

    def authorize(_actor: Actor, action: str, _resource: str) -> None:
        if not may(action):
            raise Refused(
                what=Text(zh="您没有这项权限。", en="You may not do this."),
                hint=Text(zh="请联系管理员。", en="Ask an administrator."),
            )

    return Litestar(
        route_handlers=[*KIT_DOORS, *law.PAGES, *reading_more.PAGES, *doors],
        dependencies={
            "rulebook": Provide(lambda: rules, sync_to_thread=False),
            "by": Provide(lambda: actor, sync_to_thread=False),
        },
        state=State({"authorize": authorize}),
        exception_handlers=problem_handlers(real_ids()),
        template_config=templates(["rulebook"], belt_state=lambda: BeltState(command="run")),
        openapi_config=openapi(),
        before_send=[add_security_headers],
        logging_config=None,
    )
