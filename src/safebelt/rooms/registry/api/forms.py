"""JSON door to filings and forms."""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar import Controller, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.registry.exports import forms as writers
from safebelt.rooms.registry.model.forms import FilingRecord, FilledForm, Receive
from safebelt.rooms.registry.service import Registry
from safebelt.web.openapi import problems
from safebelt.web.security import requires

SystemId = Annotated[str, PathParameter(description="`sys_…`.")]
FormId = Annotated[str, PathParameter(description="For example `eu-annex-viii-a`.")]
FilingId = Annotated[str, PathParameter(description="`fil_…`.")]
Answers = Annotated[dict[str, str], msgspec.Meta(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormHead:
    """A form that can be filled."""

    id: str
    title: Text
    to: Text
    about: Text
    fields: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledField:
    """One field; `source` is where its value came from, `says` tells it, or says what to do where it is missing."""

    id: str
    title: Text
    value: list[str]
    source: str
    says: Text
    is_required: bool
    is_missing: bool
    cites: list[str]
    unsure: Text | None
    trouble: Text | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FormFilled:
    """A form as far as the record fills it.

    Attributes:
        official: In its official machine form; null where there is none.
    """

    form: str
    system: str
    on: str
    is_complete: bool
    missing: list[str]
    fields: list[FilledField]
    official: dict[str, Any] | None
    notice: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteForm:
    """What is written into a form: field to words; empty words take an answer back."""

    answers: Answers


@dataclass(frozen=True, slots=True, kw_only=True)
class FileIt:
    """Whether the filing was submitted to whom it goes, or only produced."""

    is_submitted: bool = False


class FormsApi(Controller):
    """`/api/registry/forms` and what systems file."""

    path = "/api/registry"
    tags = ("registry",)

    @get("/forms", sync_to_thread=True, guards=[requires("registry.read")], responses=problems())
    def list_forms(self, registry: NamedDependency[Registry]) -> list[FormHead]:
        """List the forms that can be filled."""
        return [
            FormHead(id=one.id, title=one.title, to=one.to, about=one.about, fields=len(one.fields))
            for one in registry.forms.values()
        ]

    @get(
        "/systems/{system_id:str}/forms/{form_id:str}",
        sync_to_thread=True,
        guards=[requires("registry.export")],
        responses=problems(NotFound),
    )
    def fill_form(self, registry: NamedDependency[Registry], system_id: SystemId, form_id: FormId) -> FormFilled:
        """Fill a form from what is on record, and name what is missing."""
        return _shown(registry.filled(system_id, form_id))

    @put(
        "/systems/{system_id:str}/forms/{form_id:str}",
        sync_to_thread=True,
        guards=[requires("registry.change")],
        responses=problems(NotFound, Invalid, has_body=True),
    )
    def write_form(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        system_id: SystemId,
        form_id: FormId,
        data: JSONBody[WriteForm],
    ) -> FormFilled:
        """Write answers into a form; a draft until it is filed."""
        return _shown(registry.answer_form(system_id, form_id, data.answers, by=by))

    @post(
        "/systems/{system_id:str}/forms/{form_id:str}/filings",
        sync_to_thread=True,
        guards=[requires("registry.change")],
        responses=problems(NotFound, Invalid, has_body=True),
    )
    def file_form(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        system_id: SystemId,
        form_id: FormId,
        data: JSONBody[FileIt],
    ) -> FilingRecord:
        """Record that a filing was produced, or submitted."""
        return registry.file_form(system_id, form_id, by=by, is_submitted=data.is_submitted)

    @get(
        "/systems/{system_id:str}/filings",
        sync_to_thread=True,
        guards=[requires("registry.export")],
        responses=problems(NotFound),
    )
    def list_filings(self, registry: NamedDependency[Registry], system_id: SystemId) -> list[FilingRecord]:
        """List a system's filings, newest first."""
        return list(registry.filings(registry.system(system_id).id))

    @post(
        "/filings/{filing_id:str}/number",
        sync_to_thread=True,
        guards=[requires("registry.change")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def receive_number(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        filing_id: FilingId,
        data: JSONBody[Receive],
    ) -> FilingRecord:
        """Record the number a filing received; it becomes claimed evidence."""
        return registry.receive_number(filing_id, data, by=by)


def _shown(filled: FilledForm) -> FormFilled:
    return FormFilled(
        form=filled.spec.id,
        system=filled.system_id,
        on=filled.on.isoformat(),
        is_complete=filled.is_complete,
        missing=[one.field.id for one in filled.missing],
        fields=[
            FilledField(
                id=one.field.id,
                title=one.field.title,
                value=list(one.value) if isinstance(one.value, tuple) else [one.value] if one.value else [],
                source=one.source,
                says=one.said,
                is_required=one.field.is_required,
                is_missing=one.is_missing,
                cites=list(one.field.cites),
                unsure=one.field.unsure,
                trouble=one.trouble,
            )
            for one in filled.fields
        ],
        official=writers.official(filled) if filled.spec.official else None,
        notice=writers.NOTICE,
    )


API: tuple[type, ...] = (FormsApi,)
