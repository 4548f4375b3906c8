"""Interviews: private, kept until erased, and never in the ledger (invariant 15)."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date
from difflib import get_close_matches
from typing import Any

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Invalid, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook import decide, store
from safebelt.rooms.rulebook.decide.interview import Goal, Question, next_question
from safebelt.rooms.rulebook.model import Description, Fact, FactValue, Judgment, LawText, Source
from safebelt.rooms.rulebook.model.deeds import Interview
from safebelt.rooms.rulebook.packs.values import fit, kind_of
from safebelt.rooms.rulebook.service.base import Desk

MAX_NAME = 200
LARGEST = 10**300
"""No count of anything is larger, and no larger one fits into a floating-point number."""

SOURCE = "interview"
"""Id of the source that a description gives for what was answered."""


class Interviewing(Desk):
    """Deeds about interviews."""

    def start_interview(self, name: str, instruments: tuple[str, ...] = (), *, by: Actor) -> Interview:
        """Begin an interview about a system.

        Raises:
            Invalid: It has no name, or an instrument is not in the rulebook.
        """
        named = name.strip()
        unknown = sorted(set(instruments) - set(self.rulebook.base.instruments))
        if not named or "\x00" in named or len(named) > MAX_NAME or unknown:
            raise Invalid(
                what=Text(
                    zh="问答缺少名称、名称过长，或选择了规则库没有的文件。",
                    en="The interview has no name, one too long, or names an instrument the rulebook does not have.",
                ),
                hint=Text(
                    zh=f"请填写不超过 {MAX_NAME} 字的名称。", en=f"Give it a name of at most {MAX_NAME} characters."
                ),
                details={"field": "name"},
            )
        now = self._clock()
        made = Interview(
            id=self._new_id("itv"), owner=by.id, name=named, instruments=instruments, started_at=now, saved_at=now
        )
        with self._sql.begin() as tx:
            store.interviews.add(tx, made)
        return made

    def interview(self, interview_id: str, *, by: Actor) -> Interview:
        """Return one of one's own interviews.

        Raises:
            NotFound: There is none of that id, or it is another's.
        """
        with self._sql.read() as tx:
            found = store.interviews.one(tx, interview_id, by.id)
        if found is None:
            raise _missing(interview_id)
        return found

    def interviews(self, *, by: Actor) -> list[Interview]:
        """Return one's own interviews, latest first."""
        with self._sql.read() as tx:
            return store.interviews.of(tx, by.id)

    def save_answers(self, interview_id: str, answers: Mapping[str, Any], *, by: Actor) -> Interview:
        """Keep the answers as they stand; leaving the last one out is how an answer is undone.

        Raises:
            NotFound: There is none of that id, or it is another's.
        """
        kept = replace(self.interview(interview_id, by=by), answers=dict(answers), saved_at=self._clock())
        with self._sql.begin() as tx:
            if not store.interviews.save(tx, kept):
                raise _missing(interview_id)
        return kept

    def answer(self, interview_id: str, fact_id: str, value: Any, *, by: Actor) -> Interview:
        """Keep one answer, or change it; None is *I do not know*.

        Raises:
            NotFound: There is none of that id, or it is another's; or the law of today knows no such fact.
            Invalid: The fact cannot have that value.
        """
        found = self.interview(interview_id, by=by)
        return self.save_answers(interview_id, {**found.answers, fact_id: self.fitting(fact_id, value)}, by=by)

    def take_back(self, interview_id: str, *, by: Actor) -> Interview:
        """Undo the last answer; nothing happens where there is none.

        Raises:
            NotFound: There is none of that id, or it is another's.
        """
        found = self.interview(interview_id, by=by)
        return self.save_answers(interview_id, dict(list(found.answers.items())[:-1]), by=by)

    def fitting(self, fact_id: str, value: Any) -> Any:
        """Return an answer as judgments take it.

        Raises:
            NotFound: The law of today knows no such fact.
            Invalid: The fact cannot have that value.
        """
        fact = self.fact(fact_id)
        if value is None:
            return None
        if isinstance(value, int) and abs(value) > LARGEST:
            raise Invalid(
                what=Text(zh=f"{fact.label.zh}：数字太大。", en=f"{fact.label.en}: the number is too large."),
                hint=Text(zh="请核对这个数。", en="Check the number."),
                details={"field": "answer"},
            )
        read, misfits = fit(kind_of(fact), value)
        if misfits:
            first = misfits[0]
            raise Invalid(
                what=Text(zh=f"{fact.label.zh}：{first.what.zh}", en=f"{fact.label.en}: {first.what.en}"),
                hint=first.hint,
                details={"field": "answer"},
            )
        return read

    def asks(
        self,
        answers: Mapping[str, Any],
        instruments: Collection[str] = (),
        goal: Goal = Goal.CLASSES,
        on: date | None = None,
    ) -> Question | None:
        """Return what to ask next; None when nothing that can be asked changes the outcome.

        Args:
            answers: Fact id to answer.
            instruments: Only these; empty for all.
            goal: Classes, or duties too.
            on: The day; today, if none is given.
        """
        day = on or self.today()
        return next_question(self.text(day), answers, day, instruments or None, goal)

    def so_far(
        self, answers: Mapping[str, Any], instruments: Collection[str] = (), on: date | None = None
    ) -> tuple[Judgment, LawText]:
        """Judge what was answered so far, and return the text it was judged by."""
        day = on or self.today()
        text = self.text(day)
        return decide.judge(text, answers, day, instruments or None), text

    def described_by(self, interview: Interview) -> Description:
        """Return the answers as a description; what nobody knew is left out of it."""
        day = interview.saved_at.date()
        known = {name: value for name, value in interview.answers.items() if value is not None}
        return Description(
            id=interview.id.lower().replace("_", "-"),
            name=Text(zh=interview.name, en=interview.name),
            sources={SOURCE: Source(title="Safebelt 问答 / interview", as_of=day)},
            facts={name: FactValue(value=value, source=SOURCE, as_of=day) for name, value in known.items()},
        )

    def fact(self, fact_id: str) -> Fact:
        """Return a fact of the vocabulary of today.

        Raises:
            NotFound: There is none of that id.
        """
        facts = self.text().facts
        if fact_id not in facts:
            near = get_close_matches(fact_id, list(facts), n=3, cutoff=0.5)
            raise NotFound(
                what=Text(zh=f"词表里没有事实“{fact_id}”。", en=f"The vocabulary has no fact {fact_id!r}."),
                hint=Text(
                    zh=f"是否指：{'、'.join(near)}？" if near else "请在事实词表中查找。",
                    en=f"Did you mean {', '.join(near)}?" if near else "Look it up in the list of facts.",
                ),
            )
        return facts[fact_id]

    def erase_interview(self, interview_id: str, *, by: Actor) -> None:
        """Forget an interview for good.

        Raises:
            NotFound: There is none of that id, or it is another's.
        """
        with self._sql.begin() as tx:
            if not store.interviews.erase(tx, interview_id, by.id):
                raise _missing(interview_id)


def _missing(interview_id: str) -> NotFound:
    return NotFound(
        what=Text(zh=f"您没有编号为 {interview_id} 的问答。", en=f"You have no interview {interview_id}."),
        hint=Text(zh="请在您的问答列表中查找。", en="Look it up in your list of interviews."),
    )
