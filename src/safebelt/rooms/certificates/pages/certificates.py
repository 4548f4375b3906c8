"""The list of certificates, one certificate with what may become of it, a form to issue, and a check open to all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Controller, Request, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Response, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.certificates.model import (
    AXES,
    ISSUED_BY,
    STANDINGS,
    STATES,
    WHYS,
    Authority,
    Certificate,
    Filter,
    Issue,
    Standing,
    Why,
    verdict,
)
from safebelt.rooms.certificates.model.certificates import names_in
from safebelt.rooms.certificates.service import ROLES, Certificates, lifetime, pem_of
from safebelt.web.forms import Form, empty_form
from safebelt.web.security import open_to_all, requires
from safebelt.web.templating import page as render

PathLang = Annotated[Lang, PathParameter()]
PathSerial = Annotated[str, PathParameter(max_length=60)]
Words = Annotated[str, QueryParameter(max_length=100)]
Fields = URLEncodedBody[dict[str, str]]
AnyRequest = Request[Any, Any, Any]
Uploads = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)]
_CHECKS_ARE_PUBLIC = open_to_all("whoever is shown a certificate must be able to check it")
_FILE_BYTES = 64 * 1024

LIST = Text(zh="数字证书", en="Certificates")
ONE = Text(zh="证书", en="Certificate")
ISSUE = Text(zh="签发证书", en="Issue a certificate")
CHECK = Text(zh="核验证书", en="Check a certificate")
DEEDS: Mapping[str, Text] = {
    "suspend": Text(zh="暂停证书", en="Suspend the certificate"),
    "resume": Text(zh="恢复证书", en="Resume the certificate"),
    "revoke": Text(zh="吊销证书", en="Revoke the certificate"),
}
DONE: Mapping[str, Text] = {
    "issue": Text(zh="证书已签发，并记入账本。", en="The certificate is issued, and the ledger remembers it."),
    "suspend": Text(zh="证书已暂停，立即生效。", en="The certificate is suspended, at once."),
    "resume": Text(zh="证书已恢复。", en="The certificate counts again."),
    "revoke": Text(zh="证书已吊销，立即生效，不可撤回。", en="The certificate is revoked, at once and for ever."),
}


class CertificatePages(Controller):
    """`/{lang}/certificates`."""

    path = "/{lang:str}/certificates"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("certificates.read")])
    def certificates(
        self,
        *,
        certificates: NamedDependency[Certificates],
        lang: PathLang,
        q: Words = "",
        system: Annotated[str, QueryParameter(max_length=40)] = "",
        standing: Annotated[str, QueryParameter(max_length=20)] = "",
        before: Annotated[str, QueryParameter(max_length=60)] = "",
    ) -> Template:
        """List certificates, latest first, and show the authority that issues them."""
        stands = Standing(standing) if standing in set(Standing) else None
        found = certificates.certificates(Filter(system_id=system, standing=stands, words=q, before=before))
        return render(
            "certificates/list.html",
            lang=lang,
            title=LIST,
            found=found,
            ending=certificates.ending(found.items),
            authority=_authority(certificates),
            parts=_parts,
            kept=certificates.kept(),
            q=q,
            system=system,
            standing=standing,
            standings=STANDINGS,
            issuers=ISSUED_BY,
            now=certificates.now(),
            is_filtered=bool(q or system or standing),
        )

    @get("/issue", sync_to_thread=True, guards=[requires("certificates.issue")])
    def issue_form(self, lang: PathLang, system: Annotated[str, QueryParameter(max_length=40)] = "") -> Template:
        """Show the form that issues a certificate."""
        return _issue_page(lang, empty_form(system_id=system, days="90"))

    @post("/issue", sync_to_thread=True, guards=[requires("certificates.issue")])
    def issue(
        self,
        certificates: NamedDependency[Certificates],
        by: NamedDependency[Actor],
        lang: PathLang,
        data: Uploads,
    ) -> Template | Redirect:
        """Issue a certificate for a request that was pasted or uploaded."""
        typed = {name: str(data.get(name, "")).strip() for name in ("system_id", "version_id", "days", "request")}
        form: Form[Any] = Form(values=typed)
        try:
            asked = Issue(
                system_id=typed["system_id"],
                version_id=typed["version_id"],
                request=_file(data, "file") or typed["request"].encode(),
                days=_days(typed["days"]),
            )
            made = certificates.issue(asked, by=by)
        except (Invalid, Conflict, NotFound, Unavailable) as problem:
            return _issue_page(lang, form.refused(problem), problem.status)
        return Redirect(f"/{lang}/certificates/{made.serial}?done=issue", status_code=303)

    @get("/check", guards=[_CHECKS_ARE_PUBLIC], sync_to_thread=False)
    def check_form(self, lang: PathLang) -> Template:
        """Show the form that checks a certificate."""
        return _check_page(lang, empty_form())

    @post("/check", sync_to_thread=True, status_code=200, guards=[_CHECKS_ARE_PUBLIC])
    def check(self, certificates: NamedDependency[Certificates], lang: PathLang, data: Uploads) -> Template:
        """Check a certificate that was pasted or uploaded: six questions, six answers."""
        typed = str(data.get("certificate", "")).strip()
        form: Form[Any] = Form(values={"certificate": typed})
        try:
            found = certificates.check(_file(data, "file") or typed.encode())
        except (Invalid, NotFound, Unavailable) as problem:
            return _check_page(lang, form.refused(problem), status=problem.status)
        return _check_page(lang, form, found=found)

    @get("/{serial:str}", sync_to_thread=True, guards=[requires("certificates.read")])
    def certificate(
        self, request: AnyRequest, certificates: NamedDependency[Certificates], lang: PathLang, serial: PathSerial
    ) -> Template:
        """Show a certificate, how it stands, and what may become of it."""
        notice = DONE.get(request.query_params.get("done", ""))
        return _one_page(certificates, lang, certificates.certificate(serial), notice=notice)

    @get("/{serial:str}/pem", sync_to_thread=True, guards=[requires("certificates.read")])
    def pem(self, certificates: NamedDependency[Certificates], lang: PathLang, serial: PathSerial) -> Response[bytes]:
        """Hand a certificate out as a file."""
        found = certificates.certificate(serial)
        name = {"content-disposition": f'attachment; filename="{found.serial}.pem"'}
        return Response(pem_of(found.der).encode(), media_type="application/x-pem-file", headers=name)

    @post("/{serial:str}/suspend", sync_to_thread=True, guards=[requires("certificates.revoke")])
    def suspend(
        self,
        certificates: NamedDependency[Certificates],
        by: NamedDependency[Actor],
        lang: PathLang,
        serial: PathSerial,
        data: Fields,
    ) -> Template | Redirect:
        """Suspend a certificate."""
        return _done(
            _At(certificates=certificates, lang=lang, serial=serial, deed="suspend"),
            data,
            lambda why: certificates.suspend(serial, reason=why, by=by),
        )

    @post("/{serial:str}/resume", sync_to_thread=True, guards=[requires("certificates.revoke")])
    def resume(
        self,
        certificates: NamedDependency[Certificates],
        by: NamedDependency[Actor],
        lang: PathLang,
        serial: PathSerial,
        data: Fields,
    ) -> Template | Redirect:
        """Let a certificate count again."""
        return _done(
            _At(certificates=certificates, lang=lang, serial=serial, deed="resume"),
            data,
            lambda why: certificates.resume(serial, reason=why, by=by),
        )

    @post("/{serial:str}/revoke", sync_to_thread=True, guards=[requires("certificates.revoke")])
    def revoke(
        self,
        certificates: NamedDependency[Certificates],
        by: NamedDependency[Actor],
        lang: PathLang,
        serial: PathSerial,
        data: Fields,
    ) -> Template | Redirect:
        """Revoke a certificate."""
        why = Why(data["why"]) if data.get("why") in set(Why) else Why.UNSPECIFIED
        return _done(
            _At(certificates=certificates, lang=lang, serial=serial, deed="revoke"),
            data,
            lambda said: certificates.revoke(serial, why, reason=said, by=by),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _At:
    """Where a deed is done."""

    certificates: Certificates
    lang: Lang
    serial: str
    deed: str


def _done(at: _At, data: Mapping[str, str], act: Callable[[str], Certificate]) -> Template | Redirect:
    """Do a deed, and come back with what was typed where it was refused."""
    try:
        act(data.get("reason", ""))
    except (Invalid, Conflict) as problem:
        form: Form[Any] = Form(values={"reason": data.get("reason", ""), "why": data.get("why", "")})
        found = at.certificates.certificate(at.serial)
        again = form.refused(problem)
        return _one_page(at.certificates, at.lang, found, form=again, deed=at.deed, status=problem.status)
    return Redirect(f"/{at.lang}/certificates/{at.serial}?done={at.deed}", status_code=303)


def _one_page(
    certificates: Certificates,
    lang: Lang,
    found: Certificate,
    *,
    form: Form[Any] | None = None,
    deed: str = "",
    notice: Text | None = None,
    status: int = 200,
) -> Template:
    return render(
        "certificates/one.html",
        lang=lang,
        title=ONE,
        status=status,
        found=found,
        pem=pem_of(found.der),
        is_over=found.is_over(certificates.now()),
        form=form or empty_form(),
        deed=deed,
        deeds=DEEDS,
        standings=STANDINGS,
        issuers=ISSUED_BY,
        whys=WHYS,
        why_choices=[(why.value, WHYS[why].in_(lang)) for why in Why],
        notice=notice,
    )


def _issue_page(lang: Lang, form: Form[Any], status: int = 200) -> Template:
    return render("certificates/issue.html", lang=lang, title=ISSUE, form=form, status=status)


def _check_page(lang: Lang, form: Form[Any], *, found: Any = None, status: int = 200) -> Template:
    return render(
        "certificates/check.html",
        lang=lang,
        title=CHECK,
        form=form,
        found=found,
        axes=AXES,
        issuers=ISSUED_BY,
        names=names_in,
        states=STATES,
        verdict=verdict,
        status=status,
    )


def _authority(certificates: Certificates) -> Authority | None:
    try:
        return certificates.authority()
    except NotFound:
        return None


def _parts(authority: Authority, lang: Lang) -> list[tuple[str, str]]:
    """The authority's certificates, each with the day on which it ends."""
    return [(ROLES[role].in_(lang), lifetime(part.der)[1].date().isoformat()) for role, part in authority.parts.items()]


def _days(typed: str) -> int:
    """Read a number of days; what is no number is refused as too many would be."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 4 else 0


def _file(data: Mapping[str, Any], name: str) -> bytes:
    """Return an uploaded file, cut off where it is longer than anything that is asked for."""
    upload = data.get(name)
    return upload.file.read(_FILE_BYTES + 1) if isinstance(upload, UploadFile) else b""
