"""The doors where systems are judged and law is changed, put together for tests, with whoever knocks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from tests.rooms.registry.house import build_ledger, build_registry
from tests.rooms.rulebook.house import ROOT, SharedRules, permissions

from safebelt.engines.clock import real_ids
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import Actor, Role
from safebelt.kernel.errors import NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.access.service import Access
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.registry.decide import persons_by_bearer
from safebelt.rooms.registry.model import NamePerson, PersonRole, RegisterParty, RegisterSystem
from safebelt.rooms.registry.service import Registry
from safebelt.rooms.rulebook.service import Rules
from safebelt.rooms.rulebook.service.base import About, Holdings
from safebelt.web.doors import KIT_DOORS
from safebelt.web.headers import add_security_headers
from safebelt.web.openapi import openapi
from safebelt.web.panels import BeltState
from safebelt.web.problems import problem_handlers
from safebelt.web.templating import templates

FIRST = Actor(id="usr_first", roles=frozenset({Role.AUTHORITY}), door="web")
SECOND = Actor(id="usr_second", roles=frozenset({Role.AUTHORITY}), door="web")
OPERATOR = Actor(id="usr_operator", roles=frozenset({Role.OPERATOR}), door="web")
"""Two who may decide about law, and one who may only describe."""


def example(name: str) -> str:
    """The text of a described example."""
    return (ROOT / "law" / "systems" / f"{name}.yaml").read_text("utf-8")


@dataclass(kw_only=True)
class OwedHouse:
    """A register, a rulebook that may ask it, and who is knocking."""

    sql: Sql
    ledger: Ledger
    access: Access
    rules: Rules
    registry: Registry
    actor: Actor = field(default=FIRST)

    def system(self, descriptor: str = "", name: str = "政务问答助手") -> str:
        """Register a system with somebody accountable; describe it where a descriptor is given."""
        party = self.registry.register_party(RegisterParty(name="明理科技有限公司"), by=OPERATOR)
        cmd = RegisterSystem(
            provider_id=party.id, name_zh=name, name_en="Public Service Helper", purpose_zh="答疑", purpose_en="Answers"
        )
        made = self.registry.register_system(cmd, by=OPERATOR)
        self.registry.name_person(made.id, NamePerson(role=PersonRole.ACCOUNTABLE, name="王敏"), by=OPERATOR)
        if descriptor:
            self.registry.describe(made.id, descriptor, by=OPERATOR)
        return made.id

    def app(self, *handlers: Any) -> Litestar:
        """The doors given, and the kit's."""
        return Litestar(
            route_handlers=[*KIT_DOORS, *handlers],
            dependencies={
                "rulebook": Provide(lambda: self.rules, sync_to_thread=False),
                "access": Provide(lambda: self.access, sync_to_thread=False),
                "by": Provide(lambda: self.actor, sync_to_thread=False),
            },
            state=State({"authorize": self._authorize}),
            exception_handlers=problem_handlers(real_ids()),
            template_config=templates(["registry", "rulebook"], belt_state=lambda: BeltState(command="run")),
            openapi_config=openapi(),
            before_send=[add_security_headers],
            logging_config=None,
        )

    def _authorize(self, _knocking: Actor, action: str, resource: str) -> None:
        self.access.authorize(self.actor, action, resource)


def build_house(sql: Sql, folder: Path, clock: Any, new_id: Any, chance: Callable[[int], bytes]) -> OwedHouse:
    """The one place where these tests construct ledger, access, rulebook and register."""
    ledger = build_ledger(sql, folder, clock=clock, new_id=new_id, chance=chance)
    access = Access(sql, ledger, permissions(), clock=clock, new_id=new_id, chance=chance)
    upstairs: list[Registry] = []

    def about(system: str) -> About | None:
        try:
            found = upstairs[0].system(system)
        except NotFound:
            return None
        return About(name=found.name, party=found.provider_id, persons=persons_by_bearer(found))

    def systems_of(party: str) -> Holdings | None:
        try:
            found = upstairs[0].party(party)
        except NotFound:
            return None
        mine = [one.id for one in upstairs[0].systems(size=200).items if party in (one.provider_id, one.deployer_id)]
        return Holdings(name=Text(zh=found.name, en=found.name), systems=tuple(mine))

    rules = SharedRules(
        sql, ledger, access, folder=ROOT / "law", clock=clock, new_id=new_id, about=about, systems_of=systems_of
    )
    upstairs.append(build_registry(sql, ledger, rules, clock, new_id, folder))
    return OwedHouse(sql=sql, ledger=ledger, access=access, rules=rules, registry=upstairs[0])
