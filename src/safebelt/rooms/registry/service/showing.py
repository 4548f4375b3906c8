"""Deeds that read the public register: for everybody, so they give away nothing that is not published today."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from safebelt.kernel.errors import NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide.publication import is_behind
from safebelt.rooms.registry.model.public import (
    Gone,
    PublicAct,
    PublicFile,
    PublicLine,
    PublicNumbers,
    PublicPage,
    PublicStep,
    Wanted,
)
from safebelt.rooms.registry.service import public_finding
from safebelt.rooms.registry.service.base import found_system, pages_of
from safebelt.rooms.registry.service.lifecycle import Lifecycle
from safebelt.rooms.registry.store import public as shown
from safebelt.rooms.registry.store import published

ACTS_SHOWN = 100
"""Versions of an entry that its page lists; the ledger has them all."""


MANY_FOR = timedelta(minutes=5)
"""How long a list once seen to be longer than is counted is taken to be so still."""
MANY_KEPT = 1000
"""Lists of which that is remembered."""


class Showing(Lifecycle):
    """Deeds that read the public register."""

    _many: dict[tuple[Wanted, date], tuple[int, datetime]] | None = None

    def publication_day(self) -> date:
        """Return the day by which embargoes are told, UTC."""
        return self._clock().date()

    def public_systems(self, wanted: Wanted, *, page: int = 1, size: int = 20, cursor: str = "") -> PublicPage:
        """Return a page of the public register: newest registration first, or with words the best match.

        Args:
            wanted: What is looked for.
            page: From 1; pages end where counting does, and programs go on by `next`.
            size: Systems on a page.
            cursor: The `next` of a page: what comes after it, whatever `page` says.
        """
        today = self._clock().date()
        with self._sql.read() as tx:
            if public_finding.is_in_words(wanted) and published.is_ready(tx):
                return public_finding.find(tx, wanted, today, page=page, size=size, cursor=cursor)
            total, is_more = self._counted(tx, wanted, today)
            pages = pages_of(total, size)
            start = (min(page, pages) - 1) * size
            if cursor:
                items = shown.after(tx, wanted, today, cursor=cursor, size=size)
                has_next = len(items) == size
            else:
                items = shown.page(tx, wanted, today, start=start, size=size)
                has_next = is_more or start + len(items) < total
        return PublicPage(
            items=items,
            total=total,
            is_more=is_more,
            page=min(page, pages),
            pages=pages,
            next=items[-1].id if items and has_next else "",
        )

    def _counted(self, tx: sa.Connection, wanted: Wanted, today: date) -> tuple[int, bool]:
        """Count what is shown; that there is more than is counted is remembered: to count it is most of a page."""
        if self._many is None or len(self._many) >= MANY_KEPT:
            self._many = {}
        key, now = (wanted, today), self._clock()
        most, seen_at = self._many.get(key, (0, now))
        if most and now - seen_at < MANY_FOR:
            return most, True
        total, is_more = shown.count(tx, wanted, today)
        if is_more:
            self._many[key] = total, now
        return total, is_more

    def public_after(self, wanted: Wanted, *, cursor: str, size: int) -> tuple[PublicLine, ...]:
        """Return what comes after a cursor (the last id read, or nothing for the start), newest registration first."""
        with self._sql.read() as tx:
            return shown.after(tx, wanted, self._clock().date(), cursor=cursor, size=size)

    def public_newest(self, limit: int) -> tuple[PublicLine, ...]:
        """Return what became public or changed last, latest first."""
        with self._sql.read() as tx:
            return shown.newest(tx, self._clock().date(), limit)

    def public_starts(self, step: int) -> tuple[str, ...]:
        """Return the cursors that split the public register into parts of `step` systems."""
        with self._sql.read() as tx:
            return tuple(shown.starts(tx, self._clock().date(), step))

    def public_numbers(self) -> PublicNumbers:
        """Count the public register."""
        with self._sql.read() as tx:
            return shown.numbers(tx, self._clock().date())

    def is_public(self, system_id: str) -> bool:
        """Whether the public register shows a system now."""
        with self._sql.read() as tx:
            return shown.line(tx, system_id, self._clock().date()) is not None

    def public_system(self, system_id: str) -> PublicFile | Gone:
        """Return what the public may know of one system.

        Raises:
            NotFound: It is not, and never was, in the public register; which of the two is nobody's business.
        """
        today = self._clock().date()
        with self._sql.read() as tx:
            line = shown.line(tx, system_id, today)
            if line is None:
                return _gone(tx, system_id, today)
            body = store.publication.body(tx, line.id, line.version)
            record = store.publication.record(tx, line.id, line.version)
            current = store.publication.current(tx, line.id)
            if record is None or current is None:
                raise _not_public(system_id)
            system = found_system(tx, line.id)
            history = store.publication.acts(tx, line.id, today, ACTS_SHOWN)
            steps = _steps(tx, line.id)
        facts = self._rules.on_record(line.id)
        return PublicFile(
            line=line,
            record=record,
            body=body,
            entry_id=current.entry_id,
            history=history,
            steps=steps,
            is_behind=is_behind(record, system, facts.version if facts else 0),
        )

    def public_body(self, system_id: str, version: int) -> bytes:
        """Return a published record as the canonical JSON whose digest is on the ledger.

        Raises:
            NotFound: No such version was ever public, or the system is not public any more.
        """
        self._public_version(system_id, version, is_shown=True)
        with self._sql.read() as tx:
            return store.publication.body(tx, system_id, version)

    def public_proof(self, system_id: str, version: int) -> str:
        """Return a proof, checkable without us, that a publication or its ending is on the ledger.

        Raises:
            NotFound: No such version was ever public.
        """
        return self._ledger.prove(self._public_version(system_id, version, is_shown=False).entry_id)

    def _public_version(self, system_id: str, version: int, *, is_shown: bool) -> PublicAct:
        today = self._clock().date()
        with self._sql.read() as tx:
            is_there = shown.line(tx, system_id, today) is not None
            acts: Iterable[PublicAct] = store.publication.acts(tx, system_id, today, ACTS_SHOWN)
        found = next((one for one in acts if one.version == version), None)
        if found is None or (is_shown and (not is_there or found.is_end)):
            raise _not_public(system_id)
        return found


def _steps(tx: sa.Connection, system_id: str) -> tuple[PublicStep, ...]:
    return tuple(
        PublicStep(at=one.at, before=one.before, after=one.after, provisional=one.provisional)
        for one in store.lifecycle.passages(tx, system_id)
    )


def _gone(tx: sa.Connection, system_id: str, today: date) -> Gone:
    current = store.publication.current(tx, system_id)
    if current is None or current.ended_at is None:
        raise _not_public(system_id)
    last = next((one for one in store.publication.acts(tx, current.system_id, today, 1) if one.is_end), None)
    is_told = last is not None and last.at == current.ended_at
    return Gone(
        id=current.system_id,
        ended_on=current.ended_at.date(),
        reason=last.reason if last and is_told else "",
        entry_id=last.entry_id if last and is_told else "",
    )


def _not_public(system_id: str) -> NotFound:
    return NotFound(
        what=Text(zh=f"公开登记册中没有“{system_id}”。", en=f"There is no {system_id!r} in the public register."),
        hint=Text(
            zh="请核对编号，或在公开登记册中查找；并非每个系统都公开。",
            en="Check the id, or search the public register; not every system is public.",
        ),
    )
