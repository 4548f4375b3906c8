"""Revocation fails closed: hundreds of faults, made one by one by rule, and not one is taken for a proof."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as library
from tests.rooms.certificates.pki_house import (
    DAY,
    NOW,
    curve,
    family,
    issuing_key,
    make_family,
    remade,
    strangers,
    subject,
)

from safebelt.rooms.certificates.pki import crl, hierarchy, ocsp
from safebelt.rooms.certificates.pki.crl import Revoked
from safebelt.rooms.certificates.pki.keys import Signatory
from safebelt.rooms.certificates.pki.names import OCSP_SIGNING, Ground
from safebelt.rooms.certificates.pki.ocsp import State
from safebelt.rooms.certificates.pki.path import Examined, RevocationSource
from safebelt.rooms.certificates.pki.revocation import SKEW

pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number")  # of a certificate a flipped bit has spoilt
HOUR = DAY / 24
STRANGE = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
Fault = tuple[str, Callable[[], Examined]]


# --- what is good is ok ------------------------------------------------------------------------------------------


def test_an_answer_of_the_delegated_responder_proves_it() -> None:
    examined = family().examine(ocsp=family().answer())

    assert examined.is_ok
    assert "says good" in examined.revocation.reason.as_text("en")
    assert "有效" in examined.revocation.reason.as_text("zh")


def test_a_fresh_list_that_does_not_name_it_proves_it() -> None:
    assert family().examine(crls=(family().list_(),)).is_ok
    assert family().examine(crls=(family().list_([Revoked(serial=1, at=NOW)]),)).is_ok


def test_both_together_and_a_list_of_somebody_else_beside_change_nothing() -> None:
    beside = crl.make_crl(strangers().stamping_ca, [], number=1, on=NOW, next_update=NOW + DAY)

    assert family().examine(ocsp=family().answer(), crls=(family().list_(), beside)).is_ok


def test_the_authority_itself_may_answer_and_a_nonce_that_comes_back_is_right() -> None:
    assert family().examine(ocsp=family().answer(responder=family().issuing)).is_ok
    assert family().examine(ocsp=family().answer(nonce=b"n" * 32), nonce=b"n" * 32).is_ok


def test_a_clock_that_runs_a_little_ahead_is_forgiven() -> None:
    assert family().examine(ocsp=family().answer(on=NOW + SKEW)).is_ok
    assert family().examine(crls=(family().list_(on=NOW + SKEW),)).is_ok


# --- what is revoked is bad --------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", Ground)
def test_revoked_by_answer_or_list_is_bad_for_every_reason(reason) -> None:
    leaf = family().leaf
    told = family().answer(State(at=NOW - HOUR, reason=reason))
    listed = family().list_([Revoked(serial=leaf.serial_number, at=NOW - HOUR, reason=reason)])
    word = "suspended" if reason is Ground.CERTIFICATE_HOLD else "revoked at"

    for examined in (
        family().examine(ocsp=told),
        family().examine(crls=(listed,)),
        family().examine(ocsp=told, crls=(family().list_(),)),
        family().examine(ocsp=family().answer(), crls=(listed,)),
    ):
        assert examined.revocation.state == "bad"
        assert word in examined.revocation.reason.as_text("en")
        assert not examined.is_ok


def test_a_revocation_stays_true_when_the_answer_or_the_list_is_old() -> None:
    leaf = family().leaf
    told = family().answer(State(at=NOW - HOUR))
    listed = family().list_([Revoked(serial=leaf.serial_number, at=NOW)])
    later = NOW + 5 * DAY

    assert family().examine(ocsp=told, on=later).revocation.state == "bad"
    assert family().examine(crls=(listed,), on=later).revocation.state == "bad"
    assert (
        family()
        .examine(crls=(listed, family().list_(on=later, number=8, next_update=later + DAY)), on=later)
        .revocation.state
        == "bad"
    )


def test_a_hold_that_a_newer_list_no_longer_names_is_over() -> None:
    held = family().list_([Revoked(serial=family().leaf.serial_number, at=NOW, reason=Ground.CERTIFICATE_HOLD)])
    released = family().list_(number=8)

    assert family().examine(crls=(held, released)).is_ok
    assert family().examine(crls=(family().list_(number=6, on=NOW - HOUR), held)).revocation.state == "bad"


def test_an_issuing_authority_the_root_has_revoked_takes_its_leaves_with_it() -> None:
    own = family().issuing.certificate.serial_number
    listed = crl.make_crl(
        family().root,
        [Revoked(serial=own, at=NOW, reason=Ground.CA_COMPROMISE)],
        number=2,
        on=NOW,
        next_update=NOW + DAY,
    )

    examined = family().examine(ocsp=family().answer(), crls=(listed,))

    assert examined.revocation.state == "bad"
    assert "测试签发机构" in examined.revocation.reason.as_text("zh")


# --- the faults --------------------------------------------------------------------------------------------------


def only(*, answer: bytes | None = None, crls: tuple[bytes, ...] = (), **words: object) -> Callable[[], Examined]:
    return lambda: family().examine(ocsp=answer, crls=crls, **words)  # type: ignore[arg-type]


def both_ways(name: str, answer: bytes) -> Iterator[Fault]:
    """A faulty answer alone, and beside a list that is in order: what is broken is not passed over in silence."""
    yield f"{name}", only(answer=answer)
    yield f"{name}, beside a good list", only(answer=answer, crls=(family().list_(),))


def garbage() -> Iterator[tuple[str, bytes]]:
    yield "nothing", b""
    yield "one zero", b"\x00"
    yield "text", b"<html>502 Bad Gateway</html>"
    yield "zeros", bytes(2000)
    yield "noise", bytes(range(256)) * 4
    yield "an empty sequence", b"\x30\x00"
    yield "an endless length", b"\x30\x84\xff\xff\xff\xff"
    yield "an indefinite length", b"\x30\x80\x00\x00"
    yield "deep nesting", b"\x30\x80" * 5000
    yield "a certificate", family().leaf.public_bytes(Encoding.DER)
    yield "far too long", b"\x30\x83\x20\x00\x00" + bytes(2_097_152)


def boundaries(der: bytes) -> list[int]:
    """Where each structure of a DER document begins, in order."""
    found = list[int]()

    def walk(start: int, end: int) -> None:
        while start < end:
            found.append(start)
            length, size = der[start + 1], 2
            if length & 0x80:
                size = 2 + (length & 0x7F)
                length = int.from_bytes(der[start + 2 : start + size])
            if der[start] & 0x20:
                walk(start + size, start + size + length)
            start += size + length

    walk(0, len(der))
    return found


def flipped(der: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    """One bit changed at `count` places spread over the whole, signed and unsigned parts alike."""
    for step in range(count):
        place = step * len(der) // count
        changed = bytearray(der)
        changed[place] ^= 1 << step % 8
        yield f"bit {step % 8} of octet {place} flipped", bytes(changed)


def truncated(der: bytes, most: int) -> Iterator[tuple[str, bytes]]:
    places = boundaries(der)
    for place in places[:: max(1, len(places) // most)]:
        yield f"cut off at octet {place}", der[:place]
    yield "cut off before its last octet", der[:-1]
    yield "with an octet too many", der + b"\x00"


def responder(**changes: object) -> Signatory:
    """A responder of the family's, spoilt."""
    good = family().responder
    made = remade(good.certificate, changes.pop("key", issuing_key()), **changes)  # type: ignore[arg-type]
    return Signatory(certificate=made, key=good.key)


def wrong_signers() -> Iterator[tuple[str, bytes]]:
    answer, ours, theirs = family().answer, family(), strangers()
    purposes = x509.ExtendedKeyUsage([OCSP_SIGNING])
    other = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])
    yield "signed by a responder of another authority", answer(responder=theirs.responder)
    yield "signed by another authority of the same name", answer(responder=theirs.issuing)
    yield "signed by the leaf itself", answer(responder=Signatory(certificate=ours.leaf, key=ours.leaf_key))
    yield "signed by the stamper", answer(responder=ours.stamper)
    yield "signed by the root", answer(responder=ours.root)
    yield "of an expired responder", answer(responder=responder(end=NOW - HOUR))
    yield "of a responder not valid yet", answer(responder=responder(start=NOW + HOUR, end=NOW + DAY))
    yield "of a responder without purpose", answer(responder=responder(without=(x509.ExtendedKeyUsage,)))
    yield "of a responder for any purpose", answer(responder=responder(with_=((other, False),)))
    both = x509.ExtendedKeyUsage([*purposes, *other])
    yield "of a responder for more than this", answer(responder=responder(with_=((both, False),)))
    yield "of a responder that could be revoked", answer(responder=responder(without=(x509.OCSPNoCheck,)))
    yield "of a responder that may not sign", answer(responder=responder(without=(x509.KeyUsage,)))
    authority = (x509.BasicConstraints(ca=True, path_length=0), True)
    yield "of a responder that is an authority", answer(responder=responder(with_=(authority,)))
    yield (
        "of a responder with an unknown critical extension",
        answer(responder=responder(with_=((STRANGE, True),))),
    )
    yield (
        "of a responder whose certificate a stranger signed",
        answer(responder=responder(key=curve("ca issuing"))),
    )
    yield "of a responder certified with SHA-224", answer(responder=responder(hash=hashes.SHA224()))
    forged = Signatory(certificate=ours.responder.certificate, key=ours.responder.key)
    object.__setattr__(forged, "key", curve("nobody"))
    yield "signed with a key that is not the responder's", answer(responder=forged)
    without = core.load(answer())
    yield "without the responder's certificate", _without_certificates(without.dump())


def _without_certificates(der: bytes) -> bytes:
    from asn1crypto import ocsp as asn1

    whole = asn1.OCSPResponse.load(der)
    basic = whole["response_bytes"]["response"].parsed
    stripped = asn1.BasicOCSPResponse(
        {name: basic[name] for name in ("tbs_response_data", "signature_algorithm", "signature")}
    )
    return bytes(
        asn1.OCSPResponse(
            {
                "response_status": "successful",
                "response_bytes": {
                    "response_type": "basic_ocsp_response",
                    "response": core.ParsableOctetString(stripped.dump()),
                },
            }
        ).dump()
    )


def loosened(make: Callable[[int], bytes], signature_of: Callable[[bytes], bytes]) -> bytes:
    """Say of the last bit of a signature, a zero, that it is not used: to the library it is the same signature."""
    for attempt in range(200):
        der = make(attempt)
        signature = signature_of(der)
        if signature[-1] % 2 == 0:
            place = der.index(b"\x00" + signature)
            return der[:place] + b"\x01" + der[place + 1 :]
    raise AssertionError("two hundred signatures, and all of them odd")


def wrong_words() -> Iterator[tuple[str, bytes]]:
    answer, ours = family().answer, family()
    yield "unknown to the responder", answer(None)
    yield "about another serial number", answer(leaf=ours.issue(serial=99))
    yield "about the same serial number of another authority", _replayed()
    yield "stale by its own next update", answer(on=NOW - DAY, valid_for=HOUR)
    yield "ending this second", answer(on=NOW - HOUR, valid_for=HOUR)
    yield "older than allowed", answer(on=NOW - DAY - HOUR, valid_for=9 * DAY)
    yield "of a year ago", answer(on=NOW - 365 * DAY, valid_for=HOUR)
    yield "of tomorrow", answer(on=NOW + DAY)
    yield "a little beyond the skew", answer(on=NOW + 2 * SKEW)
    yield "held, and stale", answer(State(at=NOW - DAY, reason=Ground.CERTIFICATE_HOLD), on=NOW - DAY, valid_for=HOUR)
    yield "made today for tomorrow", _by_library(this_update=NOW + DAY, next_update=NOW + 2 * DAY)
    yield "without next update", _by_library(next_update=None)
    yield "with a critical extension", _by_library(critical=True)
    yield "signed with SHA-224", _by_library(digest=hashes.SHA224())
    for status in library.OCSPResponseStatus:
        if status is not library.OCSPResponseStatus.SUCCESSFUL:
            failed = library.OCSPResponseBuilder.build_unsuccessful(status)
            yield f"the responder says {status.name}", failed.public_bytes(Encoding.DER)


def _replayed() -> bytes:
    """A good answer of the family's responder: but about a certificate of its stamping authority, same number."""
    issuer = family().stamping_ca
    other = remade(family().leaf, issuer.key, issuer=issuer.name)
    question = ocsp.query(other, issuer.certificate)
    return ocsp.answer(question, family().responder, issuer.certificate, lambda _: State(), on=NOW, valid_for=DAY)


def _by_library(*, digest: hashes.HashAlgorithm = hashes.SHA256(), critical: bool = False, **times: object) -> bytes:  # noqa: B008  stateless
    """An answer our own responder would never give, by the library's builder."""
    ours = family().responder
    words = {"this_update": NOW, "next_update": NOW + DAY, "revocation_time": None, "revocation_reason": None} | times
    builder = (
        library.OCSPResponseBuilder()
        .add_response(
            family().leaf, family().issuing.certificate, hashes.SHA256(), library.OCSPCertStatus.GOOD, **words
        )  # type: ignore[arg-type]
        .responder_id(library.OCSPResponderEncoding.HASH, ours.certificate)
        .certificates([ours.certificate])
    )
    if critical:
        builder = builder.add_extension(STRANGE, critical=True)
    return builder.sign(ours.key, digest).public_bytes(Encoding.DER)  # type: ignore[arg-type]


def answer_faults() -> Iterator[Fault]:
    good = family().answer()
    for made in (garbage, wrong_signers, wrong_words):
        for name, answer in made():
            yield from both_ways(f"an answer: {name}", answer)
    for name, answer in (*truncated(good, 30), *flipped(good, 90)):
        yield f"an answer: {name}", only(answer=answer)
    loose = loosened(lambda _: family().answer(), lambda der: library.load_der_ocsp_response(der).signature)
    yield "an answer: with a bit of its signature unused", only(answer=loose)
    asked = family().answer(nonce=b"a" * 16)
    yield "an answer without the nonce asked for", only(answer=good, nonce=b"b" * 16)
    yield "an answer with another nonce", only(answer=asked, nonce=b"b" * 16)
    yield "an answer that proved an hour ago what it does not now", only(answer=good, on=NOW + DAY)


def spoilt_lists() -> Iterator[tuple[str, bytes]]:
    ours, list_ = family(), family().list_
    held = [Revoked(serial=ours.leaf.serial_number, at=NOW, reason=Ground.CERTIFICATE_HOLD)]
    forged = Signatory(certificate=ours.issuing.certificate, key=ours.issuing.key)
    object.__setattr__(forged, "key", curve("ca nobody"))
    yield "stale by its own next update", list_(on=NOW - DAY, next_update=NOW - HOUR)
    yield "ending this second", list_(on=NOW - HOUR, next_update=NOW)
    yield "older than allowed", list_(on=NOW - DAY - HOUR, next_update=NOW + 9 * DAY)
    yield "of tomorrow", list_(on=NOW + DAY, next_update=NOW + 2 * DAY)
    yield "a little beyond the skew", list_(on=NOW + 2 * SKEW)
    yield "a hold that is stale", list_(held, on=NOW - 2 * DAY, next_update=NOW - DAY)
    yield "signed with another key", list_(by=forged)
    yield "of another authority of the same name", list_(by=strangers().issuing)
    yield "of the root instead", list_(by=ours.root)
    yield "of the stamping authority instead", list_(by=ours.stamping_ca)
    yield "of the leaf", _list_by_library(by=Signatory(certificate=ours.leaf, key=ours.leaf_key))
    yield "without number", _list_by_library(number=None)
    yield "with a critical extension", _list_by_library(extension=(STRANGE, True))
    yield "with a critical extension of a line", _list_by_library(line=(STRANGE, True))
    yield "signed with SHA-224", _list_by_library(digest=hashes.SHA224())
    yield "only what changed since another list", _list_by_library(extension=(x509.DeltaCRLIndicator(3), True))
    yield "only of authorities", _list_by_library(extension=(_partial(), True))
    yield "only of authorities, said quietly", _list_by_library(extension=(_partial(), False))


def _partial() -> x509.IssuingDistributionPoint:
    return x509.IssuingDistributionPoint(None, None, False, True, None, False, False)


def _list_by_library(
    *,
    by: Signatory | None = None,
    number: int | None = 9,
    extension: tuple[x509.ExtensionType, bool] | None = None,
    line: tuple[x509.ExtensionType, bool] | None = None,
    digest: hashes.HashAlgorithm = hashes.SHA256(),  # noqa: B008  stateless
) -> bytes:
    by = by or family().issuing
    builder = x509.CertificateRevocationListBuilder().issuer_name(family().issuing.name)
    builder = builder.last_update(NOW).next_update(NOW + DAY)
    if number is not None:
        builder = builder.add_extension(x509.CRLNumber(number), critical=False)
    if extension:
        builder = builder.add_extension(*extension)
    if line:
        entry = x509.RevokedCertificateBuilder(1234, NOW).add_extension(*line).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(by.key, digest).public_bytes(Encoding.DER)  # type: ignore[arg-type]


def list_faults() -> Iterator[Fault]:
    good, list_ = family().list_(), family().list_
    for name, data in (*garbage(), *spoilt_lists(), *truncated(good, 20), *flipped(good, 60)):
        yield f"a list: {name}", only(crls=(data,))
    loose = loosened(lambda n: list_(number=n), lambda der: x509.load_der_x509_crl(der).signature)
    yield "a list: with a bit of its signature unused", only(crls=(loose,))
    for name, data in garbage():
        yield f"a list: {name}, beside a good one", only(crls=(data, good))
    yield "a list with a lower number than seen before", only(crls=(good,), least_number=8)
    yield "two lists, the lower number later", only(crls=(list_(number=8, on=NOW - HOUR), list_(number=7, on=NOW)))
    yield "two lists of one number and different times", only(crls=(list_(), list_(on=NOW - HOUR)))
    yield "more lists than anybody needs", only(crls=(good,) * 20)


def silences() -> Iterator[Fault]:
    """Nothing came, or nothing for one of the chain."""

    def without_root_list(**source: object) -> Callable[[], Examined]:
        from safebelt.rooms.certificates.pki.path import Purpose, examine

        return lambda: examine(
            family().leaf,
            [family().issuing.certificate],
            [family().root.certificate],
            on=NOW,
            purpose=Purpose.CLAIM_SIGNING,
            revocation=RevocationSource(**source),  # type: ignore[arg-type]
            max_age=DAY,
        )

    root_list = crl.make_crl(family().root, [], number=1, on=NOW - 9 * DAY, next_update=NOW - DAY)
    yield "silence", only()
    yield "silence everywhere", without_root_list()
    yield "silence of the root, an answer for the leaf", without_root_list(ocsp=family().answer())
    yield "silence of the root, a list for the leaf", without_root_list(crls=(family().list_(),))
    yield "a stale list of the root", without_root_list(ocsp=family().answer(), crls=(root_list,))
    yield "a list of another root", without_root_list(ocsp=family().answer(), crls=(strangers().root_list,))


def faults() -> list[Fault]:
    return [*answer_faults(), *list_faults(), *silences()]


def test_hundreds_of_faults_and_not_one_is_taken_for_a_proof() -> None:
    tried = {name: examine().revocation for name, examine in faults()}

    assert len(tried) >= 200
    assert [name for name, axis in tried.items() if axis.state == "ok"] == []
    assert {axis.state for axis in tried.values()} == {"unknown"}  # nobody said *revoked* in any of them
    assert all(axis.reason.says.zh and axis.reason.says.en for axis in tried.values())


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda: b"junk", "cannot be read"),
        (lambda: b"", "empty"),
        (lambda: family().answer(None), "does not know"),
        (lambda: family().answer(on=NOW - DAY, valid_for=HOUR), "stale"),
        (lambda: family().answer(on=NOW + DAY), "from the future"),
        (lambda: family().answer(responder=strangers().responder), "No responder of the issuer"),
        (lambda: family().answer(leaf=family().issue(serial=99)), "another certificate"),
        (lambda: family().answer(nonce=b"other"), "nonce"),
    ],
)
def test_an_unknown_says_why(answer, why) -> None:
    examined = family().examine(ocsp=answer(), nonce=b"mine" if why == "nonce" else None)

    assert why in examined.revocation.reason.as_text("en")


def test_the_faults_are_faults_of_a_thing_that_is_otherwise_good() -> None:
    now = datetime.now(UTC)  # the library writes the machine's clock into its answer, whenever the family was made
    assert family().examine(ocsp=_by_library(), crls=(_list_by_library(),), on=now).revocation.state == "ok"
    assert family().examine(crls=(_list_by_library(line=(STRANGE, False)),)).revocation.state == "ok"
    assert family().examine(ocsp=family().answer(responder=responder())).revocation.state == "ok"


def test_a_responder_outlives_no_month() -> None:
    made = hierarchy.make_responder(family().issuing, subject("r"), on=NOW, key=curve("r"))

    assert made.certificate.not_valid_after_utc - NOW < 30 * DAY
    assert made.certificate.extensions.get_extension_for_class(x509.OCSPNoCheck)


def test_elliptic_authorities_are_judged_alike() -> None:
    small = make_family(curve("ca a"), curve("ca b"), curve("ca c"), tag=" small")

    assert small.examine(ocsp=small.answer()).is_ok and small.examine(crls=(small.list_(),)).is_ok
    assert small.examine(ocsp=family().answer()).revocation.state == "unknown"
    assert isinstance(small.root.key, ec.EllipticCurvePrivateKey)
