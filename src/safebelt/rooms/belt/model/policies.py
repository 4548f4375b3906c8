"""Words of a policy's life: its versions, who brought each when and why, and what it does to red lines."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from safebelt.kernel.text import Text


class Brought(StrEnum):
    """How a version came into force."""

    FILE = "file"
    LOAD = "load"
    ROLL_BACK = "roll_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """A version of a policy that came into force; the newest of a policy is the one in force.

    Attributes:
        number: Counts all adoptions of the house, from 1.
        policy: Id of the policy.
        version: Its version, as its author numbered it.
        digest: SHA-256 of its canonical content, hex; under it the version is kept whole.
        brought: How it came.
        at: When.
        by: Who brought it; where two people were needed, the second.
        reason: Why.
        red_lines: Ids of the red lines it changed.
        proposal: The act of two people it came from; empty where one was enough.
        entry_id: Its ledger entry.
    """

    number: int
    policy: str
    version: int
    digest: str
    brought: Brought
    at: datetime
    by: str
    reason: str
    red_lines: tuple[str, ...] = ()
    proposal: str = ""
    entry_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedLineChange:
    """What a version would do to one red line.

    Attributes:
        rule: Id of the rule.
        says: What changes.
        is_weaker: Whether less would be stopped, as far as can be told without reading a text.
    """

    rule: str
    says: Text
    is_weaker: bool
