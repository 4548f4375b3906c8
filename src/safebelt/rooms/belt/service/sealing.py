"""Originals for an auditor: two people choose that they are kept, and two people hand one out; the house opens none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from safebelt.engines.archive_age import Keys, hold_recipient
from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.access.model import Proposal, Propose
from safebelt.rooms.belt.model import ContentMode, Harness, OriginalHandedOut
from safebelt.rooms.belt.records.handout import Handout, handout_of, opened, written
from safebelt.rooms.belt.service.base import REASON, given, missing
from safebelt.rooms.belt.service.evidence import Evidence
from safebelt.rooms.belt.service.harness import Harnesses

SEAL = "belt.seal_originals"
"""The act of keeping originals for somebody."""
OPEN_ORIGINALS = "belt.open_originals"
"""The act of handing one out."""
MOST_RECIPIENTS = 8
"""Auditors of one system; the envelope grows with each."""
_BASIS = Text(zh="依据", en="what it rests on")


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOut:
    """What two people let leave the house.

    Attributes:
        handout: The sealed originals.
        content: The file, as its digest is on the ledger.
        entry: The ledger's entry.
        texts: Half → where each text stood → text, where somebody brought the identity; kept nowhere.
    """

    handout: Handout
    content: bytes
    entry: str
    texts: dict[str, dict[str, str]] | None = None


class Originals(Evidence, Harnesses):
    """Deeds of two people about originals."""

    # ------------------------------------------------------------------ keeping them

    def propose_sealing(
        self, system_id: str, recipients: Sequence[str], basis: str, reason: str, *, by: Actor
    ) -> Proposal:
        """Propose that a system's records keep originals, sealed; nothing changes until another person seconds it.

        Args:
            system_id: A system that has the belt.
            recipients: Whose public keys they are sealed to: `age1…` or `ssh-ed25519 …`.
            basis: The provision, contract or order it rests on.
            reason: Why.
            by: Who proposes it.

        Raises:
            NotFound: The belt is not fitted to the system.
            Invalid: There is no recipient, too many, or one is none; no basis or no reason is given.
            Conflict: It is so already.
            Refused: The actor may not propose it.
        """
        chosen = _recipients(recipients)
        basis, reason = given(basis, field="basis", what=_BASIS), given(reason, field="reason", what=REASON)
        now = self.harness(system_id)
        if _as_kept(now) == [ContentMode.SEALED.value, *chosen]:
            raise Conflict(
                what=Text(zh="原文已按此封存。", en="Originals are sealed so already."),
                hint=Text(zh="无需再次提出。", en="There is nothing left to do."),
            )
        for_whom = ", ".join(f"{each[:16]}…{each[-6:]}" for each in chosen)  # whole in the content
        return self._t.access.propose(
            Propose(
                action=SEAL,
                subject=system_id,
                says=Text(
                    zh=f"留存 {system_id} 往来的原文，封存给：{for_whom}",
                    en=f"Keep the originals of {system_id}'s exchanges, sealed to {for_whom}",
                ),
                reason=f"{basis}: {reason}",
                content={"recipients": list(chosen), "basis": basis, "reason": reason, "replaces": _as_kept(now)},
                where=f"/belt/systems/{system_id}",
            ),
            by=by,
        )

    def second_sealing(self, proposal_id: str, *, answer: str, by: Actor) -> Harness:
        """Second it: from the next snapshot on the belt seals the originals of new exchanges.

        Raises:
            NotFound, Refused, Conflict, Invalid: As for `Access.second`; Conflict also where what records keep was
                changed since it was proposed.
        """
        with self._t.sql.begin() as tx:
            proposal = self._t.access.second(tx, proposal_id, action=SEAL, answer=answer, by=by)
            old = self._harness(tx, proposal.subject)
            if _as_kept(old) != list(proposal.content["replaces"]):
                raise _changed_since()
            chosen = tuple(str(each) for each in proposal.content["recipients"])
            new = replace(old, content=ContentMode.SEALED, recipients=chosen, version=old.version + 1)
            self._put_harness(tx, new, by, proposal=proposal.id)
        return new

    def sealing(self, proposal_id: str) -> Proposal:
        """Return what was proposed about keeping originals; raises NotFound."""
        return self._act(proposal_id, SEAL)

    def sealings(self, system_id: str) -> list[Proposal]:
        """Return what was proposed about a system's originals, latest first."""
        return self._t.access.proposals(actions=[SEAL], subject=system_id)

    # ------------------------------------------------------------------ handing one out

    def original(self, record_id: str) -> Handout:
        """Return what a record carries of its originals, sealed; it may be nothing.

        Raises:
            NotFound: There is no such record.
            Unavailable: A content on disk is not what its record says.
        """
        full = self.exchange(record_id)
        halves = {"intent": full.intent, "outcome": full.outcome}
        return handout_of(full.exchange.id, full.exchange.system_id, halves)

    def propose_opening(self, record_id: str, reason: str, *, by: Actor) -> Proposal:
        """Propose to hand out a record's originals; nothing leaves until another person seconds it.

        Raises:
            NotFound: There is no such record.
            Conflict: It has none, or they were erased.
            Invalid: No reason is given.
            Refused: The actor may not propose it.
            Unavailable: As for `original`.
        """
        reason = given(reason, field="reason", what=REASON)
        found = self._hold_original(record_id)
        return self._t.access.propose(
            Propose(
                action=OPEN_ORIGINALS,
                subject=found.record,
                says=Text(zh=f"移交 {found.record} 的封存原文", en=f"Hand out the sealed originals of {found.record}"),
                reason=reason,
                content={"sealed_sha256": _digest(found), "for": list(found.recipients)},
                where=f"/belt/exchanges/{found.record}",
            ),
            by=by,
        )

    def hand_out(self, proposal_id: str, *, answer: str, by: Actor, keys: Keys | None = None) -> HandedOut:
        """Second it: the ledger remembers it, and the sealed file leaves.

        Args:
            proposal_id: What another person proposed.
            answer: The second person's reason.
            by: The second person.
            keys: Where the auditor is here: with what it is opened.  A wrong one spends nothing.

        Raises:
            NotFound, Refused, Conflict, Invalid: As for `Access.second`; Conflict also where the originals are gone or
                others since it was proposed; Invalid also where the keys do not open it.
            Unavailable: As for `original`.
        """
        found = self._hold_original(self.opening(proposal_id).subject)
        with self._t.sql.begin() as tx:
            proposal = self._t.access.second(tx, proposal_id, action=OPEN_ORIGINALS, answer=answer, by=by)
            if proposal.content["sealed_sha256"] != _digest(found):
                raise _changed_since()
            texts = None if keys is None else opened(found, keys)
            event = OriginalHandedOut(
                subject=found.record,
                sealed_sha256=_digest(found),
                recipients=found.recipients,
                proposal=proposal.id,
                opened_here=texts is not None,
                reason=proposal.reason,
            )
            entry = self._t.ledger.append(tx, event, by=by)
        return HandedOut(handout=found, content=written(found), entry=entry, texts=texts)

    def opening(self, proposal_id: str) -> Proposal:
        """Return what was proposed about handing one out; raises NotFound."""
        return self._act(proposal_id, OPEN_ORIGINALS)

    def openings(self, record_id: str) -> list[Proposal]:
        """Return who proposed to hand out a record's originals, and what came of it, latest first."""
        return self._t.access.proposals(actions=[OPEN_ORIGINALS], subject=record_id)

    def _act(self, proposal_id: str, action: str) -> Proposal:
        proposal = self._t.access.proposal(proposal_id)
        if proposal.action != action:
            raise missing(
                Text(zh="此类双人事项", en="such act of two people"),
                proposal_id,
                Text(zh="请查看双人事项。", en="See the acts that need two people."),
            )
        return proposal

    def _hold_original(self, record_id: str) -> Handout:
        found = self.original(record_id)
        if not found.parts:
            raise Conflict(
                what=Text(
                    zh="这条记录没有封存的原文：从未留存，或已抹除。",
                    en="This record has no sealed originals: none were kept, or they were erased.",
                ),
                hint=Text(
                    zh="遮盖后的文本与摘要见该次往来的页面。",
                    en="Masked texts, or digests, are on the exchange's page.",
                ),
            )
        return found


def _recipients(named: Sequence[str]) -> tuple[str, ...]:
    """Read public keys; whose they are, as the comment of an SSH key says it, is left out: the ledger is public."""
    kept = dict.fromkeys(" ".join(line.split()[:2]) for line in named if line.strip())
    if not 0 < len(kept) <= MOST_RECIPIENTS:
        raise Invalid(
            what=Text(zh=f"须给出 1 至 {MOST_RECIPIENTS} 个公钥。", en=f"Give one to {MOST_RECIPIENTS} public keys."),
            hint=Text(
                zh="公钥以 age1 或 ssh-ed25519 开头，由审计员提供；私钥不得留在本机构。",
                en="They begin with age1 or ssh-ed25519 and come from the auditor; the private ones stay with them.",
            ),
            details={"field": "recipients"},
        )
    for each in kept:
        _hold_public(each)
    return tuple(kept)


def _hold_public(text: str) -> None:
    if "SECRET" in text[:20]:
        raise _not_public(
            Text(
                zh="这是私钥，不能交给本机构；请让审计员更换一把。",
                en="This is a private key, which this house must not have: let the auditor make another.",
            )
        )
    if not text.startswith(("age1", "ssh-ed25519 ")):
        raise _not_public(Text(zh=f"“{text[:20]}…”不是可用的公钥。", en=f"“{text[:20]}…” is no public key for this."))
    try:
        hold_recipient(text)
    except Invalid as problem:
        problem.details = {**problem.details, "field": "recipients"}
        raise


def _not_public(what: Text) -> Invalid:
    hint = Text(zh="请给出以 age1 或 ssh-ed25519 开头的公钥。", en="Give one that begins with age1 or ssh-ed25519.")
    return Invalid(what=what, hint=hint, details={"field": "recipients"})


def _as_kept(harness: Harness) -> list[str]:
    """Return what records keep, as a proposal says what it would replace."""
    return [harness.content.value, *harness.recipients]


def _digest(handout: Handout) -> str:
    return sha256(written(handout)).hexdigest()


def _changed_since() -> Conflict:
    return Conflict(
        what=Text(zh="提出之后情况已有变化。", en="It is no longer what was proposed on."),
        hint=Text(zh="请否决，并重新提出。", en="Refuse it, and propose it afresh."),
    )
