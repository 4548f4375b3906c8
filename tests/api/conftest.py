"""The whole house in this process: every room's API as `safebelt serve console` serves it, with something in it."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
from litestar import Litestar
from tests.rooms.belt.house import intent, outcome

from safebelt.app import House
from safebelt.engines.clock import real_chance
from safebelt.kernel.actors import OWNER, Role
from safebelt.rooms.belt.control.heartbeat import Heartbeat
from safebelt.rooms.belt.control.switch import Switch
from safebelt.rooms.belt.control.watcher import Watcher
from safebelt.rooms.belt.model import Command, Record
from safebelt.rooms.belt.records.writer import Writer
from safebelt.rooms.registry.model import NamePerson, PersonRole
from safebelt.run.demo import prepare_demo
from safebelt.run.doors import web
from safebelt.settings import Settings

PASSWORD = "test-password-of-the-admin"
EXCHANGES = ("rec_api_1", "rec_api_2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """The application, who may knock, and what there is to ask for.

    Attributes:
        app: What answers.
        house: What is behind it.
        tokens: A bearer token per role.
        known: Ids that exist, by the name a parameter or field has for them.
    """

    app: Litestar
    house: House
    tokens: Mapping[Role, str]
    known: Mapping[str, str]

    def headers(self, role: Role = Role.ADMIN) -> dict[str, str]:
        return {"authorization": f"Bearer {self.tokens[role]}"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    house = House(Settings(home=tmp_path_factory.mktemp("api") / "home", admin_password=PASSWORD))
    house.access.first_run()
    known = {**_demo(house), **_filled(house)}
    with _obeyed(house):
        yield Api(app=web(house), house=house, tokens=_tokens(house), known=known)
    house.close()


def _demo(house: House) -> dict[str, str]:
    system = house.registry.system(prepare_demo(house).system_id)
    person = house.registry.name_person(system.id, NamePerson(role=PersonRole.ACCOUNTABLE, name="王敏"), by=OWNER)
    key, _secret = house.belt.issue_key(system.id, "api", OWNER)
    return {
        "system": system.id,
        "system_id": system.id,
        "party_id": system.provider_id,
        "provider_id": system.provider_id,
        "replaces": person.id,
        "key_id": key.id,
        "policy": house.belt.default_policy(),
    }


def _filled(house: House) -> dict[str, str]:
    """Write exchanges, an order and a signed checkpoint, as belt and work do."""
    system_id = house.belt.harnesses()[0].system_id
    record(house, intent(EXCHANGES[0], system_id), outcome(EXCHANGES[0]), intent(EXCHANGES[1], system_id))
    order = house.belt.order(Command.PAUSE, system_id, "drill", OWNER)
    house.ledger.advance()
    return {"record_id": EXCHANGES[0], "order_id": order.id, "entry_id": house.ledger.entries()[-1].id}


def record(house: House, *records: Record) -> None:
    """Write records as a belt does, durable on return, and index them."""
    writer = Writer(
        house.records,
        sign=house.sign,
        log_origin=house.settings.log_origin,
        clock=house.clock,
        chance=real_chance,
        new_id=house.new_id,
        on_sealed=house.belt.sealed,
        sealed=house.belt.sealed_segments(),
    )
    writer.start()
    for each in records:
        done = threading.Event()
        writer.put(each, lambda _error, done=done: done.set())
        assert done.wait(20)
    writer.close()
    house.belt.index()


def _tokens(house: House) -> dict[Role, str]:
    people = {Role.ADMIN: next(user for user in house.access.users() if user.name == "admin")}
    for role in (Role.OPERATOR, Role.OVERSEER, Role.AUDITOR, Role.AUTHORITY):
        people[role] = house.access.add_user(role.value, [role], password=PASSWORD, by=OWNER).user
    return {
        role: house.access.issue_token(user.id, name="api", days=1, by=OWNER).secret for role, user in people.items()
    }


@contextlib.contextmanager
def _obeyed(house: House) -> Iterator[None]:
    """Carry out orders meanwhile as a belt does, so that an order is answered with its proof at once."""
    loop, heartbeat = asyncio.new_event_loop(), Heartbeat(house.box.folder / "pulse")
    runner = threading.Thread(target=loop.run_forever, daemon=True)
    runner.start()
    watcher = Watcher(
        box=house.box,
        switch=Switch(dict(house.box.state().orders)),
        clock=house.clock,
        new_id=house.new_id,
        loop=loop,
        heartbeat=heartbeat,
        complain=lambda _what: None,
    )
    watcher.start()
    try:
        yield
    finally:
        watcher.stop()
        loop.call_soon_threadsafe(loop.stop)
        runner.join()
        loop.close()
        heartbeat.close()
