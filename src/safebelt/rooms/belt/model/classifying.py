"""Words of measuring a classifier: how much it finds, and how often it is wrong, by set of texts."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredSet:
    """What a classifier did to one set of texts.

    Attributes:
        name: What the set is called.
        language: Of its texts.
        is_attack: Whether its texts attack a model; otherwise somebody vouches that they are benign.
        texts: How many there are.
        hits: Of how many the classifier said that they attack.
    """

    name: str
    language: str
    is_attack: bool
    texts: int
    hits: int

    @property
    def rate(self) -> float:
        """Share of the texts that hit: recall of attacks, false alarms of benign texts."""
        return self.hits / self.texts if self.texts else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a classifier came to on sets of texts.

    Attributes:
        model, version, weights: The model, its package's version, and the SHA-256 of its weights.
        at_least: Score from which on a text hit.
        at: When it was measured.
        machine: On what kind of machine the times were taken.
        median_ms, slowest_ms: Milliseconds a text.
        sets: Set by set.
    """

    model: str
    version: str
    weights: str
    at_least: float
    at: datetime
    machine: str
    median_ms: float
    slowest_ms: float
    sets: tuple[MeasuredSet, ...]
