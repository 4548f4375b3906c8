"""Is this certificate good, here, now, for this?  Four answers, each with why, and never *ok* without a whole proof.

chain       it leads to a root we trust
validity    every certificate on the way is in its time
purpose     it may be used for what is asked
revocation  for each of them somebody entitled to say so says, freshly, that it is not revoked
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from safebelt.kernel.errors import Problem
from safebelt.kernel.reasons import Reason
from safebelt.rooms.certificates.pki import answers, chains, leaves, names, reading, revocation
from safebelt.rooms.certificates.pki.reading import extension
from safebelt.rooms.certificates.pki.revocation import Evidence, RevocationSource, Word
from safebelt.rooms.certificates.pki.seen import Seen
from safebelt.rooms.certificates.pki.verdicts import Axis, Outcome, no, open_, together, yes

__all__ = ["Axis", "Examined", "Outcome", "Purpose", "RevocationSource", "examine"]


class Purpose(StrEnum):
    """What a certificate is to be used for."""

    CLAIM_SIGNING = "claim-signing"
    IDENTITY = "identity"
    TIME_STAMPING = "time-stamping"


_WANTED = {
    Purpose.CLAIM_SIGNING: {names.CLAIM_SIGNING},
    Purpose.IDENTITY: {names.CLAIM_SIGNING, names.DOCUMENT_SIGNING},  # either
    Purpose.TIME_STAMPING: {names.TIME_STAMPING},
}
_NEVER_BESIDE = {names.OCSP_SIGNING, names.TIME_STAMPING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """The outcome of an examination.

    Attributes:
        chain: Whether it leads to a trusted root.
        validity: Whether everything on the way is in its time.
        purpose: Whether it may be used for what was asked.
        revocation: Whether nothing on the way is revoked.
        path: The certificates of the chain, leaf first; the leaf alone where there is no chain.
        seen: What was seen now of these authorities' lists and answers, to be remembered for the next time.
    """

    chain: Axis
    validity: Axis
    purpose: Axis
    revocation: Axis
    path: tuple[x509.Certificate, ...]
    seen: Seen = field(default_factory=Seen)

    @property
    def is_ok(self) -> bool:
        """Whether every axis is ok."""
        return all(axis.state is Outcome.OK for axis in (self.chain, self.validity, self.purpose, self.revocation))


def examine(
    leaf: x509.Certificate,
    others: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    *,
    on: datetime,
    purpose: Purpose,
    revocation: RevocationSource,
    max_age: timedelta,
    authority_max_age: timedelta | None = None,
) -> Examined:
    """Examine a certificate.

    Args:
        leaf: The certificate in question.
        others: What came along with it; nothing in it is trusted.
        roots: The roots we trust.
        on: The moment it is to be good at.
        purpose: What it is to be used for.
        revocation: What proves that it, and the authorities above it, are not revoked.
        max_age: How old the proof for the leaf may be.
        authority_max_age: How old the root's list may be; `None`: as old as its *next update* allows, since an
            offline root signs seldom.

    Returns:
        Four verdicts.  Nothing in the input makes it raise; what cannot be read is never *ok*.
    """
    chain = chains.find(leaf, others, roots)
    reason, seen = _revocation(chain, revocation, on, (max_age, authority_max_age))
    return Examined(
        chain=Axis.of(chain.reason),
        validity=Axis.of(_whole(chain, _validity(chain.path, on))),
        purpose=Axis.of(_whole(chain, _purpose(chain.path, purpose))),
        revocation=Axis.of(reason),
        path=chain.path,
        seen=seen,
    )


def _whole(chain: chains.Chain, reason: Reason) -> Reason:
    """What holds for the leaf alone is not known to hold while the authorities above it are not known."""
    if chain.is_whole or reason.holds != "true":
        return reason
    unknown = open_("其上的签发机构未得到证实", "The authorities above it are not proven")
    return together(reason.says.zh, reason.says.en, [*reason.because, unknown])


def _validity(path: tuple[x509.Certificate, ...], on: datetime) -> Reason:
    return together(
        "证书链上的每张证书都在有效期内",
        "Every certificate of the chain is in its time",
        [_in_time(one, on) for one in path],
        "RFC 5280, 6.1.3",
    )


def _in_time(certificate: x509.Certificate, on: datetime) -> Reason:
    said = _said(certificate)
    try:
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except reading.UNREADABLE:
        return no(f"{said}：有效期无法解读", f"{said}: its time cannot be read", "RFC 5280, 4.1.2.5")
    if on < start:
        return no(f"{said}：自 {start:%Y-%m-%d %H:%M} 起才有效", f"{said}: not valid before {start:%Y-%m-%d %H:%M} UTC")
    if on > end:
        return no(f"{said}：已于 {end:%Y-%m-%d %H:%M} 过期", f"{said}: expired at {end:%Y-%m-%d %H:%M} UTC")
    return yes(f"{said}：有效期至 {end:%Y-%m-%d %H:%M}", f"{said}: valid until {end:%Y-%m-%d %H:%M} UTC")


def _purpose(path: tuple[x509.Certificate, ...], purpose: Purpose) -> Reason:
    try:
        because = [_leaf_may(path[0], purpose), *(_authority_may(one, purpose) for one in path[1:-1])]
    except reading.UNREADABLE:
        because = [no("证书的扩展无法解读", "The certificate's extensions cannot be read")]
    return together(
        f"证书可用于 {purpose.value}", f"The certificate may be used for {purpose.value}", because, "RFC 5280, 4.2.1.12"
    )


def _leaf_may(leaf: x509.Certificate, purpose: Purpose) -> Reason:
    """Judge key usage, constraints and extended key usage of the leaf; *any purpose* is no purpose here."""
    usage, constraints = extension(leaf, x509.KeyUsage), extension(leaf, x509.BasicConstraints)
    if usage is None or not usage.value.digital_signature:
        return no("其密钥不得用于签名", "Its key may not sign", "RFC 5280, 4.2.1.3")
    if constraints is not None and constraints.value.ca:
        return no("这是签发机构的证书，不是终端证书", "It is an authority's, not an end entity's", "RFC 5280, 4.2.1.9")
    found = extension(leaf, x509.ExtendedKeyUsage)
    purposes = set(found.value) if found else set()
    if not purposes & _WANTED[purpose] or purposes & (_NEVER_BESIDE - _WANTED[purpose]):
        return no("扩展密钥用途不符", "Its extended key usage does not allow it", "RFC 5280, 4.2.1.12")
    if purpose is Purpose.TIME_STAMPING and not (found and found.critical and len(purposes) == 1):
        return no("时间戳用途须为唯一且关键", "Time-stamping must be its one, critical use", "RFC 3161, 2.3")
    if purpose is Purpose.CLAIM_SIGNING and not _has_policy(leaf):
        return no("缺少 C2PA 证书策略", "It lacks the C2PA policy", "C2PA certificate profile v0.2")
    return _claims(leaf) if purpose is Purpose.IDENTITY else yes("终端证书的用途相符", "The end entity's uses allow it")


def _claims(leaf: x509.Certificate) -> Reason:
    try:
        claims = leaves.claims_of(leaf)
    except Problem:
        return no("登记信息扩展无法解读", "The register's words in it cannot be read")
    if claims is None:
        return no("证书不含登记信息", "It says nothing of the register")
    return yes(f"证书指明登记条目 {claims.system_id}", f"It names the register's entry {claims.system_id}")


def _authority_may(authority: x509.Certificate, purpose: Purpose) -> Reason:
    """Judge whether an authority between leaf and root may vouch for this use (C2PA profile, extended key usage)."""
    found, said = extension(authority, x509.ExtendedKeyUsage), _said(authority)
    if found is None or not set(found.value) & _WANTED[purpose]:
        return no(f"{said}：不得为此用途签发", f"{said}: may not vouch for this use", "C2PA certificate profile v0.2")
    if purpose is Purpose.CLAIM_SIGNING and not _has_policy(authority):
        return no(f"{said}：缺少 C2PA 证书策略", f"{said}: lacks the C2PA policy", "C2PA certificate profile v0.2")
    return yes(f"{said}：可为此用途签发", f"{said}: may vouch for this use")


def _has_policy(certificate: x509.Certificate) -> bool:
    found = extension(certificate, x509.CertificatePolicies)
    return found is not None and any(one.policy_identifier == names.C2PA_POLICY for one in found.value)


def _revocation(
    chain: chains.Chain, source: RevocationSource, on: datetime, ages: tuple[timedelta, timedelta | None]
) -> tuple[Reason, Seen]:
    if not chain.is_whole:
        return open_("没有证书链，无从查询吊销", "Without a chain nobody is entitled to say", "RFC 5280, 6.3"), Seen()
    if len(source.crls) > revocation.MAX_CRLS:
        return open_("吊销列表过多，未予检验", "Too many revocation lists; not examined"), Seen()
    lists = [revocation.open_list(data) for data in source.crls]
    because, seen = list[Reason](), Seen()
    for rank, (certificate, issuer) in enumerate(pairwise(chain.path)):
        age = ages[0] if rank == 0 else ages[1]
        found = [revocation.of_list(one, certificate, issuer, on=on, max_age=age, seen=source.seen) for one in lists]
        seen = seen.joined(revocation.seen_lists(found, issuer))
        if rank == 0 and source.ocsp is not None:
            found.append(_answer(source, certificate, issuer, lists, on=on, max_age=ages[0]))
            if source.nonce is None:  # with one, no other answer would do, and there is nothing to remember
                seen = seen.joined(answers.seen_answer(found[-1], certificate, issuer))
        judged = revocation.judge(found)
        said = _said(certificate)
        because.append(together(f"{said}：未被吊销", f"{said}: not revoked", [judged]))
    reason = together("证书链上没有证书被吊销", "No certificate of the chain is revoked", because, "RFC 5280, 6.3")
    return reason, seen


def _answer(
    source: RevocationSource,
    leaf: x509.Certificate,
    issuer: x509.Certificate,
    lists: Sequence[x509.CertificateRevocationList | None],
    *,
    on: datetime,
    max_age: timedelta,
) -> Evidence:
    """Weigh the answer about the leaf, beside the lists that came along."""

    def is_revoked(responder: x509.Certificate) -> bool:
        said = (revocation.of_list(one, responder, issuer, on=on, max_age=None) for one in lists)
        return any(one.word in (Word.REVOKED, Word.HELD) for one in said)

    return answers.of_answer(
        source.ocsp or b"",
        leaf,
        issuer,
        on=on,
        max_age=max_age,
        nonce=source.nonce,
        seen=source.seen,
        is_revoked=is_revoked,
    )


def _said(certificate: x509.Certificate) -> str:
    return f"“{reading.said(certificate)}”"
