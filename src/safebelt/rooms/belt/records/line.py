"""One record as one line: a core that is proven, and content that can be blanked without breaking the proof."""

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final, Literal, NamedTuple

import msgspec

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.belt.model import Record

VERSION: Final = 1
GENESIS = sha256(b"safebelt/belt/records/v1").hexdigest()
"""`prev` of the very first record: a value that is the hash of no record."""
NO_CONTENT = "none"
SALT_BYTES = 16
"""128 bits: a short text cannot be found again by trying texts against the digest once the salt is erased."""


class Core(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The proven part of a line.  Fields stand in alphabetical order, as RFC 8785 wants keys.

    Attributes:
        at: When the record was written, ISO 8601 UTC with microseconds.
        content: `sha256:<hex>` of the content bytes (the salt is inside them), or `none`.
        facts: The record's public facts, as JSON.
        heads: How many signed heads existed when it was written, so that a missing head is noticed.
        id: `rec_…`.
        intent: Of an outcome: segment and offset of its intent.
        prev: SHA-256 of the core before, hex; in a segment's first line that of the segment before.
        seq: Zero-based place in the segment.
        type: `intent`, `outcome` or `note`.
        v: Version of this format.
    """

    at: str
    content: str
    facts: msgspec.Raw
    heads: int
    id: str
    intent: tuple[str, int] | None = None
    prev: str
    seq: int
    type: Literal["intent", "outcome", "note"]
    v: Literal[1]


class Line(NamedTuple):
    """A line as it was read.

    Attributes:
        core: The proven part.
        core_bytes: Its bytes: Merkle leaf and next link of the chain.
        content_bytes: The content part: JSON, spaces where erased, empty where none.
    """

    core: Core
    core_bytes: bytes
    content_bytes: bytes

    @property
    def is_erased(self) -> bool:
        """Whether there was content and it was blanked."""
        return self.core.content != NO_CONTENT and is_blank(self.content_bytes)

    def is_bound(self) -> bool:
        """Whether the content is what the core's digest says, or was erased, or none was ever there."""
        return digest_of(self.content_bytes) == self.core.content or self.is_erased

    def record(self) -> Record:
        """Return the line as the room's word for it.

        Raises:
            ValueError: Facts or content are no JSON objects.
        """
        content = None
        if self.content_bytes and not is_blank(self.content_bytes):
            content = _object(self.content_bytes).get("data")
        facts = _object(bytes(self.core.facts))
        frame: dict[str, Any] = {"v": self.core.v, "at": self.core.at, "seq": self.core.seq}
        if self.core.intent is not None:
            frame["intent"] = list(self.core.intent)
        return Record(type=self.core.type, id=self.core.id, core={**facts, **frame}, content=content)


_UNWRITABLE = (TypeError, ValueError, RecursionError, msgspec.MsgspecError)
_SHA256 = sha256()
"""Begun once and copied: OpenSSL looks the algorithm up for each one begun."""
_decode = msgspec.json.Decoder(Core).decode
_encode = msgspec.json.Encoder(order="sorted").encode
_encode_core = msgspec.json.Encoder().encode


def is_blank(content: bytes) -> bool:
    """Whether a content part was blanked: one or more spaces and nothing else."""
    return content[:1] == b" " and not content.strip(b" ")


def digest_of(content: bytes) -> str:
    """Return what the core says of a content part."""
    return f"sha256:{link(content)}" if content else NO_CONTENT


def link(core: bytes) -> str:
    """Return what the next record's `prev` must be."""
    one = _SHA256.copy()
    one.update(core)
    return one.hexdigest()


def encode(value: Mapping[str, Any]) -> bytes:
    """Return content as compact JSON with sorted keys, exactly as it is.

    Lone surrogates (half an emoji, cut by a tokenizer) are real in model traffic and have no UTF-8: they are
    kept as escapes, so that nothing a caller can send makes a record impossible.

    Raises:
        Invalid: The value is no JSON object, or nested too deeply.
    """
    try:
        return _encode(value)
    except (UnicodeEncodeError, *_UNWRITABLE):
        return _encoded(value, lambda: _dumps(value, ensure_ascii=True).encode("ascii"))


def encode_facts(value: Mapping[str, Any]) -> bytes:
    """Return facts as compact JSON with sorted keys, in valid UTF-8: any tool must be able to read a core.

    A lone surrogate, say in the name of a model, becomes U+FFFD.

    Raises:
        Invalid: The value is no JSON object, or nested too deeply.
    """
    return _encoded(value, lambda: _whole(_dumps(value, ensure_ascii=False)).encode())


def _encoded(value: Mapping[str, Any], otherwise: Callable[[], bytes]) -> bytes:
    try:
        try:
            return _encode(value)
        except UnicodeEncodeError:
            return otherwise()
    except _UNWRITABLE as error:
        raise Invalid(
            what=Text(zh=f"记录无法写成 JSON：{error}。", en=f"The record cannot be written as JSON: {error}."),
            hint=Text(zh="请只使用 JSON 的值，嵌套不要过深。", en="Use JSON values only, and do not nest them deeply."),
        ) from error


def _dumps(value: Mapping[str, Any], *, ensure_ascii: bool) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, sort_keys=True, separators=(",", ":"))


def _whole(text: str) -> str:
    """Join surrogate pairs, and replace halves."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def salted(data: bytes, salt: bytes) -> bytes:
    """Return the content part of a line: the data's JSON beside its salt."""
    return b'{"data":' + data + b',"salt":"' + salt.hex().encode() + b'"}'


def core_bytes(core: Core) -> bytes:
    """Return the bytes of a core as they are written, chained and proven."""
    return _encode_core(core)


def parse(raw: bytes) -> Line | None:
    """Read one line with its LF; None where it is not one.  Never raises, whatever the bytes."""
    core, tab, content = raw.partition(b"\t")
    if not tab or content[-1:] != b"\n":
        return None
    try:
        return Line(_decode(core), core, content[:-1])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _object(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value
