"""OCSP answers weighed (RFC 6960, section 3.2): who signed, for whom, when, and what it says."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import SignatureAlgorithmOID

from safebelt.rooms.certificates.pki import chains, names, reading
from safebelt.rooms.certificates.pki.ocsp import HASHES, cert_id_hashes
from safebelt.rooms.certificates.pki.reading import extension
from safebelt.rooms.certificates.pki.revocation import SKEW, Evidence, Word, worthless
from safebelt.rooms.certificates.pki.seen import Seen, authority_of
from safebelt.rooms.certificates.pki.verdicts import no, yes

MAX_BYTES = 65_536
_GOOD, _REVOKED = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED
_RSA = {
    SignatureAlgorithmOID.RSA_WITH_SHA256,
    SignatureAlgorithmOID.RSA_WITH_SHA384,
    SignatureAlgorithmOID.RSA_WITH_SHA512,
}
_ECDSA = {
    SignatureAlgorithmOID.ECDSA_WITH_SHA256,
    SignatureAlgorithmOID.ECDSA_WITH_SHA384,
    SignatureAlgorithmOID.ECDSA_WITH_SHA512,
}
_STRONG = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


def of_answer(
    data: bytes,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    *,
    on: datetime,
    max_age: timedelta,
    nonce: bytes | None = None,
    seen: Seen | None = None,
    is_revoked: Callable[[x509.Certificate], bool] = lambda _: False,
) -> Evidence:
    """Weigh an answer.

    Args:
        data: The answer, DER; anything at all.
        certificate: The certificate in question.
        issuer: Who issued it, its own certificate already proven.
        on: Now.
        max_age: How old the answer may be.
        nonce: What it must repeat, if asked for with one.
        seen: What was seen before; an answer with the nonce asked for cannot be a replay.
        is_revoked: Says of a responder's certificate whether a list of the issuer revokes it.  Readers need not ask
            (it has `id-pkix-ocsp-nocheck`), but what lies before us is not passed over.
    """
    if not data or len(data) > MAX_BYTES:
        return worthless("OCSP 应答为空或过长", "The OCSP answer is empty or too long", "RFC 6960, 4.2.1")
    try:
        answer = ocsp.load_der_ocsp_response(data)
        if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            status = answer.response_status.name.lower()
            return worthless(f"OCSP 应答未成功：{status}", f"The OCSP responder said {status}", "RFC 6960, 2.3")
        if not reading.is_signature_whole(data, answer.signature):
            return worthless("OCSP 应答的签名格式有误", "The answer's signature is malformed", "RFC 6960, 4.2.1")
        found = _broken(answer, issuer, on=on, nonce=nonce, is_revoked=is_revoked)
        return found or _weigh(answer, certificate, issuer, (on, max_age), None if nonce else seen)
    except reading.UNREADABLE:
        return worthless("OCSP 应答无法解读", "The OCSP answer cannot be read", "RFC 6960, 4.2.1")


def seen_answer(evidence: Evidence, certificate: x509.Certificate, issuer: x509.Certificate) -> Seen:
    """Return what is to be remembered of an answer: one that was signed by who is entitled to, stale or not."""
    if evidence.at is None:
        return Seen()
    return Seen(answers={(authority_of(issuer), certificate.serial_number): evidence.at})


def _broken(
    answer: ocsp.OCSPResponse,
    issuer: x509.Certificate,
    *,
    on: datetime,
    nonce: bytes | None,
    is_revoked: Callable[[x509.Certificate], bool],
) -> Evidence | None:
    """Return why an answer cannot be relied on, whatever it says, or `None`."""
    signer = _signer(answer, issuer, on)
    if signer is None or not _has_signed(answer, signer):
        return worthless(
            "OCSP 应答不是由签发机构或其授权的应答者签名",
            "No responder of the issuer signed the answer",
            "RFC 6960, 4.2.2.2",
        )
    if signer is not issuer and is_revoked(signer):
        return worthless("应答者的证书已被吊销", "The responder's certificate is revoked", "RFC 6960, 4.2.2.2.1")
    if any(one.critical and one.oid.dotted_string != _NONCE for one in _extensions(answer)):
        return worthless(
            "OCSP 应答含有未知的关键扩展", "A critical extension of the answer is unknown", "RFC 6960, 4.4"
        )
    if nonce is not None and nonce not in _nonces(answer):
        return worthless("OCSP 应答没有重复所问的随机数", "The answer does not repeat the nonce", "RFC 6960, 4.4.1")
    if answer.produced_at_utc > on + SKEW:
        return worthless("OCSP 应答来自未来", "The answer is from the future", "RFC 6960, 2.4")
    return None


def _weigh(
    answer: ocsp.OCSPResponse,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    age: tuple[datetime, timedelta],
    seen: Seen | None,
) -> Evidence:
    about = [one for one in answer.responses if _is_about(one, certificate, issuer)]
    if len(about) != 1:
        return worthless("OCSP 应答说的是另一张证书", "The answer is about another certificate", "RFC 6960, 3.2")
    found, at = _said(about[0], *age), answer.produced_at_utc
    replayed = (seen or Seen()).answer_contradicts(authority_of(issuer), certificate.serial_number, at)
    if found.word is not Word.REVOKED and replayed:  # a revocation stays true, however often it is told
        found = worthless(replayed.zh, replayed.en, "RFC 6960, 2.4")
    return replace(found, at=at)


def _said(single: ocsp.OCSPSingleResponse, on: datetime, max_age: timedelta) -> Evidence:
    status, since, until = single.certificate_status, single.this_update_utc, single.next_update_utc
    if since > on + SKEW:
        return worthless("OCSP 应答尚未生效", "The answer is not valid yet", "RFC 6960, 4.2.2.1")
    is_held = single.revocation_reason is x509.ReasonFlags.certificate_hold
    if status is _REVOKED and not is_held:  # stays true, however old the answer is
        at = single.revocation_time_utc
        told = f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "?"
        said = no(f"证书已于 {told} 吊销", f"The certificate was revoked at {told}", "RFC 6960, 2.2")
        return Evidence(word=Word.REVOKED, reason=said)
    if until is None or until <= on or on - since > max_age:
        return worthless("OCSP 应答已过时", "The answer is stale", "RFC 6960, 4.2.2.1")
    if is_held:
        return Evidence(word=Word.HELD, reason=no("证书已被暂停", "The certificate is suspended", "RFC 5280, 5.3.1"))
    if status is not _GOOD:
        return worthless("应答者不认识这张证书", "The responder does not know the certificate", "RFC 6960, 2.2")
    said = yes("签发机构的 OCSP 应答：有效", "The issuer's OCSP responder says good", "RFC 6960, 2.2")
    return Evidence(word=Word.GOOD, reason=said)


def _signer(answer: ocsp.OCSPResponse, issuer: x509.Certificate, on: datetime) -> x509.Certificate | None:
    """Return who the answer says has signed it, if that is the issuer or a responder of its own."""
    candidates = [issuer, *(one for one in answer.certificates if _is_responder(one, issuer, on))]
    for one in candidates:
        is_named = answer.responder_name == one.subject if answer.responder_name else False
        if is_named or answer.responder_key_hash == cert_id_hashes(one, "sha1")[1]:
            return one
    return None


def _is_responder(certificate: x509.Certificate, issuer: x509.Certificate, on: datetime) -> bool:
    """Say whether an authority has delegated its answers to a certificate, now, and exempted it from being revoked."""
    purposes, usage = extension(certificate, x509.ExtendedKeyUsage), extension(certificate, x509.KeyUsage)
    constraints = extension(certificate, x509.BasicConstraints)
    return (
        purposes is not None
        and list(purposes.value) == [names.OCSP_SIGNING]
        and usage is not None
        and usage.value.digital_signature
        and (constraints is None or not constraints.value.ca)
        and extension(certificate, x509.OCSPNoCheck) is not None
        and chains.not_in_profile(certificate) is None
        and certificate.not_valid_before_utc <= on <= certificate.not_valid_after_utc
        and reading.is_strong(certificate)
        and reading.has_issued(issuer, certificate)
    )


def _has_signed(answer: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    """Say whether the signature is the signer's, by the very algorithm the answer names."""
    algorithm, key, named = answer.signature_hash_algorithm, signer.public_key(), answer.signature_algorithm_oid
    if not isinstance(algorithm, _STRONG):
        return False
    try:
        if isinstance(key, rsa.RSAPublicKey) and named in _RSA:
            key.verify(answer.signature, answer.tbs_response_bytes, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and named in _ECDSA:
            key.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(algorithm))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _is_about(single: ocsp.OCSPSingleResponse, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    digest = single.hash_algorithm.name
    if digest not in HASHES or single.serial_number != certificate.serial_number:
        return False
    return cert_id_hashes(issuer, digest) == (single.issuer_name_hash, single.issuer_key_hash)


_NONCE = "1.3.6.1.5.5.7.48.1.2"  # id-pkix-ocsp-nonce


def _extensions(answer: ocsp.OCSPResponse) -> list[x509.Extension[x509.ExtensionType]]:
    return [*answer.extensions, *answer.single_extensions]


def _nonces(answer: ocsp.OCSPResponse) -> list[bytes]:
    return [one.value.nonce for one in answer.extensions if isinstance(one.value, x509.OCSPNonce)]
