"""Words of a certificate: what it says, how it stands, and the events of its life."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.lifecycle import Issuer

_UNESCAPED_COMMA = re.compile(r"(?<!\\),")
_ESCAPED = re.compile(r"\\([,+\"\\<>;=# ])")


class Standing(StrEnum):
    """What the issuer says of a certificate.  That its time is over is read from the certificate itself."""

    GOOD = "good"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


STANDINGS: Mapping[Standing, Text] = {
    Standing.GOOD: Text(zh="有效", en="not revoked"),
    Standing.SUSPENDED: Text(zh="暂停", en="suspended"),
    Standing.REVOKED: Text(zh="已吊销", en="revoked"),
}


class Why(StrEnum):
    """Why a certificate was revoked: the reasons of RFC 5280 section 5.3.1 that an end entity can have."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "key-compromise"
    AFFILIATION_CHANGED = "affiliation-changed"
    SUPERSEDED = "superseded"
    CESSATION = "cessation-of-operation"
    PRIVILEGE_WITHDRAWN = "privilege-withdrawn"


WHYS: Mapping[Why, Text] = {
    Why.UNSPECIFIED: Text(zh="未说明", en="not said"),
    Why.KEY_COMPROMISE: Text(zh="密钥泄露", en="the key is no longer secret"),
    Why.AFFILIATION_CHANGED: Text(zh="责任主体变更", en="another party answers for the system now"),
    Why.SUPERSEDED: Text(zh="已被新证书取代", en="another certificate took its place"),
    Why.CESSATION: Text(zh="停止运行", en="the system runs no more"),
    Why.PRIVILEGE_WITHDRAWN: Text(zh="资格被撤销", en="it may no longer carry one"),
}


def names_in(subject: str) -> str:
    """Return the common name and the organization of a subject that is written as RFC 4514 says."""
    parts = dict(part.split("=", 1) for part in _UNESCAPED_COMMA.split(subject) if "=" in part)
    return " · ".join(_ESCAPED.sub(r"\1", parts[name]) for name in ("CN", "O") if name in parts) or subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate that was issued here.

    Attributes:
        serial: Its serial number, lower-case hexadecimal without leading zeros.
        system_id: The system it speaks for.
        version_id: The version of that system; empty where the request named none.
        subject: Whom it names, as RFC 4514 writes it.
        der: Its bytes (X.509, DER).
        fingerprint: SHA-256 of them, hexadecimal.
        issuer: Who stands behind the issuing authority.
        provisional: The system is in service on evidence that is only claimed.
        not_before, not_after: From when and until when it counts.
        standing: What the issuer says of it now.
        why: Why it was revoked; empty unless it was.
        reason: Why, in words, by whoever suspended or revoked it; empty while it stands.
        issued_at, changed_at: When it was issued, and when its standing last changed.
        entry_id: The ledger entry that remembers its issue.
        last_entry_id: The entry that remembers the last change of its standing.
    """

    serial: str
    system_id: str
    version_id: str
    subject: str
    der: bytes
    fingerprint: str
    issuer: Issuer
    provisional: bool
    not_before: datetime
    not_after: datetime
    standing: Standing
    why: Why | None
    reason: str
    issued_at: datetime
    changed_at: datetime
    entry_id: str
    last_entry_id: str

    @property
    def names(self) -> str:
        """Whom it names, for people: the system, then whose it is."""
        return names_in(self.subject)

    def is_over(self, now: datetime) -> bool:
        """Whether its time is over."""
        return now > self.not_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """Issue a certificate for a system.

    Attributes:
        system_id: Which system.
        request: A PKCS#10 request (PEM or DER): the public key, and the proof that whoever asks holds the private one.
        version_id: Which version of it; empty leaves that open.
        days: How long it counts.
    """

    system_id: str
    request: bytes
    version_id: str = ""
    days: int = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which certificates are wanted; what is empty does not count.

    Attributes:
        system_id: Of one system.
        standing: How they stand.
        words: Part of the serial number, the fingerprint or the subject.
        before: Only those issued before this serial number's: the next page.
    """

    system_id: str = ""
    standing: Standing | None = None
    words: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of certificates, latest first.

    Attributes:
        items: The certificates.
        total: How many there are in all.
        before: What asks for the next page; empty on the last.
    """

    items: tuple[Certificate, ...]
    total: int
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateIssued(Event):
    """A certificate was issued; its subject is `crt_<serial>`."""

    kind: ClassVar[str] = "certificates.issued.v1"
    title: ClassVar[Text] = Text(zh="签发了证书", en="Certificate issued")
    system_id: str
    version_id: str
    serial: str
    fingerprint: str
    issuer: Issuer
    provisional: bool
    not_before: str
    not_after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateSuspended(Event):
    """A certificate does not count until it is resumed or revoked."""

    kind: ClassVar[str] = "certificates.suspended.v1"
    title: ClassVar[Text] = Text(zh="暂停了证书", en="Certificate suspended")
    apart: ClassVar[frozenset[str]] = frozenset({"reason"})
    system_id: str
    serial: str
    fingerprint: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateResumed(Event):
    """A suspended certificate counts again."""

    kind: ClassVar[str] = "certificates.resumed.v1"
    title: ClassVar[Text] = Text(zh="恢复了证书", en="Certificate resumed")
    apart: ClassVar[frozenset[str]] = frozenset({"reason"})
    system_id: str
    serial: str
    fingerprint: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRevoked(Event):
    """A certificate never counts again."""

    kind: ClassVar[str] = "certificates.revoked.v1"
    title: ClassVar[Text] = Text(zh="吊销了证书", en="Certificate revoked")
    apart: ClassVar[frozenset[str]] = frozenset({"reason"})
    system_id: str
    serial: str
    fingerprint: str
    why: Why
    reason: str = ""
