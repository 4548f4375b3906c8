"""Time-stamps (RFC 3161, RFC 5816): somebody trusted says that these bytes existed at that moment.

Here they are made; what a reader does with one is in `tokens`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from asn1crypto import algos, cms, core, tsp  # type: ignore[import-untyped]
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from safebelt.rooms.certificates.pki import names
from safebelt.rooms.certificates.pki.keys import Signatory, hash_for, sign, signature_name
from safebelt.rooms.certificates.pki.tokens import DIGESTS, UNREADABLE, Reply, Stamp, check_stamp

__all__ = ["Stamp", "StamperChain", "check_stamp", "make_query", "stamp"]

MAX_QUERY_BYTES = 4096  # a query is under two hundred octets
MAX_NONCE_BITS = 256  # RFC 3161, 2.4.1 asks for 64; more than this is no nonce


@dataclass(frozen=True, slots=True, kw_only=True)
class StamperChain:
    """Who stamps, and the certificates a reader needs to get from it to the root.

    Attributes:
        stamper: The time-stamper.
        others: The stamping CA, and whatever is between it and the root.
    """

    stamper: Signatory
    others: tuple[x509.Certificate, ...] = field(default=())


def make_query(digest: bytes, *, nonce: int | None = None) -> bytes:
    """Ask for a time-stamp.

    Args:
        digest: SHA-256, SHA-384 or SHA-512 of the data: 32, 48 or 64 bytes.
        nonce: What the reply must repeat.

    Returns:
        The query, DER; it asks for the certificates.

    Raises:
        ValueError: The digest has another length.
    """
    wanted: dict[str, Any] = {"version": 1, "message_imprint": _imprint(digest), "cert_req": True}
    if nonce is not None:
        wanted["nonce"] = nonce
    return bytes(tsp.TimeStampReq(wanted).dump())


def stamp(query: bytes, chain: StamperChain, *, serial: int, on: datetime, policy: x509.ObjectIdentifier) -> bytes:
    """Answer a query.

    Args:
        query: What was asked, DER; anything at all.
        chain: Who stamps.
        serial: Unique under this stamper.
        on: Now: the moment it attests, to the second.
        policy: What the stamp is issued under.

    Returns:
        The reply, DER: a token, or a refusal that says why (`bad_data_format`, `bad_request`, `bad_alg`,
        `unaccepted_policy`, `unaccepted_extensions`, `time_not_available`).
    """
    asked = _read_query(query)
    if isinstance(asked, str):
        return _refusal(asked)
    if asked.policy not in (None, policy.dotted_string):
        return _refusal("unaccepted_policy")
    now, own = names.whole(on), chain.stamper.certificate
    if not own.not_valid_before_utc <= now <= own.not_valid_after_utc:
        return _refusal("time_not_available")
    told: dict[str, Any] = {
        "version": 1,
        "policy": policy.dotted_string,
        "message_imprint": _imprint(asked.digest),
        "serial_number": serial,
        "gen_time": now,
        "accuracy": {"seconds": 1},
    }
    if asked.nonce is not None:
        told["nonce"] = asked.nonce
    token = _token(tsp.TSTInfo(told).dump(), chain, now=now, has_certificates=asked.has_certificates)
    return bytes(Reply({"status": {"status": "granted"}, "time_stamp_token": token}).dump())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    digest: bytes
    nonce: int | None
    policy: str | None
    has_certificates: bool


def _read_query(data: bytes) -> _Asked | str:
    """Return what is asked, or the word of RFC 3161 for why it cannot be answered."""
    if len(data) > MAX_QUERY_BYTES:
        return "bad_data_format"
    try:
        query = tsp.TimeStampReq.load(data, strict=True)
        asked = _Asked(
            digest=query["message_imprint"]["hashed_message"].native,
            nonce=query["nonce"].native,
            policy=query["req_policy"].native,
            has_certificates=bool(query["cert_req"].native),
        )
        algorithm, version = query["message_imprint"]["hash_algorithm"]["algorithm"].native, query["version"].native
        has_extensions = bool(query["extensions"].native)
    except UNREADABLE:
        return "bad_data_format"
    is_sound = version == "v1" and -1 < (asked.nonce or 0) < 1 << MAX_NONCE_BITS
    if algorithm not in DIGESTS:
        return "bad_alg"
    if has_extensions:
        return "unaccepted_extensions"
    return asked if is_sound and len(asked.digest) == DIGESTS[algorithm]().digest_size else "bad_request"


def _imprint(digest: bytes) -> dict[str, Any]:
    for name, make in DIGESTS.items():
        if make().digest_size == len(digest):
            return {"hash_algorithm": {"algorithm": name}, "hashed_message": digest}
    raise ValueError("a digest is 32, 48 or 64 bytes")


def _token(info: bytes, chain: StamperChain, *, now: datetime, has_certificates: bool) -> cms.ContentInfo:
    """Sign what is attested: CMS signed data (RFC 5652) that names its one signer's certificate (RFC 5035)."""
    stamper, digest = chain.stamper, hash_for(chain.stamper.key).name
    own = stamper.certificate.public_bytes(Encoding.DER)
    signer = asn1_x509.Certificate.load(own)
    attributes = cms.CMSAttributes(
        [
            {"type": "content_type", "values": ["tst_info"]},
            {"type": "signing_time", "values": [cms.Time(name="utc_time", value=now)]},
            {"type": "message_digest", "values": [DIGESTS[digest](info).digest()]},
            {
                "type": "signing_certificate_v2",
                "values": [{"certs": [{"hash_algorithm": {"algorithm": "sha256"}, "cert_hash": sha256(own).digest()}]}],
            },
        ]
    )
    signed = {
        "version": "v3",
        "digest_algorithms": [algos.DigestAlgorithm({"algorithm": digest})],
        "encap_content_info": {"content_type": "tst_info", "content": core.ParsableOctetString(info)},
        "signer_infos": [
            {
                "version": "v1",
                "sid": cms.SignerIdentifier(
                    name="issuer_and_serial_number",
                    value={"issuer": signer.issuer, "serial_number": signer.serial_number},
                ),
                "digest_algorithm": {"algorithm": digest},
                "signed_attrs": attributes,
                "signature_algorithm": {"algorithm": signature_name(stamper.key)},
                "signature": sign(stamper.key, attributes.dump()),
            }
        ],
    }
    if has_certificates:
        ders = [own, *(one.public_bytes(Encoding.DER) for one in chain.others)]
        signed["certificates"] = [asn1_x509.Certificate.load(der) for der in ders]
    return cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed)})


def _refusal(why: str) -> bytes:
    return bytes(Reply({"status": {"status": "rejection", "fail_info": {why}}}).dump())
