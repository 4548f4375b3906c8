"""Time-stamps (RFC 3161, RFC 5816): somebody trusted says that these bytes existed at that moment.

Here they are made; what a reader does with one is in `tokens`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from asn1crypto import tsp  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from safebelt.rooms.certificates.pki import der, names
from safebelt.rooms.certificates.pki.keys import Signatory, hash_for, sign, signature_oid
from safebelt.rooms.certificates.pki.tokens import DIGESTS, UNREADABLE, Stamp, check_stamp

__all__ = ["Stamp", "StamperChain", "check_stamp", "make_query", "stamp"]

MAX_QUERY_BYTES = 4096  # a query is under two hundred octets
MAX_NONCE_BITS = 256  # RFC 3161, 2.4.1 asks for 64; more than this is no nonce


@dataclass(frozen=True, slots=True, kw_only=True)
class StamperChain:
    """Who stamps, and the certificates a reader needs to get from it to the root.

    Attributes:
        stamper: The time-stamper.
        others: The stamping CA, and whatever is between it and the root.
    """

    stamper: Signatory
    others: tuple[x509.Certificate, ...] = field(default=())


def make_query(digest: bytes, *, nonce: int | None = None) -> bytes:
    """Ask for a time-stamp.

    Args:
        digest: SHA-256, SHA-384 or SHA-512 of the data: 32, 48 or 64 bytes.
        nonce: What the reply must repeat.

    Returns:
        The query, DER; it asks for the certificates.

    Raises:
        ValueError: The digest has another length.
    """
    asked = [] if nonce is None else [der.integer(nonce)]
    return der.sequence(der.integer(1), _imprint(digest), *asked, _TRUE)


def stamp(query: bytes, chain: StamperChain, *, serial: int, on: datetime, policy: x509.ObjectIdentifier) -> bytes:
    """Answer a query.

    Args:
        query: What was asked, DER; anything at all.
        chain: Who stamps.
        serial: Unique under this stamper.
        on: Now: the moment it attests, to the second.
        policy: What the stamp is issued under.

    Returns:
        The reply, DER: a token, or a refusal that says why (`bad_data_format`, `bad_request`, `bad_alg`,
        `unaccepted_policy`, `unaccepted_extensions`, `time_not_available`).
    """
    asked = _read_query(query)
    if isinstance(asked, str):
        return _refusal(asked)
    if asked.policy not in (None, policy.dotted_string):
        return _refusal("unaccepted_policy")
    now, own = names.whole(on), chain.stamper.certificate
    if not own.not_valid_before_utc <= now <= own.not_valid_after_utc:
        return _refusal("time_not_available")
    info = der.sequence(
        der.integer(1),
        der.identifier(policy),
        _imprint(asked.digest),
        der.integer(serial),
        der.moment(now),
        _A_SECOND,
        *([] if asked.nonce is None else [der.integer(asked.nonce)]),
    )
    token = _token(info, chain, has_certificates=asked.has_certificates)
    return der.sequence(der.sequence(der.integer(0)), token)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    digest: bytes
    nonce: int | None
    policy: str | None
    has_certificates: bool


def _read_query(data: bytes) -> _Asked | str:
    """Return what is asked, or the word of RFC 3161 for why it cannot be answered."""
    if len(data) > MAX_QUERY_BYTES:
        return "bad_data_format"
    try:
        query = tsp.TimeStampReq.load(data, strict=True)
        asked = _Asked(
            digest=query["message_imprint"]["hashed_message"].native,
            nonce=query["nonce"].native,
            policy=query["req_policy"].native,
            has_certificates=bool(query["cert_req"].native),
        )
        algorithm, version = query["message_imprint"]["hash_algorithm"]["algorithm"].native, query["version"].native
        has_extensions = bool(query["extensions"].native)
    except UNREADABLE:
        return "bad_data_format"
    is_sound = version == "v1" and -1 < (asked.nonce or 0) < 1 << MAX_NONCE_BITS
    if algorithm not in DIGESTS:
        return "bad_alg"
    if has_extensions:
        return "unaccepted_extensions"
    return asked if is_sound and len(asked.digest) == DIGESTS[algorithm]().digest_size else "bad_request"


def _imprint(digest: bytes) -> bytes:
    """Write MessageImprint; the length says which hash it is.

    Raises:
        ValueError: No hash known here has that length.
    """
    for name, make in DIGESTS.items():
        if make().digest_size == len(digest):
            return der.sequence(der.algorithm(_OIDS[name], has_null=True), der.octets(digest))
    raise ValueError("a digest is 32, 48 or 64 bytes")


def _token(info: bytes, chain: StamperChain, *, has_certificates: bool) -> bytes:
    """Sign what is attested: CMS signed data (RFC 5652) that names its one signer's certificate (RFC 5816)."""
    stamper, digest = chain.stamper, hash_for(chain.stamper.key).name
    own = stamper.certificate.public_bytes(Encoding.DER)
    attributes = (
        _attribute(_CONTENT_TYPE, der.identifier(_TST_INFO)),
        _attribute(_MESSAGE_DIGEST, der.octets(DIGESTS[digest](info).digest())),
        # ESSCertIDv2 without its algorithm means SHA-256 (RFC 5035, section 4)
        _attribute(_SIGNING_CERTIFICATE, der.sequence(der.sequence(der.sequence(der.octets(sha256(own).digest()))))),
    )
    oid, has_null = signature_oid(stamper.key)
    signer = der.sequence(
        der.integer(1),
        der.sequence(stamper.certificate.issuer.public_bytes(), der.integer(stamper.certificate.serial_number)),
        der.algorithm(_OIDS[digest], has_null=False),
        der.explicit(0, *sorted(attributes)),
        der.algorithm(oid, has_null=has_null),
        der.octets(sign(stamper.key, der.set_of(*attributes))),
    )
    carried = [own, *(one.public_bytes(Encoding.DER) for one in chain.others)] if has_certificates else []
    signed = der.sequence(
        der.integer(3),
        der.set_of(der.algorithm(_OIDS[digest], has_null=False)),
        der.sequence(der.identifier(_TST_INFO), der.explicit(0, der.octets(info))),
        der.explicit(0, *sorted(carried)) if carried else b"",
        der.set_of(signer),
    )
    return der.sequence(der.identifier(_SIGNED_DATA), der.explicit(0, signed))


def _attribute(kind: x509.ObjectIdentifier, value: bytes) -> bytes:
    return der.sequence(der.identifier(kind), der.set_of(value))


def _refusal(why: str) -> bytes:
    """Write a reply without a token: rejection, and the one bit of PKIFailureInfo that says why."""
    bit = _FAILURES[why]
    octet = bytes(bit // 8) + bytes((0x80 >> bit % 8,))
    return der.sequence(der.sequence(der.integer(2), der.tagged(0x03, bytes((7 - bit % 8,)), octet)))


_TRUE = b"\x01\x01\xff"
_A_SECOND = der.sequence(der.integer(1))  # Accuracy: the clock is right to the second that is told
_OIDS = {
    "sha256": x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1"),
    "sha384": x509.ObjectIdentifier("2.16.840.1.101.3.4.2.2"),
    "sha512": x509.ObjectIdentifier("2.16.840.1.101.3.4.2.3"),
}
_SIGNED_DATA = x509.ObjectIdentifier("1.2.840.113549.1.7.2")
_TST_INFO = x509.ObjectIdentifier("1.2.840.113549.1.9.16.1.4")
_CONTENT_TYPE = x509.ObjectIdentifier("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST = x509.ObjectIdentifier("1.2.840.113549.1.9.4")
_SIGNING_CERTIFICATE = x509.ObjectIdentifier("1.2.840.113549.1.9.16.2.47")  # signing-certificate-v2
_FAILURES = {  # RFC 3161, 2.4.2
    "bad_alg": 0,
    "bad_request": 2,
    "bad_data_format": 5,
    "time_not_available": 14,
    "unaccepted_policy": 15,
    "unaccepted_extensions": 16,
}
