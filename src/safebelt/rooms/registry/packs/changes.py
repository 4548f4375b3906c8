"""Reading `registry/changes.yaml`: what belongs to which kind of change, and what it re-opens; every error at once."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.changes import (
    HOUSE_RULE,
    ChangeKind,
    ChangeRules,
    FactRule,
    KindRule,
    RedoRule,
    Touch,
)
from safebelt.rooms.registry.packs.plain import read_plain

FILE = "changes.yaml"
MOST_DAYS = 366
"""Nobody may be given longer than a year to make evidence anew."""

Days = Annotated[int, Field(ge=1, le=MOST_DAYS, strict=True)]
Word = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Words(_Strict):
    zh: Word
    en: Word

    def as_text(self) -> Text:
        return Text(zh=self.zh.strip(), en=self.en.strip())


class _Fact(_Strict):
    fact: Annotated[str, Field(min_length=2, max_length=80)]
    when: Touch = Touch.ANY
    times: Annotated[float, Field(gt=1, le=1e6, allow_inf_nan=False)] | None = None
    options: tuple[Word, ...] = ()

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if (self.when is Touch.GROWS) is not (self.times is not None):
            raise ValueError("`times` belongs to `when: grows`, and to nothing else")
        if self.options and self.when not in (Touch.ADDED, Touch.REMOVED):
            raise ValueError("`options` belong to `when: added` or `removed`")
        return self

    def as_rule(self) -> FactRule:
        return FactRule(fact=self.fact, when=self.when, times=self.times or 1.0, options=self.options)


class _Redo(_Strict):
    evidence: Annotated[tuple[Word, ...], Field(min_length=1)]
    within_days: Days
    basis: Word
    says: _Words


class _Kind(_Strict):
    id: ChangeKind
    title: _Words
    says: _Words
    facts: tuple[_Fact, ...] = ()
    redo: tuple[_Redo, ...] = ()

    def as_rule(self) -> KindRule:
        return KindRule(
            id=self.id,
            title=self.title.as_text(),
            says=self.says.as_text(),
            facts=tuple(one.as_rule() for one in self.facts),
            redo=tuple(
                RedoRule(evidence=one.evidence, within_days=one.within_days, basis=one.basis, says=one.says.as_text())
                for one in self.redo
            ),
        )


class _Document(_Strict):
    safebelt: Literal["changes/1"]
    new_within_days: Days
    expired_within_days: Days
    kinds: tuple[_Kind, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the rulebook knows, so that nothing here speaks of something that is not there."""

    facts: frozenset[str]
    evidence: frozenset[str]
    norms: frozenset[str]


def open_changes(folder: Path, known: Known) -> ChangeRules:
    """Return the rules of change of the registry's data.

    Raises:
        Invalid: The file is not there or cannot be used; every error with its place.
    """
    try:
        text = (folder / FILE).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(
            what=Text(zh=f"无法打开 registry/{FILE}。", en=f"registry/{FILE} cannot be opened."),
            hint=Text(zh="请恢复 registry/ 目录中的这个文件。", en="Restore that file in the folder registry/."),
        ) from error
    return read_changes(text, known)


def read_changes(text: str, known: Known) -> ChangeRules:
    """Read the rules of change.

    Args:
        text: YAML in the form `changes/1`.
        known: Facts, evidence and norms there are.

    Raises:
        Invalid: It cannot be used; every error with its place.
    """
    data = read_plain(text, Text(zh="变更规则", en="the rules of change"))
    try:
        document = _Document.model_validate(data)
    except ValidationError as error:
        raise _unfit(_places(error)) from error
    found = list(_faults(document, known))
    if found:
        raise _unfit(found)
    return ChangeRules(
        kinds={one.id: one.as_rule() for one in document.kinds},
        new_within_days=document.new_within_days,
        expired_within_days=document.expired_within_days,
    )


def _places(error: ValidationError) -> list[tuple[str, Text]]:
    return [(_path(one["loc"]), Text(zh=_SAID.get(one["type"], one["msg"]), en=one["msg"])) for one in error.errors()]


def _path(steps: tuple[Any, ...]) -> str:
    return ".".join(str(one) for one in steps) or FILE


_SAID = {
    "missing": "缺少这一项",
    "extra_forbidden": "没有这个键",
    "enum": "不是可用的取值",
    "literal_error": "不是可用的取值",
    "int_type": "应为整数",
    "too_short": "列表是空的",
    "greater_than_equal": "数值太小",
    "less_than_equal": "数值太大",
    "value_error": "几项不能这样搭配",
}


def _faults(document: _Document, known: Known) -> Iterator[tuple[str, Text]]:
    ids = [one.id for one in document.kinds]
    for kind in ChangeKind:
        if ids.count(kind) != 1:
            yield "kinds", Text(zh=f"{kind} 应恰好出现一次", en=f"{kind} must stand there exactly once")
    seen: set[tuple[str, Touch, tuple[str, ...]]] = set()
    for place, one in enumerate(document.kinds):
        where = f"kinds.{place}"
        if one.id is ChangeKind.OTHER and (one.facts or one.redo):
            yield where, Text(zh="other 是其余的变更，不写 facts 和 redo", en="other is the rest: no facts and no redo")
        for at, rule in enumerate(one.facts):
            yield from _fact_faults(f"{where}.facts.{at}", rule, known.facts, seen)
        for at, redo in enumerate(one.redo):
            yield from _redo_faults(f"{where}.redo.{at}", redo, known)


def _fact_faults(
    where: str, rule: _Fact, known: Collection[str], seen: set[tuple[str, Touch, tuple[str, ...]]]
) -> Iterator[tuple[str, Text]]:
    is_there = rule.fact in known
    if rule.fact.endswith("."):
        is_there = any(one.startswith(rule.fact) for one in known)
    if not is_there:
        yield f"{where}.fact", Text(zh=f"没有事实 {rule.fact}", en=f"there is no fact {rule.fact}")
    key = (rule.fact, rule.when, rule.options)
    if key in seen:
        yield f"{where}.fact", Text(zh=f"{rule.fact} 写了两次", en=f"{rule.fact} stands there twice")
    seen.add(key)


def _redo_faults(where: str, redo: _Redo, known: Known) -> Iterator[tuple[str, Text]]:
    for kind in redo.evidence:
        if kind not in known.evidence:
            yield f"{where}.evidence", Text(zh=f"没有证据种类 {kind}", en=f"there is no kind of evidence {kind}")
    if redo.basis != HOUSE_RULE and redo.basis not in known.norms:
        yield (
            f"{where}.basis",
            Text(zh=f"没有规则 {redo.basis}，也不是 house rule", en=f"{redo.basis} is no norm and not `house rule`"),
        )


def _unfit(found: list[tuple[str, Text]]) -> Invalid:
    listed = {lang: "; ".join(f"{where}: {what.in_(lang)}" for where, what in found) for lang in ("zh", "en")}
    return Invalid(
        what=Text(
            zh=f"registry/{FILE} 有 {len(found)} 处错误：{listed['zh']}。",
            en=f"registry/{FILE} has {len(found)} error(s): {listed['en']}.",
        ),
        hint=Text(zh="请按 changes/1 的写法更正。", en="Correct it to the form changes/1."),
        details={where: what.en for where, what in found},
    )
