"""A key that anybody could sign for is no key: points of small order and second spellings are refused in the house too."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.ledger.ed25519_cases import Signed, edge_cases, house_says, small_points, vectors
from tests.rooms.ledger.verifier_cases import load_script

from safebelt.engines.signing import SignatureType, VerifierKey, open_note
from safebelt.engines.signing.notes import signature_line
from safebelt.engines.signing.points import has_large_order, is_public_key
from safebelt.kernel.errors import Invalid, Refused
from safebelt.rooms.certificates.pki import requests

SCRIPT = load_script()
FORGED = (1).to_bytes(32, "little") + bytes(32)
"""R is the neutral point and S nothing: the equation of a key of small order holds for one message in eight, or for all."""


def key_of(public: bytes, type_: SignatureType = SignatureType.NOTE) -> VerifierKey:
    return VerifierKey.of("example.com/log", type_, public)


def house_holds(case: Signed) -> bool:
    return key_of(case.public).has_signed(case.signature, case.message)


@pytest.mark.parametrize("type_", [SignatureType.NOTE, SignatureType.ED25519])
@pytest.mark.parametrize("name", small_points())
def test_no_spelling_of_a_point_of_small_order_is_a_verifier_key(name, type_) -> None:
    public = small_points()[name]

    assert not has_large_order(public) and not is_public_key(public)
    with pytest.raises(Invalid, match="not a valid verifier key"):
        VerifierKey.parse(str(key_of(public, type_)))


def test_a_forged_note_under_such_a_key_opens_for_nobody_though_the_library_would_believe_it() -> None:
    key, text = key_of(small_points()["y 0x1 0"]), "example.com/log\n1\nAAAA\n"
    case = Signed(what="forged", public=key.public, message=text.encode(), signature=FORGED)

    assert house_says(case)  # the library, alone
    with pytest.raises(Refused):
        open_note(f"{text}\n{signature_line(key, FORGED)}", [key])


def test_house_and_strangers_tool_judge_every_published_and_every_odd_signature_alike() -> None:
    said = {
        one.what: (house_holds(one), bool(SCRIPT.has_signed(one.public, one.signature, one.message)))
        for one in (*vectors(), *edge_cases())
    }

    assert {what: both for what, both in said.items() if both[0] != both[1]} == {}
    assert {both[0] for both in said.values()} == {True, False} and len(said) > 100


@given(seed=st.binary(min_size=32, max_size=32))
def test_keys_that_are_made_are_keys(seed) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public = key.public_key().public_bytes_raw()

    assert is_public_key(public) and has_large_order(key.sign(b"m")[:32])
    assert VerifierKey.parse(str(key_of(public))).public == public


@given(data=st.binary(min_size=32, max_size=32))
def test_what_is_a_point_is_what_the_other_implementation_calls_one(data) -> None:
    assert is_public_key(data) == (SCRIPT.decode_point(data) is not None)


@pytest.mark.parametrize("data", [b"", bytes(31), bytes(33), b"\xff" * 32])
def test_what_is_no_key_at_all_is_refused_quietly(data) -> None:
    assert not is_public_key(data) and not has_large_order(data)


def test_a_request_whose_key_anybody_could_sign_for_proves_no_possession() -> None:
    key = Ed25519PrivateKey.generate()
    whole = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, None)
    forged = whole.public_bytes(Encoding.DER).replace(key.public_key().public_bytes_raw(), FORGED[:32])
    forged = forged.replace(whole.signature, FORGED)

    assert x509.load_der_x509_csr(forged).is_signature_valid  # the library is satisfied
    with pytest.raises(Invalid, match="small order"):
        requests.read_request(forged)
    assert requests.read_request(whole.public_bytes(Encoding.DER)).public_key == key.public_key()
