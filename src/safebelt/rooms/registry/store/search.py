"""Tables of search: what is entered, its postings, the words, labels, saved views, bulk orders.

What is entered is found at once (fresh entries are read one by one) and is put on the shelves of the index by `merge`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, among, insert_rows, metadata
from safebelt.rooms.registry.model.search import CLASS, MET, OUTSIDE, RED_LINE, Judged
from safebelt.rooms.registry.model.search_terms import clean
from safebelt.rooms.registry.store import register

Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""SQLite counts up by itself in a plain INTEGER only."""
T = TypeVar("T")

BATCH = 1_000
"""Systems one statement names: well below what either database takes."""
NAME_KEY_BYTES = 96
"""Bytes of a folded name that systems are put in order by."""

entry = sa.Table(
    "registry_search_entry",
    metadata,
    sa.Column("number", Number, primary_key=True, autoincrement=True),
    sa.Column("system_id", sa.String(40), sa.ForeignKey("registry_system.id"), nullable=False, unique=True),
    sa.Column("name_key", sa.LargeBinary, nullable=False),
    sa.Column("head", sa.Text),
    sa.Column("body", sa.Text),
    sa.Column("is_fresh", sa.Boolean, nullable=False),
    sqlite_autoincrement=True,  # a number never comes back: postings would take it for who had it before
)
sa.Index(
    "ix_registry_search_entry_fresh",
    entry.c.number,
    sqlite_where=sa.text("is_fresh = 1"),  # as text: a migration is drafted on one database and runs on both
    postgresql_where=sa.text("is_fresh = true"),
)
sa.Index("ix_registry_search_entry_name_key", entry.c.name_key, entry.c.system_id)

gone = sa.Table(
    "registry_search_gone",
    metadata,
    sa.Column("number", Number, primary_key=True, autoincrement=False),
)

run = sa.Table(
    "registry_search_run",
    metadata,
    sa.Column("number", Number, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("chunk", sa.Integer, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sqlite_autoincrement=True,
)

posting = sa.Table(
    "registry_search_posting",
    metadata,
    sa.Column("term", sa.LargeBinary, primary_key=True),
    sa.Column("chunk", sa.Integer, primary_key=True),
    sa.Column("run", Number, primary_key=True, autoincrement=False, index=True),
    sa.Column("data", sa.LargeBinary, nullable=False),
)

word = sa.Table(
    "registry_search_word",
    metadata,
    sa.Column("number", Number, primary_key=True, autoincrement=True),
    sa.Column("word", sa.LargeBinary, nullable=False, unique=True),
    sqlite_autoincrement=True,
)

label = sa.Table(  # of systems; no foreign key says so: six labels of each are written with it, and taken out with it
    "registry_label",
    metadata,
    sa.Column("facet", sa.String(80), primary_key=True),
    sa.Column("value", sa.String(120), primary_key=True),
    sa.Column("system_id", sa.String(40), primary_key=True, index=True),
)

view = sa.Table(
    "registry_view",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("owner", sa.String(80), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("question", sa.JSON, nullable=False),
    sa.Column("is_shared", sa.Boolean, nullable=False),
    sa.Column("made_at", UtcDateTime, nullable=False),
    sa.Column("deleted_at", UtcDateTime),
)

bulk = sa.Table(
    "registry_bulk",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("owner", sa.JSON, nullable=False),
    sa.Column("deed", sa.JSON, nullable=False),
    sa.Column("ordered_at", UtcDateTime, nullable=False),
    sa.Column("is_open", sa.Boolean, nullable=False, index=True),
)

bulk_item = sa.Table(
    "registry_bulk_item",
    metadata,
    sa.Column("bulk_id", sa.String(40), sa.ForeignKey("registry_bulk.id"), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("system_id", sa.String(40), nullable=False),
    sa.Column("outcome", sa.String(20), nullable=False),
    sa.Column("says_zh", sa.Text, nullable=False),
    sa.Column("says_en", sa.Text, nullable=False),
)

for _column in ("status", "provider_id", "deployer_id"):
    sa.Index(f"ix_registry_system_{_column}_newest", register.system.c[_column], register.system.c.id)


def batches(items: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """Yield a sequence in pieces."""
    for at in range(0, len(items), size):
        yield items[at : at + size]


def insert_many(tx: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows of plain values, all with the same columns: what the driver takes as it is, it gets as it is."""
    if rows:
        insert_rows(tx, table, list(rows[0]), [tuple(row.values()) for row in rows])


def enter(tx: sa.Connection, documents: Sequence[tuple[str, str]]) -> None:
    """Enter or replace what systems are found by: pairs of system id and everything searchable, in one text.

    The systems must be in the register already.  A line that is the system's id or one of its names may be in the
    text; ids are found without it, and names count more than the rest wherever they stand.
    """
    for some in batches(list(dict(documents).items())):
        texts = dict(some)
        leave(tx, list(texts))
        names = sa.select(register.system.c.id, register.system.c.name_zh, register.system.c.name_en)
        named = {
            row[0]: (row[1], row[2]) for row in tx.execute(names.where(among(tx, register.system.c.id, list(texts))))
        }
        enter_new(tx, [(system_id, named.get(system_id, ()), text) for system_id, text in texts.items()])


def enter_new(tx: sa.Connection, documents: Iterable[tuple[str, Iterable[str], str]]) -> None:
    """Enter what systems are found by that were not entered before: id, names, and everything searchable."""
    insert_rows(tx, entry, ("system_id", "name_key", "head", "body", "is_fresh"), [_row(*one) for one in documents])


def leave(tx: sa.Connection, system_ids: Sequence[str]) -> None:
    """Let systems be found no longer."""
    for some in batches(system_ids):
        old = sa.delete(entry).where(entry.c.system_id.in_(some)).returning(entry.c.number, entry.c.is_fresh)
        on_shelves = [{"number": number} for number, is_fresh in tx.execute(old) if not is_fresh]
        insert_many(tx, gone, on_shelves)


def _row(system_id: str, names: Iterable[str], text: str) -> tuple[str, bytes, str, str, bool]:
    heads = tuple(dict.fromkeys(names))
    apart = {system_id, *heads}
    head = clean("\n".join(heads))
    body = clean("\n".join(line for line in text.split("\n") if line not in apart))
    return system_id, _key_of(head), head, body, True


def name_key(name: str) -> bytes:
    """Return what a system of this name is put in order by."""
    return _key_of(clean(name))


def _key_of(head: str) -> bytes:
    return head.rpartition("\n")[2].encode()[:NAME_KEY_BYTES]


def set_labels(tx: sa.Connection, facet: str, values: Mapping[str, Sequence[str]]) -> None:
    """Give systems their values of a facet, in place of those they had.

    Args:
        tx: The caller's transaction.
        facet: What is said of them: `tag`, `source`, `red_line`, or `class:<instrument>`.
        values: System id to its values; none takes it out of the facet.
    """
    for some in batches(list(values)):
        tx.execute(sa.delete(label).where(label.c.facet == facet, label.c.system_id.in_(some)))
        pairs = [(each, one) for each in some for one in dict.fromkeys(values[each])]
        rows = [{"facet": facet, "value": one, "system_id": each} for each, one in pairs]
        insert_many(tx, label, rows)


def add_labels(tx: sa.Connection, rows: Sequence[tuple[str, str, str]]) -> None:
    """Give systems values of facets in which they have none yet: facet, value, system id."""
    insert_rows(tx, label, ("facet", "value", "system_id"), rows)


def drop_labels(tx: sa.Connection, system_ids: Sequence[str], beginning: str) -> None:
    """Take from systems every label of facets with a beginning."""
    for some in batches(system_ids):
        here = label.c.facet.startswith(beginning, autoescape=True)
        tx.execute(sa.delete(label).where(label.c.system_id.in_(some), here))


def set_judged(tx: sa.Connection, judged: Mapping[str, Judged], *, is_new: bool = False) -> None:
    """Keep what systems are looked up by after a judgment, in place of what the last one left.

    Args:
        tx: The caller's transaction.
        judged: System id to its strictest classes and the red lines it meets.
        is_new: Whether they were never judged before, so that nothing is to be replaced.
    """
    if not is_new:
        for beginning in (CLASS, RED_LINE):
            drop_labels(tx, list(judged), beginning)
    pairs: dict[int, tuple[tuple[str, str], ...]] = {}  # by identity: of many judged together, most share theirs
    for one in judged.values():
        if id(one) not in pairs:
            pairs[id(one)] = looked_up_by(one)
    rows = [(facet, value, name) for name, one in judged.items() for facet, value in pairs[id(one)]]
    add_labels(tx, rows)


def looked_up_by(one: Judged) -> tuple[tuple[str, str], ...]:
    """Return facet and value of every label of a judgment."""
    classes = ((CLASS + name, strictest) for name, strictest in one.classes.items() if strictest not in OUTSIDE)
    return (*([(RED_LINE, MET)] if one.red_lines else []), *classes)


def judged_labels(tx: sa.Connection, system_ids: Sequence[str]) -> dict[str, set[tuple[str, str]]]:
    """Return facet and value of the labels that systems have by their judgments."""
    found: dict[str, set[tuple[str, str]]] = {}
    of_judgments = (label.c.facet == RED_LINE) | label.c.facet.startswith(CLASS, autoescape=True)
    for some in batches(system_ids):
        wanted = sa.select(label.c.system_id, label.c.facet, label.c.value)
        for system_id, facet, value in tx.execute(wanted.where(among(tx, label.c.system_id, some), of_judgments)).all():
            found.setdefault(system_id, set()).add((facet, value))
    return found


def missing(tx: sa.Connection, limit: int) -> list[str]:
    """Return systems that are in the register and not in the search, at most `limit`."""
    systems = register.system
    joined = sa.outerjoin(systems, entry, entry.c.system_id == systems.c.id)
    wanted = sa.select(systems.c.id).select_from(joined).where(entry.c.number.is_(None))
    return list(tx.execute(wanted.limit(limit)).scalars())


def labels_of(tx: sa.Connection, system_ids: Sequence[str], facet: str) -> dict[str, tuple[str, ...]]:
    """Return the values systems have of a facet, in order."""
    found: dict[str, list[str]] = {}
    for some in batches(system_ids):
        wanted = sa.select(label.c.system_id, label.c.value).where(label.c.facet == facet, label.c.system_id.in_(some))
        for system_id, value in tx.execute(wanted.order_by(label.c.value)).all():
            found.setdefault(system_id, []).append(value)
    return {system_id: tuple(each) for system_id, each in found.items()}


TABLES: tuple[sa.Table, ...] = (entry, gone, run, posting, word, label, view, bulk, bulk_item)
