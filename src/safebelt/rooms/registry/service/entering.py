"""The work of an import: enter one part of it, remember it by one entry, and take a part out again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from safebelt.kernel import merkle
from safebelt.kernel.actors import Actor
from safebelt.rooms.registry import decide, store
from safebelt.rooms.registry.decide import imports as judge
from safebelt.rooms.registry.model import Party, PartyRole, RegisterParty, System
from safebelt.rooms.registry.model.imports import Batch, Form, Item, Known, Outcome, Planned, Record, State, Wish
from safebelt.rooms.registry.model.search import SOURCE, Judged
from safebelt.rooms.registry.service.searching import Searching
from safebelt.rooms.registry.store import entering
from safebelt.rooms.rulebook.model import Description
from safebelt.rooms.rulebook.service.crowds import Weighed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entered:
    """What one part of an import put into the register."""

    parties: tuple[Party, ...]
    systems: Mapping[int, System]
    weighed: Mapping[int, Weighed]
    digests: Mapping[str, str]


class Entering(Searching):
    """Enters parts of an import and takes them out, each inside the caller's transaction."""

    def _import_part(self, tx: sa.Connection, batch: Batch, records: Sequence[Record], by: Actor) -> Batch:
        known = entering.known(tx, records)
        planned = judge.plan(records, known, wish_of(batch), start=batch.done)
        entered = self._enter_import(tx, [one for one in planned if one.outcome is Outcome.NEW], known, batch.form, by)
        entry_id = self._remember_import(tx, batch, planned, entered, by)
        items = [_item(batch.id, one, entered, entry_id) for one in planned]
        entering.add_items(tx, items, records)
        done = batch.done + len(records)
        return replace(
            batch,
            done=done,
            state=State.DONE if done >= batch.total else State.RUNNING,
            counts=judge.summed(batch.counts, (one.outcome.value for one in items)),
            classes=judge.classes_summed(batch.classes, (one.classes for one in entered.weighed.values())),
            barred=batch.barred + sum(1 for one in entered.weighed.values() if one.barred_by),
        )

    def _enter_import(
        self, tx: sa.Connection, fresh: Sequence[Planned], known: Known, form: Form, by: Actor
    ) -> _Entered:
        parties, ids = self._parties_of_import(fresh, known)
        at = self._clock()
        made = ((one.place, judge.entering(one, new_id=self._new_id("sys"), parties=ids, at=at)) for one in fresh)
        systems = {place: system for place, system in made if system is not None}
        party_ids = sorted({one for word in systems.values() for one in (word.provider_id, word.deployer_id) if one})
        names = entering.names_of(tx, party_ids) | {one.id: one.name for one in parties}
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

    def _remember_import(
        self, tx: sa.Connection, batch: Batch, planned: Sequence[Planned], entered: _Entered, by: Actor
    ) -> str:
        """Append the one entry of a part; its root commits to every party and system that entered."""
        salt = store.imports.files_and_salt(tx, batch.id)[1]
        records = {one.place: one.record for one in planned}
        bodies = [(one.id, judge.leaf_of_party(one, salt)) for one in entered.parties]
        bodies += [
            (one.id, judge.leaf_of_system(one, records[place].sha256, entered.digests.get(one.id, ""), salt))
            for place, one in entered.systems.items()
        ]
        leaves = [(subject, judge.leaf_text(body)) for subject, body in bodies]
        event = judge.imported(
            batch,
            planned,
            [merkle.leaf_hash(body.encode()) for _, body in leaves],
            parties=len(entered.parties),
            described=len(entered.digests),
            barred=sum(1 for one in entered.weighed.values() if one.barred_by),
        )
        entry_id = self._ledger.append(tx, event, by=by)
        entering.add_leaves(tx, batch.id, entry_id, leaves)
        return entry_id

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


def _item(batch_id: str, one: Planned, entered: _Entered, entry_id: str) -> Item:
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
        entry_id=entry_id if system else "",
    )
