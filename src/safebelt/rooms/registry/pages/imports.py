"""Pages about imports and their undoing."""

from collections.abc import Mapping
from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.imports.bounds import MAX_FILE_BYTES
from safebelt.rooms.registry.model.imports import FORMS, OUTCOMES, STATES, Batch, File, Form, Outcome, State, Wish
from safebelt.rooms.registry.service import Registry
from safebelt.web.forms import Form as Typed
from safebelt.web.forms import empty_form
from safebelt.web.panels import Panel
from safebelt.web.security import requires
from safebelt.web.templating import page as render

PathLang = Annotated[Lang, PathParameter()]
BatchId = Annotated[str, PathParameter()]
PageNumber = Annotated[int, QueryParameter(ge=1, le=100_000)]
Uploaded = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)]
FormData = URLEncodedBody[dict[str, str | list[str]]]
_TITLE = Text(zh="导入系统", en="Import systems")
_BATCH = Text(zh="导入", en="Import")
_MAPPING_CHARS = 100_000
_WORDS = {"FORMS": FORMS, "STATES": STATES, "OUTCOMES": OUTCOMES}


class ImportPages(Controller):
    """`/{lang}/registry/imports`."""

    path = "/{lang:str}/registry/imports"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("registry.read")])
    def imports(self, registry: NamedDependency[Registry], lang: PathLang, page: PageNumber = 1) -> Template:
        """List imports, and offer to bring a file."""
        return _home(registry, lang, empty_form(), page)

    @post(sync_to_thread=True, guards=[requires("registry.import")])
    def bring(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], lang: PathLang, data: Uploaded
    ) -> Template | Redirect:
        """Keep a file as a batch to be looked at; a table without a mapping comes back with a proposal."""
        typed = {name: str(data.get(name, "")) for name in ("form", "mapping", "provider")}
        files, wish = _brought(data), _wish(typed)
        try:
            if not files:
                raise _no_file()
            seen = registry.preview_import(files, wish)
            if seen.proposal:
                proposed = empty_form(**{**typed, "form": Form.CSV.value, "mapping": seen.proposal})
                return _home(registry, lang, proposed, 1, is_proposed=True)
            batch = registry.bring_import(files, wish, by=by)
        except Invalid as problem:
            return _home(registry, lang, empty_form(**typed).refused(problem), 1, status=422)
        return Redirect(f"/{lang}/registry/imports/{batch.id}", status_code=303)

    @get("/{batch_id:str}", sync_to_thread=True, guards=[requires("registry.read")])
    def batch(
        self, registry: NamedDependency[Registry], lang: PathLang, batch_id: BatchId, page: PageNumber = 1
    ) -> Template:
        """Show a batch: what it would do while it waits, what it did once it is over."""
        return _batch_page(registry, lang, batch_id, page, empty_form())

    @post("/{batch_id:str}/confirm", sync_to_thread=True, guards=[requires("registry.import")])
    def confirm(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        batch_id: BatchId,
        data: FormData,
    ) -> Redirect:
        """Import a batch with the likely duplicates that were ticked."""
        ticked = data.get("chosen", [])
        places = [ticked] if isinstance(ticked, str) else ticked
        chosen = tuple(int(one) for one in places if one.isascii() and one.isdigit() and len(one) < 8)
        registry.confirm_import(batch_id, by=by, chosen=chosen)
        return Redirect(f"/{lang}/registry/imports/{batch_id}", status_code=303)

    @post("/{batch_id:str}/discard", sync_to_thread=True, guards=[requires("registry.import")])
    def discard(self, registry: NamedDependency[Registry], lang: PathLang, batch_id: BatchId) -> Redirect:
        """Forget a batch that was never confirmed."""
        registry.discard_import(batch_id)
        return Redirect(f"/{lang}/registry/imports", status_code=303)

    @post("/{batch_id:str}/undo", sync_to_thread=True, guards=[requires("registry.import")])
    def undo(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        batch_id: BatchId,
        data: FormData,
    ) -> Template | Redirect:
        """Take out what a batch entered and nobody has touched since."""
        reason = data.get("reason", "")
        try:
            registry.undo_import(batch_id, reason=reason if isinstance(reason, str) else "", by=by)
        except (Invalid, Conflict) as problem:
            return _batch_page(registry, lang, batch_id, 1, empty_form().refused(problem), status=problem.status)
        return Redirect(f"/{lang}/registry/imports/{batch_id}", status_code=303)


def _home(
    registry: Registry, lang: Lang, form: Typed[Any], page: int, *, is_proposed: bool = False, status: int = 200
) -> Template:
    return render(
        "registry/imports.html",
        lang=lang,
        title=_TITLE,
        status=status,
        form=form,
        found=registry.import_batches(page=page),
        is_proposed=is_proposed,
        words=_WORDS,
        forms=[("", _AUTO.in_(lang)), *((one.value, FORMS[one].in_(lang)) for one in Form)],
    )


_AUTO = Text(zh="由程序识别", en="Let the program tell")


def _batch_page(
    registry: Registry, lang: Lang, batch_id: str, page: int, form: Typed[Any], *, status: int = 200
) -> Template:
    batch = registry.import_batch(batch_id)
    waits = batch.state is State.PLANNED
    items = registry.import_items(batch_id, page=page)
    return render(
        "registry/import_batch.html",
        lang=lang,
        title=_BATCH,
        status=status,
        form=form,
        batch=batch,
        seen=registry.preview_of_import(batch_id) if waits else None,
        items=items,
        barred=registry.import_barred(batch_id),
        counts=_counts(batch, lang),
        instruments=_instruments(registry, lang),
        words=_WORDS,
        likely=Outcome.LIKELY,
    )


def _counts(batch: Batch, lang: Lang) -> list[tuple[str, int]]:
    return [(OUTCOMES[Outcome(name)].in_(lang), many) for name, many in batch.counts.items() if many]


def _instruments(registry: Registry, lang: Lang) -> Mapping[str, tuple[str, Mapping[str, str]]]:
    """Instrument to its short name and the names of its classes."""
    return registry.class_names(lang)


def _brought(data: Mapping[str, Any]) -> list[File]:
    found = data.get("file")
    uploads = found if isinstance(found, list) else [found]
    read = [(one.filename, one.file.read(MAX_FILE_BYTES + 1)) for one in uploads if isinstance(one, UploadFile)]
    return [File(name=name or "file", content=content) for name, content in read if content]


def _wish(typed: Mapping[str, str]) -> Wish:
    form = typed["form"]
    return Wish(
        form=Form(form) if form in {one.value for one in Form} else None,
        mapping=typed["mapping"][:_MAPPING_CHARS],
        provider=typed["provider"].strip()[:300],
    )


def _no_file() -> Invalid:
    return Invalid(
        what=Text(zh="请选择要导入的文件。", en="Choose a file to import."),
        hint=Text(zh="可以一次选择多个文件。", en="Several files can be chosen at once."),
        details={"field": "file"},
    )


PAGES: tuple[type, ...] = (ImportPages,)


def panels(registry: Registry) -> tuple[Panel, ...]:
    """Return what this piece lays on a system's dossier."""

    def context(system_id: str, _lang: Lang) -> Mapping[str, Any]:
        origin = registry.origin_of(system_id)
        return {"origin": origin, "is_empty": origin is None, "words": _WORDS}

    title = Text(zh="登记来源", en="Where the registration comes from")
    return (Panel(name="origin", title=title, template="registry/_panel_imports.html", context=context, place="side"),)
