"""Signing contents with a system's identity: what labels and manifests are signed with.

The key stays in the agent's folder, or in memory; whoever signs gets a function.  Nothing is signed with an identity
that is over or was taken back.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from safebelt.rooms.certificates.model import Standing
from safebelt.rooms.certificates.pki import keys
from safebelt.rooms.certificates.service.agents import read_note

_ALGORITHMS = {256: ("es256", "1.2.840.10045.4.3.2"), 384: ("es384", "1.2.840.10045.4.3.3")}
"""Curve's size in bits to the names of ECDSA with its hash: COSE (RFC 9053, 2.1) and X.509 (RFC 5758, 3.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Signs contents as one system.

    Attributes:
        system_id: Whose hand it is.
        serial: Its certificate.
        chain: That and those above it, PEM, without the root.
        not_after: When it ends.
        algorithm: Name of the algorithm as COSE has it, in lower case.
        identifier: The same as X.509's object identifier.
        sign: Signs bytes: DER.
    """

    system_id: str
    serial: str
    chain: str
    not_after: datetime
    algorithm: str
    identifier: str
    sign: Callable[[bytes], bytes] = field(repr=False)

    def raw(self, data: bytes) -> bytes:
        """Sign bytes: the two numbers one after the other, as COSE wants them (RFC 9053, 2.1)."""
        length = {"es256": 32, "es384": 48}[self.algorithm]
        r, s = decode_dss_signature(self.sign(data))
        return r.to_bytes(length) + s.to_bytes(length)


def hand(folder: Path, *, at: datetime) -> Hand | None:
    """Return the hand of the identity that an agent keeps in a folder; None where there is none in force.

    Raises:
        Unavailable: The folder's note or key cannot be read.
    """
    carried = read_note(folder)
    if carried is None or not carried.serial or carried.not_after is None:
        return None
    if carried.standing is not Standing.GOOD or at > carried.not_after:
        return None
    key = keys.load_key(folder / carried.key)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.key_size not in _ALGORITHMS:
        return None
    algorithm, identifier = _ALGORITHMS[key.curve.key_size]
    return Hand(
        system_id=carried.system_id,
        serial=carried.serial,
        chain=carried.chain,
        not_after=carried.not_after,
        algorithm=algorithm,
        identifier=identifier,
        sign=lambda data: keys.sign(key, data),
    )
