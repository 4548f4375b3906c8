"""What a gate looks at, put together in one transaction: people, facts as judged, evidence, sign-offs."""

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from safebelt.kernel.text import Text
from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide import gates
from safebelt.rooms.registry.decide.demands import demands
from safebelt.rooms.registry.model import Status, System
from safebelt.rooms.registry.model.road import Gate, Road, Seen
from safebelt.rooms.registry.packs.lifecycle import open_road
from safebelt.rooms.registry.service.moving import Moving
from safebelt.rooms.rulebook.service.describing import Judged


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldKinds:
    """Kinds of evidence that are held for a system today.

    Attributes:
        all: Every kind, in the order of their ids.
        claimed: Those that nobody but the system's own side stands for.
    """

    all: tuple[str, ...]
    claimed: tuple[str, ...]


class Seeing(Moving):
    """Looks at systems as their gates do; changes nothing."""

    @property
    def road(self) -> Road:
        """The stages of a life and what their gates ask, as the data folder has them."""
        return open_road(self._tools.folder, frozenset(self._rules.shipped.base.evidence))

    def evidence_name(self, kind: str) -> Text:
        """Return what a kind of evidence is called; its id where the rulebook does not know it."""
        found = self._rules.shipped.base.evidence.get(kind)
        return found.title if found else Text(zh=kind, en=kind)

    def evidence_kinds(self) -> tuple[str, ...]:
        """Return the ids of every kind of evidence the rulebook knows."""
        return tuple(self._rules.shipped.base.evidence)

    def today(self) -> date:
        """Return the day, UTC."""
        return self._clock().date()

    def leads_on(self, found: Gate) -> bool:
        """Whether the way a gate was judged for leads on towards service; a way back asks for no gate."""
        return gates.is_forward(self.road, found.before, found.to)

    def held_kinds(self, system_id: str) -> HeldKinds:
        """Return which kinds of evidence are held for a system today; none for a system nobody knows."""
        with self._sql.read() as tx:
            held = store.lifecycle.held(tx, system_id, self._clock().date())
        return HeldKinds(
            all=tuple(sorted(held)),
            claimed=tuple(kind for kind in sorted(held) if all(one.is_claimed for one in held[kind])),
        )

    def _gate(self, tx: sa.Connection, system: System, to: Status | None = None) -> Gate:
        seen = self._seen(tx, system)
        target = to or gates.next_stage(self.road, seen)
        gates.hold_has_gate(self.road, target)
        return gates.gate(self.road, seen, target)

    def _seen(self, tx: sa.Connection, system: System) -> Seen:
        today = self._clock().date()
        judged = self._rules.judged_within(tx, system.id, party=system.provider_id)
        return Seen(
            system=system,
            today=today,
            facts_version=judged.record.version if judged else 0,
            demands=demands(judged.judgment, judged.text, self.road, judged.touched) if judged else None,
            red_lines=judged.barred_by if judged else (),
            held=store.lifecycle.held(tx, system.id, today),
            sign_offs=store.lifecycle.sign_offs(tx, system.id),
            names=self._names(judged),
        )

    def _names(self, judged: Judged | None) -> dict[str, Text]:
        """What people call kinds of evidence, and the facts that are still open."""
        names = {kind: one.title for kind, one in self._rules.shipped.base.evidence.items()}
        if judged is not None:
            names |= {fact: one.label for fact, one in judged.text.facts.items()}
        return names

    def _facts_version(self, tx: sa.Connection, system_id: str) -> int:
        return self._rules.facts_version_within(tx, system_id)
