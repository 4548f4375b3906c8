"""Deeds about who answers for which duty, and which rights people and parties have."""

from datetime import date

import sqlalchemy as sa

from safebelt.kernel.actors import Actor
from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide import responsibility as decide
from safebelt.rooms.registry.model import System
from safebelt.rooms.registry.model.responsibility import (
    Assign,
    Assignment,
    EndAssignment,
    HandOver,
    ResponsibilityMap,
    Right,
)
from safebelt.rooms.registry.service.base import found_system
from safebelt.rooms.registry.service.comparing import Comparing

ROLES_FACT = "party.roles"
"""The fact that says which roles this side plays."""


class Answering(Comparing):
    """Deeds of the responsibility map; rights and remedies."""

    def responsibility(self, system_id: str, *, on: date | None = None) -> ResponsibilityMap:
        """Return for each duty of a system who is accountable, who acts and who is told, since when.

        Without facts on record nothing is evaluated: `facts_version` is 0 and there are no duties to show.

        Args:
            system_id: Which.
            on: The day; today, if none is given.

        Raises:
            NotFound: There is no such system.
        """
        with self._sql.read() as tx:
            system = found_system(tx, system_id)
            terms = store.changes.assignments(tx, system_id)
        day = on or self._clock().date()
        record = self._rules.on_record(system_id)
        if record is None:
            return ResponsibilityMap(system_id=system_id, on=day, facts_version=0, duties=())
        side = self._side(system, record.description.values(), day)
        roles = side.facts.get(ROLES_FACT) or ()
        return decide.responsibility_map(system, side.judgment, terms, roles=roles, version=record.version)

    def assignments(self, system_id: str) -> tuple[Assignment, ...]:
        """Return every assignment of a system, ended ones among them, in the order of their entry.

        Raises:
            NotFound: There is no such system.
        """
        with self._sql.read() as tx:
            return store.changes.assignments(tx, found_system(tx, system_id).id)

    def assign(self, system_id: str, cmd: Assign, *, by: Actor) -> Assignment:
        """Let a named person stand for a duty, or for every duty of a bearer.

        Raises:
            NotFound: There is no such system, duty or bearer, or nobody of that id is named for it.
            Invalid: There is no reason, or it is too long.
            Conflict: The person has it already; or somebody else is accountable, which takes a hand-over.
        """
        norms, today = self._norms(), self._clock().date()
        with self._sql.begin() as tx:
            system, terms = self._terms(tx, system_id)
            made, event = decide.assign(system, terms, norms, cmd, new_id=self._new_id("asg"), today=today)
            store.changes.add_assignment(tx, made)
            self._ledger.append(tx, event, by=by)
        return made

    def hand_over(self, system_id: str, cmd: HandOver, *, by: Actor) -> Assignment:
        """Hand a duty over from one person to another: one term ends, the next begins.

        Raises:
            NotFound: There is no such system, duty or bearer, or nobody of those ids is named for it.
            Invalid: There is no reason, both are the same person, or the day lies before the term began.
            Conflict: Whoever is to hand it over does not have it, or the other has it already.
        """
        norms, today = self._norms(), self._clock().date()
        with self._sql.begin() as tx:
            system, terms = self._terms(tx, system_id)
            ended, made, event = decide.hand_over(system, terms, norms, cmd, new_id=self._new_id("asg"), today=today)
            if ended is not None and ended.until is not None:
                store.changes.end_assignment(tx, ended.id, ended.until)
            store.changes.add_assignment(tx, made)
            self._ledger.append(tx, event, by=by)
        return made

    def end_assignment(self, system_id: str, cmd: EndAssignment, *, by: Actor) -> Assignment:
        """End an assignment without a successor: what stood before it stands again.

        Raises:
            NotFound: There is no such system or assignment.
            Invalid: There is no reason, or it is too long.
            Conflict: It has ended already.
        """
        today = self._clock().date()
        with self._sql.begin() as tx:
            system, terms = self._terms(tx, system_id)
            ended, event = decide.end_assignment(system, terms, cmd, today=today)
            store.changes.end_assignment(tx, ended.id, ended.until or today)
            self._ledger.append(tx, event, by=by)
        return ended

    def rights_of(self, system_id: str, *, on: date | None = None) -> tuple[Right, ...]:
        """Return what people and parties may do or claim because of a system; none while nothing is evaluated.

        Args:
            system_id: Which.
            on: The day; today, if none is given.

        Raises:
            NotFound: There is no such system.
        """
        system, record = self.system(system_id), self._rules.on_record(system_id)
        if record is None:
            return ()
        side = self._side(system, record.description.values(), on or self._clock().date())
        return decide.rights(side.judgment)

    def _terms(self, tx: sa.Connection, system_id: str) -> tuple[System, tuple[Assignment, ...]]:
        self._one_at_a_time(tx, system_id)
        return found_system(tx, system_id), store.changes.assignments(tx, system_id)

    def _norms(self) -> frozenset[str]:
        """Ids of the norms as they read today; asked before a transaction, which takes no second connection."""
        return frozenset(self._rules.text().norms)
