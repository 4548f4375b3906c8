"""Words of acts that need two people: one proposes, another seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text


class Stand(StrEnum):
    """How a proposal stands."""

    OPEN = "open"
    SECONDED = "seconded"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


STANDS: Mapping[Stand, Text] = {
    Stand.OPEN: Text(zh="待第二人决定", en="awaits a second person"),
    Stand.SECONDED: Text(zh="已由第二人同意", en="seconded"),
    Stand.REFUSED: Text(zh="已被第二人否决", en="refused by a second person"),
    Stand.WITHDRAWN: Text(zh="已撤回", en="withdrawn"),
    Stand.EXPIRED: Text(zh="已过期", en="expired"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Propose:
    """Propose an act that needs two people.

    Attributes:
        action: What the actor asks to do, as the policies call it; both people need the right to it.
        subject: Id of what it is about.
        says: What will happen, for whoever decides.
        content: All that the act needs, so that the second person decides on exactly what the first proposed.
        reason: Why.
        where: Path of the page to decide on, without its language; empty where there is none.
    """

    action: str
    subject: str
    says: Text
    reason: str
    content: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """An act that one person proposed and another must second before anything happens.

    Attributes:
        id: `prp_…`.
        action, subject, says, content, reason, where: As proposed.
        by: Pseudonymous id of who proposed it.
        at: When.
        expires_at: From when on it can no longer be seconded.
        stand: How it stands.
        decided_by: Who seconded, refused or withdrew it; empty while nobody did.
        decided_at: When.
        answer: The second person's reason.
    """

    id: str
    action: str
    subject: str
    says: Text
    content: Mapping[str, Any]
    reason: str
    where: str
    by: str
    at: datetime
    expires_at: datetime
    stand: Stand = Stand.OPEN
    decided_by: str = ""
    decided_at: datetime | None = None
    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalMade(Event):
    """Somebody proposed an act that needs two people."""

    kind: ClassVar[str] = "access.proposal_made.v1"
    title: ClassVar[Text] = Text(zh="提出了双人事项", en="Two-person act proposed")
    proposal: str
    action: str
    reason: str
    content_sha256: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalDecided(Event):
    """A second person seconded or refused what another had proposed, its proposer withdrew it, or its time ran out.

    `stand` is seconded, refused, withdrawn.
    """

    kind: ClassVar[str] = "access.proposal_decided.v1"
    title: ClassVar[Text] = Text(zh="双人事项有了结果", en="Two-person act decided")
    proposal: str
    action: str
    stand: str
    proposed_by: str
    answer: str
