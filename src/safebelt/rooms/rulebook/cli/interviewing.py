"""`interview`: questions one by one at a terminal, or the next one as data; and how long interviews are."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TextIO

from cyclopts import App, Parameter

from safebelt.kernel.errors import Invalid, NotFound, Problem
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.rulebook.cli import telling
from safebelt.rooms.rulebook.cli.judging import Instruments
from safebelt.rooms.rulebook.decide import asking, measuring
from safebelt.rooms.rulebook.decide.interview import Goal, Question
from safebelt.rooms.rulebook.exports.descriptor import as_yaml
from safebelt.rooms.rulebook.model import NOT_LEGAL_ADVICE, Fact, FactType
from safebelt.rooms.rulebook.packs.documents import read_document
from safebelt.rooms.rulebook.service import Rules
from safebelt.web.terminal import DONE, NOT_EVALUATED, Answer, read_text

EUROPE = "eu/ai-act"


def add(app: App, rules: Rules) -> None:
    """Add the command that interviews."""

    @app.command
    def interview(
        *,
        instrument: Instruments = (),
        answers: Annotated[Path | None, Parameter(help="Print the next question after these answers.")] = None,
        save: Annotated[Path | None, Parameter(help="Keep the answers in this file, and go on from it.")] = None,
        goal: Annotated[Goal, Parameter(help="Ask until classes are known, or duties too.")] = Goal.CLASSES,
        language: Annotated[Lang, Parameter(help="Language of the questions.")] = "en",
        measure: Annotated[Path | None, Parameter(help="Measure interviews of the systems in this folder.")] = None,
    ) -> Answer:
        """Ask only what can still change an outcome, most decisive first.

        At a terminal: answer, or `?` I do not know, `<` undo, `why`, `q` save and leave.  With --answers FILE (in the
        form interview/1 or system/1) it prints the next question and the result so far, and exits 3 while undecided.
        """
        asked = rules.known(instrument)
        if measure is not None:
            return _measured(rules, measure, asked)
        if answers is not None:
            return _next(rules, read_answers(rules, read_text(answers)), asked, goal)
        start = read_answers(rules, read_text(save)) if save is not None and save.exists() else {}
        talk = Talk(rules, asked, goal, language, answers=start)
        talk.hold(sys.stdin, sys.stdout)
        if save is not None:
            save.write_text(as_yaml({"safebelt": asking.FORMAT, "answers": asking.answers_data(talk.answers)}))
        return _next(rules, talk.answers, asked, goal)


def read_answers(rules: Rules, source: str) -> dict[str, Any]:
    """Read answers: `{safebelt: interview/1, answers: {fact: value or null}}`, or a descriptor.

    Raises:
        Invalid: It is neither, or a fact cannot have its value.
        NotFound: There is no such fact.
    """
    document = read_document(source, "answers.yaml")
    data = document.data
    if not isinstance(data, dict) or data.get("safebelt") != asking.FORMAT:
        return rules.read(source).values()
    given = data.get("answers")
    if document.findings or not isinstance(given, dict) or set(data) != {"safebelt", "answers"}:
        raise Invalid(
            what=Text(zh="这份答案文件读不懂。", en="The file of answers cannot be read."),
            hint=Text(
                zh="写成 safebelt: interview/1 和 answers: {事实: 值}；不知道写 null。",
                en="Write `safebelt: interview/1` and `answers: {fact: value}`; null is “I do not know”.",
            ),
        )
    return {str(name): rules.fitting(str(name), value) for name, value in given.items()}


def _next(rules: Rules, answers: Mapping[str, Any], instruments: tuple[str, ...], goal: Goal) -> Answer:
    question = rules.asks(answers, instruments, goal)
    judgment, text = rules.so_far(answers, instruments)
    data = {
        "question": asking.question_data(question),
        "result": asking.result_data(judgment, text),
        "answers": asking.answers_data(answers),
    }

    def tell(lang: Lang) -> str:
        lines = [f"{judgment.on}"]
        for name, one in judgment.classes.items():
            if one.strictest:
                lines.append(f"  {text.instruments[name].short.in_(lang)}: {telling.class_titles(one, text, lang)}")
        if question is not None:
            lines += ["", question.fact.question.in_(lang), question.why.as_text(lang)]
        return "\n".join((*lines, "", NOT_LEGAL_ADVICE.in_(lang)))

    is_open = question is not None or bool(asking.open_regimes(judgment))
    return Answer(data=data, says=telling.in_both(tell), exit_code=NOT_EVALUATED if is_open else DONE)


# --- at a terminal ------------------------------------------------------------------------------------------------

_SAID: Mapping[str, Text] = {
    "keys": Text(
        zh="（? 不知道  < 撤销  why 为什么  q 保存并离开）", en="(? I do not know  < undo  why  q save and leave)"
    ),
    "yes_no": Text(zh="回答 yes 或 no", en="Answer yes or no"),
    "one_of": Text(zh="写一个编号", en="Write one number"),
    "some_of": Text(
        zh="写编号，以空格分开；都没有写 none", en="Write numbers with spaces between; none for none of these"
    ),
    "number": Text(zh="写一个数字", en="Write a number"),
    "date": Text(zh="写成 2026-07-27 的形式", en="Write it like 2026-07-27"),
    "text": Text(zh="写一段文字", en="Write some text"),
}


@dataclass(slots=True)
class Talk:
    """One interview at a terminal."""

    rules: Rules
    instruments: tuple[str, ...]
    goal: Goal
    lang: Lang
    answers: dict[str, Any] = field(default_factory=dict)

    def hold(self, given: TextIO, shown: TextIO) -> None:
        """Ask until nothing is left to ask, or somebody leaves; the end of input is leaving."""
        while (question := self.rules.asks(self.answers, self.instruments, self.goal)) is not None:
            shown.write("\n".join(self._asked(question)) + "\n> ")
            shown.flush()
            if not self._one(question, given, shown):
                return

    def _one(self, question: Question, given: TextIO, shown: TextIO) -> bool:
        """Take words until they answer; False if somebody leaves."""
        for line in iter(given.readline, ""):
            word = line.strip()
            if word in ("q", "quit"):
                return False
            if word == "why":
                shown.write(question.why.as_text(self.lang) + "\n> ")
                continue
            if word == "<":
                self.answers = dict(list(self.answers.items())[:-1])
                return True
            try:
                value = None if word == "?" else typed(question.fact, word)
                self.answers[question.fact.id] = self.rules.fitting(question.fact.id, value)
            except Problem as problem:
                shown.write(problem.in_(self.lang) + "\n> ")
                continue
            return True
        return False

    def _asked(self, question: Question) -> Iterator[str]:
        fact, done = question.fact, len(self.answers)
        place = f"{done + 1} (~ {done + question.likely}, ≤ {done + question.at_most})"
        yield f"\n{place}  {fact.question.in_(self.lang)}"
        if fact.help:
            yield f"    {fact.help.in_(self.lang)}"
        for number, option in enumerate(fact.options, 1):
            sign = "*" if option.id in question.matters else " "
            yield f"  {sign}{number:>3}  {option.label.in_(self.lang)}"
        yield f"{_SAID[fact.type.value].in_(self.lang)} {_SAID['keys'].in_(self.lang)}"


def typed(fact: Fact, word: str) -> Any:
    """Return what somebody typed as plain data; a number stands for the option it is listed with.

    Raises:
        Invalid: It is no number, or no option has that number.
    """
    match fact.type:
        case FactType.ONE_OF if fact.options:
            return _option(fact, word)
        case FactType.SOME_OF:
            return [] if word in ("none", "无") else [_option(fact, one) for one in word.replace(",", " ").split()]
        case FactType.NUMBER:
            return asking.number_in(word)
    return word


def _option(fact: Fact, word: str) -> str:
    if word.isdecimal() and 1 <= int(word) <= len(fact.options):
        return fact.options[int(word) - 1].id
    return word


# --- how long interviews are --------------------------------------------------------------------------------------


def _measured(rules: Rules, folder: Path, asked: tuple[str, ...]) -> Answer:
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise NotFound(
            what=Text(zh=f"{folder} 里没有系统描述。", en=f"There is no description in {folder}."),
            hint=Text(zh="请给出存放 system/1 文件的文件夹。", en="Name a folder with files in the form system/1."),
        )
    text, day = rules.text(), rules.today()
    systems = [rules.read(read_text(path)) for path in files]
    scopes = {", ".join(asked): asked} if asked else {"all": (), EUROPE: (EUROPE,)}
    found = {
        name: measuring.figures(text, measuring.measure(text, systems, day, scope or None), scope or None)
        for name, scope in scopes.items()
    }
    found |= {} if asked else _by_instrument(rules, systems)
    return Answer(data=found, says=telling.in_both(lambda lang: "\n".join(_line(*one, lang) for one in found.items())))


def _by_instrument(rules: Rules, systems: list[Any]) -> dict[str, Any]:
    text, day = rules.text(), rules.today()
    names = [one.id for one in text.instruments.values() if one.classes and one.id != EUROPE]
    return {name: measuring.figures(text, measuring.measure(text, systems, day, (name,)), (name,)) for name in names}


def _line(name: str, found: Mapping[str, Any], lang: Lang) -> str:
    most = ", ".join(f"{fact} {times}" for fact, times in list(found["asked"].items())[:8])
    counts = f"{found['median']:g} · {found['p90']} · {found['max']}"
    if lang == "zh":
        said = f"{name}：{found['systems']} 个系统，提问数（中位 · 九成以内 · 最多）{counts}；"
        return f"{said}全部清单 {found['full_list']} 项；类别一致 {found['same_classes']}；最常问：{most}"
    said = f"{name}: {found['systems']} systems; questions (median · 90 % within · most) {counts}; "
    return f"{said}the full list has {found['full_list']}; same classes {found['same_classes']}; most asked: {most}"
