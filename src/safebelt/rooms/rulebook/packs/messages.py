"""Say in both languages what a schema found wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from difflib import get_close_matches
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.packs.documents import Document, Path
from safebelt.rooms.rulebook.packs.findings import Finding, finding

SHOWN_CHARS = 60

SUGGESTED = 100
"""Words of one foreign text for which the nearest known word is looked up: each look costs milliseconds, and a text of
a megabyte can hold tens of thousands of wrong words."""

_left: ContextVar[Iterator[int] | None] = ContextVar("suggestions_left", default=None)


@contextmanager
def few_suggestions() -> Iterator[None]:
    """Bound the time that suggestions take while a foreign text is read; every error is told nevertheless."""
    token = _left.set(iter(range(SUGGESTED)))
    try:
        yield
    finally:
        _left.reset(token)


def shown(value: Any) -> str:
    """Show a value of the file, cut to a length one can read."""
    said = str(value)
    return said if len(said) <= SHOWN_CHARS else said[: SHOWN_CHARS - 1] + "…"


def nearest(word: str, known: Any) -> str:
    """The known word that is spelt most alike, or nothing."""
    left = _left.get()
    if left is not None and next(left, None) is None:
        return ""
    return next(iter(get_close_matches(word, [str(one) for one in known], n=1, cutoff=0.55)), "")


def suggestion(word: str, known: Any) -> Text | None:
    """Ask whether the word spelt most alike was meant."""
    best = nearest(word, known)
    return Text(zh=f"是不是 {best}？", en=f"Did you mean {best}?") if best else None


def validated(document: Document, model: type[BaseModel], data: Any, path: Path = ()) -> Any:
    """Validate a part of a document.

    Returns:
        The model, or the findings as a list.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        return list(_findings(document, model, error, path))


def _findings(document: Document, model: type[BaseModel], error: ValidationError, path: Path) -> Iterator[Finding]:
    for details in error.errors(include_url=False):
        inside = tuple(step for step in details["loc"] if step != "[key]")
        what, hint = _said(model, details, inside)
        named = ".".join(map(str, inside))
        if named:
            what = Text(zh=f"{named}：{what.zh}", en=f"{named}: {what.en}")
        yield finding(document.where((*path, *inside)), "form", what, hint)


def _said(model: type[BaseModel], details: ErrorDetails, inside: Path) -> tuple[Text, Text]:
    context = details.get("ctx", {})
    if details["type"] == "safebelt":
        return Text(zh=context["what_zh"], en=context["what_en"]), Text(zh=context["hint_zh"], en=context["hint_en"])
    if details["type"] == "extra_forbidden":
        return _unknown_key(model, inside)
    if details["type"] in ("literal_error", "enum"):
        allowed = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")
        close = suggestion(str(details["input"]), allowed.split(", "))
        return (
            Text(zh=f"不能是 {shown(details['input'])}。", en=f"{shown(details['input'])} is not allowed here."),
            Text(
                zh=f"{close.zh if close else ''}可用：{allowed}。",
                en=f"{close.en + ' ' if close else ''}Use one of: {allowed}.",
            ),
        )
    what, hint = _KNOWN.get(details["type"], (None, None))
    if what is None or hint is None:
        return (
            Text(zh=f"写法不对：{details['msg']}。", en=f"{details['msg']}."),
            Text(zh="请对照 law/README.md 的写法。", en="Compare it with the forms in law/README.md."),
        )
    value = shown(details["input"])
    return Text(zh=what.zh.format(value), en=what.en.format(value)), hint


_TEXT_HINT = Text(
    zh="写成一段文字；数字、日期、true/false 要当文字用时加引号。",
    en="Write text; put a number, a date or true/false that is meant as text in quotes.",
)
_KNOWN: dict[str, tuple[Text, Text]] = {
    "missing": (Text(zh="缺少这一项。", en="This key is missing."), Text(zh="请补上。", en="Add it.")),
    "string_type": (Text(zh="应为文字，却是 {0}。", en="Text is wanted here, not {0}."), _TEXT_HINT),
    "string_too_short": (Text(zh="这里是空的。", en="This is empty."), Text(zh="请填写。", en="Fill it in.")),
    "string_too_long": (
        Text(zh="{0} 太长。", en="{0} is too long."),
        Text(zh="编号最多 80 个字符。", en="An id has at most 80 characters."),
    ),
    "string_pattern_mismatch": (
        Text(zh="{0} 的写法不对。", en="{0} is not written as it should be."),
        Text(
            zh="编号只用小写字母、数字、点、下划线、连字符；条款写成 eu/ai-act#art_5，规范写成 eu.ai-act.art_5。",
            en="Ids use small letters, digits and . _ -; a provision is eu/ai-act#art_5, a norm eu.ai-act.art_5.",
        ),
    ),
    "bool_parsing": (
        Text(zh="{0} 不是 true 或 false。", en="{0} is neither true nor false."),
        Text(zh="写 true 或 false。", en="Write true or false."),
    ),
    "bool_type": (
        Text(zh="{0} 不是 true 或 false。", en="{0} is neither true nor false."),
        Text(zh="写 true 或 false。", en="Write true or false."),
    ),
    "int_parsing": (
        Text(zh="{0} 不是整数。", en="{0} is not a whole number."),
        Text(zh="写整数。", en="Write a whole number."),
    ),
    "int_type": (
        Text(zh="{0} 不是整数。", en="{0} is not a whole number."),
        Text(zh="写整数。", en="Write a whole number."),
    ),
    "int_from_float": (
        Text(zh="{0} 不是整数。", en="{0} is not a whole number."),
        Text(zh="写整数。", en="Write a whole number."),
    ),
    "float_parsing": (
        Text(zh="{0} 不是数字。", en="{0} is not a number."),
        Text(
            zh="写数字，不加单位和千位符，例如 1000000 或 1.0e+25。",
            en="Write a number without units or separators, like 1000000 or 1.0e+25.",
        ),
    ),
    "float_type": (
        Text(zh="{0} 不是数字。", en="{0} is not a number."),
        Text(zh="写数字，例如 1000000 或 1.0e+25。", en="Write a number like 1000000 or 1.0e+25."),
    ),
    "tuple_type": (
        Text(zh="应为列表，却是 {0}。", en="A list is wanted here, not {0}."),
        Text(zh="写成 [a, b] 或每行一个“- ”。", en="Write [a, b], or one item a line after `- `."),
    ),
    "dict_type": (
        Text(zh="应为“键: 值”。", en="Keys with values are wanted here, not {0}."),
        Text(zh="写成“键: 值”，注意缩进。", en="Write `key: value`, and mind the indentation."),
    ),
    "model_type": (
        Text(zh="应为“键: 值”，却是 {0}。", en="Keys with values are wanted here, not {0}."),
        Text(
            zh="写成“键: 值”，例如 {zh: 中文, en: English}。",
            en="Write `key: value`, for example {zh: 中文, en: English}.",
        ),
    ),
    "too_short": (
        Text(zh="列表是空的。", en="The list is empty."),
        Text(zh="至少写一项，或删去该键。", en="Give at least one, or take the key away."),
    ),
}
_KNOWN["int_from_float"] = _KNOWN["int_type"]


def _unknown_key(model: type[BaseModel], inside: Path) -> tuple[Text, Text]:
    keys = _keys_at(model, inside[:-1])
    close = suggestion(str(inside[-1]), keys)
    listed = ", ".join(keys)
    return (
        Text(zh="没有这个键。", en="There is no such key."),
        Text(
            zh=f"{close.zh if close else ''}可用：{listed}。",
            en=f"{close.en + ' ' if close else ''}Use one of: {listed}.",
        ),
    )


def _keys_at(model: type[BaseModel], path: Path) -> list[str]:
    """The keys a schema has at a path; those of the nearest model around where the path leaves models."""
    here: Any = model
    for step in path:
        by_key = {info.alias or name: info.annotation for name, info in here.model_fields.items()}
        here = next(_models_in(by_key.get(str(step))), here) if isinstance(step, str) else here
    return [info.alias or name for name, info in here.model_fields.items()]


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and not get_args(annotation):
        if issubclass(annotation, BaseModel):
            yield annotation
        return
    if get_origin(annotation) in (Union, UnionType, tuple, dict, list) or get_args(annotation):
        for part in get_args(annotation):
            yield from _models_in(part)
