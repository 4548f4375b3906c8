"""The console's pages of labelling: what was marked, and a form that marks a file."""

import base64
from collections.abc import Mapping
from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, PathParameter, QueryParameter
from litestar.response import Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Invalid, Problem
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.labelling.model import MARKS, Mark
from safebelt.rooms.labelling.model.owing import OWINGS
from safebelt.rooms.labelling.service import Labelling, MarkedSent, MarkSent
from safebelt.web.forms import Form, empty_form
from safebelt.web.security import requires
from safebelt.web.templating import page as render

LIST = Text(zh="内容标识", en="Marks on contents")
MARK = Text(zh="为文件加注标识", en="Mark a file")
MAX_BYTES = 16 << 20
"""Largest file that is marked on a page, which carries the marked one within itself; shell and API take larger ones."""
OWED = "owed"
_WISHES = (OWED, *(mark.value for mark in Mark))

PathLang = Annotated[Lang, PathParameter()]
Uploads = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)]
SystemId = Annotated[str, QueryParameter(max_length=40)]


class MarkPages(Controller):
    """`/{lang}/labelling`."""

    path = "/{lang:str}/labelling"
    include_in_schema = False

    @get(guards=[requires("labelling.read")], sync_to_thread=True)
    def marks(
        self,
        *,
        labelling: NamedDependency[Labelling],
        lang: PathLang,
        system: SystemId = "",
        find: Annotated[str, QueryParameter(max_length=64)] = "",
        before: Annotated[str, QueryParameter(max_length=40)] = "",
    ) -> Template:
        """List which contents were marked, the latest first."""
        found = labelling.marks(system_id=system, find=find, before=before)
        return render(
            "labelling/marks.html",
            lang=lang,
            title=LIST,
            found=found,
            system=system,
            find=find,
            is_filtered=bool(system or find or before),
        )

    @get("/mark", guards=[requires("labelling.mark")], sync_to_thread=False)
    def form(self, lang: PathLang, system: SystemId = "") -> Template:
        """Show the form."""
        return _page(lang, empty_form(system_id=system, wish=OWED, notice_lang=""))

    @post(
        "/mark",
        guards=[requires("labelling.mark")],
        sync_to_thread=True,
        status_code=200,
        request_max_body_size=MAX_BYTES + (1 << 16),
    )
    def mark(
        self, labelling: NamedDependency[Labelling], by: NamedDependency[Actor], lang: PathLang, data: Uploads
    ) -> Template:
        """Mark what was sent, and show what was put on it; the marked file is in the page, to be saved."""
        typed = {name: str(data.get(name, "")).strip() for name in ("system_id", "notice_lang")}
        form: Form[Any] = Form(values=typed | {"wish": _wishes(data)})
        try:
            upload = _upload(data)
            made = labelling.mark_sent(upload.file, upload.filename, _wish(typed, data), by=by)
        except Problem as problem:
            return _page(lang, form.refused(problem), status=problem.status)
        return _page(lang, form, made=made)


def _wishes(data: Mapping[str, Any]) -> tuple[str, ...]:
    given = data.get("wish") or ()
    return tuple(one for one in ([given] if isinstance(given, str) else given) if one in _WISHES)


def _wish(typed: Mapping[str, str], data: Mapping[str, Any]) -> MarkSent:
    wishes = _wishes(data)
    named = frozenset(Mark(one) for one in wishes if one != OWED)
    lang = typed["notice_lang"] if typed["notice_lang"] in LANGS else ""
    return MarkSent(system_id=typed["system_id"], marks=named if named and OWED not in wishes else None, lang=lang)


def _upload(data: Mapping[str, Any]) -> UploadFile:
    upload = data.get("file")
    if isinstance(upload, UploadFile) and upload.filename:
        return upload
    raise Invalid(
        what=Text(zh="没有收到文件。", en="There is no file."),
        hint=Text(zh="请选择一个文件。", en="Choose one."),
        details={"field": "file"},
    )


def _page(lang: Lang, form: Form[Any], *, made: MarkedSent | None = None, status: int = 200) -> Template:
    return render(
        "labelling/mark.html",
        lang=lang,
        title=MARK,
        form=form,
        made=made,
        content=_embedded(made.data, made.media_type) if made else "",
        sidecar=_embedded(made.sidecar, "application/json") if made and made.sidecar else "",
        marks=MARKS,
        owings=OWINGS,
        max_mb=MAX_BYTES >> 20,
        status=status,
    )


def _embedded(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"
