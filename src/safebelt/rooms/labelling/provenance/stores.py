"""The manifest store as this house writes it: one manifest over one content, byte for byte the same for the same words.

The reference engine (`manifests`) can write and read every store, and takes milliseconds for it.  Nearly every store
that passes through a house is one that the house made itself, and of one shape; that shape is written and read here.

Reading is writing again: what a store says is taken out, a store is made of that, and only if the two are equal, byte
by byte, is it one of ours.  So nothing hides in a field that is passed over, no hash of an assertion is left
unchecked, and everything of another shape is the engine's to judge.

Sources: C2PA Technical Specification 2.2 (8 to 13: labels, JUMBF, claim, assertions, signatures; 18.6: hash of data);
ISO/IEC 19566-5 (JUMBF); RFC 9052 and RFC 9360 (COSE, with the certificates in header 33).
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from safebelt.rooms.labelling.model.provenance import Sign
from safebelt.rooms.labelling.provenance import cbor

AIGC_ASSERTION = "cn.tc260.aigc"
SOFT_BINDING = "c2pa.soft-binding"
_ACTIONS, _HASH = "c2pa.actions.v2", "c2pa.hash.data"
GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
MAX_BYTES = 60_000
"""Longest store that is written or read here: so it fits into one segment of a JPEG."""
_LEAST, _MOST_LENGTHS = 0xFF, 256
_SIGNATURE_BYTES = 64  # ECDSA over P-256: r and s (RFC 9053, 2.1)
_ES256, _ALGORITHM, _CHAIN = -7, 1, 33  # RFC 9053, table 1; RFC 9052, 3.1; RFC 9360, 2
_COSE_SIGN1 = 18
_DIGEST_BYTES = 32  # SHA-256
_TAIL = bytes.fromhex("00110010800000aa00389b71")  # C2PA 11.1: of every UUID of JUMBF and C2PA
_LABELLED, _REQUESTABLE = 2, 1
_LIMIT = 24
"""Boxes at most in one: a manifest here has three parts and two to a dozen assertions."""


@dataclass(frozen=True, kw_only=True)
class Store:
    """What a store of ours says.

    Attributes:
        title: Of the content.
        software: Name and version of what wrote it.
        aigc: The implicit label it repeats; empty for none.
        bindings: Soft bindings: algorithm and value.
        start, length: Where in the file the store lies, which the hash leaves out.
        digest: SHA-256 of everything else in the file.
        chain: The signer's certificate and those above it but the root, DER.
        signature: ECDSA over P-256 with SHA-256, `r` and `s`.
    """

    title: str
    software: tuple[str, str]
    aigc: Mapping[str, str]
    bindings: tuple[tuple[str, str], ...]
    start: int
    length: int
    digest: bytes
    chain: tuple[bytes, ...]
    signature: bytes = field(default=bytes(_SIGNATURE_BYTES))

    @cached_property
    def label(self) -> str:
        """The manifest's name (C2PA 8.2: a UUID of version 4), from what no two have in common: content and signer."""
        told = sha256(self.digest + b"".join(self.chain[:1])).digest()
        return f"urn:c2pa:{uuid.UUID(bytes=told[:16], version=4)}"

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes of what it says: stores with the same sizes are of the same length."""
        bound = (one for each in self.bindings for one in each)
        texts = (self.title, *self.software, *self.aigc, *self.aigc.values(), *bound)
        return len(self.aigc), self.start, *(len(one.encode()) for one in texts), *map(len, self.chain)

    @property
    def signed_bytes(self) -> bytes:
        """What the signature is over (RFC 9052, 4.4)."""
        return cbor.encode(["Signature1", self._protected, b"", self._claim])

    def to_bytes(self) -> bytes:
        """Return the store; the signature is the last of it."""
        cose = cbor.Tagged(_COSE_SIGN1, [self._protected, {}, None, self.signature])
        manifest = _box(
            b"c2ma",
            self.label,
            _box(b"c2as", "c2pa.assertions", *self._assertions.values()),
            _box(b"c2cl", "c2pa.claim.v2", _plain(self._claim)),
            _box(b"c2cs", "c2pa.signature", _plain(cbor.encode(cose))),
        )
        return _box(b"c2pa", "c2pa", manifest)

    @property
    def _protected(self) -> bytes:
        return _header(self.chain)

    @cached_property
    def _assertions(self) -> dict[str, bytes]:
        """The box of each assertion by its label; those that the content depends on come first."""
        hashed = {
            "exclusions": [{"start": self.start, "length": self.length}],
            "name": "jumbf manifest",
            "alg": "sha256",
            "hash": self.digest,
            "pad": b"",
        }
        rest = _gathered(tuple(self.aigc.items()), self.bindings)
        return {_ACTIONS: _created(), _HASH: _assertion(_HASH, hashed), **rest}

    @cached_property
    def _claim(self) -> bytes:
        """Write the claim (C2PA 10.3): every assertion with the hash of its box, without the box's own header."""
        named = [
            cbor.Written(_reference(name) + sha256(memoryview(box)[8:]).digest())
            for name, box in self._assertions.items()
        ]
        label = self.label
        return cbor.encode(
            {
                "instanceID": f"xmp:iid:{label.rpartition(':')[2]}",
                "claim_generator_info": _software(self.software),
                "signature": f"self#jumbf=/c2pa/{label}/c2pa.signature",
                "created_assertions": named[:2],
                "gathered_assertions": named[2:],
                "dc:title": self.title,
                "alg": "sha256",
            }
        )


def written(store: Store, around: int, sign: Sign) -> bytes | None:
    """Return a store, signed; None where it is longer than is written here.

    Args:
        store: What it says; length and signature are filled in.
        around: How many bytes longer it is in the file than by itself.
        sign: Signs bytes.
    """
    store = replace(store, length=_LENGTHS.get(store.sizes, MAX_BYTES))
    made = store.to_bytes()
    if len(made) + around != store.length:  # a number of two bytes, as the right one is: the next store fits
        store = replace(store, length=len(made) + around)
        made = store.to_bytes()
        _remember_length(store)
    if not _LEAST < store.length <= MAX_BYTES or len(made) + around != store.length:
        return None
    return made[:-_SIGNATURE_BYTES] + sign(store.signed_bytes)


_LENGTHS: dict[tuple[int, ...], int] = {}
"""How long a store in a file was, by the sizes of what it says: stores of one system are alike, and built once."""


def _remember_length(store: Store) -> None:
    if len(_LENGTHS) >= _MOST_LENGTHS:
        _LENGTHS.clear()
    _LENGTHS[store.sizes] = store.length


def read(data: bytes) -> Store | None:
    """Return what a store says; None where this house would not have written it so, byte for byte."""
    if len(data) > MAX_BYTES:
        return None
    try:
        store = _read(data)
        return store if store.to_bytes() == data else None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None


def _read(data: bytes) -> Store:
    """Take out what a store says.

    What is passed over here, or taken from the wrong place, shows when the store is made again.
    """
    (manifest,) = _inside(data)
    assertions, claim, signature = _inside(manifest)
    hashed, *rest = [cbor.decode(_content(one)) for one in _inside(assertions)[1:]]
    cose = cbor.decode(_content(signature)).value
    aigc = rest.pop(0) if rest and "alg" not in rest[0] else {}
    info = _told(claim, "claim_generator_info")
    return Store(
        title=_text(_told(claim, "dc:title")),
        software=(_text(info["name"]), _text(info["version"])),
        aigc={_text(key): _text(value) for key, value in aigc.items()},
        bindings=tuple((_text(one["alg"]), _text(one["blocks"][0]["value"])) for one in rest),
        start=_number(hashed["exclusions"][0]["start"]),
        length=_number(hashed["exclusions"][0]["length"]),
        digest=_bytes(hashed["hash"]),
        chain=_chain(_bytes(cose[0])),
        signature=_bytes(cose[3]),
    )


def _told(claim: bytes, name: str) -> Any:
    """Return what follows the first place in a claim where a key stands."""
    key = cbor.encode(name)
    return cbor.decode_at(claim, claim.index(key) + len(key))


@lru_cache(maxsize=64)
def _chain(header: bytes) -> tuple[bytes, ...]:
    return tuple(map(_bytes, cbor.decode(header)[_CHAIN]))


@lru_cache(maxsize=16)
def _software(named: tuple[str, str]) -> cbor.Written:
    return cbor.Written(cbor.encode({"name": named[0], "version": named[1]}))


@lru_cache(maxsize=64)
def _reference(name: str) -> bytes:
    """Return how a claim names an assertion (C2PA 8.4.2: a hashed URI), up to the hash."""
    empty = bytes(_DIGEST_BYTES)
    return cbor.encode({"url": f"self#jumbf=c2pa.assertions/{name}", "hash": empty})[:-_DIGEST_BYTES]


@lru_cache(maxsize=64)
def _header(chain: tuple[bytes, ...]) -> bytes:
    return cbor.encode({_ALGORITHM: _ES256, _CHAIN: list(chain)})


@lru_cache(maxsize=1)
def _created() -> bytes:
    return _assertion(_ACTIONS, {"actions": [{"action": "c2pa.created", "digitalSourceType": GENERATED}]})


@lru_cache(maxsize=16)
def _gathered(aigc: tuple[tuple[str, str], ...], bindings: tuple[tuple[str, str], ...]) -> Mapping[str, bytes]:
    """Return the assertions that say what is in the content: the same ones twice in a row, when a store is written."""
    found = {AIGC_ASSERTION: _assertion(AIGC_ASSERTION, dict(aigc))} if aigc else {}
    for number, (algorithm, value) in enumerate(bindings):
        name = f"{SOFT_BINDING}__{number}" if number else SOFT_BINDING
        said = {"alg": algorithm, "blocks": [{"scope": {}, "value": value}], "pad": b""}
        found[name] = _assertion(name, said)
    return MappingProxyType(found)


def _assertion(name: str, value: Any) -> bytes:
    return _box(b"cbor", name, _plain(cbor.encode(value)))


def _box(kind: bytes, label: str, *content: bytes) -> bytes:
    """Write a JUMBF superbox: its description, and what is in it."""
    described = _description(kind, label)
    size = 8 + len(described) + sum(map(len, content))
    return b"".join((size.to_bytes(4), b"jumb", described, *content))


@lru_cache(maxsize=64)
def _description(kind: bytes, label: str) -> bytes:
    """Write what a superbox says of itself: its type, and a label that may be asked for."""
    description = kind + _TAIL + bytes((_LABELLED | _REQUESTABLE,)) + label.encode() + b"\0"
    return (len(description) + 8).to_bytes(4) + b"jumd" + description


def _plain(content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4) + b"cbor" + content


def _inside(box: bytes) -> list[bytes]:
    """Return the boxes in a superbox behind its description; what is no superbox has none.

    Raises:
        ValueError: A box ends beyond it, or there are too many.
    """
    found, at = list[bytes](), 8
    while at < len(box):
        size = int.from_bytes(box[at : at + 4])
        if size < 8 or at + size > len(box) or len(found) > _LIMIT:
            raise ValueError("a box that is not whole, or too many")
        found.append(box[at : at + size])
        at += size
    return found[1:]


def _content(box: bytes) -> bytes:
    (only,) = _inside(box)
    return only[8:]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError("no bytes")
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("no number")
    return value
