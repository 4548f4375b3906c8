"""A house that marks: an authority, a system in service, and a clock that tells the real time.

The C2PA engine looks at the machine's own clock, so certificates are issued by that one here.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.rooms.certificates.house import spare_keys
from tests.rooms.registry.house import build_ledger, build_registry
from tests.rooms.registry.lifecycle_house import DESCRIBED, enter, into_service
from tests.rooms.rulebook.house import build_rules

from safebelt.engines.clock import real_chance, real_ids, wall_clock
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import OWNER
from safebelt.rooms.certificates.model import Found
from safebelt.rooms.certificates.service import Certificates, Tools
from safebelt.rooms.labelling.service import Desk, Labelling
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.registry.model import System
from safebelt.rooms.registry.model.lifecycle import Issuer
from safebelt.rooms.registry.service import Registry
from safebelt.rooms.rulebook.service import Rules

BASE = "https://ai.example.org"
CODE = "001191310104MACE0YX63918020"
DATA = Path(__file__).resolve().parents[3] / "labelling"


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """What the room remembers is one table; `test_memory` sees to it that both databases keep it alike."""
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
def ledger(sql: Sql, tmp_path: Path) -> Ledger:
    return build_ledger(sql, tmp_path, clock=wall_clock, new_id=real_ids(), chance=real_chance)


@pytest.fixture
def rules(sql: Sql, ledger: Ledger) -> Rules:
    return build_rules(sql, ledger, wall_clock, real_ids())


@pytest.fixture
def registry(sql: Sql, ledger: Ledger, rules: Rules, tmp_path: Path) -> Registry:
    return build_registry(sql, ledger, rules, wall_clock, real_ids(), tmp_path)


@pytest.fixture
def certificates(sql: Sql, ledger: Ledger, registry: Registry, tmp_path: Path) -> Certificates:
    found = Certificates(
        Tools(
            sql=sql,
            ledger=ledger,
            registry=registry,
            keys=tmp_path / "keys" / "certificates",
            base=BASE,
            clock=wall_clock,
            chance=real_chance,
            make_key=spare_keys(),
        )
    )
    found.found(Found(organization="明理认证 Mingli", country="CN", issuer=Issuer.ASSOCIATION), by=OWNER)
    return found


@pytest.fixture
def served(registry: Registry) -> System:
    return into_service(registry, enter(registry, DESCRIBED).id)


@pytest.fixture
def labelling(
    sql: Sql, ledger: Ledger, registry: Registry, rules: Rules, certificates: Certificates, tmp_path: Path
) -> Iterator[Labelling]:
    def furnish() -> Desk:
        return Desk(
            sql=sql,
            ledger=ledger,
            registry=registry,
            rules=rules,
            certificates=certificates,
            folder=DATA,
            hands=tmp_path / "keys" / "labelling",
            days=90,
            public_base=BASE,
            clock=wall_clock,
            chance=real_chance,
            new_id=real_ids(),
        )

    made = Labelling(CODE, furnish, hands=tmp_path / "keys" / "labelling")
    yield made
    made.close()
