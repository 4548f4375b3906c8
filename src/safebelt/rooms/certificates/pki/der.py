"""Writing DER (ITU-T X.690), bottom-up: each part is bytes already, so nothing is encoded twice; and taking it apart.

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


def header(value: bytes, at: int = 0) -> int:
    """Return how many octets tag and length of the value at a place take; one octet of tag, up to four of length.

    Raises:
        ValueError: There is no such value.
    """
    if len(value) < at + 2:
        raise ValueError("nothing there")
    more = value[at + 1] & 0x7F if value[at + 1] & 0x80 else 0
    if value[at + 1] == 0x80 or more > 4 or len(value) < at + 2 + more:
        raise ValueError("no definite length")
    return 2 + more


def members(whole: bytes) -> list[bytes]:
    """Return the values a constructed value is made of, each with its tag and length.

    Raises:
        ValueError: It is not one value, or what is in it is cut off.
    """
    at, end = header(whole), _end(whole, 0)
    if end != len(whole):
        raise ValueError("something follows")
    found = []
    while at < end:
        following = _end(whole, at)
        found.append(whole[at:following])
        at = following
    if at != end:
        raise ValueError("something follows")
    return found


def _end(data: bytes, at: int) -> int:
    size = header(data, at)
    length = data[at + 1] if size == 2 else int.from_bytes(data[at + 2 : at + size])
    if at + size + length > len(data):
        raise ValueError("cut off")
    return at + size + length
