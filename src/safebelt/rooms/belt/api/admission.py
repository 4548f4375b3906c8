"""`/api/belt/admission`: who may use what, for which purpose, in which setting."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, KwargDefinition

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from safebelt.rooms.belt.decide.admission import not_permitted
from safebelt.rooms.belt.model import AdmissionRule, AdmissionVersion, Asked
from safebelt.rooms.belt.permissions import AdmissionRules
from safebelt.rooms.belt.service import Belt
from safebelt.web.openapi import problems
from safebelt.web.security import requires

_MAX_NUMBER = 2**31 - 1  # what an INTEGER column holds on PostgreSQL
Number = Annotated[
    int, msgspec.Meta(ge=0, le=_MAX_NUMBER), KwargDefinition(gt=-1, le=_MAX_NUMBER)
]  # the document drops `ge=0`
Word = Annotated[str, msgspec.Meta(max_length=200), KwargDefinition(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesText:
    """Rules of admission, Cedar."""

    cedar: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionLoad:
    """Bring rules of admission, Cedar, into force."""

    cedar: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionRollBack:
    """Bring an earlier version back into force: the one before, unless another is named."""

    reason: str
    number: Number = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionOff:
    """Have no rules at all."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TryRequest:
    """A request as rules see it; what is left out or empty is unknown."""

    key_id: Word = ""
    caller: Word = ""
    system_id: Word = ""
    scope: Word = "chat"
    model: Word = ""
    purpose: Word = ""
    user_class: Word = ""
    region: Word = ""
    data_class: Word = ""
    hour: Annotated[int, msgspec.Meta(ge=0, le=23), KwargDefinition(gt=-1, le=23)] | None = None  # as above
    weekday: Annotated[int, msgspec.Meta(ge=1, le=7), KwargDefinition(ge=1, le=7)] | None = None
    minor: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesShown:
    """Rules of admission: each with its id, effect, reason and basis; their text and its SHA-256; what they look at."""

    digest: str
    content: str
    rules: tuple[AdmissionRule, ...]
    reads: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What the rules come to; `why` is what the caller would read, in both languages, empty where it is let in."""

    is_admitted: bool
    rules: tuple[str, ...]
    why_zh: str
    why_en: str


class AdmissionApi(Controller):
    """`/api/belt/admission`."""

    path = "/api/belt/admission"
    tags = ("belt",)

    @get("/", sync_to_thread=True, guards=[requires("belt.read")], responses=problems(Unavailable, Invalid))
    def rules(self, belt: NamedDependency[Belt]) -> RulesShown | None:
        """Return the rules of admission in force; null where the house has none, which lets every key in."""
        found = belt.admission()
        return _shown(found) if found else None

    @get("/versions", sync_to_thread=True, guards=[requires("belt.read")], responses=problems())
    def versions(self, belt: NamedDependency[Belt]) -> list[AdmissionVersion]:
        """List the versions that were in force, newest first, whole."""
        return list(belt.admission_versions())

    @post(
        "/check",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("belt.read")],
        responses=problems(Invalid, Unavailable, has_body=True),
    )
    def check(self, belt: NamedDependency[Belt], data: JSONBody[RulesText]) -> RulesShown:
        """Read rules as the house would, without bringing them into force."""
        return _shown(belt.check_admission(data.cedar.encode("utf-8", "replace")))

    @post(
        "/try",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("belt.read")],
        responses=problems(Invalid, Unavailable, has_body=True),
    )
    def try_(self, belt: NamedDependency[Belt], data: JSONBody[TryRequest]) -> Tried:
        """Say what the rules in force come to for a request.  Nothing is remembered."""
        return tried(belt, asked(msgspec.to_builtins(data)))

    @post(
        "/",
        sync_to_thread=True,
        guards=[requires("belt.configure")],
        responses=problems(Invalid, Conflict, Unavailable, has_body=True),
    )
    def load(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], data: JSONBody[AdmissionLoad]
    ) -> AdmissionVersion:
        """Bring rules into force; the belt goes by them within a second."""
        return belt.load_admission(data.cedar.encode("utf-8", "replace"), data.reason, by=by)

    @post(
        "/roll-back",
        sync_to_thread=True,
        guards=[requires("belt.configure")],
        responses=problems(Invalid, NotFound, Conflict, Unavailable, has_body=True),
    )
    def roll_back(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], data: JSONBody[AdmissionRollBack]
    ) -> AdmissionVersion:
        """Bring an earlier version back into force."""
        return belt.roll_back_admission(data.reason, by=by, number=data.number)

    @post(
        "/off",
        sync_to_thread=True,
        guards=[requires("belt.configure")],
        responses=problems(Invalid, Conflict, Unavailable, has_body=True),
    )
    def off(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], data: JSONBody[AdmissionOff]
    ) -> AdmissionVersion:
        """Have no rules at all, so that every key is let in; answers, records and console say so meanwhile."""
        return belt.switch_off_admission(data.reason, by=by)


def _shown(found: AdmissionRules) -> RulesShown:
    return RulesShown(
        digest=found.digest,
        content=found.content,
        rules=tuple(found.rules[name] for name in sorted(found.rules)),
        reads=tuple(sorted(found.reads)),
    )


def asked(given: dict[str, object]) -> Asked:
    """Return a request as rules see it; what is empty is unknown."""
    known = {name: value for name, value in given.items() if value not in ("", None)}
    return Asked(**{"key_id": "key_tried", "caller": "", "system_id": "", "scope": "chat", **known})  # type: ignore[arg-type]


def tried(belt: Belt, request: Asked) -> Tried:
    """Return what the rules in force come to."""
    found = belt.try_admission(request)
    if found is None or found.is_admitted:
        return Tried(is_admitted=True, rules=tuple(r.id for r in found.rules) if found else (), why_zh="", why_en="")
    barred = not_permitted(found)
    says, hint = barred.reason.says, barred.hint
    return Tried(is_admitted=False, rules=barred.rules, why_zh=f"{says.zh}{hint.zh}", why_en=f"{says.en} {hint.en}")
