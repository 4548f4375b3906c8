"""A label's signature holds for the label it was made over, and for no other."""

import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given
from hypothesis import strategies as st

from safebelt.rooms.labelling.model import Verdict
from safebelt.rooms.labelling.provenance import integrity, sm2

# The example of GB/T 32918.5-2017, annex A.2.
PUBLISHED_KEY = (
    0x09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020,
    0xCCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13,
)
PUBLISHED = (
    0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3,
    0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA,
)

# Two labels that a service published, with the key that came with them.
KEY = (
    "3059301306072A8648CE3D020106082A811CCF5501822D034200045728F08C58D9C72150A705693EF7337859F8FF216E802630041AFAE5C036F"
    "0A67CB1FDF8C57F5F8B623284AE09E4E545464B7140B26BBDA51BAE965F854C57AA"
)
IN_THE_WILD = {
    "142569260085903360": (
        "3046022100AE6B84B3342128AE301A597596FCD9EECF3EA0FC2DB6C250BAF234E167298E9002210097223ABB647B786A90D0A1B93CB9382E"
        "A879563B2C7F025FA006BE16AE926C14"
    ),
    "147392816552226816": (
        "3045022100E816A5872275AE5414E7E0FD3D9B2C30F7B7FD68609D6486A38DF7CFAA1417B902201A510FBBE50819BAFF1FCC7B8527FF23CD4"
        "0447D41A6776E6BCF1F773AE0DBBC"
    ),
}
FIELDS = {"Label": "1", "ContentProducer": "001191310104MACE0YX63918020"}


def wild(produce_id: str, *, key: str = KEY, signature: str = "") -> dict[str, str]:
    of = {"AlgID": integrity.SM3_WITH_SM2}
    parts = [
        {"Type": "DS", **of, "TBSData": {"Type": "Md"}, "Signature": signature or IN_THE_WILD[produce_id]},
        {"Type": "PubKey", **of, "KeyValue": key},
    ]
    data = {"SecurityData": {"Type": "TC260PG", "Version": 1, "PubSD": parts, "Bindings": []}}
    return {**FIELDS, "ProduceID": produce_id, "ReservedCode1": json.dumps(data)}


def nobody(_serial: str) -> None:
    return None


def test_the_standards_own_example_verifies_and_nothing_near_it() -> None:
    r, s = PUBLISHED

    assert sm2.verify(PUBLISHED_KEY, b"message digest", (r, s))
    assert not sm2.verify(PUBLISHED_KEY, b"message digesu", (r, s))
    assert not sm2.verify(PUBLISHED_KEY, b"message digest", (r + 1, s))
    assert not sm2.verify(PUBLISHED_KEY, b"message digest", (r, s), user=b"somebody else")
    assert not sm2.verify((PUBLISHED_KEY[0], sm2.P - PUBLISHED_KEY[1]), b"message digest", (r, s))


@pytest.mark.parametrize("pair", [(0, 1), (1, 0), (sm2.N, 1), (1, sm2.N), (1, sm2.N - 1)])
def test_numbers_out_of_range_never_verify(pair) -> None:
    assert not sm2.verify(PUBLISHED_KEY, b"message digest", pair)


def test_the_generator_has_the_order_the_standard_says() -> None:
    assert sm2.is_on_curve(sm2.G)
    assert sm2._affine(sm2._times(sm2.N, sm2.G)) is None
    assert sm2._affine(sm2._times(sm2.N + 1, sm2.G)) == sm2.G


@pytest.mark.parametrize("produce_id", IN_THE_WILD)
def test_labels_that_a_service_published_verify(produce_id) -> None:
    assert integrity.axis(wild(produce_id), nobody).verdict is Verdict.OK


@pytest.mark.parametrize("produce_id", IN_THE_WILD)
@pytest.mark.parametrize("field", ["Label", "ContentProducer", "ProduceID"])
def test_one_changed_character_of_what_was_signed_fails(produce_id, field) -> None:
    fields = wild(produce_id)
    for at in range(len(fields[field])):
        other = "1" if fields[field][at] != "1" else "2"
        changed = {**fields, field: fields[field][:at] + other + fields[field][at + 1 :]}

        assert integrity.axis(changed, nobody).verdict is Verdict.BAD


def test_one_label_does_not_verify_with_the_others_signature() -> None:
    one, other = IN_THE_WILD

    assert integrity.axis(wild(one, signature=IN_THE_WILD[other]), nobody).verdict is Verdict.BAD


def test_raw_numbers_and_a_bare_point_are_read_too() -> None:
    produce_id = next(iter(IN_THE_WILD))
    r, s = integrity.decode_dss_signature(bytes.fromhex(IN_THE_WILD[produce_id]))

    fields = wild(produce_id, key=KEY[52:], signature=f"{r:064x}{s:064x}")

    assert integrity.axis(fields, nobody).verdict is Verdict.OK


def test_a_key_off_the_curve_is_not_evaluated() -> None:
    produce_id = next(iter(IN_THE_WILD))

    assert integrity.axis(wild(produce_id, key=KEY[:-1] + "B"), nobody).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()])
def test_our_signature_holds_with_the_certificates_key_and_with_no_other(key) -> None:
    is_curve = isinstance(key, ec.EllipticCurvePrivateKey)
    algorithm = integrity.ECDSA_WITH_SHA256 if is_curve else integrity.ED25519
    fields = {**FIELDS, "ProduceID": "rec_1"}

    def sign(data: bytes) -> bytes:
        return key.sign(data, ec.ECDSA(hashes.SHA256())) if is_curve else key.sign(data)

    code = integrity.reserved_code(fields, algorithm=algorithm, serial="0a", sign=sign)
    signed = {**fields, "ReservedCode1": code}

    assert integrity.axis(signed, lambda serial: key.public_key() if serial == "0a" else None).verdict is Verdict.OK
    assert integrity.axis(signed, nobody).verdict is Verdict.UNKNOWN
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert integrity.axis(signed, lambda _: stranger).verdict is Verdict.BAD
    assert integrity.axis({**signed, "ProduceID": "rec_2"}, lambda _: key.public_key()).verdict is Verdict.BAD


def test_no_code_is_absent_and_an_opaque_one_is_not_evaluated() -> None:
    assert integrity.axis(FIELDS, nobody).verdict is Verdict.ABSENT
    for opaque in ("e862483430d978cbf828b8b24296ef9328d843a0", "{}", '{"SecurityData":1}', "[" * 9000):
        assert integrity.axis({**FIELDS, "ReservedCode1": opaque}, nobody).verdict is Verdict.UNKNOWN


@given(st.text(max_size=300) | st.recursive(st.none() | st.text(), lambda x: st.dictionaries(
    st.sampled_from(["SecurityData", "PubSD", "Type", "AlgID", "Signature", "TBSData", "KeyValue", "KeyID"]), x
) | st.lists(x), max_leaves=12).map(json.dumps))  # fmt: skip
def test_no_code_makes_it_raise_and_none_is_ok_by_chance(code) -> None:
    found = integrity.axis({**FIELDS, "ProduceID": "x", "ReservedCode1": code}, nobody)

    assert found.verdict in (Verdict.ABSENT, Verdict.UNKNOWN, Verdict.BAD)
