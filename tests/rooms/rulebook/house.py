"""The rulebook for tests of the rooms above it: put together in one place, the law read once."""

from functools import cache
from pathlib import Path

from safebelt.engines.clock import Clock, real_chance
from safebelt.engines.sql import Sql
from safebelt.kernel.ids import NewId
from safebelt.rooms.access.permissions import Permissions
from safebelt.rooms.access.service import Access
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.rulebook.service import Rules

ROOT = Path(__file__).parents[3]


@cache
def permissions() -> Permissions:
    """The policies of this repository."""
    return Permissions(ROOT / "access")


class SharedRules(Rules):
    """Rules whose law is read once in a test run, and only if somebody asks for it."""

    @property
    def law(self):
        return law()


@cache
def law():
    """The law of this repository."""
    from safebelt.rooms.rulebook import packs

    return packs.open_law(ROOT / "law")


def build_rules(sql: Sql, ledger: Ledger, clock: Clock, new_id: NewId) -> Rules:
    """The one place where these tests construct the rulebook."""
    access = Access(sql, ledger, permissions(), clock=clock, new_id=new_id, chance=real_chance)
    return SharedRules(sql, ledger, access, folder=ROOT / "law", clock=clock, new_id=new_id)
