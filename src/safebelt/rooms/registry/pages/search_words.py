"""Wording and addresses of the lists: a question as an address, an address as a question, chips, facets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.model import STATUSES, Status
from safebelt.rooms.registry.model.search import (
    BULK_KINDS,
    CLASS,
    RED_LINE,
    SORTS,
    SOURCE,
    TAG,
    BulkKind,
    Filters,
    Found,
    Question,
    Side,
    Sort,
    Tally,
)

SEARCH, BULK, BULK_PREVIEW = (
    Text(zh="AI 系统登记", en="Register of AI systems"),
    Text(zh="批量操作", en="Bulk act"),
    Text(zh="确认批量操作", en="Confirm the bulk act"),
)

NOTICES: Mapping[str, Text] = {
    "view": Text(zh="视图已保存。", en="The view is saved."),
    "view-gone": Text(zh="视图已删除。", en="The view is deleted."),
    "view-back": Text(zh="视图已恢复。", en="The view is back."),
}
BULK_LABELS: Mapping[BulkKind, Text] = {
    BulkKind.NAME_ACCOUNTABLE: Text(zh="负责人姓名", en="Name of the accountable person"),
    BulkKind.ADD_TAG: Text(zh="要添加的标签", en="Tag to add"),
    BulkKind.REMOVE_TAG: Text(zh="要移除的标签", en="Tag to remove"),
    BulkKind.PUT_TASK: Text(zh="任务", en="Task"),
    BulkKind.WITHDRAW: Text(zh="撤回理由", en="Reason for withdrawing"),
}
SIDES: Mapping[Side, Text] = {
    Side.PROVIDER: Text(zh="提供者", en="provider"),
    Side.DEPLOYER: Text(zh="部署者", en="deployer"),
}
_AUTOMATIC = Text(zh="自动", en="automatic")
UNKNOWN_CLASS = Text(zh="尚不能确定", en="not yet known")

_MANY = {"stages": "stage", "classes": "class", "tags": "tag"}
"""Fields with several values, and what the address calls each."""
_WORDS_LIMIT, _FIELD_LIMIT, _MANY_LIMIT = 400, 120, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A filter that is on, and the address without it."""

    says: Text
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A value of a facet, how many have it, and the address with it."""

    says: Text
    count: int
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """A facet and its values."""

    title: Text
    choices: tuple[Choice, ...]


# ---- addresses


def question_of(query: Mapping[str, Sequence[str]]) -> Question:
    """Read a question from an address; what makes no sense is left out, as if it had not been typed."""

    def one(name: str) -> str:
        values = query.get(name, ())
        return values[-1][:_FIELD_LIMIT] if values else ""

    def many(name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each[:_FIELD_LIMIT] for each in query.get(name, ()) if each))[:_MANY_LIMIT]

    stages = tuple(Status(each) for each in many("stage") if each in set(Status))
    filters = Filters(
        stages=stages,
        provisional=_yes_no(one("provisional")),
        party=one("party").strip(),
        side=Side(one("side")) if one("side") in set(Side) else None,
        classes=many("class"),
        tags=many("tag"),
        source=one("source"),
        red_line=_yes_no(one("red_line")),
        since=_day(one("since")),
        until=_day(one("until")),
    )
    words = query.get("search", ())
    sort = Sort(one("sort")) if one("sort") in set(Sort) else Sort.BEST
    return Question(text=words[-1][:_WORDS_LIMIT] if words else "", filters=filters, sort=sort)


def query_of(question: Question, **more: str) -> str:
    """Return a question as the query of an address, with whatever else is to be in it."""
    pairs: list[tuple[str, str]] = [("search", question.text)] if question.text else []
    for each in fields(Filters):
        value = getattr(question.filters, each.name)
        if each.name in _MANY:
            pairs += [(_MANY[each.name], str(one)) for one in value]
        elif isinstance(value, bool):
            pairs.append((each.name, "yes" if value else "no"))
        elif value:
            pairs.append((each.name, value.isoformat() if isinstance(value, date) else str(value)))
    if question.sort is not Sort.BEST:
        pairs.append(("sort", question.sort.value))
    return urlencode([*pairs, *((name, value) for name, value in more.items() if value)], errors="replace")


def address(lang: Lang, question: Question, **more: str) -> str:
    """Return the address of a list."""
    query = query_of(question, **more)
    return f"/{lang}/registry" + (f"?{query}" if query else "")


def _yes_no(text: str) -> bool | None:
    return {"yes": True, "no": False}.get(text)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


# ---- chips and facets


def chips(question: Question, lang: Lang, parties: Mapping[str, str]) -> list[Chip]:
    """Return the filters that are on, each with the address without it."""
    on: list[tuple[Text, dict[str, Any]]] = []
    f = question.filters
    on += [(STATUSES[each], {"stages": _without(f.stages, each)}) for each in f.stages]
    on += [(class_title(each), {"classes": _without(f.classes, each)}) for each in f.classes]
    on += [(_named(Text(zh="标签", en="tag"), each), {"tags": _without(f.tags, each)}) for each in f.tags]
    if f.party:
        side = SIDES[f.side] if f.side else Text(zh="主体", en="party")
        on.append((_named(side, parties.get(f.party, f.party)), {"party": "", "side": None}))
    if f.source:
        on.append((_named(Text(zh="来源", en="source"), f.source), {"source": ""}))
    on += [(text, {name: None}) for name, value, text in _plain(f) if value is not None]
    return [Chip(says=says, href=address(lang, replace(question, filters=replace(f, **change)))) for says, change in on]


def _plain(f: Filters) -> list[tuple[str, object, Text]]:
    provisional = (
        Text(zh="暂行在用", en="in service, provisional") if f.provisional else Text(zh="非暂行", en="not provisional")
    )
    red = Text(zh="触及红线", en="meets a red line") if f.red_line else Text(zh="未触及红线", en="meets no red line")
    return [
        ("provisional", f.provisional, provisional),
        ("red_line", f.red_line, red),
        ("since", f.since, _named(Text(zh="登记不早于", en="registered since"), str(f.since))),
        ("until", f.until, _named(Text(zh="登记不晚于", en="registered until"), str(f.until))),
    ]


def facets(question: Question, found: Found, lang: Lang, parties: Mapping[str, str]) -> list[Facet]:
    """Return what the results can be narrowed down by, each value with its address."""
    f = question.filters
    made: list[Facet] = []

    def add(title: Text, facet: str, says: Any, change: Any) -> None:
        choices = [
            Choice(says=says(one), count=one.count, href=address(lang, replace(question, filters=change(one.value))))
            for one in found.facets.get(facet, ())
        ]
        if choices:
            made.append(Facet(title=title, choices=tuple(choices)))

    add(
        Text(zh="阶段", en="Stage"),
        "stage",
        lambda one: STATUSES[Status(one.value)],
        lambda value: replace(f, stages=(Status(value),)),
    )
    for facet in sorted(each for each in found.facets if each.startswith(CLASS)):
        instrument = facet.removeprefix(CLASS)
        add(
            Text(zh=f"类别 {instrument}", en=f"Class {instrument}"),
            facet,
            _class_value,
            lambda value, name=instrument: replace(f, classes=(f"{name}={value}",)),
        )
    red = Text(zh="红线", en="Red line")
    met = Text(zh="触及红线", en="meets a red line")
    add(red, RED_LINE, lambda _one: met, lambda _value: replace(f, red_line=True))
    add(Text(zh="标签", en="Tag"), TAG, _itself, lambda value: replace(f, tags=tuple(dict.fromkeys((*f.tags, value)))))
    add(Text(zh="来源", en="Source"), SOURCE, _itself, lambda value: replace(f, source=value))
    add(
        Text(zh="提供者", en="Provider"),
        "provider",
        lambda one: _plain_text(parties.get(one.value, one.value)),
        lambda value: replace(f, party=value, side=Side.PROVIDER),
    )
    return made


def class_title(text: str) -> Text:
    """Return `<instrument>=<class>` for people."""
    instrument, _, value = text.partition("=")
    if value == "unknown":
        return Text(zh=f"{instrument}：{UNKNOWN_CLASS.zh}", en=f"{instrument}: {UNKNOWN_CLASS.en}")
    return Text(zh=f"{instrument}：{value or '任何类别'}", en=f"{instrument}: {value or 'any class'}")


def _class_value(one: Tally) -> Text:
    return UNKNOWN_CLASS if one.value == "unknown" else _plain_text(one.value.replace("_", " "))


def _itself(one: Tally) -> Text:
    return _plain_text(one.value)


def _plain_text(value: str) -> Text:
    return Text(zh=value, en=value)


def _named(title: Text, value: str) -> Text:
    return Text(zh=f"{title.zh}：{value}", en=f"{title.en}: {value}")


def _without(values: Sequence[Any], value: object) -> tuple[Any, ...]:
    return tuple(each for each in values if each != value)


def total(found: Found) -> Text:
    """Say how many there are."""
    if found.has_more_than_total:
        return Text(zh=f"超过 {found.total:,} 个系统", en=f"more than {found.total:,} systems")
    return Text(zh=f"共 {found.total:,} 个系统", en=f"{found.total:,} system{'' if found.total == 1 else 's'}")


def sorts(question: Question, lang: Lang) -> list[tuple[str, str]]:
    """Return the orders a list can have, as choices; without words, *best first* leaves the order to the list."""
    titles = SORTS if question.text else {**SORTS, Sort.BEST: _AUTOMATIC}
    return [(each.value, titles[each].in_(lang)) for each in Sort]


def bulk_kinds(lang: Lang) -> list[tuple[str, str]]:
    """Return what can be done to many, as choices."""
    return [(each.value, BULK_KINDS[each].in_(lang)) for each in BulkKind]
