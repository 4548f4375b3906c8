"""What the law demands: norms and what they are made of, terms, parameters, derived facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from safebelt.kernel.conditions import Condition
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model.facts import Option
from safebelt.rooms.rulebook.model.words import Basis, Bearer, DueKind, FactType, Modality, Status, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A named condition: a definition, a scope, a role.  It holds when `when` does and `unless` does not."""

    id: str
    instrument: str
    title: Text
    when: Condition
    basis: Basis
    status: Status
    cites: tuple[str, ...] = ()
    unless: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """Literal dates: from the first day, up to but not on `until`."""

    from_: date
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Another literal start where facts say so."""

    when: Condition
    from_: date
    cites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """The day from which a norm can bite, where that is not the literal one."""

    from_: date
    note: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """When a duty is to be done.

    `before`, `at`, `promptly` an event; `within` amount and unit after an event; `by` a date; `every` amount and unit,
    counted from an event if one is named; `always`.

    Attributes:
        event: An id of `EVENTS`; empty where `fact` names a date fact, or none is needed.
        fact: A date fact that fixes the event in place of one of `EVENTS`.
        amount: How many units.
        by: The date of `by`.
    """

    kind: DueKind
    event: str = ""
    fact: str = ""
    amount: int | None = None
    unit: Unit | None = None
    by: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterRef:
    """A field of a control whose value is a parameter's, on the day."""

    parameter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A machine-readable measure that a norm asks for.

    Attributes:
        kind: An id of `law/controls.yaml`.
        fields: Field id to a plain value, a tuple of them, or a `ParameterRef`.
    """

    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Penalty:
    """What breaking the norm may cost, in words."""

    says: Text
    cites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Somebody read an interpretation beside the law and stands for having done so."""

    by: str
    on: date
    note: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpretation:
    """Who put the norm into this form, when, who has reviewed it, and what is uncertain about it.

    Attributes:
        status: `unreviewed`, or what the reviews came to.
        reviews: By different people; two make it `reviewed`.
    """

    by: str
    on: date
    status: str = "unreviewed"
    note: Text | None = None
    reviews: tuple[Review, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Norm:
    """What one provision demands of, forbids to, allows or spares whom, when.

    It *applies* where `when` holds, `unless` does not, and no norm that overrides it applies.

    Attributes:
        id: `eu.ai-act.art_26__para_2`.
        title: The duty as a headline.
        says: The duty in a sentence.
        starts: Other literal starts; the first whose condition holds wins over `in_force.from_`.
        when: About the system, its parties, its use; None is *always*.
        upon: The occurrence that starts the clock; the duty stands without it.
        overrides: Norms that this one defeats where it applies.
        evidence: Ids of what shows that it is done.
        red_line: A prohibited use or a bottom line.
    """

    id: str
    instrument: str
    title: Text
    modality: Modality
    says: Text
    bearer: Bearer
    cites: tuple[str, ...]
    in_force: InForce
    basis: Basis
    status: Status
    starts: tuple[Start, ...] = ()
    effective: Effective | None = None
    when: Condition | None = None
    unless: Condition | None = None
    upon: Condition | None = None
    overrides: tuple[str, ...] = ()
    due: Due | None = None
    evidence: tuple[str, ...] = ()
    controls: tuple[Control, ...] = ()
    red_line: bool = False
    penalty: Penalty | None = None
    interpretation: Interpretation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A number the law fixes, which it may change.

    Attributes:
        values: Each from its day on.  Before the first, the first to come is used.
    """

    id: str
    instrument: str
    title: Text
    values: Mapping[date, int | float]
    basis: Basis
    status: Status
    unit: str = ""
    cites: tuple[str, ...] = ()

    def on(self, day: date) -> int | float:
        """Return the value in force on a day."""
        begun = [start for start in self.values if start <= day]
        return self.values[max(begun) if begun else min(self.values)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a decision table."""

    when: Condition
    value: bool | int | float | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """A fact computed from others: the first row that holds; unknown where an earlier row is."""

    id: str
    instrument: str
    title: Text
    type: FactType
    rows: tuple[Row, ...]
    otherwise: bool | int | float | str
    basis: Basis
    status: Status
    cites: tuple[str, ...] = ()
    unit: str = ""
    options: tuple[Option, ...] = ()
