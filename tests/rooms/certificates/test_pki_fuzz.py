"""What comes from outside never breaks a reader: it is read, or refused in words; within bounds of size and of work."""

import time
from hashlib import sha256

import pytest
from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as library
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rooms.certificates.pki_house import CLAIMS, DAY, NOW, curve, family, subject

from safebelt.kernel.errors import Invalid, Refused
from safebelt.rooms.certificates.pki import leaves, names, ocsp, path, reading, requests, stamps

pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number")  # of a certificate a flipped bit has spoilt
FUZZ = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))


def request_der() -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject().as_name())
    return builder.sign(curve("leaf"), hashes.SHA256()).public_bytes(Encoding.DER)


DATA = b"data"
QUERY = stamps.make_query(sha256(DATA).digest(), nonce=7)
REPLY = stamps.stamp(QUERY, family().stamper_chain, serial=1, on=NOW, policy=names.STAMP_POLICY)
ANSWER, LIST, REQUEST = family().answer(), family().list_(), request_der()
QUESTION = ocsp.query(family().leaf, family().issuing.certificate, b"n" * 16)
LEAF = family().leaf.public_bytes(Encoding.DER)


@st.composite
def near(draw, seed: bytes) -> bytes:
    """Something like `seed`: octets changed, cut, doubled, put in; or nothing like it at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=400))
    data = bytearray(seed)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(0, len(data) - 1)))
        kind = draw(st.sampled_from(["set", "cut", "put", "double", "length"]))
        if kind == "set" and data:
            data[place] = draw(st.integers(0, 255))
        elif kind == "length" and data:
            data[place] = draw(st.sampled_from([0, 0x7F, 0x80, 0x81, 0x84, 0xFF]))
        elif kind == "cut":
            del data[place:]
        elif kind == "put":
            data[place:place] = draw(st.binary(min_size=1, max_size=8))
        else:
            data[place:place] = data[place : place + 40]
    return bytes(data)


@FUZZ
@given(near(REQUEST))
def test_a_request_is_read_or_refused(data) -> None:
    try:
        request = requests.read_request(data)
    except Invalid as problem:
        assert problem.what.zh and problem.what.en
    else:
        assert request.subject_name is not None


@FUZZ
@given(near(QUESTION))
def test_every_question_has_an_answer(data) -> None:
    given_ = ocsp.answer(
        data, family().responder, family().issuing.certificate, lambda _: ocsp.State(), on=NOW, valid_for=DAY
    )

    assert library.load_der_ocsp_response(given_).response_status in (
        library.OCSPResponseStatus.SUCCESSFUL,
        library.OCSPResponseStatus.MALFORMED_REQUEST,
        library.OCSPResponseStatus.UNAUTHORIZED,
    )


@FUZZ
@given(near(ANSWER))
def test_an_answer_changed_in_any_way_proves_nothing(data) -> None:
    examined = family().examine(ocsp=data)

    assert examined.revocation.state == "unknown" or data == ANSWER


@FUZZ
@given(near(LIST))
def test_a_list_changed_in_any_way_proves_nothing(data) -> None:
    examined = family().examine(crls=(data,))

    assert examined.revocation.state == "unknown" or data == LIST


@FUZZ
@given(near(LEAF))
def test_a_certificate_changed_in_any_way_is_refused_or_not_ok(data) -> None:
    try:
        (leaf,) = reading.read_certificates(data)
    except Invalid:
        return
    assert not family().examine(leaf=leaf, ocsp=ANSWER).is_ok or data == LEAF


@FUZZ
@given(near(family().issuing.certificate.public_bytes(Encoding.DER)))
def test_an_issuer_changed_in_any_way_vouches_for_nothing(data) -> None:
    try:
        others = list(reading.read_certificates(data))
    except Invalid:
        return
    examined = family().examine(others=others, ocsp=ANSWER)
    assert not examined.is_ok or others == [family().issuing.certificate]


@FUZZ
@given(near(QUERY))
def test_every_query_for_a_stamp_has_a_reply(data) -> None:
    reply = stamps.stamp(data, family().stamper_chain, serial=1, on=NOW, policy=names.STAMP_POLICY)
    status = core.Sequence.load(reply, strict=True)[0]

    assert status.native["0"] in (0, 2)


@FUZZ
@given(near(REPLY))
def test_a_stamp_is_believed_or_refused(data) -> None:
    try:
        stamp = stamps.check_stamp(data, [family().root.certificate], on=NOW, content=DATA)
    except Refused as problem:
        assert problem.what.zh and problem.what.en
    else:
        assert (stamp.at, stamp.serial, stamp.nonce) == (NOW, 1, 7)  # whatever was changed was not part of what is said


@FUZZ
@given(near(CLAIMS.as_der()))
def test_the_registers_words_are_read_or_refused(data) -> None:
    try:
        claims = leaves.Claims.from_der(data)
    except Invalid as problem:
        assert problem.what.zh and problem.what.en
    else:
        assert claims.as_der() == data  # there is one spelling


WORDS = st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=64)


@FUZZ
@given(WORDS, WORDS, WORDS, st.sampled_from(leaves.IssuerKind), st.booleans())
def test_whatever_the_register_says_comes_back_as_it_was(system, version, party, kind, provisional) -> None:
    claims = leaves.Claims(
        system_id=system,
        version_id=version,
        party_id=party,
        issuer_kind=kind,
        provisional=provisional,
        register_url="https://a/b",
    )

    assert leaves.Claims.from_der(claims.as_der()) == claims


# --- bounds ------------------------------------------------------------------------------------------------------

LARGE = {
    "zeros": bytes(8_000_000),
    "nested sequences": b"\x30\x80" * 500_000,
    "nested with lengths": b"\x30\x83\x7a\x12\x00" * 100_000,
    "one huge sequence": b"\x30\x83\x7a\x12\x00" + bytes(8_000_000),
    "many small values": b"\x30\x83\x7a\x12\x00" + b"\x02\x01\x01" * 2_666_666,
    "PEM without an end": b"-----BEGIN CERTIFICATE-----" + b"A" * 8_000_000,
    "many beginnings": b"-----BEGIN CERTIFICATE-----" * 300_000,
    "white space": b" " * 8_000_000,
}
READERS = {
    "requests": requests.read_request,
    "certificates": reading.read_certificates,
    "claims": leaves.Claims.from_der,
    "stamps": lambda data: stamps.check_stamp(data, [family().root.certificate], on=NOW, content=DATA),
}


@pytest.mark.parametrize("large", LARGE)
@pytest.mark.parametrize("reader", READERS)
def test_hostile_input_is_refused_before_it_costs_anything(reader, large) -> None:
    began = time.process_time()

    with pytest.raises((Invalid, Refused)):
        READERS[reader](LARGE[large])

    assert time.process_time() - began < 2  # CPU of this process, and a hundred times what it takes


@pytest.mark.parametrize("large", LARGE)
def test_hostile_answers_lists_questions_and_queries_cost_little(large) -> None:
    began = time.process_time()
    data, ours = LARGE[large], family()

    assert ours.examine(ocsp=data).revocation.state == "unknown"
    assert ours.examine(crls=(data,)).revocation.state == "unknown"
    assert len(ocsp.answer(data, ours.responder, ours.issuing.certificate, lambda _: None, on=NOW, valid_for=DAY)) < 99
    assert len(stamps.stamp(data, ours.stamper_chain, serial=1, on=NOW, policy=names.STAMP_POLICY)) < 99
    assert time.process_time() - began < 4


@pytest.mark.parametrize("within", [b"\x30\x80" * 6000, b"\xa0\x82\x2e\xe0" * 3000, b"\x30\x82\x0f\xa0" + bytes(4000)])
def test_hostile_input_within_the_bounds_of_size_is_refused_too(within) -> None:
    for name, read in READERS.items():
        with pytest.raises((Invalid, Refused)):
            read(within)
        assert name
    assert family().examine(ocsp=within, crls=(within,)).revocation.state == "unknown"
    short = within[:4000]
    assert stamps.stamp(short, family().stamper_chain, serial=1, on=NOW, policy=names.STAMP_POLICY)
    assert path.Purpose.IDENTITY in path.Purpose
