"""JSON door to imports and their undoing."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, KwargDefinition, PathParameter, QueryParameter

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.registry.model.imports import (
    Batch,
    BatchPage,
    File,
    Form,
    ImportProof,
    ItemPage,
    Outcome,
    Planned,
    Preview,
    Trouble,
    Wish,
)
from safebelt.rooms.registry.service import Registry
from safebelt.web.openapi import problems
from safebelt.web.security import requires

MAX_CONTENT = 8_000_000
"""Longest content of one request, characters; longer files go through the page or the command line."""
MAX_MAPPING = 100_000

Content = Annotated[
    str, msgspec.Meta(min_length=1, max_length=MAX_CONTENT), KwargDefinition(min_length=1, max_length=MAX_CONTENT)
]
Short = Annotated[str, msgspec.Meta(max_length=300), KwargDefinition(max_length=300)]
Mapping_ = Annotated[str, msgspec.Meta(max_length=MAX_MAPPING), KwargDefinition(max_length=MAX_MAPPING)]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=2000), KwargDefinition(min_length=1, max_length=2000)]
BatchId = Annotated[str, PathParameter(description="`bat_…`.")]
SystemId = Annotated[str, PathParameter(description="`sys_…`.")]
PageNumber = Annotated[int, QueryParameter(ge=1, le=100_000)]
PageSize = Annotated[int, QueryParameter(ge=1, le=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bring:
    """A file to import.

    Attributes:
        name: The file's name; for a model card `<publisher>/<model>/README.md`.
        content: Its text.
        form: Which form it has; left out, it is looked at.
        mapping: What the columns of a table mean, YAML.
        provider: The party that stands where the source names none, by id or name.
        takes_likely: Whether likely duplicates are entered too.
        is_dry_run: Only say what would happen.
    """

    name: Short
    content: Content
    form: Form | None = None
    mapping: Mapping_ = ""
    provider: Short = ""
    takes_likely: bool = False
    is_dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoImport:
    """Why an import is undone; everybody who may read the ledger reads it."""

    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRecord:
    """One record and what would become of it."""

    place: int
    where: str
    name: str
    provider: str
    said: str
    outcome: Outcome
    system_id: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What an import would do, or did.

    Attributes:
        batch: The import; null for a dry run.
        proposal: A mapping guessed from a table's headings, to be looked over; then nothing was planned.
    """

    batch: Batch | None
    form: Form
    total: int
    counts: dict[str, int]
    classes: dict[str, dict[str, int]]
    barred: list[str]
    first: list[PlannedRecord]
    troubles: list[Trouble]
    proposal: str


class ImportsApi(Controller):
    """`/api/registry/imports`."""

    path = "/api/registry"
    tags = ("registry",)

    @post(
        "/imports",
        sync_to_thread=True,
        guards=[requires("registry.import")],
        responses=problems(Conflict, Invalid, has_body=True),
    )
    def import_file(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], data: JSONBody[Bring]
    ) -> Seen:
        """Import a file, or say what would happen; every system enters as an idea, whatever the file says."""
        files = [File(name=data.name, content=data.content.encode("utf-8", "surrogatepass"))]
        wish = Wish(form=data.form, mapping=data.mapping, provider=data.provider, takes_likely=data.takes_likely)
        seen = registry.preview_import(files, wish)
        if data.is_dry_run or seen.proposal:
            return _seen(seen, None)
        return _seen(seen, registry.import_files(files, wish, by=by))

    @get("/imports", sync_to_thread=True, guards=[requires("registry.read")], responses=problems())
    def list_imports(self, registry: NamedDependency[Registry], page: PageNumber = 1, size: PageSize = 20) -> BatchPage:
        """List imports, newest first."""
        return registry.import_batches(page=page, size=size)

    @get(
        "/imports/{batch_id:str}", sync_to_thread=True, guards=[requires("registry.read")], responses=problems(NotFound)
    )
    def get_import(self, registry: NamedDependency[Registry], batch_id: BatchId) -> Batch:
        """Return one import."""
        return registry.import_batch(batch_id)

    @get(
        "/imports/{batch_id:str}/records",
        sync_to_thread=True,
        guards=[requires("registry.read")],
        responses=problems(NotFound),
    )
    def list_records(
        self,
        registry: NamedDependency[Registry],
        batch_id: BatchId,
        outcome: Annotated[Outcome | None, QueryParameter()] = None,
        page: PageNumber = 1,
        size: PageSize = 50,
    ) -> ItemPage:
        """List the records of an import, in the order of the source."""
        return registry.import_items(batch_id, outcome=outcome, page=page, size=size)

    @post(
        "/imports/{batch_id:str}/undo",
        sync_to_thread=True,
        guards=[requires("registry.import")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def undo_import(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        batch_id: BatchId,
        data: JSONBody[UndoImport],
    ) -> Batch:
        """Take out what an import entered and nobody has touched since; what somebody touched stays."""
        return registry.undo_import(batch_id, reason=data.reason, by=by)

    @get(
        "/systems/{system_id:str}/import-proof",
        sync_to_thread=True,
        guards=[requires("registry.read")],
        responses=problems(NotFound),
    )
    def import_proof(self, registry: NamedDependency[Registry], system_id: SystemId) -> ImportProof:
        """Return the proof that a system entered by an import; the entry's own proof is the ledger's."""
        return registry.import_proof(system_id)


def _seen(seen: Preview, batch: Batch | None) -> Seen:
    return Seen(
        batch=batch,
        form=seen.form,
        total=seen.total,
        counts=dict(seen.counts),
        classes={name: dict(found) for name, found in seen.outlook.items()},
        barred=list(seen.barred),
        first=[_record(one) for one in seen.first],
        troubles=list(seen.troubles),
        proposal=seen.proposal,
    )


def _record(one: Planned) -> PlannedRecord:
    return PlannedRecord(
        place=one.place,
        where=one.record.where,
        name=one.record.name.en,
        provider=one.record.provider,
        said=one.record.said,
        outcome=one.outcome,
        system_id=one.system_id,
        why=one.why.en if one.why else "",
    )


API: tuple[type, ...] = (ImportsApi,)
