"""The only place where everything is put together: settings → engines → rooms → doors and processes.

Read this file to know what runs.  Nothing else opens a database, builds a service, or names a concrete engine.
"""

import ssl
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from litestar import Litestar, Request, get
from litestar.datastructures import State
from litestar.di import Provide

from safebelt.engines.blobs.folder import Folder
from safebelt.engines.bus.inprocess import InProcess
from safebelt.engines.bus.nats import Nats
from safebelt.engines.bus.port import Bus
from safebelt.engines.bus.relay import Outgoing, Relay
from safebelt.engines.clock import real_chance, real_ids, wall_clock
from safebelt.engines.jobs import Jobs
from safebelt.engines.migrations import migrate
from safebelt.engines.signing import KeyStore, open_note, sign_note
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import NotFound
from safebelt.kernel.rooms import Room
from safebelt.kernel.text import Text
from safebelt.rooms.access.permissions import Permissions
from safebelt.rooms.access.room import ROOM as ACCESS
from safebelt.rooms.access.service import Access
from safebelt.rooms.belt.control.orders import OrderBox
from safebelt.rooms.belt.model import Command
from safebelt.rooms.belt.pages.panels import belt_state, dossier_panels
from safebelt.rooms.belt.room import ROOM as BELT
from safebelt.rooms.belt.scanner.policies import Policies
from safebelt.rooms.belt.service import Belt, TryIt
from safebelt.rooms.belt.service.base import Tools as BeltTools
from safebelt.rooms.labelling.room import ROOM as LABELLING
from safebelt.rooms.labelling.service import Labelling
from safebelt.rooms.ledger.room import ROOM as LEDGER
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.portal.room import ROOM as PORTAL
from safebelt.rooms.portal.service import Portal
from safebelt.rooms.registry.pages import panels as registry_panels
from safebelt.rooms.registry.room import ROOM as REGISTRY
from safebelt.rooms.registry.service import Registry
from safebelt.rooms.registry.service import Tools as RegistryTools
from safebelt.rooms.rulebook.room import ROOM as RULEBOOK
from safebelt.rooms.rulebook.service import Rules
from safebelt.rooms.rulebook.service.base import About, Holdings
from safebelt.settings import Settings
from safebelt.web.doors import KIT_DOORS
from safebelt.web.headers import add_security_headers
from safebelt.web.openapi import NO_TOKEN, openapi, public_problems
from safebelt.web.problems import problem_handlers
from safebelt.web.security import actor_of, open_to_all
from safebelt.web.session import Authenticate, Csrf, SessionCookie, csrf_config, csrf_secret
from safebelt.web.templating import templates

ROOMS: tuple[Room, ...] = (REGISTRY, RULEBOOK, BELT, LEDGER, ACCESS, LABELLING, PORTAL)
"""The rooms in the house, in the order people meet them."""


EVENT_TITLES = {event.kind: event.title for room in ROOMS for event in room.events}
"""What people call each event."""


class House:
    """Every room, ready to work.  A room is built when somebody first enters it.

    Args:
        settings: Every knob.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock, self.chance, self.new_id = wall_clock, real_chance, real_ids()

    # ---- engines

    @cached_property
    def sql(self) -> Sql:
        """The database, its shape brought up to date."""
        self.settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        sql = Sql(self.settings.sql_url)
        migrate(sql)
        return sql

    @cached_property
    def keys(self) -> KeyStore:
        """The signing key of ledger and records."""
        path = self.settings.signing_key or self.settings.home / "keys" / "ledger.key"
        return KeyStore(path, name=self.settings.log_origin, chance=self.chance)

    @cached_property
    def jobs(self) -> Jobs:
        """The queue of work that must happen."""
        return Jobs(self.sql, clock=self.clock, new_id=self.new_id)

    @cached_property
    def bus(self) -> Bus:
        """In-process, or NATS JetStream where an address is set."""
        return Nats(self.settings.bus) if self.settings.bus else InProcess()

    @cached_property
    def relay(self) -> Relay:
        """Tells the bus what the ledger has sequenced."""
        return Relay(self.sql, self.bus, self._outgoing)

    def _outgoing(self, after: int, limit: int) -> list[Outgoing]:
        entries = self.ledger.sequenced(after, limit)
        return [
            Outgoing(index=index, id=id_, subject=f"events.{kind}", data=body) for index, id_, kind, body in entries
        ]

    # ---- rooms, lowest floor first

    @cached_property
    def ledger(self) -> Ledger:
        """存证账本."""
        return Ledger(
            self.sql,
            clock=self.clock,
            new_id=self.new_id,
            chance=self.chance,
            signer=self.keys,
            origin=self.settings.log_origin,
            tiles=self.settings.home / "ledger",
        )

    @cached_property
    def access(self) -> Access:
        """身份权限."""
        return Access(
            self.sql,
            self.ledger,
            Permissions(self.settings.data / "access"),
            clock=self.clock,
            new_id=self.new_id,
            chance=self.chance,
            admin_password=self.settings.admin_password,
        )

    @cached_property
    def registry(self) -> Registry:
        """登记备案."""
        return Registry(
            RegistryTools(
                sql=self.sql,
                ledger=self.ledger,
                rules=self.rulebook,
                folder=self.settings.data / "registry",
                blobs=Folder(self.settings.home / "blobs", max_bytes=self.settings.max_body_bytes),
                sign=self.sign,
                stopped=lambda system: stopping_order(self.box, system),
                clock=self.clock,
                new_id=self.new_id,
                chance=self.chance,
            )
        )

    @cached_property
    def rulebook(self) -> Rules:
        """规则库."""
        return Rules(
            self.sql,
            self.ledger,
            self.access,
            folder=self.settings.data / "law",
            clock=self.clock,
            new_id=self.new_id,
            about=lambda system: about_system(self.registry, system),
            systems_of=lambda party: holdings_of(self.registry, party),
        )

    @cached_property
    def portal(self) -> Portal:
        """公众门户."""
        return Portal(self.registry, self.ledger, self.rulebook, clock=self.clock)

    @cached_property
    def labelling(self) -> Labelling:
        """标识溯源."""
        return Labelling(self.settings.provider_code)

    @cached_property
    def box(self) -> OrderBox:
        """Where orders to stop are put."""
        return OrderBox(self.settings.home / "belt")

    @cached_property
    def belt(self) -> Belt:
        """安全带."""
        return Belt(
            BeltTools(
                sql=self.sql,
                ledger=self.ledger,
                registry=self.registry,
                box=self.box,
                records=self.records,
                policies=Policies(self.settings.data / "screening"),
                open_note=self.open_note,
                log_origin=self.settings.log_origin,
                clock=self.clock,
                new_id=self.new_id,
                chance=self.chance,
                default_policy="safebelt/baseline",
            )
        )

    @cached_property
    def try_it(self) -> TryIt:
        """Asks the belt as any client would, for the console's visitors."""
        key_file = self.settings.home / "keys" / "demo.key"
        return TryIt(
            belt_url=self.settings.url(self.settings.belt_port),
            try_key=lambda: key_file.read_text("utf-8").strip() if key_file.exists() else "",
            verify=own_ports_tls(),
        )

    @property
    def records(self) -> Path:
        """Folder of the exchange records."""
        return self.settings.home / "belt" / "records"

    def sign(self, text: str) -> str:
        """Sign a note with the key in force."""
        return sign_note(text, self.keys.current())

    def open_note(self, note: str) -> str:
        """Return a note's text if one of our keys, now or before, signed it; raises a `Problem` otherwise."""
        return open_note(note, self.keys.verifiers()).text

    def close(self) -> None:
        """Let go of the database."""
        if "sql" in self.__dict__:
            self.sql.close()


def about_system(registry: Registry, system_id: str) -> About | None:
    """Tell the rulebook, which lies below, what the register knows of a system."""
    try:
        name, party, persons = registry.about(system_id)
        held = registry.held_kinds(system_id)
    except NotFound:
        return None
    return About(name=name, party=party, persons=persons, held=held.all, claimed=held.claimed)


def holdings_of(registry: Registry, party_id: str) -> Holdings | None:
    """Tell the rulebook which systems are registered for a party."""
    try:
        party = registry.party(party_id)
    except NotFound:
        return None
    return Holdings(name=Text(zh=party.name, en=party.name), systems=registry.systems_of(party_id))


def stopping_order(box: OrderBox, system_id: str) -> str:
    """Tell the registry, which lies below, which order stops a system now; empty while it may run."""
    orders = box.state().orders
    found = orders.get(system_id) or orders.get("")
    return "" if found is None or found.command is Command.RUN else found.command.value


def own_ports_tls() -> ssl.SSLContext:
    """Return a context for asking our own ports on this machine, whose certificate may be self-signed."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def furnish(house: House) -> Mapping[str, Any]:
    """Return each room's service by the room's name; asking for one builds it."""
    return {room.name: getattr(house, room.name) for room in ROOMS}


@get(
    "/health",
    guards=[open_to_all("says only that the process answers")],
    sync_to_thread=False,
    tags=["house"],
    security=NO_TOKEN,
    responses=public_problems(),
)
def health() -> dict[str, str]:
    """Say that the console answers."""
    return {"status": "ok"}


def web(house: House) -> Litestar:
    """Build the console, the portal and the JSON API as one ASGI application."""
    services = furnish(house)
    cookie = SessionCookie(is_tls=house.settings.is_tls)
    secret = csrf_secret(house.settings.home / "keys" / "csrf.secret")
    state = {
        "authorize": house.access.authorize,
        "session_cookie": cookie,
        "sign_in_path": "access/sign-in",
        "event_titles": EVENT_TITLES,
        "dossier_panels": (*registry_panels(house.registry), *dossier_panels(house.belt)),
        "belt_url": house.settings.url(house.settings.belt_port),
    }
    return Litestar(
        route_handlers=[*KIT_DOORS, health, *(door for room in ROOMS for door in (*room.api, *room.pages))],
        dependencies={
            "by": Provide(_who, sync_to_thread=False),
            "try_it": Provide(_always(house.try_it), sync_to_thread=False),
            **{name: Provide(_always(service), sync_to_thread=False) for name, service in services.items()},
        },
        middleware=[Authenticate(house.access, cookie), Csrf(csrf_config(secret, cookie), cookie)],
        exception_handlers=problem_handlers(house.new_id),
        before_send=[add_security_headers],
        template_config=templates(
            (room.name for room in ROOMS), belt_state=lambda: belt_state(house.belt), event_titles=EVENT_TITLES
        ),
        openapi_config=openapi(),
        state=State(state),
        request_max_body_size=house.settings.max_body_bytes,
        logging_config=None,
    )


def _who(request: Request[Any, Any, Any]) -> Actor:
    return actor_of(request)


def _always(value: object) -> Callable[[], object]:
    return lambda: value
