"""Writing DER (ITU-T X.690), bottom-up: each part is bytes already, so nothing is encoded twice.

>>> sequence(integer(5), octets(b"a")).hex()
'3006020105040161'
"""

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.asn1 import encode_der

from safebelt.rooms.certificates.pki.names import whole

NULL = b"\x05\x00"


def tagged(tag: int, *parts: bytes) -> bytes:
    """Return tag, definite length in its shortest form, and contents."""
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + body


def sequence(*parts: bytes) -> bytes:
    """Return a SEQUENCE."""
    return tagged(0x30, *parts)


def set_of(*parts: bytes) -> bytes:
    """Return a SET OF, in the one order DER allows (X.690, 11.6)."""
    return tagged(0x31, *sorted(parts))


def octets(data: bytes) -> bytes:
    """Return an OCTET STRING."""
    return tagged(0x04, data)


def bits(data: bytes) -> bytes:
    """Return a BIT STRING of whole octets."""
    return tagged(0x03, b"\x00", data)


def integer(value: int) -> bytes:
    """Return an INTEGER."""
    return encode_der(value)


def enumerated(value: int) -> bytes:
    """Return an ENUMERATED below 128."""
    return tagged(0x0A, bytes((value,)))


def identifier(oid: x509.ObjectIdentifier) -> bytes:
    """Return an OBJECT IDENTIFIER."""
    return encode_der(oid)


def moment(at: datetime) -> bytes:
    """Return a GeneralizedTime in UTC, to the second (RFC 5280, 4.1.2.5.2)."""
    return tagged(0x18, f"{whole(at):%Y%m%d%H%M%SZ}".encode())


def explicit(number: int, *parts: bytes) -> bytes:
    """Return a context-specific constructed value: `[number]`, explicit, or implicit over a SEQUENCE or SET."""
    return tagged(0xA0 | number, *parts)


def algorithm(oid: x509.ObjectIdentifier, *, has_null: bool) -> bytes:
    """Return an AlgorithmIdentifier; RSA and the hashes of OCSP carry a NULL, ECDSA carries nothing (RFC 5754)."""
    return sequence(identifier(oid), *([NULL] if has_null else []))
