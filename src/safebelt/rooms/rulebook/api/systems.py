"""`/api/rulebook/systems/{id}`: what is owed, the dates to come, and exceptions to red lines."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, KwargDefinition, PathParameter, QueryParameter

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.access.model import Proposal
from safebelt.rooms.rulebook.decide import contract
from safebelt.rooms.rulebook.exports.ics import calendar_ics
from safebelt.rooms.rulebook.model import NOT_LEGAL_ADVICE, Entry
from safebelt.rooms.rulebook.model.deeds import Override, ProposeOverride
from safebelt.rooms.rulebook.service import Rules
from safebelt.rooms.rulebook.service.owing import SystemFile
from safebelt.web.openapi import problems
from safebelt.web.security import requires

Id = Annotated[str, PathParameter(description="Id, for example `sys_…`, `pty_…` or `prp_…`.")]
On = Annotated[date | None, QueryParameter(description="As of which day; today, if none is given.")]

MAX_NORMS = 50
Norms = Annotated[
    list[str], msgspec.Meta(min_length=1, max_length=MAX_NORMS), KwargDefinition(min_items=1, max_items=MAX_NORMS)
]

NOT_EVALUATED = Text(
    zh="该系统还没有记录事实，因此未评估；这不表示没有义务。",
    en="No facts are on record, so nothing is evaluated; that does not mean that nothing is owed.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideRequest:
    """Set red lines aside for a system.

    Attributes:
        norms: Red lines the system meets.
        until: First day on which they bar again; at most 90 days from today.
        reason: Why; it goes to the ledger.
    """

    norms: Norms
    until: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A second person's reason; it goes to the ledger."""

    answer: str


class SystemsApi(Controller):
    """`/api/rulebook`: registered systems."""

    path = "/api/rulebook"
    tags = ("rulebook",)

    @get(
        "/systems/{system_id:str}/owed",
        sync_to_thread=True,
        guards=[requires("rulebook.read")],
        responses=problems(NotFound),
    )
    def owed(self, rulebook: NamedDependency[Rules], system_id: Id, on: On = None) -> dict[str, Any]:
        """Return what is owed for a system on a day; `evaluated` is false where no facts are on record."""
        found = rulebook.file_of(system_id, on=on)
        day = on or rulebook.today()
        return _not_evaluated(system_id, day) if found is None else _owed(found)

    @get(
        "/systems/{system_id:str}/calendar",
        sync_to_thread=True,
        guards=[requires("rulebook.read")],
        responses=problems(NotFound),
    )
    def calendar(self, rulebook: NamedDependency[Rules], system_id: Id, on: On = None) -> dict[str, Any]:
        """Return every date to come for a system; `evaluated` is false where no facts are on record."""
        found = rulebook.file_of(system_id, on=on)
        if found is None:
            return {**_not_evaluated(system_id, on or rulebook.today()), "entries": []}
        return {
            "system": system_id,
            "on": found.outlook.on.isoformat(),
            "evaluated": True,
            "entries": [_entry(one) for one in found.outlook.calendar],
            "notice": contract.words(NOT_LEGAL_ADVICE),
        }

    @get(
        "/systems/{system_id:str}/calendar.ics",
        sync_to_thread=True,
        guards=[requires("rulebook.read")],
        responses=problems(NotFound),
        media_type="text/calendar",
    )
    def calendar_file(
        self,
        rulebook: NamedDependency[Rules],
        system_id: Id,
        on: On = None,
        lang: Annotated[Lang | None, QueryParameter(description="Language of the events; both, if none.")] = None,
    ) -> Response[str]:
        """Return the dates to come as an iCalendar file; without facts on record it has none."""
        found = rulebook.file_of(system_id, on=on)
        entries = () if found is None else found.outlook.calendar
        body = calendar_ics(entries, name=rulebook.about(system_id).name, at=rulebook.now(), lang=lang)
        return Response(body.decode("utf-8"), media_type="text/calendar; charset=utf-8")

    @get(
        "/parties/{party_id:str}/owed",
        sync_to_thread=True,
        guards=[requires("rulebook.read")],
        responses=problems(NotFound),
    )
    def party_owed(self, rulebook: NamedDependency[Rules], party_id: Id, on: On = None) -> dict[str, Any]:
        """Return a party's systems with how much is owed for each, and the next date."""
        day, holdings = on or rulebook.today(), rulebook.holdings(party_id)
        return {
            "party": party_id,
            "name": contract.words(holdings.name),
            "on": day.isoformat(),
            "systems": [_in_brief(name, rulebook.file_of(name, on=day)) for name in holdings.systems],
            "notice": contract.words(NOT_LEGAL_ADVICE),
        }

    @get(
        "/systems/{system_id:str}/overrides",
        sync_to_thread=True,
        guards=[requires("rulebook.read")],
        responses=problems(NotFound),
    )
    def overrides(self, rulebook: NamedDependency[Rules], system_id: Id) -> list[Override]:
        """List exceptions to red lines that were made for a system, latest first."""
        rulebook.about(system_id)
        return rulebook.overrides(system_id)

    @post(
        "/systems/{system_id:str}/overrides",
        sync_to_thread=True,
        guards=[requires("rulebook.override")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def propose_override(
        self,
        rulebook: NamedDependency[Rules],
        by: NamedDependency[Actor],
        system_id: Id,
        data: JSONBody[OverrideRequest],
    ) -> Proposal:
        """Propose that red lines be set aside; another person must second it."""
        cmd = ProposeOverride(norms=tuple(dict.fromkeys(data.norms)), until=data.until, reason=data.reason)
        return rulebook.propose_override(system_id, cmd, by=by)

    @post(
        "/overrides/{proposal_id:str}/second",
        sync_to_thread=True,
        guards=[requires("rulebook.override")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def second_override(
        self, rulebook: NamedDependency[Rules], by: NamedDependency[Actor], proposal_id: Id, data: JSONBody[Answer]
    ) -> Override:
        """Second an exception that another proposed: it holds from now until its day."""
        return rulebook.override(proposal_id, answer=data.answer, by=by)


def _not_evaluated(system: str, on: date) -> dict[str, Any]:
    return {"system": system, "on": on.isoformat(), "evaluated": False, "why": contract.words(NOT_EVALUATED)}


def _owed(found: SystemFile) -> dict[str, Any]:
    outlook = found.outlook
    judgment, text = outlook.judgment, outlook.text
    return {
        "system": found.system,
        "name": contract.words(found.about.name),
        "on": outlook.on.isoformat(),
        "evaluated": True,
        "facts_version": found.record.version,
        "facts_sha256": found.record.sha256,
        "classes": {name: contract.class_data(one) for name, one in judgment.classes.items()},
        "owed": [contract.duty_data(one, text, judgment) for one in outlook.duties],
        "red_lines": list(found.red_lines),
        "barred_by": list(found.barred_by),
        "notice": contract.words(NOT_LEGAL_ADVICE),
    }


def _in_brief(system: str, found: SystemFile | None) -> dict[str, Any]:
    if found is None:
        return {"system": system, "evaluated": False, "why": contract.words(NOT_EVALUATED)}
    first = next(iter(found.outlook.calendar), None)
    return {
        "system": system,
        "name": contract.words(found.about.name),
        "evaluated": True,
        "duties": len(found.outlook.duties),
        "next": _entry(first) if first else None,
        "barred_by": list(found.barred_by),
    }


def _entry(one: Entry) -> dict[str, Any]:
    return {
        "on": one.on.isoformat(),
        "kind": one.kind.value,
        "about": one.about,
        "instrument": one.instrument,
        "title": contract.words(one.title),
        "cites": list(one.cites),
        "status": one.status.value,
    }


API: tuple[type[Controller], ...] = (SystemsApi,)
