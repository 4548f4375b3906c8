"""age files under a passphrase, as a stream: the scrypt stanza, the header's MAC, and sealed pieces of 64 KiB.

After the specification age-encryption.org/v1 ("scrypt recipient stanza", "Header MAC", "Payload"); the cryptography is
the library's, and tests hold both ways against another implementation of the format.
"""

import hmac
import io
import re
from base64 import b64decode, b64encode
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from safebelt.engines.clock import Chance
from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text

WORK_FACTOR = 18
"""Base-2 logarithm of scrypt's cost, as `age` itself chooses: about a second and 256 MiB for each guess."""
_HARDEST = 22
"""Nobody is kept busy longer by a file from elsewhere; the limit of `age` itself."""

_BEGIN = b"age-encryption.org/v1\n-> scrypt "
_LABEL = b"age-encryption.org/v1/scrypt"
_CHUNK_BYTES, _TAG_BYTES = 64 * 1024, 16
_KEY_BYTES, _SALT_BYTES, _NONCE_BYTES, _COUNTER_BYTES = 16, 16, 16, 11
_HEADER = re.compile(
    rb"age-encryption\.org/v1\n-> scrypt (?P<salt>[A-Za-z0-9+/]{22}) (?P<work>[1-9][0-9]?)\n"
    rb"(?P<body>[A-Za-z0-9+/]{43})\n--- (?P<mac>[A-Za-z0-9+/]{43})\n"
)
_HEADER_LINES, _LINE_BYTES = 4, 80


def is_under_passphrase(start: bytes) -> bool:
    """Say whether an age file that starts so is sealed with a passphrase."""
    return start.startswith(_BEGIN)


class PassphraseWriter(io.RawIOBase):
    """Seals what is written to it; the file is whole only after `finish`.

    Args:
        out: Where to; stays open.
        passphrase: Whoever knows it opens the file.
        chance: Randomness.
        work_factor: Base-2 logarithm of scrypt's cost.
    """

    def __init__(self, out: BinaryIO, passphrase: str, *, chance: Chance, work_factor: int = WORK_FACTOR) -> None:
        file_key, salt, nonce = chance(_KEY_BYTES), chance(_SALT_BYTES), chance(_NONCE_BYTES)
        body = ChaCha20Poly1305(_wrap_key(passphrase, salt, work_factor)).encrypt(bytes(12), file_key, None)
        head = _BEGIN + b"%b %d\n%b\n---" % (_plain64(salt), work_factor, _plain64(body))
        out.write(head + b" %b\n" % _plain64(_mac(file_key, head)) + nonce)
        self._out, self._seal = out, _Pieces(file_key, nonce)
        self._rest = bytearray()

    def writable(self) -> bool:
        """Say that it is for writing."""
        return True

    def write(self, data: Any) -> int:
        """Seal some more; what may be the last piece is kept back."""
        self._rest += data
        while len(self._rest) > _CHUNK_BYTES:
            self._out.write(self._seal.encrypt(bytes(self._rest[:_CHUNK_BYTES]), is_last=False))
            del self._rest[:_CHUNK_BYTES]
        return len(data)

    def finish(self) -> None:
        """Write the last piece: without it the file counts as cut off."""
        self._out.write(self._seal.encrypt(bytes(self._rest), is_last=True))
        self._rest.clear()


class PassphraseReader(io.RawIOBase):
    """Opens what a passphrase sealed; each piece is proven before a byte of it is given out.

    Args:
        file: An age file, at its start.
        passphrase: The passphrase.

    Raises:
        Invalid: The passphrase is another, the header was changed, or its cost is beyond bounds.
    """

    def __init__(self, file: BinaryIO, passphrase: str) -> None:
        head = b"".join(file.readline(_LINE_BYTES) for _ in range(_HEADER_LINES))
        parsed = _HEADER.fullmatch(head)
        if parsed is None or int(parsed["work"]) > _HARDEST:
            raise shut("its header is not that of an age file", "其开头不是 age 文件的格式")
        wrap_key = _wrap_key(passphrase, _bytes64(parsed["salt"]), int(parsed["work"]))
        try:
            file_key = ChaCha20Poly1305(wrap_key).decrypt(bytes(12), _bytes64(parsed["body"]), None)
        except InvalidTag as error:
            raise shut("the passphrase is not the one it was sealed with", "口令不符") from error
        if not hmac.compare_digest(_mac(file_key, head[: parsed.start("mac") - 1]), _bytes64(parsed["mac"])):
            raise shut("its header was changed", "其开头已被改动")
        self._file, self._seal = file, _Pieces(file_key, file.read(_NONCE_BYTES))
        self._ahead, self._open, self._is_first = self._next(), b"", True

    def readable(self) -> bool:
        """Say that it is for reading."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Give out what comes next.

        Raises:
            Invalid: The file was changed or cut off.
        """
        if not self._open and (self._ahead or self._is_first):
            sealed, self._ahead = self._ahead, self._next()
            is_last = not self._ahead
            self._open = self._seal.decrypt(sealed, is_last=is_last)
            if is_last and not self._open and not self._is_first:
                raise shut("it ends with an empty piece", "其结尾为空块")
            self._is_first = False
        count = min(len(buffer), len(self._open))
        buffer[:count], self._open = self._open[:count], self._open[count:]
        return count

    def _next(self) -> bytes:
        return self._file.read(_CHUNK_BYTES + _TAG_BYTES)


class _Pieces:
    """The payload's pieces, numbered, the last one marked (STREAM)."""

    def __init__(self, file_key: bytes, nonce: bytes) -> None:
        self._cipher, self._number = ChaCha20Poly1305(_derive(file_key, nonce, b"payload")), 0

    def encrypt(self, data: bytes, *, is_last: bool) -> bytes:
        return self._cipher.encrypt(self._nonce(is_last), data, None)

    def decrypt(self, data: bytes, *, is_last: bool) -> bytes:
        try:
            return self._cipher.decrypt(self._nonce(is_last), data, None)
        except InvalidTag as error:
            raise shut("it was changed or cut off", "文件已被改动或截断") from error

    def _nonce(self, is_last: bool) -> bytes:
        self._number += 1
        return (self._number - 1).to_bytes(_COUNTER_BYTES) + bytes([is_last])


def shut(why: str, zh: str = "") -> Invalid:
    """Return the problem of an age file that cannot be opened."""
    return Invalid(
        what=Text(zh=f"加密文件无法打开：{zh or why}。", en=f"The encrypted file cannot be opened: {why}."),
        hint=Text(
            zh="请用 --identity 或 --passphrase-file 给出加密时的身份或口令；若无误，则文件已损坏，请取另一份备份。",
            en="Give what it was sealed for, with --identity or --passphrase-file; if that is right, the file is "
            "damaged: take another backup.",
        ),
    )


def _wrap_key(passphrase: str, salt: bytes, work_factor: int) -> bytes:
    return Scrypt(salt=_LABEL + salt, length=32, n=1 << work_factor, r=8, p=1).derive(passphrase.encode())


def _derive(file_key: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(file_key)


def _mac(file_key: bytes, head: bytes) -> bytes:
    return hmac.digest(_derive(file_key, b"", b"header"), head, "sha256")


def _plain64(data: bytes) -> bytes:
    return b64encode(data).rstrip(b"=")


def _bytes64(text: bytes) -> bytes:
    return b64decode(text + b"=" * (-len(text) % 4), validate=True)
