"""Who certifies a live service: the house it runs in, or one that is reached over its API."""

import base64
import binascii
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from safebelt.kernel.actors import MACHINE, Actor
from safebelt.kernel.errors import PROBLEMS, Conflict, Invalid, Problem, Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.model import Issue, Renewal, Standing
from safebelt.rooms.certificates.pki import answers, ocsp
from safebelt.rooms.certificates.pki.revocation import Word
from safebelt.rooms.certificates.service.checking import FRESH, read_certificates
from safebelt.rooms.certificates.service.reading import pem_of, serial_text

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2

    from safebelt.rooms.certificates.service.renewing import Renewing

MAX_ANSWER_BYTES = 256 * 1024
"""A certificate with what is said of it has some four kilobytes."""
_STANDINGS = {Word.GOOD: Standing.GOOD, Word.HELD: Standing.SUSPENDED, Word.REVOKED: Standing.REVOKED}
_KINDS: dict[str, type[Problem]] = {kind.code: kind for kind in PROBLEMS}


class Authority(Protocol):
    """Certifies keys; each deed raises a `Problem` where it does not."""

    can_begin: bool
    """Whether a first certificate is to be had without a person's token."""

    def first(self, cmd: Issue, *, after: str) -> str:
        """Return a first certificate, PEM.

        Args:
            cmd: For whom, on which key.
            after: The certificate before it, which must have ended by itself; empty where a person asks.
        """

    def renew(self, cmd: Renewal) -> str:
        """Return the next certificate, PEM."""

    def above(self) -> str:
        """Return what stands above it, without the root, PEM."""

    def stands(self, chain: str, *, on: datetime, nonce: bytes) -> Standing | None:
        """Return how a certificate stands now; None where that could not be learnt.

        Args:
            chain: It and those above it, PEM.
            on: Now.
            nonce: Sixteen random bytes, which the answer must repeat.
        """


class AtHome:
    """The authority of the house this process runs in; that its settings name a system is an operator's word."""

    can_begin = True

    def __init__(self, certificates: "Renewing", *, by: Actor = MACHINE) -> None:
        self._certificates, self._by = certificates, by

    def first(self, cmd: Issue, *, after: str) -> str:
        """Return a first certificate, PEM; raises as `Issuing.issue`, and where the one before was taken back."""
        if after and self._certificates.certificate(after).standing is not Standing.GOOD:
            raise _taken_back(after)  # what a person took back, no machine gives again
        return pem_of(self._certificates.issue(cmd, by=self._by).der)

    def renew(self, cmd: Renewal) -> str:
        """Return the next certificate, PEM; raises as `Renewing.renew_by_proof`."""
        return pem_of(self._certificates.renew_by_proof(cmd).der)

    def above(self) -> str:
        """Return what stands above it, without the root, PEM; raises as `Renewing.above`."""
        return self._certificates.above()

    def stands(self, chain: str, *, on: datetime, nonce: bytes) -> Standing | None:
        """Return how a certificate stands now; raises NotFound where it was not issued here."""
        leaf = read_certificates(chain.encode())[0]
        return self._certificates.certificate(serial_text(leaf.serial_number)).standing


class Elsewhere:
    """An authority that is reached over its API.

    Args:
        url: Address of its house.
        new_client: Makes the client that calls it.
        token: An operator's API token, for a first certificate; a renewal needs none.
    """

    def __init__(self, url: str, *, new_client: "Callable[[], httpx2.Client]", token: str = "") -> None:
        self._url, self._new_client, self._token = url.rstrip("/"), new_client, token
        self.can_begin = bool(token)

    def first(self, cmd: Issue, *, after: str) -> str:
        """Return a first certificate, PEM, for the token's sake: whoever holds one is asked for nothing else."""
        wish = {"system_id": cmd.system_id, "request": cmd.request.decode(), "days": cmd.days}
        return self._certificate("/api/certificates", wish, {"authorization": f"Bearer {self._token}"})

    def renew(self, cmd: Renewal) -> str:
        """Return the next certificate, PEM."""
        wish = {
            "serial": cmd.serial,
            "request": cmd.request.decode(),
            "at": cmd.at.isoformat(),
            "days": cmd.days,
            "signature": base64.b64encode(cmd.signature).decode(),
        }
        return self._certificate("/api/certificates/renew", wish, {})

    def above(self) -> str:
        """Return what stands above it, without the root, PEM."""
        answer = self._ask("GET", "/pki/issuing.cer")
        try:
            return pem_of(answer.content)
        except ValueError as error:
            raise self._garbled() from error

    def stands(self, chain: str, *, on: datetime, nonce: bytes) -> Standing | None:
        """Ask the authority's responder (OCSP); what it signed is held to the chain, and anything else says nothing."""
        leaf, issuing = read_certificates(chain.encode())[:2]
        query = {"content-type": "application/ocsp-request"}
        answer = self._ask("POST", "/pki/ocsp/", content=ocsp.query(leaf, issuing, nonce), headers=query)
        said = answers.of_answer(answer.content, leaf, issuing, on=on, max_age=FRESH, nonce=nonce)
        return _STANDINGS.get(said.word)

    def _certificate(self, path: str, wish: dict[str, Any], headers: dict[str, str]) -> str:
        said = self._said(self._ask("POST", path, json=wish, headers=headers))
        pem = said.get("pem")
        if not isinstance(pem, str):
            raise self._garbled()
        return pem

    def _ask(self, method: str, path: str, **options: Any) -> "httpx2.Response":
        from safebelt.engines.http import fetch  # noqa: PLC0415  a service in its own house calls nobody

        with self._new_client() as calls:
            answer = fetch(calls, method, f"{self._url}{path}", max_bytes=MAX_ANSWER_BYTES, **options)
        if not answer.is_success:
            raise self._problem(self._said(answer), answer.status_code)
        return answer

    def _said(self, answer: "httpx2.Response") -> dict[str, Any]:
        try:
            said = answer.json()
        except ValueError as error:
            raise self._garbled() from error
        if not isinstance(said, dict):
            raise self._garbled()
        return said

    def _problem(self, said: dict[str, Any], status: int) -> Problem:
        """Return what the other house said no with, as a problem of ours."""
        kind, details = _KINDS.get(str(said.get("code")), Unavailable), said.get("details")
        what = {lang: _told(said.get(lang), "detail") or f"HTTP {status}" for lang in ("zh", "en")}
        hint = {lang: _told(said.get(lang), "hint") for lang in ("zh", "en")}
        return kind(
            what=Text(zh=f"签发机构答复：{what['zh']}", en=f"The authority says: {what['en']}"),
            hint=Text(zh=hint["zh"], en=hint["en"]),
            details={name: str(value) for name, value in details.items()} if isinstance(details, dict) else {},
        )

    def _garbled(self) -> Unavailable:
        return Unavailable(
            what=Text(
                zh=f"{self._url} 的答复不是所期望的。", en=f"What {self._url} answers is not what was asked for."
            ),
            hint=Text(zh="请核对签发机构的地址。", en="Check the authority's address."),
        )


def _taken_back(serial: str) -> Conflict:
    return Conflict(
        what=Text(zh=f"前一张证书（{serial}）已被收回。", en=f"The certificate before ({serial}) was taken back."),
        hint=Text(
            zh="如应重新签发，请由人运行 `safebelt certificates agent enrol`。",
            en="If there should be another, a person runs `safebelt certificates agent enrol`.",
        ),
        details={"field": "serial"},
    )


def signature_of(text: str) -> bytes:
    """Read a signature that came as base64.

    Raises:
        Invalid: It is none.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise Invalid(
            what=Text(zh="签名不是 Base64。", en="The signature is not base64."),
            hint=Text(zh="请以标准 Base64 编码签名。", en="Encode the signature as standard base64."),
            details={"field": "signature"},
        ) from error


def _told(part: object, name: str) -> str:
    """Return one text of a problem that somebody else wrote, cut to a sentence's length."""
    text = part.get(name) if isinstance(part, dict) else None
    return " ".join(text.split())[:500] if isinstance(text, str) else ""
