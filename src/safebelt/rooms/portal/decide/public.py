"""Judgments of the portal: how counts become tables, and what a machine is told of a line.  Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from safebelt.kernel.text import Text
from safebelt.rooms.portal.model import (
    Count,
    CountTable,
    PublicEntry,
    PublicSystem,
    PublicVersion,
    Statistics,
)
from safebelt.rooms.registry.model.public import Gone, PublicFile, PublicLine, PublicNumbers
from safebelt.rooms.registry.model.publication import PublicationRules
from safebelt.rooms.registry.model.register import STATUSES, Status
from safebelt.rooms.rulebook.model import UNKNOWN_CLASS, LawText

NO_CLASS = "none"
"""How the register's marks call a system that is in none of an instrument's classes."""

NOT_LEGAL_ADVICE = {
    "zh": "供理解之用，不构成法律意见，也不代表任何主管部门的批准。",
    "en": "Here to help understanding. It is not legal advice, and no authority has approved anything by it.",
}

_TITLES: Mapping[str, Text] = {
    "stage": Text(zh="按阶段", en="By stage"),
    "place": Text(zh="按提供地", en="By place where it is offered"),
    "sector": Text(zh="按领域", en="By field of use"),
    "month": Text(zh="按公开月份", en="By month of publication"),
    "restricted": Text(zh="依法不公开的条目", en="Entries kept back by law"),
}
_SEVERAL = Text(
    zh="一个系统可计入多行；未记录该项事实的系统不计入。",
    en="A system may count in several lines; one whose facts do not say it counts in none.",
)
_ONLY_COUNTED = Text(
    zh="这些条目依法只计数，不显示任何其他内容。", en="By law nothing but their number is shown of these entries."
)


def statistics(numbers: PublicNumbers, text: LawText, rules: PublicationRules, at: datetime) -> Statistics:
    """Make tables of counts.

    Args:
        numbers: The counts.
        text: The law, for the names of regimes, classes and places.
        rules: What is counted by.
        at: When they were counted.
    """
    stages = [
        Count(key=stage.value, label=STATUSES[stage], number=numbers.stages[stage.value])
        for stage in Status
        if stage.value in numbers.stages
    ]
    tables = [
        CountTable(id="stage", title=_TITLES["stage"], lines=tuple(stages), in_order=True),
        *_classes(numbers, text),
        *_facts(numbers, text, rules),
        CountTable(id="month", title=_TITLES["month"], lines=_months(numbers.months), in_order=True),
        CountTable(
            id="restricted",
            title=_TITLES["restricted"],
            lines=_largest(
                Count(key=basis, label=basis_label(text, basis), number=number)
                for basis, number in numbers.restricted.items()
            ),
            note=_ONLY_COUNTED,
        ),
    ]
    return Statistics(
        at=at,
        total=numbers.total,
        not_evaluated=numbers.not_evaluated,
        imported=numbers.imported,
        provisional=numbers.provisional,
        tables=tuple(tables),
    )


def basis_label(text: LawText, basis: str) -> Text:
    """Return what a norm or provision is called, with its instrument."""
    if basis in text.norms:
        norm = text.norms[basis]
        return _of(text.instruments[norm.instrument].short, norm.title)
    if basis in text.provisions:
        provision = text.provisions[basis]
        return _of(text.instruments[provision.instrument].short, provision.title or provision.summary)
    return _same(basis)


def class_label(text: LawText, mark: str) -> Text:
    """Return what a class is called by its mark, `eu/ai-act:high_risk`."""
    instrument, _, class_id = mark.partition(":")
    if class_id == UNKNOWN_CLASS:
        return Text(zh="尚不能判断", en="not known yet")
    if class_id == NO_CLASS:
        return Text(zh="不属于任何类别", en="in none of the classes")
    found = text.instruments.get(instrument)
    titles = {one.id: one.title for one in found.classes} if found else {}
    return titles.get(class_id, _same(class_id))


def csv_rows(tables: Iterable[CountTable]) -> Iterable[tuple[str, ...]]:
    """Yield the statistics as rows: table, line, its names, number."""
    yield ("table", "key", "label_zh", "label_en", "number")
    for table in tables:
        for line in table.lines:
            yield (table.id, line.key, line.label.zh, line.label.en, str(line.number))


def line_view(line: PublicLine, url: str) -> PublicSystem:
    """Return a line of the public register as machines get it."""
    return PublicSystem(
        id=line.id,
        name=_both(line.name),
        purpose=_both(line.purpose),
        provider=line.provider,
        stage=line.stage.value,
        is_provisional=line.provisional,
        is_evaluated=line.is_judged,
        is_imported=line.is_imported,
        since=line.since,
        published_at=line.at,
        version=line.version,
        record_sha256=line.digest,
        url=url,
    )


def entry_view(found: PublicFile | Gone, base: str) -> PublicEntry:
    """Return everything a machine may know of one system.

    Args:
        found: What there is.
        base: Address of this house, without a slash at its end.
    """
    if isinstance(found, Gone):
        return PublicEntry(
            id=found.id,
            is_public=False,
            withdrawn_on=found.ended_on,
            withdrawn_because=found.reason,
            system=None,
            record=None,
            is_behind=False,
            history=[],
            notice=NOT_LEGAL_ADVICE,
        )
    below = f"{base}/api/public/systems/{found.line.id}/versions"
    history = [
        PublicVersion(
            version=act.version,
            is_end=act.is_end,
            on=act.on,
            record_sha256=act.digest,
            entry=act.entry_id,
            record_url="" if act.is_end else f"{below}/{act.version}",
            proof_url=f"{below}/{act.version}/proof",
        )
        for act in found.history
    ]
    return PublicEntry(
        id=found.line.id,
        is_public=True,
        withdrawn_on=None,
        withdrawn_because="",
        system=line_view(found.line, f"{base}/en/register/{found.line.id}"),
        record=dict(found.record),
        is_behind=found.is_behind,
        history=history,
        notice=NOT_LEGAL_ADVICE,
    )


def shown_on(line: PublicLine) -> date:
    """Return the day from which what a line says could be seen: an embargo ends after the decision."""
    return max(line.at.date(), line.since)


def _classes(numbers: PublicNumbers, text: LawText) -> Iterable[CountTable]:
    """One table for each regime, its classes strictest first."""
    counted = {value: number for (kind, value), number in numbers.marks.items() if kind == "class"}
    for name in dict.fromkeys(value.partition(":")[0] for value in counted):
        instrument = text.instruments.get(name)
        known = [one.id for one in instrument.classes] if instrument else []
        order = [UNKNOWN_CLASS, *known, NO_CLASS]
        here = [value for value in counted if value.partition(":")[0] == name]
        here.sort(key=lambda value: _place(order, value.partition(":")[2]))
        title = instrument.short if instrument else _same(name)
        yield CountTable(
            id=f"class:{name}",
            title=Text(zh=f"按类别：{title.zh}", en=f"By class: {title.en}"),
            lines=tuple(Count(key=one, label=class_label(text, one), number=counted[one]) for one in here),
            in_order=True,
        )


def _facts(numbers: PublicNumbers, text: LawText, rules: PublicationRules) -> Iterable[CountTable]:
    for name, counted in rules.counted_by.items():
        fact = text.facts.get(counted.fact)
        parts = (fact.groups if counted.by_group else fact.options) if fact else ()
        labels = {one.id: one.label for one in parts}
        lines = _largest(
            Count(key=value, label=labels.get(value, _same(value)), number=number)
            for (kind, value), number in numbers.marks.items()
            if kind == name
        )
        yield CountTable(id=name, title=_TITLES.get(name, _same(name)), lines=lines, note=_SEVERAL)


def _months(months: Mapping[str, int]) -> tuple[Count, ...]:
    return tuple(Count(key=month, label=_same(month), number=months[month]) for month in sorted(months))


def _largest(lines: Iterable[Count]) -> tuple[Count, ...]:
    return tuple(sorted(lines, key=lambda one: (-one.number, one.key)))


def _place(order: Sequence[str], name: str) -> int:
    return order.index(name) if name in order else len(order)


def _of(instrument: Text, title: Text) -> Text:
    return Text(zh=f"{instrument.zh}：{title.zh}", en=f"{instrument.en}: {title.en}")


def _same(word: str) -> Text:
    return Text(zh=word, en=word)


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}
