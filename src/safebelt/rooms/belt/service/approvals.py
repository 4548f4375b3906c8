"""Tool calls that wait for a person: seen, answered once, and remembered."""

from dataclasses import dataclass, replace
from datetime import timedelta

import sqlalchemy as sa

from safebelt.kernel.actors import MACHINE, Actor
from safebelt.kernel.errors import Conflict
from safebelt.kernel.text import Text
from safebelt.rooms.belt import store
from safebelt.rooms.belt.control.calls import CallBox
from safebelt.rooms.belt.model import (
    Answer,
    Answered,
    Approval,
    ContentMode,
    Held,
    ToolApproved,
    ToolHeld,
    ToolRefused,
)
from safebelt.rooms.belt.service.base import REASON, Chapter, given, missing, pages_of

_GRACE = timedelta(seconds=5)
"""How long after its time a call without an answer is taken for left behind by a belt that died."""
_KEPT = timedelta(seconds=60)
"""How long an answer stays for a belt to act on; it looks ten times a second."""
_CALL = Text(zh="待批准的调用", en="held call")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """One page of calls: those that wait first, the most urgent on top, then the others, newest first."""

    items: tuple[Approval, ...]
    waiting: int
    count: int
    page: int
    pages: int


class HeldCalls(Chapter):
    """Puts held calls before people and carries their answers to the belt."""

    @property
    def _calls(self) -> CallBox:
        return CallBox(self._t.box.folder / "calls")

    # ------------------------------------------------------------------ looking

    def waiting_calls(self, system_id: str = "") -> tuple[Approval, ...]:
        """Return the calls that wait for an answer now, the most urgent first; asks no database."""
        now = self._t.clock()
        held = [each for each in self._calls.all() if each.expires_at > now and system_id in ("", each.system_id)]
        open_ = [each for each in held if self._calls.answered(each.id) is None]
        return tuple(Approval(held=each) for each in sorted(open_, key=lambda each: (each.expires_at, each.id)))

    def approvals(self, page: int = 1, per_page: int = 50, system_id: str = "") -> Approvals:
        """Return one page of calls; those that wait are on every page."""
        waiting = self.waiting_calls(system_id)
        where = store.call.c.system_id == system_id if system_id else sa.true()
        where &= store.call.c.id.not_in([each.held.id for each in waiting])
        query = sa.select(store.call).where(where).order_by(store.call.c.at.desc(), store.call.c.id.desc())
        with self._t.sql.read() as tx:
            count = tx.execute(sa.select(sa.func.count()).select_from(store.call).where(where)).scalar_one()
            rows = tx.execute(query.limit(per_page).offset((page - 1) * per_page)).mappings().all()
        items = (*waiting, *(self._with_news(store.to_approval(row)) for row in rows))
        return Approvals(items=items, waiting=len(waiting), count=count, page=page, pages=pages_of(count, per_page))

    def approval(self, id_: str) -> Approval:
        """Return one call and what became of it.

        Raises:
            NotFound: There is none of this id.
        """
        with self._t.sql.read() as tx:
            row = tx.execute(sa.select(store.call).where(store.call.c.id == id_)).mappings().first()
            is_bare = row is not None and _keeps_no_texts(tx, row["system_id"])
        held = self._calls.held(id_)
        if row is not None:
            kept = self._with_news(store.to_approval(row))
            return replace(kept, held=held) if is_bare and held and kept.answer is None else kept
        if held is not None:
            return self._with_news(Approval(held=held))
        raise missing(_CALL, id_, Text(zh="请查看审批列表。", en="See `safebelt belt approvals`."))

    def _with_news(self, approval: Approval) -> Approval:
        """Add what the ledger's table does not know yet."""
        id_ = approval.held.id
        answer = approval.answer or self._calls.answered(id_)
        return replace(approval, answer=answer, acted_at=approval.acted_at or self._calls.acted(id_))

    # ------------------------------------------------------------------ answering

    def answer_call(self, id_: str, *, is_approved: bool, reason: str, by: Actor) -> Approval:
        """Approve or refuse a held call, once.

        The entry is written before the answer is given and both or neither come to be; where only the last step of the
        database fails, the answer stands with its author and reason, and `collect_calls` brings the entry.

        Raises:
            Invalid: No reason is given.
            NotFound: There is no such call.
            Conflict: It was answered already, or its time is over.
        """
        reason = given(reason, field="reason", what=REASON)
        held = self.approval(id_).held
        answered = Answered.APPROVED if is_approved else Answered.REFUSED
        answer = Answer(answered=answered, at=self._t.clock(), by=by.id, reason=reason)
        if held.expires_at <= answer.at:
            raise _too_late()
        with self._t.sql.begin() as tx:
            self._write_call(tx, held)
            if not self._write_answer(tx, held, answer, by) or not self._calls.answer(id_, answer):
                raise _too_late()
        return self.approval(id_)

    def collect_calls(self) -> int:
        """Bring every held call and its answer to the ledger, then forget what nobody waits for any more.

        Called every moment by a job; calling it twice changes nothing.

        Returns:
            How many calls were looked at.
        """
        calls = self._calls.all()
        for held in calls:
            self._collect(held)
        return len(calls)

    def _collect(self, held: Held) -> None:
        now, answer = self._t.clock(), self._calls.answered(held.id)
        if answer is None and now > held.expires_at + _GRACE:  # the belt that held it is no more
            self._calls.answer(held.id, Answer(answered=Answered.EXPIRED, at=now, by=MACHINE.id))
            answer = self._calls.answered(held.id)
        acted = self._calls.acted(held.id)
        with self._t.sql.begin() as tx:
            self._write_call(tx, held)
            if answer is not None:
                self._write_answer(tx, held, answer, _who(answer))
            if acted is not None:
                tx.execute(sa.update(store.call).where(store.call.c.id == held.id).values(acted_at=acted))
        if answer is not None and (acted is not None or now > answer.at + _KEPT):
            self._calls.forget(held.id)

    # ------------------------------------------------------------------ remembering

    def _write_call(self, tx: sa.Connection, held: Held) -> None:
        """Write `ToolHeld` once, whoever comes first; what it said stays where its system keeps texts."""
        self._t.sql.exclusive(tx, "belt_call")
        if tx.execute(sa.select(store.call.c.id).where(store.call.c.id == held.id)).first() is not None:
            return
        event = ToolHeld(
            subject=held.system_id,
            approval=held.id,
            record=held.record,
            key_id=held.key_id,
            tool=held.tool,
            server=held.server,
            policy=held.policy,
            policy_version=held.policy_version,
            policy_digest=held.policy_digest,
            rule=held.rule,
            expires_at=held.expires_at.isoformat(),
        )
        entry_id = self._t.ledger.append(tx, event, by=MACHINE)
        kept = store.without_texts(held) if _keeps_no_texts(tx, held.system_id) else held
        tx.execute(sa.insert(store.call).values(**store.from_held(kept, entry_id)))

    def _write_answer(self, tx: sa.Connection, held: Held, answer: Answer, by: Actor) -> bool:
        """Write the answer once; return whether this was it."""
        where = (store.call.c.id == held.id) & store.call.c.answered.is_(None)
        if tx.execute(sa.update(store.call).where(where).values(**store.from_answer(answer))).rowcount != 1:
            return False
        entry_id = self._t.ledger.append(tx, _event(held, answer), by=by)
        tx.execute(sa.update(store.call).where(store.call.c.id == held.id).values(answer_entry=entry_id))
        return True


def _keeps_no_texts(tx: sa.Connection, system_id: str) -> bool:
    """Whether a system keeps digests only: then a call's words are shown while it waits, and not kept."""
    where = store.harness.c.system_id == store.clean(system_id)
    return tx.execute(sa.select(store.harness.c.content).where(where)).scalar() == ContentMode.DIGEST.value


def _event(held: Held, answer: Answer) -> ToolApproved | ToolRefused:
    if answer.answered is Answered.APPROVED:
        return ToolApproved(subject=held.system_id, approval=held.id, tool=held.tool, reason=answer.reason)
    return ToolRefused(
        subject=held.system_id,
        approval=held.id,
        tool=held.tool,
        reason=answer.reason,
        answered=answer.answered.value,
    )


def _who(answer: Answer) -> Actor:
    """Return who gave an answer that comes back from the box."""
    return MACHINE if answer.by in ("machine", MACHINE.id) else Actor(id=answer.by, door="file")


def _too_late() -> Conflict:
    return Conflict(
        what=Text(
            zh="该调用已有答复，或等待时间已过。", en="The call was answered already, or its time to wait is over."
        ),
        hint=Text(zh="请查看它的结果。", en="See what became of it."),
    )
