"""The manifest store as this house writes it: one manifest over one content, byte for byte the same for the same words.

The reference engine (`manifests`) can write and read every store, and takes milliseconds for it.  Nearly every store
that passes through a house is one that the house made itself, and of one shape; that shape is written and read here.

Reading is writing again: what a store says is taken out, a store is made of that, and only if the two are equal, byte
by byte, is it one of ours.  So nothing hides in a field that is passed over, no hash of an assertion is left
unchecked, and everything of another shape is the engine's to judge.

Stores of one system are alike but for a label, a few hashes and a signature.  So the first that is written out becomes
a frame, into which the next are filled: a store comes out the same, byte for byte, in half the time.

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
from safebelt.rooms.labelling.provenance import cbor, jumbf

AIGC_ASSERTION = "cn.tc260.aigc"
SOFT_BINDING = "c2pa.soft-binding"
_ACTIONS, _HASH = "c2pa.actions.v2", "c2pa.hash.data"
GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
MAX_BYTES = 60_000
"""Longest store that is written or read here: so it fits into one segment of a JPEG."""
_LENGTHS = range(0x100, MAX_BYTES + 1)
"""Lengths that are written here: CBOR takes the same two bytes for each."""
_MOST_FRAMES, _NUMBERS = 256, 3
"""Frames that are kept, and how often a manifest's own number stands in it: its name, the claim's, the signature's."""
_SIGNATURE_BYTES = 64  # ECDSA over P-256: r and s (RFC 9053, 2.1)
_ES256, _ALGORITHM, _CHAIN = -7, 1, 33  # RFC 9053, table 1; RFC 9052, 3.1; RFC 9360, 2
_COSE_SIGN1 = 18
_DIGEST_BYTES = 32  # SHA-256


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
    def number(self) -> str:
        """The manifest's own (C2PA 8.2: a UUID of version 4), from what no two have in common: content and signer."""
        told = sha256(self.digest + b"".join(self.chain[:1])).digest()
        return str(uuid.UUID(bytes=told[:16], version=4))

    @property
    def label(self) -> str:
        """The manifest's name."""
        return f"urn:c2pa:{self.number}"

    @cached_property
    def aigc_box(self) -> bytes:
        """The assertion with the implicit label; empty where there is none."""
        return _label_box(tuple(self.aigc.items())) if self.aigc else b""

    @property
    def shape(self) -> tuple[Any, ...]:
        """What is not another thing with each content: stores of one shape fit into one frame."""
        return self.title, self.software, self.bindings, self.start, self.chain, len(self.aigc_box)

    @property
    def signed_bytes(self) -> bytes:
        """What the signature is over (RFC 9052, 4.4)."""
        return cbor.encode(["Signature1", self._protected, b"", self._claim])

    def to_bytes(self) -> bytes:
        """Return the store; the signature is the last of it."""
        return self._made[0]

    @property
    def _claim(self) -> bytes:
        return self._made[1]

    @cached_property
    def _made(self) -> tuple[bytes, bytes]:
        """The store and the claim in it: filled into its frame, if it has one that stands ready."""
        is_usual = (len(self.digest), len(self.signature)) == (_DIGEST_BYTES, _SIGNATURE_BYTES)
        if not is_usual or self.length not in _LENGTHS:
            return self._written_out()
        frame = _FRAMES.get(self.shape)
        if frame is not None:
            return frame.filled(self)
        made = self._written_out()
        _keep_frame(self, *made)
        return made

    def _written_out(self) -> tuple[bytes, bytes]:
        claim = self._claimed()
        cose = cbor.Tagged(_COSE_SIGN1, [self._protected, {}, None, self.signature])
        manifest = jumbf.box(
            b"c2ma",
            self.label,
            jumbf.box(b"c2as", "c2pa.assertions", *self._assertions.values()),
            jumbf.box(b"c2cl", "c2pa.claim.v2", jumbf.plain(claim)),
            jumbf.box(b"c2cs", "c2pa.signature", jumbf.plain(cbor.encode(cose))),
        )
        return jumbf.box(b"c2pa", "c2pa", manifest), claim

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
        label = {AIGC_ASSERTION: self.aigc_box} if self.aigc else {}
        return {_ACTIONS: _created(), _HASH: jumbf.assertion(_HASH, hashed), **label, **_bound(self.bindings)}

    def _claimed(self) -> bytes:
        """Write the claim (C2PA 10.3): every assertion with the hash of its box, without the box's own header."""
        named = [
            cbor.Written(_reference(name) + sha256(memoryview(box)[8:]).digest())
            for name, box in self._assertions.items()
        ]
        label = self.label
        return cbor.encode(
            {
                "instanceID": f"xmp:iid:{self.number}",
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
    frame = _FRAMES.get(store.shape)
    store = replace(store, length=MAX_BYTES if frame is None else len(frame.sample) + around)
    made = store.to_bytes()
    if len(made) + around != store.length:  # a number of two bytes, as the right one is: the next store fits
        store = replace(store, length=len(made) + around)
        made = store.to_bytes()
    if store.length not in _LENGTHS or len(made) + around != store.length:
        return None
    return made[:-_SIGNATURE_BYTES] + sign(store.signed_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """A store, and where in it stands what is another thing with each content: stores of one system are alike.

    Attributes:
        of: What it was made of.
        sample: The store.
        length, digest: Places of what is left out of the hash, and of the hash.
        aigc: Place of the box with the label; empty where there is none.
        numbers: Places of the manifest's own number.
        hashes: What is hashed, and the place of the hash in the claim.
        claim: Place of the claim.
    """

    of: Store
    sample: bytes
    length: slice
    digest: slice
    aigc: slice
    numbers: tuple[slice, ...]
    hashes: tuple[tuple[slice, slice], ...]
    claim: slice

    def filled(self, store: Store) -> tuple[bytes, bytes]:
        """Return a store of this shape, and the claim in it."""
        made = bytearray(self.sample)
        made[self.length] = store.length.to_bytes(2)
        made[self.digest] = store.digest
        made[self.aigc] = store.aigc_box
        for place in self.numbers:
            made[place] = store.number.encode()
        for hashed, place in self.hashes:
            made[place] = sha256(memoryview(made)[hashed]).digest()
        made[-_SIGNATURE_BYTES:] = store.signature
        return bytes(made), bytes(made[self.claim])

    def taken(self, data: bytes) -> Store:
        """Return what a store says that is as long as this, if it is of this shape; errors as of `_taken`."""
        return replace(
            self.of,
            aigc=_texts(cbor.decode(jumbf.content(data[self.aigc]))) if self.of.aigc else {},
            length=int.from_bytes(data[self.length]),
            digest=data[self.digest],
            signature=data[-_SIGNATURE_BYTES:],
        )


_FRAMES: dict[tuple[Any, ...], _Frame] = {}
_BY_SIZE: dict[int, _Frame] = {}
"""The last frame of each size: most of what is read one after the other is of one house, and a few systems."""


def _keep_frame(store: Store, made: bytes, claim: bytes) -> None:
    """Keep what was written out as the frame of the next of its shape.

    Its places are found by what stands there.  Where that stands elsewhere too, by chance or because somebody would
    have it so, there is no frame.
    """
    boxes = [one for one in (store._assertions[_HASH], store.aigc_box) if one]
    try:
        hashes = [(_place(made, box[8:]), _place(made, sha256(box[8:]).digest())) for box in boxes]
        length = _place(made, cbor.encode("length") + cbor.encode(store.length))
        frame = _Frame(
            of=store,
            sample=made,
            length=slice(length.stop - 2, length.stop),
            digest=_place(made, store.digest),
            aigc=_place(made, store.aigc_box) if store.aigc else slice(0, 0),
            numbers=_places(made, store.number.encode(), _NUMBERS),
            hashes=tuple(hashes),
            claim=_place(made, claim),
        )
    except ValueError:
        return
    if len(_FRAMES) >= _MOST_FRAMES:
        _FRAMES.clear()
        _BY_SIZE.clear()
    _FRAMES[store.shape] = _BY_SIZE[len(made)] = frame


def _place(made: bytes, what: bytes) -> slice:
    return _places(made, what, 1)[0]


def _places(made: bytes, what: bytes, count: int) -> tuple[slice, ...]:
    """Return where something stands; raises ValueError where that is not as often as it should."""
    if made.count(what) != count:
        raise ValueError("it stands elsewhere too")
    found, at = list[slice](), 0
    for _ in range(count):
        at = made.index(what, at)
        found.append(slice(at, at := at + len(what)))
    return tuple(found)


def read(data: bytes) -> Store | None:
    """Return what a store says; None where this house would not have written it so, byte for byte."""
    if len(data) > MAX_BYTES:
        return None
    frame = _BY_SIZE.get(len(data))
    for take in (_taken,) if frame is None else (frame.taken, _taken):
        try:
            store = take(data)
            if store.to_bytes() == data:
                return store
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            continue
    return None


def _taken(data: bytes) -> Store:
    """Take out what a store says.

    What is passed over here, or taken from the wrong place, shows when the store is made again.
    """
    (manifest,) = jumbf.inside(data)
    assertions, claim, signature = jumbf.inside(manifest)
    hashed, *rest = [cbor.decode(jumbf.content(one)) for one in jumbf.inside(assertions)[1:]]
    cose = cbor.decode(jumbf.content(signature)).value
    aigc = rest.pop(0) if rest and "alg" not in rest[0] else {}
    info = _told(claim, "claim_generator_info")
    return Store(
        title=_text(_told(claim, "dc:title")),
        software=(_text(info["name"]), _text(info["version"])),
        aigc=_texts(aigc),
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
    return jumbf.assertion(_ACTIONS, {"actions": [{"action": "c2pa.created", "digitalSourceType": GENERATED}]})


@lru_cache(maxsize=16)
def _label_box(aigc: tuple[tuple[str, str], ...]) -> bytes:
    """Write the assertion with the label: the same one twice in a row, when a store is written."""
    return jumbf.assertion(AIGC_ASSERTION, dict(aigc))


@lru_cache(maxsize=16)
def _bound(bindings: tuple[tuple[str, str], ...]) -> Mapping[str, bytes]:
    """Return the assertions that say what else is in the content."""
    found = dict[str, bytes]()
    for number, (algorithm, value) in enumerate(bindings):
        name = f"{SOFT_BINDING}__{number}" if number else SOFT_BINDING
        said = {"alg": algorithm, "blocks": [{"scope": {}, "value": value}], "pad": b""}
        found[name] = jumbf.assertion(name, said)
    return MappingProxyType(found)


def _texts(value: Any) -> dict[str, str]:
    return {_text(key): _text(one) for key, one in value.items()}


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
