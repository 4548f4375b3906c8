"""Tables of imports and their undoing, and the helpers that enter many at once."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, metadata
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.imports import (
    Batch,
    Form,
    Item,
    Outcome,
    State,
    Trouble,
)
from safebelt.rooms.registry.store import register, search

batch = sa.Table(
    "registry_import",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("form", sa.String(20), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("by", sa.String(80), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("takes_likely", sa.Boolean, nullable=False),
    sa.Column("chosen", sa.JSON, nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("counts", sa.JSON, nullable=False),
    sa.Column("classes", sa.JSON, nullable=False),
    sa.Column("barred", sa.Integer, nullable=False),
    sa.Column("troubles", sa.JSON, nullable=False),
    sa.Column("mapping", sa.Text, nullable=False),
    sa.Column("files", sa.JSON, nullable=False),
    sa.Column("salt", sa.String(32), nullable=False),
)

item = sa.Table(  # of batches, as the leaves are; no foreign key asks about the same batch for each of its thousands
    "registry_import_item",
    metadata,
    sa.Column("batch_id", sa.String(40), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("spot", sa.Text, nullable=False),
    sa.Column("outcome", sa.String(20), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("key", sa.String(64), nullable=False, index=True),
    sa.Column("digest", sa.String(64), nullable=False, index=True),
    sa.Column("ref", sa.Text, nullable=False),
    sa.Column("said", sa.Text, nullable=False),
    sa.Column("why", sa.JSON(none_as_null=True)),
    sa.Column("notes", sa.JSON, nullable=False),
    sa.Column("system_id", sa.String(40), nullable=False, index=True),
    sa.Column("facts", sa.Integer, nullable=False),
    sa.Column("classes", sa.JSON, nullable=False),
    sa.Column("barred_by", sa.JSON, nullable=False),
    sa.Column("extras", sa.JSON, nullable=False),
    sa.Column("entry_id", sa.String(40), nullable=False),
)
sa.Index("ix_registry_party_name", register.party.c.name)  # an import looks hundreds of parties up by name

leaf = sa.Table(
    "registry_import_leaf",
    metadata,
    sa.Column("entry_id", sa.String(40), primary_key=True),
    sa.Column("index", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("batch_id", sa.String(40), nullable=False, index=True),
    sa.Column("subject", sa.String(40), nullable=False, index=True),
    sa.Column("body", sa.Text, nullable=False),
)

TABLES: tuple[sa.Table, ...] = (batch, item, leaf)

_COUNTED = ("state", "total", "done", "counts", "classes", "barred", "takes_likely", "chosen", "form", "mapping")


def add_batch(tx: sa.Connection, word: Batch, files: Sequence[Mapping[str, str]], salt: str) -> None:
    """Insert a batch; `files` are names and digests of what was brought."""
    tx.execute(sa.insert(batch).values(id=word.id, files=list(files), salt=salt, **_columns(word)))


def save_batch(tx: sa.Connection, word: Batch) -> None:
    """Update where a batch stands, and its counts."""
    columns = _columns(word)
    fresh = {name: columns[name] for name in _COUNTED}
    tx.execute(sa.update(batch).where(batch.c.id == word.id).values(**fresh))


def batch_by_id(tx: sa.Connection, batch_id: str) -> Batch | None:
    """Return one batch, or None."""
    row = tx.execute(sa.select(batch).where(batch.c.id == batch_id.replace("\0", ""))).one_or_none()
    return None if row is None else _batch(row)


def brought_by_others(tx: sa.Connection, batch_id: str) -> int:
    """Return how many records all other batches have dealt with: while it stays, no other import went on."""
    others = sa.select(sa.func.sum(batch.c.done)).where(batch.c.id != batch_id)
    return int(tx.execute(others).scalar() or 0)


def files_and_salt(tx: sa.Connection, batch_id: str) -> tuple[list[dict[str, str]], str]:
    """Return names and digests of a batch's files, and the salt of its leaves."""
    row = tx.execute(sa.select(batch.c.files, batch.c.salt).where(batch.c.id == batch_id)).one()
    return row.files, row.salt


def batches(tx: sa.Connection, *, page: int, size: int) -> tuple[tuple[Batch, ...], int]:
    """Return one page of batches, newest first, and how many there are."""
    total = tx.execute(sa.select(sa.func.count()).select_from(batch)).scalar_one()
    wanted = sa.select(batch).order_by(batch.c.id.desc()).limit(size).offset((page - 1) * size)
    return tuple(_batch(row) for row in tx.execute(wanted)), total


def in_state(tx: sa.Connection, states: Sequence[State]) -> tuple[str, ...]:
    """Return ids of batches in one of these states, oldest first."""
    wanted = sa.select(batch.c.id).where(batch.c.state.in_([one.value for one in states])).order_by(batch.c.id)
    return tuple(tx.execute(wanted).scalars())


def items(
    tx: sa.Connection, batch_id: str, *, outcome: Outcome | None, page: int, size: int
) -> tuple[tuple[Item, ...], int]:
    """Return one page of a batch's records, and how many there are."""
    where = [item.c.batch_id == batch_id, *([item.c.outcome == outcome.value] if outcome else [])]
    total = tx.execute(sa.select(sa.func.count()).select_from(item).where(*where)).scalar_one()
    wanted = sa.select(item).where(*where).order_by(item.c.place).limit(size).offset((page - 1) * size)
    return tuple(_item(row) for row in tx.execute(wanted)), total


def barred(tx: sa.Connection, batch_id: str, limit: int) -> tuple[Item, ...]:
    """Return the records of a batch whose systems met a red line when they entered."""
    mine = (item.c.batch_id == batch_id) & (item.c.outcome == Outcome.ENTERED.value)
    met = sa.cast(item.c.barred_by, sa.Text) != "[]"
    return tuple(_item(row) for row in tx.execute(sa.select(item).where(mine, met).order_by(item.c.place).limit(limit)))


def of_system(tx: sa.Connection, system_id: str) -> Item | None:
    """Return the record that a system entered with, or None where it was not imported."""
    outcomes = (Outcome.ENTERED.value, Outcome.TAKEN_OUT.value)
    where = (item.c.system_id == system_id.replace("\0", "")) & item.c.outcome.in_(outcomes)
    row = tx.execute(sa.select(item).where(where).limit(1)).one_or_none()
    return None if row is None else _item(row)


def entered(tx: sa.Connection, batch_id: str, after: int, limit: int) -> tuple[Item, ...]:
    """Return records of a batch whose systems are in the register, by place."""
    where = (item.c.batch_id == batch_id) & (item.c.outcome == Outcome.ENTERED.value) & (item.c.place > after)
    return tuple(_item(row) for row in tx.execute(sa.select(item).where(where).order_by(item.c.place).limit(limit)))


def leaf_of(tx: sa.Connection, subject: str) -> tuple[str, int, list[str]] | None:
    """Return entry, place and all leaves under one root with the leaf of a system or party; None where it has none."""
    row = tx.execute(sa.select(leaf).where(leaf.c.subject == subject).limit(1)).one_or_none()
    if row is None:
        return None
    place: int = row._mapping["index"]
    bodies = sa.select(leaf.c.body).where(leaf.c.entry_id == row.entry_id).order_by(leaf.c.index)
    return row.entry_id, place, list(tx.execute(bodies).scalars())


def touched(tx: sa.Connection, system_ids: Sequence[str]) -> frozenset[str]:
    """Return which systems somebody has changed or laid something beside, in any table that refers to systems."""
    table = register.system
    changed = sa.select(table.c.id).where(table.c.id.in_(system_ids), table.c.version > 1)
    found = set(tx.execute(changed).scalars())
    for column in _referring(table.c.id, {one.name for one in search.TABLES}):
        found.update(tx.execute(sa.select(column).where(column.in_(system_ids)).distinct()).scalars())
    return frozenset(found)


def _referring(to: sa.Column[Any], leaving_out: set[str]) -> list[sa.Column[Any]]:
    """Columns of other tables that refer to a column."""
    return [
        key.parent
        for table in metadata.sorted_tables
        for key in table.foreign_keys
        if key.column is to and table.name not in leaving_out and isinstance(key.parent, sa.Column)
    ]


def take_out(tx: sa.Connection, batch_id: str, system_ids: Sequence[str]) -> int:
    """Take systems out, and parties the batch brought that nothing refers to now; return how many parties.

    The records of the batch stay and say so: an id that was once given out never leads nowhere.
    """
    search.leave(tx, system_ids)
    search.drop_labels(tx, system_ids, "")
    tx.execute(sa.delete(register.system).where(register.system.c.id.in_(system_ids)))
    mine = (item.c.batch_id == batch_id) & item.c.system_id.in_(system_ids) & (item.c.outcome == Outcome.ENTERED.value)
    tx.execute(sa.update(item).where(mine).values(outcome=Outcome.TAKEN_OUT.value))
    return _take_parties_out(tx, batch_id)


def _take_parties_out(tx: sa.Connection, batch_id: str) -> int:
    brought = sa.select(leaf.c.subject).where(leaf.c.batch_id == batch_id, leaf.c.subject.like("pty\\_%", escape="\\"))
    table = register.party
    free = sa.delete(table).where(table.c.id.in_(brought))
    for column in _referring(table.c.id, set()):
        free = free.where(~sa.exists().where(column == table.c.id))
    return tx.execute(free).rowcount


def _columns(word: Batch) -> dict[str, Any]:
    return {
        "form": word.form.value,
        "name": word.name,
        "sha256": word.sha256,
        "state": word.state.value,
        "by": word.by,
        "at": word.at,
        "provider": word.provider,
        "takes_likely": word.takes_likely,
        "chosen": list(word.chosen),
        "total": word.total,
        "done": word.done,
        "counts": dict(word.counts),
        "classes": {name: dict(found) for name, found in word.classes.items()},
        "barred": word.barred,
        "troubles": [{"where": one.where, "says": _pair(one.says), "hint": _pair(one.hint)} for one in word.troubles],
        "mapping": word.mapping,
    }


def _batch(row: sa.Row[Any]) -> Batch:
    return Batch(
        id=row.id,
        form=Form(row.form),
        name=row.name,
        sha256=row.sha256,
        state=State(row.state),
        by=row.by,
        at=row.at,
        provider=row.provider,
        takes_likely=row.takes_likely,
        chosen=tuple(row.chosen),
        total=row.total,
        done=row.done,
        counts=row.counts,
        classes=row.classes,
        barred=row.barred,
        troubles=tuple(
            Trouble(where=one["where"], says=Text(**one["says"]), hint=Text(**one["hint"])) for one in row.troubles
        ),
        mapping=row.mapping,
    )


def _item(row: sa.Row[Any]) -> Item:
    return Item(
        batch_id=row.batch_id,
        place=row.place,
        where=row.spot,
        outcome=Outcome(row.outcome),
        name=row.name,
        provider=row.provider,
        ref=row.ref,
        said=row.said,
        why=None if row.why is None else Text(**row.why),
        notes=tuple(Text(**one) for one in row.notes),
        system_id=row.system_id,
        facts=row.facts,
        classes=row.classes,
        barred_by=tuple(row.barred_by),
        extras=row.extras,
        entry_id=row.entry_id,
    )


def _pair(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}
