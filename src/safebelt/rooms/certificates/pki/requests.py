"""Certificate requests from outside (PKCS #10, RFC 2986): read strictly, and only with proof of possession."""

import binascii
import re
from base64 import b64decode
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from safebelt.engines.signing.points import has_large_order
from safebelt.kernel.errors import Invalid
from safebelt.rooms.certificates.pki import names
from safebelt.rooms.certificates.pki.keys import SystemKey
from safebelt.rooms.certificates.pki.reading import UNREADABLE

MAX_BYTES = 16_384  # a request with a P-384 key and a long name is under one kilobyte
_LABEL = "CERTIFICATE REQUEST"  # RFC 7468, section 7
_PEM = re.compile(rb"\s*-----BEGIN ([A-Z0-9 ]{1,64})-----\s([A-Za-z0-9+/=\s]+)-----END ([A-Z0-9 ]{1,64})-----\s*")
_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request whose sender holds the private key.

    Attributes:
        public_key: Ed25519, P-256 or P-384.
        subject_name: The name asked for, as RFC 4514 writes it.  A wish, not a fact: what is certified comes from
            the register.
    """

    public_key: SystemKey
    subject_name: str


def read_request(data: bytes) -> Request:
    """Read a request in PEM or DER and check that it is signed with the key it names.

    Raises:
        Invalid: It is too long, is no request, has something before or after it, its key is of another kind,
            or its signature does not hold.
    """
    if len(data) > MAX_BYTES:
        raise _refused("请求过长", "The request is too long")
    request = _parse(_der_of(data))
    key = _key_of(request)
    try:
        is_signed = isinstance(request.signature_hash_algorithm, (*_HASHES, type(None))) and request.is_signature_valid
        name = request.subject.rfc4514_string()
    except UNREADABLE as error:
        raise _refused("请求无法解读", "The request cannot be read") from error
    if not is_signed:
        raise _refused("请求的自签名不成立，无法证明持有私钥", "The request is not signed with the key it names")
    return Request(public_key=key, subject_name=name)


def _der_of(data: bytes) -> bytes:
    """Return DER; PEM must be one block of the right label and nothing else."""
    if data[:1] == b"\x30":
        return data
    match = _PEM.fullmatch(data)
    if match is None:
        raise _refused("既不是 DER，也不是单个 PEM 块", "It is neither DER nor one block of PEM")
    if not match[1] == match[3] == _LABEL.encode():
        raise _refused(f"PEM 标签须为 {_LABEL}", f"The PEM label must be {_LABEL}")
    try:
        return b64decode(b"".join(match[2].split()), validate=True)
    except binascii.Error as error:
        raise _refused("PEM 内容不是 Base64", "The PEM block is not base64") from error


def _parse(der: bytes) -> x509.CertificateSigningRequest:
    try:
        return x509.load_der_x509_csr(der)
    except UNREADABLE as error:
        raise _refused("不是有效的证书请求", "It is not a certificate request") from error


def _key_of(request: x509.CertificateSigningRequest) -> SystemKey:
    try:
        key = request.public_key()
    except UNREADABLE as error:
        raise _refused("公钥无法解读", "The public key cannot be read") from error
    if isinstance(key, ed25519.Ed25519PublicKey) and not has_large_order(key.public_bytes_raw()):
        raise _refused("任何人都能以该公钥的名义签名（小阶点）", "Anybody could sign for a key of small order")
    is_curve = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1)
    if isinstance(key, ed25519.Ed25519PublicKey) or (isinstance(key, ec.EllipticCurvePublicKey) and is_curve):
        return key
    raise _refused("公钥须为 Ed25519、P-256 或 P-384", "The key must be Ed25519, P-256 or P-384")


def _refused(zh: str, en: str) -> Invalid:
    return names.problem(
        f"无法受理该证书请求：{zh}。",
        f"This certificate request cannot be accepted. {en}.",
        hint_zh="请用 `openssl req -new` 以 Ed25519 或 P-256 私钥重新生成。",
        hint_en="Make one with `openssl req -new` and an Ed25519 or P-256 key.",
        field="csr",
    )
