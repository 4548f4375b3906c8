"""The public register as it is read: only what is shown today, bounded, by keys rather than by counting through."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from safebelt.engines.sql import among
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.public import PublicLine, PublicNumbers, Wanted
from safebelt.rooms.registry.model.publication import Visibility
from safebelt.rooms.registry.model.register import Status, folded
from safebelt.rooms.registry.store.listing import SPARSE, asked_of, met
from safebelt.rooms.registry.store.publication import clean, mark, publication
from safebelt.rooms.registry.store.published import Day, is_shown, kinds
from safebelt.rooms.registry.store.register import system
from safebelt.rooms.registry.store.search import batches, entry

COUNTED_TO = 10_000
"""How many matches are counted, and paged through: beyond it people narrow their search and programs follow `next`."""
COUNTED_WITHIN = 1_000
"""The same where a stage or a mark must hold too, which no index counts by itself."""

_LISTED = tuple(each for each in publication.c if each.name not in ("search", "contact", "basis"))
_BOTH = publication.join(system, system.c.id == publication.c.system_id)


def page(tx: sa.Connection, wanted: Wanted, today: date, *, start: int, size: int) -> tuple[PublicLine, ...]:
    """Return one page of what is shown, newest registration first."""
    return lines(tx, _ids(tx, wanted, today, start + size)[start:], today)


def after(tx: sa.Connection, wanted: Wanted, today: date, *, cursor: str, size: int) -> tuple[PublicLine, ...]:
    """Return what is shown after a cursor (the last id read; empty for the start), newest registration first."""
    return lines(tx, _ids(tx, wanted, today, size, before=clean(cursor)), today)


def count(tx: sa.Connection, wanted: Wanted, today: date) -> tuple[int, bool]:
    """Return how many match, and whether there are more: of a narrowed list fewer are counted."""
    most = COUNTED_WITHIN if wanted.stage or wanted.marks else COUNTED_TO
    found = 0
    for walk, _ in _walks(wanted, today):
        few = walk.limit(most + 1).subquery()
        found += int(tx.execute(sa.select(sa.func.count()).select_from(few)).scalar_one())
    return min(found, most), found > most


def _ids(tx: sa.Connection, wanted: Wanted, today: date, limit: int, before: str = "") -> list[str]:
    found: list[str] = []
    for walk, ids in _walks(wanted, today):
        below = walk.where(ids < before) if before else walk
        found += tx.execute(below.order_by(ids.desc()).limit(limit)).scalars().all()
    return sorted(found, reverse=True)[:limit]


def _walks(wanted: Wanted, today: date) -> list[tuple[sa.Select[Any], sa.ColumnElement[str]]]:
    """Return statements that select the ids of what is shown and wanted, each along one index in the ids' order.

    What that index does not answer is asked of each row in turn, as a case: so no database sorts a million rows for a
    page of twenty.
    """
    words = folded(clean(wanted.search)).split()
    rest = [publication.c.search.contains(word, autoescape=True) for word in words]
    if wanted.stage:
        ids = system.c.id
        walk = sa.select(ids).join_from(system, publication, publication.c.system_id == ids)
        walk = walk.where(system.c.status == wanted.stage.value)
        return [(walk.where(met(is_shown(today), *rest, *_marked(wanted.marks, ids))), ids)]
    if wanted.marks:
        (kind, value), first = wanted.marks[0], mark.alias("first")
        walk = sa.select(first.c.system_id).join_from(first, publication, publication.c.system_id == first.c.system_id)
        walk = walk.where(first.c.kind == kind, first.c.value == clean(value))
        others = _marked(wanted.marks[1:], first.c.system_id)
        return [(walk.where(met(is_shown(today), *rest, *others)), first.c.system_id)]
    return [(sa.select(publication.c.system_id).where(kept, *rest), publication.c.system_id) for kept in kinds(today)]


def line(tx: sa.Connection, system_id: str, today: date) -> PublicLine | None:
    """Return one system as lists have it; None where it is not shown."""
    row = tx.execute(_LINE, {"wanted": clean(system_id), "today": today}).one_or_none()
    return None if row is None else _line(row)


def lines(tx: sa.Connection, system_ids: Sequence[str], today: date) -> tuple[PublicLine, ...]:
    """Return those of some systems that are shown, in the order given."""
    wanted = _lines(today).where(among(tx, publication.c.system_id, system_ids))
    found = {row.system_id: _line(row) for row in tx.execute(wanted).all()}
    return tuple(found[each] for each in system_ids if each in found)


def texts(tx: sa.Connection, system_ids: Sequence[str]) -> dict[str, tuple[tuple[str, str], str]]:
    """Return names and the rest of what systems are found by in public."""
    c = publication.c
    wanted = sa.select(c.system_id, c.name_zh, c.name_en, c.search).where(among(tx, c.system_id, system_ids))
    return {row.system_id: ((row.name_zh, row.name_en), row.search) for row in tx.execute(wanted).all()}


def kept(tx: sa.Connection, numbers: Sequence[int], wanted: Wanted) -> list[int]:
    """Return those of some entries that have the stage and the marks that are wanted, in the order given."""
    joined = sa.select(entry.c.number).join_from(entry, system, entry.c.system_id == system.c.id)
    narrowed = _narrowed(wanted, system.c.id)
    return [each for some in batches(numbers) for each in asked_of(tx, joined, some, narrowed)]


def few(tx: sa.Connection, wanted: Wanted) -> sa.Select[tuple[str]] | None:
    """Return a statement that selects what has the stage and the marks wanted, where one of them is had by few."""
    by_mark = [
        sa.select(mark.c.system_id).where(mark.c.kind == kind, mark.c.value == clean(value))
        for kind, value in wanted.marks
    ]
    by_stage = [sa.select(system.c.id).where(system.c.status == wanted.stage.value)] if wanted.stage else []
    for ids in (*by_mark, *by_stage):
        found = tx.execute(ids.limit(SPARSE + 1)).scalars().all()
        if len(found) <= SPARSE:
            return sa.select(system.c.id).where(among(tx, system.c.id, found), *_narrowed(wanted, system.c.id))
    return None


def newest(tx: sa.Connection, today: date, limit: int) -> tuple[PublicLine, ...]:
    """Return what became public or changed last, latest first."""
    found: list[PublicLine] = []
    for shown in kinds(today):
        wanted = _select_lines().where(shown).order_by(publication.c.at.desc()).limit(limit)
        found += [_line(row) for row in tx.execute(wanted)]
    return tuple(sorted(found, key=lambda one: (max(one.at.date(), one.since), one.at, one.id), reverse=True)[:limit])


def starts(tx: sa.Connection, today: date, step: int) -> Iterator[str]:
    """Yield the cursor after every `step` shown ids, the start (empty) first: how a site map is split."""
    yield ""
    ids = publication.c.system_id
    place = sa.func.row_number().over(order_by=ids.desc()).label("place")
    numbered = sa.select(ids, place).where(is_shown(today)).subquery()
    wanted = sa.select(numbered.c.system_id).where(numbered.c.place % step == 0).order_by(numbered.c.place)
    rows = tx.execute(wanted).scalars().all()
    total = tx.execute(sa.select(sa.func.count()).select_from(publication).where(is_shown(today))).scalar_one()
    yield from (one for place, one in enumerate(rows, start=1) if place * step < total)


def numbers(tx: sa.Connection, today: date) -> PublicNumbers:
    """Count the public register: the records in one pass, whatever they are counted by."""
    c = publication.c
    columns = (c.is_judged, c.is_imported, c.month, system.c.status, system.c.provisional)
    counting = sa.select(*columns, sa.func.count()).select_from(_BOTH).where(met(is_shown(today))).group_by(*columns)
    judged, imported, provisional = Counter[bool](), Counter[bool](), Counter[bool]()
    months, stages = Counter[str](), Counter[str]()
    for is_judged, is_imported, month, stage, is_provisional, number in tx.execute(counting).all():
        judged[bool(is_judged)] += number
        imported[bool(is_imported)] += number
        provisional[bool(is_provisional)] += number
        months[month] += number
        stages[stage] += number
    kept = sa.select(c.basis, sa.func.count()).where(c.visibility == Visibility.RESTRICTED.value)
    restricted = tx.execute(kept.group_by(c.basis).order_by(c.basis))
    return PublicNumbers(
        on=today,
        total=judged.total(),
        not_evaluated=judged[False],
        imported=imported[True],
        stages=dict(sorted(stages.items())),
        provisional=provisional[True],
        marks=_marks(tx, today),
        months=dict(sorted(months.items())),
        restricted={row[0]: int(row[1]) for row in restricted},
    )


def _marks(tx: sa.Connection, today: date) -> dict[tuple[str, str], int]:
    """Count the marks of what is shown: all there are, without those of what is under embargo still."""
    by = (mark.c.kind, mark.c.value)
    counting = sa.select(*by, sa.func.count()).group_by(*by).order_by(*by)
    found = {(kind, value): int(number) for kind, value, number in tx.execute(counting).all()}
    waits = (publication.c.visibility == Visibility.EMBARGOED.value) & (publication.c.until > today)
    hidden = counting.join_from(mark, publication, publication.c.system_id == mark.c.system_id).where(waits)
    for kind, value, number in tx.execute(hidden).all():
        found[kind, value] -= int(number)
    return {key: number for key, number in found.items() if number}


def _select_lines() -> sa.Select[Any]:
    return sa.select(*_LISTED, system.c.status, system.c.provisional).select_from(_BOTH)


def _lines(today: Day) -> sa.Select[Any]:
    return _select_lines().where(met(is_shown(today)))


_LINE = _lines(sa.bindparam("today", type_=sa.Date)).where(publication.c.system_id == sa.bindparam("wanted"))
"""Asked with every check of a certificate, and put together once: that takes longer than the answer."""


def _narrowed(wanted: Wanted, system_id: sa.ColumnElement[str]) -> list[sa.ColumnElement[bool]]:
    narrowed = [system.c.status == wanted.stage.value] if wanted.stage else []
    return [*narrowed, *_marked(wanted.marks, system_id)]


def _marked(marks: Sequence[tuple[str, str]], system_id: sa.ColumnElement[str]) -> list[sa.ColumnElement[bool]]:
    return [
        sa.exists().where(mark.c.kind == kind, mark.c.value == clean(value), mark.c.system_id == system_id)
        for kind, value in marks
    ]


def _line(row: sa.Row[Any]) -> PublicLine:
    return PublicLine(
        id=row.system_id,
        name=Text(zh=row.name_zh, en=row.name_en),
        purpose=Text(zh=row.purpose_zh, en=row.purpose_en),
        provider=row.provider,
        stage=Status(row.status),
        provisional=bool(row.provisional),
        since=row.since,
        at=row.at,
        version=row.version,
        digest=row.digest,
        is_imported=bool(row.is_imported),
        is_judged=bool(row.is_judged),
    )
