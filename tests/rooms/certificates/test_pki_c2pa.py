"""A picture signed with a leaf of ours is trusted by two C2PA engines that trust our root, and by none that does not."""

import io
from collections.abc import Callable
from functools import cache

import c2pa
import encypher_c2pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.rooms.certificates.pki_house import FAMILIES, Family, curve, family, strangers

from safebelt.rooms.certificates.pki import names


def segment(marker: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2) + body


# One grey point, as small as JPEG allows: a flat quantisation, one code for *no difference*, one for *end of block*.
ONE_CODE = b"\x01" + bytes(15) + b"\x00"
POINT = b"".join(
    [
        b"\xff\xd8",
        segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"),
        segment(0xDB, b"\x00", b"\x01" * 64),
        segment(0xC0, b"\x08\x00\x01\x00\x01\x01\x01\x11\x00"),
        segment(0xC4, b"\x00", ONE_CODE),
        segment(0xC4, b"\x10", ONE_CODE),
        segment(0xDA, b"\x01\x01\x00\x00\x3f\x00"),
        b"\x3f\xff\xd9",
    ]
)
MANIFEST = {
    "claim_generator_info": [{"name": "Safebelt test", "version": "1"}],
    "assertions": [
        {
            "label": "c2pa.actions.v2",
            "data": {
                "actions": [
                    {
                        "action": "c2pa.created",
                        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
                    }
                ]
            },
        }
    ],
}
KEYS = {"es256": curve("leaf"), "es384": curve("ca of a system"), "ed25519": ed25519.Ed25519PrivateKey.generate()}


def pem(*certificates: x509.Certificate) -> str:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates).decode()


def context(root: x509.Certificate) -> c2pa.Context:
    return c2pa.Context.from_dict(
        {
            "version": 1,
            "trust": {"trust_anchors": pem(root), "user_anchors": pem(root), "trust_config": "1.3.6.1.4.1.62558.2.1\n"},
            "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False},
            "builder": {"thumbnail": {"enabled": False}},
        }
    )


@cache
def signed(algorithm: str, level: str, of: Callable[[], Family] = family) -> bytes:
    """The point, signed by a system with a leaf of ours."""
    key = KEYS[algorithm]
    leaf = of().issue(public_key=key.public_key(), level=level)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain = pem(leaf, of().issuing.certificate).encode()
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(algorithm.encode(), chain, private, None))
    made = io.BytesIO()
    c2pa.Builder(MANIFEST, context(of().root.certificate)).sign(signer, "image/jpeg", io.BytesIO(POINT), made)
    return made.getvalue()


def first_engine(picture: bytes, root: x509.Certificate) -> str:
    reader = c2pa.Reader("image/jpeg", io.BytesIO(picture), context=context(root))
    return str(reader.get_validation_state())


def second_engine(picture: bytes, root: x509.Certificate) -> dict:
    return encypher_c2pa.verify(
        picture, "image/jpeg", trust_pem=pem(root), no_default_trust=True, telemetry=False, online=False
    )


@pytest.fixture(autouse=True)
def no_home(monkeypatch, tmp_path) -> None:
    """The second engine writes its preferences down at home."""
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))


@pytest.mark.parametrize("of", FAMILIES)
@pytest.mark.parametrize("algorithm", KEYS)
@pytest.mark.parametrize("level", ["al1", "al2"])
def test_the_first_engine_trusts_it_given_our_root_and_only_then(algorithm, level, of) -> None:
    picture = signed(algorithm, level, FAMILIES[of])

    assert first_engine(picture, family().root.certificate) == "Trusted"
    assert first_engine(picture, strangers().root.certificate) == "Valid"  # whole, but nobody stands behind it


@pytest.mark.parametrize("of", FAMILIES)
@pytest.mark.parametrize("algorithm", KEYS)
@pytest.mark.parametrize("level", ["al1", "al2"])
def test_the_second_engine_trusts_it_given_our_root_and_only_then(algorithm, level, of) -> None:
    picture = signed(algorithm, level, FAMILIES[of])

    ours, theirs = (second_engine(picture, one.root.certificate) for one in (family(), strangers()))
    assert ours["validation_state"] == "Trusted" and ours["validation_results"]["failure"] == []
    assert ours["trust"]["status"] == "valid_for_supplied_material"
    assert theirs["validation_state"] == "Valid"
    assert [one["code"] for one in theirs["validation_results"]["failure"]] == ["signingCredential.untrusted"]


@pytest.mark.parametrize("place", [-1, -3])
def test_a_changed_picture_is_refused_by_both(place) -> None:
    changed = bytearray(signed("es256", "al1"))
    changed[place] ^= 1

    assert first_engine(bytes(changed), family().root.certificate) == "Invalid"
    assert second_engine(bytes(changed), family().root.certificate)["validation_state"] == "Invalid"


def test_a_leaf_without_standing_signs_no_claims_for_the_engines() -> None:
    identity = family().issue(level=None)
    private = family().leaf_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain = pem(identity, family().issuing.certificate).encode()
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", chain, private, None))
    builder = c2pa.Builder(MANIFEST, context(family().root.certificate))

    with pytest.raises(c2pa.C2paError, match=r"signingCredential\.invalid"):
        builder.sign(signer, "image/jpeg", io.BytesIO(POINT), io.BytesIO())


def test_no_number_of_our_identifiers_is_too_large_for_a_common_reader() -> None:
    for oid in (names.REGISTER_CLAIMS, names.STAMP_POLICY):
        assert all(int(part) < 1 << 31 for part in oid.dotted_string.split("."))
