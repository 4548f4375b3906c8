"""The way from a certificate up to a root we trust (RFC 5280, section 6), built and checked link by link.

Stricter than the RFC where that costs an honest chain nothing: an authority must say so in critical basic constraints
and in its key usage.  Any critical extension not worked with here ends the way, and so does one that restricts what is
below it (name constraints, policy constraints, inhibit any-policy), critical or not: passing over a restriction lets
through what its author forbade.  NIST's PKITS has paths that only a restriction *not* marked critical makes invalid.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtensionOID

from safebelt.kernel.reasons import Reason
from safebelt.rooms.certificates.pki import reading
from safebelt.rooms.certificates.pki.reading import extension
from safebelt.rooms.certificates.pki.verdicts import no, open_, together, yes

MAX_LINKS = 6  # certificates from leaf to root; ours have three
MAX_TRIES = 40  # signatures checked at most, however many certificates are offered
MAX_ROOTS = 64
_WORKED_WITH = frozenset({ExtensionOID.KEY_USAGE, ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.EXTENDED_KEY_USAGE})
_RESTRICTING = frozenset(
    {ExtensionOID.NAME_CONSTRAINTS, ExtensionOID.POLICY_CONSTRAINTS, ExtensionOID.INHIBIT_ANY_POLICY}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What was found on the way up.

    Attributes:
        path: Leaf first, root last; only the leaf where no way was found.
        reason: Why the chain stands, or where it breaks.
    """

    path: tuple[x509.Certificate, ...]
    reason: Reason

    @property
    def is_whole(self) -> bool:
        """Whether it reaches a root we trust."""
        return self.reason.holds == "true"


@dataclass(slots=True)
class _Search:
    """A depth-first climb with a budget, that remembers where it got stuck."""

    others: Sequence[x509.Certificate]
    roots: Sequence[x509.Certificate]
    trusted: frozenset[bytes]
    tries: int = 0
    obstacles: list[Reason] = field(default_factory=list)

    def climb(self, path: tuple[x509.Certificate, ...]) -> tuple[x509.Certificate, ...] | None:
        """Return a whole path, or `None`."""
        if len(path) >= MAX_LINKS:
            self.obstacles.append(no("证书链过长", "The chain is too long", "RFC 5280, 6.1"))
            return None
        candidates = list(self._issuers(path))
        if not candidates:
            self.obstacles.append(_end(path[-1]))
        for issuer, is_root in candidates:
            if self.tries >= MAX_TRIES:
                self.obstacles.append(open_("候选证书过多，已停止", "Too many candidates; the search was ended"))
                return None
            self.tries += 1
            obstacle = _obstacle(path, issuer)
            if obstacle is not None:
                self.obstacles.append(obstacle)
            elif is_root:
                return (*path, issuer)
            elif (found := self.climb((*path, issuer))) is not None:
                return found
        return None

    def _issuers(self, path: tuple[x509.Certificate, ...]) -> Iterator[tuple[x509.Certificate, bool]]:
        """Yield who may have signed the last of the path: roots first, never one that is on the path already."""
        wanted, walked = path[-1].issuer, {fingerprint(one) for one in path}
        for root in self.roots:
            if root.subject == wanted and fingerprint(root) not in walked:
                yield root, True
        for other in self.others:
            mark = fingerprint(other)
            if other.subject == wanted and mark not in walked and mark not in self.trusted:
                yield other, False


def find(leaf: x509.Certificate, others: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]) -> Chain:
    """Find the way from a certificate to a trusted root.

    Args:
        leaf: Where it starts.
        others: Certificates that came along, in any order; nothing in them is trusted.
        roots: The trusted roots.

    Returns:
        A whole chain, or the leaf alone with what stood in the way: *bad* where a link is disproved, *unknown* where
        an issuer is missing or the search was ended.
    """
    alone = (leaf,)
    if len(others) > reading.MAX_CERTIFICATES or len(roots) > MAX_ROOTS:
        return Chain(
            path=alone, reason=open_("附带的证书过多，未予检验", "Too many certificates came along; not examined")
        )
    try:
        own = _own_obstacle(leaf)
        if own is not None:
            return Chain(path=alone, reason=together("证书链不成立", "The chain does not hold", [own]))
        search = _Search(others, roots, frozenset(fingerprint(root) for root in roots))
        path = search.climb(alone)
    except reading.UNREADABLE:
        return Chain(path=alone, reason=no("链中有无法解读的证书", "A certificate of the chain cannot be read"))
    if path is None:
        reason = together("没有通向受信任根的证书链", "No chain to a trusted root", search.obstacles)
        return Chain(path=alone, reason=reason)
    links = [
        yes(
            f"“{reading.said(a)}”由“{reading.said(b)}”签发",
            f"“{reading.said(a)}” was signed by “{reading.said(b)}”",
            "RFC 5280, 6.1.3",
        )
        for a, b in pairwise(path)
    ]
    return Chain(path=path, reason=together("证书链通向受信任的根", "The chain reaches a trusted root", links))


def fingerprint(certificate: x509.Certificate) -> bytes:
    """Return the SHA-256 of a certificate, 32 bytes."""
    return certificate.fingerprint(hashes.SHA256())


def not_in_profile(certificate: x509.Certificate) -> str | None:
    """Return the number of an extension that must not be passed over and is not worked with here, or `None`.

    That is a critical one (RFC 5280, section 4.2), or one that restricts what comes below.
    """
    for one in certificate.extensions:
        if (one.critical and one.oid not in _WORKED_WITH) or one.oid in _RESTRICTING:
            return str(one.oid.dotted_string)
    return None


def _own_obstacle(leaf: x509.Certificate) -> Reason | None:
    """Return what is wrong with a certificate by itself."""
    if leaf.version is not x509.Version.v3:
        return no("证书版本不是 v3", "The certificate is not of version 3", "RFC 5280, 4.1.2.1")
    strange = not_in_profile(leaf)
    if strange is not None:
        return no(
            f"扩展 {strange} 不在本检验的范围内，又不得忽略",
            f"The extension {strange} is not in our profile, and must not be passed over",
            "RFC 5280, 4.2",
        )
    if reading.is_self_issued(leaf):
        return no("证书由自己签发，不能证明自己", "The certificate is its own issuer, and proves nothing")
    return None


def _end(last: x509.Certificate) -> Reason:
    """Say why there is nothing above the last certificate: an untrusted root, or an issuer nobody gave us."""
    if reading.is_self_issued(last):
        return no(
            f"“{reading.said(last)}”不是受信任的根", f"“{reading.said(last)}” is not a root we trust", "RFC 5280, 6.1.1"
        )
    missing = last.issuer.rfc4514_string()[:200]
    return open_(
        f"缺少签发者“{missing}”的证书", f"The certificate of the issuer “{missing}” is missing", "RFC 5280, 6.1"
    )


def _obstacle(path: tuple[x509.Certificate, ...], issuer: x509.Certificate) -> Reason | None:
    """Return why an authority cannot have signed the last of the path, or `None`."""
    said = reading.said(issuer)
    for is_kept, zh, en, source in _RULES:
        if not is_kept(path, issuer):
            return no(f"“{said}”：{zh}", f"“{said}”: {en}", source)
    return None


def _is_plain(path: tuple[x509.Certificate, ...], issuer: x509.Certificate) -> bool:
    return issuer.version is x509.Version.v3 and not_in_profile(issuer) is None


def _is_authority(path: tuple[x509.Certificate, ...], issuer: x509.Certificate) -> bool:
    found = extension(issuer, x509.BasicConstraints)
    return found is not None and found.critical and found.value.ca


def _may_sign(path: tuple[x509.Certificate, ...], issuer: x509.Certificate) -> bool:
    found = extension(issuer, x509.KeyUsage)
    return found is not None and found.value.key_cert_sign


def _has_room(path: tuple[x509.Certificate, ...], issuer: x509.Certificate) -> bool:
    """Count the authorities between it and the leaf; those that only carry a new key of the same name do not count."""
    found = extension(issuer, x509.BasicConstraints)
    longest = found.value.path_length if found else 0
    between = sum(not reading.is_self_issued(one) for one in path[1:])
    return longest is None or between <= longest


def _is_named(path: tuple[x509.Certificate, ...], issuer: x509.Certificate) -> bool:
    named, own = extension(path[-1], x509.AuthorityKeyIdentifier), extension(issuer, x509.SubjectKeyIdentifier)
    if named is None or named.value.key_identifier is None or own is None:
        return True  # a hint for finding issuers (RFC 5280, 4.2.1.1); the signature decides
    return named.value.key_identifier == own.value.digest


def _has_signed(path: tuple[x509.Certificate, ...], issuer: x509.Certificate) -> bool:
    return reading.has_issued(issuer, path[-1])


_Rule = Callable[[tuple[x509.Certificate, ...], x509.Certificate], bool]
_RULES: tuple[tuple[_Rule, str, str, str], ...] = (
    (
        _is_plain,
        "其版本，或一项不得忽略的扩展，不在本检验的范围内",
        "its version, or an extension that must not be passed over, is not in our profile",
        "RFC 5280, 4.2",
    ),
    (_is_authority, "不是签发机构", "it is no authority", "RFC 5280, 4.2.1.9"),
    (_may_sign, "其密钥不得签发证书", "its key may not sign certificates", "RFC 5280, 4.2.1.3"),
    (_has_room, "其下的机构层数超出限制", "too many authorities below it", "RFC 5280, 4.2.1.9"),
    (_is_named, "密钥标识不符", "the key identifiers differ", "RFC 5280, 4.2.1.1"),
    (_has_signed, "签名不成立", "the signature does not hold", "RFC 5280, 6.1.3"),
)
