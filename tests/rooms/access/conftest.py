"""The access room on an empty database, with hashes that cost nothing."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from safebelt.engines.signing import KeyStore
from safebelt.engines.sql import Sql
from safebelt.kernel.ids import NewId
from safebelt.rooms.access.passwords import Passwords
from safebelt.rooms.access.permissions import Permissions
from safebelt.rooms.access.service import Access
from safebelt.rooms.ledger.service import Ledger

FOLDER = Path(__file__).parents[3] / "access"
PASSWORD = "four unrelated words here"


class CountedPasswords(Passwords):
    """Counts the comparisons, each against what, so that a test can see that every path does the same work."""

    def __init__(self, chance: Callable[[int], bytes]) -> None:
        super().__init__(chance, hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        self.compared: list[str] = []

    def matches(self, stored: str, password: str) -> bool:
        self.compared.append(stored)
        return super().matches(stored, password)


def make_ledger(sql: Sql, clock: Any, new_id: NewId, chance: Callable[[int], bytes]) -> Ledger:
    """The one place in these tests that knows how a ledger is built."""
    folder = Path(tempfile.mkdtemp(prefix="safebelt-log-"))  # stays empty: nothing here publishes
    signer = KeyStore(folder / "ledger.key", name="test.local/log", chance=chance)
    return Ledger(
        sql, clock=clock, new_id=new_id, chance=chance, signer=signer, origin="test.local/log", tiles=folder / "log"
    )


@pytest.fixture(scope="session")
def permissions() -> Permissions:
    return Permissions(FOLDER)


@pytest.fixture
def passwords(chance: Callable[[int], bytes]) -> CountedPasswords:
    return CountedPasswords(chance)


@pytest.fixture
def access(
    sql: Sql, clock: Any, new_id: NewId, chance: Callable[[int], bytes], permissions: Permissions, passwords: Any
) -> Access:
    ledger = make_ledger(sql, clock, new_id, chance)
    return Access(sql, ledger, permissions, clock=clock, new_id=new_id, chance=chance, passwords=passwords)
