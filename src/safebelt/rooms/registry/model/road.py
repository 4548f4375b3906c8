"""Words of the road a system takes, as `registry/lifecycle.yaml` has it, and of what a gate finds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.lifecycle import Evidence, SignOff
from safebelt.rooms.registry.model.register import PersonRole, Status, System
from safebelt.rooms.rulebook.model import Bearer, DueKind, Kind, Standing


class AskKind(StrEnum):
    """What a gate can ask for."""

    PERSON = "person"
    FACTS = "facts"
    RED_LINE = "red_line"
    MEASURE = "measure"
    DUTIES = "duties"
    EVIDENCE = "evidence"
    SIGN_OFF = "sign_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One thing a gate asks for.

    Attributes:
        role: Of whom, where a person or a signature is asked for.
    """

    kind: AskKind
    role: PersonRole | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage of a system's life.

    Attributes:
        says: What it means to be there.
        to: Where one may go from here.
        needed_when: Kinds of evidence of which a duty must ask one for the stage to be needed; empty: always needed.
        is_on_road: Whether it is a station on the way into service.
    """

    id: Status
    says: Text
    to: tuple[Status, ...]
    needed_when: tuple[str, ...]
    is_on_road: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """The stages, and what each gate asks.

    Attributes:
        stages: In the order of the file, which is the order of the road.
        gates: Stage to what the gate into it asks.
        due_by: Kind of evidence to the stage by whose gate it has to be there.
        after_service: Kinds that come about in service only; no gate asks for them.
        bearers: Whose duties this register can answer for.
        due_later: Ways of being due that begin after the gate.
        standings, kinds: Of instruments in which a missing fact leaves duties undetermined.
        at_most_days: How long a statement may count.
        tell_days_before: How early its end is told.
    """

    stages: Mapping[Status, Stage]
    gates: Mapping[Status, tuple[Ask, ...]]
    due_by: Mapping[str, Status]
    after_service: frozenset[str]
    bearers: frozenset[Bearer]
    due_later: frozenset[DueKind]
    standings: frozenset[Standing]
    kinds: frozenset[Kind]
    at_most_days: int
    tell_days_before: int

    @property
    def order(self) -> tuple[Status, ...]:
        """The stations on the way into service, in order."""
        return tuple(one.id for one in self.stages.values() if one.is_on_road)

    def stage_of(self, kind: str) -> Status | None:
        """Return by which gate a kind of evidence has to be there; None where no gate asks for it."""
        return None if kind in self.after_service else self.due_by.get(kind, Status.IN_SERVICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """A duty that verified law establishes for a system, and the evidence it names.

    Attributes:
        norm: Its id.
        kinds: Evidence that gates ask for.
        later: Evidence it names that can only come about in service, or for which the time has not come.
        cites: The provisions it rests on.
    """

    norm: str
    title: Text
    kinds: tuple[str, ...]
    later: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A verified norm that cannot be judged for want of facts.

    Attributes:
        kinds: Evidence that gates would ask for if it applied.
        missing: Ids of the facts that would settle it.
    """

    norm: str
    title: Text
    kinds: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What the rulebook asks of a system at its gates.

    Attributes:
        duties: Established by verified law, borne by a role this register answers for, begun, and naming evidence.
        open: Verified norms that wait for facts.
        advice: Ids of norms that seem to apply and rest on text that is not verified: they ask nothing.
    """

    duties: tuple[Demand, ...] = ()
    open: tuple[Open, ...] = ()
    advice: tuple[str, ...] = ()

    def asking(self) -> Mapping[str, tuple[str, ...]]:
        """Return each kind that is asked for with the ids of the norms that ask, in order of their ids."""
        found: dict[str, tuple[str, ...]] = {}
        for one in sorted(self.duties, key=lambda duty: duty.norm):
            for kind in one.kinds:
                found[kind] = (*found.get(kind, ()), one.norm)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything a gate looks at.

    Attributes:
        facts_version: The facts on record; 0 where there are none.
        demands: What the rulebook asks by those facts; None where there are none.
        red_lines: Ids of red lines that bar the system now.
        held: Evidence that counts today, by kind.
        sign_offs: All of the system's.
        names: What people call kinds of evidence and facts, by id.
        measures: Ids of the cases in which an authority keeps the system out of service now.
    """

    system: System
    today: date
    facts_version: int
    demands: Demands | None
    red_lines: tuple[str, ...]
    held: Mapping[str, tuple[Evidence, ...]]
    sign_offs: tuple[SignOff, ...]
    names: Mapping[str, Text]
    measures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """One thing that keeps a gate shut.

    Attributes:
        kind: What sort of thing.
        id: A role, a kind of evidence, a fact, a red line.
        holds: False: it is not there; unknown: it cannot be told.
        what: What is missing.
        todo: What to do about it.
        norms: Ids of the norms that ask for it.
    """

    kind: AskKind
    id: str
    holds: Truth
    what: Text
    todo: Text
    norms: tuple[str, ...] = ()


class StepState(StrEnum):
    """How a stage of the road stands for one system."""

    PASSED = "passed"
    HERE = "here"
    ON_THE_WAY = "on_the_way"
    AHEAD = "ahead"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A stage of the road, for one system.

    Attributes:
        needed: Whether it has to be passed; unknown where facts leave it open.
        why: Why it is needed, or is not.
    """

    stage: Status
    title: Text
    says: Text
    state: StepState
    needed: Truth
    why: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What the way from where a system stands to a stage comes to.

    Attributes:
        before, to: From where to where.
        holds: Whether it may pass; unknown is *not evaluated*, and no pass.
        road: Every stage of the road, for this system.
        gates: The stages whose gates were asked, in order.
        missing: Exactly what keeps it shut.
        asked: Kind of evidence to the norms that ask for it here.
        claimed: Kinds of those that nobody but the system's own side stands for, or that are not held.
        provisional: Whether service would rest on claims alone.
        provisional_why: Why, or why not.
        advice: Norms that are not verified; they inform and ask nothing.
        facts_version: The facts it was judged by.
        reason: The whole judgment.
        sign_offs: Ids of the sign-offs it rests on.
    """

    system_id: str
    before: Status
    to: Status
    holds: Truth
    road: tuple[Step, ...]
    gates: tuple[Status, ...]
    missing: tuple[Missing, ...]
    asked: Mapping[str, tuple[str, ...]]
    claimed: tuple[str, ...]
    provisional: bool
    provisional_why: Reason
    advice: tuple[str, ...]
    facts_version: int
    reason: Reason
    sign_offs: tuple[str, ...] = ()
