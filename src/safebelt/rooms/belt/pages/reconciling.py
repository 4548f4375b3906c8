"""`/{lang}/belt/reconcile`: did anything go around the belt?  The upstream's own file is held against the records."""

from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, PathParameter
from litestar.response import Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Problem
from safebelt.kernel.text import Lang
from safebelt.rooms.belt.imports.usage import MAX_SENT_BYTES, hold_sent, lines_of
from safebelt.rooms.belt.model.reconciling import Form as FileForm
from safebelt.rooms.belt.model.reconciling import Reconciliation
from safebelt.rooms.belt.pages import words
from safebelt.rooms.belt.pages.words import AnyRequest
from safebelt.rooms.belt.service import Belt
from safebelt.web.forms import Form, empty_form
from safebelt.web.security import requires
from safebelt.web.templating import page as render

PathLang = Annotated[Lang, PathParameter()]
Uploaded = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)]
_FRAME_BYTES = 1 << 16
_SHOWN = 300


class ReconcilePages(Controller):
    """Completeness."""

    path = "/{lang:str}/belt/reconcile"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("belt.read")])
    def ask(self, request: AnyRequest, belt: NamedDependency[Belt], lang: PathLang) -> Template:
        """Ask for the upstream's file, and list the results that were kept."""
        return _page(request, belt, lang, empty_form())

    @post(
        sync_to_thread=True,
        status_code=200,
        request_max_body_size=MAX_SENT_BYTES + _FRAME_BYTES,
        guards=[requires("belt.read")],
    )
    def compare(self, request: AnyRequest, belt: NamedDependency[Belt], lang: PathLang, data: Uploaded) -> Template:
        """Hold a file against the records; nothing of it is kept."""
        return _compared(request, belt, lang, data, None)

    @post(
        "/keep",
        sync_to_thread=True,
        status_code=200,
        request_max_body_size=MAX_SENT_BYTES + _FRAME_BYTES,
        guards=[requires("belt.configure")],
    )
    def keep(
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        data: Uploaded,
    ) -> Template:
        """Hold a file against the records, and put the result and the file's digest on the ledger."""
        return _compared(request, belt, lang, data, by)


def _compared(request: AnyRequest, belt: Belt, lang: Lang, data: dict[str, Any], by: Actor | None) -> Template:
    typed = {name: str(data.get(name, "")) for name in ("system", "reason")}
    entry = ""
    try:
        content = _content(data)
        belt.index()
        found = belt.reconcile(content, system_id=typed["system"])
        if by is not None:
            entry = belt.keep_reconciliation(content, found, typed["reason"], by=by, system_id=typed["system"])
    except Problem as problem:
        problem.details = {"field": "file", **problem.details}
        return _page(request, belt, lang, empty_form(**typed).refused(problem), status=problem.status)
    return _page(request, belt, lang, empty_form(**typed), found=found, content=content, entry=entry)


def _content(data: dict[str, Any]) -> bytes:
    """Return the file that was brought; raises Invalid where there is none."""
    upload = data.get("file")
    if not isinstance(upload, UploadFile) or not upload.filename:
        return hold_sent(b"")
    return hold_sent(upload.file.read(MAX_SENT_BYTES + 1))


def _page(
    request: AnyRequest,
    belt: Belt,
    lang: Lang,
    form: Form[Any],
    *,
    found: Reconciliation | None = None,
    content: bytes = b"",
    entry: str = "",
    status: int = 200,
) -> Template:
    is_log = found is not None and found.form is FileForm.ACCESS_LOG
    return render(
        "belt/reconcile.html",
        lang=lang,
        title=words.RECONCILE,
        status=status,
        form=form,
        found=found,
        lines={no: text[:_SHOWN] for no, text in lines_of(content, found.around_lines).items()}
        if found and is_log
        else {},
        entry=entry,
        kept=belt.reconciliations(),
        names=belt.names(),
        most=MAX_SENT_BYTES >> 20,
        may=lambda action: words.may(request, action),
    )
