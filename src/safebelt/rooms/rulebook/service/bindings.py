"""What doors take to bind a party by a covenant, or to let it go."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
from litestar.params import KwargDefinition

PARTY = r"^pty_[0-9A-Za-z]{1,36}$"
MAX_REASON = 2000

PartyId = Annotated[str, msgspec.Meta(pattern=PARTY), KwargDefinition(pattern=PARTY)]
CovenantId = Annotated[str, msgspec.Meta(min_length=1, max_length=80), KwargDefinition(min_length=1, max_length=80)]
Why = Annotated[
    str, msgspec.Meta(min_length=1, max_length=MAX_REASON), KwargDefinition(min_length=1, max_length=MAX_REASON)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptCovenant:
    """Bind a party by a covenant from today.

    Attributes:
        party: Id of a registered party; the register keeps names, the rulebook only ids.
    """

    party: PartyId
    covenant: CovenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveCovenant:
    """End a commitment today.

    Attributes:
        reason: Why; it goes to the ledger.
    """

    party: PartyId
    covenant: CovenantId
    reason: Why
