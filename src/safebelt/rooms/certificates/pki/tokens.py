"""Time-stamps from a reader's side (RFC 3161, RFC 5652): held against the data, believed only with a whole proof."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256, sha384, sha512
from hmac import compare_digest
from typing import Any, ClassVar

from asn1crypto import cms, core, tsp  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from safebelt.kernel.errors import Problem, Refused
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.pki import reading
from safebelt.rooms.certificates.pki.path import Examined, Purpose, RevocationSource, examine
from safebelt.rooms.certificates.pki.revocation import SKEW
from safebelt.rooms.certificates.pki.verdicts import Axis, Outcome

MAX_TOKEN_BYTES = 65_536  # ours have five kilobytes, certificates included
DIGESTS = {"sha256": sha256, "sha384": sha384, "sha512": sha512}
_HASHES = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
LIST_AGE = timedelta(days=35)  # the stamping CA is offline like the root, and signs a list a month
# What asn1crypto raises on foreign bytes, sooner or later: it reads lazily.
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError)


class Reply(core.Sequence):  # type: ignore[misc]
    """TimeStampResp; a refusal has no token (RFC 3161, 2.4.2), which `asn1crypto`'s own cannot say."""

    _fields: ClassVar[list[Any]] = [
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", cms.ContentInfo, {"optional": True}),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What a time-stamp proves.

    Attributes:
        at: The data existed at this moment.
        serial: Number of the stamp under its stamper.
        policy: What it was issued under, dotted.
        nonce: What was repeated from the query, if anything.
        certificate: Who stamped.
        revocation: Whether that certificate is known not to be revoked: ok or unknown, never bad.
    """

    at: datetime
    serial: int
    policy: str
    nonce: int | None
    certificate: x509.Certificate
    revocation: Axis


def check_stamp(
    reply_or_token: bytes,
    roots: Sequence[x509.Certificate],
    *,
    on: datetime,
    content: bytes | None = None,
    digest: bytes | None = None,
    nonce: int | None = None,
    others: Sequence[x509.Certificate] = (),
    revocation: RevocationSource | None = None,
) -> Stamp:
    """Hold a time-stamp against the data it is said to be of.

    Args:
        reply_or_token: A reply, or the token out of it, DER.
        roots: The roots trusted for time-stamps.
        on: Now.
        content: The data itself, or
        digest: its digest, of the kind the stamp has.
        nonce: What it must repeat, if it was asked for with one.
        others: Certificates that are not in the token.
        revocation: What proves that the stamper is not revoked; without it, `Stamp.revocation` is *unknown*.

    Returns:
        What it proves.

    Raises:
        Refused: It is none, was refused, is of other data, was changed, or its signer does not lead to a root,
            then and now in its time, for time-stamps only, not revoked.
        ValueError: Not exactly one of content and digest was given.
    """
    if (content is None) == (digest is None):
        raise ValueError("give the content or its digest")
    if len(reply_or_token) > MAX_TOKEN_BYTES:
        raise _refused("过长", "It is too long")
    try:
        token = _read(reply_or_token)
    except (*UNREADABLE, *reading.UNREADABLE) as error:
        raise _refused("格式有误，或请求已被拒绝", "It is malformed, or the request was refused") from error
    _hold_imprint(token, content, digest, nonce)
    _hold_signature(token)
    axis = _hold_signer(token, [*token.others, *others], roots, on, revocation or RevocationSource())
    return Stamp(
        at=token.at,
        serial=token.serial,
        policy=token.policy,
        nonce=token.nonce,
        certificate=token.signer,
        revocation=axis,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    """A token taken apart: what is attested, and what stands under it."""

    info: bytes
    imprint: bytes
    imprint_hash: str
    at: datetime
    serial: int
    policy: str
    nonce: int | None
    signer: x509.Certificate
    others: tuple[x509.Certificate, ...]
    signed: bytes
    digest_hash: str
    content_type: str
    message_digest: bytes
    named: bytes
    named_hash: str
    signature: bytes


def _read(data: bytes) -> _Token:
    """Take a token apart, all of it now.

    Raises:
        ValueError: And others of `UNREADABLE`: it is malformed, or not of the one shape RFC 3161 has.
    """
    signed = _signed_data(data)
    info_der = bytes(signed["encap_content_info"]["content"])
    info = tsp.TSTInfo.load(info_der, strict=True)
    (signer_info,) = signed["signer_infos"]
    certificates = _certificates(signed)
    attributes = _attributes(signer_info)
    named = attributes["signing_certificate_v2"]["certs"][0]
    if info["version"].native != "v1" or any(one["critical"].native for one in info["extensions"] or ()):
        raise ValueError("another version, or a critical extension")
    return _Token(
        info=info_der,
        imprint=info["message_imprint"]["hashed_message"].native,
        imprint_hash=info["message_imprint"]["hash_algorithm"]["algorithm"].native,
        at=info["gen_time"].native,
        serial=info["serial_number"].native,
        policy=info["policy"].dotted,
        nonce=info["nonce"].native,
        signer=_signer(signer_info["sid"], certificates),
        others=tuple(certificates),
        signed=b"\x31" + signer_info["signed_attrs"].dump()[1:],  # signed as a SET OF (RFC 5652, 5.4)
        digest_hash=signer_info["digest_algorithm"]["algorithm"].native,
        content_type=attributes["content_type"].native,
        message_digest=attributes["message_digest"].native,
        named=named["cert_hash"].native,
        named_hash=named["hash_algorithm"]["algorithm"].native,
        signature=signer_info["signature"].native,
    )


def _signed_data(data: bytes) -> cms.SignedData:
    """Return the signed data of a reply that was granted, or of a bare token."""
    first = core.Sequence.load(data, strict=True)[0]
    if isinstance(first, core.ObjectIdentifier):
        content = cms.ContentInfo.load(data, strict=True)
    else:
        reply = Reply.load(data, strict=True)
        if reply["status"]["status"].native not in ("granted", "granted_with_mods"):
            raise ValueError("not granted")
        content = reply["time_stamp_token"]
    if content["content_type"].native != "signed_data":
        raise ValueError("no signed data")
    signed = content["content"]
    if signed["encap_content_info"]["content_type"].native != "tst_info":
        raise ValueError("no time-stamp")
    return signed


def _certificates(signed: cms.SignedData) -> list[x509.Certificate]:
    found = [one.chosen.dump() for one in signed["certificates"] or ()]
    if len(found) > reading.MAX_CERTIFICATES:
        raise ValueError("too many certificates")
    try:
        return [reading.read_certificate(der) for der in found]
    except Problem as error:
        raise ValueError("a certificate is malformed") from error


def _attributes(signer_info: cms.SignerInfo) -> dict[str, Any]:
    """Return the signed attributes, each once and with one value."""
    found = dict[str, Any]()
    for attribute in signer_info["signed_attrs"]:
        kind = attribute["type"].native
        if kind in found:
            raise ValueError("an attribute stands there twice")
        found[kind] = attribute["values"][0]
        if len(attribute["values"]) != 1:
            raise ValueError("an attribute has several values")
    return found


def _signer(sid: cms.SignerIdentifier, certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    """Return the certificate a token says it was signed with."""
    for one in certificates:
        if sid.name == "issuer_and_serial_number":
            is_meant = sid.chosen["serial_number"].native == one.serial_number
            is_meant = is_meant and sid.chosen["issuer"].dump() == one.issuer.public_bytes()
        else:
            own = reading.extension(one, x509.SubjectKeyIdentifier)
            is_meant = own is not None and own.value.digest == sid.chosen.native
        if is_meant:
            return one
    raise ValueError("the signer's certificate is not there")


def _hold_imprint(token: _Token, content: bytes | None, digest: bytes | None, nonce: int | None) -> None:
    make = DIGESTS.get(token.imprint_hash)
    if make is None:
        raise _refused("摘要算法不是 SHA-256、384 或 512", "Its digest is not SHA-256, 384 or 512")
    expected = make(content).digest() if content is not None else digest or b""
    if not compare_digest(expected, token.imprint):
        raise _refused("它属于其他数据", "It is of other data")
    if nonce is not None and token.nonce != nonce:
        raise _refused("它没有重复所问的随机数", "It does not repeat the nonce")


def _hold_signature(token: _Token) -> None:
    """Hold that the signer signed exactly this, and meant this certificate (RFC 5652, 5.4; RFC 5816)."""
    make, named = DIGESTS.get(token.digest_hash), DIGESTS.get(token.named_hash)
    is_whole = (
        make is not None
        and named is not None
        and token.content_type == "tst_info"
        and compare_digest(make(token.info).digest(), token.message_digest)
        and compare_digest(named(token.signer.public_bytes(Encoding.DER)).digest(), token.named)
    )
    if not (is_whole and _is_signed(token)):
        raise _refused("签名不成立", "The signature does not hold")


def _is_signed(token: _Token) -> bool:
    key, algorithm = token.signer.public_key(), _HASHES[token.digest_hash]
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(token.signature, token.signed, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(token.signature, token.signed, ec.ECDSA(algorithm))
        else:
            return False
    except InvalidSignature:
        return False
    return reading.is_strong(token.signer)


def _hold_signer(
    token: _Token,
    others: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    on: datetime,
    revocation: RevocationSource,
) -> Axis:
    """Hold that the signer led to a root when it stamped, and still does: an expired key could lie about when."""
    if token.at > on + SKEW:
        raise _refused("它来自未来", "It is from the future")

    def at(moment: datetime) -> Examined:
        return examine(
            token.signer,
            others,
            roots,
            on=moment,
            purpose=Purpose.TIME_STAMPING,
            revocation=revocation,
            max_age=LIST_AGE,
        )

    then, now = at(token.at), at(on)
    for axis in (then.chain, then.validity, then.purpose, now.validity):
        if axis.state is not Outcome.OK:
            raise _refused("签名者未被信任", "Its signer is not trusted", axis.reason)
    if now.revocation.state is Outcome.BAD:
        raise _refused("签名者已被吊销", "Its signer is revoked", now.revocation.reason)
    return now.revocation


def _refused(zh: str, en: str, reason: Reason | None = None) -> Refused:
    return Refused(
        what=Text(zh=f"该时间戳不能采信：{zh}。", en=f"This time-stamp cannot be relied on. {en}."),
        hint=Text(
            zh="请核对数据是否原样、时间戳服务的根证书是否正确，或重新申请时间戳。",
            en="Check that the data is as it was and the root is the time-stamper's, or ask for another.",
        ),
        details={"why": reason.as_text("en")} if reason else {},
    )
