r"""Signing keys and C2SP signed notes (c2sp.org/signed-note): Ed25519, files of mode 0600, rotation.

    >>> signer = Signer.of("example.com/log", bytes(32))
    >>> note = sign_note("hello\n", signer)
    >>> open_note(note, [signer.verifier]).text
    'hello\n'

A key file holds one line, `PRIVATE+KEY+<name>+<key id>+<key>`, as Go's `sumdb/note` writes it.
"""

import base64
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from safebelt.engines.clock import Chance
from safebelt.kernel.errors import Conflict, Invalid, Problem, Refused, Unavailable
from safebelt.kernel.text import Text

_ED25519 = b"\x01"  # signature type, c2sp.org/signed-note "Signature types"
_KEY_BYTES = 32
_KEY_ID_BYTES = 4
_MAX_SIGNATURES = 100  # the specification asks for at least 16; Go's sumdb/note draws the line here
_PRIVATE = "PRIVATE+KEY+"


def _key_id(name: str, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:_KEY_ID_BYTES]


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and name.isprintable() and not any(c.isspace() for c in name)


def _strict_base64(text: str) -> bytes:
    """Decode the one canonical spelling of some bytes; a second spelling would let a byte change unseen.

    Raises:
        ValueError: The text is not that spelling.
    """
    data = base64.b64decode(text.encode("ascii"), validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("base64 with stray bits")
    return data


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A public key as C2SP writes it: `<name>+<hex key id>+<base64 of type and key>`.

    Attributes:
        name: Name of the key: the log's origin.
        key_id: Four bytes that identify the key beside its name.
        public: The Ed25519 public key, 32 bytes.
    """

    name: str
    key_id: bytes
    public: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a verifier key.

        Raises:
            Invalid: It is not one, or its id does not belong to its name and key.
        """
        try:
            name, key_id, data = text.strip().split("+", 2)
            material = _strict_base64(data)
            key = cls(name=name, key_id=bytes.fromhex(key_id), public=material[1:])
            is_sound = str(key) == text.strip() and material[:1] == _ED25519 and len(key.public) == _KEY_BYTES
            is_sound = is_sound and _is_name(name) and key.key_id == _key_id(name, key.public)
        except ValueError:
            is_sound, key = False, cls(name="", key_id=b"", public=b"")
        if not is_sound:
            raise Invalid(
                what=Text(zh="这不是有效的验证公钥。", en="This is not a valid verifier key."),
                hint=Text(
                    zh="公钥形如 名称+8位十六进制+Base64；可用 `safebelt ledger key` 查看本账本的公钥。",
                    en="It looks like name+8 hex digits+base64; `safebelt ledger key` prints the one of a ledger.",
                ),
                details={"field": "key"},
            )
        return key

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    def has_signed(self, signature: bytes, message: bytes) -> bool:
        """Say whether this key made the signature over the message."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
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
        if not _is_name(name):
            raise Invalid(
                what=Text(zh=f"密钥名称 {name!r} 无效。", en=f"The key name {name!r} cannot be used."),
                hint=Text(
                    zh="请使用不含空格和加号的名称，例如 example.org/log。",
                    en="Use a name without spaces and plus signs, for example example.org/log.",
                ),
            )
        key = Ed25519PrivateKey.from_private_bytes(seed)
        public = key.public_key().public_bytes_raw()
        return cls(verifier=VerifierKey(name=name, key_id=_key_id(name, public), public=public), _key=key)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature."""
        return self._key.sign(message)

    def secret(self) -> str:
        """Return the private key as one line for a key file."""
        material = base64.b64encode(_ED25519 + self._key.private_bytes_raw()).decode()
        return f"{_PRIVATE}{self.verifier.name}+{self.verifier.key_id.hex()}+{material}\n"

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read what `secret` wrote.

        Raises:
            ValueError: It is something else.
        """
        if not line.startswith(_PRIVATE):
            raise ValueError("no private key")
        name, key_id, data = line.removeprefix(_PRIVATE).strip().split("+", 2)
        material = _strict_base64(data)
        if material[:1] != _ED25519 or not _is_name(name):
            raise ValueError("no Ed25519 key")
        signer = cls.of(name, material[1:])
        if signer.verifier.key_id.hex() != key_id:
            raise ValueError("the key id belongs to another key")
        return signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """An opened note: text that at least one known key has signed.

    Attributes:
        text: The signed text, ending in a newline.
        signed_by: The known keys whose signatures were verified.
    """

    text: str
    signed_by: tuple[VerifierKey, ...]


def sign_note(text: str, signer: Signer) -> str:
    """Return the text as a signed note.

    Raises:
        Invalid: The text does not end in a newline or holds a control character.
    """
    if not text.endswith("\n") or not _is_clean(text):
        raise Invalid(
            what=Text(zh="这段文本不能作为签名笔记。", en="This text cannot be a signed note."),
            hint=Text(
                zh="文本须以换行结尾，且不含控制字符。",
                en="It must end in a newline and hold no other control characters.",
            ),
        )
    signature = base64.b64encode(signer.verifier.key_id + signer.sign(text.encode())).decode()
    return f"{text}\n— {signer.verifier.name} {signature}\n"


def open_note(note: str, keys: Iterable[VerifierKey]) -> Note:
    """Return the text of a note that a known key has signed; signatures of unknown keys are passed over.

    Raises:
        Invalid: This is no signed note.
        Refused: No known key has signed it, or a known key's signature is wrong.
    """
    text, signatures = _parse_note(note)
    known = {(key.name, key.key_id): key for key in keys}
    signed_by = dict[VerifierKey, None]()
    for name, data in signatures:
        key = known.get((name, data[:_KEY_ID_BYTES]))
        if key is None:
            continue
        if not key.has_signed(data[_KEY_ID_BYTES:], text.encode()):
            raise Refused(
                what=Text(zh=f"{name} 的签名与文本不符。", en=f"The signature of {name} does not fit the text."),
                hint=Text(
                    zh="文本或签名在签署后被改动过，请勿采信。",
                    en="The text or the signature was changed after signing. Do not rely on it.",
                ),
            )
        signed_by[key] = None
    if not signed_by:
        names = ", ".join(dict.fromkeys(name for name, _ in signatures))
        raise Refused(
            what=Text(
                zh=f"给出的公钥均未签署此文（签署者：{names}）。",
                en=f"None of the keys given signed this ({names} did).",
            ),
            hint=Text(
                zh="请从可信渠道取得签署者的公钥；如密钥已轮换，请使用新公钥。",
                en="Get the signer's key from a source you trust; if it was rotated, use the new one.",
            ),
        )
    return Note(text=text, signed_by=tuple(signed_by))


def _is_clean(text: str) -> bool:
    """Hold that the text is valid Unicode without control characters other than newline."""
    return all(c >= " " or c == "\n" for c in text) and not any("\ud800" <= c <= "\udfff" for c in text)


def _parse_note(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Split a note into its text and its (key name, key id and signature) pairs."""
    head, separator, tail = note.rpartition("\n\n")
    lines = tail.split("\n")
    try:
        if not (separator and _is_clean(note) and lines.pop() == "" and 0 < len(lines) <= _MAX_SIGNATURES):
            raise ValueError("not a note")
        return head + "\n", [_parse_signature(line) for line in lines]
    except ValueError as error:
        raise Invalid(
            what=Text(zh="这不是签名笔记（C2SP signed-note）。", en="This is not a signed note (C2SP signed-note)."),
            hint=Text(zh="请原样复制，不要改动任何字符。", en="Copy it as it was published; every character counts."),
        ) from error


def _parse_signature(line: str) -> tuple[str, bytes]:
    mark, name, data = line.split(" ")
    signature = _strict_base64(data)
    if mark != "—" or not _is_name(name) or len(signature) <= _KEY_ID_BYTES:
        raise ValueError("not a signature line")
    return name, signature


class KeyStore:
    """One signing key in a file, its successor while a rotation is under way, and the keys before it.

    Nothing is read or written before the first use.  Beside `path`: `<path>.next` (a rotation under way)
    and `<path>.retired` (verifier keys, oldest first, one a line).

    Args:
        path: The key file.  Created on first use with mode 0600 in a directory of mode 0700.
        name: The name to sign under: the log's origin.
        chance: Source of random bytes for new keys.
    """

    def __init__(self, path: Path, *, name: str, chance: Chance) -> None:
        self.path, self.name, self._chance = path, name, chance
        self._next, self._retired = Path(f"{path}.next"), Path(f"{path}.retired")

    def current(self) -> Signer:
        """Return the key in force, as the file has it now; make one where there is none yet.

        Read anew each time: another process may have rotated it.

        Raises:
            Refused: Others than the owner may read the key file or write to its directory.
            Conflict: The file's key has another name.
            Unavailable: The file cannot be read or written, or holds no key.
        """
        try:
            if not self.path.exists():
                self._create(self.path)
            return self._load(self.path)
        except OSError as error:
            raise _unavailable(self.path, error.strerror or str(error)) from error

    def verifiers(self) -> tuple[VerifierKey, ...]:
        """Return every key that ever signed, oldest first; the last is the one in force."""
        current = self.current().verifier
        lines = self._retired.read_text("utf-8").splitlines() if self._retired.exists() else []
        retired = [VerifierKey.parse(line) for line in lines if line.strip()]
        return (*(key for key in dict.fromkeys(retired) if key != current), current)

    def prepare(self) -> Signer:
        """Begin a rotation: make the successor and keep it beside the key in force."""
        self.discard()
        self._create(self._next)
        return self._load(self._next)

    @property
    def has_pending(self) -> bool:
        """Whether a rotation was begun and neither activated nor discarded."""
        return self._next.exists()

    def pending(self) -> Signer | None:
        """Return the successor of a rotation that was begun and neither activated nor discarded."""
        return self._load(self._next) if self.has_pending else None

    def activate(self) -> None:
        """Finish a rotation: retire the key in force and put its successor in its place.  Safe to repeat."""
        retired = [str(key) for key in self.verifiers()]
        _write(self._retired, "".join(f"{line}\n" for line in retired), mode=0o644)
        self._next.replace(self.path)
        _sync_directory(self.path.parent)

    def discard(self) -> None:
        """Give up a rotation that was begun."""
        self._next.unlink(missing_ok=True)

    def _create(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            _write(path, Signer.of(self.name, self._chance(_KEY_BYTES)).secret(), mode=0o600, is_new=True)
        except FileExistsError:  # another process was first; its key is the key
            return

    def _load(self, path: Path) -> Signer:
        _guard(path)
        try:
            signer = Signer.parse(path.read_text("utf-8"))
        except ValueError as error:
            raise _unavailable(path, "it holds no signing key", zh="其中没有签名密钥") from error
        if signer.verifier.name != self.name:
            raise Conflict(
                what=Text(
                    zh=f"密钥文件 {path} 属于 {signer.verifier.name}，而不是 {self.name}。",
                    en=f"The key file {path} belongs to {signer.verifier.name}, not to {self.name}.",
                ),
                hint=Text(
                    zh="请恢复原来的日志名称，或为新日志另设密钥文件。",
                    en="Set the log's name back, or give the new log a key file of its own.",
                ),
            )
        return signer


def _guard(path: Path) -> None:
    """Refuse a key that others could have read or put there."""
    for place, forbidden, mode in ((path, 0o077, "600"), (path.parent, 0o022, "700")):
        if place.stat().st_mode & forbidden:
            raise Refused(
                what=Text(
                    zh=f"{place} 对他人开放（权限过宽），其中的签名密钥不可信。",
                    en=f"{place} is open to other users, so the signing key there cannot be trusted.",
                ),
                hint=Text(
                    zh=f"请执行 `chmod {mode} {place}`；如可能已泄露，再执行 `safebelt ledger rotate-key`。",
                    en=f"Run `chmod {mode} {place}`; if it may have been read, also `safebelt ledger rotate-key`.",
                ),
            )


def _unavailable(path: Path, why: str, *, zh: str = "") -> Problem:
    return Unavailable(
        what=Text(zh=f"签名密钥 {path} 无法使用：{zh or why}。", en=f"The signing key {path} cannot be used: {why}."),
        hint=Text(
            zh="请检查该文件及其目录的权限和磁盘空间，或从备份恢复。",
            en="Check the file, its directory's permissions and the disk's free space, or restore it from a backup.",
        ),
    )


def _write(path: Path, text: str, *, mode: int, is_new: bool = False) -> None:
    """Write a whole file or none of it, durably; with `is_new`, fail where it exists already."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600 from the start
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        if is_new:
            os.link(draft, path)  # unlike a rename it never replaces a key
        else:
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
