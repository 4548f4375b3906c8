"""Interviews: private, kept until erased, and never in the ledger (invariant 15)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Invalid, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook import store
from safebelt.rooms.rulebook.model.deeds import Interview
from safebelt.rooms.rulebook.service.base import Desk

MAX_NAME = 200


class Interviewing(Desk):
    """Deeds about interviews."""

    def start_interview(self, name: str, instruments: tuple[str, ...] = (), *, by: Actor) -> Interview:
        """Begin an interview about a system.

        Raises:
            Invalid: It has no name, or an instrument is not in the rulebook.
        """
        named = name.strip()
        unknown = sorted(set(instruments) - set(self.rulebook.base.instruments))
        if not named or len(named) > MAX_NAME or unknown:
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
            store.interviews.save(tx, made)
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
            store.interviews.save(tx, kept)
        return kept

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
