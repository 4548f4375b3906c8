"""Words of the watermark in generated text: whose keys there are, what a reading came to, what the ledger is told."""

from dataclasses import dataclass
from typing import ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.labelling.model.checks import Verdict

FORMAT = "safebelt-text-watermark/1"
"""First field of a key's file."""
DEFAULT_RATE = 1e-4
"""How often, at most, a text without the mark may be taken for one that has it."""
LEAST_TOKENS = 20
"""Fewest tokens that are judged: with fewer not even the most predictable mark reaches the default rate."""
MAX_TOKENS = 50_000
"""Most tokens that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextKey:
    """A system's key.

    Attributes:
        id: `twk_…`.
        system_id: Whose it is.
        number: 1 for the first; the highest is used for new texts, and all are read.
        secret: 32 bytes.
    """

    id: str
    system_id: str
    number: int
    secret: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRead:
    """What a reading of a text came to.

    Attributes:
        verdict: *ok* where the mark was found; *unknown* where it was not: there may be none, or too little is left.
        reason: Why.
        tokens: How many of the text's tokens could witness.
        p_value: How likely a text without the mark is to give such a mean, over all keys that were tried.
        mean: Mean of the bits, each with its round's weight; a half where there is no mark.
        key_id: The key that fits best; empty where none was tried.
    """

    verdict: Verdict
    reason: Reason
    tokens: int
    p_value: float
    mean: float
    key_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextKeyMade(Event):
    """A system got a text watermark's key, its first or the next; a named authority holds it too, sealed.

    Attributes:
        number: Which one of the system's it is.
        commitment: Hex SHA-256 of the key: who holds it can show that it is this one.
        escrow_sha256: Digest of the sealed file that the authority was given.
        authority: For whom it is sealed.
    """

    kind: ClassVar[str] = "labelling.text_key_made.v1"
    title: ClassVar[Text] = Text(zh="生成了文本水印密钥", en="Text watermark key made")
    apart: ClassVar[frozenset[str]] = frozenset({"system_id", "authority"})
    number: int
    commitment: str
    escrow_sha256: str
    system_id: str
    authority: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextKeyReleased(Event):
    """A text watermark's key was written out, sealed, for somebody: an engine that generates, or a reader."""

    kind: ClassVar[str] = "labelling.text_key_released.v1"
    title: ClassVar[Text] = Text(zh="交出了文本水印密钥", en="Text watermark key released")
    apart: ClassVar[frozenset[str]] = frozenset({"system_id", "to", "reason"})
    sha256: str
    system_id: str
    to: str
    reason: str
