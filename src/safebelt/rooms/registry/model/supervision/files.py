"""A case as it is shown to somebody: what they may see of it, what it rests on, and what they can do next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.supervision.cases import Basis, Case, Office, Position, Step
from safebelt.rooms.registry.model.supervision.words import Outcome, Side, StepKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A step somebody might take next.

    Attributes:
        reason: Whether they can, and why.
        outcomes: What it could come to now, each with its own reason; empty where the kind has no outcome.
        targets: Ids of the steps it could reply to.
    """

    kind: StepKind
    reason: Reason
    outcomes: tuple[tuple[Outcome, Reason], ...] = ()
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """A case with what one reader may see of it.

    Attributes:
        side: For whom the reader acts; None for an overseer or auditor.
        office: The reader's own authority; None where they act for none.
        today: The day where the case's days are counted.
        position: Where the case stands.
        steps: Served steps, in their order.
        drafts: The reader's authority's own; empty for everybody else.
        bases: Every basis that occurs, by id.
        options: Steps the reader's side might take, in the order of `StepKind`.
        names: Names of parties and authorities that occur, by id.
        public: Ids of decisions that are public.
    """

    case: Case
    system: Text
    side: Side | None
    office: Office | None
    today: date
    position: Position
    steps: tuple[Step, ...]
    drafts: tuple[Step, ...]
    bases: Mapping[str, Basis]
    options: tuple[Option, ...]
    names: Mapping[str, str]
    public: frozenset[str]

    def step(self, step_id: str) -> Step | None:
        """Return one of the steps that can be seen, or None."""
        return next((one for one in (*self.steps, *self.drafts) if one.id == step_id), None)
