"""What people decide about the law: covenants, drafts, overrides, reviews, gaps."""

from dataclasses import asdict
from datetime import date
from hashlib import sha256

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.access.model import Proposal, Propose
from safebelt.rooms.rulebook import packs, store
from safebelt.rooms.rulebook.decide import deeds
from safebelt.rooms.rulebook.model import Norm, Overlay, Rulebook
from safebelt.rooms.rulebook.model.deeds import (
    Adoption,
    Commitment,
    Gap,
    Override,
    ProposeOverride,
    ReportGap,
    Reviewed,
    ReviewNorm,
)
from safebelt.rooms.rulebook.service.describing import Describing

ADOPT, OVERRIDE = "rulebook.adopt", "rulebook.override"
"""The two acts that need two people."""

_COVENANTS = "rulebook.covenants"


class Deciding(Describing):
    """Deeds that change what judges, or who is bound."""

    # ---- covenants

    def adopt_covenant(self, party: str, covenant: str, *, by: Actor) -> Commitment:
        """Bind a party by a covenant from today.

        Raises:
            NotFound: There is no such covenant, or the register has no such party.
            Conflict: It binds the party already.
        """
        today = self.today()
        deeds.hold_registered(party, is_registered=self.knows_party(party))
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, f"{_COVENANTS}.{party}")
            running = store.decisions.commitments(tx, party=party)
            made, event = deeds.adopt_covenant(self.text_within(tx, today), party, covenant, running, today=today)
            store.decisions.add_commitment(tx, made)
            self._ledger.append(tx, event, by=by)
        return made

    def leave_covenant(self, party: str, covenant: str, *, reason: str, by: Actor) -> None:
        """End a commitment today.

        Raises:
            NotFound: It does not bind the party.
            Invalid: There is no reason.
        """
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, f"{_COVENANTS}.{party}")
            running = store.decisions.commitments(tx, party=party)
            event = deeds.leave_covenant(party, covenant, running, reason, today=self.today())
            store.decisions.end_commitment(tx, party, covenant, event.until)
            self._ledger.append(tx, event, by=by)

    def commitments(self, *, party: str = "", covenant: str = "") -> list[Commitment]:
        """Return commitments, of a party or to a covenant where given, oldest first."""
        with self._sql.read() as tx:
            return store.decisions.commitments(tx, party=party, covenant=covenant)

    # ---- drafts

    def draft(self, source: str) -> Overlay:
        """Read a draft.

        Raises:
            Invalid: It cannot be read; every finding with its line.
        """
        return packs.read_overlay(source, self.rulebook)

    def propose_draft(self, source: str, *, reason: str, by: Actor) -> Proposal:
        """Propose that a draft be adopted; nothing judges by it until another person seconds.

        Raises:
            Invalid, Conflict: It cannot be read or adopted.
            Refused: The actor may not.
        """
        overlay = self.draft(source)
        deeds.hold_adoptable(overlay, _taken(self.rulebook))
        return self._access.propose(
            Propose(
                action=ADOPT,
                subject=overlay.id,
                says=Text(zh=f"通过草案“{overlay.title.zh}”", en=f"Adopt the draft “{overlay.title.en}”"),
                reason=reason,
                content={"source": source, "sha256": _sha256(source)},
                where="/rulebook/drafts",
            ),
            by=by,
        )

    def adopt_draft(self, proposal_id: str, *, answer: str, by: Actor) -> Adoption:
        """Second a proposed draft: from its day on it judges.

        Raises:
            NotFound, Refused, Conflict, Invalid: As for `Access.second` and `propose_draft`.
        """
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, ADOPT)  # one after the other, so that each is read with the one before
            proposal = self._access.second(tx, proposal_id, action=ADOPT, answer=answer, by=by)
            source, book = str(proposal.content["source"]), self.rulebook_within(tx)
            made, event = deeds.adopt(
                packs.read_overlay(source, book),
                source,
                _sha256(source),
                _taken(book),
                proposal=proposal.id,
                at=self._clock(),
            )
            store.decisions.add_adoption(tx, made)
            self._ledger.append(tx, event, by=by)
        return made

    def adoptions(self) -> list[Adoption]:
        """Return the drafts that two people adopted, oldest first."""
        with self._sql.read() as tx:
            return store.decisions.adoptions(tx)

    # ---- red lines

    def propose_override(self, system: str, cmd: ProposeOverride, *, by: Actor) -> Proposal:
        """Propose that red lines be set aside for one system, for a time.

        Raises:
            NotFound: The register has no such system.
            Invalid: It names no red line the system meets, runs too long, or gives no reason.
            Refused: The actor may not.
        """
        deeds.hold_override(cmd, self.barred_by(system, party=self.about(system).party), today=self.today())
        return self._access.propose(
            Propose(
                action=OVERRIDE,
                subject=system,
                says=Text(
                    zh=f"对系统 {system} 暂不适用红线至 {cmd.until}",
                    en=f"Set red lines aside for {system} until {cmd.until}",
                ),
                reason=cmd.reason,
                content={"norms": list(cmd.norms), "until": cmd.until.isoformat(), "reason": cmd.reason},
                where=f"/rulebook/systems/{system}",
            ),
            by=by,
        )

    def override(self, proposal_id: str, *, answer: str, by: Actor, system: str = "") -> Override:
        """Second a proposed override: it holds from now until its day.

        Args:
            proposal_id: Which.
            answer: The second person's reason.
            by: The second person.
            system: The system whose page the second person had before them; any, if none is given.

        Raises:
            NotFound, Refused, Conflict, Invalid: As for `Access.second`; also where the proposal is of another system,
                its last day has come, or the system meets no such red line any more.
        """
        subject = self._access.proposal(proposal_id).subject
        deeds.hold_subject(subject, system)
        party = self.about(subject).party
        with self._sql.begin() as tx:
            proposal = self._access.second(tx, proposal_id, action=OVERRIDE, answer=answer, by=by)
            cmd = ProposeOverride(
                norms=tuple(proposal.content["norms"]),
                until=date.fromisoformat(proposal.content["until"]),
                reason=proposal.content["reason"],
            )
            deeds.hold_override(cmd, self.barred_within(tx, proposal.subject, party=party), today=self.today())
            made, event = deeds.override(
                proposal.subject, cmd, new_id=self._new_id("ovr"), proposal=proposal.id, at=self._clock()
            )
            store.decisions.add_override(tx, made)
            self._ledger.append(tx, event, by=by)
        return made

    def overrides(self, system: str = "") -> list[Override]:
        """Return overrides, of one system where given, latest first."""
        with self._sql.read() as tx:
            return store.decisions.overrides(tx, system)

    # ---- reviews and gaps

    def review(self, norm_id: str, cmd: ReviewNorm, *, by: Actor) -> Reviewed:
        """Review how a norm was put into this form.

        Raises:
            NotFound: There is no such norm.
            Invalid: There is no note.
            Conflict: The same person said the same of this wording already.
        """
        norm = self.norm(norm_id)
        made, event = deeds.review(norm, cmd, sha256=norm_digest(norm), by=by.id, at=self._clock())
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, f"rulebook.review.{norm_id}")
            deeds.hold_new_review(made, store.decisions.reviews(tx, norm_id))
            store.decisions.add_review(tx, made)
            self._ledger.append(tx, event, by=by)
        return made

    def reviews(self, norm: str = "") -> list[Reviewed]:
        """Return reviews, of one norm where given, latest first."""
        with self._sql.read() as tx:
            return store.decisions.reviews(tx, norm)

    def report_gap(self, cmd: ReportGap, *, by: Actor) -> Gap:
        """Keep what met no norm: incidents, complaints and sandbox findings, from the rooms that know of them."""
        made, event = deeds.report_gap(cmd, new_id=self._new_id("gap"), at=self._clock())
        with self._sql.begin() as tx:
            store.decisions.add_gap(tx, made)
            self._ledger.append(tx, event, by=by)
        return made

    def gaps(self) -> list[Gap]:
        """Return what met no norm, latest first."""
        with self._sql.read() as tx:
            return store.decisions.gaps(tx)


def _taken(book: Rulebook) -> tuple[str, ...]:
    return tuple(one.id for one in book.enacted)


def norm_digest(norm: Norm) -> str:
    """Return the SHA-256 of a norm as it reads, so that a review says which wording it was of."""
    return _sha256(repr(asdict(norm)))


def _sha256(text: str) -> str:
    if "\x00" in text:
        raise Invalid(
            what=Text(zh="文本含有空字符。", en="The text holds a NUL character."),
            hint=Text(zh="请提交纯文本。", en="Submit plain text."),
        )
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
