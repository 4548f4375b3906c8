"""Proofs by a system's key: that a live service is who it says, and that whoever asks for a renewal holds the key."""

import base64
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from safebelt.kernel.errors import Conflict
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.decide.identity import hold_nonce, identity_text
from safebelt.rooms.certificates.model import STANDINGS, Identity, Standing
from safebelt.rooms.certificates.pki import keys
from safebelt.rooms.certificates.pki.keys import SigningKey

_P384_BITS = 384


@dataclass(frozen=True, slots=True, kw_only=True)
class Prover:
    """A certificate in use and its key, ready to sign: about 50 microseconds a proof with P-256.

    Attributes:
        system_id: Whom it names.
        place: Where the service is reached.
        chain: The certificate and those above it, PEM, without the root.
        not_after: When it ends.
        key: The private key.
    """

    system_id: str
    place: str
    chain: str
    not_after: datetime
    key: SigningKey = field(repr=False)

    def prove(self, nonce: str, at: datetime) -> Identity:
        """Sign what the asker chose.

        Raises:
            Invalid: The nonce is none.
            Conflict: The certificate is over: nothing is signed with it any more.
        """
        nonce = hold_nonce(nonce)
        if at > self.not_after:
            raise is_over(self.not_after)
        text = identity_text(system_id=self.system_id, place=self.place, nonce=nonce, at=at)
        signature = base64.b64encode(keys.sign(self.key, text.encode())).decode()
        return Identity(system_id=self.system_id, text=text, signature=signature, chain=self.chain)


def is_signed(public: object, signature: bytes, text: bytes) -> bool:
    """Whether a system's key signed a text: ECDSA (DER) with the hash that fits the curve, or Ed25519 (RFC 8032)."""
    try:
        if isinstance(public, ed25519.Ed25519PublicKey):
            public.verify(signature, text)
        elif isinstance(public, ec.EllipticCurvePublicKey):
            strength = hashes.SHA384() if public.curve.key_size == _P384_BITS else hashes.SHA256()
            public.verify(signature, text, ec.ECDSA(strength))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def is_over(ended: datetime) -> Conflict:
    """Return the problem of a service whose certificate's time is over."""
    day = f"{ended:%Y-%m-%d %H:%M} UTC"
    return Conflict(
        what=Text(zh=f"该系统的证书已过期（{day}）。", en=f"The certificate of this system is over ({day})."),
        hint=Text(
            zh="它不再证明任何事；请运营者换发证书。", en="It proves nothing any more; its operator has to renew it."
        ),
        details={"field": "system", "ended": ended.isoformat()},
    )


def taken_back(serial: str, standing: Standing) -> Conflict:
    """Return the problem of a service whose certificate does not count now."""
    stands = STANDINGS[standing]
    return Conflict(
        what=Text(
            zh=f"该系统的证书（{serial}）的状态是“{stands.zh}”，现在不计。",
            en=f"The certificate of this system ({serial}) is {stands.en}: it does not count now.",
        ),
        hint=Text(zh="它不证明任何事，直到签发机构恢复它。", en="It proves nothing unless its authority resumes it."),
        details={"field": "system", "standing": standing.value},
    )
