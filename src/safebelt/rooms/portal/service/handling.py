"""Deeds of the two parties a complaint reaches: whoever answers for the system, and the authority's desk."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Invalid, NotFound
from safebelt.kernel.events import Event
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.portal import store
from safebelt.rooms.portal.decide import complaints as decide
from safebelt.rooms.portal.model.complaints import (
    Attached,
    Channel,
    Complain,
    Complaint,
    ComplaintCounts,
    ComplaintFile,
    ComplaintPage,
    Filed,
    FileIn,
    PassOn,
    Said,
    SaidKind,
    Speaker,
    Stage,
)
from safebelt.rooms.portal.model.events import (
    ComplaintAnswered,
    ComplaintEnded,
    ComplaintPassedOn,
    ComplaintSetApart,
)
from safebelt.rooms.portal.service.complaining import Complaining
from safebelt.rooms.portal.service.desk import Words
from safebelt.rooms.portal.service.keeping import content_of

Act = Callable[[Complaint], Complaint]
EventOf = Callable[[Complaint, Said], Event]
_NOBODY = "-"
"""No desk has this id: what somebody at no desk sees is nothing."""


class Handling(Complaining):
    """Deeds of the two parties."""

    def enter(self, cmd: Complain, *, files: Sequence[FileIn] = (), lang: Lang, by: Actor) -> Filed:
        """Enter a complaint that came on paper; its receipt is printed for whoever handed it in.

        Raises:
            Refused: Who asks acts for neither of the two parties.
            Invalid: Nothing is said, it is too long, files are not taken, or there is no such system.
        """
        _speaker, office_id = self._acting(by)
        taken = decide.hold_complaint(replace(cmd, website=""), self.rules)
        try:
            taken = replace(taken, system_id=self._registry.system(taken.system_id).id if taken.system_id else "")
        except NotFound:
            raise _no_such("system_id") from None
        return self._file(taken, files, lang=lang, by=by, channel=Channel.PAPER, office_id=office_id)

    def complaints(
        self,
        *,
        by: Actor,
        search: str = "",
        stage: Stage | None = None,
        is_apart: bool | None = None,
        is_overdue: bool = False,
        page: int = 1,
        size: int = 20,
    ) -> ComplaintPage:
        """Return a page of the complaints somebody may see: what is owed soonest first, ended ones last.

        Raises:
            Refused: They act for neither of the two parties.
        """
        _speaker, office_id = self._acting(by)
        wanted = store.Wanted(
            office_id=office_id,
            search=search,
            stage=stage,
            is_apart=is_apart,
            overdue_before=self.today if is_overdue else None,
        )
        return self._page(wanted, page, size)

    def about(self, system_id: str, *, by: Actor, size: int = 10) -> ComplaintPage:
        """Return the newest complaints about a system that somebody may see.

        Raises:
            Refused: They act for neither of the two parties.
        """
        _speaker, office_id = self._acting(by)
        return self._page(store.Wanted(office_id=office_id, system_id=system_id), 1, size)

    def counts(self, system_id: str) -> ComplaintCounts:
        """Return how many complaints there are about a system: all that others are told."""
        with self._sql.read() as tx:
            return store.counts(tx, system_id, self.today)

    def complaint(self, case_id: str, *, by: Actor) -> ComplaintFile:
        """Return a complaint as one of the two parties sees it.

        Raises:
            Refused: Who asks acts for neither.
            NotFound: There is none, or it is not theirs to see.
        """
        speaker, office_id = self._acting(by)
        with self._sql.read() as tx:
            found = decide.hold_seen(store.by_id(tx, case_id[:60]), speaker, office_id)
            said = store.said_in(tx, found.id)
        system, party = self._named(found)
        return ComplaintFile(
            complaint=found,
            said=said,
            system=system,
            party=party,
            offices={one.party_id: one.name for one in self.offices()},
            speaker=speaker,
            today=self.today,
        )

    def attachment(self, case_id: str, said_id: str, digest: str, *, by: Actor) -> tuple[Attached, bytes]:
        """Return a file that was sent with a complaint.

        Raises:
            Refused, NotFound: As `complaint`; or there is no such file.
            Conflict, Unavailable: The file store does not give it as it was put.
        """
        found = self.complaint(case_id, by=by)
        files = (file for one in found.said if one.id == said_id for file in one.files)
        file = next((one for one in files if one.digest == digest), None)
        if file is None:
            raise NotFound(
                what=Text(zh="没有这个文件。", en="There is no such file."),
                hint=Text(zh="请从投诉页面下载。", en="Download it from the complaint's page."),
            )
        return file, content_of(file, self._tools.blobs)

    def answer(self, case_id: str, text: str, *, by: Actor) -> Complaint:
        """Answer a complaint; whoever complained reads it with their code.

        Raises:
            Refused, NotFound: As `complaint`.
            Conflict: It is over.
            Invalid: Nothing is said, or it is too long.
        """

        def event(moved: Complaint, said: Said) -> Event:
            return ComplaintAnswered(
                subject=moved.id,
                number=said.number,
                commitment=said.commitment,
                files=0,
                side=said.speaker.value,
                authority=said.office_id,
            )

        def act(found: Complaint) -> Complaint:
            return decide.answered(found, self._clock())

        return self._act(case_id, SaidKind.ANSWER, text, by=by, act=act, event_of=event)

    def pass_on(self, case_id: str, cmd: PassOn, *, by: Actor) -> Complaint:
        """Pass a complaint on: to the system it is about, to an authority's desk, or both; an answer is owed anew.

        Raises:
            Refused, NotFound: As `complaint`.
            Conflict: It is over, or is there already.
            Invalid: Nothing is said, or there is no such system or desk.
        """
        system_id, office_id = decide.clean(cmd.system_id), decide.clean(cmd.office_id)
        party_id = self._party_of(system_id)
        if office_id and office_id not in {one.party_id for one in self.offices()}:
            raise _no_such("office_id")
        where = replace(cmd, system_id=system_id, office_id=office_id)
        if where.system_id and not office_id and (office := self._office_for(where.system_id)):
            competent = office.party_id
        else:
            competent = ""

        def act(found: Complaint) -> Complaint:
            moved = decide.passed_on(found, where, party_id, self._clock(), self.rules)
            return replace(moved, office_id=moved.office_id or competent)

        def event(moved: Complaint, said: Said) -> Event:
            return ComplaintPassedOn(
                subject=moved.id,
                number=said.number,
                commitment=said.commitment,
                side=said.speaker.value,
                stage=moved.stage.value,
                due_on=moved.due_on.isoformat() if moved.due_on else "",
                system=moved.system_id,
                party=moved.party_id,
                authority=moved.office_id,
            )

        return self._act(case_id, SaidKind.PASSED_ON, cmd.reason, by=by, act=act, event_of=event)

    def close(self, case_id: str, reason: str, *, is_refused: bool = False, by: Actor) -> Complaint:
        """Close a complaint that was answered, or do not take it up; whoever complained reads why.

        Raises:
            Refused, NotFound: As `complaint`.
            Conflict: It is over; it was not answered; or whether it is taken up is the authority's to say.
            Invalid: Nothing is said, or it is too long.
        """
        speaker, _office = self._acting(by)

        def act(found: Complaint) -> Complaint:
            return decide.ended(found, self._clock(), is_refused=is_refused, speaker=speaker)

        def event(moved: Complaint, said: Said) -> Event:
            return ComplaintEnded(
                subject=moved.id,
                number=said.number,
                commitment=said.commitment,
                side=said.speaker.value,
                stage=moved.stage.value,
                authority=said.office_id,
            )

        return self._act(
            case_id, SaidKind.REFUSAL if is_refused else SaidKind.CLOSING, reason, by=by, act=act, event_of=event
        )

    def set_apart(self, case_id: str, *, is_apart: bool, by: Actor) -> Complaint:
        """Set a complaint apart as spam, or put it back among the others.

        Raises:
            Refused, NotFound: As `complaint`.
            Conflict: It is there already.
        """
        speaker, office_id = self._acting(by)
        with self._sql.begin() as tx:
            found, _said = self._found(tx, case_id)
            moved = decide.set_apart(decide.hold_seen(found, speaker, office_id), is_apart=is_apart)
            store.save(tx, moved)
            event = ComplaintSetApart(subject=moved.id, side=speaker.value, is_apart=is_apart)
            self._ledger.append(tx, event, by=by)
        return moved

    # ---- what several deeds need

    def _acting(self, by: Actor) -> tuple[Speaker, str]:
        """Return for whom somebody acts, and at which desk; an authority's people without one see nothing."""
        speaker = decide.speaker_of(by)
        if speaker is Speaker.OPERATOR:
            return speaker, ""
        office = self._registry.office_of(by)
        return speaker, office.party_id if office else _NOBODY

    def _act(self, case_id: str, kind: SaidKind, text: str, *, by: Actor, act: Act, event_of: EventOf) -> Complaint:
        speaker, office_id = self._acting(by)
        said_now = decide.hold_text(text, self.rules)
        with self._sql.begin() as tx:
            found, said = self._found(tx, case_id)
            moved = act(decide.hold_seen(found, speaker, office_id))
            store.save(tx, moved)
            words = Words(kind=kind, speaker=speaker, text=said_now, by=by, office_id=office_id)
            self._say(tx, moved, words, lambda one: event_of(moved, one), number=len(said) + 1)
        return moved

    def _party_of(self, system_id: str) -> str:
        try:
            return self._registry.system(system_id).provider_id if system_id else ""
        except NotFound:
            raise _no_such("system_id") from None

    def _page(self, wanted: store.Wanted, page: int, size: int) -> ComplaintPage:
        with self._sql.read() as tx:
            items, total = store.page(tx, wanted, number=page, size=size)
        systems = {one.system_id: self._system_name(one.system_id) for one in items if one.system_id}
        pages = max(1, -(-total // size))
        return ComplaintPage(items=items, total=total, page=page, pages=pages, today=self.today, systems=systems)

    def _system_name(self, system_id: str) -> Text:
        try:
            return self._registry.system(system_id).name
        except NotFound:
            return Text(zh=system_id, en=system_id)


def _no_such(field: str) -> Invalid:
    what = {
        "system_id": Text(zh="登记册中没有这个系统。", en="The register has no such system."),
        "office_id": Text(zh="本登记册没有这个主管部门的工作台。", en="There is no such authority's desk here."),
    }[field]
    return Invalid(what=what, hint=Text(zh="请核对编号。", en="Check the id."), details={"field": field})
