"""Leaves from a template: what all leaves of a CA share is encoded once, and only the rest for each.

A CA signs thousands of them, and putting every one together from objects takes a third of the time of its signature.
What comes out is read back by the library and held to the profile like every other certificate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha1

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from safebelt.rooms.certificates.pki import der, drafts, names, profile
from safebelt.rooms.certificates.pki.keys import SigningKey, sign

_VERSION_3 = der.explicit(0, der.integer(2))
_COUNTRY, _ORGANIZATION, _COMMON_NAME = (
    der.identifier(oid) for oid in (NameOID.COUNTRY_NAME, NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
)
_SUBJECT_KEY = der.identifier(ExtensionOID.SUBJECT_KEY_IDENTIFIER)
_LAST_UTC_YEAR = 2049  # RFC 5280, 4.1.2.5: UTCTime through it, GeneralizedTime after


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What all leaves of one kind under one CA share, DER.

    Attributes:
        algorithm: The CA's signature algorithm.
        issuer: The CA's name.
        shared: The extensions that are the same in each.
    """

    algorithm: bytes
    issuer: bytes
    shared: bytes


def template(
    issuer: x509.Certificate,
    algorithm: tuple[x509.ObjectIdentifier, bool],
    extensions: tuple[tuple[x509.ExtensionType, bool], ...],
) -> Template:
    """Encode what leaves of a CA share: its name and key identifier, its algorithm, these extensions.

    Args:
        issuer: The CA.
        algorithm: Its signature algorithm, from `keys.signature_oid`.
        extensions: What each leaf says, each with whether it is critical.
    """
    oid, has_null = algorithm
    name, authority = drafts.issuer_facts(issuer)
    return Template(
        algorithm=der.algorithm(oid, has_null=has_null),
        issuer=name.public_bytes(),
        shared=b"".join(extension(value, is_critical) for value, is_critical in ((authority, False), *extensions)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A leaf that is not signed yet.

    Attributes:
        body: What will be signed, DER.
        algorithm: How, DER.
        kind: What it is for.
    """

    body: bytes
    algorithm: bytes
    kind: names.Kind


def draft(
    shared: Template,
    subject: names.Subject,
    public_key: bytes,
    *,
    kind: names.Kind,
    serial: int,
    times: bytes,
    extensions: tuple[tuple[x509.ExtensionType, bool], ...],
) -> Draft:
    """Put together what is to be signed; the words are those of `drafts.make`.

    Args:
        shared: What it has in common with all of its kind.
        subject: Who it is about.
        public_key: The key it names, SubjectPublicKeyInfo in DER.
        kind: What it is for.
        serial: Positive, at most 20 octets; see `drafts.hold_bounds`.
        times: From when to when, from `validity`.
        extensions: What only this one says, each with whether it is critical.

    Raises:
        Invalid: The subject has the CA's name.
        ValueError: The key is not in DER.
    """
    name = _name(subject)
    drafts.hold_difference(name != shared.issuer)
    said = [extension(value, is_critical) for value, is_critical in extensions]
    body = der.sequence(
        _VERSION_3,
        der.integer(serial),
        shared.algorithm,
        shared.issuer,
        times,
        name,
        public_key,
        der.explicit(3, der.sequence(_key_identifier(public_key), shared.shared, *said)),
    )
    return Draft(body=body, algorithm=shared.algorithm, kind=kind)


def validity(issuer: x509.Certificate, on: datetime, days: int) -> bytes:
    """Encode from when to when a leaf lasts; those of a batch have it in common.

    Raises:
        Conflict: The CA is not valid now.
    """
    start, end = drafts.window(on, days, issuer)
    return der.sequence(_time(start), _time(end))


def seal(drafted: Sequence[Draft], key: SigningKey) -> list[x509.Certificate]:
    """Sign drafts and hold them to their profiles before anybody sees them.

    First all signatures, then all checks: a signature drives everything else out of the processor's caches, so that
    what follows one takes several times as long as what follows its like.

    Raises:
        Conflict: One of the certificates would break its profile.
    """
    signatures = [sign(key, one.body) for one in drafted]
    made = []
    for one, signature in zip(drafted, signatures, strict=True):
        whole = der.sequence(one.body, one.algorithm, der.bits(signature))
        certificate = x509.load_der_x509_certificate(whole)
        profile.demand(certificate, one.kind)
        made.append(certificate)
    return made


def extension(value: x509.ExtensionType, is_critical: bool) -> bytes:
    """Encode an extension; *not critical* is the default and DER leaves it out."""
    mark = b"\x01\x01\xff" if is_critical else b""
    return der.sequence(_identifier(value.oid), mark, der.octets(value.public_bytes()))


@lru_cache(maxsize=64)
def _identifier(oid: x509.ObjectIdentifier) -> bytes:
    return der.identifier(oid)


def _name(subject: names.Subject) -> bytes:
    """Encode a subject as `names.Subject.as_name` and the library would: the country printable, the rest UTF-8."""
    return der.sequence(
        der.tagged(0x31, der.sequence(_COUNTRY, der.tagged(0x13, subject.country.encode("ascii")))),
        der.tagged(0x31, der.sequence(_ORGANIZATION, der.tagged(0x0C, subject.organization.encode()))),
        der.tagged(0x31, der.sequence(_COMMON_NAME, der.tagged(0x0C, subject.common_name.encode()))),
    )


def _key_identifier(public_key: bytes) -> bytes:
    """Encode the subject's key identifier: SHA-1 of the key's bits, as a name and not for security (RFC 5280, 4.2.1.2).

    The profile's check works it out a second time, by the library and from the finished certificate.
    """
    _, bits = der.members(public_key)
    digest = sha1(bits[der.header(bits) + 1 :], usedforsecurity=False).digest()
    return der.sequence(_SUBJECT_KEY, der.octets(der.octets(digest)))


def _time(at: datetime) -> bytes:
    return der.tagged(0x17, f"{at:%y%m%d%H%M%SZ}".encode()) if at.year <= _LAST_UTC_YEAR else der.moment(at)
