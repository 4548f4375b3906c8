"""`/.well-known/safebelt`: where this house's keys, log, lists and register are; and who a service is."""

from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.params import QueryParameter

from safebelt.kernel.errors import Conflict, Invalid, NotFound, Problem
from safebelt.rooms.certificates.api.certificates import CHECKS_ARE_PUBLIC
from safebelt.rooms.certificates.model import House, Identity
from safebelt.rooms.certificates.service import Certificates
from safebelt.web.openapi import NO_TOKEN, public_problems
from safebelt.web.problems import as_problem, render_problem

_OPEN = {"access-control-allow-origin": "*", "cache-control": "no-store"}
"""A stranger's page, on any site, may ask who a service is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityView:
    """A service's certificate, and its signature over what the asker chose.

    Attributes:
        system_id: The system that answers.
        text: What is signed: see `decide.identity_text`.
        signature: Base64; Ed25519, or ECDSA with SHA-256 (DER).
        chain: The certificate and those above it, PEM, without the root.
    """

    system_id: str
    text: str
    signature: str
    chain: str

    @classmethod
    def of(cls, word: Identity) -> "IdentityView":
        """Show an answer."""
        return cls(system_id=word.system_id, text=word.text, signature=word.signature, chain=word.chain)


def _open_to_pages(request: Request[Any, Any, Any], error: Problem | HTTPException) -> Response[Any]:
    """Say no as everywhere, but so that a stranger's page may read why: else it could not tell *no* from silence."""
    problem = error if isinstance(error, Problem) else as_problem(request, error)
    answer = render_problem(request, problem)
    answer.headers.update(_OPEN)
    return answer


class WellKnown(Controller):
    """`/.well-known/safebelt`."""

    path = "/.well-known/safebelt"
    tags = ("certificates",)
    guards = (CHECKS_ARE_PUBLIC,)
    security = NO_TOKEN
    opt = {"sets_no_cookie": True}  # noqa: RUF012  Litestar reads it as it is
    exception_handlers = {Problem: _open_to_pages, HTTPException: _open_to_pages}  # noqa: RUF012

    @get(sync_to_thread=True, responses=public_problems())
    def house(self, certificates: NamedDependency[Certificates]) -> Response[House]:
        """Say where keys, log, lists and register of this house are."""
        return Response(certificates.about(), headers=_OPEN)

    @get("/identity", sync_to_thread=True, responses=public_problems(NotFound, Conflict, Invalid))
    def identity(
        self,
        certificates: NamedDependency[Certificates],
        nonce: Annotated[str, QueryParameter(max_length=200, description="16 to 64 bytes of your own, base64url.")],
        system: Annotated[
            str, QueryParameter(max_length=40, description="Which system; needed where several live here.")
        ] = "",
    ) -> Response[IdentityView]:
        """Prove who a service is: sign what the asker chose with the key its certificate names."""
        return Response(IdentityView.of(certificates.identity(system, nonce)), headers=_OPEN)
