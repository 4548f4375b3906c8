"""`/api/belt`: harnesses."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
from litestar import Controller, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, KwargDefinition

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused
from safebelt.rooms.belt.api.words import Id
from safebelt.rooms.belt.model import ContentMode, Harness, NoticeMode, RecordMode, Stance
from safebelt.rooms.belt.service import Belt
from safebelt.web.openapi import problems
from safebelt.web.security import requires

_MAX_VERSION = 2**31 - 1  # what an INTEGER column holds on PostgreSQL
# msgspec enforces its limits; Litestar describes its own: the API description must say what the door does.
Version = Annotated[int, msgspec.Meta(ge=1, le=_MAX_VERSION), KwargDefinition(ge=1, le=_MAX_VERSION)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FitRequest:
    """Fit the belt to a system; it observes unless told otherwise."""

    system_id: str
    policy: str = ""
    stance: Stance = Stance.OBSERVE
    record_mode: RecordMode = RecordMode.STRICT
    notice: NoticeMode = NoticeMode.END


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRequest:
    """Change how the belt sits on a system; what is left out stays."""

    version: Version
    policy: str | None = None
    stance: Stance | None = None
    record_mode: RecordMode | None = None
    notice: NoticeMode | None = None
    content: ContentMode | None = None
    content_days: int | None = None


class SettingApi(Controller):
    """`/api/belt`: harnesses."""

    path = "/api/belt"
    tags = ("belt",)

    @get("/systems", sync_to_thread=True, guards=[requires("belt.read")], responses=problems())
    def harnesses(self, belt: NamedDependency[Belt]) -> list[Harness]:
        """List the systems the belt is fitted to."""
        return list(belt.harnesses())

    @post(
        "/systems",
        sync_to_thread=True,
        guards=[requires("belt.configure")],
        responses=problems(Invalid, NotFound, Conflict, Refused, has_body=True),
    )
    def fit(self, belt: NamedDependency[Belt], by: NamedDependency[Actor], data: JSONBody[FitRequest]) -> Harness:
        """Fit the belt to a system."""
        return belt.fit(data.system_id, data.policy, data.stance, data.record_mode, data.notice, by=by)

    @get("/systems/{system_id:str}", sync_to_thread=True, guards=[requires("belt.read")], responses=problems(NotFound))
    def harness(self, belt: NamedDependency[Belt], system_id: Id) -> Harness:
        """Say how the belt sits on a system."""
        return belt.harness(system_id)

    @patch(
        "/systems/{system_id:str}",
        sync_to_thread=True,
        guards=[requires("belt.configure", resource="system_id")],
        responses=problems(Invalid, NotFound, Conflict, Refused, has_body=True),
    )
    def change(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], system_id: Id, data: JSONBody[ChangeRequest]
    ) -> Harness:
        """Change how the belt sits on a system."""
        return belt.change(
            system_id,
            by=by,
            version=data.version,
            policy=data.policy,
            stance=data.stance,
            record_mode=data.record_mode,
            notice=data.notice,
            content=data.content,
            content_days=data.content_days,
        )
