"""What every deed of the registry needs: tables, ledger, rulebook, data, files, time, ids, chance, a signature."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from safebelt.engines.blobs.folder import Folder
from safebelt.engines.clock import Chance, Clock
from safebelt.engines.sql import Sql
from safebelt.kernel.errors import NotFound
from safebelt.kernel.ids import NewId
from safebelt.kernel.text import Text
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.registry import store
from safebelt.rooms.registry.model import System
from safebelt.rooms.rulebook.service import Rules

Stopped = Callable[[str], str]
"""System id to the order that stops it now (`pause`, `drain`, `cut`); empty while it may run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the registry works with.

    Attributes:
        sql: Where it is kept.
        ledger: Remembers every change in the same transaction.
        rules: The rulebook: judges a system by its facts, and says what bars it.
        folder: The registry's data: `registry/` (lifecycle, forms, import mappings).
        blobs: Where attached files are kept.
        sign: Signs a text as a note with the house's key.
        stopped: Whether a person stopped a system, asked of whoever carries out such orders.
        clock: Says now.
        new_id: Mints ids.
        chance: Draws random bytes, for salts.
    """

    sql: Sql
    ledger: Ledger
    rules: Rules
    folder: Path
    blobs: Folder
    sign: Callable[[str], str]
    stopped: Stopped
    clock: Clock
    new_id: NewId
    chance: Chance


class Desk:
    """The desk that all deeds of the registry work at."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._sql, self._ledger, self._rules = tools.sql, tools.ledger, tools.rules
        self._clock, self._new_id = tools.clock, tools.new_id

    def _one_at_a_time(self, tx: sa.Connection, system_id: str) -> None:
        """Let nothing come between the look at what a system may do and the deed."""
        self._sql.exclusive(tx, f"registry.{system_id}")


def found_system(tx: sa.Connection, system_id: str) -> System:
    """Return one system.

    Raises:
        NotFound: There is no such system.
    """
    system = store.register.system_by_id(tx, system_id)
    if system is None:
        raise NotFound(
            what=Text(zh=f"没有登记系统 {system_id}。", en=f"There is no system {system_id} in the register."),
            hint=Text(zh="请在系统列表中查找。", en="Look it up in the list of systems."),
        )
    return system


def pages_of(total: int, size: int) -> int:
    """Return how many pages of `size` hold `total` items, at least one."""
    return max(1, -(-total // size))
