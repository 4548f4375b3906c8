"""Deeds that compare: what new facts re-open, what they would re-open, and putting former facts back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide import changes as decide
from safebelt.rooms.registry.decide.touching import Files, Holding, Side, is_fresh
from safebelt.rooms.registry.model import System
from safebelt.rooms.registry.model.changes import (
    Change,
    ChangeRules,
    Difference,
    Preview,
    Reopened,
    Trigger,
)
from safebelt.rooms.registry.model.lifecycle import Evidence
from safebelt.rooms.registry.model.road import Seen
from safebelt.rooms.registry.packs.changes import Known, open_changes
from safebelt.rooms.registry.service.base import found_system
from safebelt.rooms.registry.service.lifecycle import Lifecycle
from safebelt.rooms.rulebook.model import Description
from safebelt.rooms.rulebook.model.deeds import OnRecord

_TRIES = 5
"""How often a deed looks again because somebody else changed the same system meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A system as it was when somebody looked, outside any transaction.

    Attributes:
        record: The facts on record; None where there are none.
        files: Its evidence, with the facts each piece was made under.
    """

    system: System
    record: OnRecord | None
    files: Files

    @property
    def version(self) -> int:
        """The facts it was seen with."""
        return self.record.version if self.record else 0


_PLACES = "market.jurisdictions"
"""The fact whose options are the places the law speaks of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LawWords:
    """What people call what the law speaks of, by id; a page shows words, never bare ids.

    Attributes:
        evidence, norms, facts: Titles.
        classes: `<instrument>.<class>` to its title.
        instruments: Short titles.
        options: Fact to what its options are called, by id; empty for a fact without options.
    """

    evidence: Mapping[str, Text]
    norms: Mapping[str, Text]
    facts: Mapping[str, Text]
    classes: Mapping[str, Text]
    instruments: Mapping[str, Text]
    options: Mapping[str, Mapping[str, Text]]

    def place(self, jurisdiction: str) -> Text:
        """Return what people call a jurisdiction."""
        return self.options.get(_PLACES, {}).get(jurisdiction, Text(zh=jurisdiction, en=jurisdiction))


class _LookAgainError(Exception):
    """Somebody changed the system between the look and the deed."""


class Comparing(Lifecycle):
    """Deeds that compare facts with facts; a preview leaves nothing behind."""

    @cached_property
    def change_rules(self) -> ChangeRules:
        """What belongs to which kind of change, and what it re-opens: `registry/changes.yaml`."""
        base = self._rules.shipped.base
        known = Known(facts=frozenset(base.facts), evidence=frozenset(base.evidence), norms=frozenset(base.norms))
        return open_changes(self._tools.folder, known)

    def describe(self, system_id: str, source: str, *, by: Actor) -> OnRecord:
        """Put a system's facts on record, and what they change; what they bar from service is suspended at once.

        Args:
            system_id: Which.
            source: Its descriptor, YAML or JSON, in the form `system/1`.
            by: Who does.

        Raises:
            NotFound: There is no such system.
            Invalid: The descriptor cannot be read; every finding with its line.
            Conflict: These very facts are on record, or the system is retired.
        """
        return self._describe(system_id, self._rules.read(source), by)

    def put_back(self, system_id: str, version: int, *, by: Actor) -> OnRecord:
        """Put former facts back: a new description, the same as an earlier one.

        Raises:
            NotFound: There is no such system, or it has no description of that number.
            Conflict: These very facts are on record, or the system is retired.
        """
        self.system(system_id)
        return self._describe(system_id, self._rules.version(system_id, version).description, by)

    def preview(self, system_id: str, source: str) -> Preview:
        """Return what facts would re-open.  It is private: nothing is put on record, nothing goes to the ledger.

        Raises:
            NotFound: There is no such system.
            Invalid: The descriptor cannot be read; every finding with its line.
        """
        facts, look = self._rules.read(source).values(), self._look(system_id)
        before, after = self._sides(look, facts)
        found = after.judgment.findings.values()
        return Preview(
            system_id=system_id,
            version=look.version,
            difference=decide.compare(self._setting(look.files), before, after),
            barred_by=tuple(one.norm.id for one in found if one.norm.red_line and one.is_established),
        )

    def changes(self, system_id: str) -> tuple[Change, ...]:
        """Return what changed and what it re-opened, latest first, at most 200.

        Raises:
            NotFound: There is no such system.
        """
        with self._sql.read() as tx:
            return store.changes.of_system(tx, found_system(tx, system_id).id)

    def change(self, change_id: str) -> Change:
        """Return one change.

        Raises:
            NotFound: There is none of that id.
        """
        with self._sql.read() as tx:
            found = store.changes.by_id(tx, change_id)
        if found is None:
            raise NotFound(
                what=Text(zh=f"没有变更记录 {change_id}。", en=f"There is no change {change_id} on record."),
                hint=Text(zh="请在系统的变更页面查找。", en="Look it up on the system's page of changes."),
            )
        return found

    def reopened(self, system_id: str, *, on: date | None = None) -> tuple[Reopened, ...]:
        """Return how everything that changes of a system re-opened stands, latest change first.

        Nothing of it is stored: it follows from the facts, the law and the evidence as they are.

        Args:
            system_id: Which.
            on: The day; today, if none is given.

        Raises:
            NotFound: There is no such system.
        """
        changes, look = self.changes(system_id), self._look(system_id)
        if not changes or look.record is None:
            return ()
        day = on or self._clock().date()
        now = self._side(look.system, look.record.description.values(), day)
        setting = replace(self._setting(look.files, day), stage=look.system.status)
        return decide.standings(setting, changes, now)

    def to_do(self, system_id: str, *, on: date | None = None) -> tuple[Reopened, ...]:
        """Return what changes left to do: each kind of evidence once, with its soonest day.

        Raises:
            NotFound: There is no such system.
        """
        return decide.still_to_do(self.reopened(system_id, on=on))

    def stale(self, system_id: str) -> tuple[Evidence, ...]:
        """Return the evidence that is valid by its dates and does not show the system as it is now.

        Raises:
            NotFound: There is no such system.
        """
        look, day = self._look(system_id), self._clock().date()
        if look.record is None:
            return ()
        return decide.stale_pieces(
            self._setting(look.files, day), self._side(look.system, look.record.description.values(), day)
        )

    def law_words(self) -> LawWords:
        """Return what people call what the law of today speaks of."""
        text = self._rules.text()
        return LawWords(
            evidence={name: one.title for name, one in text.evidence.items()},
            norms={name: one.title for name, one in text.norms.items()},
            facts={name: one.label for name, one in text.facts.items()},
            classes={
                f"{name}.{one.id}": one.title
                for name, instrument in text.instruments.items()
                for one in instrument.classes
            },
            instruments={name: one.short for name, one in text.instruments.items()},
            options={name: {each.id: each.label for each in one.options} for name, one in text.facts.items()},
        )

    # ---- inside

    def _describe(self, system_id: str, description: Description, by: Actor) -> OnRecord:
        for _ in range(_TRIES):
            look = self._look(system_id)
            found = self._compared(look, description)
            try:
                return self._described(look, description, found, by)
            except _LookAgainError:
                continue
        raise Conflict(
            what=Text(zh="该系统正被他人反复修改。", en="The system is being changed by others all the time."),
            hint=Text(zh="请稍后再试。", en="Try again in a moment."),
        )

    def _compared(self, look: Look, description: Description) -> Difference | None:
        """What a description changes; None where it is the first, which changes nothing."""
        if look.record is None:
            return None
        before, after = self._sides(look, description.values())
        return decide.compare(self._setting(look.files), before, after)

    def _described(self, look: Look, description: Description, found: Difference | None, by: Actor) -> OnRecord:
        with self._sql.begin() as tx:
            self._one_at_a_time(tx, look.system.id)
            record = self._describe_within(tx, look.system.id, description, by)
            if record.version != look.version + 1 or not _is_as_seen(tx, look):
                raise _LookAgainError
            if found is not None:
                versions = (look.version, record.version)
                self._keep(tx, look.system.id, f"facts:{record.version}", found, by=by, versions=versions)
        return record

    def _keep(
        self,
        tx: sa.Connection,
        system_id: str,
        mark: str,
        found: Difference,
        *,
        trigger: Trigger = Trigger.FACTS,
        by: Actor,
        versions: tuple[int, int],
    ) -> Change:
        """Put a change on record, with its entry on the ledger."""
        at = self._clock()
        change = Change(
            id=self._new_id("chg"),
            system_id=system_id,
            trigger=trigger,
            at=at,
            on=at.date(),
            before_version=versions[0],
            version=versions[1],
            by=by.id,
            difference=found,
        )
        store.changes.add(tx, change, mark)
        self._ledger.append(tx, decide.event(change), by=by)
        return change

    def _look(self, system_id: str) -> Look:
        """Look at a system; the judging that follows holds no transaction open."""
        with self._sql.read() as tx:
            system = found_system(tx, system_id)
            pieces = store.lifecycle.of_system(tx, system_id)
        record = self._rules.on_record(system_id)
        return Look(system=system, record=record, files=self._files(system_id, record, pieces))

    def _files(self, system_id: str, record: OnRecord | None, pieces: Iterable[Evidence]) -> Files:
        kept = tuple(pieces)
        facts: dict[int, Mapping[str, Any]] = {0: {}}
        if record is not None:
            facts[record.version] = record.description.values()
        for version in {one.facts_version for one in kept} - facts.keys():
            facts[version] = self._rules.version(system_id, version).description.values()
        return Files(pieces=tuple(Holding(evidence=one, facts=facts[one.facts_version]) for one in kept))

    def _sides(self, look: Look, facts: Mapping[str, Any]) -> tuple[Side, Side]:
        day = self._clock().date()
        before = look.record.description.values() if look.record else {}
        return self._side(look.system, before, day), self._side(look.system, facts, day)

    def _side(self, system: System, facts: Mapping[str, Any], on: date) -> Side:
        judgment, _ = self._rules.judge(self._with_covenants(system, facts, on), on=on)
        return Side(facts=facts, judgment=judgment)

    def _with_covenants(self, system: System, facts: Mapping[str, Any], on: date) -> Mapping[str, Any]:
        """The facts with the covenants that bind the provider: what a party adopted here counts as known."""
        binding = {
            one.covenant
            for one in self._rules.commitments(party=system.provider_id)
            if one.since <= on and (one.until is None or on < one.until)
        }
        return {**facts, "party.covenants": tuple(sorted(binding))} if binding else facts

    def _setting(self, files: Files, on: date | None = None) -> decide.Setting:
        return decide.Setting(rules=self.change_rules, road=self.road, files=files, on=on or self._clock().date())

    def _seen(self, tx: sa.Connection, system: System) -> Seen:
        """What a gate looks at, without evidence that no longer shows the system as it is: that opens no gate."""
        seen = super()._seen(tx, system)
        older = {one.facts_version for found in seen.held.values() for one in found} - {seen.facts_version}
        judged = self._rules.judged_within(tx, system.id, party=system.provider_id) if older else None
        if judged is None:
            return seen
        facts = self._rules.facts_within(tx, system.id, older)
        facts[judged.record.version] = judged.record.description.values()
        now = Side(facts=facts[judged.record.version], judgment=judged.judgment)
        fresh = {
            kind: tuple(
                one
                for one in found
                if is_fresh(self.change_rules, Holding(evidence=one, facts=facts.get(one.facts_version, {})), now)
            )
            for kind, found in seen.held.items()
        }
        return replace(seen, held={kind: found for kind, found in fresh.items() if found})


def _is_as_seen(tx: sa.Connection, look: Look) -> bool:
    """Whether the evidence is what it was when somebody looked."""
    seen = [one.evidence for one in look.files.pieces]
    return [replace(one, vouched=()) for one in store.lifecycle.of_system(tx, look.system.id)] == [
        replace(one, vouched=()) for one in seen
    ]
