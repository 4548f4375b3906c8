"""Whether a certificate is revoked: an OCSP answer or a list proves it, or nothing does.

What is offered and broken is never passed over in silence: an answer that cannot be relied on makes the outcome
*unknown*, even beside a good list.  Only what is of another authority does not count at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from safebelt.kernel.reasons import Reason
from safebelt.rooms.certificates.pki import reading
from safebelt.rooms.certificates.pki.profile import SIGNATURES
from safebelt.rooms.certificates.pki.reading import extension
from safebelt.rooms.certificates.pki.seen import Seen, authority_of
from safebelt.rooms.certificates.pki.verdicts import no, open_, yes

MAX_CRL_BYTES = 32 * 1024 * 1024  # about a million revoked certificates
MAX_CRLS = 16
SKEW = timedelta(minutes=5)  # how far an honest signer's clock may run ahead of ours
_LIST_EXTENSIONS = frozenset({ExtensionOID.AUTHORITY_KEY_IDENTIFIER, ExtensionOID.CRL_NUMBER})
# Lists that speak of some certificates only; a certificate such a list does not name may still be revoked.
_PARTIAL = frozenset({ExtensionOID.DELTA_CRL_INDICATOR, ExtensionOID.ISSUING_DISTRIBUTION_POINT})
_TRUE = b"\x01\x01\xff"  # DER of *critical*


class Word(StrEnum):
    """What one piece of evidence says."""

    GOOD = "good"
    REVOKED = "revoked"
    HELD = "held"
    WORTHLESS = "worthless"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A piece of evidence, weighed.

    Attributes:
        word: What it says.
        reason: Why, in words.
        number: Of a list that its authority has signed: its number, else -1.
        at: Of a list or an answer that is to be remembered: when it was signed.
    """

    word: Word
    reason: Reason
    number: int = -1
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationSource:
    """What was handed over, or fetched, to prove that nothing is revoked.

    Attributes:
        ocsp: Answer about the leaf, DER; `None`: none came.
        crls: Lists, DER, of any authority of the chain, in any order.
        nonce: What the answer must repeat, if it was asked for with one.
        seen: What the checker has seen before of these authorities; what is older is a replay.
    """

    ocsp: bytes | None = None
    crls: tuple[bytes, ...] = ()
    nonce: bytes | None = None
    seen: Seen = field(default_factory=Seen)


def worthless(zh: str, en: str, *cites: str) -> Evidence:
    """Return evidence that was offered and cannot be relied on."""
    return Evidence(word=Word.WORTHLESS, reason=open_(zh, en, *cites))


def judge(evidence: Sequence[Evidence]) -> Reason:
    """Decide what all the evidence about one certificate comes to."""
    counted = [one for one in _newest(evidence) if one.word is not Word.FOREIGN]
    for words in ((Word.REVOKED, Word.HELD), (Word.WORTHLESS,), (Word.GOOD,)):
        for one in counted:
            if one.word in words:
                return one.reason
    return open_("没有可用的吊销证明", "Nothing proves that it is not revoked", "RFC 5280, 6.3")


def _newest(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Leave out lists that a newer list of the same authority replaces; a revocation is never replaced.

    Lists whose numbers and times disagree about which is newer are worth nothing.
    """
    lists = sorted((one for one in evidence if one.number >= 0), key=lambda one: one.number)
    rest = [one for one in evidence if one.number < 0]
    if not lists:
        return rest
    times = [one.at for one in lists if one.at is not None]
    if times != sorted(times) or len({one.number for one in lists}) < len({(one.number, one.at) for one in lists}):
        rest.append(
            worthless("吊销列表的编号与时间次序矛盾", "Numbers and times of the lists disagree", "RFC 5280, 5.2.3")
        )
    return [*rest, *(one for one in lists if one.word is Word.REVOKED), lists[-1]]


def open_list(data: bytes) -> x509.CertificateRevocationList | None:
    """Read a list, DER; `None` if it is none."""
    if len(data) > MAX_CRL_BYTES:
        return None
    try:
        found = x509.load_der_x509_crl(data)
        list(found.extensions)
    except reading.UNREADABLE:
        return None
    return found if reading.is_signature_whole(data, found.signature) else None


def of_list(
    found: x509.CertificateRevocationList | None,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    *,
    on: datetime,
    max_age: timedelta | None,
    seen: Seen | None = None,
) -> Evidence:
    """Weigh a list.

    Args:
        found: The list, from `open_list`.
        certificate: The certificate in question.
        issuer: Who issued it, its own certificate already proven.
        on: Now.
        max_age: How old the list may be; `None`: as old as its own *next update* allows.
        seen: What was seen before.
    """
    if found is None:
        return worthless("吊销列表无法解读", "A revocation list cannot be read", "RFC 5280, 5.1")
    try:
        if found.issuer != issuer.subject or not _is_of(found, issuer):
            return Evidence(word=Word.FOREIGN, reason=open_("该列表属于另一机构", "The list is another authority's"))
        broken = _broken(found, issuer)
        return broken or _said(found, certificate, (on, max_age), seen or Seen(), authority_of(issuer))
    except reading.UNREADABLE:
        return worthless("吊销列表无法解读", "A revocation list cannot be read", "RFC 5280, 5.1")


def seen_lists(evidence: Sequence[Evidence], issuer: x509.Certificate) -> Seen:
    """Return what is to be remembered of an authority's lists: those it has signed, stale or not."""
    told = [(one.number, one.at) for one in evidence if one.number >= 0 and one.at is not None]
    return Seen(lists={authority_of(issuer): max(told)}) if told else Seen()


def _is_of(found: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    """Tell apart authorities of one name by their keys."""
    own = extension(issuer, x509.SubjectKeyIdentifier)
    try:
        named = found.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except x509.ExtensionNotFound:
        return True
    return own is None or named is None or named == own.value.digest


def _broken(found: x509.CertificateRevocationList, issuer: x509.Certificate) -> Evidence | None:
    """Return why a list cannot be relied on at any time, or `None`."""
    usage = extension(issuer, x509.KeyUsage)
    if usage is None or not usage.value.crl_sign:
        return worthless("签发机构的密钥不得签发吊销列表", "Its issuer's key may not sign lists", "RFC 5280, 4.2.1.3")
    if any((one.critical and one.oid not in _LIST_EXTENSIONS) or one.oid in _PARTIAL for one in found.extensions):
        return worthless(
            "吊销列表含有未知的关键扩展，或并不完整",
            "The list is partial, or a critical extension of it is unknown",
            "RFC 5280, 5.2",
        )
    is_listed = found.signature_algorithm_oid in SIGNATURES and reading.is_strong(issuer)
    if not (is_listed and found.is_signature_valid(issuer.public_key())):  # type: ignore[arg-type]
        return worthless("吊销列表的签名不成立", "The signature of the list does not hold", "RFC 5280, 6.3.3")
    if _TRUE in found.tbs_certlist_bytes and any(one.critical for line in found for one in line.extensions):
        return worthless("吊销条目含有未知的关键扩展", "A critical extension of a line is unknown", "RFC 5280, 5.3")
    return None


def _said(
    found: x509.CertificateRevocationList,
    certificate: x509.Certificate,
    age: tuple[datetime, timedelta | None],
    seen: Seen,
    authority: str,
) -> Evidence:
    """Return what a sound list says about a certificate, now."""
    on, max_age = age
    number, at, until = _number(found), found.last_update_utc, found.next_update_utc
    if number is None or until is None:
        return worthless("吊销列表没有编号或下次更新时间", "The list has no number or next update", "RFC 5280, 5.2.3")
    if at > on + SKEW:
        return worthless("吊销列表来自未来", "The list is from the future", "RFC 5280, 5.1.2.4")
    word, reason = _line_says(found, certificate, number)
    is_stale = until <= on or (max_age is not None and on - at > max_age)
    if word is not Word.REVOKED and is_stale:  # a revocation stays true, however old the list is
        word = Word.WORTHLESS
        reason = open_(f"吊销列表（编号 {number}）已过时", f"The list (number {number}) is stale", "RFC 5280, 6.3.3")
    elif word is not Word.REVOKED and (replayed := seen.list_contradicts(authority, number, at)):
        word, reason = Word.WORTHLESS, open_(replayed.zh, replayed.en, "RFC 5280, 5.2.3")
    return Evidence(word=word, reason=reason, number=number, at=at)


def _line_says(
    found: x509.CertificateRevocationList, certificate: x509.Certificate, number: int
) -> tuple[Word, Reason]:
    line = found.get_revoked_certificate_by_serial_number(certificate.serial_number)
    if line is None:
        good = yes(
            f"签发机构的吊销列表（编号 {number}）未列出该证书",
            f"The authority's list (number {number}) does not name the certificate",
            "RFC 5280, 6.3.3",
        )
        return Word.GOOD, good
    if _reason_of(line) is x509.ReasonFlags.certificate_hold:
        return Word.HELD, no("证书已被暂停", "The certificate is suspended", "RFC 5280, 5.3.1")
    told = f"{line.revocation_date_utc:%Y-%m-%d %H:%M:%S} UTC"
    return Word.REVOKED, no(f"证书已于 {told} 吊销", f"The certificate was revoked at {told}", "RFC 5280, 5.3")


def _number(found: x509.CertificateRevocationList) -> int | None:
    try:
        return found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        return None


def _reason_of(line: x509.RevokedCertificate) -> x509.ReasonFlags | None:
    try:
        return line.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return None
