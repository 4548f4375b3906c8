"""Faults of revocation evidence, made one by one by rule: what an attacker, a broken server or a careless one hands over.

Each is a name and an examination that must come out *unknown*: nobody says *revoked* in any of them, and none is a proof.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from asn1crypto import core
from asn1crypto import ocsp as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as library
from tests.rooms.certificates.pki_house import DAY, NOW, curve, elders, family, issuing_key, remade, strangers, test_key

from safebelt.rooms.certificates.pki import crl, der, ocsp
from safebelt.rooms.certificates.pki.crl import Revoked
from safebelt.rooms.certificates.pki.keys import Signatory, SigningKey, sign, signature_oid
from safebelt.rooms.certificates.pki.names import OCSP_SIGNING, Ground
from safebelt.rooms.certificates.pki.ocsp import State
from safebelt.rooms.certificates.pki.path import Examined, Purpose, RevocationSource, examine
from safebelt.rooms.certificates.pki.revocation import SKEW
from safebelt.rooms.certificates.pki.seen import Seen, authority_of

HOUR = DAY / 24
STRANGE = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
Fault = tuple[str, Callable[[], Examined]]


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
    yield "made today for tomorrow", by_library(this_update=NOW + DAY, next_update=NOW + 2 * DAY)
    yield "without next update", by_library(next_update=None)
    yield "with a critical extension", by_library(critical=True)
    yield "signed with SHA-224", by_library(digest=hashes.SHA224())
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


def by_library(*, digest: hashes.HashAlgorithm = hashes.SHA256(), critical: bool = False, **times: object) -> bytes:  # noqa: B008  stateless
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


def single(
    *,
    leaf: x509.Certificate | None = None,
    named: str = "sha256",
    hashed: str | None = None,
    swapped: bool = False,
    issuer: Signatory | None = None,
    serial: int | None = None,
    status: bytes = b"\x80\x00",
    since: datetime = NOW,
    until: datetime = NOW + DAY,
    extra: bytes = b"",
) -> bytes:
    """One line of an answer, as free as DER is."""
    hashes_ = ocsp.cert_id_hashes((issuer or family().issuing).certificate, hashed or named)
    if swapped:
        hashes_ = hashes_[::-1]
    number = (leaf or family().leaf).serial_number if serial is None else serial
    about = der.sequence(
        der.algorithm(_HASHES[named], has_null=True), *(der.octets(one) for one in hashes_), der.integer(number)
    )
    return der.sequence(about, status, der.moment(since), der.explicit(0, der.moment(until)), extra)


_HASHES = {
    "sha1": x509.ObjectIdentifier("1.3.14.3.2.26"),
    "sha256": x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1"),
    "sha384": x509.ObjectIdentifier("2.16.840.1.101.3.4.2.2"),
    "md5": x509.ObjectIdentifier("1.2.840.113549.2.5"),
}


def crafted(
    *lines: bytes,
    by: Signatory | None = None,
    carried: Sequence[x509.Certificate] | None = None,
    who: bytes | None = None,
    produced: datetime = NOW,
    extensions: bytes = b"",
    declared: SigningKey | None = None,
    kind: str = "1.3.6.1.5.5.7.48.1.1",
) -> bytes:
    """An answer by any signer, with any lines and any words, its signature true."""
    by = by or family().responder
    key_hash = ocsp.cert_id_hashes(by.certificate, "sha1")[1]
    data = der.sequence(
        who or der.explicit(2, der.octets(key_hash)),
        der.moment(produced),
        der.sequence(*(lines or (single(),))),
        der.explicit(1, der.sequence(extensions)) if extensions else b"",
    )
    oid, has_null = signature_oid(declared or by.key)
    certificates = [by.certificate] if carried is None else carried
    basic = der.sequence(
        data,
        der.algorithm(oid, has_null=has_null),
        der.bits(sign(by.key, data)),
        der.explicit(0, der.sequence(*(one.public_bytes(Encoding.DER) for one in certificates))),
    )
    response = der.sequence(der.identifier(x509.ObjectIdentifier(kind)), der.octets(basic))
    return der.sequence(der.enumerated(0), der.explicit(0, response))


def extension_of(oid: str, value: bytes, *, is_critical: bool = False) -> bytes:
    mark = b"\x01\x01\xff" if is_critical else b""
    return der.sequence(der.identifier(x509.ObjectIdentifier(oid)), mark, der.octets(value))


def crafted_words() -> Iterator[tuple[str, bytes]]:
    strange = extension_of("1.2.3.4", b"\x05\x00", is_critical=True)
    yield "with no line at all", crafted(b"")
    yield "with two lines about it", crafted(single(), single())
    yield "with two lines about it that differ", crafted(single(), single(status=b"\x82\x00"))
    yield "naming its issuer by another hash than it says", crafted(single(named="sha384", hashed="sha256"))
    yield "naming its issuer by a hash of another length", crafted(single(named="sha1", hashed="sha256"))
    yield "naming its issuer by MD5", crafted(single(named="md5", hashed="sha1"))
    yield "with the issuer's name and key changed about", crafted(single(swapped=True))
    yield "about this number of the root", crafted(single(issuer=family().root))
    yield "about this number of the stamping authority", crafted(single(issuer=family().stamping_ca))
    yield "about this number of an authority of the same name", crafted(single(issuer=strangers().issuing))
    for number in (0, 1, family().leaf.serial_number + 1, family().leaf.serial_number << 8):
        yield f"about the number {number:x}", crafted(single(serial=number))
    yield "ending before it begins", crafted(single(since=NOW, until=NOW - HOUR))
    yield "beginning tomorrow", crafted(single(since=NOW + DAY, until=NOW + 2 * DAY))
    yield "produced tomorrow", crafted(produced=NOW + DAY)
    yield "produced today about last week", crafted(single(since=NOW - 7 * DAY))
    yield "with a critical extension of its line", crafted(single(extra=der.explicit(1, der.sequence(strange))))
    yield "of another kind than basic", crafted(kind="1.2.3.4")
    yield "that names nobody as its signer", crafted(who=der.explicit(2, der.octets(bytes(20))))
    yield "that names another as its signer", crafted(who=der.explicit(1, strangers().stamper.name.public_bytes()))
    yield "whose signer is not carried", crafted(carried=[])
    yield "that carries somebody else", crafted(carried=[family().stamper.certificate])
    yield "signed another way than it says", crafted(declared=test_key("issuing"))
    yield "signed by the authority a house had before", crafted(by=elders().issuing)
    yield "signed by the responder of the authority a house had before", crafted(by=elders().responder)


def delegates() -> Iterator[tuple[str, bytes]]:
    """Signers that somebody has appointed, but not who is entitled to."""
    ours = family()

    def appointed(issuer: Signatory, key: ec.EllipticCurvePrivateKey, **facts: object) -> Signatory:
        words = {"issuer": issuer.name, "public_key": key.public_key()} | facts
        return Signatory(certificate=remade(ours.responder.certificate, issuer.key, **words), key=key)  # type: ignore[arg-type]

    second = appointed(ours.responder, curve("delegate"), subject=strangers().stamper.name)
    yield "of a delegate of the delegate", crafted(by=second, carried=[second.certificate, ours.responder.certificate])
    by_root = appointed(ours.root, curve("delegate"))
    yield "of a delegate of the root", crafted(by=by_root)
    by_leaf = appointed(Signatory(certificate=ours.leaf, key=ours.leaf_key), curve("delegate"))
    yield "of a delegate of the leaf", crafted(by=by_leaf, carried=[by_leaf.certificate, ours.leaf])
    small = ec.generate_private_key(ec.SECP224R1())
    yield "of a delegate with a weak key", crafted(by=appointed(ours.issuing, small))
    koblitz = ec.generate_private_key(ec.SECP256K1())
    yield "of a delegate with a key of another curve", crafted(by=appointed(ours.issuing, koblitz))
    bound = x509.NameConstraints(permitted_subtrees=[x509.DirectoryName(ours.leaf.subject)], excluded_subtrees=None)
    yield "of a delegate under a restriction", crafted(by=responder(with_=((bound, False),)))


def nonces() -> Iterator[Fault]:
    """An answer that was asked for with a nonce, and does not repeat it as it was."""
    asked = b"n" * 32
    other = {
        "shorter": asked[:-1],
        "longer": asked + b"n",
        "empty": b"",
        "reversed": asked[::-1][:-1] + b"m",
        "another": b"m" * 32,
        "the first half": asked[:16],
    }
    for name, nonce in other.items():
        repeated = extension_of(_NONCE, der.octets(nonce))
        yield f"an answer whose nonce is {name}", only(answer=crafted(extensions=repeated), nonce=asked)
    inside = der.explicit(1, der.sequence(extension_of(_NONCE, der.octets(asked))))
    yield "an answer with the nonce in its line", only(answer=crafted(single(extra=inside)), nonce=asked)
    elsewhere = extension_of("1.2.3.4", der.octets(asked))
    yield "an answer with the nonce in another place", only(answer=crafted(extensions=elsewhere), nonce=asked)


_NONCE = "1.3.6.1.5.5.7.48.1.2"


def replays() -> Iterator[Fault]:
    """Genuine, in time, and older than what the checker has seen before."""
    ours, list_ = family(), family().list_
    authority, root = authority_of(ours.issuing.certificate), authority_of(ours.root.certificate)
    about = authority, ours.leaf.serial_number
    for minutes in (1, 10, 60, 600):
        then = NOW - timedelta(minutes=minutes)
        seen = Seen(lists={authority: (9, NOW)}, answers={about: NOW})
        answer, listed = ours.answer(on=then), list_(number=8, on=then)
        yield f"an answer of {minutes} minutes before", only(answer=answer, seen=seen)
        yield (
            f"an answer of {minutes} minutes before, beside a good list",
            only(answer=answer, crls=(list_(number=9),), seen=seen),
        )
        yield f"a list of {minutes} minutes before", only(crls=(listed,), seen=seen)
        yield (
            f"a list of {minutes} minutes before, beside a good answer",
            only(answer=ours.answer(), crls=(listed,), seen=seen),
        )
    for name, number, at in (
        ("a lower number", 8, NOW),
        ("the number seen and an earlier time", 7, NOW + HOUR),
        ("the number seen and a later time", 7, NOW - HOUR),
        ("a higher number and an earlier time", 6, NOW + HOUR),
    ):
        yield f"a list with {name}", only(crls=(list_(),), seen=Seen(lists={authority: (number, at)}))
    older = crl.make_crl(ours.root, [], number=4, on=NOW - DAY, next_update=NOW + DAY)
    seen = Seen(lists={root: (5, NOW)})
    yield "a list of the root that is replayed", without_root_list(ocsp=ours.answer(), crls=(older,), seen=seen)
    yield (
        "a list of the root that is replayed, beside both",
        without_root_list(ocsp=ours.answer(), crls=(older, list_()), seen=seen),
    )


def root_list_faults() -> Iterator[Fault]:
    """The leaf is proven good; what should prove it of the authority above is spoilt."""
    ours = family()
    good = crl.make_crl(ours.root, [], number=1, on=NOW, next_update=NOW + 90 * DAY)
    held = Revoked(serial=ours.issuing.certificate.serial_number, at=NOW, reason=Ground.CERTIFICATE_HOLD)
    forged = Signatory(certificate=ours.root.certificate, key=ours.root.key)
    object.__setattr__(forged, "key", test_key("stamping"))
    spoilt = {
        "stale": crl.make_crl(ours.root, [], number=1, on=NOW - 9 * DAY, next_update=NOW - DAY),
        "stale, with a hold": crl.make_crl(ours.root, [held], number=1, on=NOW - 9 * DAY, next_update=NOW - DAY),
        "of tomorrow": crl.make_crl(ours.root, [], number=1, on=NOW + DAY, next_update=NOW + 9 * DAY),
        "signed with another key": crl.make_crl(forged, [], number=1, on=NOW, next_update=NOW + DAY),
        "of another root of the same name": strangers().root_list,
        "the issuing authority's instead": ours.list_(number=3),
        "the stamping authority's instead": ours.list_(by=ours.stamping_ca),
    }
    for name, data in (*spoilt.items(), *garbage(), *truncated(good, 15), *flipped(good, 40)):
        yield f"the root's list: {name}", without_root_list(ocsp=ours.answer(), crls=(data,))


def answer_faults() -> Iterator[Fault]:
    good = family().answer()
    for made in (garbage, wrong_signers, wrong_words, crafted_words, delegates):
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
    yield "of the leaf", list_by_library(by=Signatory(certificate=ours.leaf, key=ours.leaf_key))
    yield "without number", list_by_library(number=None)
    yield "with a critical extension", list_by_library(extension=(STRANGE, True))
    yield "with a critical extension of a line", list_by_library(line=(STRANGE, True))
    yield "signed with SHA-224", list_by_library(digest=hashes.SHA224())
    yield "only what changed since another list", list_by_library(extension=(x509.DeltaCRLIndicator(3), True))
    yield "that changes another list, said quietly", list_by_library(extension=(x509.DeltaCRLIndicator(3), False))
    for name, point in _partial().items():
        yield f"only {name}", list_by_library(extension=(point, True))
        yield f"only {name}, said quietly", list_by_library(extension=(point, False))
    other = x509.CertificateIssuer([x509.DirectoryName(ours.root.name)])
    yield "with a line about another authority's certificate", list_by_library(line=(other, True))
    yield "signed by the responder", list_by_library(by=ours.responder)
    yield "of the authority a house had before", list_by_library(by=elders().issuing)
    yield "signed another way than it says outside", _relabelled(list_())
    yield "in another form", x509.load_der_x509_crl(list_()).public_bytes(Encoding.PEM)
    yield "twice, one after the other", list_() + list_()


def _partial() -> dict[str, x509.IssuingDistributionPoint]:
    """Every way a list can say that it does not speak of everything (RFC 5280, 5.2.5)."""
    place = [x509.UniformResourceIdentifier("http://pki.example/part.crl")]
    some = frozenset({x509.ReasonFlags.key_compromise})

    def point(
        *, users: bool = False, authorities: bool = False, attributes: bool = False, indirect: bool = False
    ) -> x509.IssuingDistributionPoint:
        return x509.IssuingDistributionPoint(None, None, users, authorities, None, indirect, attributes)

    return {
        "of authorities": point(authorities=True),
        "of users": point(users=True),
        "of attributes": point(attributes=True),
        "for others, indirectly": point(indirect=True),
        "for some reasons": x509.IssuingDistributionPoint(None, None, False, False, some, False, False),
        "of one place": x509.IssuingDistributionPoint(place, None, False, False, None, False, False),
    }


def _relabelled(signed: bytes) -> bytes:
    """Name another algorithm outside than inside; the outside is not signed."""
    body, algorithm, signature = der.members(signed)
    oid, has_null = signature_oid(test_key("issuing"))
    assert algorithm != der.algorithm(oid, has_null=has_null)
    return der.sequence(body, der.algorithm(oid, has_null=has_null), signature)


def list_by_library(
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
    yield "two lists, the lower number later", only(crls=(list_(number=8, on=NOW - HOUR), list_(number=7, on=NOW)))
    yield "two lists of one number and different times", only(crls=(list_(), list_(on=NOW - HOUR)))
    yield "more lists than anybody needs", only(crls=(good,) * 20)


def without_root_list(**source: object) -> Callable[[], Examined]:
    """Examine with nothing but what is given; `only` adds a list of the root that is in order."""
    return lambda: examine(
        family().leaf,
        [family().issuing.certificate],
        [family().root.certificate],
        on=NOW,
        purpose=Purpose.CLAIM_SIGNING,
        revocation=RevocationSource(**source),  # type: ignore[arg-type]
        max_age=DAY,
    )


def silences() -> Iterator[Fault]:
    """Nothing came, or nothing for one of the chain."""

    root_list = crl.make_crl(family().root, [], number=1, on=NOW - 9 * DAY, next_update=NOW - DAY)
    yield "silence", only()
    yield "silence everywhere", without_root_list()
    yield "silence of the root, an answer for the leaf", without_root_list(ocsp=family().answer())
    yield "silence of the root, a list for the leaf", without_root_list(crls=(family().list_(),))
    yield "a stale list of the root", without_root_list(ocsp=family().answer(), crls=(root_list,))
    yield "a list of another root", without_root_list(ocsp=family().answer(), crls=(strangers().root_list,))


def faults() -> list[Fault]:
    """All of them; their names are all different."""
    made = (answer_faults, list_faults, root_list_faults, nonces, replays, silences)
    return [fault for make in made for fault in make()]
