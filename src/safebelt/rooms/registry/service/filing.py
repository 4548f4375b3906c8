"""Deeds that fill forms from what is on record."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Invalid, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide import forms as judge
from safebelt.rooms.registry.exports import forms as writers
from safebelt.rooms.registry.model import PERSON_ROLES, STATUSES, Party, PersonRole, System
from safebelt.rooms.registry.model.forms import (
    FilingRecord,
    FilingState,
    FilledForm,
    FormSpec,
    Known,
    Material,
    Receive,
)
from safebelt.rooms.registry.model.lifecycle import Attest
from safebelt.rooms.registry.packs.forms import read_forms
from safebelt.rooms.registry.service.base import found_system
from safebelt.rooms.registry.service.lifecycle import Lifecycle
from safebelt.rooms.rulebook.model import Fact, FactType
from safebelt.rooms.rulebook.model.deeds import OnRecord

FILINGS_SHOWN = 100
CLAIM_DAYS = 366
"""How long a number received counts as claimed evidence unless somebody says otherwise: the longest a claim may run."""
_FROM_FACTS = 200


class Filing(Lifecycle):
    """Deeds that fill forms from what is on record."""

    @property
    def forms(self) -> Mapping[str, FormSpec]:
        """Every form this house can fill, by its id."""
        return read_forms(self._tools.folder / "forms")

    def form(self, form_id: str) -> FormSpec:
        """Return one form.

        Raises:
            NotFound: There is none of that id.
        """
        found = self.forms.get(form_id)
        if found is None:
            raise NotFound(
                what=Text(zh=f"没有表单“{form_id}”。", en=f"There is no form {form_id!r}."),
                hint=Text(zh=f"现有：{'、'.join(self.forms)}。", en=f"There is: {', '.join(self.forms)}."),
            )
        return found

    def filled(self, system_id: str, form_id: str) -> FilledForm:
        """Fill a form from what is on record, and say what is missing; nothing is recorded.

        Raises:
            NotFound: There is no such system or form.
        """
        spec, record = self.form(form_id), self._rules.on_record(system_id)
        with self._sql.read() as tx:
            material = self._material(tx, found_system(tx, system_id), form_id, record)
        return judge.fill(spec, material)

    def answer_form(self, system_id: str, form_id: str, answers: Mapping[str, str], *, by: Actor) -> FilledForm:
        """Keep what somebody writes into a form; a draft, on no ledger until it is filed.

        Raises:
            NotFound: There is no such system or form.
            Invalid: The form has no such field, or an answer is too long.
        """
        written = judge.hold_answers(self.form(form_id), answers)
        with self._sql.begin() as tx:
            found_system(tx, system_id)
            store.forms.put_answers(tx, system_id, form_id, written, by=by.id, at=self._clock())
        return self.filled(system_id, form_id)

    def file_form(self, system_id: str, form_id: str, *, by: Actor, is_submitted: bool = False) -> FilingRecord:
        """Record that a filing was produced, or that it was submitted; its digest goes to the ledger.

        Raises:
            NotFound: There is no such system or form.
            Invalid: It is said to be submitted although something required is missing.
        """
        form = self.filled(system_id, form_id)
        body = writers.as_json(form)
        record, event = judge.file_form(
            form,
            body=body,
            digest=sha256(body.encode()).hexdigest(),
            new_id=self._new_id("fil"),
            by=by.id,
            at=self._clock(),
            is_submitted=is_submitted,
        )
        with self._sql.begin() as tx:
            store.forms.add(tx, record)
            self._ledger.append(tx, event, by=by)
        return record

    def receive_number(self, filing_id: str, cmd: Receive, *, by: Actor) -> FilingRecord:
        """Record the number a filing received; it becomes evidence that is claimed until an authority vouches.

        Whoever is accountable for the system attests; where nobody is named, the number is kept and no evidence made.

        Raises:
            NotFound: There is no such filing.
            Conflict: It has a number.
            Invalid: There is no number, or its day is still to come.
        """
        today = self._clock().date()
        with self._sql.begin() as tx:
            record = self._found_filing(tx, filing_id)
            self._one_at_a_time(tx, record.system_id)
            record = self._found_filing(tx, filing_id)
            event = judge.receive(record, cmd, today=today)
            record = replace(record, number=event.number, received_on=event.received_on, state=FilingState.NUMBERED)
            store.forms.save(tx, record)
            self._ledger.append(tx, event, by=by)
        return self._claimed(record, cmd, by)

    def filings(self, system_id: str) -> tuple[FilingRecord, ...]:
        """Return a system's filings, newest first, at most 100."""
        with self._sql.read() as tx:
            return store.forms.of_system(tx, system_id, FILINGS_SHOWN)

    def filing(self, filing_id: str) -> FilingRecord:
        """Return one filing.

        Raises:
            NotFound: There is none of that id.
        """
        with self._sql.read() as tx:
            return self._found_filing(tx, filing_id)

    def _claimed(self, record: FilingRecord, cmd: Receive, by: Actor) -> FilingRecord:
        """Turn a number into claimed evidence, where somebody stands who can attest it."""
        kind = self.form(record.form).evidence
        people = self.system(record.system_id).current(PersonRole.ACCOUNTABLE)
        if not kind or not people:
            return record
        expires = cmd.expires_on or self._clock().date() + timedelta(days=CLAIM_DAYS)
        says = f"{self.form(record.form).title.en}: {record.number} ({record.received_on})"
        claim = Attest(kind=kind, statement=says, expires_on=expires, person_id=people[0].id, digest=record.digest)
        try:
            evidence = self.attest(record.system_id, claim, by=by)
        except Invalid:
            return record  # the number stays on record; the page says that no evidence was made of it
        record = replace(record, evidence_id=evidence.id)
        with self._sql.begin() as tx:
            store.forms.save(tx, record)
        return record

    def _found_filing(self, tx: sa.Connection, filing_id: str) -> FilingRecord:
        found = store.forms.by_id(tx, filing_id)
        if found is None:
            raise NotFound(
                what=Text(zh=f"没有备案 {filing_id}。", en=f"There is no filing {filing_id}."),
                hint=Text(zh="请在该系统的备案中查找。", en="Look it up among the system's filings."),
            )
        return found

    # --- what is on record, by the names forms ask with ---------------------------------------------------------

    def _material(self, tx: sa.Connection, system: System, form_id: str, record: OnRecord | None) -> Material:
        today = self._clock().date()
        values = dict(_of_system(system))
        for name, party_id in (("provider", system.provider_id), ("deployer", system.deployer_id)):
            values |= _of_party(name, store.register.party_by_id(tx, party_id) if party_id else None)
        values |= {
            f"identifier.{one.scheme.value}": Known(raw=one.value)
            for one in reversed(store.identity.of(tx, system.provider_id))
        }
        values |= _of_facts(record, self._rules.rulebook_within(tx).base.facts)
        held = store.lifecycle.held(tx, system.id, today)
        values |= {f"evidence.{kind}": Known(raw=found[0].statement) for kind, found in held.items() if found}
        values |= _of_things(store.things.links_of(tx, system.id))
        current = store.things.current_version(tx, system.id)
        if current is not None:
            values["system.release"] = Known(raw=current.label)
        values |= _of_import(store.imports.of_system(tx, system.id), system)
        return Material(
            system_id=system.id, on=today, values=values, answers=store.forms.answers(tx, system.id, form_id)
        )


def _of_system(system: System) -> Iterator[tuple[str, Known]]:
    yield "system.id", Known(raw=system.id)
    yield "system.name", Known(raw=system.name.en, label=system.name)
    yield "system.name_zh", Known(raw=system.name.zh)
    yield "system.purpose", Known(raw=system.purpose.en, label=system.purpose)
    yield "system.purpose_zh", Known(raw=system.purpose.zh)
    yield "system.status", Known(raw=system.status.value, label=STATUSES[system.status])
    for role in PersonRole:
        for person in system.current(role)[:1]:
            both = f"{person.name} ({person.contact})" if person.contact else person.name
            yield f"person.{role.value}", Known(raw=f"{both}, {PERSON_ROLES[role].en}")
            yield f"person.{role.value}.name", Known(raw=person.name)
            if person.contact:
                yield f"person.{role.value}.contact", Known(raw=person.contact)


def _of_party(name: str, party: Party | None) -> dict[str, Known]:
    if party is None:
        return {}
    found = {f"{name}.name": party.name, f"{name}.contact": party.contact, f"{name}.id": party.id}
    return {key: Known(raw=value) for key, value in found.items() if value}


def _of_facts(record: OnRecord | None, vocabulary: Mapping[str, Fact]) -> dict[str, Known]:
    if record is None:
        return {}
    facts = record.description.facts
    return {
        f"fact.{name}": Known(raw=_raw(one.value), label=_label(vocabulary.get(name), one.value))
        for name, one in facts.items()
    }


def _raw(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _label(fact: Fact | None, value: Any) -> Text | None:
    """A fact's value in words."""
    if fact is not None and fact.type is FactType.YES_NO:
        return Text(zh="是", en="yes") if value else Text(zh="否", en="no")
    if fact is None or not fact.options:
        return None
    titles = {one.id: one.label for one in fact.options}
    found = [titles[one] for one in (value if isinstance(value, tuple) else (value,)) if one in titles]
    if not found:
        return Text(zh="无", en="none")
    return Text(zh="、".join(one.zh for one in found), en=", ".join(one.en for one in found))


def _of_things(links: Any) -> dict[str, Known]:
    names: dict[str, list[str]] = {}
    for one in links:
        if one.link.until is None:
            names.setdefault(one.thing_kind.value, []).append(one.thing_name.en)
    return {f"thing.{kind}": Known(raw=found) for kind, found in names.items()}


def _of_import(item: Any, system: System) -> dict[str, Known]:
    """What the source of an imported system states, kept as it was."""
    if item is None:
        return {}
    found = {f"extra.{name}": Known(raw=value) for name, value in list(item.extras.items())[:_FROM_FACTS] if value}
    if item.said and system.status.value == "idea":
        found["said.status"] = Known(raw=item.said)
    return found
