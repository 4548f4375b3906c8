"""The only place where everything is put together: settings → engines → rooms.  `run/` opens doors and processes on it.

Read this file to know what runs.  Nothing else opens a database, builds a service, or names a concrete engine.  An
engine or a room is imported where it is built: a command of one room starts without the others and without any page.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from safebelt.app_engines import Engines
from safebelt.kernel.rooms import Room, Unbuilt
from safebelt.rooms.access.room import ROOM as ACCESS
from safebelt.rooms.belt.room import ROOM as BELT
from safebelt.rooms.certificates.room import ROOM as CERTIFICATES
from safebelt.rooms.labelling.room import ROOM as LABELLING
from safebelt.rooms.ledger.room import ROOM as LEDGER
from safebelt.rooms.portal.room import ROOM as PORTAL
from safebelt.rooms.registry.room import ROOM as REGISTRY
from safebelt.rooms.rulebook.room import ROOM as RULEBOOK

if TYPE_CHECKING:
    import sqlalchemy as sa

    from safebelt.engines.bus.relay import Outgoing, Relay
    from safebelt.rooms.access.service import Access
    from safebelt.rooms.belt.control.orders import OrderBox
    from safebelt.rooms.belt.service import Belt, Serving, TryIt
    from safebelt.rooms.belt.service.base import Tools
    from safebelt.rooms.certificates.model import Carried
    from safebelt.rooms.certificates.service import Agent, Certificates
    from safebelt.rooms.labelling.service import AtTheBelt, Desk, Labelling
    from safebelt.rooms.ledger.service import Ledger
    from safebelt.rooms.portal.service import Portal
    from safebelt.rooms.registry.service import Registry
    from safebelt.rooms.rulebook.service import Rules
    from safebelt.rooms.rulebook.service.base import About, Holdings

ROOMS: tuple[Room, ...] = (REGISTRY, RULEBOOK, BELT, CERTIFICATES, LEDGER, ACCESS, LABELLING, PORTAL)
"""The rooms in the house, in the order people meet them."""


def every_table() -> sa.MetaData:
    """Load every room's tables and return them all with the engines' own."""
    from safebelt.engines import jobs  # noqa: F401
    from safebelt.engines.bus import relay  # noqa: F401
    from safebelt.engines.sql import metadata

    for room in ROOMS:
        _ = room.tables
    return metadata


class House(Engines):
    """Every room, ready to work.  A room is built when somebody first enters it."""

    @cached_property
    def relay(self) -> Relay:
        """Tells the bus what the ledger has sequenced."""
        from safebelt.engines.bus.relay import Relay

        return Relay(self.sql, self.bus, self._outgoing)

    def _outgoing(self, after: int, limit: int) -> list[Outgoing]:
        from safebelt.engines.bus.relay import Outgoing

        entries = self.ledger.sequenced(after, limit)
        return [
            Outgoing(index=index, id=id_, subject=f"events.{kind}", data=body) for index, id_, kind, body in entries
        ]

    # ---- rooms, lowest floor first

    @cached_property
    def ledger(self) -> Ledger:
        """存证账本."""
        from safebelt.engines.signing import CosignerStore
        from safebelt.rooms.ledger.service import Ledger, Peers

        settings = self.settings
        path = settings.witness_key or settings.home / "keys" / "witness.key"
        name = settings.witness_name or f"{settings.log_origin}/witness"
        return Ledger(
            self.sql,
            clock=self.clock,
            new_id=self.new_id,
            chance=self.chance,
            signer=self.keys,
            origin=self.settings.log_origin,
            tiles=self.settings.home / "ledger",
            peers=Peers(
                cosigners=CosignerStore(path, name=name, chance=self.chance),
                folder=settings.home / "monitor",
                policy=settings.monitored_logs,
                witness_seconds=settings.witness_seconds,
                monitor_seconds=settings.monitor_seconds,
            ),
        )

    @cached_property
    def access(self) -> Access:
        """身份权限."""
        from safebelt.rooms.access.permissions import Permissions
        from safebelt.rooms.access.service import Access

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
        from safebelt.engines.blobs.folder import Folder
        from safebelt.rooms.registry.service import Registry, Tools

        return Registry(
            Tools(
                sql=self.sql,
                ledger=self.ledger,
                rules=self.rulebook,
                folder=self.settings.data / "registry",
                blobs=Folder(self.settings.home / "blobs", max_bytes=self.settings.max_body_bytes),
                sign=self.sign,
                stopped=lambda system: self.box.stopping(system),  # noqa: PLW0108  the box is made when somebody asks
                clock=self.clock,
                new_id=self.new_id,
                chance=self.chance,
            )
        )

    @cached_property
    def certificates(self) -> Certificates:
        """数字证书."""
        from safebelt.rooms.certificates.service import Certificates, Tools

        return Certificates(
            Tools(
                sql=self.sql,
                ledger=self.ledger,
                registry=self.registry,
                keys=self.settings.home / "keys" / "certificates",
                base=self.settings.public_base,
                clock=self.clock,
                chance=self.chance,
            )
        )

    @property
    def identities(self) -> Path:
        """Folder of the identities that services of this machine carry, one folder each."""
        return self.settings.home / "keys" / "identities"

    @property
    def carried(self) -> Carried | None:
        """Whose identity the belt carries, as the settings say; None where they name no system."""
        settings = self.settings
        if not settings.identity_system:
            return None
        from safebelt.rooms.certificates.model import Carried

        return Carried(
            system_id=settings.identity_system,
            place=settings.belt_base,
            authority=settings.identity_authority,
            days=settings.identity_days,
        )

    def agent(self) -> Agent | None:
        """Return what carries the identity of the system behind the belt; None where the settings name none."""
        if (wanted := self.carried) is None:
            return None
        from safebelt.engines.http import client
        from safebelt.rooms.certificates.service import Agent, AtHome, Elsewhere

        there = wanted.authority
        authority = Elsewhere(there, new_client=client) if there else AtHome(self.certificates)
        return Agent(self.identities / wanted.system_id, wanted, authority, clock=self.clock, chance=self.chance)

    @cached_property
    def rulebook(self) -> Rules:
        """规则库."""
        from safebelt.rooms.rulebook.service import Rules

        return Rules(
            self.sql,
            self.ledger,
            self.access,
            folder=self.settings.data / "law",
            clock=self.clock,
            new_id=self.new_id,
            about=self._about,
            systems_of=self._holdings,
        )

    def _about(self, system: str) -> About | None:
        from safebelt.rooms.registry.service.telling import about_system

        return about_system(self.registry, system)

    def _holdings(self, party: str) -> Holdings | None:
        from safebelt.rooms.registry.service.telling import holdings_of

        return holdings_of(self.registry, party)

    @cached_property
    def portal(self) -> Portal:
        """公众门户."""
        from safebelt.engines.blobs.folder import Folder
        from safebelt.rooms.portal.service import Complaints, Portal, Tools

        tools = Tools(
            sql=self.sql,
            ledger=self.ledger,
            registry=self.registry,
            rules=self.rulebook,
            folder=self.settings.data / "registry",
            blobs=Folder(self.settings.home / "blobs", max_bytes=self.settings.max_body_bytes),
            clock=self.clock,
            new_id=self.new_id,
            chance=self.chance,
            appeals=lambda: self.belt,
        )
        return Portal(self.registry, self.ledger, self.rulebook, self.certificates, Complaints(tools), clock=self.clock)

    @cached_property
    def labelling(self) -> Labelling:
        """标识溯源."""
        from safebelt.rooms.labelling.service import Labelling

        hands = self.settings.home / "keys" / "labelling"
        return Labelling(self.settings.provider_code, self._labelling_desk, hands=hands)

    def _labelling_desk(self) -> Desk:
        from safebelt.rooms.labelling.service import Desk

        return Desk(
            sql=self.sql,
            ledger=self.ledger,
            registry=self.registry,
            rules=self.rulebook,
            certificates=self.certificates,
            folder=self.settings.data / "labelling",
            hands=self.settings.home / "keys" / "labelling",
            days=self.settings.identity_days,
            public_base=self.settings.public_base,
            clock=self.clock,
            chance=self.chance,
            new_id=self.new_id,
        )

    @cached_property
    def box(self) -> OrderBox:
        """Where orders to stop are put."""
        from safebelt.rooms.belt.control.orders import OrderBox

        settings = self.settings
        return OrderBox(settings.home / "belt", sends=bool(settings.bus) and settings.command_keys is None)

    @cached_property
    def belt(self) -> Belt:
        """安全带."""
        from dataclasses import replace

        from safebelt.rooms.belt.exports.collector import collector_of
        from safebelt.rooms.belt.scanner.policies import Policies
        from safebelt.rooms.belt.service import Belt
        from safebelt.rooms.belt.service.base import CarriedHere, earlier_of

        wanted, policies = self.carried, Policies(self.settings.data / "screening")
        return Belt(
            replace(
                self._belt_tools,
                records_days=self.settings.records_days,
                policies=policies,
                lists=self.settings.data / "screening",
                sources=lambda: policies.sources,
                required=policies.required,
                complaints=lambda system: self.portal.complaints.counts(system).total,
                identity=CarriedHere(folder=self.identities / wanted.system_id, of=wanted) if wanted else None,
                default_policy="safebelt/baseline",
                lease_seconds=self.settings.lease_seconds if self.settings.bus else None,
                earlier=earlier_of(self.settings.earlier_versions),
                hold_seconds=self.settings.hold_seconds,
                hold_most=self.settings.hold_most,
                collector=collector_of(self.settings.otlp, self.settings.otlp_headers),
            )
        )

    @cached_property
    def serving(self) -> Serving:
        """The belt, as its workers have it: it has read no policy, and is handed those in force."""
        from safebelt.rooms.belt.service.serving import Serving

        return Serving(self._belt_tools)

    @property
    def _belt_tools(self) -> Tools:
        """What belt and workers work with; the rooms below are built when something is asked of them."""
        from zoneinfo import ZoneInfo

        from safebelt.engines.reports import Press
        from safebelt.rooms.belt.service.base import Tools

        return Tools(
            sql=self.sql,
            ledger=cast("Ledger", Unbuilt(lambda: self.ledger)),
            registry=cast("Registry", Unbuilt(lambda: self.registry)),
            access=cast("Access", Unbuilt(lambda: self.access)),
            box=self.box,
            records=self.records,
            press=Press(self.settings.data / "reports"),
            policies={},
            open_note=self.open_note,
            log_origin=self.settings.log_origin,
            clock=self.clock,
            new_id=self.new_id,
            chance=self.chance,
            admission=self.settings.data / "admission",
            zone=ZoneInfo(self.settings.timezone),
        )

    @cached_property
    def at_the_belt(self) -> AtTheBelt:
        """标识溯源, as a belt's worker has it."""
        from safebelt.rooms.labelling.service.at_the_belt import AtTheBelt

        return AtTheBelt(self.settings.provider_code, lambda: self.labelling)

    @cached_property
    def try_it(self) -> TryIt:
        """Asks the belt as any client would, for the console's visitors."""
        from safebelt.engines.http import own_ports_tls
        from safebelt.rooms.belt.service import TryIt

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

    def close(self) -> None:
        """Let go of the database, and of the process that looks into files."""
        for name in ("labelling", "sql"):
            if name in self.__dict__:
                getattr(self, name).close()


def furnish(house: House) -> Mapping[str, Any]:
    """Return each room's service by the room's name; asking for one builds it."""
    return {room.name: getattr(house, room.name) for room in ROOMS}
