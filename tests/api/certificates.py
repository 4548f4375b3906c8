"""Certificates to ask about, and what makes each of their operations do its work."""

import base64
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.api.conftest import Api

from safebelt.kernel.actors import OWNER
from safebelt.rooms.certificates.decide.renewal import renewal_text
from safebelt.rooms.certificates.model import Certificate, Found, Issue
from safebelt.rooms.certificates.service import pem_of
from safebelt.rooms.registry.model.lifecycle import Issuer
from safebelt.run.demonstration import load_demonstration

ROOT = "/api/certificates"


def certified(api: Api) -> dict[str, dict[str, Any]]:
    """Found an authority, certify a demonstration system, and return how each operation is asked."""
    found = api.house.certificates
    found.found(Found(organization="Demonstration", country="CN", issuer=Issuer.SELF), by=OWNER)
    system_id = load_demonstration(api.house)[0].system.id
    serials = [found.issue(Issue(system_id=system_id, request=_request()), by=OWNER).serial for _ in range(4)]
    found.suspend(serials[2], reason="drill", by=OWNER)
    found.keep(system_id, by=OWNER)
    held = ec.generate_private_key(ec.SECP256R1())
    renewed = found.issue(Issue(system_id=system_id, request=_request(held)), by=OWNER)
    one = f"{ROOT}/{{serial}}"
    because = {"reason": "drill"}
    return {
        f"POST {ROOT}": {"body": {"system_id": system_id, "request": _request().decode()}},
        f"GET {one}": {"path_parameters": {"serial": serials[0]}},
        f"POST {one}/suspend": {"path_parameters": {"serial": serials[1]}, "body": because},
        f"POST {one}/resume": {"path_parameters": {"serial": serials[2]}, "body": because},
        f"POST {one}/revoke": {"path_parameters": {"serial": serials[3]}, "body": because},
        f"POST {ROOT}/check": {"body": {"certificate": pem_of(found.certificate(serials[0]).der)}},
        f"POST {ROOT}/renew": {"body": _renewal(renewed, held, api.house.clock())},
        "GET /.well-known/safebelt/identity": {"query": {"nonce": "a" * 22}},
    }


def _renewal(present: Certificate, held: ec.EllipticCurvePrivateKey, at: datetime) -> dict[str, Any]:
    """What the holder of a certificate's key sends for the next one."""
    request = _request()
    text = renewal_text(system_id=present.system_id, fingerprint=present.fingerprint, request=request, days=90, at=at)
    signature = held.sign(text.encode(), ec.ECDSA(hashes.SHA256()))
    return {
        "serial": present.serial,
        "request": request.decode(),
        "at": at.isoformat(),
        "signature": base64.b64encode(signature).decode(),
    }


def _request(key: ec.EllipticCurvePrivateKey | None = None) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    made = builder.sign(key or ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)
