"""A certificate before it is signed: its window in time, its extensions, and the one place where it is signed."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import AuthorityInformationAccessOID

from safebelt.kernel.errors import Conflict
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.pki import names, profile
from safebelt.rooms.certificates.pki.keys import Signatory, SigningKey, hash_for

Extensions = Iterable[tuple[x509.ExtensionType, bool]]

_SERIAL_BITS = 159  # at most 20 octets and positive (RFC 5280, 4.1.2.2)


def window(on: datetime, days: int, issuer: x509.Certificate | None) -> tuple[datetime, datetime]:
    """Return when a certificate begins and ends: a little before `on`, `days` long, never outside its issuer's.

    Both ends belong to it (RFC 5280, 4.1.2.5), so it ends a second before the days are full.

    Raises:
        Conflict: The issuer itself is not valid `on` that moment.
    """
    now = names.whole(on)
    start = now - names.BACKDATE
    end = start + timedelta(days=days) - timedelta(seconds=1)
    if issuer is None:
        return start, end
    if not issuer.not_valid_before_utc <= now <= issuer.not_valid_after_utc:
        raise Conflict(
            what=Text(
                zh="签发机构的证书此刻不在有效期内。", en="The certificate of the issuing authority is not valid now."
            ),
            hint=Text(zh="请先更换签发机构的证书。", en="Replace the issuing authority's certificate first."),
        )
    return max(start, issuer.not_valid_before_utc), min(end, issuer.not_valid_after_utc)


def make(
    subject: x509.Name,
    public_key: CertificatePublicKeyTypes,
    *,
    kind: names.Kind,
    serial: int,
    on: datetime,
    days: int,
    signer: Signatory | SigningKey,
    extensions: Extensions,
) -> x509.Certificate:
    """Sign a certificate and hold it to its profile before anybody sees it.

    Args:
        subject: Who it is about.
        public_key: The key it names.
        kind: What it is for.
        serial: Positive, at most 20 octets.
        on: The moment of signing.
        days: How long it is to last, 1 to what its kind allows.
        signer: Who signs; a bare key signs for itself.
        extensions: What it says besides its key identifiers, each with whether it is critical.

    Raises:
        Conflict: The issuer is not valid now, or the certificate would break its profile.
        Invalid: The serial number or the length is out of bounds, or the subject has the issuer's name.
    """
    hold_bounds(serial, days, kind)
    issuer = signer.certificate if isinstance(signer, Signatory) else None
    key = signer.key if isinstance(signer, Signatory) else signer
    start, end = window(on, days, issuer)
    own = x509.SubjectKeyIdentifier.from_public_key(public_key)
    name, authority = issuer_facts(issuer) if issuer else (subject, _named(own))
    hold_difference(issuer is None or name != subject)
    said = [(own, False), (authority, False), *extensions]
    # Given to the constructor: the builder's methods copy all that was said before, each time.
    builder = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=subject,
        public_key=public_key,
        serial_number=serial,
        not_valid_before=start.replace(tzinfo=None),
        not_valid_after=end.replace(tzinfo=None),
        extensions=[x509.Extension(value.oid, is_critical, value) for value, is_critical in said],
    )
    certificate = builder.sign(key, hash_for(key))
    profile.demand(certificate, kind)
    return certificate


@lru_cache(maxsize=64)
def usage(*which: str) -> tuple[x509.KeyUsage, bool]:
    """Return the key usage with these bits, critical as the profile wants it everywhere."""
    return x509.KeyUsage(**{bit: bit in which for bit in profile.USAGE_BITS}), True


@lru_cache(maxsize=64)
def constraints(*, is_authority: bool, path_length: int | None = None) -> tuple[x509.BasicConstraints, bool]:
    """Return whether it may sign certificates, and how many authorities may follow; critical."""
    return x509.BasicConstraints(ca=is_authority, path_length=path_length), True


@lru_cache(maxsize=64)
def purposes(*which: x509.ObjectIdentifier, is_critical: bool = False) -> tuple[x509.ExtendedKeyUsage, bool]:
    """Return what the key may be used for."""
    return x509.ExtendedKeyUsage(list(which)), is_critical


@lru_cache(maxsize=64)
def policy() -> tuple[x509.CertificatePolicies, bool]:
    """Return the one policy of the C2PA profile."""
    return x509.CertificatePolicies([x509.PolicyInformation(names.C2PA_POLICY, None)]), False


@lru_cache(maxsize=64)
def list_at(url: str) -> tuple[x509.CRLDistributionPoints, bool]:
    """Return where the signer's revocation list is."""
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)
    return x509.CRLDistributionPoints([point]), False


@lru_cache(maxsize=64)
def asked_at(places: names.Places) -> tuple[x509.AuthorityInformationAccess, bool]:
    """Return where to ask for the status, and where the signer's certificate is."""
    described = (
        (AuthorityInformationAccessOID.OCSP, places.ocsp_url),
        (AuthorityInformationAccessOID.CA_ISSUERS, places.issuers_url),
    )
    found = [x509.AccessDescription(method, x509.UniformResourceIdentifier(url)) for method, url in described]
    return x509.AuthorityInformationAccess(found), False


@lru_cache(maxsize=16)
def issuer_facts(issuer: x509.Certificate) -> tuple[x509.Name, x509.AuthorityKeyIdentifier]:
    """Return the signer's name, and its key as its own certificate names it."""
    return issuer.subject, _named(issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value)


def _named(key: x509.SubjectKeyIdentifier) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key)


def hold_bounds(serial: int, days: int, kind: names.Kind) -> None:
    """Hold serial number and length to what RFC 5280 and the kind allow.

    Raises:
        Invalid: One of them is out of bounds.
    """
    longest = names.LONGEST_DAYS[kind]
    if not 1 <= days <= longest:
        raise names.problem(
            f"这类证书的有效期须为 1 到 {longest} 天。",
            f"A certificate of this kind lasts 1 to {longest} days.",
            hint_zh="请缩短有效期；到期前可续期。",
            hint_en="Choose a shorter time; it can be renewed before it ends.",
            field="days",
        )
    if not 0 < serial < 1 << _SERIAL_BITS:
        raise names.problem(
            "证书序列号须为不超过 20 字节的正整数。",
            "A serial number is a positive integer of at most 20 octets.",
            hint_zh="请用 16 个随机字节生成序列号。",
            hint_en="Make it of sixteen random bytes.",
            field="serial",
        )


def hold_difference(is_other: bool) -> None:
    """Hold that nobody is given the name of who signs: readers would take it for self-signed, or look no further.

    Raises:
        Invalid: The names are the same.
    """
    if not is_other:
        raise names.problem(
            "证书主体不能与签发机构同名。",
            "A certificate cannot have the name of the authority that signs it.",
            hint_zh="请更改系统或机构的名称。",
            hint_en="Choose another name.",
            field="common_name",
        )
