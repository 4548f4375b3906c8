"""Object identifiers, limits and the words of our certificates, each with its source.

Sources: C2PA certificate profile v0.2 (the conformance programme's `cert-profiles`), RFC 5280 (certificates and CRLs),
RFC 6960 (OCSP), RFC 3161 and RFC 5816 (time-stamps), RFC 9336 (document signing).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text

# --- C2PA certificate profile v0.2 -------------------------------------------------------------------------------
C2PA_POLICY = x509.ObjectIdentifier("1.3.6.1.4.1.62558.1.1")
CLAIM_SIGNING = x509.ObjectIdentifier("1.3.6.1.4.1.62558.2.1")  # c2pa-kp-claimSigning
ASSURANCE_LEVEL = x509.ObjectIdentifier("1.3.6.1.4.1.62558.3")  # id-c2pa-al
ASSURANCE_LEVEL_1 = x509.ObjectIdentifier("1.3.6.1.4.1.62558.3.10")
ASSURANCE_LEVEL_2 = x509.ObjectIdentifier("1.3.6.1.4.1.62558.3.20")
PRODUCT_RECORD = x509.ObjectIdentifier("1.3.6.1.4.1.62558.4")  # c2pa-cpl-record: UTF8String of 36 characters
# The profile's text asks for emailProtection or documentSigning beside claimSigning.  Its schemas know document signing
# only under Adobe's number 1.2.840.113583.1.1.5, not under RFC 9336's; emailProtection is what both agree on.
EMAIL_PROTECTION = ExtendedKeyUsageOID.EMAIL_PROTECTION
DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # RFC 9336

# --- RFC 5280, 6960, 3161 ----------------------------------------------------------------------------------------
OCSP_SIGNING = ExtendedKeyUsageOID.OCSP_SIGNING
TIME_STAMPING = ExtendedKeyUsageOID.TIME_STAMPING

# --- ours --------------------------------------------------------------------------------------------------------
# An arc anybody can have without asking: a UUID cut into seven small numbers under the arc Microsoft keeps for that
# ("Obtaining an Object Identifier", oidgen).  Not 2.25 and the UUID as one number (ITU-T X.667): readers that keep a
# number of an identifier in 64 bits, one of the C2PA engines among them, call such a certificate malformed.
_ARC = UUID("59df6da8-f40d-477e-bfae-2d80f05b074e")
_CUTS = ((0, 4), (4, 8), (8, 12), (12, 16), (16, 20), (20, 26), (26, 32))
OUR_ARC = "1.2.840.113556.1.8000.2554." + ".".join(str(int(_ARC.hex[start:end], 16)) for start, end in _CUTS)
REGISTER_CLAIMS = x509.ObjectIdentifier(f"{OUR_ARC}.1")  # the extension `leaves.Claims` travels in
STAMP_POLICY = x509.ObjectIdentifier(f"{OUR_ARC}.2")  # what a time-stamp of ours is issued under, by default
PRODUCT_NAMESPACE = _ARC  # names the register's records where the C2PA profile asks for a UUID

# Clocks of readers run behind ours by minutes; a certificate that is not valid yet would be refused there.
BACKDATE = timedelta(minutes=5)


class Kind(StrEnum):
    """What a certificate is for; each kind has its profile."""

    ROOT = "root"
    ISSUING = "issuing"
    STAMPING_CA = "stamping-ca"
    RESPONDER = "responder"
    STAMPER = "stamper"
    LEAF_AL1 = "leaf-al1"
    LEAF_AL2 = "leaf-al2"
    IDENTITY = "identity"


# Longest validity in days: the C2PA profile's where it has one; the root (typically 20 years there) and the
# responder (nobody can revoke it, so a month) are ours, and so is the identity, which is held to the leaf's.
LONGEST_DAYS = {
    Kind.ROOT: 9132,
    Kind.ISSUING: 1827,
    Kind.STAMPING_CA: 5479,
    Kind.RESPONDER: 30,
    Kind.STAMPER: 4110,
    Kind.LEAF_AL1: 90,  # the profile allows 366; the house does not
    Kind.LEAF_AL2: 90,
    Kind.IDENTITY: 90,
}


class Ground(StrEnum):
    """Why a certificate is revoked, in the words of RFC 5280, section 5.3.1; a hold is a suspension."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "keyCompromise"
    CA_COMPROMISE = "cACompromise"
    AFFILIATION_CHANGED = "affiliationChanged"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessationOfOperation"
    CERTIFICATE_HOLD = "certificateHold"
    PRIVILEGE_WITHDRAWN = "privilegeWithdrawn"


def problem(zh: str, en: str, *, hint_zh: str, hint_en: str, **details: str) -> Invalid:
    """Return an `Invalid` with both wordings."""
    return Invalid(what=Text(zh=zh, en=en), hint=Text(zh=hint_zh, en=hint_en), details=details)


def whole(moment: datetime) -> datetime:
    """Return the moment in UTC without fractions of a second, which X.509 does not allow (RFC 5280, 4.1.2.5).

    Raises:
        ValueError: The moment names no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who a certificate is about: the three attributes the C2PA profile requires.

    Attributes:
        organization: Legal name, 1 to 64 characters (RFC 5280, upper bounds).
        common_name: Name of the system or authority, 1 to 64 characters.
        country: Two letters of ISO 3166-1.
    """

    organization: str
    common_name: str
    country: str

    def __post_init__(self) -> None:
        """Hold the bounds.

        Raises:
            Invalid: A name is empty, too long, or not printable, or the country is not two letters.
        """
        for field, value in (("organization", self.organization), ("common_name", self.common_name)):
            if not (1 <= len(value) <= 64 and value.isprintable() and value.strip() == value):
                raise problem(
                    "证书主体的名称须为 1 到 64 个可见字符，首尾不得有空格。",
                    "A name in a certificate is 1 to 64 printable characters without spaces at its ends.",
                    hint_zh="请使用更短的名称。",
                    hint_en="Use a shorter name.",
                    field=field,
                )
        if not (
            len(self.country) == 2 and self.country.isascii() and self.country.isalpha() and self.country.isupper()
        ):
            raise problem(
                "国家代码须为两个大写字母。",
                "A country is two capital letters.",
                hint_zh="请使用 ISO 3166-1 代码，例如 CN。",
                hint_en="Use an ISO 3166-1 code, for example CN.",
                field="country",
            )

    def as_name(self) -> x509.Name:
        """Return the X.501 name: country, organization, common name."""
        return x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, self.country),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, self.organization),
                x509.NameAttribute(NameOID.COMMON_NAME, self.common_name),
            ]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where readers of a certificate find what they need; the C2PA profile wants plain `http`.

    What is fetched there is signed itself, and fetching a revocation list over TLS would need a revocation list.

    Attributes:
        ocsp_url: The OCSP responder.  End it in a slash: c2pa-rs replaces the last segment of the path when it asks.
        issuers_url: Certificate of the CA that signs, DER.
        crl_url: Revocation list of the CA that signs.
        root_crl_url: Revocation list of the root, named by the certificates the root signs.
        register_url: The public register, for `leaves.Claims`; any scheme.
    """

    ocsp_url: str
    issuers_url: str
    crl_url: str
    root_crl_url: str
    register_url: str

    def __post_init__(self) -> None:
        """Hold the form.

        Raises:
            Invalid: A place is no `http` URL of visible ASCII.
        """
        for field in ("ocsp_url", "issuers_url", "crl_url", "root_crl_url"):
            value = str(getattr(self, field))
            is_sound = value.startswith("http://") and 7 < len(value) <= 512
            if not (is_sound and value.isascii() and value.isprintable() and " " not in value):
                raise problem(
                    f"证书中的地址 {field} 须为 http:// 开头的网址。",
                    f"The place {field} in a certificate must be an http:// URL.",
                    hint_zh="C2PA 证书规范要求 OCSP 与 CRL 使用 http，其内容自带签名。",
                    hint_en="The C2PA profile wants OCSP and CRL over plain http; what is fetched there is signed.",
                    field=field,
                )
