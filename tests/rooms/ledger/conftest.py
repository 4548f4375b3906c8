"""A ledger on both databases, with a key and a folder of its own, and an event to remember."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from safebelt.engines.signing import KeyStore
from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER
from safebelt.kernel.events import Event
from safebelt.kernel.ids import NewId
from safebelt.rooms.ledger.room import ROOM as LEDGER
from safebelt.rooms.ledger.service import Ledger

ORIGIN = "example.org/log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted(Event):
    """Something was noted."""

    kind: ClassVar[str] = "test.noted.v1"
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A ledger and its surroundings."""

    ledger: Ledger
    sql: Sql
    keys: KeyStore
    folder: Path

    def note(self, *texts: str, **personal: str) -> list[str]:
        """Append one event for each text, all in one transaction."""
        with self.sql.begin() as tx:
            return [
                self.ledger.append(tx, Noted(subject=f"sub_{text}", text=text, personal=personal), by=OWNER)
                for text in texts
            ]


@pytest.fixture
def sql(database_url: str) -> Iterator[Sql]:
    """A database with the ledger's own tables and no others: the lowest room needs no other room."""
    database = Sql(database_url)
    metadata.create_all(database.engine, tables=list(LEDGER.tables))
    yield database
    database.close()


@pytest.fixture
def desk(sql: Sql, clock: Callable[[], object], new_id: NewId, chance: Callable[[int], bytes], tmp_path: Path) -> Desk:
    keys = KeyStore(tmp_path / "keys" / "ledger.key", name=ORIGIN, chance=chance)
    folder = tmp_path / "log"
    ledger = Ledger(sql, clock=clock, new_id=new_id, chance=chance, signer=keys, origin=ORIGIN, tiles=folder)
    return Desk(ledger=ledger, sql=sql, keys=keys, folder=folder)
