"""`safebelt belt classifier`: the trained model for injections, what it finds and how often it is wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from safebelt.engines.classifiers.guardian import Guardian
from safebelt.kernel.errors import Invalid, Unavailable
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.belt.cli.benign import texts_of_file
from safebelt.rooms.belt.model import Measured
from safebelt.rooms.belt.service import Belt, Sample
from safebelt.web.terminal import DONE, NOT_EVALUATED, Answer

Sets = Annotated[
    tuple[str, ...],
    Parameter(help="LANGUAGE=PATH: a text file, one text a line, or a folder of text files.", negative=()),
]


def add_to(app: App, belt: Belt) -> None:
    """Add `classifier`."""
    group = App(name="classifier", help="The trained model for injections: what it finds, and its errors. 注入分类器。")

    @group.command
    def show() -> Answer:
        """Say whether the classifier is installed, and what was measured; exit 3 where it is not installed."""
        try:
            Guardian()
        except Unavailable as problem:
            installed, code = Text(zh=problem.in_("zh"), en=problem.in_("en")), NOT_EVALUATED
        else:
            installed, code = Text(zh="分类器已安装，可以读取。", en="The classifier is installed and readable."), DONE
        found = belt.classifier_figures()
        says = Text(**{lang: f"{installed.in_(lang)}\n{told(found, lang)}" for lang in LANGS})
        return Answer(data={"installed": code == DONE, "measured": _data(found)}, says=says, exit_code=code)

    @group.command
    def measure(*, benign: Sets = (), attacks: Sets = (), at_least: float = 0.9, to: Path | None = None) -> Answer:
        """Measure the classifier's recall on attacks and its false alarms on benign texts, language by language.

        Parameters
        ----------
        at_least
            Score from which on a text hits; what the policy's rule says.
        to
            File for the figures; else the house keeps them, and the console shows them beside the rule.
        """
        samples = [*_samples(benign, is_attack=False), *_samples(attacks, is_attack=True)]
        found = belt.measure_classifier(samples, at_least, to=to)
        return Answer(data=_data(found), says=Text(**{lang: told(found, lang) for lang in LANGS}))

    app.command(group)


def _samples(named: tuple[str, ...], *, is_attack: bool) -> Iterator[Sample]:
    for each in named:
        language, sign, path = each.partition("=")
        if not sign or not language or not Path(path).exists():
            raise Invalid(
                what=Text(zh=f"看不懂或找不到：{each[:80]}", en=f"Not readable or not there: {each[:80]}"),
                hint=Text(zh="请写成 zh=文件 的形式。", en="Write it like zh=FILE."),
                details={"field": "attacks" if is_attack else "benign"},
            )
        yield Sample(Path(path).stem, language, is_attack, texts_of_file(Path(path)))


def told(found: Measured | None, lang: Lang) -> str:
    """Return figures as lines of words."""
    if found is None:
        return Text(zh="尚未测量。", en="Nothing is measured yet.").in_(lang)
    head = Text(
        zh=f"{found.model} {found.version}，阈值 {found.at_least}，{found.at.date()}，每条文本 {found.median_ms} 毫秒"
        f"（最慢 {found.slowest_ms}，{found.machine}）",
        en=f"{found.model} {found.version}, at least {found.at_least}, {found.at.date()}, {found.median_ms} ms a text "
        f"(slowest {found.slowest_ms}; {found.machine})",
    )
    lines = [head.in_(lang)]
    for one in found.sets:
        kind = Text(zh="查出攻击", en="recall") if one.is_attack else Text(zh="误报", en="false alarms")
        lines.append(f"  {one.language}  {kind.in_(lang)}  {one.hits}/{one.texts}  {one.rate:.1%}  {one.name}")
    return "\n".join(lines)


def _data(found: Measured | None) -> Any:
    return msgspec.to_builtins(found)
