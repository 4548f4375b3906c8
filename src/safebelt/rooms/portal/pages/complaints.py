"""Where the public complains and follows it: no sign-in, no cookie, no code in any address, no script needed."""

from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import MultipartBody, PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Response, Template

from safebelt.engines.canonical import canonical
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Problem, TooMany
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.portal.exports import linked
from safebelt.rooms.portal.exports.answers import AnyRequest, base_of
from safebelt.rooms.portal.model.complaints import Filed
from safebelt.rooms.portal.pages import complaint_words as words
from safebelt.rooms.portal.service import Complaints, Portal
from safebelt.rooms.registry.model.public import PublicFile
from safebelt.web.forms import Form, empty_form
from safebelt.web.security import requires
from safebelt.web.templating import page as render

PathLang = Annotated[Lang, PathParameter()]
SystemId = Annotated[str, QueryParameter(max_length=60)]
FormData = URLEncodedBody[dict[str, Any]]
WithFiles = MultipartBody[dict[str, Any]]


class ComplaintPages(Controller):
    """`/{lang}/complaints`."""

    path = "/{lang:str}/complaints"
    include_in_schema = False
    guards = (requires("portal.complain"),)
    opt = {"sets_no_cookie": True, "for_strangers": True}  # noqa: RUF012  the form the framework asks for

    @get(sync_to_thread=True)
    def form(
        self,
        request: AnyRequest,
        portal: NamedDependency[Portal],
        lang: PathLang,
        system: SystemId = "",
        strike: SystemId = "",
    ) -> Template:
        """Show the form; with `system`, filled in for a public one; with `strike`, as an appeal."""
        return _form(request, portal, lang, empty_form(system_id=system, kind="other", strike=strike))

    @post(sync_to_thread=True, status_code=200)
    def complain(
        self, request: AnyRequest, portal: NamedDependency[Portal], lang: PathLang, data: WithFiles
    ) -> Template:
        """Receive a complaint; the answer is the only page that ever shows its code."""
        complaints = portal.complaints
        try:
            filed = complaints.complain(
                words.complain_of(data),
                files=words.uploads(data, complaints.rules),
                lang=lang,
                address=words.address_of(request),
            )
        except (Invalid, TooMany) as problem:
            form: Form[Any] = Form(values=words.typed(data))
            return _form(request, portal, lang, form.refused(problem), problem=problem)
        return received(complaints, filed, lang, base_of(request))

    @get("/follow", sync_to_thread=True)
    def follow_form(self, lang: PathLang) -> Template:
        """Ask for the code; the code printed on the receipt as a picture stays in the address's fragment, unsent."""
        return _code_form(lang, empty_form())

    @post("/follow", sync_to_thread=True, status_code=200)
    def follow(self, request: AnyRequest, portal: NamedDependency[Portal], lang: PathLang, data: FormData) -> Template:
        """Show a complaint to whoever has its code."""
        return _followed(request, portal.complaints, lang, words.text_of(data, "code"))

    @post("/follow/add", sync_to_thread=True, status_code=200)
    def add(self, request: AnyRequest, portal: NamedDependency[Portal], lang: PathLang, data: WithFiles) -> Template:
        """Add something."""
        complaints, code = portal.complaints, words.text_of(data, "code")
        try:
            complaints.add(
                code,
                words.text_of(data, "text"),
                files=words.uploads(data, complaints.rules),
                address=words.address_of(request),
            )
        except (Invalid, Conflict, TooMany) as problem:
            return _followed(request, complaints, lang, code, problem=problem, typed=words.text_of(data, "text"))
        return _followed(request, complaints, lang, code, done="added")

    @post("/follow/withdraw", sync_to_thread=True, status_code=200)
    def withdraw(
        self, request: AnyRequest, portal: NamedDependency[Portal], lang: PathLang, data: FormData
    ) -> Template:
        """Take the complaint back."""
        complaints, code = portal.complaints, words.text_of(data, "code")
        try:
            complaints.withdraw(code, address=words.address_of(request))
        except Conflict as problem:
            return _followed(request, complaints, lang, code, problem=problem)
        return _followed(request, complaints, lang, code, done="withdrawn")

    @post("/follow/erase", sync_to_thread=True, status_code=200)
    def erase(self, request: AnyRequest, portal: NamedDependency[Portal], lang: PathLang, data: FormData) -> Template:
        """Have everything that was said erased; only a ticked box does it."""
        complaints, code = portal.complaints, words.text_of(data, "code")
        try:
            _hold_sure(words.text_of(data, "sure"))
            complaints.erase(code, address=words.address_of(request))
        except (Conflict, Invalid) as problem:
            return _followed(request, complaints, lang, code, problem=problem)
        return _followed(request, complaints, lang, code, done="erased")

    @post("/receipt", sync_to_thread=True, status_code=200)
    def receipt(
        self, request: AnyRequest, portal: NamedDependency[Portal], lang: PathLang, data: FormData
    ) -> Template | Response[bytes]:
        """Hand over the proof, or what opens it; before the checkpoint is signed, say so and ask again by itself."""
        code = words.text_of(data, "code")
        try:
            found = portal.complaints.receipt(code, address=words.address_of(request))
        except (NotFound, TooMany) as problem:
            return _code_form(lang, empty_form().refused(problem), problem.status)
        if words.text_of(data, "part") == "said":
            return _file(canonical(dict(found.opening or {})), f"{found.case_id}.said.json")
        if found.proof is None:
            return render("portal/complain_waiting.html", lang=lang, title=words.WAITING, code=code)
        return _file(found.proof.encode(), f"{found.case_id}.tlog-proof")

    @get("/paper", sync_to_thread=True)
    def paper(
        self, request: AnyRequest, portal: NamedDependency[Portal], lang: PathLang, system: SystemId = ""
    ) -> Template:
        """Show the form to print, with a code that leads to the form on line."""
        found = portal.complaints.public_system(system)
        known = found.line if isinstance(found, PublicFile) else None
        url = f"{base_of(request)}/{lang}/complaints" + (f"?system={known.id}" if known else "")
        label = Text(zh=f"网上投诉的二维码：{url}", en=f"QR code of the form on line: {url}").in_(lang)
        return render(
            "portal/complain_paper.html",
            lang=lang,
            title=words.PAPER,
            system=known,
            url=url,
            qr=linked.qr(url, label),
            rules=portal.complaints.rules,
        )


def received(
    complaints: Complaints, filed: Filed, lang: Lang, base: str, *, template: str = "portal/complain_received.html"
) -> Template:
    """Show what was just received, with its code: once, and to print."""
    url = f"{base}/{lang}/complaints/follow#{filed.code}"
    label = Text(zh="跟进这件投诉的二维码", en="QR code to follow this complaint").in_(lang)
    return render(
        template,
        lang=lang,
        title=words.RECEIVED,
        filed=filed,
        complaint=filed.complaint,
        code=words.grouped(filed.code),
        follow=f"{base}/{lang}/complaints/follow",
        qr=linked.qr(url, label),
        goes_to=words.goes_to(filed.destination),
        rules=complaints.rules,
        words=words,
    )


def _form(
    request: AnyRequest, portal: Portal, lang: Lang, form: Form[Any], *, problem: Problem | None = None
) -> Template:
    complaints, wanted = portal.complaints, form.typed("system_id").strip()
    found = complaints.public_system(wanted)
    return render(
        "portal/complain.html",
        lang=lang,
        title=words.COMPLAIN,
        status=problem.status if problem else 200,
        about=words.ABOUT.in_(lang),
        base=base_of(request),
        form=form,
        system=found.line if isinstance(found, PublicFile) else None,
        is_unknown=bool(wanted) and found is None and not form.typed("strike"),
        strike=form.typed("strike").strip(),
        kinds=words.kinds(complaints.rules, lang),
        rules=complaints.rules,
        words=words,
    )


def _code_form(lang: Lang, form: Form[Any], status: int = 200) -> Template:
    return render("portal/complain_code.html", lang=lang, title=words.FOLLOW, form=form, status=status)


def _followed(
    request: AnyRequest,
    complaints: Complaints,
    lang: Lang,
    code: str,
    *,
    done: str = "",
    problem: Problem | None = None,
    typed: str = "",
) -> Template:
    try:
        found = complaints.follow(code, address=words.address_of(request))
    except (NotFound, TooMany) as wrong:
        return _code_form(lang, empty_form().refused(wrong), wrong.status)
    form: Form[Any] = empty_form(text=typed)
    return render(
        "portal/complain_follow.html",
        lang=lang,
        title=words.FOLLOW,
        status=problem.status if problem else 200,
        form=form.refused(problem) if problem else form,
        found=found,
        complaint=found.complaint,
        code=code,
        goes_to=words.goes_to(found.destination),
        today=complaints.today,
        rules=complaints.rules,
        words=words,
        notice=words.DONE.get(done),
    )


def _hold_sure(ticked: str) -> None:
    if not ticked:
        raise Invalid(
            what=Text(zh="请先勾选确认。", en="Tick the box first."),
            hint=Text(zh="删除后无法恢复。", en="What is erased does not come back."),
            details={"field": "sure"},
        )


def _file(body: bytes, name: str) -> Response[bytes]:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type="application/octet-stream", headers=headers)
