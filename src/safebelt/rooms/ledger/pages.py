"""The ledger's pages: what was done, one entry with its proof, and a page where anybody checks a proof."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from litestar import Controller, Request, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.ledger.service import Ledger, check, check_consistency, read_keys
from safebelt.rooms.ledger.verifier import tools
from safebelt.web.forms import Form, empty_form
from safebelt.web.security import open_to_all, requires
from safebelt.web.templating import page

_MAX_INDEX = 2**53 - 1  # as in the API
_PAGE = 25
_PROOF_BYTES = 4 * 1024 * 1024
_CONSISTENCY = "safebelt tlog-consistency"

PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter(max_length=40)]
Filter = Annotated[str, QueryParameter(max_length=200)]
Index = Annotated[int | None, QueryParameter(ge=0, le=_MAX_INDEX)]
AnyRequest = Request[Any, Any, Any]
CheckForm = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)]

LIST = Text(zh="存证账本", en="Ledger")
ENTRY = Text(zh="存证条目", en="Ledger entry")
CHECK = Text(zh="核验存证证明", en="Check a proof")
ERASED = Text(zh="个人信息已删除；证明依然有效。", en="The personal data was erased; the proof stands.")


class LedgerPages(Controller):
    """`/{lang}/ledger`."""

    path = "/{lang:str}/ledger"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("ledger.read")])
    def entries(
        self,
        *,
        ledger: NamedDependency[Ledger],
        lang: PathLang,
        search: Filter = "",
        kind: Filter = "",
        subject: Filter = "",
        actor: Filter = "",
        before: Index = None,
        after: Index = None,
    ) -> Template:
        """List what was done, newest first."""
        filters = {"search": search, "kind": kind, "subject": subject, "actor": actor}
        found = ledger.entries(**filters, before=before, after=after, limit=_PAGE + 1)
        has_more = len(found) > _PAGE
        shown = found[1:] if has_more and after is not None else found[:_PAGE]
        return page(
            "ledger/list.html",
            lang=lang,
            title=LIST,
            entries=shown,
            filters=filters,
            is_filtered=any(filters.values()),
            checkpoint=ledger.checkpoint(),
            newer=shown[0].index if shown and (before is not None or (after is not None and has_more)) else None,
            older=shown[-1].index if shown and (has_more or after is not None) else None,
        )

    @get("/check", sync_to_thread=True, guards=[open_to_all("whoever is shown a proof must be able to check it")])
    def check_form(self, lang: PathLang) -> Template:
        """Show the form to check a proof."""
        return _check_page(lang, empty_form())

    @post(
        "/check",
        sync_to_thread=True,
        status_code=200,
        guards=[open_to_all("whoever is shown a proof must be able to check it")],
    )
    def check(self, lang: PathLang, data: CheckForm) -> Template:
        """Judge a proof that was pasted or uploaded, with the key that was given and nothing else."""
        values = {"proof": _proof(data), "key": str(data.get("key", "")).strip()}
        form: Form[Any] = Form(values=values)
        try:
            _hold_filled(values)
            judge = check_consistency if values["proof"].startswith(_CONSISTENCY) else check
            reason, proven = judge(values["proof"], read_keys(values["key"]))
        except Invalid as problem:
            return _check_page(lang, form.refused(problem), status=422)
        return _check_page(lang, form, reason=reason, proven=None if proven is None else _rows(proven))

    @get("/{entry_id:str}", sync_to_thread=True, guards=[requires("ledger.read")])
    def entry(self, request: AnyRequest, ledger: NamedDependency[Ledger], lang: PathLang, entry_id: PathId) -> Template:
        """Show one entry, its data, its proof, and why to trust it."""
        notice = ERASED if request.query_params.get("done") == "erased" else None
        return _entry_page(ledger, lang, entry_id, empty_form(), notice=notice)

    @post("/{entry_id:str}/erase", sync_to_thread=True, guards=[requires("ledger.erase")])
    def erase(
        self,
        ledger: NamedDependency[Ledger],
        by: NamedDependency[Actor],
        lang: PathLang,
        entry_id: PathId,
        data: URLEncodedBody[dict[str, str]],
    ) -> Redirect | Template:
        """Erase the personal data of an entry."""
        reason = data.get("reason", "")
        try:
            ledger.erase(entry_id, reason=reason, by=by)
        except (Invalid, Conflict) as problem:
            form: Form[Any] = Form(values={"reason": reason})
            return _entry_page(ledger, lang, entry_id, form.refused(problem), status=problem.status)
        return Redirect(f"/{lang}/ledger/{entry_id}?done=erased", status_code=303)


def _check_page(
    lang: Lang,
    form: Form[Any],
    *,
    status: int = 200,
    reason: Reason | None = None,
    proven: list[tuple[str, str]] | None = None,
) -> Template:
    return page(
        "ledger/check.html",
        lang=lang,
        title=CHECK,
        status=status,
        form=form,
        reason=reason,
        proven=proven,
        tools=tools(),
    )


def _entry_page(
    ledger: Ledger, lang: Lang, entry_id: str, form: Form[Any], *, status: int = 200, notice: Text | None = None
) -> Template:
    entry, checkpoint = ledger.entry(entry_id), ledger.checkpoint()
    is_provable = entry.index is not None and checkpoint is not None and entry.index < checkpoint.size
    return page(
        "ledger/entry.html",
        lang=lang,
        title=ENTRY,
        status=status,
        entry=entry,
        rows=_rows(entry.data),
        checkpoint=checkpoint,
        key=str(ledger.verifier_keys()[-1]),
        is_provable=is_provable,
        form=form,
        notice=notice,
    )


def _rows(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Write an event's fields for a reader: text as it is, everything else as JSON."""
    return [
        (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for name, value in data.items()
    ]


def _proof(data: Mapping[str, Any]) -> str:
    """Return the uploaded proof, or the pasted one; browsers send CRLF and people lose the last newline."""
    upload = data.get("file")
    if isinstance(upload, UploadFile) and (read := upload.file.read(_PROOF_BYTES)):
        return read.decode("utf-8", errors="surrogateescape")
    pasted = data.get("proof", "")
    text = pasted.replace("\r\n", "\n").strip("\n") if isinstance(pasted, str) else ""
    return f"{text}\n" if text else ""


def _hold_filled(values: Mapping[str, str]) -> None:
    missing = {
        "proof": Text(zh="请粘贴证明内容，或选择证明文件。", en="Paste the proof, or choose its file."),
        "key": Text(zh="请填写验证公钥。", en="Enter the verifier key."),
    }
    for field, what in missing.items():
        if not values[field].strip():
            raise Invalid(
                what=what,
                hint=Text(zh="两项都需要。", en="Both are needed."),
                details={"field": field},
            )
