"""Deeds of the lifecycle: evidence, sign-offs, gates."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from safebelt.engines.canonical import canonical
from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide import evidence as decide
from safebelt.rooms.registry.decide import gates
from safebelt.rooms.registry.decide.entering import line
from safebelt.rooms.registry.model import Status, System
from safebelt.rooms.registry.model.lifecycle import (
    Attest,
    Evidence,
    Move,
    Passage,
    SignGate,
    SignOff,
    VouchFor,
    Withdraw,
)
from safebelt.rooms.registry.model.road import Gate
from safebelt.rooms.registry.service.base import found_system
from safebelt.rooms.registry.service.registering import Registering

EXPIRING_SHOWN = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeFile:
    """Everything about a system's life.

    Attributes:
        system: The system.
        gate: The way to the stage asked about, or to the next one.
        evidence: Latest first; withdrawn and expired pieces are among it.
        sign_offs, passages: Latest first.
    """

    system: System
    gate: Gate
    evidence: tuple[Evidence, ...]
    sign_offs: tuple[SignOff, ...]
    passages: tuple[Passage, ...]


class Lifecycle(Registering):
    """Deeds of the lifecycle: evidence, sign-offs, gates."""

    # ---- gates

    def gate(self, system_id: str, to: Status | None = None) -> Gate:
        """Judge the way from where a system stands to a stage; to the next one, if none is given.

        Raises:
            NotFound: There is no such system.
            Conflict: The stage has no gate.
        """
        with self._sql.read() as tx:
            return self._gate(tx, found_system(tx, system_id), to)

    def life(self, system_id: str, to: Status | None = None) -> LifeFile:
        """Return everything about a system's life.

        Raises:
            NotFound: There is no such system.
            Conflict: The stage has no gate.
        """
        with self._sql.read() as tx:
            system = found_system(tx, system_id)
            return LifeFile(
                system=system,
                gate=self._gate(tx, system, to),
                evidence=store.lifecycle.of_system(tx, system_id),
                sign_offs=store.lifecycle.sign_offs(tx, system_id),
                passages=store.lifecycle.passages(tx, system_id),
            )

    def move(self, system_id: str, cmd: Move, *, by: Actor) -> System:
        """Move a system to another stage: on through every gate on the way, back or down without one.

        Raises:
            NotFound: There is no such system.
            Conflict: The stage may not follow, or a gate is shut; the problem says exactly what is missing.
            Invalid: There is no reason.
        """
        reason = line(cmd.reason, "reason", Text(zh="理由", en="reason"), limit=decide.TEXT_LIMIT, is_required=True)
        with self._sql.begin() as tx:
            self._one_at_a_time(tx, system_id)
            system = found_system(tx, system_id)
            gates.hold_may_follow(self.road, system.status, cmd.to)
            if not gates.is_forward(self.road, system.status, cmd.to):
                return self._put(tx, system, cmd.to, reason, by)
            found = self._gate(tx, system, cmd.to)
            gates.hold_passes(found)
            moved = self._put(
                tx,
                system,
                cmd.to,
                reason,
                by,
                facts_version=found.facts_version,
                asks=found.reason,
                provisional=found.provisional,
            )
            store.lifecycle.use_sign_offs(tx, found.sign_offs, self._clock())
        return moved

    def review_provision(self, system_id: str, *, by: Actor) -> System:
        """Say anew whether a system in service rests on claims alone.

        Raises:
            NotFound: There is no such system.
        """
        with self._sql.begin() as tx:
            self._one_at_a_time(tx, system_id)
            return self._review(tx, found_system(tx, system_id), by)

    # ---- evidence

    def attest(self, system_id: str, cmd: Attest, *, by: Actor) -> Evidence:
        """State that a kind of evidence is there: signed, dated, expiring; shown as claimed until others vouch.

        Raises:
            NotFound: There is no such system.
            Invalid: The kind is not known, nobody named attests, there is no statement, or a day or digest is wrong.
            Conflict: The system is retired.
        """
        with self._sql.begin() as tx:
            self._one_at_a_time(tx, system_id)
            system, record = found_system(tx, system_id), self._facts_version(tx, system_id)
            unsigned = decide.attest(
                system,
                cmd,
                road=self.road,
                known=frozenset(self._rules.shipped.base.evidence),
                facts_version=record,
                today=self._clock().date(),
                new_id=self._new_id("evd"),
                by=by,
            )
            evidence = replace(unsigned, note=self._noted(decide.claim(unsigned)))
            store.lifecycle.add_evidence(tx, evidence)
            self._ledger.append(tx, decide.attested(evidence, _sha256(evidence.note)), by=by)
            self._review(tx, system, by)
        return evidence

    def issue(self, system_id: str, cmd: Attest, *, by: Actor) -> Evidence:
        """Give evidence about somebody else's system, as an association, assessor or authority.

        Raises:
            NotFound: There is no such system.
            Refused: They act for the systems' own side, or have no single such capacity.
            Invalid: The kind is not known, there is no statement, or a day or digest is wrong.
            Conflict: The system is retired.
        """
        decide.hold_outside(by)
        return self.attest(system_id, cmd, by=by)

    def vouch(self, evidence_id: str, cmd: VouchFor, *, by: Actor) -> Evidence:
        """Stand for evidence that somebody else attested, as an association, assessor or authority.

        Raises:
            NotFound: There is no such evidence.
            Refused: It is their own, or they have no such capacity.
            Conflict: It does not count any more, or they stand for it already.
            Invalid: It is not said in which capacity, or on what grounds.
        """
        with self._sql.begin() as tx:
            system = self._about_evidence(tx, evidence_id)
            evidence = _found(tx, evidence_id)
            vouch, event = decide.vouch(evidence, cmd, at=self._clock(), by=by)
            store.lifecycle.add_vouch(tx, evidence_id, vouch)
            self._ledger.append(tx, event, by=by)
            self._review(tx, system, by)
        return replace(evidence, vouched=(*evidence.vouched, vouch))

    def withdraw(self, evidence_id: str, cmd: Withdraw, *, by: Actor) -> Evidence:
        """Take evidence back: from now on it does not count.

        Raises:
            NotFound: There is no such evidence.
            Conflict: It was taken back before.
            Invalid: There is no reason.
        """
        at = self._clock()
        with self._sql.begin() as tx:
            system = self._about_evidence(tx, evidence_id)
            evidence, event = decide.withdraw(_found(tx, evidence_id), cmd, at=at)
            store.lifecycle.withdraw(tx, evidence_id, at)
            self._ledger.append(tx, event, by=by)
            self._review(tx, system, by)
        return evidence

    def evidence(self, evidence_id: str) -> Evidence:
        """Return one piece of evidence.

        Raises:
            NotFound: There is none of that id.
        """
        with self._sql.read() as tx:
            return _found(tx, evidence_id)

    def expiring(self, *, system_id: str = "") -> tuple[Evidence, ...]:
        """Return evidence whose end is near or was in the last year, soonest first, at most 1000 pieces.

        Args:
            system_id: Only this system's; empty for all.
        """
        today = self._clock().date()
        since, until = today - timedelta(days=366), today + timedelta(days=self.road.tell_days_before)
        with self._sql.read() as tx:
            return store.lifecycle.ending(tx, since, until, EXPIRING_SHOWN, system_id)

    # ---- sign-offs

    def sign_off(self, system_id: str, cmd: SignGate, *, by: Actor) -> SignOff:
        """Sign off a gate under the facts as they are; it lapses when they change, and opens the gate once.

        Raises:
            NotFound: There is no such system.
            Conflict: No facts are on record, or the system is retired.
            Invalid: The gate asks for no signature, or not of this person.
        """
        with self._sql.begin() as tx:
            self._one_at_a_time(tx, system_id)
            unsigned = decide.sign_gate(
                found_system(tx, system_id),
                cmd,
                road=self.road,
                facts_version=self._facts_version(tx, system_id),
                new_id=self._new_id("sgn"),
                at=self._clock(),
                by=by,
            )
            word = replace(unsigned, note=self._noted(decide.signature(unsigned)))
            store.lifecycle.add_sign_off(tx, word)
            self._ledger.append(tx, decide.signed_off(word, _sha256(word.note)), by=by)
        return word

    # ---- inside

    def _review(self, tx: sa.Connection, system: System, by: Actor) -> System:
        if system.status is not Status.IN_SERVICE:
            return system
        reviewed = decide.review(system, self._gate(tx, system, Status.IN_SERVICE))
        if reviewed is None:
            return system
        changed, event = reviewed
        store.register.save_system(tx, changed)
        self._ledger.append(tx, event, by=by)
        return changed

    def _about_evidence(self, tx: sa.Connection, evidence_id: str) -> System:
        """The system a piece of evidence is about, with nothing coming between."""
        system_id = _found(tx, evidence_id).system_id
        self._one_at_a_time(tx, system_id)
        return found_system(tx, system_id)

    def _noted(self, said: Mapping[str, Any]) -> str:
        return self._tools.sign(f"{canonical(dict(said)).decode()}\n")


def _found(tx: sa.Connection, evidence_id: str) -> Evidence:
    evidence = store.lifecycle.evidence_by_id(tx, evidence_id)
    if evidence is None:
        raise NotFound(
            what=Text(zh=f"没有证据 {evidence_id}。", en=f"There is no evidence {evidence_id}."),
            hint=Text(zh="请在系统的关口页面查找。", en="Look it up on the system's page about its gates."),
        )
    return evidence


def _sha256(note: str) -> str:
    return sha256(note.encode()).hexdigest()
