"""JSON door to change control, responsibility and rights."""

import csv
import io
from dataclasses import dataclass
from typing import Annotated

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, KwargDefinition, PathParameter

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.registry.model.changes import Change, Preview, Reopened
from safebelt.rooms.registry.model.register import NamedPerson
from safebelt.rooms.registry.model.responsibility import (
    Assign,
    Assignment,
    EndAssignment,
    HandOver,
    Part,
    ResponsibilityMap,
    Right,
)
from safebelt.rooms.registry.service import Registry
from safebelt.web.openapi import problems
from safebelt.web.security import requires

MAX_DESCRIPTOR = 1_000_000
"""Longest descriptor, characters; the rulebook's reader takes no more than a megabyte."""
MAX_VERSION = 2_147_483_647
"""What both databases count in."""

DescriptorText = Annotated[
    str, msgspec.Meta(min_length=1, max_length=MAX_DESCRIPTOR), KwargDefinition(min_length=1, max_length=MAX_DESCRIPTOR)
]
VersionNumber = Annotated[int, msgspec.Meta(ge=1, le=MAX_VERSION), KwargDefinition(ge=1, le=MAX_VERSION)]
Id = Annotated[str, PathParameter(description="Id, `sys_…`.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class WouldBe:
    """Facts to look at.

    Attributes:
        descriptor: A descriptor in the form `system/1`, as YAML or JSON text.
    """

    descriptor: DescriptorText


@dataclass(frozen=True, slots=True, kw_only=True)
class PutBack:
    """Former facts to put back.

    Attributes:
        version: The number of the description that is to count again.
    """

    version: VersionNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class IsBack:
    """Facts that were put back, as a description of their own."""

    system: str
    version: int
    facts_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesFound:
    """What changed, and what it left to do.

    Attributes:
        changes: Latest first.
        to_do: Each kind of evidence once, with its soonest day; what is overdue first.
    """

    changes: tuple[Change, ...]
    to_do: tuple[Reopened, ...]


class ChangesApi(Controller):
    """`/api/registry/systems/{id}/changes`, `…/responsibility`, `…/rights`."""

    path = "/api/registry/systems/{system_id:str}"
    tags = ("registry",)

    @get("/changes", sync_to_thread=True, guards=[requires("registry.read")], responses=problems(NotFound))
    def list_changes(self, registry: NamedDependency[Registry], system_id: Id) -> ChangesFound:
        """List what changed about an AI system, what that re-opened, and what is left to do by when."""
        return ChangesFound(changes=registry.changes(system_id), to_do=registry.to_do(system_id))

    @post(
        "/changes/preview",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("registry.read")],
        responses=problems(NotFound, Invalid, has_body=True),
    )
    def preview_change(self, registry: NamedDependency[Registry], system_id: Id, data: JSONBody[WouldBe]) -> Preview:
        """Say what facts would re-open.  Private: nothing is put on record."""
        return registry.preview(system_id, data.descriptor)

    @post(
        "/changes/put-back",
        sync_to_thread=True,
        guards=[requires("registry.change")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def put_back(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        system_id: Id,
        data: JSONBody[PutBack],
    ) -> IsBack:
        """Put former facts back, as a new description the same as an earlier one."""
        record = registry.put_back(system_id, data.version, by=by)
        return IsBack(system=system_id, version=record.version, facts_sha256=record.sha256)

    @get("/responsibility", sync_to_thread=True, guards=[requires("registry.read")], responses=problems(NotFound))
    def get_responsibility(self, registry: NamedDependency[Registry], system_id: Id) -> ResponsibilityMap:
        """Return for each duty who is accountable, who acts, who is told, since when."""
        return registry.responsibility(system_id)

    @get(
        "/responsibility/export",
        sync_to_thread=True,
        guards=[requires("registry.read")],
        media_type="text/csv",
        responses=problems(NotFound),
    )
    def export_responsibility(self, registry: NamedDependency[Registry], system_id: Id) -> Response[str]:
        """Return the responsibility map as CSV, with names."""
        people = {one.id: one for one in registry.system(system_id).people}
        return Response(
            as_csv(registry.responsibility(system_id), people),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="responsibility-{system_id}.csv"'},
        )

    @post(
        "/responsibility",
        sync_to_thread=True,
        guards=[requires("registry.change")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def assign(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        system_id: Id,
        data: JSONBody[Assign],
    ) -> Assignment:
        """Let a named person stand for a duty, or for every duty of a bearer."""
        return registry.assign(system_id, data, by=by)

    @post(
        "/responsibility/hand-overs",
        sync_to_thread=True,
        guards=[requires("registry.change")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def hand_over(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        system_id: Id,
        data: JSONBody[HandOver],
    ) -> Assignment:
        """Hand a duty over from one person to another."""
        return registry.hand_over(system_id, data, by=by)

    @post(
        "/responsibility/ends",
        sync_to_thread=True,
        guards=[requires("registry.change")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def end_assignment(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        system_id: Id,
        data: JSONBody[EndAssignment],
    ) -> Assignment:
        """End an assignment without a successor."""
        return registry.end_assignment(system_id, data, by=by)

    @get("/rights", sync_to_thread=True, guards=[requires("registry.read")], responses=problems(NotFound))
    def get_rights(self, registry: NamedDependency[Registry], system_id: Id) -> list[Right]:
        """Return what people and parties may do or claim because of an AI system."""
        return list(registry.rights_of(system_id))


COLUMNS = (
    "norm",
    "instrument",
    "title_zh",
    "title_en",
    "bearer",
    "binds",
    "begins",
    "due",
    "accountable",
    "acting",
    "told",
    "gap",
    "cites",
)


def as_csv(found: ResponsibilityMap, people: dict[str, NamedPerson]) -> str:
    """Return the responsibility map as CSV (RFC 4180); people by name, id and first day."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for duty in found.duties:
        held = {
            part: "; ".join(
                f"{people[one.person_id].name} ({one.person_id}, {one.since})" for one in duty.holders.get(part, ())
            )
            for part in Part
        }
        rows.writerow(
            _harmless(one)
            for one in (
                duty.norm,
                duty.instrument,
                duty.title.zh,
                duty.title.en,
                duty.bearer,
                "yes" if duty.binds else "no",
                duty.effective.isoformat(),
                duty.due.isoformat() if duty.due else "",
                *(held[part] for part in Part),
                duty.gap.says.en if duty.gap else "",
                " ".join(duty.cites),
            )
        )
    return out.getvalue()


def _harmless(cell: str) -> str:
    """Keep a spreadsheet from taking a name for a formula (OWASP, CSV injection)."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell


API: tuple[type, ...] = (ChangesApi,)
