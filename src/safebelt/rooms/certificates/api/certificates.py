"""JSON door of the certificates, `/api/certificates`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.certificates.model import Certificate, Checked, Filter, Issue, Renewal, Standing, Why, verdict
from safebelt.rooms.certificates.service import Certificates, pem_of, signature_of
from safebelt.rooms.registry.model.lifecycle import Issuer
from safebelt.web.openapi import NO_TOKEN, problems, public_problems
from safebelt.web.security import open_to_all, requires

CHECKS_ARE_PUBLIC = open_to_all("whoever is shown a certificate must be able to check it")
Serial = Annotated[str, PathParameter(description="Serial number, hexadecimal.", max_length=60)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateView:
    """A certificate as programs see it."""

    serial: str
    system_id: str
    version_id: str
    subject: str
    fingerprint: str
    issuer: Issuer
    provisional: bool
    not_before: datetime
    not_after: datetime
    standing: Standing
    why: Why | None
    reason: str
    issued_at: datetime
    changed_at: datetime
    entry_id: str
    last_entry_id: str
    pem: str

    @classmethod
    def of(cls, word: Certificate) -> "CertificateView":
        """Show a certificate."""
        return cls(
            serial=word.serial,
            system_id=word.system_id,
            version_id=word.version_id,
            subject=word.subject,
            fingerprint=word.fingerprint,
            issuer=word.issuer,
            provisional=word.provisional,
            not_before=word.not_before,
            not_after=word.not_after,
            standing=word.standing,
            why=word.why,
            reason=word.reason,
            issued_at=word.issued_at,
            changed_at=word.changed_at,
            entry_id=word.entry_id,
            last_entry_id=word.last_entry_id,
            pem=pem_of(word.der),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatesView:
    """A page of certificates, latest first; `before` asks for the next page, empty on the last."""

    items: list[CertificateView]
    total: int
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueCertificate:
    """A system, and a PKCS#10 request (PEM) signed with the private key of what is to be certified."""

    system_id: str
    request: str
    version_id: str = ""
    days: int = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewCertificate:
    """A renewal, asked for with the key of the certificate in use.

    Attributes:
        serial: The certificate in use.
        request: A PKCS#10 request (PEM) on another key.
        at: Now, with a time zone.
        signature: Base64 of the signature, by the key of the certificate in use, over six lines, each ended by a line
            feed: `safebelt renewal v1`, `system <id>`, `certificate <SHA-256 of its DER, hexadecimal>`, `request
            <SHA-256 of the request's text, hexadecimal>`, `days <days>`, `at <at, to the second>`.
        days: How long the next one is to count.
    """

    serial: str
    request: str
    at: datetime
    signature: str
    days: int = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """Why a certificate is suspended or resumed."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeCertificate:
    """Why a certificate is revoked: the code of RFC 5280 in words, and a sentence."""

    reason: str
    why: Why = Why.UNSPECIFIED


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckCertificate:
    """A certificate to check (PEM; what follows it in the text is taken for its chain)."""

    certificate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisView:
    """The answer to one question: ok, bad or unknown, and why."""

    verdict: str
    reason: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedView:
    """What a check came to: separate questions, never one word.

    Attributes:
        axes: Each question, its answer and why.
        serial: The certificate's serial number.
        system_id: The system it names; empty where it names none.
        subject: Whom it names, as RFC 4514 writes it.
        issuer: Who stands behind its issuer, by its own word; empty where it does not say.
        provisional: Whether it says that its system is in service on evidence that is only claimed.
        is_public: Whether the public register here shows that system.
    """

    axes: dict[str, AxisView]
    serial: str
    system_id: str
    subject: str
    issuer: str
    provisional: bool
    is_public: bool

    @classmethod
    def of(cls, word: Checked) -> "CheckedView":
        """Show a check."""
        axes = {
            axis.value: AxisView(verdict=verdict(reason).value, reason=reason.as_data())
            for axis, reason in word.axes.items()
        }
        return cls(
            axes=axes,
            serial=word.serial,
            system_id=word.system_id,
            subject=word.subject,
            issuer=word.issuer,
            provisional=word.provisional,
            is_public=word.is_public,
        )


class CertificatesApi(Controller):
    """`/api/certificates`."""

    path = "/api/certificates"
    tags = ("certificates",)

    @get(sync_to_thread=True, guards=[requires("certificates.read")], responses=problems())
    def list_certificates(
        self,
        *,
        certificates: NamedDependency[Certificates],
        system: Annotated[str, QueryParameter(max_length=40, description="Id of a system, `sys_…`.")] = "",
        standing: Annotated[Standing | None, QueryParameter()] = None,
        q: Annotated[str, QueryParameter(max_length=100, description="Part of number, fingerprint or subject.")] = "",
        before: Annotated[str, QueryParameter(max_length=60, description="`before` of the page before.")] = "",
    ) -> CertificatesView:
        """List certificates, latest first."""
        found = certificates.certificates(Filter(system_id=system, standing=standing, words=q, before=before))
        return CertificatesView(
            items=[CertificateView.of(one) for one in found.items], total=found.total, before=found.before
        )

    @post(
        sync_to_thread=True,
        guards=[requires("certificates.issue")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def issue(
        self,
        certificates: NamedDependency[Certificates],
        by: NamedDependency[Actor],
        data: JSONBody[IssueCertificate],
    ) -> CertificateView:
        """Issue a certificate for a system in service, to whoever proves to hold the private key."""
        asked = Issue(
            system_id=data.system_id, request=data.request.encode(), version_id=data.version_id, days=data.days
        )
        return CertificateView.of(certificates.issue(asked, by=by))

    @post(
        "/renew",
        sync_to_thread=True,
        guards=[open_to_all("whoever renews proves it with the key of a certificate that counts")],
        security=NO_TOKEN,
        responses=public_problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def renew(self, certificates: NamedDependency[Certificates], data: JSONBody[RenewCertificate]) -> CertificateView:
        """Renew a certificate for whoever holds its key; the same request again gets the same certificate."""
        asked = Renewal(
            serial=data.serial,
            request=data.request.encode(),
            at=data.at,
            days=data.days,
            signature=signature_of(data.signature),
        )
        return CertificateView.of(certificates.renew_by_proof(asked))

    @get(
        "/{serial:str}",
        sync_to_thread=True,
        guards=[requires("certificates.read")],
        responses=problems(NotFound),
    )
    def get_certificate(self, certificates: NamedDependency[Certificates], serial: Serial) -> CertificateView:
        """Return one certificate and how it stands."""
        return CertificateView.of(certificates.certificate(serial))

    @post(
        "/{serial:str}/suspend",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("certificates.revoke")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def suspend(
        self,
        certificates: NamedDependency[Certificates],
        by: NamedDependency[Actor],
        serial: Serial,
        data: JSONBody[Because],
    ) -> CertificateView:
        """Let a certificate not count until further notice."""
        return CertificateView.of(certificates.suspend(serial, reason=data.reason, by=by))

    @post(
        "/{serial:str}/resume",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("certificates.revoke")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def resume(
        self,
        certificates: NamedDependency[Certificates],
        by: NamedDependency[Actor],
        serial: Serial,
        data: JSONBody[Because],
    ) -> CertificateView:
        """Let a suspended certificate count again."""
        return CertificateView.of(certificates.resume(serial, reason=data.reason, by=by))

    @post(
        "/{serial:str}/revoke",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("certificates.revoke")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def revoke(
        self,
        certificates: NamedDependency[Certificates],
        by: NamedDependency[Actor],
        serial: Serial,
        data: JSONBody[RevokeCertificate],
    ) -> CertificateView:
        """Let a certificate never count again."""
        return CertificateView.of(certificates.revoke(serial, data.why, reason=data.reason, by=by))

    @post(
        "/check",
        sync_to_thread=True,
        status_code=200,
        guards=[CHECKS_ARE_PUBLIC],
        security=NO_TOKEN,
        responses=public_problems(Invalid, NotFound, has_body=True),
    )
    def check(self, certificates: NamedDependency[Certificates], data: JSONBody[CheckCertificate]) -> CheckedView:
        """Check a certificate against this authority, this register and this log, as they are at this moment."""
        return CheckedView.of(certificates.check(data.certificate.encode()))
