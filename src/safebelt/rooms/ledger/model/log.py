"""Words of the log itself: entries, checkpoints, faults, and what happens to them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from safebelt.kernel.conditions import Truth
from safebelt.kernel.events import Event
from safebelt.kernel.text import Text

OpenNote = Callable[[str], tuple[str, frozenset[str]]]
"""Opens a signed note: its text and the verifier keys that signed it.  Raises a `Problem` where none did."""

Cosigned = Callable[[str], Mapping[str, int]]
"""A signed note to the cosigners known that signed it: verifier key to seconds since the epoch.  Raises a `Problem`
where a known one's signature is wrong."""

Canonical = Callable[[Any], bytes]
"""RFC 8785 bytes of a JSON-ready value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One remembered event.

    Attributes:
        id: `ent_…`.
        index: Zero-based place in the log; None until sequenced.
        at: When it was appended.
        actor: Pseudonymous id of who acted.
        door: Which door the actor came through.
        kind: Event kind, `room.what_happened.vN`.
        subject: Id of what it is about.
        data: The public fields of the event.
        body: RFC 8785 bytes that the leaf hash commits to.
        personal: Personal fields, or None where there are none or they were erased.
        is_erased: Whether personal fields existed and were erased.
    """

    id: str
    index: int | None
    at: datetime
    actor: str
    door: str
    kind: str
    subject: str
    data: Mapping[str, Any]
    body: bytes
    personal: Mapping[str, str] | None = None
    is_erased: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An entry as it is stored, before anybody believes it.

    Attributes:
        id, index, at, actor, kind, subject, words, body, leaf: The columns.
        salt, personal: The personal payload and its salt, where there is one.
        has_personal: Whether a personal row exists.
        erased_at: When the payload was erased.
    """

    id: str
    index: int | None
    at: datetime
    actor: str
    kind: str
    subject: str
    words: str
    body: bytes
    leaf: bytes
    has_personal: bool = False
    salt: bytes | None = None
    personal: Mapping[str, str] | None = None
    erased_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A signed tree head (C2SP tlog-checkpoint).

    Attributes:
        origin: Name of the log.
        size: How many entries it commits to.
        root: RFC 6962 root hash, 32 bytes.
        note: The signed note, exactly as published.
    """

    origin: str
    size: int
    root: bytes
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something in the log that is not as it was written.

    Attributes:
        code: `body`, `leaf`, `column`, `gap`, `personal`, `root`, `checkpoint`, `signature`, `cosignature`,
            `rotation`, `tile`, `bundle` or `tree`.
        where: The entry, checkpoint or file, for example `ent_… (index 5)`.
        index: The entry's index, where the fault is in one entry.
        says: What is wrong.
    """

    code: str
    where: str
    says: Text
    index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What verifying the whole log came to.

    Attributes:
        holds: True: intact.  False: at least one fault.  Unknown: there was nothing to verify.
        entries: How many sequenced entries were read.
        waiting: How many entries are not yet covered by a checkpoint, and therefore not yet provable.
        checkpoints: How many checkpoints were recomputed.
        erased: How many entries have had personal data erased.
        faults: What is wrong, by name; at most `MAX_FAULTS` of them.
        more: How many further faults are not listed.
    """

    holds: Truth
    entries: int
    waiting: int
    checkpoints: int
    erased: int
    faults: tuple[Fault, ...]
    more: int = 0


MAX_FAULTS = 200
"""A log that is broken everywhere is reported by its first faults and a count: nobody reads a million lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalErased(Event):
    """The personal data of an entry was erased; the entry and its proof stand.  The subject is the entry."""

    kind: ClassVar[str] = "ledger.personal_erased.v1"
    title: ClassVar[Text] = Text(zh="删除了个人信息", en="Personal data erased")
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRotated(Event):
    """The log's signing key was replaced.  The subject is the log's origin.

    Attributes:
        old, new: Verifier keys.
        note: `rotation_text(old, new)` as a note signed by the old key.
        reason: Why.
    """

    kind: ClassVar[str] = "ledger.key_rotated.v1"
    title: ClassVar[Text] = Text(zh="轮换了签名密钥", en="Signing key rotated")
    old: str
    new: str
    note: str
    reason: str
