"""Our certificates against the C2PA certificate profile v0.2, clause by clause, before one is handed out.

Written from the profile's text (`cert-profiles/*.yaml`); its JSON schemas are the independent judge in the tests.
Where text and schema differ the stricter holds: the schema wants the root's authority key identifier and path length.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.asn1 import decode_der, encode_der
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID, NameOID, SignatureAlgorithmOID

from safebelt.engines.signing.points import has_large_order
from safebelt.kernel.errors import Conflict
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.pki import names
from safebelt.rooms.certificates.pki.names import Kind

USAGE_BITS = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
SIGNATURES = frozenset(
    {
        SignatureAlgorithmOID.RSA_WITH_SHA256,
        SignatureAlgorithmOID.RSA_WITH_SHA384,
        SignatureAlgorithmOID.RSA_WITH_SHA512,
        SignatureAlgorithmOID.RSASSA_PSS,
        SignatureAlgorithmOID.ECDSA_WITH_SHA256,
        SignatureAlgorithmOID.ECDSA_WITH_SHA384,
        SignatureAlgorithmOID.ECDSA_WITH_SHA512,
    }
)
E = TypeVar("E", bound=x509.ExtensionType)
_RSA_AUTHORITY_BITS, _RSA_LEAF_BITS = 3072, 2048  # "RSA Key Size" of the profile's authorities and leaves
_AUTHORITY_CURVES = ("secp384r1", "secp521r1")  # "ECC Curve"
_LEAF_CURVES = ("secp256r1", *_AUTHORITY_CURVES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What one kind of certificate must and must not say.

    Attributes:
        usages: Exactly these key-usage bits.
        purposes: Extended key usages it must name; empty: none at all.
        is_exact: Whether no other purposes may stand beside them.
        is_purpose_critical: Whether the purposes are critical.
        path_length: For an authority the longest path below it; for a leaf `None`.
        policy: Whether the C2PA policy must stand there: `must`, `may` or `never`.
        places: `ocsp`: it says where to ask; `either`: there, or where the list is; `never`: neither.
        level: The assurance level it must name, if any.
        may_be_ed25519: Whether its key may be Ed25519.
    """

    usages: frozenset[str]
    purposes: tuple[x509.ObjectIdentifier, ...] = ()
    is_exact: bool = True
    is_purpose_critical: bool = False
    path_length: int | None = None
    policy: str = "must"
    places: str = "either"
    level: x509.ObjectIdentifier | None = None
    may_be_ed25519: bool = False

    @property
    def is_authority(self) -> bool:
        """Whether it signs certificates."""
        return self.path_length is not None


_AUTHORITY = frozenset({"key_cert_sign", "crl_sign"})
_SIGNER = frozenset({"digital_signature", "content_commitment"})
_CLAIM = (names.CLAIM_SIGNING, names.EMAIL_PROTECTION)

PROFILES: dict[Kind, Profile] = {
    Kind.ROOT: Profile(usages=_AUTHORITY, path_length=2, policy="may", places="never"),
    Kind.ISSUING: Profile(usages=_AUTHORITY, purposes=_CLAIM, is_exact=False, path_length=0),
    Kind.STAMPING_CA: Profile(usages=_AUTHORITY, purposes=(names.TIME_STAMPING,), path_length=0),
    Kind.RESPONDER: Profile(
        usages=frozenset({"digital_signature"}), purposes=(names.OCSP_SIGNING,), policy="never", places="never"
    ),
    Kind.STAMPER: Profile(usages=_SIGNER, purposes=(names.TIME_STAMPING,), is_purpose_critical=True),
    Kind.LEAF_AL1: Profile(
        usages=_SIGNER,
        purposes=_CLAIM,
        is_exact=False,
        places="ocsp",
        level=names.ASSURANCE_LEVEL_1,
        may_be_ed25519=True,
    ),
    Kind.LEAF_AL2: Profile(
        usages=_SIGNER,
        purposes=_CLAIM,
        is_exact=False,
        places="ocsp",
        level=names.ASSURANCE_LEVEL_2,
        may_be_ed25519=True,
    ),
    # Not of the C2PA profile: who a system is, without a word about its standing with the C2PA.
    Kind.IDENTITY: Profile(
        usages=_SIGNER, purposes=(names.DOCUMENT_SIGNING,), policy="never", places="ocsp", may_be_ed25519=True
    ),
}


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A certificate laid open: what each clause looks at."""

    certificate: x509.Certificate
    public_key: CertificatePublicKeyTypes
    extensions: dict[x509.ObjectIdentifier, x509.Extension[x509.ExtensionType]]
    profile: Profile
    kind: Kind

    def get(self, kind: type[E]) -> tuple[E | None, bool | None]:
        """Return an extension and whether it is critical; `None` twice where it is not there."""
        found = self.extensions.get(kind.oid)
        if found is None or not isinstance(found.value, kind):
            return None, None
        return found.value, found.critical


def breaks(certificate: x509.Certificate, kind: Kind) -> tuple[Text, ...]:
    """Return every clause of its profile a certificate breaks; empty: none."""
    try:
        extensions = {extension.oid: extension for extension in certificate.extensions}
        sheet = _Sheet(certificate, certificate.public_key(), extensions, PROFILES[kind], kind)
        return tuple(text for clause, text in _CLAUSES if not clause(sheet))
    except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        return (Text(zh=f"证书无法解读：{error}", en=f"The certificate cannot be read: {error}"),)


def demand(certificate: x509.Certificate, kind: Kind) -> None:
    """Let a certificate pass only if it keeps to its profile.

    Raises:
        Conflict: It breaks a clause; the certificate must not be handed out.
    """
    broken = breaks(certificate, kind)
    if broken:
        raise Conflict(
            what=Text(
                zh="该证书不符合 C2PA 证书规范，未予签发：" + "；".join(text.zh for text in broken),
                en="The certificate would break the C2PA certificate profile: " + "; ".join(t.en for t in broken),
            ),
            hint=Text(zh="请核对密钥、有效期与地址设置。", en="Check the key, the length and the places."),
            details={"kind": kind.value},
        )


# --- the clauses, in the order of the profile's text -------------------------------------------------------------


def _version_is_3(sheet: _Sheet) -> bool:
    return sheet.certificate.version is x509.Version.v3


def _serial_is_sound(sheet: _Sheet) -> bool:
    return 0 < sheet.certificate.serial_number < 1 << 159


def _signature_is_allowed(sheet: _Sheet) -> bool:
    return sheet.certificate.signature_algorithm_oid in SIGNATURES


def _names_are_whole(sheet: _Sheet) -> bool:
    wanted = {NameOID.COUNTRY_NAME, NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME}
    subject = sheet.certificate.subject
    is_right = sheet.kind is not Kind.ROOT or subject == sheet.certificate.issuer
    return is_right and wanted <= {attribute.oid for attribute in subject}


def _length_is_allowed(sheet: _Sheet) -> bool:
    lasts = sheet.certificate.not_valid_after_utc - sheet.certificate.not_valid_before_utc
    return 0 < lasts.total_seconds() <= names.LONGEST_DAYS[sheet.kind] * 86_400


def _key_is_strong(sheet: _Sheet) -> bool:
    key, is_authority = sheet.public_key, sheet.profile.is_authority
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= (_RSA_AUTHORITY_BITS if is_authority else _RSA_LEAF_BITS)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.curve.name in (_AUTHORITY_CURVES if is_authority else _LEAF_CURVES)
    is_edwards = isinstance(key, ed25519.Ed25519PublicKey) and has_large_order(key.public_bytes_raw())
    return is_edwards and sheet.profile.may_be_ed25519


def _keys_are_named(sheet: _Sheet) -> bool:
    own, is_own_critical = sheet.get(x509.SubjectKeyIdentifier)
    issuer, is_issuer_critical = sheet.get(x509.AuthorityKeyIdentifier)
    if own is None or issuer is None or is_own_critical or is_issuer_critical:
        return False
    of_key = x509.SubjectKeyIdentifier.from_public_key(sheet.public_key)
    is_root = sheet.kind is Kind.ROOT
    return own == of_key and bool(issuer.key_identifier) and (not is_root or issuer.key_identifier == own.digest)


def _usages_are_exact(sheet: _Sheet) -> bool:
    value, is_critical = sheet.get(x509.KeyUsage)
    return value is not None and is_critical is True and used(value) == sheet.profile.usages


def used(value: x509.KeyUsage) -> frozenset[str]:
    """Return the key-usage bits that are set; the last two are only defined beside key agreement."""
    names_ = USAGE_BITS if value.key_agreement else USAGE_BITS[:-2]
    return frozenset(bit for bit in names_ if getattr(value, bit))


def _constraints_fit(sheet: _Sheet) -> bool:
    value, is_critical = sheet.get(x509.BasicConstraints)
    longest = sheet.profile.path_length
    if value is None or is_critical is not True or value.ca is not sheet.profile.is_authority:
        return False
    return value.path_length is None if longest is None else value.path_length in range(longest + 1)


def _purposes_fit(sheet: _Sheet) -> bool:
    value, is_critical = sheet.get(x509.ExtendedKeyUsage)
    wanted = set(sheet.profile.purposes)
    if value is None or not wanted:
        return value is None and not wanted
    found = set(value)
    fits = found == wanted and len(list(value)) == len(found) if sheet.profile.is_exact else wanted <= found
    return fits and is_critical is sheet.profile.is_purpose_critical


def _policy_fits(sheet: _Sheet) -> bool:
    value, is_critical = sheet.get(x509.CertificatePolicies)
    if value is None:
        return sheet.profile.policy != "must"
    is_named = any(one.policy_identifier == names.C2PA_POLICY for one in value)
    return sheet.profile.policy != "never" and is_critical is False and is_named


def _places_fit(sheet: _Sheet) -> bool:
    asked, is_asked_critical = sheet.get(x509.AuthorityInformationAccess)
    listed, is_listed_critical = sheet.get(x509.CRLDistributionPoints)
    if sheet.profile.places == "never":
        return asked is None and listed is None
    if is_asked_critical or is_listed_critical:
        return False
    is_asked, is_listed = asked is not None and _can_be_asked(asked), listed is not None and _has_list(listed)
    is_whole = (asked is None or is_asked) and (listed is None or is_listed)
    return is_whole and (is_asked or (is_listed and sheet.profile.places == "either"))


def _is_http(place: x509.GeneralName) -> bool:
    return isinstance(place, x509.UniformResourceIdentifier) and place.value.startswith("http://")


def _can_be_asked(value: x509.AuthorityInformationAccess) -> bool:
    methods = {one.access_method for one in value}
    wanted = {AuthorityInformationAccessOID.OCSP, AuthorityInformationAccessOID.CA_ISSUERS}
    return wanted <= methods and all(_is_http(one.access_location) for one in value)


def _has_list(value: x509.CRLDistributionPoints) -> bool:
    return len(list(value)) > 0 and all(one.full_name and all(map(_is_http, one.full_name)) for one in value)


def _level_fits(sheet: _Sheet) -> bool:
    level, record = _raw(sheet, names.ASSURANCE_LEVEL), _raw(sheet, names.PRODUCT_RECORD)
    if sheet.profile.level is None:
        return level is None and record is None
    return level == level_der(sheet.profile.level) and record is not None and _is_record(record)


def _raw(sheet: _Sheet, oid: x509.ObjectIdentifier) -> bytes | None:
    """Return the bytes of an extension that no library knows; those of a critical one are worth nothing."""
    found = sheet.extensions.get(oid)
    if found is None or not isinstance(found.value, x509.UnrecognizedExtension):
        return None
    return b"" if found.critical else found.value.value


@lru_cache(maxsize=8)
def level_der(level: x509.ObjectIdentifier) -> bytes:
    """Return an assurance level as DER, an OBJECT IDENTIFIER."""
    return encode_der(level)


def record_der(record: UUID) -> bytes:
    """Return the id of a product's record as DER, a UTF8String of 36 characters."""
    return encode_der(str(record))


def _is_record(der: bytes) -> bool:
    text: str = decode_der(str, der)
    return str(UUID(text)) == text


def _nocheck_fits(sheet: _Sheet) -> bool:
    value, is_critical = sheet.get(x509.OCSPNoCheck)
    is_responder = sheet.kind is Kind.RESPONDER
    return is_critical is False if is_responder else value is None


def _nothing_strange_is_critical(sheet: _Sheet) -> bool:
    known = {
        ExtensionOID.KEY_USAGE,
        ExtensionOID.BASIC_CONSTRAINTS,
        *([ExtensionOID.EXTENDED_KEY_USAGE] if sheet.profile.is_purpose_critical else []),
    }
    return all(extension.oid in known for extension in sheet.extensions.values() if extension.critical)


_CLAUSES: tuple[tuple[Callable[[_Sheet], bool], Text], ...] = (
    (_version_is_3, Text(zh="版本须为 v3", en="the version must be v3")),
    (
        _serial_is_sound,
        Text(zh="序列号须为不超过 20 字节的正整数", en="the serial number must be positive, 20 octets at most"),
    ),
    (
        _signature_is_allowed,
        Text(zh="签名算法须为 SHA-2 的 RSA 或 ECDSA", en="the signature must be RSA or ECDSA with SHA-2"),
    ),
    (_length_is_allowed, Text(zh="有效期过长", en="it lasts too long")),
    (
        _names_are_whole,
        Text(zh="主体须含国家、组织和名称", en="the subject must have country, organization and common name"),
    ),
    (_key_is_strong, Text(zh="公钥的算法或长度不在允许之列", en="the key's algorithm or size is not allowed")),
    (_keys_are_named, Text(zh="密钥标识缺失或不符", en="the key identifiers are missing or wrong")),
    (_usages_are_exact, Text(zh="密钥用途不符", en="the key usage is wrong")),
    (_constraints_fit, Text(zh="基本约束不符", en="the basic constraints are wrong")),
    (_purposes_fit, Text(zh="扩展密钥用途不符", en="the extended key usage is wrong")),
    (_policy_fits, Text(zh="证书策略不符", en="the certificate policy is wrong")),
    (_places_fit, Text(zh="OCSP 或 CRL 地址缺失或不是 http", en="the OCSP or CRL place is missing or not http")),
    (_level_fits, Text(zh="保证级别或产品记录不符", en="the assurance level or the product record is wrong")),
    (_nocheck_fits, Text(zh="OCSP 免查标记不符", en="the OCSP no-check mark is wrong")),
    (_nothing_strange_is_critical, Text(zh="含有未知的关键扩展", en="an unknown extension is critical")),
)
