"""`/api/rulebook/interviews`: the interview as data: ask, answer, undo, result, descriptor."""

from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, KwargDefinition, PathParameter, QueryParameter

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Invalid, NotFound
from safebelt.rooms.rulebook.decide import asking
from safebelt.rooms.rulebook.decide.interview import Goal
from safebelt.rooms.rulebook.exports.descriptor import descriptor_yaml
from safebelt.rooms.rulebook.model.deeds import Interview
from safebelt.rooms.rulebook.service import Rules
from safebelt.rooms.rulebook.service.interviewing import MAX_NAME
from safebelt.web.openapi import problems
from safebelt.web.security import requires

Id = Annotated[str, PathParameter(description="Id of an interview, `itv_…`.")]
AskedGoal = Annotated[Goal, QueryParameter(description="Until classes are known, or duties too.")]
Name = Annotated[
    str, msgspec.Meta(min_length=1, max_length=MAX_NAME), KwargDefinition(min_length=1, max_length=MAX_NAME)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartInterview:
    """What an interview is about.

    Attributes:
        name: What the system is called; only so that its owner finds it again.
        instruments: Only these; all where empty.
    """

    name: Name
    instruments: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveAnswer:
    """One answer.

    Attributes:
        fact: Which fact.
        value: Yes or no, a word, a list of words, a number, a day as text; null is *I do not know*.
    """

    fact: str
    value: Any = None


class InterviewsApi(Controller):
    """`/api/rulebook/interviews`: private to whoever gives them, and erasable."""

    path = "/api/rulebook/interviews"
    tags = ("rulebook",)

    @get(sync_to_thread=True, guards=[requires("rulebook.interview")], responses=problems())
    def mine(self, rulebook: NamedDependency[Rules], by: NamedDependency[Actor]) -> list[dict[str, Any]]:
        """List one's own interviews, latest first."""
        return [_data(one) for one in rulebook.interviews(by=by)]

    @post(sync_to_thread=True, guards=[requires("rulebook.interview")], responses=problems(Invalid, has_body=True))
    def start(
        self, rulebook: NamedDependency[Rules], by: NamedDependency[Actor], data: JSONBody[StartInterview]
    ) -> dict[str, Any]:
        """Begin an interview."""
        return _data(rulebook.start_interview(data.name, tuple(data.instruments), by=by))

    @get(
        "/{interview_id:str}",
        sync_to_thread=True,
        guards=[requires("rulebook.interview")],
        responses=problems(NotFound),
    )
    def state(
        self,
        rulebook: NamedDependency[Rules],
        by: NamedDependency[Actor],
        interview_id: Id,
        goal: AskedGoal = Goal.CLASSES,
    ) -> dict[str, Any]:
        """Return the next question with why it is asked, and what the answers come to so far."""
        return _state(rulebook, rulebook.interview(interview_id, by=by), goal)

    @post(
        "/{interview_id:str}/answers",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("rulebook.interview")],
        responses=problems(Invalid, NotFound, has_body=True),
    )
    def answer(
        self,
        *,
        rulebook: NamedDependency[Rules],
        by: NamedDependency[Actor],
        interview_id: Id,
        data: JSONBody[GiveAnswer],
        goal: AskedGoal = Goal.CLASSES,
    ) -> dict[str, Any]:
        """Keep an answer, or change it; return the next question and the result so far."""
        return _state(rulebook, rulebook.answer(interview_id, data.fact, data.value, by=by), goal)

    @delete(
        "/{interview_id:str}/answers/last",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("rulebook.interview")],
        responses=problems(NotFound),
    )
    def undo(self, rulebook: NamedDependency[Rules], by: NamedDependency[Actor], interview_id: Id) -> dict[str, Any]:
        """Take the last answer back."""
        return _state(rulebook, rulebook.take_back(interview_id, by=by), Goal.CLASSES)

    @get(
        "/{interview_id:str}/descriptor",
        sync_to_thread=True,
        media_type="text/plain",
        guards=[requires("rulebook.interview")],
        responses=problems(NotFound),
    )
    def descriptor(
        self, rulebook: NamedDependency[Rules], by: NamedDependency[Actor], interview_id: Id
    ) -> Response[str]:
        """Return the answers as a descriptor in the form `system/1`."""
        made = rulebook.described_by(rulebook.interview(interview_id, by=by))
        return Response(descriptor_yaml(made), media_type="text/plain")

    @delete(
        "/{interview_id:str}",
        sync_to_thread=True,
        guards=[requires("rulebook.interview")],
        responses=problems(NotFound),
    )
    def erase(self, rulebook: NamedDependency[Rules], by: NamedDependency[Actor], interview_id: Id) -> None:
        """Forget an interview for good."""
        rulebook.erase_interview(interview_id, by=by)


def _data(interview: Interview) -> dict[str, Any]:
    return {
        "id": interview.id,
        "name": interview.name,
        "instruments": list(interview.instruments),
        "answers": asking.answers_data(interview.answers),
        "started_at": interview.started_at.isoformat(),
        "saved_at": interview.saved_at.isoformat(),
    }


def _state(rulebook: Rules, interview: Interview, goal: Goal) -> dict[str, Any]:
    judgment, text = rulebook.so_far(interview.answers, interview.instruments)
    return {
        **_data(interview),
        "question": asking.question_data(rulebook.asks(interview.answers, interview.instruments, goal)),
        "result": asking.result_data(judgment, text),
    }


API: tuple[type[Controller], ...] = (InterviewsApi,)
