"""What all deeds about complaints share: their tools, how something said is committed to, where a complaint goes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from safebelt.engines.blobs.folder import Folder
from safebelt.engines.canonical import canonical
from safebelt.engines.clock import Chance, Clock
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import NotFound
from safebelt.kernel.events import Event
from safebelt.kernel.ids import NewId, encode
from safebelt.kernel.text import Text
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.portal import store
from safebelt.rooms.portal.decide import complaints as decide
from safebelt.rooms.portal.model.complaint_rules import ComplaintRules
from safebelt.rooms.portal.model.complaints import (
    Attached,
    Complaint,
    Destination,
    Said,
    SaidKind,
    Speaker,
)
from safebelt.rooms.portal.packs.complaints import open_complaints
from safebelt.rooms.portal.service.limits import Limits
from safebelt.rooms.registry.model.public import Gone, PublicFile
from safebelt.rooms.registry.model.supervision import Office
from safebelt.rooms.registry.service import Registry
from safebelt.rooms.rulebook.service import Rules

_SALT = 16
"""Bytes of salt: more than anybody can try."""
_CODE = 16
"""Bytes of a follow code: 128 bits, so that its plain hash is enough to keep."""
_CODE_PREFIX = b"safebelt complaint code\0"
_MISREAD = str.maketrans({"o": "0", "i": "1", "l": "1", "u": "v"})
"""Letters the code's alphabet leaves out, read as what they are mistaken for (Crockford)."""


class Appeals(Protocol):
    """Who reviews strikes."""

    def hold_appeal(self, strike_id: str) -> object:
        """Hold that a strike can be appealed against; raises NotFound or Conflict."""
        ...

    def appeal_strike(self, strike_id: str, case_id: str, *, by: Actor) -> object:
        """Take down that whoever was struck appealed, by a complaint."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What complaints are taken with.

    Attributes:
        sql: Where they are kept.
        ledger: Remembers every act in the same transaction.
        registry: Knows what is public, who answers, and the authorities' desks.
        rules: Knows the facts on record.
        folder: Where `complaints.yaml` is.
        blobs: Where files are kept.
        clock: Says now.
        new_id: Mints ids.
        chance: Draws salts and codes.
        appeals: Takes appeals against strikes to who reviews them; None where nobody gives strikes.
    """

    sql: Sql
    ledger: Ledger
    registry: Registry
    rules: Rules
    folder: Path
    blobs: Folder
    clock: Clock
    new_id: NewId
    chance: Chance
    appeals: Callable[[], Appeals] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Something that is being said: what for, in which words, by whom."""

    kind: SaidKind
    speaker: Speaker
    text: str
    by: Actor
    office_id: str = ""
    files: tuple[Attached, ...] = ()
    more: Mapping[str, str] = field(default_factory=dict)


EventOf = Callable[[Said], Event]


class Desk:
    """Where complaints are worked at."""

    def __init__(self, tools: Tools) -> None:
        self._tools, self._sql, self._ledger, self._registry = tools, tools.sql, tools.ledger, tools.registry
        self._clock, self._new_id, self._chance = tools.clock, tools.new_id, tools.chance
        self._limits = Limits(tools.clock)

    @cached_property
    def rules(self) -> ComplaintRules:
        """What is taken, how much, and by when an answer is owed."""
        return open_complaints(self._tools.folder)

    @property
    def today(self) -> date:
        """The day in UTC, where the days of complaints are counted."""
        return self._clock().date()

    # ---- saying something

    def _say(
        self,
        tx: sa.Connection,
        complaint: Complaint,
        words: Words,
        event_of: EventOf,
        *,
        number: int,
        at: datetime | None = None,
    ) -> Said:
        """Keep something that was said, and remember that it was."""
        salt = self._chance(_SALT).rjust(_SALT, b"\0")
        told = decide.content(complaint.id, words.kind, words.text, words.files, words.more)
        said = Said(
            id=self._new_id("csd"),
            case_id=complaint.id,
            number=number,
            kind=words.kind,
            speaker=words.speaker,
            text=words.text,
            salt=salt.hex(),
            commitment=sha256(salt + canonical(told)).hexdigest(),
            office_id=words.office_id,
            written_by=words.by.id,
            at=at or self._clock(),
            files=words.files,
            more=words.more,
        )
        said = replace(said, entry_id=self._ledger.append(tx, event_of(said), by=words.by))
        store.say(tx, said)
        return said

    def _found(self, tx: sa.Connection, case_id: str) -> tuple[Complaint | None, tuple[Said, ...]]:
        wanted = case_id[:60].replace("\0", "")
        self._sql.exclusive(tx, f"portal.{wanted}")
        found = store.by_id(tx, wanted)
        return found, store.said_in(tx, found.id) if found else ()

    # ---- codes

    def _new_code(self) -> str:
        return encode(int.from_bytes(self._chance(_CODE)))

    def _hash(self, code: str) -> str:
        typed = "".join(char for char in code.lower()[:80] if char.isalnum()).translate(_MISREAD)
        return sha256(_CODE_PREFIX + typed.encode()).hexdigest()

    # ---- where it goes

    def offices(self) -> Sequence[Office]:
        """Return the authorities' desks in this register."""
        return self._registry.offices()

    def _office_for(self, system_id: str) -> Office | None:
        """Return the authority's desk for a system, by the places its facts on record name."""
        record = self._tools.rules.on_record(system_id) if system_id else None
        if record is None:
            return None
        facts = self._registry.publication_rules.places
        return decide.competent(self.offices(), decide.places(record.description.values(), facts))

    def public_system(self, system_id: str) -> PublicFile | Gone | None:
        """Return what the public may know of a system; None where it is hidden, or not there."""
        try:
            return self._registry.public_system(system_id[:60].replace("\0", "")) if system_id else None
        except NotFound:
            return None

    def _destination(self, complaint: Complaint) -> Destination:
        """Return where a complaint is, as far as the public may know."""
        found = self.public_system(complaint.system_id)
        provider = found.record["provider"] if isinstance(found, PublicFile) else None
        names = {one.party_id: one.name for one in self.offices()}
        return Destination(
            system=found.line.name if isinstance(found, PublicFile) else None,
            party=provider["name"] if provider else "",
            has_party=bool(complaint.party_id),
            authority=names.get(complaint.office_id, ""),
        )

    def _named(self, complaint: Complaint) -> tuple[Text | None, str]:
        """Return the names of a complaint's system and of who answers for it, for the two parties."""
        if not complaint.system_id:
            return None, ""
        system = self._registry.system(complaint.system_id)
        return system.name, self._registry.party(complaint.party_id).name if complaint.party_id else ""
