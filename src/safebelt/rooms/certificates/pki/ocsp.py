"""OCSP (RFC 6960): questions about one certificate, and answers signed by a delegated responder.

The answer is put together here rather than by `cryptography`'s builder, because that writes the machine's clock into
it and our clock is given.  The responder's certificate always travels inside: a popular C2PA engine throws an answer
without it away, and then says *trusted*.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import OCSPExtensionOID

from safebelt.rooms.certificates.pki import der
from safebelt.rooms.certificates.pki.keys import Signatory, sign, signature_oid
from safebelt.rooms.certificates.pki.names import Ground

MAX_BYTES = 4096  # a question is a hundred octets, two hundred with a nonce
MAX_NONCE = 128  # octets; RFC 9654, section 2.1
HASHES: dict[str, type[hashes.SHA1 | hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = {
    "sha1": hashes.SHA1,  # names a certificate here, and proves nothing (RFC 6960, 4.3 has it as the default)
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
_MALFORMED, _UNAUTHORIZED = ocsp.OCSPResponseStatus.MALFORMED_REQUEST, ocsp.OCSPResponseStatus.UNAUTHORIZED


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How a certificate of ours stands.

    Attributes:
        at: Since when it is revoked or suspended; `None`: it is good.
        reason: Why; `Ground.CERTIFICATE_HOLD` is a suspension.
    """

    at: datetime | None = None
    reason: Ground = Ground.UNSPECIFIED


def query(leaf: x509.Certificate, issuing: x509.Certificate, nonce: bytes | None = None) -> bytes:
    """Ask how a certificate stands.

    Args:
        leaf: The certificate in question.
        issuing: The CA that issued it.
        nonce: 1 to 128 random bytes the answer must repeat; `None`: an answer made earlier will do.

    Returns:
        The question, DER.
    """
    builder = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuing, hashes.SHA256())
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(serialization.Encoding.DER)


def answer(
    query: bytes,
    responder: Signatory,
    issuing: x509.Certificate,
    look: Callable[[int], State | None],
    *,
    on: datetime,
    valid_for: timedelta,
) -> bytes:
    """Answer a question.

    Args:
        query: What was asked, DER; anything at all.
        responder: Who answers, with a certificate of `issuing`.
        issuing: The CA whose certificates are known here.
        look: Tells how a serial number stands; `None`: never issued.
        on: Now: the answer's *this update*.
        valid_for: How long readers may rely on it.

    Returns:
        The answer, DER: `malformedRequest` to what cannot be read or asks about several certificates at once,
        `unauthorized` to what concerns another CA, else a signed *good*, *revoked* or *unknown*.
    """
    asked = _read(query)
    if asked is None:
        return _unsigned(_MALFORMED)
    request, nonce = asked
    digest = _hash_name(request)
    ours = cert_id_hashes(issuing, digest) if digest else None
    if digest is None or ours is None or ours != (request.issuer_name_hash, request.issuer_key_hash):
        return _unsigned(_UNAUTHORIZED)
    oid, name_hash, key_hash = _HASH_OIDS[digest], *ours
    certificate_id = der.sequence(
        der.algorithm(oid, has_null=True),
        der.octets(name_hash),
        der.octets(key_hash),
        der.integer(request.serial_number),
    )
    single = der.sequence(
        certificate_id,
        _status(look(request.serial_number)),
        der.moment(on),
        der.explicit(0, der.moment(on + valid_for)),
    )
    return _signed(responder, single, nonce, on)


@lru_cache(maxsize=512)  # the same few authorities are named in each question and answer
def cert_id_hashes(issuer: x509.Certificate, digest: str) -> tuple[bytes, bytes]:
    """Return how OCSP names an issuer: the hashes of its name and of its key's bits (RFC 6960, 4.1.1)."""
    found = []
    for data in (issuer.subject.public_bytes(), key_bits(issuer)):
        hasher = hashes.Hash(HASHES[digest]())
        hasher.update(data)
        found.append(hasher.finalize())
    return found[0], found[1]


def key_bits(certificate: x509.Certificate) -> bytes:
    """Return what the BIT STRING of a certificate's public key holds.

    Raises:
        ValueError: A key of another kind than RSA or elliptic curve.
    """
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    raise ValueError("an authority's key is RSA or elliptic curve")


def _read(query: bytes) -> tuple[ocsp.OCSPRequest, bytes | None] | None:
    """Return the question and its nonce; `None` for what is no question about one certificate."""
    if len(query) > MAX_BYTES:
        return None
    try:
        request = ocsp.load_der_ocsp_request(query)
        extensions = list(request.extensions)
    except (ValueError, TypeError, NotImplementedError, UnsupportedAlgorithm, x509.DuplicateExtension):
        return None
    nonces = [extension.value.nonce for extension in extensions if isinstance(extension.value, x509.OCSPNonce)]
    is_strange = any(e.critical and not isinstance(e.value, x509.OCSPNonce) for e in extensions)
    if is_strange or not all(1 <= len(nonce) <= MAX_NONCE for nonce in nonces):
        return None
    return request, nonces[0] if nonces else None


def _hash_name(request: ocsp.OCSPRequest) -> str | None:
    try:
        name = request.hash_algorithm.name
    except UnsupportedAlgorithm:
        return None
    return name if name in HASHES else None


def _status(state: State | None) -> bytes:
    """Write CertStatus: good [0], revoked [1] with when and why, unknown [2]."""
    if state is None:
        return b"\x82\x00"
    if state.at is None:
        return b"\x80\x00"
    why = der.explicit(0, der.enumerated(_REASONS[state.reason])) if state.reason in _REASONS else b""
    return der.explicit(1, der.moment(state.at), why)


_REASONS = {  # CRLReason (RFC 5280, 5.3.1); what is not specified is left out
    Ground.KEY_COMPROMISE: 1,
    Ground.CA_COMPROMISE: 2,
    Ground.AFFILIATION_CHANGED: 3,
    Ground.SUPERSEDED: 4,
    Ground.CESSATION_OF_OPERATION: 5,
    Ground.CERTIFICATE_HOLD: 6,
    Ground.PRIVILEGE_WITHDRAWN: 9,
}
_HASH_OIDS = {
    "sha1": x509.ObjectIdentifier("1.3.14.3.2.26"),
    "sha256": x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1"),
    "sha384": x509.ObjectIdentifier("2.16.840.1.101.3.4.2.2"),
    "sha512": x509.ObjectIdentifier("2.16.840.1.101.3.4.2.3"),
}


def _signed(responder: Signatory, single: bytes, nonce: bytes | None, on: datetime) -> bytes:
    """Write OCSPResponse around one single response (RFC 6960, 4.2.1)."""
    extensions = b""
    if nonce is not None:
        repeated = der.sequence(der.identifier(OCSPExtensionOID.NONCE), der.octets(der.octets(nonce)))
        extensions = der.explicit(1, der.sequence(repeated))
    data = der.sequence(
        der.explicit(2, der.octets(cert_id_hashes(responder.certificate, "sha1")[1])),
        der.moment(on),
        der.sequence(single),
        extensions,
    )
    oid, has_null = signature_oid(responder.key)
    basic = der.sequence(
        data,
        der.algorithm(oid, has_null=has_null),
        der.bits(sign(responder.key, data)),
        der.explicit(0, der.sequence(responder.certificate.public_bytes(serialization.Encoding.DER))),
    )
    kind = der.identifier(_BASIC)
    return der.sequence(der.enumerated(0), der.explicit(0, der.sequence(kind, der.octets(basic))))


_BASIC = x509.ObjectIdentifier("1.3.6.1.5.5.7.48.1.1")  # id-pkix-ocsp-basic


def _unsigned(status: ocsp.OCSPResponseStatus) -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(serialization.Encoding.DER)
