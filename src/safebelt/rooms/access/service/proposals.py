"""Acts that need two people.

A room proposes here, and when a second person seconds, does its own deed in the same transaction: so an act never
happens without its second person, and a second person's word is never spent on nothing.
"""

from collections.abc import Iterable
from hashlib import sha256

import sqlalchemy as sa

from safebelt.engines.canonical import canonical
from safebelt.kernel.actors import Actor
from safebelt.kernel.text import Text
from safebelt.rooms.access import decide, store
from safebelt.rooms.access.model import Proposal, Propose, Stand
from safebelt.rooms.access.service.rights import Rights


class Proposals(Rights):
    """Deeds about acts that need two people."""

    def propose(self, cmd: Propose, *, by: Actor) -> Proposal:
        """Propose an act; nothing happens until another person seconds it.

        Raises:
            Refused: The actor may not do it at all.
            Invalid: There is no reason.
        """
        self.authorize(by, cmd.action, cmd.subject)
        digest = sha256(canonical(dict(cmd.content))).hexdigest()
        proposal, event = decide.propose(
            cmd, new_id=self._new_id("prp"), content_sha256=digest, at=self._clock(), by=by
        )
        with self._sql.begin() as tx:
            store.add_proposal(tx, proposal)
            self._ledger.append(tx, event, by=by)
        return proposal

    def second(self, tx: sa.Connection, proposal_id: str, *, action: str, answer: str, by: Actor) -> Proposal:
        """Second a proposal inside the transaction of the deed it leads to.

        Args:
            tx: The deed's transaction; where the deed fails, the proposal waits on.
            proposal_id: Which.
            action: What the caller is about to do; a proposal of another act is as good as not there.
            answer: The second person's reason.
            by: The second person.

        Raises:
            NotFound: There is no such proposal.
            Refused: The actor may not do it, or proposed it themselves.
            Conflict: It no longer waits, or who proposed it could not propose it any more.
            Invalid: There is no reason.
        """
        found = self._proposal(tx, proposal_id)
        if found.action != action:
            raise _missing(proposal_id)
        return self._close(tx, found, Stand.SECONDED, answer, by)

    def refuse(self, proposal_id: str, *, answer: str, by: Actor) -> Proposal:
        """Refuse a proposal, as the second person.

        Raises:
            NotFound: There is no such proposal.
            Refused: The actor may not do it, or proposed it themselves.
            Conflict: It no longer waits.
            Invalid: There is no reason.
        """
        with self._sql.begin() as tx:
            return self._close(tx, self._proposal(tx, proposal_id), Stand.REFUSED, answer, by)

    def withdraw(self, proposal_id: str, *, answer: str, by: Actor) -> Proposal:
        """Withdraw one's own proposal.

        Raises:
            NotFound: There is no such proposal.
            Refused: Somebody else proposed it.
            Conflict: It no longer waits.
            Invalid: There is no reason.
        """
        with self._sql.begin() as tx:
            return self._close(tx, self._proposal(tx, proposal_id), Stand.WITHDRAWN, answer, by)

    def proposal(self, proposal_id: str) -> Proposal:
        """Return a proposal as it stands now.

        Raises:
            NotFound: There is no such proposal.
        """
        with self._sql.read() as tx:
            return decide.as_of(self._proposal(tx, proposal_id), self._clock())

    def proposals(self, *, actions: Iterable[str] = (), subject: str = "", limit: int = 100) -> list[Proposal]:
        """Return proposals as they stand now, latest first; of these actions, about this subject, where given."""
        with self._sql.read() as tx:
            found = store.proposals(tx, actions=tuple(actions), subject=subject, limit=limit)
        return [decide.as_of(proposal, self._clock()) for proposal in found]

    def _proposal(self, tx: sa.Connection, proposal_id: str) -> Proposal:
        found = store.proposal_with(tx, proposal_id)
        if found is None:
            raise _missing(proposal_id)
        return found

    def _close(self, tx: sa.Connection, found: Proposal, stand: Stand, answer: str, by: Actor) -> Proposal:
        self.authorize(by, found.action, found.subject)
        if stand is Stand.SECONDED:
            decide.hold_proposer(found, may_still=self._may_still(tx, found))
        decided, event = decide.decide(found, stand, answer=answer, at=self._clock(), by=by)
        if not store.close_proposal(tx, decided):
            raise decide.no_longer_waits(self._proposal(tx, found.id).stand)
        self._ledger.append(tx, event, by=by)
        return decided

    def _may_still(self, tx: sa.Connection, proposal: Proposal) -> bool:
        """Whether who proposed could do so now; who is no user, as the owner at the terminal, is what they were."""
        row = store.user_with(tx, id=proposal.by)
        if row is None:
            return True
        proposer = row[0]
        who = Actor(id=proposer.id, roles=proposer.roles, door="web")
        return not proposer.is_disabled and self.may(who, proposal.action, proposal.subject)


def _missing(proposal_id: str) -> Exception:
    return decide.missing(Text(zh="双人事项", en="two-person act"), proposal_id)
