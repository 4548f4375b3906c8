"""The signature a label may carry in its reserved codes: reading the shapes that are seen, checking them, making ours.

Shape: TC260-PG-202511A, `{"SecurityData": {"Type": …, "PubSD": [{"Type": "DS", …}, {"Type": "PubKey", …}]}}` as a
string in the reserved code (seen in secondary sources and in labels of several services, not in the original).  What is
signed are the bytes `"Label":"1","ContentProducer":"…","ProduceID":"…"`; some services sign the SM3 digest of these.

A key that travels in the file shows only that the label was not changed since: *who* signed is known where the key is
that of a certificate.  Ours name the certificate by its serial number (`KeyID`), and carry no key.
"""

import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.labelling.model.checks import AxisFound, Verdict
from safebelt.rooms.labelling.model.label import KEYS
from safebelt.rooms.labelling.provenance import sm2

SM3_WITH_SM2 = "1.2.156.10197.1.501"
ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2"
ED25519 = "1.3.101.112"
TYPE = "TC260PG"
SERIAL_PREFIX = "crt_"
"""What the `KeyID` of our signatures begins with; the certificate's serial number follows, hexadecimal."""

_SPKI_SM2 = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
"""SubjectPublicKeyInfo of an uncompressed SM2 point, up to the point (RFC 5480; GM/T 0006 for the curve's OID)."""
_POINT_BYTES, _RAW_BYTES = 65, 64
_MAX_CHARS, _MAX_PARTS = 16_384, 8
_JSON = json.JSONEncoder(separators=(",", ":"))
_CITES = ("cn/gb-45438-2025#annex_f",)

PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
Certified = Callable[[str], PublicKey | None]
"""Finds the key of a certificate by its serial number; None where it is not known here."""
Sign = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityData:
    """A signature and its key, as a reserved code names them."""

    algorithm: str
    signature: bytes
    covers: str
    key: bytes
    key_id: str


def message(fields: Mapping[str, str]) -> bytes:
    """Return the bytes that a producer signs (TC260-PG-202511A A.1)."""
    names = (KEYS["label"], KEYS["content_producer"], KEYS["produce_id"])
    return ",".join(f'"{name}":"{fields.get(name, "")}"' for name in names).encode()


def reserved_code(fields: Mapping[str, str], *, algorithm: str, serial: str, sign: Sign) -> str:
    """Return a reserved code with our signature.

    Args:
        fields: The label.
        algorithm: Object identifier of the signature's algorithm.
        serial: Serial number of the signing certificate, hexadecimal.
        sign: Signs bytes with its key.
    """
    part = {
        "Type": "DS",
        "AlgID": algorithm,
        "TBSData": {"Type": "Md"},
        "Signature": sign(message(fields)).hex(),
        "KeyID": f"{SERIAL_PREFIX}{serial}",
    }
    return _JSON.encode({"SecurityData": {"Type": TYPE, "Version": 1, "PubSD": [part]}})


def read(code: str) -> SecurityData | None:
    """Read a reserved code; None where it holds no signature of the known shape."""
    try:
        data = json.loads(code[:_MAX_CHARS])["SecurityData"]
        parts = [part for part in data["PubSD"] if isinstance(part, dict)][:_MAX_PARTS]
        merged = {key: value for part in _in_order(parts) for key, value in part.items() if key != "Type"}
        return SecurityData(
            algorithm=str(merged["AlgID"]),
            signature=bytes.fromhex(merged["Signature"]),
            covers=str(merged.get("TBSData", {}).get("Type", "")),
            key=bytes.fromhex(merged.get("KeyValue", "")),
            key_id=str(merged.get("KeyID", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error):
        return None


def _in_order(parts: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the keys first: where both name an algorithm, that of the signature counts."""
    yield from (part for part in parts if "Signature" not in part)
    yield from (part for part in parts if "Signature" in part)


def axis(fields: Mapping[str, str], certified: Certified) -> AxisFound:
    """Judge the producer's signature of a label.

    Args:
        fields: The label, by the standard's keys.
        certified: Finds the key of a certificate that a signature names.
    """
    code = fields.get(KEYS["reserved_code1"], "")
    if not code:
        return _found(Verdict.ABSENT, "标识没有附带签名。", "The label carries no signature.")
    if (data := read(code)) is None:
        return _found(
            Verdict.UNKNOWN,
            "ReservedCode1 的内容不是已知形式的签名，只有写入者能够核验。",
            "ReservedCode1 is no signature of a known shape; only who wrote it can check it.",
        )
    if data.covers != "Md":
        return _found(
            Verdict.UNKNOWN,
            "签名所覆盖的内容不是标识本身，此处无法核验。",
            "The signature is over something else than the label; it cannot be checked here.",
        )
    if data.key_id.startswith(SERIAL_PREFIX):
        return _ours(data, fields, certified)
    return _sm2(data, fields)


def _ours(data: SecurityData, fields: Mapping[str, str], certified: Certified) -> AxisFound:
    serial = data.key_id.removeprefix(SERIAL_PREFIX)
    key = certified(serial)
    if key is None:
        return _found(
            Verdict.UNKNOWN,
            f"签名所用证书 {serial[:64]} 在此未知。",
            f"The signing certificate {serial[:64]} is not known here.",
        )
    if _holds(data, key, message(fields)):
        return _found(
            Verdict.OK,
            f"标识由证书 {serial} 的密钥签名，未被改动；它不覆盖内容本身。",
            f"The key of certificate {serial} signed the label, which was not changed; it does not cover the content.",
        )
    return _found(Verdict.BAD, "标识与其签名不符。", "The label does not match its signature.")


def _holds(data: SecurityData, key: PublicKey, signed: bytes) -> bool:
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(data.signature, signed)
            return data.algorithm == ED25519
        key.verify(data.signature, signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return data.algorithm == ECDSA_WITH_SHA256


def _sm2(data: SecurityData, fields: Mapping[str, str]) -> AxisFound:
    point, pairs = _point(data.key), list(_pairs(data.signature))
    if data.algorithm != SM3_WITH_SM2 or point is None:
        return _found(
            Verdict.UNKNOWN,
            f"签名算法 {data.algorithm[:64]} 或其公钥在此不受支持。",
            f"The algorithm {data.algorithm[:64]}, or its key, is not supported here.",
        )
    plain = message(fields)
    if any(sm2.verify(point, one, pair) for one in (plain, sm2.sm3(plain)) for pair in pairs):
        return _found(
            Verdict.OK,
            "标识与其 SM2 签名相符，自签名后未被改动；公钥随文件而来，签名者是谁未得到证实。",
            "The label matches its SM2 signature, and was not changed since; the key came with the file, so who signed "
            "is not proven.",
        )
    return _found(Verdict.BAD, "标识与其 SM2 签名不符。", "The label does not match its SM2 signature.")


def _point(key: bytes) -> sm2.Point | None:
    raw = key.removeprefix(_SPKI_SM2)
    if len(raw) != _POINT_BYTES or raw[0] != 4:  # uncompressed (SEC 1, 2.3.3)
        return None
    point = int.from_bytes(raw[1:33]), int.from_bytes(raw[33:])
    return point if sm2.is_on_curve(point) else None


def _pairs(signature: bytes) -> Iterator[tuple[int, int]]:
    """Yield `(r, s)` as raw numbers and as DER, whichever it can be."""
    if len(signature) == _RAW_BYTES:
        yield int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    try:
        yield decode_dss_signature(signature)
    except ValueError:
        return


def _found(verdict: Verdict, zh: str, en: str) -> AxisFound:
    holds = {Verdict.OK: Truth.TRUE, Verdict.BAD: Truth.FALSE}.get(verdict, Truth.UNKNOWN)
    return AxisFound(verdict=verdict, reason=Reason(says=Text(zh=zh, en=en), holds=holds, cites=_CITES))
