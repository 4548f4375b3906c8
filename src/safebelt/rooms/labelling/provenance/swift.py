"""Manifests of our own shape, signed and verified without the engine: the same mathematics in a tenth of the time.

What is accepted here is less than what the engine accepts, never more: a store that this house would have written byte
for byte so (`stores`), where it says it lies, over a content whose hash matches, signed by a key whose certificate is
in its time and was issued, by way of one authority, by a root of this house.  Whatever is not so in any point is not
refused here but left to the engine, which says what is wrong.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from safebelt.rooms.labelling.formats.carrier import Buffer, Edit, Span, applied, pieces
from safebelt.rooms.labelling.model.provenance import Claim, Manifest, Sign
from safebelt.rooms.labelling.provenance import jpeg_stores, stores
from safebelt.rooms.labelling.provenance.stores import GENERATED, Store

_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension)
_FOUND = frozenset(
    {
        *("claimSignature.insideValidity", "claimSignature.validated", "signingCredential.trusted"),
        *("assertion.hashedURI.match", "assertion.dataHash.match"),
    }
)
"""What the engine says of such a manifest (C2PA 15.2, status codes)."""
_WORD_BYTES = 32  # of r and of s over P-256


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signatory:
    """A certificate that a root of this house stands behind, read."""

    key: ec.EllipticCurvePublicKey
    serial: str
    subject: str
    issuer: str
    fingerprint: str
    start: datetime
    end: datetime


def signed_jpeg(data: bytes, claim: Claim, chain: str, sign: Sign, edit: Edit = ()) -> bytes | None:
    """Return a JPEG with a manifest.

    The file is put together once, at the end: to have the kernel find room for it costs as much as a hash of it.

    Args:
        data: The file.
        claim: What the manifest says.
        chain: The certificate, on a key over P-256, and those above it but the root, PEM.
        sign: Signs bytes by ECDSA with SHA-256: `r` and `s`.
        edit: What is changed in the file before; empty for nothing.  No JUMBF comes by it.

    Returns:
        None where the engine has to do it: the file holds JUMBF already, or the store becomes too long.

    Raises:
        Broken: It is no whole JPEG.
    """
    at = jpeg_stores.place(data)
    if at is None:
        return None
    first, *others = edit or [Span(0, len(data))]
    if not isinstance(first, Span) or first.start or first.end < at:  # what comes before the store is changed
        return signed_jpeg(applied(data, edit), claim, chain, sign)
    rest = pieces(data, [Span(at, first.end), *others])
    store = Store(
        title=f"{claim.system[0]} {claim.system[1]}".strip(),
        software=claim.software,
        aigc=claim.aigc,
        bindings=tuple(claim.bindings.items()),
        start=at,
        length=0,
        digest=_digest([data[:at], *rest]),
        chain=_ders(chain),
    )
    made = stores.written(store, jpeg_stores.BEFORE, sign)
    if made is None:
        return None
    return b"".join([data[:at], jpeg_stores.segment(made), *rest])


def manifest_of_jpeg(data: Buffer, roots: str) -> Manifest | None:
    """Return what a JPEG's manifest says, where all of it holds; None where the engine has to look.

    Args:
        data: The file.
        roots: Roots of this house, PEM.
    """
    store = jpeg_stores.found(data)
    if store is None or len(store.chain) != 2:
        return None
    who = _signatory(*store.chain, roots)
    if who is None or not who.start <= datetime.now(UTC) <= who.end or not _has_signed(who, store):
        return None
    with memoryview(data) as view:
        if _digest([view[: store.start], view[store.start + store.length :]]) != store.digest:
            return None
    return Manifest(
        success=_FOUND,
        failure=frozenset(),
        serial=who.serial,
        subject=who.subject,
        issuer=who.issuer,
        fingerprint=who.fingerprint,
        trusted_by="home",
        source_types=(GENERATED,),
        aigc=store.aigc,
        bindings=dict(store.bindings),
        generator=" ".join(store.software).strip(),
    )


def _digest(parts: Iterable[bytes | memoryview]) -> bytes:
    hasher = sha256()
    for part in parts:
        hasher.update(part)
    return hasher.digest()


@lru_cache(maxsize=64)
def _ders(chain: str) -> tuple[bytes, ...]:
    return jpeg_stores.ders(chain)


@lru_cache(maxsize=256)
def _signatory(leaf: bytes, authority: bytes, roots: str) -> _Signatory | None:
    """Return who a certificate names, if the authority issued it and a root issued the authority.

    Both are signatures over bytes, which hold for ever or never: so they may be remembered.  Whether the certificate is
    good at this moment is asked anew each time.
    """
    try:
        own, above = x509.load_der_x509_certificate(leaf), x509.load_der_x509_certificate(authority)
        key = own.public_key()
        if not (isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)):
            return None
        if not _is_authority(above) or not any(
            _has_issued(root, above) for root in x509.load_pem_x509_certificates(roots.encode())
        ):
            return None
        own.verify_directly_issued_by(above)
        return _Signatory(
            key=key,
            serial=f"{own.serial_number:x}",
            subject=_name(own.subject),
            issuer=_name(own.issuer),
            fingerprint=sha256(leaf).hexdigest(),
            start=own.not_valid_before_utc,
            end=own.not_valid_after_utc,
        )
    except (InvalidSignature, *_UNREADABLE):
        return None


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        found = certificate.extensions
        constraints = found.get_extension_for_class(x509.BasicConstraints).value
        usage = found.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return constraints.ca and usage.key_cert_sign


def _has_issued(root: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        authority.verify_directly_issued_by(root)
    except (InvalidSignature, *_UNREADABLE):
        return False
    return True


def _has_signed(who: _Signatory, store: Store) -> bool:
    signature = store.signature
    if len(signature) != 2 * _WORD_BYTES:
        return False
    r, s = int.from_bytes(signature[:_WORD_BYTES]), int.from_bytes(signature[_WORD_BYTES:])
    try:
        who.key.verify(encode_dss_signature(r, s), store.signed_bytes, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _name(name: x509.Name) -> str:
    return ", ".join(f"{one.rfc4514_attribute_name}={one.value!s}" for one in name)
