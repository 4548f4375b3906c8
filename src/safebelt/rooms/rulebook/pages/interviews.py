"""`/{lang}/rulebook/interviews`: one question after another, and beside it what the answers come to so far."""

from collections.abc import Mapping
from typing import Annotated, Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.rulebook.decide import asking
from safebelt.rooms.rulebook.decide.interview import Goal
from safebelt.rooms.rulebook.exports.descriptor import descriptor_yaml
from safebelt.rooms.rulebook.model import Fact, FactType
from safebelt.rooms.rulebook.model.deeds import Interview
from safebelt.rooms.rulebook.pages import interview_view as view
from safebelt.rooms.rulebook.pages.owed_words import FormData, PathId, PathLang
from safebelt.rooms.rulebook.service import Rules
from safebelt.web.forms import Form, empty_form
from safebelt.web.security import requires
from safebelt.web.templating import page as render

TITLE = Text(zh="问答", en="Interviews")
ERASE = Text(zh="删除这次问答", en="Erase this interview")
AskedGoal = Annotated[Goal, QueryParameter(description="Until classes are known, or duties too.")]
FactId = Annotated[str, QueryParameter(max_length=100)]

NOTHING_CHOSEN = Invalid(
    what=Text(
        zh="请作答；都没有就按“以上都没有”，不清楚就按“不知道”。",
        en="Give an answer. If none applies press “None of these”; if you are not sure press “I do not know”.",
    ),
    hint=Text(zh="", en=""),
    details={"field": "answer"},
)


class InterviewPages(Controller):
    """Interviews."""

    path = "/{lang:str}/rulebook/interviews"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("rulebook.interview")])
    def mine(self, rulebook: NamedDependency[Rules], by: NamedDependency[Actor], lang: PathLang) -> Template:
        """List one's own interviews, and offer a new one."""
        return _mine(rulebook, by, lang, empty_form())

    @post(sync_to_thread=True, guards=[requires("rulebook.interview")])
    def start(
        self, rulebook: NamedDependency[Rules], by: NamedDependency[Actor], lang: PathLang, data: FormData
    ) -> Template | Redirect:
        """Begin one."""
        name, regimes = str(data.get("name", "")), _several(data.get("instruments", []))
        try:
            made = rulebook.start_interview(name, regimes, by=by)
        except Invalid as problem:
            form: Form[Any] = Form(values={"name": name, "instruments": regimes})
            return _mine(rulebook, by, lang, form.refused(problem), status=422)
        return _to(lang, made.id)

    @get("/{interview_id:str}", sync_to_thread=True, guards=[requires("rulebook.interview")])
    def ask(
        self,
        *,
        rulebook: NamedDependency[Rules],
        by: NamedDependency[Actor],
        lang: PathLang,
        interview_id: PathId,
        goal: AskedGoal = Goal.CLASSES,
        change: FactId = "",
    ) -> Template:
        """Show the next question, or the one whose answer is to be changed; the result where none is left."""
        found = rulebook.interview(interview_id, by=by)
        form = empty_form()
        if change in found.answers:
            form = Form(values={"answer": view.typed(found.answers[change])})
        return _question(rulebook, found, lang, goal, form, name=change if change in found.answers else "")

    @post("/{interview_id:str}", sync_to_thread=True, guards=[requires("rulebook.interview")])
    def answer(
        self,
        rulebook: NamedDependency[Rules],
        by: NamedDependency[Actor],
        lang: PathLang,
        interview_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Keep an answer."""
        found = rulebook.interview(interview_id, by=by)
        name, goal = str(data.get("fact", "")), _goal(str(data.get("goal", "")))
        given = _several(data.get("answer", []))
        try:
            fact = rulebook.fact(name)
            value = _value(fact, given, str(data.get("act", "")))
            rulebook.answer(interview_id, name, value, by=by)
        except Invalid as problem:
            form: Form[Any] = Form(values={"answer": given if len(given) != 1 else given[0]})
            return _question(rulebook, found, lang, goal, form.refused(problem), name=name, status=422)
        return _to(lang, interview_id, goal)

    @post("/{interview_id:str}/undo", sync_to_thread=True, guards=[requires("rulebook.interview")])
    def undo(
        self,
        rulebook: NamedDependency[Rules],
        by: NamedDependency[Actor],
        lang: PathLang,
        interview_id: PathId,
        data: FormData,
    ) -> Redirect:
        """Take the last answer back."""
        rulebook.take_back(interview_id, by=by)
        return _to(lang, interview_id, _goal(str(data.get("goal", ""))))

    @get("/{interview_id:str}/descriptor.yaml", sync_to_thread=True, guards=[requires("rulebook.interview")])
    def descriptor(
        self, rulebook: NamedDependency[Rules], by: NamedDependency[Actor], interview_id: PathId
    ) -> Response[str]:
        """Hand out the answers as a descriptor."""
        made = rulebook.described_by(rulebook.interview(interview_id, by=by))
        headers = {"content-disposition": f'attachment; filename="{made.id}.yaml"'}
        return Response(descriptor_yaml(made), media_type="application/yaml; charset=utf-8", headers=headers)

    @get("/{interview_id:str}/erase", sync_to_thread=True, guards=[requires("rulebook.interview")])
    def confirm(
        self, rulebook: NamedDependency[Rules], by: NamedDependency[Actor], lang: PathLang, interview_id: PathId
    ) -> Template:
        """Ask whether it is really to be forgotten."""
        found = rulebook.interview(interview_id, by=by)
        return render("rulebook/interview_erase.html", lang=lang, title=ERASE, interview=found)

    @post("/{interview_id:str}/erase", sync_to_thread=True, guards=[requires("rulebook.interview")])
    def erase(
        self, rulebook: NamedDependency[Rules], by: NamedDependency[Actor], lang: PathLang, interview_id: PathId
    ) -> Redirect:
        """Forget it for good."""
        rulebook.erase_interview(interview_id, by=by)
        return Redirect(f"/{lang}/rulebook/interviews", status_code=303)


def _mine(rulebook: Rules, by: Actor, lang: Lang, form: Form[Any], *, status: int = 200) -> Template:
    regimes = [one for one in rulebook.text().instruments.values() if one.classes]
    return render(
        "rulebook/interviews.html",
        lang=lang,
        title=TITLE,
        status=status,
        form=form,
        regimes=[(one.id, one.short.in_(lang)) for one in regimes],
        found=rulebook.interviews(by=by),
    )


def _question(
    rulebook: Rules, found: Interview, lang: Lang, goal: Goal, form: Form[Any], *, name: str = "", status: int = 200
) -> Template:
    """The page of one question: the next, or the one named."""
    question = rulebook.asks(found.answers, found.instruments, goal)
    judgment, text = rulebook.so_far(found.answers, found.instruments)
    fact = text.facts.get(name) or (question.fact if question else None)
    is_next = question is not None and fact is question.fact
    return render(
        "rulebook/interview.html",
        lang=lang,
        title=fact.question if fact else Text(zh=f"结果：{found.name}", en=f"Result: {found.name}"),
        status=status,
        interview=found,
        form=form,
        goal=goal.value,
        fact=fact,
        question=question,
        choices=view.choices(fact, question.matters if question and is_next else ()) if fact else None,
        stakes=view.stakes(text, question) if question and is_next else (),
        result=view.result(text, judgment, found.answers),
        given=view.given(text, found.answers),
    )


def _value(fact: Fact, given: tuple[str, ...], act: str) -> Any:
    """What a form's fields say of a fact.

    Raises:
        Invalid: They say nothing.
    """
    if act == "unknown":
        return None
    if fact.type is FactType.SOME_OF:
        if act != "none" and not given:
            raise NOTHING_CHOSEN
        return [] if act == "none" else list(given)
    if not given or not given[0].strip():
        raise NOTHING_CHOSEN
    return asking.number_in(given[0].strip()) if fact.type is FactType.NUMBER else given[0].strip()


def _several(raw: str | list[str]) -> tuple[str, ...]:
    return (raw,) if isinstance(raw, str) and raw else tuple(raw)


def _goal(word: str) -> Goal:
    return Goal.DUTIES if word == Goal.DUTIES else Goal.CLASSES


def _to(lang: Lang, interview_id: str, goal: Goal = Goal.CLASSES) -> Redirect:
    query: Mapping[Goal, str] = {Goal.CLASSES: "", Goal.DUTIES: "?goal=duties"}
    return Redirect(f"/{lang}/rulebook/interviews/{interview_id}{query[goal]}", status_code=303)


PAGES: tuple[type[Controller], ...] = (InterviewPages,)
