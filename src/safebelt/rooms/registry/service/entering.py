"""The work of an import: enter one part of it, remember it by one entry, and take a part out again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from safebelt.kernel import merkle
from safebelt.kernel.actors import Actor
from safebelt.rooms.registry import decide, store
from safebelt.rooms.registry.decide import imports as judge
from safebelt.rooms.registry.model import Party, PartyRole, RegisterParty, System
from safebelt.rooms.registry.model.imports import Batch, Form, Item, Known, Outcome, Planned, Record, State, Wish
from safebelt.rooms.registry.model.imports_events import SystemsImported
from safebelt.rooms.registry.model.search import SOURCE, Judged
from safebelt.rooms.registry.service.searching import Searching
from safebelt.rooms.registry.store import entering
from safebelt.rooms.rulebook.model import Description
from safebelt.rooms.rulebook.service.crowds import Weighed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entered:
    """What one part of an import puts into the register."""

    parties: tuple[Party, ...]
    systems: Mapping[int, System]
    weighed: Mapping[int, Weighed]
    digests: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of an import, worked out: what is still to be written of it, and what later parts must know.

    Attributes:
        before: Records of the batch dealt with before it.
        batch: The batch as it stands after it.
        event: What the ledger remembers of it.
        leaves: What the event's root commits to: subject and canonical JSON.
        items: Rows of its records, which lack the id of the ledger's entry.
        entered: What later parts must know of it.
    """

    before: int
    batch: Batch
    event: SystemsImported
    leaves: Sequence[tuple[str, str]]
    items: Sequence[tuple[Any, ...]]
    entered: Known


class Entering(Searching):
    """Enters parts of an import and takes them out, each inside the caller's transaction."""

    def _draft_part(self, tx: sa.Connection, batch: Batch, records: Sequence[Record], known: Known, by: Actor) -> Part:
        """Work out one part, and insert what it enters but for what names the ledger's entry of it.

        Args:
            tx: The caller's transaction; where it only drafts, what is inserted is put in later.
            batch: Whose part.
            records: Those that follow the ones it has dealt with.
            known: What the register holds of these records already, or will when the parts before are written.
            by: Who imports.
        """
        planned = judge.plan(records, known, wish_of(batch), start=batch.done)
        fresh = [one for one in planned if one.outcome is Outcome.NEW]
        entered = self._enter_import(tx, fresh, known, batch.form, by)
        leaves = self._leaves_of_part(tx, batch, planned, entered)
        items = [_item(batch.id, one, entered) for one in planned]
        return Part(
            before=batch.done,
            batch=_after(batch, items, entered),
            event=_event(batch, planned, entered, leaves),
            leaves=leaves,
            items=entering.item_rows(items, records),
            entered=judge.entered(planned, entered.systems, entered.parties),
        )

    def _finish_part(self, tx: sa.Connection, part: Part, by: Actor) -> Batch:
        """Remember a part by one entry, and insert what names that entry."""
        entry_id = self._ledger.append(tx, part.event, by=by)
        entering.add_leaves(tx, part.batch.id, entry_id, part.leaves)
        entering.add_items(tx, part.items, entry_id)
        store.imports.save_batch(tx, part.batch)
        return part.batch

    def _enter_import(
        self, tx: sa.Connection, fresh: Sequence[Planned], known: Known, form: Form, by: Actor
    ) -> _Entered:
        parties, ids = self._parties_of_import(fresh, known)
        at = self._clock()
        made = ((one.place, judge.entering(one, new_id=self._new_id("sys"), parties=ids, at=at)) for one in fresh)
        systems = {place: system for place, system in made if system is not None}
        names = {**known.names, **{one.id: one.name for one in parties}}
        entering.add_many(tx, parties, list(systems.values()), names)
        described = [(systems[one.place].id, _description(one.record)) for one in fresh if one.record.facts]
        digests = self._rules.describe_new(tx, described, by=by)
        asked = [(values_of(one.record), systems[one.place].provider_id) for one in fresh]
        weighed = dict(zip(systems, self._rules.weigh(tx, asked), strict=True))
        store.search.add_labels(tx, [(SOURCE, form.value, one.id) for one in systems.values()])
        # of a system without facts nothing is known anywhere: a label in every instrument would find everybody
        judged = {systems[one.place].id: weighed[one.place] for one in fresh if one.record.facts}
        store.search.set_judged(tx, _looked_up(judged), is_new=True)
        return _Entered(parties=parties, systems=systems, weighed=weighed, digests=digests)

    def _parties_of_import(self, fresh: Sequence[Planned], known: Known) -> tuple[tuple[Party, ...], dict[str, str]]:
        """Parties that the records name and the register does not have; and every name's id."""
        ids, roles, kinds = dict(known.parties), dict[str, set[PartyRole]](), {}
        for one in fresh:
            for name, role in ((one.record.provider, PartyRole.PROVIDER), (one.record.deployer, PartyRole.DEPLOYER)):
                if name and name not in ids:
                    roles.setdefault(name, set()).add(role)
                    kinds[name] = one.record.party_kind
        made = []
        for name, found in roles.items():
            command = RegisterParty(name=name, kind=kinds[name], roles=tuple(found))
            party, _ = decide.register_party(command, new_id=self._new_id("pty"), at=self._clock())
            made.append(party)
            ids[name] = party.id
        return tuple(made), ids

    def _leaves_of_part(
        self, tx: sa.Connection, batch: Batch, planned: Sequence[Planned], entered: _Entered
    ) -> list[tuple[str, str]]:
        """Every party and system that enters, with what the root commits to of it."""
        salt = store.imports.files_and_salt(tx, batch.id)[1]
        records = {one.place: one.record for one in planned}
        bodies = [(one.id, judge.leaf_of_party(one, salt)) for one in entered.parties]
        bodies += [
            (one.id, judge.leaf_of_system(one, records[place].sha256, entered.digests.get(one.id, ""), salt))
            for place, one in entered.systems.items()
        ]
        return [(subject, judge.leaf_text(body)) for subject, body in bodies]

    def _undo_import_part(
        self,
        tx: sa.Connection,
        batch: Batch,
        part: Sequence[Item],
        *,
        untouched: frozenset[str],
        reason: str,
        by: Actor,
    ) -> Batch:
        ids = [one.system_id for one in part]
        held = store.imports.touched(tx, ids)
        held |= self._rules.described_since(tx, ids, frozenset(one.system_id for one in part if one.facts))
        out = [one for one in ids if one in untouched and one not in held]
        self._rules.take_out(tx, out)
        parties = store.imports.take_out(tx, batch.id, out)
        self._ledger.append(tx, judge.undone(batch, reason, out, kept=len(ids) - len(out), parties=parties), by=by)
        counts = dict(batch.counts)
        counts[Outcome.ENTERED.value] = counts.get(Outcome.ENTERED.value, 0) - len(out)
        counts[Outcome.TAKEN_OUT.value] = counts.get(Outcome.TAKEN_OUT.value, 0) + len(out)
        return replace(batch, counts=counts)


def wish_of(batch: Batch) -> Wish:
    """Return how somebody wanted a batch to be imported."""
    return Wish(
        form=batch.form,
        mapping=batch.mapping,
        provider=batch.provider,
        takes_likely=batch.takes_likely,
        chosen=batch.chosen,
    )


def values_of(record: Record) -> dict[str, object]:
    """Return fact id to value, which is what judgments take."""
    return {name: one.value for name, one in record.facts.items()}


def _looked_up(judged: Mapping[str, Weighed]) -> dict[str, Judged]:
    """What systems are looked up by, system by system; those judged alike share it."""
    kinds = {id(one): one for one in judged.values()}
    shared = {key: Judged(classes=one.classes, red_lines=one.barred_by) for key, one in kinds.items()}
    return {system_id: shared[id(one)] for system_id, one in judged.items()}


def _description(record: Record) -> Description:
    return Description(
        id=record.ref[:100] or "imported",
        name=record.name,
        purpose=record.purpose,
        sources=record.sources,
        facts=record.facts,
    )


def _event(
    batch: Batch, planned: Sequence[Planned], entered: _Entered, leaves: Sequence[tuple[str, str]]
) -> SystemsImported:
    return judge.imported(
        batch,
        planned,
        [merkle.leaf_hash(body.encode()) for _, body in leaves],
        parties=len(entered.parties),
        described=len(entered.digests),
        barred=sum(1 for one in entered.weighed.values() if one.barred_by),
    )


def _after(batch: Batch, items: Sequence[Item], entered: _Entered) -> Batch:
    """Return where a batch stands when these records are dealt with."""
    done = batch.done + len(items)
    return replace(
        batch,
        done=done,
        state=State.DONE if done >= batch.total else State.RUNNING,
        counts=judge.summed(batch.counts, (one.outcome.value for one in items)),
        classes=judge.classes_summed(batch.classes, (one.classes for one in entered.weighed.values())),
        barred=batch.barred + sum(1 for one in entered.weighed.values() if one.barred_by),
    )


def _item(batch_id: str, one: Planned, entered: _Entered) -> Item:
    system, weighed = entered.systems.get(one.place), entered.weighed.get(one.place)
    return Item(
        batch_id=batch_id,
        place=one.place,
        where=one.record.where,
        outcome=Outcome.ENTERED if system else one.outcome,
        name=one.record.name.en,
        provider=one.record.provider,
        ref=one.record.ref,
        said=one.record.said,
        why=one.why,
        notes=one.record.notes,
        system_id=system.id if system else one.system_id,
        facts=len(one.record.facts) if system else 0,
        classes=weighed.classes if weighed else {},
        barred_by=weighed.barred_by if weighed else (),
        extras=one.record.extras,
        entry_id="",
    )
