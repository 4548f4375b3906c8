"""The certificate of a system version: at most 90 days, with what the register says about it inside.

The register's words travel in the extension `names.REGISTER_CLAIMS`, DER of

    RegisterClaims ::= SEQUENCE {
        version      INTEGER (1),
        systemId     UTF8String,
        versionId    UTF8String,
        partyId      UTF8String,
        issuerKind   UTF8String,   -- self, association, assessor, authority
        provisional  BOOLEAN,
        registerUrl  UTF8String }
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Literal
from uuid import UUID, uuid5

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import serialization

from safebelt.kernel.errors import Invalid
from safebelt.rooms.certificates.pki import drafts, names, profile, templates
from safebelt.rooms.certificates.pki.keys import Signatory, SigningKey, SystemKey, public_bytes, signature_oid
from safebelt.rooms.certificates.pki.names import Kind, Places, Subject

__all__ = ["Claims", "IssuerKind", "Level", "Order", "Subject", "claims_of", "issue", "issue_many", "serial_of"]

Level = Literal["al1", "al2"]
CLAIMS_VERSION = 1
MAX_CLAIMS_BYTES = 4096
_MAX_WORD, _MAX_URL = 128, 512  # characters
_KINDS = {"al1": Kind.LEAF_AL1, "al2": Kind.LEAF_AL2, None: Kind.IDENTITY}
_LEVELS = {"al1": names.ASSURANCE_LEVEL_1, "al2": names.ASSURANCE_LEVEL_2}
_BATCH = 64  # certificates a worker signs before it hands them back


class IssuerKind(StrEnum):
    """Who vouches for what a certificate says."""

    SELF = "self"
    ASSOCIATION = "association"
    ASSESSOR = "assessor"
    AUTHORITY = "authority"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What the register says about the system version a certificate names.

    Attributes:
        system_id: The system in the register.
        version_id: The version of it that runs.
        party_id: Who answers for it.
        issuer_kind: Who vouches for this.
        provisional: Whether the register has it only provisionally.
        register_url: Where to read on.
        version: Version of this form.
    """

    system_id: str
    version_id: str
    party_id: str
    issuer_kind: IssuerKind
    provisional: bool
    register_url: str
    version: int = CLAIMS_VERSION

    def __post_init__(self) -> None:
        """Hold the bounds.

        Raises:
            Invalid: A word is empty, too long or not printable, or the form is of another version.
        """
        words = (self.system_id, self.version_id, self.party_id)
        is_sound = all(1 <= len(word) <= _MAX_WORD and word.isprintable() for word in words)
        is_sound = is_sound and 1 <= len(self.register_url) <= _MAX_URL and self.register_url.isprintable()
        if not (is_sound and self.version == CLAIMS_VERSION):
            raise _no_claims()

    def as_der(self) -> bytes:
        """Return the value of the extension."""
        return asn1.encode_der(
            _RegisterClaims(
                version=self.version,
                system_id=self.system_id,
                version_id=self.version_id,
                party_id=self.party_id,
                issuer_kind=self.issuer_kind.value,
                provisional=self.provisional,
                register_url=self.register_url,
            )
        )

    @classmethod
    def from_der(cls, der: bytes) -> "Claims":
        """Read the value of the extension.

        Raises:
            Invalid: It is too long, malformed, or of a version not known here.
        """
        if len(der) > MAX_CLAIMS_BYTES:
            raise _no_claims()
        try:
            read = asn1.decode_der(_RegisterClaims, der)
            kind = IssuerKind(read.issuer_kind)
        except (ValueError, TypeError, OverflowError) as error:
            raise _no_claims() from error
        return cls(
            version=read.version,
            system_id=read.system_id,
            version_id=read.version_id,
            party_id=read.party_id,
            issuer_kind=kind,
            provisional=read.provisional,
            register_url=read.register_url,
        )


@asn1.sequence
class _RegisterClaims:
    version: int
    system_id: str
    version_id: str
    party_id: str
    issuer_kind: str
    provisional: bool
    register_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One certificate to be issued; the words are those of `issue`."""

    public_key: SystemKey
    claims: Claims
    subject: Subject
    serial: int
    days: int = 90
    level: Level | None = "al1"


def issue(
    issuing: Signatory,
    public_key: SystemKey,
    claims: Claims,
    *,
    subject: Subject,
    serial: int,
    on: datetime,
    places: Places,
    days: int = 90,
    level: Level | None = "al1",
) -> x509.Certificate:
    """Issue the certificate of a system version and hold it to its profile.

    Args:
        issuing: The CA that signs.
        public_key: The system's key, whose possession was proven (`requests.read_request`).
        claims: What the register says.
        subject: Who it is: the organization and the system.
        serial: Unique under this CA; see `serial_of`.
        on: Now.
        places: Where its status can be asked for.
        days: How long it lasts, 1 to 90; never longer than the CA.
        level: C2PA assurance level.  `None` says nothing about C2PA at all: such a certificate names a system but
            signs no C2PA claims, and no profile of the C2PA covers it.

    Raises:
        Conflict: The CA is not valid now, or the certificate would break its profile.
        Invalid: A bound is broken.
    """
    order = Order(public_key=public_key, claims=claims, subject=subject, serial=serial, days=days, level=level)
    (made,) = issue_many(issuing, [order], on=on, places=places)
    return made


def issue_many(
    issuing: Signatory,
    orders: Sequence[Order],
    *,
    on: datetime,
    places: Places,
    executor: Executor | None = None,
) -> list[x509.Certificate]:
    """Issue many certificates, in the order asked for; with a pool of processes on every core.

    Signing holds the interpreter's lock, so threads do not help.  A pool needs a key whose bytes can be read:
    with a token, give none.  The key goes to the pool's processes through their pipes and stays in their memory.

    Args:
        issuing: The CA that signs.
        orders: What to issue.
        on: Now.
        places: Where their status can be asked for.
        executor: A pool of processes, made and ended by the caller; `None`: this process alone.

    Raises:
        Conflict: As `issue`; none is returned then.
        Invalid: As `issue`.
    """
    rows = [(public_bytes(o.public_key), o.claims, o.subject, o.serial, o.days, o.level) for o in orders]
    if executor is None:
        return _made(issuing, on, places, rows)
    key = issuing.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    signer = key, issuing.certificate.public_bytes(serialization.Encoding.DER)
    running = [
        executor.submit(_issue_batch, *signer, on, places, rows[start : start + _BATCH])
        for start in range(0, len(rows), _BATCH)
    ]
    return [x509.load_der_x509_certificate(der) for batch in running for der in batch.result()]


def claims_of(certificate: x509.Certificate) -> Claims | None:
    """Return what the register says in a certificate; `None` where it says nothing.

    Raises:
        Invalid: The extension is there and malformed, or the certificate's extensions cannot be read.
    """
    try:
        extension = certificate.extensions.get_extension_for_oid(names.REGISTER_CLAIMS)
    except x509.ExtensionNotFound:
        return None
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise _no_claims() from error
    value = extension.value
    return Claims.from_der(value.value if isinstance(value, x509.UnrecognizedExtension) else b"")


def serial_of(random16: bytes) -> int:
    """Return a serial number of sixteen random bytes: positive, seventeen octets, all 128 bits of chance in it.

    Raises:
        ValueError: It is not sixteen bytes.
    """
    if len(random16) != 16:
        raise ValueError("a serial number is made of sixteen random bytes")
    return int.from_bytes(b"\x01" + random16)


def product_record(version_id: str) -> UUID:
    """Return the UUID that stands for a system version where the C2PA profile asks for a product's record.

    In a hierarchy of our own the register takes the place of the C2PA's list of conforming products.
    """
    return uuid5(names.PRODUCT_NAMESPACE, version_id)


@lru_cache(maxsize=16)
def _shared(
    issuing: x509.Certificate, algorithm: tuple[x509.ObjectIdentifier, bool], places: Places, level: Level | None
) -> templates.Template:
    """Return what all leaves of a CA and a level share."""
    uses: list[tuple[x509.ExtensionType, bool]] = [drafts.purposes(names.DOCUMENT_SIGNING)]
    if level is not None:
        mark = x509.UnrecognizedExtension(names.ASSURANCE_LEVEL, profile.level_der(_LEVELS[level]))
        uses = [drafts.purposes(names.CLAIM_SIGNING, names.EMAIL_PROTECTION), drafts.policy(), (mark, False)]
    return templates.template(
        issuing,
        algorithm,
        (
            drafts.usage("digital_signature", "content_commitment"),
            drafts.constraints(is_authority=False),
            drafts.asked_at(places),
            drafts.list_at(places.crl_url),
            *uses,
        ),
    )


_Row = tuple[bytes, Claims, Subject, int, int, Level | None]  # an `Order`, its key in DER


def _made(issuing: Signatory, on: datetime, places: Places, rows: Sequence[_Row]) -> list[x509.Certificate]:
    """Draft and seal.  What the rows have in common is looked up once: for each it would take as long as the rest."""
    algorithm, drafted = signature_oid(issuing.key), list[templates.Draft]()
    forms, times = dict[Level | None, templates.Template](), dict[int, bytes]()
    for spki, claims, subject, serial, days, level in rows:
        drafts.hold_bounds(serial, days, _KINDS[level])
        if level not in forms:
            forms[level] = _shared(issuing.certificate, algorithm, places, level)
        if days not in times:
            times[days] = templates.validity(issuing.certificate, on, days)
        drafted.append(
            templates.draft(
                forms[level],
                subject,
                spki,
                kind=_KINDS[level],
                serial=serial,
                times=times[days],
                extensions=_own(claims, level),
            )
        )
    return templates.seal(drafted, issuing.key)


def _own(claims: Claims, level: Level | None) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    """Return what only this leaf says: the register's words, and for the C2PA the record of the version."""
    said = (x509.UnrecognizedExtension(names.REGISTER_CLAIMS, claims.as_der()), False)
    if level is None:
        return (said,)
    record = profile.record_der(product_record(claims.version_id))
    return said, (x509.UnrecognizedExtension(names.PRODUCT_RECORD, record), False)


@lru_cache(maxsize=4)
def _signatory(key: bytes, certificate: bytes) -> Signatory:
    """Read the CA once in each process; checking an RSA key costs more than a signature."""
    private = serialization.load_der_private_key(key, None)
    if not isinstance(private, SigningKey):
        raise TypeError("not a signing key")
    return Signatory(certificate=x509.load_der_x509_certificate(certificate), key=private)


def _issue_batch(key: bytes, certificate: bytes, on: datetime, places: Places, rows: list[_Row]) -> list[bytes]:
    made = _made(_signatory(key, certificate), on, places, rows)
    return [one.public_bytes(serialization.Encoding.DER) for one in made]


def _no_claims() -> Invalid:
    return names.problem(
        "登记信息扩展无法使用。",
        "The register's words in this certificate cannot be used.",
        hint_zh="标识须为 1 到 128 个可见字符，网址不超过 512 个字符，版本为 1。",
        hint_en="Ids are 1 to 128 printable characters, the address at most 512, the version 1.",
        field="claims",
    )
