"""What this house signs and verifies without the engine: the engine agrees, and nothing else is let through."""

import io
import json
from contextlib import suppress
from dataclasses import replace
from functools import cache
from random import Random
from types import SimpleNamespace
from typing import Any

import c2pa
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as some
from tests.rooms.certificates.pki_house import family, strangers
from tests.rooms.certificates.test_pki_c2pa import POINT, second_engine

from safebelt.rooms.labelling.formats import jpeg
from safebelt.rooms.labelling.formats.carrier import Span, applied
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.model.provenance import Claim
from safebelt.rooms.labelling.provenance import cbor, jpeg_stores, stores, swift
from safebelt.rooms.labelling.provenance.manifests import Manifests, Signer

CLAIM = Claim(
    system=("问答助手", "1.0"),
    software=("Safebelt", "1"),
    aigc={"Label": "1", "ContentProducer": "001191310104MACE0YX63918020", "ProduceID": "mrk_1"},
    bindings={"com.example.one": "00ff", "com.example.two": "11"},
)


def pem(*certificates: Any) -> str:
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in certificates)


def raw(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def signed(house: Any = None, claim: Claim = CLAIM, content: bytes = POINT) -> bytes:
    house = house or family()
    chain = pem(house.leaf, house.issuing.certificate)
    made = swift.signed_jpeg(content, claim, chain, lambda data: raw(house.leaf_key, data))
    assert made is not None
    return made


@cache
def ours() -> bytes:
    return signed()


def roots(house: Any = None) -> str:
    return pem((house or family()).root.certificate)


def seen_by_engine(data: bytes) -> SimpleNamespace:
    with c2pa.Reader("image/jpeg", io.BytesIO(data)) as reader:
        said = json.loads(reader.json())
    results = said["validation_results"]["activeManifest"]
    one = said["manifests"][said["active_manifest"]]
    return SimpleNamespace(
        failure={each["code"] for each in results["failure"]},
        success={each["code"] for each in results["success"]},
        said=[(each["label"], each["data"]) for each in one["assertions"]],
        title=one["title"],
        serial=int(one["signature_info"]["cert_serial_number"]),
    )


def test_the_engine_finds_nothing_wrong_but_that_it_does_not_know_our_root() -> None:
    found = seen_by_engine(ours())

    assert found.failure == {"signingCredential.untrusted"}
    assert {"claimSignature.validated", "assertion.dataHash.match", "assertion.hashedURI.match"} <= found.success
    assert dict(found.said)["cn.tc260.aigc"] == CLAIM.aigc
    assert [data["alg"] for label, data in found.said if label == "c2pa.soft-binding"] == [*CLAIM.bindings]
    assert (found.title, found.serial) == ("问答助手 1.0", family().leaf.serial_number)


def test_a_second_engine_trusts_it_under_our_root_and_not_when_it_was_changed(monkeypatch, tmp_path) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))  # that engine writes its preferences down at home
    changed = ours()[:-3] + bytes([ours()[-3] ^ 1]) + ours()[-2:]

    assert second_engine(ours(), family().root.certificate)["validation_state"] == "Trusted"
    assert second_engine(changed, family().root.certificate)["validation_state"] == "Invalid"


def test_we_read_what_the_engine_reads(tmp_path) -> None:
    path = tmp_path / "ours.jpg"
    path.write_bytes(ours())
    read = Manifests(roots())

    own, engine = swift.manifest_of_jpeg(ours(), roots()), read.read(path, Kind.JPEG)

    assert own is not None and engine is not None
    assert own.fingerprint and engine.trusted_by == "home"
    assert replace(own, fingerprint="", generator="", bindings={}) == replace(engine, generator="", bindings={})
    assert own.bindings == CLAIM.bindings


def test_a_file_with_jumbf_and_a_key_on_another_curve_are_the_engines(tmp_path) -> None:
    chain = pem(family().leaf, family().issuing.certificate)

    assert swift.signed_jpeg(ours(), CLAIM, chain, lambda data: raw(family().leaf_key, data)) is None
    long = replace(CLAIM, aigc={"Label": "1" * stores.MAX_BYTES})
    assert swift.signed_jpeg(POINT, long, chain, lambda data: raw(family().leaf_key, data)) is None

    signer = Signer(algorithm="es256", chain=chain, sign=lambda data: raw(family().leaf_key, data))
    again = Manifests("").signed(ours(), Kind.JPEG, CLAIM, signer)
    path = tmp_path / "again.jpg"
    path.write_bytes(again)
    found = Manifests(roots()).read(path, Kind.JPEG, again)
    assert found is not None and found.is_bound and found.is_signed


def test_no_changed_byte_of_store_or_content_gets_through() -> None:
    plain, draw = ours(), Random(7)
    assert swift.manifest_of_jpeg(plain, roots()) is not None
    places = {*range(200), *draw.sample(range(len(plain)), 800)}

    for at in places:
        changed = bytearray(plain)
        changed[at] ^= 1 << draw.randrange(8)
        assert swift.manifest_of_jpeg(bytes(changed), roots()) is None, at


def test_what_is_cut_added_or_moved_does_not_get_through() -> None:
    plain = ours()
    store = jpeg_stores.found(plain)
    assert store is not None
    segment = plain[store.start : store.start + store.length]
    rest = plain[: store.start] + plain[store.start + store.length :]
    cases = [
        plain[:-1],
        plain + b"\0",
        rest[:2] + segment + rest[2:],  # before JFIF
        rest[:-2] + segment + rest[-2:],
        plain[: store.start] + segment + plain[store.start :],
        b"",
        plain[: store.start + 40],
    ]

    for case in cases:
        if case != plain:
            assert swift.manifest_of_jpeg(case, roots()) is None


def test_a_file_signed_with_an_edit_is_the_edited_file_signed() -> None:
    own, label = family(), json.dumps(dict(CLAIM.aigc))
    chain = pem(own.leaf, own.issuing.certificate)

    def sign(data: bytes) -> bytes:
        return raw(own.leaf_key, data)

    end = Span(2, len(POINT))
    for edit in (jpeg.write(POINT, label), [POINT[:2], end], [Span(0, 2), b"\xff\xfe\0\x04hi", end], [POINT]):
        at_once = swift.signed_jpeg(POINT, CLAIM, chain, sign, edit)
        in_turn = swift.signed_jpeg(applied(POINT, edit), CLAIM, chain, sign)

        assert at_once is not None and in_turn is not None
        assert swift.manifest_of_jpeg(at_once, roots()) == swift.manifest_of_jpeg(in_turn, roots()) is not None
        store, other = jpeg_stores.found(at_once), jpeg_stores.found(in_turn)
        assert store is not None and other is not None
        assert replace(store, signature=b"") == replace(other, signature=b"")  # no two signatures are alike
        assert len(at_once) == len(in_turn)


def test_a_manifest_of_another_content_does_not_fit_and_other_roots_do_not_vouch() -> None:
    other = signed(content=POINT[:-2] + b"\xff\xfe\0\x04hi\xff\xd9")
    store = jpeg_stores.found(other)
    assert store is not None
    segment = other[store.start : store.start + store.length]
    swapped = POINT[: store.start] + segment + POINT[store.start :]

    assert swift.manifest_of_jpeg(other, roots()) is not None
    assert swift.manifest_of_jpeg(swapped, roots()) is None
    assert swift.manifest_of_jpeg(ours(), roots(strangers())) is None
    assert swift.manifest_of_jpeg(signed(strangers()), roots()) is None


def test_who_has_a_certificate_is_no_authority() -> None:
    """The leaf's owner issues a certificate to another name: it leads to the root by way of one that may not issue."""
    own = family()
    chain = pem(own.leaf, own.leaf, own.issuing.certificate)
    made = swift.signed_jpeg(POINT, CLAIM, chain, lambda data: raw(own.leaf_key, data))
    without_authority = swift.signed_jpeg(POINT, CLAIM, pem(own.leaf, own.leaf), lambda data: raw(own.leaf_key, data))

    assert made is not None and swift.manifest_of_jpeg(made, roots()) is None
    assert without_authority is not None and swift.manifest_of_jpeg(without_authority, roots()) is None


def test_another_key_does_not_sign_for_the_certificate() -> None:
    stolen = swift.signed_jpeg(
        POINT, CLAIM, pem(family().leaf, family().issuing.certificate), lambda data: raw(strangers().leaf_key, data)
    )

    assert stolen is not None and swift.manifest_of_jpeg(stolen, roots()) is None
    assert "claimSignature.mismatch" in seen_by_engine(stolen).failure


TEXTS = some.text(some.characters(codec="utf-8"), max_size=40)
STORES = some.builds(
    stores.Store,
    title=TEXTS,
    software=some.tuples(TEXTS, TEXTS),
    aigc=some.dictionaries(TEXTS, TEXTS, max_size=4),
    bindings=some.lists(some.tuples(TEXTS, TEXTS), max_size=2).map(tuple),
    start=some.integers(0, 70_000),
    length=some.integers(0, 70_000),
    digest=some.binary(min_size=32, max_size=32) | some.binary(max_size=40),
    chain=some.lists(some.binary(max_size=400), max_size=2).map(tuple),
    signature=some.binary(min_size=64, max_size=64) | some.binary(max_size=70),
)


@settings(max_examples=150)
@given(STORES, some.binary(min_size=32, max_size=32), some.integers(0x100, 60_000))
def test_a_store_filled_into_a_frame_is_the_one_that_is_written_out(store: Any, digest: bytes, length: int) -> None:
    store = replace(store, length=length, digest=digest, signature=bytes(64))
    store.to_bytes()  # a frame is kept
    for digest_, signature in ((digest[::-1], b"\1" * 64), (b"\0" * 32, digest * 2)):
        next_one = replace(store, digest=digest_, signature=signature, length=max(0x100, length // 2))

        assert next_one.to_bytes() == next_one._written_out()[0]
        assert next_one._claim == next_one._claimed()
        assert stores.read(next_one.to_bytes()) == next_one


@given(STORES)
def test_a_store_of_any_kind_is_read_as_it_was_written_or_not_at_all(store: Any) -> None:
    found = stores.read(store.to_bytes())

    assert found in (None, store)
    assert store.to_bytes() == store._written_out()[0]


def test_what_a_frame_is_found_by_may_stand_in_a_title_too() -> None:
    """Somebody calls a content by the number its manifest will have, so that the next one's would get into the title."""
    first = plain_store(title="")
    for title in (first.number, first.digest.hex(), "flength", f"{first.number} {first.number}"):
        named = replace(first, title=title)
        other = replace(named, digest=b"\7" * 32)

        assert named.to_bytes() == named._written_out()[0]
        assert other.to_bytes() == other._written_out()[0]
        assert stores.read(other.to_bytes()) == other


def test_a_store_of_the_same_size_and_another_shape_is_read_as_what_it_is() -> None:
    one, other = plain_store(title="one"), plain_store(title="two")
    data = [each.to_bytes() for each in (one, other)]

    assert len(data[0]) == len(data[1])
    assert [stores.read(each) for each in (*data, *data)] == [one, other, one, other]
    assert stores.read(data[0].replace(b"jumbf manifest", b"jumbf manifesT")) is None


def plain_store(title: str) -> stores.Store:
    return stores.Store(
        title=title,
        software=("Safebelt", "1"),
        aigc={"Label": "1"},
        bindings=(),
        start=2,
        length=600,
        digest=b"\5" * 32,
        chain=(b"leaf", b"above"),
    )


VALUES = some.recursive(
    some.none() | some.booleans() | some.integers(-(2**64), 2**64 - 1) | some.binary(max_size=300) | some.text(),
    lambda inner: some.lists(inner, max_size=5) | some.dictionaries(some.text() | some.integers(0, 99), inner),
    max_leaves=20,
)


@settings(max_examples=60)
@given(VALUES)
def test_what_is_written_as_cbor_is_read_as_it_was(value: Any) -> None:
    assert cbor.decode(cbor.encode(value)) == value


@given(some.binary(max_size=200))
def test_any_bytes_are_cbor_or_an_error_that_is_named(data: bytes) -> None:
    with suppress(ValueError):
        cbor.decode(data)
    assert stores.read(data) is None


def test_a_value_is_read_at_its_place_whatever_follows_it() -> None:
    data = b"\xff" + cbor.encode({"one": [1, 2]}) + b"\xff"

    assert cbor.decode_at(data, 1) == {"one": [1, 2]}
    assert cbor.encode({"one": cbor.Written(cbor.encode([1, 2]))}) == data[1:-1]
    for at in (0, len(data) - 1, len(data)):
        with pytest.raises(ValueError):
            cbor.decode_at(data, at)


def test_a_claim_that_names_a_key_in_a_value_is_left_to_the_engine_or_read_rightly() -> None:
    """Fields are looked for by their names: a title that has one in it misleads nobody."""
    for name in ("dc:title", "claim_generator_info"):
        title = (cbor.encode(name) + cbor.encode("another")).decode()
        made = signed(claim=replace(CLAIM, system=(title, "1"), software=(title, "1")))
        found = swift.manifest_of_jpeg(made, roots())

        assert found is None or found.generator == f"{title} 1"
        assert dict(seen_by_engine(made).said)["cn.tc260.aigc"] == CLAIM.aigc


def test_nesting_and_lengths_beyond_the_bytes_are_refused() -> None:
    for hostile in (b"\x81" * 100_000, b"\x9b" + b"\xff" * 8, b"\xa1\x80\x00", b"\xf9\x00\x00", b"\x7f\xff", b""):
        with pytest.raises(ValueError):
            cbor.decode(hostile)
