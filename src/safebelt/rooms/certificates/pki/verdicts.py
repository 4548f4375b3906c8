"""Verdicts of an examination: ok only with a complete proof, bad with a disproof, else unknown; always with why."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from safebelt.kernel.conditions import Truth, conjunction
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text


class Outcome(StrEnum):
    """How an axis stands."""

    OK = "ok"
    BAD = "bad"
    UNKNOWN = "unknown"


_OUTCOMES = {Truth.TRUE: Outcome.OK, Truth.FALSE: Outcome.BAD, Truth.UNKNOWN: Outcome.UNKNOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One question about a certificate, answered.

    Attributes:
        state: ok, bad or unknown.
        reason: Why; its `holds` says the same as `state`.
    """

    state: Outcome
    reason: Reason

    @classmethod
    def of(cls, reason: Reason) -> "Axis":
        """Return the axis a reason decides."""
        return cls(state=_OUTCOMES[reason.holds], reason=reason)


def yes(zh: str, en: str, *cites: str) -> Reason:
    """State what holds."""
    return Reason(says=Text(zh=zh, en=en), holds=Truth.TRUE, cites=cites)


def no(zh: str, en: str, *cites: str) -> Reason:
    """State what is disproved."""
    return Reason(says=Text(zh=zh, en=en), holds=Truth.FALSE, cites=cites)


def open_(zh: str, en: str, *cites: str) -> Reason:
    """State what is neither proved nor disproved."""
    return Reason(says=Text(zh=zh, en=en), holds=Truth.UNKNOWN, cites=cites)


def together(zh: str, en: str, because: Sequence[Reason], *cites: str) -> Reason:
    """State what holds if all of several statements hold; of none at all nothing follows."""
    holds = conjunction(tuple(one.holds for one in because)) if because else Truth.UNKNOWN
    return Reason(says=Text(zh=zh, en=en), holds=holds, cites=cites, because=tuple(because))
