"""Certificates from outside: read strictly and within bounds, with the few facts the rest of the machinery asks for."""

import binascii
import re
from base64 import b64decode
from functools import lru_cache
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from safebelt.kernel.errors import Invalid
from safebelt.rooms.certificates.pki import names
from safebelt.rooms.certificates.pki.profile import SIGNATURES

MAX_BYTES = 16_384  # one certificate; ours have under two kilobytes
MAX_CERTIFICATES = 16  # leaf, authorities and cross-signed ones; more is an attempt to keep us busy
MAX_FILE_BYTES = MAX_CERTIFICATES * MAX_BYTES * 2
# What the libraries below us raise on a malformed part that is only looked at when asked for.
UNREADABLE = (
    ValueError,
    TypeError,
    OverflowError,
    NotImplementedError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    x509.InvalidVersion,
)
_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")
_MAX_SAID = 200  # characters
_MIN_RSA_BITS, _CURVES = 2048, ("secp256r1", "secp384r1", "secp521r1")

E = TypeVar("E", bound=x509.ExtensionType)


def read_certificates(data: bytes) -> tuple[x509.Certificate, ...]:
    """Read one certificate in DER, or one or more in PEM, the leaf first.

    Raises:
        Invalid: It is too long, holds none or too many, or one of them cannot be read.
    """
    if len(data) > MAX_FILE_BYTES:
        raise _refused("文件过长", "The file is too long")
    blocks = [] if data[:1] == b"\x30" else _BLOCK.findall(data)
    if len(blocks) != data.count(b"-----BEGIN ") and data[:1] != b"\x30":
        raise _refused("有残缺或并非证书的 PEM 块", "A block of PEM is broken or no certificate")
    ders = [_der_of(block) for block in blocks] or [data]
    if not 1 <= len(ders) <= MAX_CERTIFICATES:
        raise _refused(f"须含 1 到 {MAX_CERTIFICATES} 张证书", f"It must hold 1 to {MAX_CERTIFICATES} certificates")
    return tuple(read_certificate(der) for der in ders)


def read_certificate(der: bytes) -> x509.Certificate:
    """Read one certificate in DER, with nothing after it.

    Raises:
        Invalid: It is too long or malformed.
    """
    if len(der) > MAX_BYTES:
        raise _refused("证书过长", "The certificate is too long")
    try:
        certificate = x509.load_der_x509_certificate(der)
        # The library reads these when asked for; what is malformed must show here.
        list(certificate.extensions)
        certificate.public_key()
        certificate.subject.rfc4514_string()
        certificate.issuer.rfc4514_string()
        certificate.not_valid_before_utc, certificate.not_valid_after_utc  # noqa: B018
    except UNREADABLE as error:
        raise _refused("证书格式有误", "The certificate is malformed") from error
    return certificate


def extension(certificate: x509.Certificate, kind: type[E]) -> x509.Extension[E] | None:
    """Return an extension of a certificate, or `None`.

    Raises:
        ValueError: And others of `UNREADABLE`: the certificate's extensions are malformed.
    """
    try:
        return certificate.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None


def is_strong(certificate: x509.Certificate) -> bool:
    """Say whether an authority's key is one we rely on: RSA from 2048 bits, P-256, P-384, P-521."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= _MIN_RSA_BITS
    return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES


@lru_cache(maxsize=512)
def has_issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Say whether the issuer's name and key stand behind a certificate, with an algorithm we rely on.

    A signature over bytes holds for ever or never, so the answer is kept: the same authorities are asked about each
    time.
    """
    try:
        if certificate.signature_algorithm_oid not in SIGNATURES or not is_strong(issuer):
            return False
        if not is_signature_whole(certificate.public_bytes(Encoding.DER), certificate.signature):
            return False
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, *UNREADABLE):
        return False
    return True


def is_signature_whole(der: bytes, signature: bytes) -> bool:
    """Say whether the BIT STRING of a signature has no unused bits.

    Libraries pass over their number, so it is the one octet of a signed thing that could be changed unseen.
    """
    return b"\x00" + signature in der


@lru_cache(maxsize=512)
def said(certificate: x509.Certificate) -> str:
    """Return whom a certificate is about, for people, of bounded length."""
    try:
        return certificate.subject.rfc4514_string()[:_MAX_SAID]
    except UNREADABLE:
        return "?"


def is_self_issued(certificate: x509.Certificate) -> bool:
    """Say whether subject and issuer are the same name (RFC 5280, section 3.2)."""
    return certificate.subject == certificate.issuer


def _der_of(block: bytes) -> bytes:
    try:
        return b64decode(b"".join(block.split()), validate=True)
    except binascii.Error as error:
        raise _refused("PEM 内容不是 Base64", "The PEM block is not base64") from error


def _refused(zh: str, en: str) -> Invalid:
    return names.problem(
        f"无法读取证书：{zh}。",
        f"The certificate cannot be read. {en}.",
        hint_zh="请提供 PEM 或 DER 格式的 X.509 证书，叶证书在前。",
        hint_en="Give X.509 certificates in PEM or DER, the leaf first.",
        field="certificate",
    )
