"""What the public finds published systems by: their published texts, on the same numbers as what the house finds.

An entry has two texts: what the register says of a system now, and what was published of it.  Both are put on the
shelves together, each on its own; whoever publishes enters the system anew, so nothing published later or taken back
is ever read from an old posting.  What is under embargo is on the shelves already, and hidden until its day.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from safebelt.engines.sql import among, upsert
from safebelt.rooms.registry.model.publication import Publication, Visibility
from safebelt.rooms.registry.model.search_terms import clean
from safebelt.rooms.registry.store import listing
from safebelt.rooms.registry.store import publication as decisions
from safebelt.rooms.registry.store.publication import Shown, publication
from safebelt.rooms.registry.store.search import batches, entry, posting

_READY = b"v"
"""The term under which is written how far an index of an older version was entered anew: empty once it is."""
_AT: dict[str, Any] = {"term": _READY, "chunk": 0, "run": 0}
_READ_AT_ONCE = 5_000
"""Entries whose texts one statement reads."""
Document = tuple[int, str, str]


def put(tx: sa.Connection, word: Publication, shown: Shown, *, reason: str, is_end: bool) -> None:
    """Make a decision the one in force, and let the system be found by what it shows, or no longer."""
    begin(tx)
    decisions.put(tx, word, shown, reason=reason, is_end=is_end)
    listing.enter(tx, [word.system_id])


Day = date | sa.ColumnElement[date]
"""A day, or the parameter of a statement that is put together before it is known."""


def is_shown(today: Day) -> sa.ColumnElement[bool]:
    """Whether the public sees a record on a day."""
    return sa.or_(*kinds(today))


def kinds(today: Day) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """Return the two ways of being shown on a day, each of which an index answers: public, or out of embargo."""
    is_due = (publication.c.visibility == Visibility.EMBARGOED.value) & (publication.c.until <= today)
    return publication.c.visibility == Visibility.PUBLIC.value, is_due


_KEPT = publication.c.search != ""
"""A record is there: shown now, or from its day on."""


def _documents(tx: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[Document]:
    c = publication.c
    joined = sa.select(entry.c.number, c.system_id, c.name_zh, c.name_en, c.search)
    wanted = joined.join_from(entry, publication, c.system_id == entry.c.system_id).where(*conditions)
    return [_document(*row) for row in tx.execute(wanted.order_by(entry.c.number)).all()]


def _document(number: int, system_id: str, name_zh: str, name_en: str, search: str) -> Document:
    """Return what an entry is found by; an id is no word."""
    head = clean("\n".join(dict.fromkeys((name_zh, name_en))))
    apart = {clean(system_id), *head.split("\n")}
    return number, head, clean("\n".join(line for line in search.split("\n") if line not in apart))


def texts(tx: sa.Connection, numbers: Sequence[int]) -> list[Document]:
    """Return the published texts of entries, cleaned, under embargo or not: number, names, the rest."""
    found: list[Document] = []
    for some in batches(numbers, _READ_AT_ONCE):
        found += _documents(tx, _KEPT, among(tx, entry.c.number, some))
    return found


def fresh(tx: sa.Connection, today: date) -> list[Document]:
    """Return the published texts of the entries that are on no shelf yet, as far as they are shown on a day."""
    return _documents(tx, listing.met(_KEPT, is_shown(today)), entry.c.is_fresh == sa.true())


def embargoed_numbers(tx: sa.Connection, today: date) -> list[int]:
    """Return the entries of what is not to be seen before a later day."""
    kept = (publication.c.visibility == Visibility.EMBARGOED.value) & (publication.c.until > today)
    joined = sa.join(entry, publication, publication.c.system_id == entry.c.system_id)
    return list(tx.execute(sa.select(entry.c.number).select_from(joined).where(kept)).scalars().all())


# ---- an index of an older version


def is_ready(tx: sa.Connection) -> bool:
    """Whether everything published is entered; until then it is read through."""
    return tx.execute(_how_far()).scalar() == b""


def begin(tx: sa.Connection) -> None:
    """Say that everything is entered, where nothing was published yet."""
    is_told = tx.execute(_how_far()).first() is not None
    if not is_told and tx.execute(sa.select(publication.c.system_id).limit(1)).first() is None:
        _write(tx, b"")


def unentered(tx: sa.Connection, limit: int) -> list[str]:
    """Return published systems that are still to be entered anew, and take note that they are; none: that all are."""
    after = bytes(tx.execute(_how_far()).scalar() or b"").decode()
    wanted = sa.select(publication.c.system_id).where(publication.c.system_id > after, _KEPT)
    found = list(tx.execute(wanted.order_by(publication.c.system_id).limit(limit)).scalars().all())
    _write(tx, found[-1].encode() if found else b"")
    return found


def _how_far() -> sa.Select[Any]:
    return sa.select(posting.c.data).where(*(posting.c[name] == value for name, value in _AT.items()))


def _write(tx: sa.Connection, data: bytes) -> None:
    upsert(tx, posting, {**_AT, "data": data}, list(_AT))
