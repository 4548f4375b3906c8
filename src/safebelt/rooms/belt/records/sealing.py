"""Originals that only an auditor reads: sealed beside the masked texts of a record, to keys this house does not have.

An age file for every record would cost a key agreement for each recipient: 135 µs for one, 241 µs for two, where what
follows costs 18 µs for either (`bench/sealing.py`).  So one age file carries a seed for up to `KEY_RECORDS` records,
and each record is sealed with a key of its own that is hashed forward from it: whoever reads the belt's memory finds
the keys of what comes next, never of what went before.  Every record carries all that its recipient needs, so that one
can go, or be moved, without the others.  (ADR 0039.)
"""

import base64
import binascii
import json
import time
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from safebelt.engines.clock import Chance
from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.belt.records.line import encode

if TYPE_CHECKING:
    from safebelt.engines.archive_age import Keys

SEALED = "sealed"
"""What stands for the originals in a record's content."""
FORMAT = "safebelt/sealed/v1"
KEY_RECORDS = 1024
"""Records under one seed: then each bears a tenth of a microsecond of a recipient's key agreement, and opening the last
takes 1,024 hashes."""
KEY_SECONDS = 600.0
"""Or so long: a seed that was stolen opens nothing that is sealed later than this."""
_SEED_BYTES = 32
_ONCE = bytes(12)  # a key seals one record, so its nonce need not differ from another's
_MOST_SEALERS = 256


class Sealed(msgspec.Struct, frozen=True, kw_only=True, rename={"recipients": "for"}):
    """The originals of one half of an exchange, as a record carries them.

    Attributes:
        box: The texts, sealed (ChaCha20-Poly1305, base64).
        recipients: Public keys of whoever can open it.
        key: The seed, an age file for the recipients (base64).
        step: How often the seed is hashed forward to this record's key.
    """

    box: str
    recipients: tuple[str, ...]
    key: str
    step: int


class Sealer:
    """Seals for the same recipients, one record after another; not for several threads at once.

    Args:
        recipients: Public keys, `age1…` or `ssh-ed25519 …`.
        chance: Randomness.
        ticks: A clock that never jumps, in seconds.
    """

    def __init__(
        self, recipients: Sequence[str], *, chance: Chance, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self._recipients, self._chance, self._ticks = tuple(recipients), chance, ticks
        self._chain, self._key, self._step, self._until = b"", "", KEY_RECORDS, 0.0

    def seal(self, record_id: str, half: str, texts: Mapping[str, str]) -> dict[str, Any]:
        """Return texts as a record carries them; `half` is `intent` or `outcome`.

        Raises:
            Invalid: There is no recipient, or one is none.
        """
        if self._step >= KEY_RECORDS or self._ticks() >= self._until:
            self._begin()
        step, key = self._step, _box_key(self._chain)
        self._chain, self._step = _next(self._chain), step + 1
        box = ChaCha20Poly1305(key).encrypt(_ONCE, encode(texts), _bound_to(record_id, half, step))
        return {"box": _as_text(box), "for": self._recipients, "key": self._key, "step": step}

    def _begin(self) -> None:
        seed = self._chance(_SEED_BYTES)
        from safebelt.engines.archive_age import seal_bytes  # noqa: PLC0415  most belts seal nothing

        self._key = _as_text(seal_bytes(seed, self._recipients))
        self._chain, self._step, self._until = seed, 0, self._ticks() + KEY_SECONDS


class Sealers:
    """One sealer for each choice of recipients.

    Args:
        chance: Randomness.
    """

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._known: dict[tuple[str, ...], Sealer] = {}

    def of(self, recipients: tuple[str, ...]) -> Sealer:
        """Return what seals for recipients."""
        sealer = self._known.get(recipients)
        if sealer is None:
            if len(self._known) >= _MOST_SEALERS:
                self._known.clear()
            sealer = self._known[recipients] = Sealer(recipients, chance=self._chance)
        return sealer


def sealed_in(content: Mapping[str, Any] | None) -> Sealed | None:
    """Return the originals that a content carries; None where it carries none, or none that can be read."""
    try:
        return msgspec.convert((content or {}).get(SEALED), Sealed)
    except msgspec.ValidationError:
        return None


def unseal(sealed: Sealed, record_id: str, half: str, keys: "Keys") -> dict[str, str]:
    """Open what was sealed for one half of an exchange.

    Raises:
        Invalid: The keys are others, or it was changed, or belongs to another record.
    """
    try:
        key, box = (base64.b64decode(each, validate=True) for each in (sealed.key, sealed.box))
        seed = _seed(key, keys, sealed.recipients)
        if len(seed) != _SEED_BYTES or not 0 <= sealed.step < KEY_RECORDS:
            raise _not_opened(record_id)
        for _ in range(sealed.step):
            seed = _next(seed)
        opened = ChaCha20Poly1305(_box_key(seed)).decrypt(_ONCE, box, _bound_to(record_id, half, sealed.step))
    except (binascii.Error, InvalidTag) as error:
        raise _not_opened(record_id) from error
    texts: dict[str, str] = json.loads(opened)  # not msgspec: a record keeps half surrogates as escapes
    return texts


def _seed(key: bytes, keys: "Keys", recipients: Sequence[str]) -> bytes:
    from safebelt.engines.archive_age import open_bytes  # noqa: PLC0415  as above

    try:
        return open_bytes(key, keys)
    except Invalid as error:
        raise Invalid(
            what=Text(
                zh="这把私钥不能打开它，或封存的密钥已被改动。",
                en="This identity does not open it, or the sealed key was changed.",
            ),
            hint=Text(
                zh=f"请用与下列公钥之一对应的私钥：{'、'.join(recipients)[:400]}",
                en=f"Give the identity of one of these public keys: {', '.join(recipients)[:400]}",
            ),
            details={"field": "identity"},
        ) from error


def _bound_to(record_id: str, half: str, step: int) -> bytes:
    """A box opens only where it stands: moved to another record it is as good as changed."""
    return f"{FORMAT} {record_id} {half} {step}".encode()


def _box_key(chain: bytes) -> bytes:
    return sha256(b"safebelt sealed box" + chain).digest()


def _next(chain: bytes) -> bytes:
    return sha256(b"safebelt sealed next" + chain).digest()


def _as_text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _not_opened(record_id: str) -> Invalid:
    return Invalid(
        what=Text(
            zh=f"无法打开 {record_id} 的原文：内容已被改动，或属于别的记录。",
            en=f"The original of {record_id} cannot be opened: it was changed, or belongs to another record.",
        ),
        hint=Text(
            zh="请向机构重新索取，并用 safebelt belt verify 核对其记录。",
            en="Ask the house for it again, and have its records verified: `safebelt belt verify`.",
        ),
    )
