"""`/pki`: revocation lists, OCSP, time-stamps, the authority's own certificates, as any X.509 software asks for them.

Plain HTTP is what RFC 5280 and RFC 6960 expect here: every answer is signed, and needs no other protection.
"""

import base64
import binascii
from typing import Annotated
from urllib.parse import unquote

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, RawBody

from safebelt.rooms.certificates.api.certificates import CHECKS_ARE_PUBLIC
from safebelt.rooms.certificates.model import Role
from safebelt.rooms.certificates.service import Certificates
from safebelt.web.openapi import NO_TOKEN

_LIST = "application/pkix-crl"
_CERTIFICATE = "application/pkix-cert"
_OCSP = "application/ocsp-response"
_STAMP = "application/timestamp-reply"
_MAX_QUERY = 8 * 1024
"""A query about one certificate has some hundred bytes; no more is read."""
_BRIEFLY = {"cache-control": "public, max-age=60"}
_NOW = {"cache-control": "no-store"}
"""What was revoked is revoked now: nobody between us and the asker keeps an answer."""


class X509Doors(Controller):
    """`/pki`."""

    path = "/pki"
    include_in_schema = False
    guards = (CHECKS_ARE_PUBLIC,)
    security = NO_TOKEN
    opt = {"sets_no_cookie": True}  # noqa: RUF012  Litestar reads it as it is

    @get("/issuing.crl", sync_to_thread=True)
    def revocation_list(self, certificates: NamedDependency[Certificates]) -> Response[bytes]:
        """Return the issuing authority's revocation list."""
        return Response(certificates.revocation_list(), media_type=_LIST, headers=_NOW)

    @get("/stamping.crl", sync_to_thread=True)
    def stamping_list(self, certificates: NamedDependency[Certificates]) -> Response[bytes]:
        """Return the time-stamping authority's revocation list."""
        return Response(certificates.stamping_list(), media_type=_LIST, headers=_BRIEFLY)

    @get("/root.crl", sync_to_thread=True)
    def root_list(self, certificates: NamedDependency[Certificates]) -> Response[bytes]:
        """Return the root's revocation list."""
        return Response(certificates.root_list(), media_type=_LIST, headers=_BRIEFLY)

    @get("/root.cer", sync_to_thread=True)
    def root(self, certificates: NamedDependency[Certificates]) -> Response[bytes]:
        """Return the root's certificate."""
        return _certificate(certificates, Role.ROOT)

    @get("/issuing.cer", sync_to_thread=True)
    def issuing(self, certificates: NamedDependency[Certificates]) -> Response[bytes]:
        """Return the issuing authority's certificate."""
        return _certificate(certificates, Role.ISSUING)

    @get("/stamping.cer", sync_to_thread=True)
    def stamping(self, certificates: NamedDependency[Certificates]) -> Response[bytes]:
        """Return the time-stamping authority's certificate."""
        return _certificate(certificates, Role.STAMPING)

    @post("/ocsp", sync_to_thread=True, status_code=200, request_max_body_size=_MAX_QUERY)
    def status(self, body: RawBody, certificates: NamedDependency[Certificates]) -> Response[bytes]:
        """Answer an OCSP query (RFC 6960 appendix A)."""
        return Response(certificates.status(body), media_type=_OCSP, headers=_NOW)

    @get("/ocsp/{asked:path}", sync_to_thread=True)
    def status_by_address(
        self, certificates: NamedDependency[Certificates], asked: Annotated[str, PathParameter()]
    ) -> Response[bytes]:
        """Answer an OCSP query that stands in the address."""
        try:
            query = base64.b64decode(unquote(asked).lstrip("/")[:_MAX_QUERY], validate=True)
        except (ValueError, binascii.Error):
            query = b""  # what cannot be read is answered in the protocol's own words: malformedRequest
        return Response(certificates.status(query), media_type=_OCSP, headers=_NOW)

    @post("/tsa", sync_to_thread=True, status_code=200, request_max_body_size=_MAX_QUERY)
    def stamp(self, body: RawBody, certificates: NamedDependency[Certificates]) -> Response[bytes]:
        """Answer a time-stamp query (RFC 3161)."""
        return Response(certificates.stamp(body), media_type=_STAMP, headers=_NOW)


def _certificate(certificates: Certificates, role: Role) -> Response[bytes]:
    return Response(certificates.part(role), media_type=_CERTIFICATE, headers=_BRIEFLY)
