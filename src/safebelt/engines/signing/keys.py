"""The keys: who can be recognised by a signature, and the log's own signer."""

import base64
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from safebelt.engines.signing.messages import ed25519_message, mldsa44_message, split_time, strict_base64
from safebelt.engines.signing.points import has_large_order, is_public_key
from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text

KEY_ID_BYTES = 4
SEED_BYTES = 32
_PRIVATE = "PRIVATE+KEY+"


class SignatureType(IntEnum):
    """The first byte of a key says what it signs, and how (c2sp.org/signed-note, "Signature types")."""

    NOTE = 0x01
    """Ed25519 over a note's text."""
    ED25519 = 0x04
    """A cosignature with the time: Ed25519 over a checkpoint's text."""
    MLDSA44 = 0x06
    """A cosignature with the time: ML-DSA-44 over what a checkpoint says."""

    @property
    def key_bytes(self) -> int:
        """Length of a public key."""
        return 1312 if self is SignatureType.MLDSA44 else 32

    @property
    def is_cosignature(self) -> bool:
        """Whether the signature carries the time, and fits checkpoints only."""
        return self is not SignatureType.NOTE


def key_id(name: str, type_: SignatureType, public: bytes) -> bytes:
    """Return the four bytes that identify a key beside its name."""
    return sha256(name.encode() + b"\n" + bytes([type_]) + public).digest()[:KEY_ID_BYTES]


def is_name(name: str) -> bool:
    """Whether a key can have this name in a signature line."""
    return bool(name) and "+" not in name and name.isprintable() and not any(c.isspace() for c in name)


def hold_name(name: str) -> None:
    """Hold that a key can have this name.

    Raises:
        Invalid: It is empty or has a space or a plus sign in it.
    """
    if not is_name(name):
        raise Invalid(
            what=Text(zh=f"密钥名称 {name!r} 无效。", en=f"The key name {name!r} cannot be used."),
            hint=Text(
                zh="请使用不含空格和加号的名称，例如 example.org/log。",
                en="Use a name without spaces and plus signs, for example example.org/log.",
            ),
        )


def secret_line(key: "VerifierKey", private: bytes) -> str:
    """Return a private key as one line for a key file."""
    material = base64.b64encode(bytes([key.type]) + private).decode()
    return f"{_PRIVATE}{key.name}+{key.key_id.hex()}+{material}\n"


def parse_secret(line: str) -> tuple[str, str, SignatureType, bytes]:
    """Read what `secret_line` wrote: name, key id in hex, type and private key.

    Raises:
        ValueError: It is something else.
    """
    if not line.startswith(_PRIVATE):
        raise ValueError("no private key")
    name, hex_id, data = line.removeprefix(_PRIVATE).strip().split("+", 2)
    material = strict_base64(data)
    if not material or len(material) != SEED_BYTES + 1 or not is_name(name):
        raise ValueError("no private key")
    return name, hex_id, SignatureType(material[0]), material[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A public key as C2SP writes it: `<name>+<hex key id>+<base64 of type and key>`.

    Attributes:
        name: Name of the key: the log's origin, or what a cosigner calls itself.
        key_id: Four bytes that identify the key beside its name.
        public: The public key: 32 bytes of Ed25519 or 1312 of ML-DSA-44.
        type: What it signs, and how.
    """

    name: str
    key_id: bytes
    public: bytes
    type: SignatureType = SignatureType.NOTE

    @classmethod
    def of(cls, name: str, type_: SignatureType, public: bytes) -> Self:
        """Build the verifier key of a public key."""
        return cls(name=name, key_id=key_id(name, type_, public), public=public, type=type_)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a verifier key.

        Raises:
            Invalid: It is not one, is of a type that is not known here, its id belongs to another name or key, or
                anybody could sign with it (a point of small order).
        """
        try:
            name, _, data = text.strip().split("+", 2)
            material = strict_base64(data)
            key = cls.of(name, SignatureType(material[0]), material[1:])
            is_sound = is_name(name) and key.is_sound and str(key) == text.strip()
        except (ValueError, IndexError):
            is_sound, key = False, cls(name="", key_id=b"", public=b"")
        if not is_sound:
            raise cls.refusal()
        return key

    @property
    def is_sound(self) -> bool:
        """Whether the key is one that only its holder can sign with."""
        if self.type is SignatureType.MLDSA44:
            return len(self.public) == self.type.key_bytes
        return is_public_key(self.public)

    @staticmethod
    def refusal() -> Invalid:
        """Return the problem of a text that is no verifier key."""
        return Invalid(
            what=Text(zh="这不是有效的验证公钥。", en="This is not a valid verifier key."),
            hint=Text(
                zh="公钥形如 名称+8位十六进制+Base64；可用 `safebelt ledger key` 查看本账本的公钥。",
                en="It looks like name+8 hex digits+base64; `safebelt ledger key` prints the one of a ledger.",
            ),
            details={"field": "key"},
        )

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(bytes([self.type]) + self.public).decode()}"

    def has_signed(self, signature: bytes, text: bytes) -> bool:
        """Say whether this key made the signature over a note's text; a cosignature begins with its time."""
        try:
            if self.type is SignatureType.NOTE:
                return _has_signed(self.public, signature, text)
            at, bare = split_time(signature)
            if self.type is SignatureType.ED25519:
                return _has_signed(self.public, bare, ed25519_message(at, text.decode()))
            message = mldsa44_message(self.name, at, text.decode())
            MLDSA44PublicKey.from_public_bytes(self.public).verify(bare, message)
        except (InvalidSignature, ValueError):
            return False
        return True


def _has_signed(public: bytes, signature: bytes, message: bytes) -> bool:
    """Say whether an Ed25519 key made a signature; neither key nor R may be of small order or spelt another way.

    Raises:
        InvalidSignature: It did not.
    """
    if not (is_public_key(public) and has_large_order(signature[:32])):
        return False
    Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A private key and the name it signs under."""

    verifier: VerifierKey
    _key: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def of(cls, name: str, seed: bytes) -> Self:
        """Build a signer from its 32-byte Ed25519 seed (RFC 8032).

        Raises:
            Invalid: The name is empty or has a space or a plus sign in it.
        """
        hold_name(name)
        key = Ed25519PrivateKey.from_private_bytes(seed)
        public = key.public_key().public_bytes_raw()
        return cls(verifier=VerifierKey.of(name, SignatureType.NOTE, public), _key=key)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature."""
        return self._key.sign(message)

    def secret(self) -> str:
        """Return the private key as one line for a key file."""
        return secret_line(self.verifier, self._key.private_bytes_raw())

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read what `secret` wrote.

        Raises:
            ValueError: It is something else.
        """
        name, hex_id, type_, seed = parse_secret(line)
        if type_ is not SignatureType.NOTE:
            raise ValueError("no key that signs notes")
        signer = cls.of(name, seed)
        if signer.verifier.key_id.hex() != hex_id:
            raise ValueError("the key id belongs to another key")
        return signer
