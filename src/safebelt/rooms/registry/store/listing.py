"""Lists of systems: filters, orders, cursors, counts; each answered from an index, however many systems there are."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from safebelt.engines.sql import among
from safebelt.rooms.registry.model import System
from safebelt.rooms.registry.model.search import CLASS, MET, RED_LINE, SOURCE, TAG, Filters, Side, Sort
from safebelt.rooms.registry.store import register, search
from safebelt.rooms.registry.store.search import batches, entry, label

system = register.system
Ids = sa.Select[tuple[str]]
Condition = sa.ColumnElement[bool]

SPARSE = 1_000
"""Systems up to which a filter's are named one by one, so that no list is walked in search of them."""

sa.Index("ix_registry_system_registered_newest", system.c.registered_at, system.c.id)


def narrowed(tx: sa.Connection, filters: Filters) -> tuple[list[Condition], bool]:
    """Return the conditions of filters, and whether one of them lets only few systems through: those are named."""
    conditions: list[Condition] = []
    is_sparse = False
    for ids, condition in _atoms(filters):
        few = tx.execute(ids.limit(SPARSE + 1)).scalars().all() if ids is not None else None
        if few is not None and len(few) <= SPARSE:
            is_sparse = True
            conditions.append(among(tx, system.c.id, few))
        else:
            conditions.append(condition)
    return conditions, is_sparse


def _atoms(filters: Filters) -> list[tuple[Ids | None, Condition]]:
    """Return each filter as a statement that an index answers, and as a condition on a system."""
    atoms: list[tuple[Ids | None, Condition]] = []
    plain = [_stages(filters), _party(filters), _days(filters)]
    atoms += [(sa.select(system.c.id).where(one), one) for one in plain if one is not None]
    if filters.provisional is not None:
        atoms.append((None, system.c.provisional == sa.literal(filters.provisional)))
    atoms += [_labelled(TAG, tag) for tag in filters.tags]
    if filters.source:
        atoms.append(_labelled(SOURCE, filters.source))
    if filters.classes:
        atoms.append(_any_class(filters.classes))
    if filters.red_line is not None:
        ids, condition = _labelled(RED_LINE, MET)
        atoms.append((ids, condition) if filters.red_line else (None, ~condition))
    return atoms


def _stages(filters: Filters) -> Condition | None:
    return system.c.status.in_([stage.value for stage in filters.stages]) if filters.stages else None


def _party(filters: Filters) -> Condition | None:
    party = filters.party.replace("\0", "")
    columns = {Side.PROVIDER: system.c.provider_id, Side.DEPLOYER: system.c.deployer_id}
    if not party:
        return None
    if filters.side is not None:
        return columns[filters.side] == party
    return sa.or_(*(column == party for column in columns.values()))


def _days(filters: Filters) -> Condition | None:
    limits = []
    if filters.since:
        limits.append(system.c.registered_at >= datetime.combine(filters.since, time(), UTC))
    if filters.until and filters.until < filters.until.max:
        limits.append(system.c.registered_at < datetime.combine(filters.until + timedelta(days=1), time(), UTC))
    return sa.and_(*limits) if limits else None


def _labelled(facet: str, value: str) -> tuple[Ids, Condition]:
    at = (label.c.facet == _safe(facet), label.c.value == _safe(value))
    return sa.select(label.c.system_id).where(*at), sa.exists().where(*at, label.c.system_id == system.c.id)


def _any_class(classes: Sequence[str]) -> tuple[Ids, Condition]:
    wanted = []
    for one in classes:
        instrument, _, value = _safe(one).partition("=")
        here = label.c.facet == CLASS + instrument
        wanted.append(sa.and_(here, label.c.value == value) if value else here)
    either = sa.or_(*wanted)
    ids = sa.select(label.c.system_id).where(either).distinct()
    return ids, sa.exists().where(either, label.c.system_id == system.c.id)


def _safe(text: str) -> str:
    return text.replace("\0", "")


def begins_with(text: str, length: int) -> Condition:
    """Return the condition that a system's id is `text` or begins with it, as a range that an index answers."""
    return sa.and_(system.c.id >= text, system.c.id <= text + "z" * (length + 1 - len(text)))


# ---- pages


def page(
    tx: sa.Connection, conditions: Sequence[Condition], sort: Sort, *, edge: Sequence[str], back: bool, size: int
) -> list[tuple[str, ...]]:
    """Return keys of the systems on a page, the last of each its id: up to `size` beyond an edge, in the list's order.

    Args:
        tx: A transaction.
        conditions: Of `narrowed`.
        sort: The list's order.
        edge: The key beyond which to look; empty: from the start.
        back: Whether to look towards the start.
        size: How many at most.
    """
    key = _key(sort)
    is_rising = (sort in (Sort.OLDEST, Sort.NAME)) != back
    columns = [each.label(f"key_{at}") for at, each in enumerate(key)]
    wanted = sa.select(*columns).where(*conditions).limit(size)
    if sort is Sort.NAME:
        wanted = wanted.join_from(entry, system, entry.c.system_id == system.c.id)
    if edge:
        here = sa.tuple_(*key) if len(key) > 1 else key[0]
        values: list[Any] = [bytes.fromhex(edge[0]), edge[1]] if sort is Sort.NAME else [edge[0]]
        there = sa.tuple_(*(sa.literal(value) for value in values)) if len(key) > 1 else sa.literal(values[0])
        wanted = wanted.where(here > there if is_rising else here < there)
    rows = tx.execute(wanted.order_by(*(one.asc() if is_rising else one.desc() for one in key))).all()
    keys = [tuple(bytes(one).hex() if isinstance(one, bytes | memoryview) else str(one) for one in row) for row in rows]
    return keys[::-1] if back else keys


def _key(sort: Sort) -> list[sa.ColumnElement[Any]]:
    return [entry.c.name_key, entry.c.system_id] if sort is Sort.NAME else [system.c.id]


def counted(tx: sa.Connection, filters: Filters | None, conditions: Sequence[Condition], most: int) -> int:
    """Return how many systems meet the conditions, counting no further than `most`.

    `filters` are those the conditions come from; None where they come from anything else too.
    """
    atoms = _atoms(filters) if filters else []
    alone = atoms[0][0] if len(atoms) == 1 else None
    some = (alone if alone is not None else sa.select(system.c.id).where(*conditions)).limit(most).subquery()
    return int(tx.execute(sa.select(sa.func.count()).select_from(some)).scalar_one())


def selected(conditions: Sequence[Condition]) -> Ids:
    """Return a statement that selects the ids of the systems that meet the conditions."""
    return sa.select(system.c.id).where(*conditions)


def there(tx: sa.Connection, system_ids: Sequence[str]) -> list[str]:
    """Return those of some systems that there are, in the order given."""
    known: set[str] = set()
    for some in batches(system_ids):
        known.update(tx.execute(sa.select(system.c.id).where(among(tx, system.c.id, some))).scalars().all())
    return [each for each in system_ids if each in known]


def kept(tx: sa.Connection, numbers: Sequence[int], conditions: Sequence[Condition]) -> list[int]:
    """Return those of some entries whose systems meet the conditions, in the order given."""
    joined = sa.select(entry.c.number).join_from(entry, system, entry.c.system_id == system.c.id)
    return [each for some in batches(numbers) for each in asked_of(tx, joined, some, conditions)]


def asked_of(
    tx: sa.Connection, joined: sa.Select[Any], numbers: Sequence[int], conditions: Sequence[Condition]
) -> list[int]:
    """Return those of some entries that meet the conditions, in the order given."""
    found = set(tx.execute(joined.where(among(tx, entry.c.number, numbers), met(*conditions))).scalars().all())
    return [each for each in numbers if each in found]


def met(*conditions: Condition) -> Condition:
    """Say that conditions hold, to be asked of each row in turn.

    As a case, they tempt no database to begin with everything that meets one of them.
    """
    return sa.case((sa.and_(sa.true(), *conditions), 1), else_=0) == 1


def by_name(tx: sa.Connection, system_ids: Sequence[str]) -> list[str]:
    """Return some systems in the order of their names."""
    keys: dict[str, bytes] = {}
    for some in batches(system_ids):
        wanted = sa.select(entry.c.system_id, entry.c.name_key).where(among(tx, entry.c.system_id, some))
        keys |= {system_id: bytes(key) for system_id, key in tx.execute(wanted).all()}
    return sorted(system_ids, key=lambda each: (keys.get(each, b""), each))


def systems_by_id(tx: sa.Connection, system_ids: Sequence[str]) -> list[System]:
    """Return systems with their people, in the order given."""
    found: dict[str, System] = {}
    for some in batches(system_ids):
        found |= {each.id: each for each in register.systems_by_id(tx, some)}
    return [found[each] for each in system_ids if each in found]


def texts(tx: sa.Connection, system_ids: Sequence[str]) -> dict[str, tuple[tuple[str, str], str]]:
    """Return names and the rest of what systems are described by."""
    c = system.c
    parties = register.party.alias("provider"), register.party.alias("deployer")
    joined = sa.outerjoin(
        sa.join(system, parties[0], c.provider_id == parties[0].c.id), parties[1], c.deployer_id == parties[1].c.id
    )
    columns = (c.id, c.name_zh, c.name_en, c.purpose_zh, c.purpose_en, parties[0].c.name, parties[1].c.name)
    found: dict[str, tuple[tuple[str, str], str]] = {}
    for some in batches(system_ids):
        for row in tx.execute(sa.select(*columns).select_from(joined).where(among(tx, c.id, some))).all():
            rest = "\n".join(dict.fromkeys(each for each in row[3:] if each))
            found[row[0]] = ((row[1], row[2]), rest)
    return found


def enter(tx: sa.Connection, system_ids: Sequence[str]) -> None:
    """Enter systems, anew where they were, by what they are described by now."""
    search.enter(tx, [(each, "\n".join((*names, rest))) for each, (names, rest) in texts(tx, system_ids).items()])


Among = Callable[[sa.ColumnElement[Any]], Condition]
"""Says of a column of system ids that it is one of those meant."""


def of_ids(tx: sa.Connection, system_ids: Sequence[str]) -> Among:
    """Mean systems by their ids."""
    return lambda column: among(tx, column, system_ids)


def of_numbers(tx: sa.Connection, numbers: Sequence[int]) -> Among:
    """Mean systems by the numbers of their entries: the database looks their ids up by itself."""
    return lambda column: column.in_(sa.select(entry.c.system_id).where(among(tx, entry.c.number, numbers)))


def tallies(tx: sa.Connection, meant: Among) -> dict[str, dict[str, int]]:
    """Return how often each value of each facet occurs among systems, of which there are at most a thousand or so."""
    found: dict[str, dict[str, int]] = {}
    rows = tx.execute(sa.select(system.c.status, system.c.provider_id).where(meant(system.c.id))).all()
    if rows:
        stages, providers = zip(*rows, strict=True)
        found |= {"stage": dict(Counter(stages)), "provider": dict(Counter(providers))}
    labels = sa.select(label.c.facet, label.c.value, sa.func.count()).where(meant(label.c.system_id))
    for facet, value, count in tx.execute(labels.group_by(label.c.facet, label.c.value)).all():
        found.setdefault(facet, {})[value] = count
    return found
