"""A registry on each database, and a client that knocks at its doors."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar.testing import TestClient
from tests.rooms.registry.house import build_app, build_ledger, build_registry
from tests.rooms.rulebook.house import build_rules

from safebelt.engines.sql import Sql
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.registry.service import Registry


@pytest.fixture
def ledger(sql: Sql, tmp_path: Path, clock, new_id, chance) -> Ledger:
    return build_ledger(sql, tmp_path, clock=clock, new_id=new_id, chance=chance)


@pytest.fixture
def registry(sql: Sql, ledger: Ledger, clock, new_id, tmp_path: Path) -> Registry:
    return build_registry(sql, ledger, build_rules(sql, ledger, clock, new_id), clock, new_id, tmp_path)


@pytest.fixture
def client(registry: Registry) -> Iterator[TestClient]:
    with TestClient(build_app(registry)) as found:
        yield found
