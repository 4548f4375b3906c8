"""Who watches other logs and says so: cosigners of checkpoints, and the file that holds their keys."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from safebelt.engines.clock import Chance
from safebelt.engines.signing.files import guard, unavailable, write
from safebelt.engines.signing.keys import SEED_BYTES, SignatureType, VerifierKey, hold_name, parse_secret, secret_line
from safebelt.engines.signing.messages import ed25519_message, encode_time, mldsa44_message
from safebelt.engines.signing.notes import signature_line
from safebelt.kernel.errors import Conflict
from safebelt.kernel.text import Text

_TYPES = (SignatureType.ED25519, SignatureType.MLDSA44)
"""Both: what is deployed today reads Ed25519 only; the specification asks new deployments for ML-DSA-44."""
_REMEDY = Text(
    zh="如可能已泄露，请删除该文件以生成新密钥，并通知被见证的日志。",
    en="If it may have been read, remove it, so that new keys are made, and tell the logs that you witness.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigner:
    """A private key that cosigns checkpoints."""

    verifier: VerifierKey
    _key: Ed25519PrivateKey | MLDSA44PrivateKey = field(repr=False)

    @classmethod
    def of(cls, name: str, type_: SignatureType, seed: bytes) -> Self:
        """Build a cosigner from its 32-byte seed (RFC 8032, FIPS 204).

        Raises:
            Invalid: The name is empty or has a space or a plus sign in it.
            ValueError: The type is not that of cosignatures.
        """
        hold_name(name)
        if type_ is SignatureType.NOTE:
            raise ValueError("a cosignature is of another type than a note's signature")
        key: Ed25519PrivateKey | MLDSA44PrivateKey
        if type_ is SignatureType.MLDSA44:
            key = MLDSA44PrivateKey.from_seed_bytes(seed)
        else:
            key = Ed25519PrivateKey.from_private_bytes(seed)
        return cls(verifier=VerifierKey.of(name, type_, key.public_key().public_bytes_raw()), _key=key)

    def cosign(self, text: str, *, at: int) -> str:
        """Return the signature line, with its newline, that this cosigner adds to a checkpoint.

        Args:
            text: The checkpoint's text: all lines before the empty one.
            at: Now, in seconds since the epoch.

        Raises:
            ValueError: The text is no checkpoint (ML-DSA-44), or the time is none.
        """
        if self.verifier.type is SignatureType.MLDSA44:
            message = mldsa44_message(self.verifier.name, at, text)
        else:
            message = ed25519_message(at, text)
        return signature_line(self.verifier, encode_time(at) + self._key.sign(message))

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
        cosigner = cls.of(name, type_, seed)
        if cosigner.verifier.key_id.hex() != hex_id:
            raise ValueError("the key id belongs to another key")
        return cosigner


class CosignerStore:
    """The keys with which we witness other logs, one a line in a file of mode 0600, made on first use.

    Args:
        path: The key file.
        name: The name to cosign under.
        chance: Source of random bytes for new keys.
    """

    def __init__(self, path: Path, *, name: str, chance: Chance) -> None:
        self.path, self.name, self._chance = path, name, chance

    def cosigners(self) -> tuple[Cosigner, ...]:
        """Return our cosigners, Ed25519 before ML-DSA-44; make their keys where there are none yet.

        Raises:
            Refused: Others than the owner may read the key file or write to its directory.
            Conflict: The file's keys have another name.
            Unavailable: The file cannot be read or written, or holds something else.
        """
        try:
            if not self.path.exists():
                self._create()
            guard(self.path, _REMEDY)
            found = tuple(Cosigner.parse(line) for line in self.path.read_text("utf-8").splitlines() if line.strip())
        except OSError as error:
            raise unavailable(self.path, error.strerror or str(error)) from error
        except ValueError as error:
            raise unavailable(self.path, "it holds no cosigning key", zh="其中没有见证密钥") from error
        if not found:
            raise unavailable(self.path, "it holds no cosigning key", zh="其中没有见证密钥")
        for cosigner in found:
            if cosigner.verifier.name != self.name:
                raise _other_name(self.path, cosigner.verifier.name, self.name)
        return found

    def _create(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = [Cosigner.of(self.name, type_, self._chance(SEED_BYTES)) for type_ in _TYPES]
        try:
            write(self.path, "".join(each.secret() for each in made), mode=0o600, is_new=True)
        except FileExistsError:  # another process was first; its keys are the keys
            return


def _other_name(path: Path, found: str, wanted: str) -> Conflict:
    return Conflict(
        what=Text(
            zh=f"见证密钥文件 {path} 属于 {found}，而不是 {wanted}。",
            en=f"The key file {path} belongs to {found}, not to {wanted}.",
        ),
        hint=Text(
            zh="请恢复原来的名称，或为新名称另设密钥文件。",
            en="Set the name back, or give the new name a key file of its own.",
        ),
    )
