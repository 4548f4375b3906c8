"""Deeds of the portal: read what is public, count it, and prove it.  Showing changes nothing and keeps nothing."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from threading import Lock

from safebelt.engines.clock import Clock
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.model import Certificate, Filter
from safebelt.rooms.certificates.service import Certificates
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.portal import decide
from safebelt.rooms.portal.model import Statistics
from safebelt.rooms.portal.service.tending import Complaints
from safebelt.rooms.registry.model.public import Gone, PublicFile, PublicLine, PublicPage, Wanted
from safebelt.rooms.registry.model.responsibility import Right
from safebelt.rooms.registry.model.supervision import PublicDecision
from safebelt.rooms.registry.service import Registry
from safebelt.rooms.rulebook.service import Rules

COUNTED_FOR = timedelta(minutes=5)
"""How long counts are shown before they are counted again: counting a million takes seconds."""
FEED_ENTRIES = 50
READ_AT_ONCE = 1000
SHOWN_CERTIFICATES = 3
MAP_SYSTEMS = 10_000
"""Systems in one part of the site map; with a page in each language well below the 50,000 addresses a part may have."""


class Portal:
    """What everybody may see.

    Args:
        registry: Knows what is public.
        ledger: Proves it.
        rules: Names regimes, classes and places.
        certificates: Knows which systems have certificates, and how those stand.
        complaints: Takes what the public complains of to whoever has to answer.
        clock: Says now.
    """

    def __init__(
        self,
        registry: Registry,
        ledger: Ledger,
        rules: Rules,
        certificates: Certificates,
        complaints: Complaints,
        *,
        clock: Clock,
    ) -> None:
        self._registry, self._ledger, self._rules, self._clock = registry, ledger, rules, clock
        self._certificates, self.complaints = certificates, complaints
        self._lock = Lock()
        self._counted: Statistics | None = None

    def find(self, wanted: Wanted, *, page: int = 1, size: int = 20, cursor: str = "") -> PublicPage:
        """Return a page of the public register; with `cursor`, what comes after the page that gave it as `next`."""
        return self._registry.public_systems(wanted, page=page, size=size, cursor=cursor)

    def read_on(self, wanted: Wanted, *, cursor: str, size: int) -> tuple[PublicLine, ...]:
        """Return what comes after a cursor."""
        return self._registry.public_after(wanted, cursor=cursor, size=size)

    def every(self, wanted: Wanted) -> Iterator[PublicLine]:
        """Yield everything that is public and wanted, a thousand at a time."""
        cursor = ""
        while found := self.read_on(wanted, cursor=cursor, size=READ_AT_ONCE):
            yield from found
            cursor = found[-1].id

    def certificates(self, found: PublicFile) -> tuple[Certificate, ...]:
        """Return the certificates of a public system whose time is not over, latest first."""
        page, now = self._certificates.certificates(Filter(system_id=found.line.id)), self._clock()
        return tuple(one for one in page.items if not one.is_over(now))[:SHOWN_CERTIFICATES]

    def system(self, system_id: str) -> PublicFile | Gone:
        """Return what the public may know of one system.

        Raises:
            NotFound: It is not, and never was, public.
        """
        return self._registry.public_system(system_id)

    def body(self, system_id: str, version: int) -> bytes:
        """Return a published record to the byte.

        Raises:
            NotFound: No such version is public.
        """
        return self._registry.public_body(system_id, version)

    def proof(self, system_id: str, version: int) -> str:
        """Return a proof that a publication, or its ending, is on the ledger; `safebelt ledger check` needs only keys.

        Raises:
            NotFound: No such version was public.
        """
        return self._registry.public_proof(system_id, version)

    def rights(self, found: PublicFile) -> tuple[Right, ...]:
        """Return what people may do or claim because of a system, by verified law in force.

        They are judged by the facts on record now: where those are not the published ones, nothing is told of them.
        """
        if found.is_behind:
            return ()
        return tuple(one for one in self._registry.rights_of(found.line.id) if one.binds)

    def decisions(self, system_id: str) -> tuple[PublicDecision, ...]:
        """Return the decisions about a system that their authorities made public, newest first."""
        return self._registry.public_decisions(system_id)

    def label_of(self, instrument: str) -> Text:
        """Return what an instrument is called in short."""
        found = self._rules.text().instruments.get(instrument)
        return found.short if found else Text(zh=instrument, en=instrument)

    def newest(self) -> tuple[PublicLine, ...]:
        """Return what was published last, latest first."""
        return self._registry.public_newest(FEED_ENTRIES)

    def map_parts(self) -> tuple[str, ...]:
        """Return the cursors that split the register into parts of a site map."""
        return self._registry.public_starts(MAP_SYSTEMS)

    def map_part(self, cursor: str) -> Iterator[PublicLine]:
        """Yield the systems of one part of the site map."""
        left = MAP_SYSTEMS
        while left and (found := self.read_on(Wanted(), cursor=cursor, size=min(left, READ_AT_ONCE))):
            yield from found
            cursor, left = found[-1].id, left - len(found)

    def statistics(self) -> Statistics:
        """Return the register in numbers, counted at most once in five minutes and by one caller at a time.

        Who comes while another counts gets the last numbers; only where there are none, they are waited for.
        """
        last = self._counted
        if last is not None and self._is_fresh(last):
            return last
        is_waiting = last is None or last.at.date() != self._clock().date()
        if not self._lock.acquire(blocking=is_waiting) and last is not None:
            return last
        try:
            last = self._counted
            if last is None or not self._is_fresh(last):
                last = self._counted = decide.statistics(
                    self._registry.public_numbers(), self._rules.text(), self._registry.publication_rules, self._clock()
                )
            return last
        finally:
            self._lock.release()

    def _is_fresh(self, counted: Statistics) -> bool:
        now = self._clock()
        return now - counted.at < COUNTED_FOR and counted.at.date() == now.date()

    def changed_at(self, system_id: str) -> datetime:
        """Return when anything was last done about a system: nothing a reader is told of it is newer."""
        entries = self._ledger.entries(subject=system_id, limit=1)
        return entries[0].at if entries else self._clock()

    def stamp(self) -> str:
        """Return what is different whenever anything in the house may be: how many acts are on record, and the day."""
        return f"{self._ledger.count()}-{self._clock().date().isoformat()}"

    def names(self) -> Mapping[str, Text]:
        """Return the names of what lists can be narrowed to: mark (`kind=value`) to its name, as far as counted."""
        counted = self.statistics()
        found: dict[str, Text] = {}
        for table in counted.tables:
            kind = table.id.partition(":")[0]
            if kind in ("class", *self._registry.publication_rules.counted_by):
                prefix = table.title if kind == "class" else None
                for line in table.lines:
                    found[f"{kind}={line.key}"] = _within(prefix, line.label)
        return found


def _within(table: Text | None, label: Text) -> Text:
    if table is None:
        return label
    zh, en = table.zh.partition("：")[2], table.en.partition(": ")[2]
    return Text(zh=f"{zh}：{label.zh}", en=f"{en}: {label.en}")
