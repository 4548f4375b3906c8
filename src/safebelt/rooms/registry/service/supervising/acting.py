"""Acting in a case: prepare, draft, serve, answer, receive, publish; each in one transaction."""

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide import supervision as decide
from safebelt.rooms.registry.model import Status
from safebelt.rooms.registry.model.supervision import (
    AnswerCase,
    Case,
    Channel,
    Confidentiality,
    FileIn,
    Moment,
    Office,
    OpenCase,
    Outcome,
    Side,
    Step,
    StepKind,
    WriteStep,
)
from safebelt.rooms.registry.service.base import found_system
from safebelt.rooms.registry.service.supervising.grounds import hold_known
from safebelt.rooms.registry.service.supervising.handing import erase, keeping
from safebelt.rooms.registry.service.supervising.offices import not_there
from safebelt.rooms.registry.service.supervising.reading import CaseReading

_ACTS_ON = {
    Outcome.SUSPEND: (Status.SUSPENDED, frozenset({Status.IN_SERVICE})),
    Outcome.WITHDRAW: (Status.WITHDRAWN, frozenset({Status.IN_SERVICE, Status.REGISTERED, Status.SUSPENDED})),
}
"""Measures that move a system: where to, and from which stages; elsewhere there is nothing to take out of service."""


class Supervising(CaseReading):
    """Deeds of an authority's desk, and of the operator who answers it."""

    def open_case(self, cmd: OpenCase, *, by: Actor) -> Case:
        """Prepare a case: private to the authority until its first step is served.

        Raises:
            Refused: Who asks works at no authority's desk.
            NotFound: There is no such system.
            Invalid: Something it must say is missing, or the rulebook does not know its basis.
        """
        with self._sql.begin() as tx:
            office = self._my_desk(tx, by)
            system = found_system(tx, cmd.system_id)
            case = decide.new_case(cmd, system, office, new_id=self._new_id("cas"), at=self._clock(), by=by.id)
            hold_known(case.basis, self._rules.text_within(tx, self._clock().date()))
            party = store.supervision.party_names(tx, (case.party_id,))[case.party_id]
            words = (system.id, system.name.zh, system.name.en, party, case.about)
            store.supervision.add_case(tx, case, "\n".join(words))
        return case

    def erase_case(self, case_id: str, *, by: Actor) -> None:
        """Erase a case of which nothing was served, with its drafts and their documents.

        Raises:
            NotFound: There is none of this authority's.
            Conflict: Something was served: what happened stays.
        """
        with self._sql.begin() as tx:
            case, _steps, office = self._case_of_mine(tx, case_id, by)
            if case.opened_at is not None:
                raise Conflict(
                    what=Text(
                        zh="案件已有送达的步骤，不能删除。",
                        en="Something was served in this case; it cannot be erased.",
                    ),
                    hint=Text(zh="可以结案。", en="It can be closed."),
                )
            files = [file for one in store.supervision.drafts(tx, case_id, office.party_id) for file in one.files]
            store.supervision.erase_case(tx, case_id)
        erase(files, self._tools.blobs)

    def draft_step(self, case_id: str, cmd: WriteStep, *, files: Sequence[FileIn] = (), by: Actor) -> Step:
        """Draft a step: private to the authority, off the ledger, erasable, until it is served.

        Raises:
            Refused: Who asks works at no authority's desk.
            NotFound: The case is not theirs, or an authority that is named has no desk here.
            Invalid: Something it must say is missing, or the rulebook does not know its basis.
        """
        with keeping(files, self._tools.blobs, self._tools.chance) as kept, self._sql.begin() as tx:
            case, _steps, office = self._case_of_mine(tx, case_id, by)
            hold_known(cmd.basis, self._rules.text_within(tx, self._clock().date()))
            self._hold_named_offices(tx, cmd, office)
            moment = self._case_moment(case, by, office)
            draft = decide.write(case, cmd, new_id=self._new_id("stp"), at=self._clock(), moment=moment, files=kept)
            store.supervision.add_step(tx, draft)
        return draft

    def erase_draft(self, case_id: str, step_id: str, *, by: Actor) -> None:
        """Erase a draft with its documents.

        Raises:
            NotFound: There is none of this authority's.
        """
        with self._sql.begin() as tx:
            _case, _steps, office = self._case_of_mine(tx, case_id, by)
            draft = self._draft_of(tx, case_id, step_id, office)
            store.supervision.erase_draft(tx, step_id)
        erase(draft.files, self._tools.blobs)

    def serve_step(self, case_id: str, step_id: str, *, channel: Channel = Channel.HERE, by: Actor) -> Step:
        """Serve a draft.  A decision to suspend or withdraw acts on the system in the same transaction.

        Raises:
            NotFound: There is no such draft of this authority's.
            Refused: The step is not for who asks to take.
            Conflict: It cannot be taken now.
        """
        with self._sql.begin() as tx:
            self._one_at_a_time(tx, case_id)
            case, steps, office = self._case_of_mine(tx, case_id, by)
            draft = self._draft_of(tx, case_id, step_id, office)
            moved, served, events = decide.serve(
                case,
                steps,
                draft,
                moment=self._case_moment(case, by, office),
                at=self._clock(),
                channel=channel,
                taker=office if draft.kind is StepKind.ACCEPTANCE else None,
            )
            store.supervision.save_case(tx, moved)
            store.supervision.save_step(tx, served)
            for event in events:
                self._ledger.append(tx, event, by=by)
            self._act_on_system(tx, moved, served, office, by)
        return served

    def answer_case(self, case_id: str, cmd: AnswerCase, *, files: Sequence[FileIn] = (), by: Actor) -> Step:
        """Take a step of the operator: answer, report, ask for more time, appeal.  Replying shows receipt.

        Raises:
            NotFound: Nothing of the case was served.
            Refused: Who asks is not the operator.
            Conflict: It cannot be taken now.
            Invalid: It says nothing.
        """
        decide.hold_side(by, Side.OPERATOR)
        with keeping(files, self._tools.blobs, self._tools.chance) as kept, self._sql.begin() as tx:
            self._one_at_a_time(tx, case_id)
            case, steps, _office = self._case_seen(tx, case_id, by)
            moment = self._case_moment(case, by, None)
            draft = decide.answer(case, cmd, new_id=self._new_id("stp"), at=self._clock(), by=by.id, files=kept)
            moved, filed, events = decide.file_step(case, steps, draft, moment=moment, at=self._clock())
            store.supervision.save_case(tx, moved)
            store.supervision.add_step(tx, filed)
            for event in events:
                self._ledger.append(tx, event, by=by)
            self._received_by_replying(tx, moved, filed, by)
        return filed

    def acknowledge(self, case_id: str, step_id: str, *, by: Actor) -> Step:
        """Acknowledge what the other side served.

        Raises:
            NotFound: There is no such step.
            Refused: It is of who asks itself, or they are of neither side.
            Conflict: Its receipt is noted already.
        """
        with self._sql.begin() as tx:
            self._one_at_a_time(tx, case_id)
            case, steps, office = self._case_seen(tx, case_id, by)
            step = _served(steps, step_id)
            decide.hold_side(by, Side.OPERATOR if step.side is Side.AUTHORITY else Side.AUTHORITY)
            moment = self._case_moment(case, by, office)
            return self._note_receipt(tx, (case, steps, step), by, moment)

    def prove_receipt(self, case_id: str, step_id: str, *, on: date, note: str, by: Actor) -> Step:
        """Record the proof that a step of the authority was received.

        Raises:
            NotFound: There is no such step.
            Refused: Who asks is no authority.
            Conflict: Its receipt is noted already.
            Invalid: There is no proof, or the day does not fit.
        """
        with self._sql.begin() as tx:
            self._one_at_a_time(tx, case_id)
            case, steps, office = self._case_of_mine(tx, case_id, by)
            found = (case, steps, _served(steps, step_id))
            return self._note_receipt(tx, found, by, self._case_moment(case, by, office), on=on, note=note)

    def publish_decision(self, case_id: str, step_id: str, summary: Text, *, is_public: bool = True, by: Actor) -> None:
        """Make a decision public, or take it down.

        Raises:
            NotFound: There is no such decision.
            Refused: It is not of who asks.
            Conflict: The case is for its parties only, or it is no decision.
            Invalid: There is nothing for the public to read.
        """
        with self._sql.begin() as tx:
            case, steps, office = self._case_of_mine(tx, case_id, by)
            step = _served(steps, step_id)
            event = decide.publish(case, step, summary, is_public=is_public, office=office.party_id)
            if is_public:
                word = store.supervision.Published(
                    case_id=case_id, step_id=step_id, summary=summary, published_at=self._clock()
                )
                store.supervision.save_publication(tx, case.system_id, word)
            else:
                store.supervision.take_down(tx, step_id)
            self._ledger.append(tx, event, by=by)

    # ---- what several deeds need

    def _case_of_mine(self, tx: sa.Connection, case_id: str, by: Actor) -> tuple[Case, tuple[Step, ...], Office]:
        office = self._my_desk(tx, by)
        case, steps, _office = self._case_seen(tx, case_id, by)
        return case, steps, office

    def _draft_of(self, tx: sa.Connection, case_id: str, step_id: str, office: Office) -> Step:
        mine = store.supervision.drafts(tx, case_id, office.party_id)
        found = next((one for one in mine if one.id == step_id), None)
        if found is None:
            raise not_there(step_id[:60])
        return found

    def _hold_named_offices(self, tx: sa.Connection, cmd: WriteStep, mine: Office) -> None:
        named = [one.strip().replace("\0", "") for one in (cmd.to_office, cmd.appeal_to) if one.strip()]
        known = {one.party_id for one in store.supervision.offices(tx, named)}
        unknown = [one for one in named if one not in known]
        if unknown or cmd.to_office.strip() == mine.party_id:
            raise NotFound(
                what=Text(
                    zh=f"没有可以接手的主管部门“{(unknown or named)[0][:60]}”。",
                    en=f"There is no authority “{(unknown or named)[0][:60]}” that could take it.",
                ),
                hint=Text(
                    zh="对方须先在本系统设立监督工作台。",
                    en="It must have set up its desk here first, and be another one.",
                ),
                details={"field": "to_office" if cmd.to_office.strip() else "appeal_to"},
            )

    def _act_on_system(self, tx: sa.Connection, case: Case, step: Step, office: Office, by: Actor) -> None:
        """Let a decision act on the system; whoever decided is named as the reason."""
        to, stages = _ACTS_ON.get(step.outcome, (None, frozenset())) if step.outcome else (None, frozenset())
        if step.kind is not StepKind.DECISION or to is None:
            return
        self._one_at_a_time(tx, case.system_id)
        system = found_system(tx, case.system_id)
        if system.status in stages:
            self._put(tx, system, to, _reason(case, step, office), by)

    def _received_by_replying(self, tx: sa.Connection, case: Case, filed: Step, by: Actor) -> None:
        steps = store.supervision.steps(tx, case.id)
        replied = next((one for one in steps if one.id == filed.re), None)
        if replied is not None and replied.receipt is None:
            self._note_receipt(tx, (case, steps, replied), by, self._case_moment(case, by, None))

    def _note_receipt(
        self,
        tx: sa.Connection,
        found: tuple[Case, tuple[Step, ...], Step],
        by: Actor,
        moment: Moment,
        *,
        on: date | None = None,
        note: str = "",
    ) -> Step:
        case, steps, step = found
        moved, received, event = decide.note_receipt(
            case, steps, step, moment=moment, at=self._clock(), on=on, note=note
        )
        store.supervision.save_case(tx, moved)
        store.supervision.save_step(tx, received)
        self._ledger.append(tx, event, by=by)
        return received


def _reason(case: Case, step: Step, office: Office) -> Text:
    """Say who decided; of a case for its parties only, nothing more than that an authority did."""
    if case.confidentiality is Confidentiality.PARTIES:
        return Text(zh="主管部门的决定", en="Decision of an authority")
    return Text(
        zh=f"{office.name}在案件 {case.id} 中作出决定（{step.id}）",
        en=f"{office.name} decided so in case {case.id} ({step.id})",
    )


def _served(steps: Sequence[Step], step_id: str) -> Step:
    found = next((one for one in steps if one.id == step_id), None)
    if found is None:
        raise not_there(step_id[:60])
    return found
