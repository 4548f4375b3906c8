"""What the house looks at by itself: dates of the law, ended exceptions, adopted drafts, evidence that ran out.

A way through the register leads from what was looked at last (a day, the law's files, the drafts adopted) to what
holds now.  Where the law asks the same of everybody as it did then, only those few are looked at whose evidence ran
out or whose exception ended; else it goes by stretches of system ids and keeps how far it has come, so that it
survives a crash, and two processes that walk it together do nothing twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from safebelt.kernel.actors import MACHINE
from safebelt.rooms.registry import decide as judgments
from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide import changes as decide
from safebelt.rooms.registry.decide.touching import Side
from safebelt.rooms.registry.model import Status
from safebelt.rooms.registry.model.changes import Difference, Mark, Sweep, Trigger
from safebelt.rooms.registry.service.answering import Answering
from safebelt.rooms.registry.service.base import found_system
from safebelt.rooms.rulebook.model.deeds import OnRecord
from safebelt.rooms.rulebook.service.turning import Turn

RED_LINES, DUTIES = "red_lines", "duties"
"""The two ways through the register: whom a red line bars comes first, whatever else there is to do."""
EVERYBODY = ("", "\x7f")
"""A stretch that holds every id."""
STRETCH = 5_000
"""Systems looked at in one go: a few hundred MB of descriptions at most, half a second of judging."""
STRETCHES_A_TURN = 20
"""A turn ends after so many, so that a process that is told to stop is not kept."""
LOOKED_BACK_DAYS = 366
"""How far back the first way looks for evidence that ran out: nothing counts for longer."""

WATCHED = (
    Status.DESIGN,
    Status.DEVELOPMENT,
    Status.TESTING,
    Status.FILED,
    Status.UNDER_REVIEW,
    Status.REGISTERED,
    Status.IN_SERVICE,
    Status.SUSPENDED,
)
"""Stages at which a gate has been passed, so that one can open again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """Some systems in a row, with their facts.

    Attributes:
        systems: Id, provider and stage, by id.
        last: The last id.
        records: Descriptions, by system; those without facts are left out.
    """

    systems: tuple[tuple[str, str, Status], ...]
    last: str
    records: Mapping[str, OnRecord]

    def described(self, *stages: Status) -> list[tuple[str, str, OnRecord]]:
        """Return id, provider and description of those at some stages; at any, if none is given."""
        return [
            (name, party, self.records[name])
            for name, party, stage in self.systems
            if name in self.records and (not stages or stage in stages)
        ]


class Watching(Answering):
    """What the registry does by itself."""

    _turn: tuple[Mark, Mark, Turn] | None = None

    def watch(self) -> tuple[Sweep, ...]:
        """Take one turn: first whom a red line bars now, then what opens again.

        Returns:
            How far each way through the register has come; duties wait until no red line is left to look for.
        """
        first = self._walk(RED_LINES)
        return (first, self._walk(DUTIES)) if first.is_done else (first,)

    def _walk(self, name: str) -> Sweep:
        found = self._begin(name)
        for _ in range(STRETCHES_A_TURN):
            if found.is_done:
                break
            turn = self._turned(found)
            is_quiet = turn is not None and not turn.can_differ
            found = self._look_at_few(name, found) if is_quiet else self._go_on(name, found)
        return found

    def _begin(self, name: str) -> Sweep:
        day, law = self._clock().date(), self._rules.law_digest
        with self._sql.read() as tx:
            last = store.changes.last_sweep(tx, name)
            now = Mark(day=day, law=law, adopted=self._rules.adopted_within(tx))
        if last is not None and (not last.is_done or last.until == now):
            return last
        return self._saved(name, last, Sweep(since=last.until if last else Mark(), until=now))

    def _saved(self, name: str, seen: Sweep | None, ahead: Sweep) -> Sweep:
        """Keep how far it has come, unless somebody else came further meanwhile; return what is kept."""
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, "registry.watch")
            if store.changes.last_sweep(tx, name) == seen:
                store.changes.save_sweep(tx, name, ahead, self._clock())
            return store.changes.last_sweep(tx, name) or ahead

    def _go_on(self, name: str, sweep: Sweep) -> Sweep:
        """Look at the next stretch of the register."""
        stretch = self._stretch(sweep.after)
        done = {"seen": len(stretch.systems)}
        if name == RED_LINES:
            done["suspended"] = self._suspend_barred(stretch, sweep)
        else:
            done["turned"] = self._rejudge_turned(stretch, sweep)
            done["expired"] = self._reopen_expired((sweep.after, stretch.last), sweep)
        counts = {key: sweep.counts.get(key, 0) + many for key, many in done.items()}
        is_done = len(stretch.systems) < STRETCH
        return self._saved(name, sweep, replace(sweep, after=stretch.last, is_done=is_done, counts=counts))

    def _look_at_few(self, name: str, sweep: Sweep) -> Sweep:
        """Where the law asks the same as on the day looked at last: whose exception ended, whose evidence ran out."""
        if name == RED_LINES:
            counts = {"suspended": sum(self._suspend(one) for one in self._exceptions_ended(sweep))}
        else:
            counts = {"expired": self._reopen_expired(EVERYBODY, sweep)}
        return self._saved(name, sweep, replace(sweep, is_done=True, counts=counts))

    def _exceptions_ended(self, sweep: Sweep) -> list[str]:
        """Systems for which an exception from a red line ended since the last look."""
        since, until = sweep.since.day or date.min, sweep.until.day or date.min
        return sorted({one.system for one in self._rules.overrides() if since < one.until <= until})

    def _stretch(self, after: str, stages: Sequence[Status] = WATCHED) -> _Stretch:
        with self._sql.read() as tx:
            systems = store.changes.next_systems(tx, after, stages, STRETCH)
            last = systems[-1][0] if systems else after
            records = self._rules.between_within(tx, after, last) if systems else {}
        return _Stretch(systems=systems, last=last, records=records)

    # ---- red lines

    def _suspend_barred(self, stretch: _Stretch, sweep: Sweep) -> int:
        """Take out of service whom a red line bars now; columns find them, each is then judged alone."""
        found = stretch.described(Status.IN_SERVICE)
        if not found:
            return 0
        with self._sql.read() as tx:
            facts = [(record.description.values(), party) for _, party, record in found]
            weighed = self._rules.weigh(tx, facts, on=sweep.until.day)
        barred = [name for (name, _, _), one in zip(found, weighed, strict=True) if one.barred_by]
        return sum(self._suspend(name) for name in barred)

    def _suspend(self, system_id: str) -> bool:
        with self._sql.begin() as tx:
            self._one_at_a_time(tx, system_id)
            system = found_system(tx, system_id)
            if system.status is not Status.IN_SERVICE:
                return False
            barred = self._rules.barred_within(tx, system_id, party=system.provider_id)
            if barred:
                self._put(tx, system, Status.SUSPENDED, judgments.suspended_by(barred), MACHINE)
        return bool(barred)

    # ---- dates of the law

    def _rejudge_turned(self, stretch: _Stretch, sweep: Sweep) -> int:
        """Compare anew whoever owes something else than on the day looked at last."""
        turn, found = self._turned(sweep), stretch.described()
        if turn is None or not turn.can_differ or not found:
            return 0
        rows = turn.differing([record.description.values() for _, _, record in found])
        mark = f"law:{sweep.until.day}:{sweep.until.law[:12]}:{len(sweep.until.adopted)}"
        return sum(self._rejudge(*found[row], turn, mark) for row in rows)

    def _turned(self, sweep: Sweep) -> Turn | None:
        """The law then and now; None where the law then is not known any more: its files are others now."""
        since, until = sweep.since, sweep.until
        if since.day is None or until.day is None or since.law != until.law:
            return None
        if self._turn is None or self._turn[:2] != (since, until):
            adopted = [name for name, digest in since.adopted if (name, digest) in until.adopted]
            self._turn = (since, until, self._rules.turn(since.day, until.day, adopted=adopted))
        return self._turn[2]

    def _rejudge(self, system_id: str, party: str, record: OnRecord, turn: Turn, mark: str) -> bool:
        look, facts = self._look(system_id), record.description.values()
        before, after = (
            Side(facts=facts, judgment=self._rules.judged_by(text, facts, day, party=party))
            for text, day in (turn.before, turn.after)
        )
        found = decide.compare(self._setting(look.files, turn.after[1]), before, after)
        return found.is_felt and self._mark(system_id, record.version, Trigger.LAW, mark, found)

    # ---- evidence that ran out

    def _reopen_expired(self, stretch: tuple[str, str], sweep: Sweep) -> int:
        """Open again what rested on evidence whose last day has passed since the last look."""
        until = sweep.until.day
        if until is None:
            return 0
        since = sweep.since.day or until - timedelta(days=LOOKED_BACK_DAYS)
        with self._sql.read() as tx:
            ended = store.changes.ended_evidence(tx, stretch, since, until)
        return sum(self._reopen(name, kinds, until) for name, kinds in ended.items())

    def _reopen(self, system_id: str, kinds: Sequence[str], on: date) -> bool:
        look = self._look(system_id)
        if look.record is None or look.system.status not in WATCHED:
            return False
        now = self._side(look.system, look.record.description.values(), on)
        found = decide.expired(self._setting(look.files, on), now, kinds)
        return bool(found.redos) and self._mark(system_id, look.version, Trigger.EXPIRY, f"expiry:{on}", found)

    def _mark(self, system_id: str, version: int, trigger: Trigger, mark: str, found: Difference) -> bool:
        """Put a change on record once, unless somebody did or the facts are others meanwhile."""
        with self._sql.begin() as tx:
            self._one_at_a_time(tx, system_id)
            is_stale = self._rules.facts_version_within(tx, system_id) != version
            if is_stale or store.changes.is_marked(tx, system_id, mark):
                return False
            self._keep(tx, system_id, mark, found, trigger=trigger, by=MACHINE, versions=(version, version))
        return True
