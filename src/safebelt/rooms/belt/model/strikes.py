"""Words of strikes: what counts as repeated abuse, a strike, and what a person decided about it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from safebelt.kernel.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class StrikeRule:
    """When refused requests come to a strike, as a policy says it.

    Attributes:
        rules: Ids of its rules that count; each refuses what callers send.
        exchanges: So many refused requests …
        within_minutes: … of one key in so long are a strike.
    """

    rules: tuple[str, ...]
    exchanges: int
    within_minutes: int


class Abuse(NamedTuple):
    """A request that a rule that counts refused: when it came, and its record."""

    at: datetime
    record: str


class Decision(StrEnum):
    """What a person decided about a strike."""

    WITHDRAWN = "withdrawn"
    UPHELD = "upheld"
    SUSPENDED = "suspended"


DECISIONS = {
    Decision.WITHDRAWN: Text(zh="撤销：不成立", en="withdrawn: it was no abuse"),
    Decision.UPHELD: Text(zh="维持：仅作警告", en="upheld, as a warning"),
    Decision.SUSPENDED: Text(zh="维持并停用密钥", en="upheld, and the key is suspended"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """Repeated abuse by one key, and what became of it.  By itself it does nothing but warn.

    Attributes:
        id: `stk_…`.
        policy, policy_digest: Under which policy, exactly.
        rules: Ids of the rules that count in it.
        exchanges, within_minutes: As the policy says.
        since, until: When the first and the last of the counted requests came.
        records: Their records.
        evidence: SHA-256 of the records' ids, one a line: all the ledger is told of them.
        decision: None while nobody has decided.
        appeal: Case number of the complaint by which the caller appealed; empty where none.
    """

    id: str
    key_id: str
    system_id: str
    at: datetime
    policy: str
    policy_digest: str
    rules: tuple[str, ...]
    exchanges: int
    within_minutes: int
    since: datetime
    until: datetime
    records: tuple[str, ...]
    evidence: str
    entry_id: str
    version: int = 1
    decision: Decision | None = None
    decided_at: datetime | None = None
    decided_by: str = ""
    decided_reason: str = ""
    appeal: str = ""
    appealed_at: datetime | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether a person has to look: nobody did, or not since the caller appealed."""
        if self.decided_at is None:
            return True
        return self.appealed_at is not None and self.appealed_at > self.decided_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a key stands.

    Attributes:
        strikes: How many count.
        newest: The last of them.
        suspended_by: The strike for which a person suspended the key; empty where none did.
    """

    strikes: int
    newest: str
    suspended_by: str = ""
