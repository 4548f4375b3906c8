"""Small facts about certificates, read from their bytes."""

from datetime import datetime
from functools import lru_cache
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from safebelt.kernel.text import Text
from safebelt.rooms.certificates.model import Part, Role
from safebelt.rooms.certificates.pki.keys import public_bytes

ROLES = {
    Role.ROOT: Text(zh="根", en="root"),
    Role.ISSUING: Text(zh="签发 CA", en="issuing CA"),
    Role.RESPONDER: Text(zh="状态应答者", en="status responder"),
    Role.STAMPING: Text(zh="时间戳 CA", en="time-stamping CA"),
    Role.STAMPER: Text(zh="时间戳签署者", en="time-stamper"),
}
"""What people call the parts of the authority."""


@lru_cache(maxsize=256)
def read(der: bytes) -> x509.Certificate:
    """Read a certificate, DER; nearly all that are asked about are our own, again and again."""
    return x509.load_der_x509_certificate(der)


def der_of(certificate: x509.Certificate) -> bytes:
    """Return a certificate's bytes."""
    return certificate.public_bytes(serialization.Encoding.DER)


def pem_of(der: bytes) -> str:
    """Return a certificate as PEM."""
    return read(der).public_bytes(serialization.Encoding.PEM).decode()


def fingerprint(data: bytes) -> str:
    """Return the SHA-256 of some bytes, hexadecimal."""
    return sha256(data).hexdigest()


def key_id(key: object) -> str:
    """Return the SHA-256 of a public key (SubjectPublicKeyInfo, DER), hexadecimal."""
    return fingerprint(public_bytes(key))


def lifetime(der: bytes) -> tuple[datetime, datetime]:
    """Return from when and until when a certificate counts."""
    found = read(der)
    return found.not_valid_before_utc, found.not_valid_after_utc


def serial_text(number: int) -> str:
    """Return a serial number as people see it: lower-case hexadecimal."""
    return f"{number:x}"


def words_of_part(part: Part) -> Text:
    """Return one line about a part of the authority."""
    _, ends = lifetime(part.der)
    title, day, print_ = ROLES[part.role], ends.date().isoformat(), fingerprint(part.der)
    return Text(
        zh=f"  {title.zh}：至 {day}，SHA-256 {print_}",
        en=f"  {title.en}: until {day}, SHA-256 {print_}",
    )
