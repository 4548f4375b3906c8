"""What an import asks and writes a thousand records at a time: what is known of them, and everything that enters."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from safebelt.engines.sql import among, as_json, insert_rows, stored
from safebelt.rooms.registry.model.imports import Item, Known, Outcome, Record
from safebelt.rooms.registry.model.register import Party, System, folded
from safebelt.rooms.registry.store import register, search
from safebelt.rooms.registry.store.imports import item, leaf


def known(tx: sa.Connection, records: Sequence[Record]) -> Known:
    """Return what the register holds of these records already."""
    words = sorted({name for one in records for name in (one.provider, one.deployer) if name})
    parties, names = _known_parties(tx, words)
    keys = {one.key for one in records if one.key}
    digests = {one.sha256 for one in records}
    is_in = item.c.outcome == Outcome.ENTERED.value
    by_key = sa.select(item.c.key, item.c.system_id).where(among(tx, item.c.key, sorted(keys)), is_in)
    by_digest = sa.select(item.c.digest, item.c.system_id).where(among(tx, item.c.digest, sorted(digests)), is_in)
    return Known(
        refs={row.key: row.system_id for row in tx.execute(by_key)} if keys else {},
        digests={row.digest: row.system_id for row in tx.execute(by_digest)} if digests else {},
        alike=_alike(tx, records, frozenset(parties.values())),
        parties=parties,
        names=names,
    )


def _alike(tx: sa.Connection, records: Sequence[Record], providers: frozenset[str]) -> dict[tuple[str, str], str]:
    """Return systems of these providers that have the names of these records: folded name and provider to the id.

    They are asked for by name, in the index that lists are put in order by: a provider may have a hundred thousand
    systems, and a name is had by a few.
    """
    if not providers:
        return {}
    table, listed = register.system, search.entry
    wanted = (
        sa.select(table.c.name_en, table.c.provider_id, table.c.id)
        .join(listed, listed.c.system_id == table.c.id)
        .where(listed.c.name_key.in_(sorted({search.name_key(one.name.en) for one in records})))
    )
    rows = (row for row in tx.execute(wanted) if row.provider_id in providers)
    return {(folded(row.name_en), row.provider_id): row.id for row in rows}


def _known_parties(tx: sa.Connection, words: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return each of these names and ids that the register has with the party's id, and each such id with its name."""
    if not words:
        return {}, {}
    table = register.party
    wanted = sa.select(table.c.id, table.c.name).where(among(tx, table.c.name, words) | among(tx, table.c.id, words))
    rows = tx.execute(wanted.order_by(table.c.id.desc())).all()
    found = {
        word: row.id for row in rows for word in (row.id, row.name)
    }  # of several of one name, the first registered
    return {word: found[word] for word in words if word in found}, {row.id: row.name for row in rows}


def add_many(tx: sa.Connection, parties: Sequence[Party], systems: Sequence[System], names: Mapping[str, str]) -> None:
    """Insert parties and systems, and enter the systems into the search.

    Args:
        tx: The transaction.
        parties: Those that enter.
        systems: Those that enter.
        names: Party id to its name, of every party the systems have.
    """
    _add_parties(tx, parties)
    _add_systems(tx, systems)
    search.enter_new(tx, [(one.id, (one.name.zh, one.name.en), _document(one, names)) for one in systems])


def _add_parties(tx: sa.Connection, words: Sequence[Party]) -> None:
    at = _moments(tx, register.party.c.registered_at)
    rows = [
        (one.id, one.name, one.kind.value, as_json(one.roles), one.contact, at(one.registered_at), _searched(one))
        for one in words
    ]
    insert_rows(tx, register.party, ("id", "name", "kind", "roles", "contact", "registered_at", "search"), rows)


def _searched(word: Party) -> str:
    return folded(f"{word.id}\n{word.name}")


def _add_systems(tx: sa.Connection, words: Sequence[System]) -> None:
    at = _moments(tx, register.system.c.registered_at)
    plain = [register.columns(one) for one in words]
    rows = [(one.id, at(one.registered_at), *found.values()) for one, found in zip(words, plain, strict=True)]
    if plain:
        insert_rows(tx, register.system, ("id", "registered_at", *plain[0]), rows)


def _moments(tx: sa.Connection, column: sa.Column[Any]) -> Callable[[datetime], Any]:
    """Return what turns moments into values for `insert_rows`; many rows share one."""
    return lru_cache(maxsize=1)(lambda at: stored(tx, column, at))


def _document(word: System, names: Mapping[str, str]) -> str:
    """What a system is found by: as `register.document` has it, without a question for each of many."""
    texts = (word.id, word.name.zh, word.name.en, word.purpose.zh, word.purpose.en)
    parties = (names.get(one, "") for one in sorted({word.provider_id, word.deployer_id}))
    return "\n".join((*dict.fromkeys(texts), *filter(None, parties)))


def item_rows(words: Sequence[Item], records: Sequence[Record]) -> list[tuple[Any, ...]]:
    """Return the rows of records of a batch, for `add_items`."""
    texts = _Texts()
    return [_item_row(word, record, texts) for word, record in zip(words, records, strict=True)]


def add_items(tx: sa.Connection, rows: Sequence[tuple[Any, ...]], entry_id: str) -> None:
    """Insert records of a batch; the ledger's entry is of those that entered."""
    at = [one.name for one in item.c].index("outcome")
    entered = Outcome.ENTERED.value
    insert_rows(
        tx, item, [one.name for one in item.c], [(*row, entry_id if row[at] == entered else "") for row in rows]
    )


def add_leaves(tx: sa.Connection, batch_id: str, entry_id: str, leaves: Sequence[tuple[str, str]]) -> None:
    """Insert what a root commits to: pairs of system or party id and canonical JSON, in order."""
    rows = [(entry_id, index, batch_id, subject, body) for index, (subject, body) in enumerate(leaves)]
    insert_rows(tx, leaf, ("entry_id", "index", "batch_id", "subject", "body"), rows)


class _Texts:
    """JSON of values that many rows share, written once each; they are known by identity, and held until the end."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, str]] = {}

    def __call__(self, value: Any) -> str:
        found = self._known.get(id(value))
        if found is None:
            found = self._known[id(value)] = (value, as_json(value))
        return found[1]


def _item_row(word: Item, record: Record, texts: _Texts) -> tuple[Any, ...]:
    """Return an item's values in the order of the table's columns, but for the last, the ledger's entry."""
    return (
        word.batch_id,
        word.place,
        word.where,
        word.outcome.value,
        word.name,
        word.provider,
        record.key,
        record.sha256,
        word.ref,
        word.said,
        None if word.why is None else as_json(word.why),
        texts(word.notes),
        word.system_id,
        word.facts,
        texts(word.classes),
        texts(word.barred_by),
        as_json(word.extras),
    )
