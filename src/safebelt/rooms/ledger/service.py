"""Deeds of the ledger."""

import sqlalchemy as sa

from safebelt.engines.canonical import canonical
from safebelt.engines.clock import Chance, Clock
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import Actor
from safebelt.kernel.events import Event
from safebelt.kernel.ids import NewId
from safebelt.rooms.ledger import decide, store


class Ledger:
    """The log of every governance act."""

    def __init__(self, sql: Sql, *, clock: Clock, new_id: NewId, chance: Chance) -> None:
        self._sql, self._clock, self._new_id, self._chance = sql, clock, new_id, chance

    def append(self, tx: sa.Connection, event: Event, *, by: Actor) -> str:
        """Remember an event inside the caller's transaction and return the entry's id."""
        entry_id, at = self._new_id("ent"), self._clock()
        body = canonical(decide.entry_body(entry_id=entry_id, at=at, by=by, event=event, commitment=None))
        row = {"id": entry_id, "at": at, "actor": by.id, "kind": event.kind, "subject": event.subject}
        tx.execute(sa.insert(store.entry).values(**row, body=body, leaf=decide.leaf_hash(body)))
        return entry_id
