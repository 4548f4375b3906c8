"""Deeds of whoever complains, without signing in: complain, follow, add, take back, have it erased, keep a receipt."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from safebelt.kernel.actors import Actor, Role
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.kernel.text import Lang
from safebelt.rooms.portal import store
from safebelt.rooms.portal.decide import complaints as decide
from safebelt.rooms.portal.model.complaints import (
    OWED_STAGES,
    Channel,
    Complain,
    Complaint,
    ErasedBecause,
    Filed,
    FileIn,
    Followed,
    Receipt,
    Said,
    SaidKind,
    Speaker,
    Stage,
    Suspicion,
)
from safebelt.rooms.portal.model.events import (
    ComplaintAdded,
    ComplaintErased,
    ComplaintReceived,
    ComplaintWithdrawn,
)
from safebelt.rooms.portal.service.desk import Desk, Words
from safebelt.rooms.portal.service.keeping import erase, keeping

_ALL = "everybody"
_CHANNEL_OF = {"api": Channel.PROGRAM}


def visitor(door: str = "web") -> Actor:
    """Return somebody who is not known, at a door; whoever is signed in complains as anybody does."""
    return Actor(id="public", roles=frozenset({Role.PUBLIC}), door=door)


class Complaining(Desk):
    """Deeds of whoever complains.  `address` is where they come from: only counted, never kept."""

    def complain(
        self, cmd: Complain, *, files: Sequence[FileIn] = (), lang: Lang, address: str, door: str = "web"
    ) -> Filed:
        """Receive a complaint, and take it to whoever answers for the system and to its authority.

        Raises:
            Invalid: Nothing is said; it is too long; it is of a kind that is not taken; too many, too large or
                strange files; or the public register has no such system.
            TooMany: Too much came from this address, or from everybody, within the hour.
        """
        rules = self.rules
        self._limits.spend("attempt", address, rules.attempts_per_hour)
        self._limits.hold("filing", address, rules.filings_per_hour)
        self._limits.hold("filing", _ALL, rules.house_filings_per_hour)
        taken = decide.hold_complaint(cmd, rules)
        self._hold_appeal(taken.strike)
        if taken.strike and self.public_system(taken.system_id) is None:
            taken = replace(taken, system_id="")  # an appeal goes by its strike, though the system is not public
        if taken.system_id and self.public_system(taken.system_id) is None:
            raise decide.no_such_system()
        words = sha256(taken.text.encode()).hexdigest()
        doubt = decide.suspicion(taken, is_repeated=self._limits.came("text", words))
        by, channel = visitor(door), _CHANNEL_OF.get(door, Channel.ONLINE)
        filed = self._file(taken, files, lang=lang, by=by, channel=channel, doubt=doubt)
        for what, who in (("filing", address), ("filing", _ALL), ("text", words)):
            self._limits.count(what, who)
        if taken.strike and self._tools.appeals is not None:
            self._tools.appeals().appeal_strike(taken.strike, filed.complaint.id, by=by)
        return filed

    def _hold_appeal(self, strike: str) -> None:
        """Hold that what is appealed against is a strike, and nobody has appealed already.

        Raises:
            Invalid: It is not.
        """
        if not strike:
            return
        try:
            if self._tools.appeals is None:
                raise decide.no_such_strike(strike)
            self._tools.appeals().hold_appeal(strike)
        except (NotFound, Conflict) as problem:
            raise Invalid(what=problem.what, hint=problem.hint, details={"field": "text"}) from problem

    def _file(
        self,
        cmd: Complain,
        files: Sequence[FileIn],
        *,
        lang: Lang,
        by: Actor,
        channel: Channel,
        doubt: Suspicion | None = None,
        office_id: str = "",
    ) -> Filed:
        code, at = self._new_code(), self._clock()
        party_id = self._registry.system(cmd.system_id).provider_id if cmd.system_id else ""
        office = self._office_for(cmd.system_id)
        complaint = Complaint(
            id=self._new_id("cpl"),
            system_id=cmd.system_id,
            party_id=party_id,
            office_id=office.party_id if office else office_id,
            kind=cmd.kind,
            channel=channel,
            lang=lang,
            stage=Stage.WITH_PARTY if party_id else Stage.RECEIVED,
            received_at=at,
            due_on=decide.due(at.date(), self.rules),
            is_apart=doubt is not None,
            apart_because=doubt,
            entered_by=by.id if channel is Channel.PAPER else "",
        )
        more = {"kind": cmd.kind, "system": cmd.system_id, "contact": cmd.contact, "received_on": at.date().isoformat()}
        with keeping(files, self.rules, self._tools.blobs, self._chance) as kept, self._sql.begin() as tx:
            words = Words(
                kind=SaidKind.COMPLAINT,
                speaker=Speaker.COMPLAINANT,
                text=cmd.text,
                files=kept,
                by=by,
                more=more,
            )
            store.add(tx, complaint, self._hash(code))
            self._say(tx, complaint, words, lambda said: _received(complaint, said), number=1, at=at)
        return Filed(complaint=complaint, code=code, destination=self._destination(complaint))

    def follow(self, code: str, *, address: str, case_id: str = "") -> Followed:
        """Return a complaint as its complainant sees it.

        Args:
            code: From the receipt.
            address: Where whoever asks comes from.
            case_id: Its case number too, where the door asks for both.

        Raises:
            NotFound: The code follows nothing, or not this.
            TooMany: Too many wrong codes came from this address within the hour.
        """
        with self._sql.read() as tx:
            complaint, said = self._mine(tx, code, address, case_id)
        names = {one.party_id: one.name for one in self.offices()}
        return Followed(
            complaint=complaint,
            said=said,
            destination=self._destination(complaint),
            is_proven=self._is_proven(said[0]),
            speakers=names,
        )

    def receipt(self, code: str, *, address: str, case_id: str = "") -> Receipt:
        """Return what a complainant keeps; its proof is there as soon as a signed checkpoint covers the entry.

        Raises:
            NotFound: The code follows nothing.
            TooMany: Too many wrong codes came from this address within the hour.
        """
        with self._sql.read() as tx:
            complaint, said = self._mine(tx, code, address, case_id)
        proof = self._ledger.prove(said[0].entry_id) if self._is_proven(said[0]) else None
        return Receipt(case_id=complaint.id, proof=proof, opening=_opening(complaint, said[0]))

    def add(
        self,
        code: str,
        text: str,
        *,
        files: Sequence[FileIn] = (),
        address: str,
        case_id: str = "",
        door: str = "web",
    ) -> None:
        """Add something to a complaint; where it was answered, an answer is owed anew.

        Raises:
            NotFound: The code follows nothing.
            Conflict: The complaint is over, or was added to too often.
            Invalid: Nothing is said, it is too long, or files are not taken.
            TooMany: Too much came from this address within the hour.
        """
        self._limits.spend("attempt", address, self.rules.attempts_per_hour)
        said_now = decide.hold_text(text, self.rules)
        with keeping(files, self.rules, self._tools.blobs, self._chance) as kept, self._sql.begin() as tx:
            complaint, said = self._mine(tx, code, address, case_id)
            additions = sum(one.kind is SaidKind.ADDED for one in said)
            moved = decide.added(complaint, self._clock(), self.rules, additions=additions)
            store.save(tx, moved)
            words = Words(kind=SaidKind.ADDED, speaker=Speaker.COMPLAINANT, text=said_now, files=kept, by=visitor(door))
            self._say(tx, moved, words, lambda one: _added(moved, one), number=len(said) + 1)

    def withdraw(self, code: str, *, reason: str = "", address: str, case_id: str = "", door: str = "web") -> None:
        """Take a complaint back.

        Raises:
            NotFound: The code follows nothing.
            Conflict: The complaint is over.
            Invalid: The reason is too long.
            TooMany: Too many wrong codes came from this address within the hour.
        """
        why = decide.hold_text(reason, self.rules, field="reason") if reason.strip() else ""
        with self._sql.begin() as tx:
            complaint, said = self._mine(tx, code, address, case_id)
            moved = decide.withdrawn(complaint, self._clock())
            store.save(tx, moved)
            words = Words(kind=SaidKind.WITHDRAWAL, speaker=Speaker.COMPLAINANT, text=why, by=visitor(door))
            self._say(tx, moved, words, lambda one: _withdrawn(moved, one), number=len(said) + 1)

    def erase(self, code: str, *, address: str, case_id: str = "", door: str = "web") -> None:
        """Erase everything that was said in a complaint, and its files; what is open is withdrawn by it.

        Raises:
            NotFound: The code follows nothing.
            Conflict: It is erased already.
            TooMany: Too many wrong codes came from this address within the hour.
        """
        with self._sql.begin() as tx:
            complaint, said = self._mine(tx, code, address, case_id)
            self._erase(tx, complaint, said, ErasedBecause.ASKED, visitor(door))

    # ---- what several deeds need

    def _erase(
        self, tx: sa.Connection, complaint: Complaint, said: Sequence[Said], because: ErasedBecause, by: Actor
    ) -> None:
        """Erase a complaint's texts and files.  Files go last, and a file that is gone already is no obstacle."""
        moved = decide.erased(complaint, self._clock(), because)
        store.save(tx, moved)
        store.erase_said(tx, complaint.id)
        self._ledger.append(tx, ComplaintErased(subject=complaint.id, because=because.value), by=by)
        erase(decide.files_of(said), self._tools.blobs)

    def _mine(self, tx: sa.Connection, code: str, address: str, case_id: str) -> tuple[Complaint, tuple[Said, ...]]:
        """Return the complaint that a code follows; a wrong code is counted."""
        self._limits.hold("code", address, self.rules.codes_per_hour)
        found = store.by_code(tx, self._hash(code))
        if found is None or (case_id and found.id != case_id):
            self._limits.count("code", address)
            raise decide.no_such_code()
        return found, store.said_in(tx, found.id)

    def _is_proven(self, said: Said) -> bool:
        """Whether a signed checkpoint covers what was said; asking signs nothing."""
        index, last = self._ledger.entry(said.entry_id).index, self._ledger.checkpoint()
        return index is not None and last is not None and index < last.size


def _received(complaint: Complaint, said: Said) -> ComplaintReceived:
    return ComplaintReceived(
        subject=complaint.id,
        complaint_kind=complaint.kind,
        channel=complaint.channel.value,
        lang=complaint.lang,
        commitment=said.commitment,
        files=len(said.files),
        due_on=_day(complaint),
        is_apart=complaint.is_apart,
        system=complaint.system_id,
        party=complaint.party_id,
        authority=complaint.office_id,
    )


def _added(complaint: Complaint, said: Said) -> ComplaintAdded:
    return ComplaintAdded(
        subject=complaint.id,
        number=said.number,
        commitment=said.commitment,
        files=len(said.files),
        stage=complaint.stage.value,
        due_on=_day(complaint),
    )


def _withdrawn(complaint: Complaint, said: Said) -> ComplaintWithdrawn:
    return ComplaintWithdrawn(subject=complaint.id, number=said.number, commitment=said.commitment)


def _day(complaint: Complaint) -> str:
    is_owed = complaint.stage in OWED_STAGES and complaint.due_on is not None
    return complaint.due_on.isoformat() if is_owed and complaint.due_on else ""


def _opening(complaint: Complaint, said: Said) -> Mapping[str, Any] | None:
    """Return what opens the commitment in the entry: anybody can work it out anew with SHA-256 alone."""
    if complaint.erased_at is not None:
        return None
    told = decide.content(complaint.id, said.kind, said.text, said.files, said.more)
    return {"said": told, "salt": said.salt, "commitment": said.commitment, "entry": said.entry_id}
