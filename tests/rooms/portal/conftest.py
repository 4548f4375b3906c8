"""A public register with something in it: public, embargoed, restricted, internal and withdrawn, and secrets in all of them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from litestar.testing import TestClient
from tests.conftest import StillClock
from tests.rooms.portal.house import build_app, build_portal
from tests.rooms.registry.house import build_ledger, build_registry
from tests.rooms.rulebook.house import build_rules

from safebelt.engines.clock import real_chance, real_ids
from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.portal.service import Portal
from safebelt.rooms.registry.model import NamePerson, PartyKind, PersonRole, RegisterParty, RegisterSystem
from safebelt.rooms.registry.model.publication import EndPublication, Publish, Visibility
from safebelt.rooms.registry.service import Registry

ROOT = Path(__file__).parents[3]
CHAT = (ROOT / "law" / "systems" / "uk-dvla-chatbot.yaml").read_text("utf-8")
NORM = "eu.ai-act.art_49__para_4"
CLEAR = Publish(reason="面向公众", contact="help@service.example", cleared="普通公共服务", not_for_zh="不作决定")
SECRETS = (
    "王敏", "wang.min@private.example", "Zhao Xiaoming", "13900001111", "embargoed falcon", "restricted heron",
    "internal magpie", "withdrawn pelican", "newer secret purpose", "gone because of Li", "秘密理由",
)  # fmt: skip
"""What must never be seen at any public door, wherever in the house it is written."""


@dataclass(frozen=True)
class House:
    """What stands behind the doors, and which systems are in it, by what the public may see of each."""

    registry: Registry
    ledger: Ledger
    portal: Portal
    clock: StillClock
    systems: dict[str, str]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def public(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Built once for all tests of a module: they only read."""
    folder = tmp_path_factory.mktemp("portal")
    url = f"sqlite:///{folder / 'portal.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    sql, clock, ids = Sql(url), StillClock(), real_ids()
    metadata.drop_all(sql.engine)
    metadata.create_all(sql.engine)
    ledger = build_ledger(sql, folder, clock=clock, new_id=ids, chance=real_chance)
    registry = build_registry(sql, ledger, build_rules(sql, ledger, clock, ids), clock, ids, folder)
    systems = furnish(registry, clock)
    yield House(registry, ledger, build_portal(registry, ledger, clock, folder / "keys"), clock, systems)
    sql.close()


def furnish(registry: Registry, clock: StillClock) -> dict[str, str]:
    """Register one system of each kind; in each of them a secret is hidden where its kind allows one."""
    provider = registry.register_party(RegisterParty(name="明理科技有限公司", contact="13900001111"), by=OWNER)
    person = registry.register_party(RegisterParty(name="Zhao Xiaoming", kind=PartyKind.PERSON), by=OWNER)

    def register(name: str, by: str = provider.id) -> str:
        purpose = {"purpose_zh": f"{name}的用途", "purpose_en": f"What {name} is for."}
        command = RegisterSystem(provider_id=by, name_zh=f"系统 {name}", name_en=name, **purpose)
        return registry.register_system(command, by=OWNER).id

    kinds = ("public judged", "public plain", "embargoed falcon", "restricted heron", "internal magpie")
    made = {name: register(name) for name in (*kinds, "withdrawn pelican", "undecided internal magpie")}
    made["of a person"] = register("of a person", person.id)
    for system_id in made.values():
        named = NamePerson(role=PersonRole.ACCOUNTABLE, name="王敏", contact="wang.min@private.example")
        registry.name_person(system_id, named, by=OWNER)
    registry.describe(made["public judged"], CHAT, by=OWNER)
    for name in ("public judged", "public plain", "of a person", "withdrawn pelican"):
        registry.publish(made[name], CLEAR, by=OWNER)
    hidden = replace(CLEAR, reason="秘密理由", until=clock().date() + timedelta(days=30), basis=NORM)
    for name, visibility in (
        ("embargoed falcon", Visibility.EMBARGOED),
        ("restricted heron", Visibility.RESTRICTED),
        ("internal magpie", Visibility.INTERNAL),
    ):
        registry.publish(made[name], replace(hidden, visibility=visibility), by=OWNER)
    registry.unpublish(made["withdrawn pelican"], EndPublication(reason="服务停用"), by=OWNER)
    _change(registry, made["public plain"], "newer secret purpose")
    return made


def _change(registry: Registry, system_id: str, purpose: str) -> None:
    from safebelt.rooms.registry.model import ChangeSystem

    version = registry.system(system_id).version
    registry.change_system(system_id, ChangeSystem(version=version, reason="new", purpose_en=purpose), by=OWNER)


@pytest.fixture(scope="module")
def visitor(public: House) -> Iterator[TestClient]:
    """Somebody who is not signed in."""
    with TestClient(build_app(public.portal), base_url="http://register.example") as client:
        yield client
