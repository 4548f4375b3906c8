"""Putting fresh entries on the shelves of the index, and reading from them.

Only one transaction at a time may merge (the service sees to it); any number may read and enter meanwhile.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from safebelt.engines.sql import among
from safebelt.rooms.registry.store import published, segments
from safebelt.rooms.registry.store.search import batches, entry, gone, insert_many, posting, run, word
from safebelt.rooms.registry.store.segments import CHUNK_BITS, GONE, HOUSE, Shelves

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DOCUMENTS, WORDS = "documents", "words"
"""Kinds of runs: what their postings' numbers are of."""
_TERMS = 5_000
"""Terms or numbers one statement names; SQLite takes 32,766 values, PostgreSQL 65,535."""
_GROWN_ALIKE = 2
"""Runs of a chunk are united when one is at most twice the other: so each entry is rewritten few times."""


def fresh_count(tx: sa.Connection, most: int) -> int:
    """Return how many entries wait for the shelves, counting no further than `most`."""
    some = sa.select(entry.c.number).where(entry.c.is_fresh == sa.true()).limit(most).subquery()
    return int(tx.execute(sa.select(sa.func.count()).select_from(some)).scalar_one())


def merge(tx: sa.Connection, limit: int) -> int:
    """Put the oldest fresh entries on the shelves, as runs of their own; return how many."""
    _fold_gone(tx)
    wanted = sa.select(entry.c.number, entry.c.head, entry.c.body).where(entry.c.is_fresh == sa.true())
    rows = tx.execute(wanted.order_by(entry.c.number).limit(limit).with_for_update()).all()
    for chunk, group in groupby(rows, key=lambda row: row.number >> CHUNK_BITS):
        entries = [(row.number, row.head, row.body) for row in group]
        postings, words = segments.build(entries)
        _add_words(tx, words)
        shown = published.texts(tx, [number for number, _, _ in entries])
        if shown:
            open_postings, open_words = segments.build(shown, segments.PUBLIC)
            _add_words(tx, open_words, segments.PUBLIC)
            postings |= open_postings
        _add_run(tx, DOCUMENTS, chunk, len(entries), postings)
    numbers = [row.number for row in rows]
    for some in batches(numbers, _TERMS):
        shelved = sa.update(entry).where(entry.c.number.in_(some))
        tx.execute(shelved.values(head=None, body=None, is_fresh=False))
    return len(numbers)


def _fold_gone(tx: sa.Connection) -> None:
    """Move what is gone into its bitmaps."""
    numbers = sorted(tx.execute(sa.select(gone.c.number)).scalars())
    for chunk, group in groupby(numbers, key=lambda number: number >> CHUNK_BITS):
        local = segments.numbers_packed([number & segments.LOW for number in group])
        at = (posting.c.term == GONE, posting.c.chunk == chunk, posting.c.run == 0)
        before = tx.execute(sa.select(posting.c.data).where(*at)).scalar()
        if before is None:
            tx.execute(sa.insert(posting).values(term=GONE, chunk=chunk, run=0, data=local))
        else:
            tx.execute(sa.update(posting).where(*at).values(data=segments.united(before, local)))
    for some in batches(numbers, _TERMS):
        tx.execute(sa.delete(gone).where(gone.c.number.in_(some)))


def _add_words(tx: sa.Connection, words: Iterable[str], shelves: Shelves = HOUSE) -> None:
    """Enter words nobody wrote before, with their spelling."""
    wanted = sorted(shelves.lexicon + each.encode() for each in words if segments.in_lexicon(each))
    known: set[bytes] = set()
    for some in batches(wanted, _TERMS):
        known |= {bytes(each) for each in tx.execute(sa.select(word.c.word).where(word.c.word.in_(some))).scalars()}
    new = [each for each in wanted if each not in known]
    if not new:
        return
    numbered: list[tuple[int, str]] = []
    for some in batches(new):
        made = sa.insert(word).returning(word.c.number, word.c.word)
        rows = tx.execute(made, [{"word": w} for w in some]).all()
        numbered += [(number, bytes(text).removeprefix(shelves.lexicon).decode()) for number, text in rows]
    for chunk, group in groupby(sorted(numbered), key=lambda each: each[0] >> CHUNK_BITS):
        lexicon = list(group)
        _add_run(tx, WORDS, chunk, len(lexicon), segments.build_spelling(lexicon, shelves))


def _add_run(tx: sa.Connection, kind: str, chunk: int, size: int, postings: Mapping[bytes, bytes]) -> None:
    made = sa.insert(run).values(kind=kind, chunk=chunk, size=size).returning(run.c.number)
    number = tx.execute(made).scalar_one()
    rows = [{"term": name, "chunk": chunk, "run": number, "data": data} for name, data in sorted(postings.items())]
    insert_many(tx, posting, rows)


def unite(tx: sa.Connection) -> int:
    """Unite two runs of a chunk that have grown alike, smallest first; return how many entries they hold."""
    ordered = sa.select(run.c.kind, run.c.chunk, run.c.size, run.c.number)
    rows = tx.execute(ordered.order_by(run.c.kind, run.c.chunk, run.c.size, run.c.number)).all()
    for one, other in pairwise(rows):
        if one[:2] == other[:2] and other.size <= _GROWN_ALIKE * one.size:
            _unite(tx, one.chunk, one.number, other.number)
            both = int(one.size + other.size)
            tx.execute(sa.update(run).where(run.c.number == other.number).values(size=both))
            tx.execute(sa.delete(run).where(run.c.number == one.number))
            return both
    return 0


def _unite(tx: sa.Connection, chunk: int, one: int, other: int) -> None:
    """Move the postings of run `one` into run `other`."""
    moved = sa.select(posting.c.term, posting.c.data).where(posting.c.run == one, posting.c.chunk == chunk)
    mine = [(bytes(name), bytes(data)) for name, data in tx.execute(moved)]
    tx.execute(sa.delete(posting).where(posting.c.run == one, posting.c.chunk == chunk))
    for some in batches(mine):
        at = (posting.c.term.in_([name for name, _ in some]), posting.c.chunk == chunk, posting.c.run == other)
        before = {bytes(t): bytes(d) for t, d in tx.execute(sa.select(posting.c.term, posting.c.data).where(*at))}
        tx.execute(sa.delete(posting).where(*at))
        both = [(name, segments.united(before[name], data) if name in before else data) for name, data in some]
        rows = [{"term": name, "chunk": chunk, "run": other, "data": data} for name, data in both]
        insert_many(tx, posting, rows)


# ---- reading


def gone_numbers(tx: sa.Connection) -> list[int]:
    """Return entries that are gone but still marked on the shelves."""
    return list(tx.execute(sa.select(gone.c.number)).scalars().all())


def fresh(tx: sa.Connection) -> list[tuple[int, str, str]]:
    """Return the entries that are on no shelf yet: number, names, the rest."""
    wanted = sa.select(entry.c.number, entry.c.head, entry.c.body).where(entry.c.is_fresh == sa.true())
    return [(number, head, body) for number, head, body in tx.execute(wanted.order_by(entry.c.number)).all()]


def postings(tx: sa.Connection, terms: Iterable[bytes]) -> dict[int, list[tuple[bytes, bytes]]]:
    """Return the postings of terms, by chunk."""
    rows: list[Any] = []
    for some in batches(sorted(terms), _TERMS):
        wanted = sa.select(posting.c.chunk, posting.c.term, posting.c.data).where(posting.c.term.in_(some))
        rows += tx.execute(wanted).all()
    return segments.by_chunk(rows)


def words_beginning(tx: sa.Connection, beginning: str, most: int, shelves: Shelves = HOUSE) -> list[str]:
    """Return words with a beginning, in order."""
    low = shelves.lexicon + beginning.encode()
    wanted = sa.select(word.c.word).where(word.c.word >= low, word.c.word < low + b"\xff")
    found = tx.execute(wanted.order_by(word.c.word).limit(most)).scalars().all()
    return [bytes(each).removeprefix(shelves.lexicon).decode() for each in found]


def words_numbered(tx: sa.Connection, numbers: Sequence[int], shelves: Shelves = HOUSE) -> list[str]:
    """Return words by their numbers."""
    found: list[str] = []
    for some in batches(numbers, _TERMS):
        wanted = sa.select(word.c.word).where(among(tx, word.c.number, some))
        found += [bytes(each).removeprefix(shelves.lexicon).decode() for each in tx.execute(wanted).scalars().all()]
    return found


def systems_numbered(tx: sa.Connection, numbers: Sequence[int]) -> dict[int, str]:
    """Return the systems that entries are of; those gone meanwhile are left out."""
    found: dict[int, str] = {}
    for some in batches(numbers, _TERMS):
        wanted = sa.select(entry.c.number, entry.c.system_id).where(among(tx, entry.c.number, some))
        found.update((number, system_id) for number, system_id in tx.execute(wanted).all())
    return found


def last_number(tx: sa.Connection) -> int:
    """Return the latest entry's number; 0 where there is none."""
    return int(tx.execute(sa.select(sa.func.max(entry.c.number))).scalar() or 0)


def numbers_of(tx: sa.Connection, systems: sa.Select[Any]) -> "NDArray[np.int64]":
    """Return the entries of systems that a statement selects by id."""
    import numpy as np  # noqa: PLC0415

    wanted = sa.select(entry.c.number).where(entry.c.system_id.in_(systems))
    return np.array(tx.execute(wanted).scalars().all(), np.int64)
