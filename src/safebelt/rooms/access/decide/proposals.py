"""Judgments of acts that need two people: who may second what, and until when."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, Refused
from safebelt.kernel.text import Text
from safebelt.rooms.access.model import (
    STANDS,
    Proposal,
    ProposalDecided,
    ProposalMade,
    Propose,
    Stand,
)

PROPOSAL_DAYS = 14
"""How long a proposal waits for a second person: two working weeks, so that holidays do not decide."""
MAX_REASON = 2000


def propose(
    cmd: Propose, *, new_id: str, content_sha256: str, at: datetime, by: Actor
) -> tuple[Proposal, ProposalMade]:
    """Make a proposal.

    Raises:
        Invalid: There is no reason, or it is too long.
    """
    proposal = Proposal(
        id=new_id,
        action=cmd.action,
        subject=cmd.subject,
        says=cmd.says,
        content=cmd.content,
        reason=_reason(cmd.reason),
        where=cmd.where,
        by=by.id,
        at=at,
        expires_at=at + timedelta(days=PROPOSAL_DAYS),
    )
    event = ProposalMade(
        subject=proposal.subject,
        proposal=proposal.id,
        action=proposal.action,
        reason=proposal.reason,
        content_sha256=content_sha256,
        expires_at=proposal.expires_at,
    )
    return proposal, event


def decide(
    proposal: Proposal, stand: Stand, *, answer: str, at: datetime, by: Actor
) -> tuple[Proposal, ProposalDecided]:
    """Second, refuse or withdraw a proposal.

    Raises:
        Refused: Who seconds or refuses it proposed it, or who withdraws it did not.
        Conflict: It no longer waits.
        Invalid: There is no reason.
    """
    _hold_open(proposal, at)
    _hold_people(proposal, stand, by)
    decided = replace(proposal, stand=stand, decided_by=by.id, decided_at=at, answer=_reason(answer))
    event = ProposalDecided(
        subject=proposal.subject,
        proposal=proposal.id,
        action=proposal.action,
        stand=stand.value,
        proposed_by=proposal.by,
        answer=decided.answer,
    )
    return decided, event


def as_of(proposal: Proposal, now: datetime) -> Proposal:
    """Return the proposal as it stands now: one that waited too long has expired."""
    is_late = proposal.stand is Stand.OPEN and now >= proposal.expires_at
    return replace(proposal, stand=Stand.EXPIRED) if is_late else proposal


def _hold_open(proposal: Proposal, now: datetime) -> None:
    stand = as_of(proposal, now).stand
    if stand is not Stand.OPEN:
        raise no_longer_waits(stand)


def no_longer_waits(stand: Stand) -> Conflict:
    """Say that a proposal ended before."""
    return Conflict(
        what=Text(zh=f"该事项{STANDS[stand].zh}，不能再作决定。", en=f"The proposal is {STANDS[stand].en} already."),
        hint=Text(zh="如仍有需要，请重新提出。", en="Propose it afresh if it is still needed."),
        details={"stand": stand.value},
    )


def _hold_people(proposal: Proposal, stand: Stand, by: Actor) -> None:
    is_own = by.id == proposal.by
    if stand is Stand.WITHDRAWN and not is_own:
        raise Refused(
            what=Text(zh="只有提出人可以撤回。", en="Only who proposed it may withdraw it."),
            hint=Text(zh="您可以否决该事项并说明理由。", en="You may refuse it, and say why."),
        )
    if stand is not Stand.WITHDRAWN and is_own:
        raise Refused(
            what=Text(zh="同一个人不能既提出又同意。", en="Nobody can second what they proposed themselves."),
            hint=Text(
                zh="请由另一位有权限的人登录后决定；您可以撤回。",
                en="Another person with the right to it must sign in and decide; you may withdraw it.",
            ),
        )


def hold_proposer(proposal: Proposal, *, may_still: bool) -> None:
    """Hold that who proposed could still propose it: an act of two people needs two who both may.

    Raises:
        Conflict: They were disabled, or lost the role.
    """
    if not may_still:
        raise Conflict(
            what=Text(
                zh="提出人已被停用，或已没有提出此事项的权限。",
                en="Who proposed it was disabled, or may not propose it any more.",
            ),
            hint=Text(
                zh="请否决；如仍有需要，请由有权限的人重新提出。",
                en="Refuse it; somebody with the right to it may propose it afresh if it is still needed.",
            ),
            details={"proposed_by": proposal.by},
        )


_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
"""PostgreSQL knows no NUL, and no encoding knows half a surrogate."""


def _reason(typed: str) -> str:
    reason = typed.strip()
    if reason and len(reason) <= MAX_REASON and not _NO_TEXT.search(reason):
        return reason
    raise Invalid(
        what=Text(zh="缺少理由，或理由过长。", en="There is no reason, or it is too long."),
        hint=Text(
            zh=f"请用不超过 {MAX_REASON} 字说明理由；它将写入账本。",
            en=f"Say why in at most {MAX_REASON} characters; it goes to the ledger.",
        ),
        details={"field": "reason"},
    )
