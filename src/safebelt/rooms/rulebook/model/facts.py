"""What can be known and shown: facts, kinds of evidence, kinds of control."""

from dataclasses import dataclass

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model.words import FactType, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A heading over options of a fact."""

    id: str
    label: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One of the values a `one_of` or `some_of` fact may have."""

    id: str
    label: Text
    group: str = ""
    help: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that can be known about a system, its parties or an occurrence.

    Attributes:
        id: `use.purposes`; facts of one instrument start with its jurisdiction.
        label: A noun phrase, used in reasons.
        question: What is asked of a person.
        source: Where the answer usually comes from.
        rank: Order in forms and ties in the interview; small is early.
        unit: What numbers count.
        minimum: The least number allowed.
        is_presumed_no: Silence counts as *no*, or *none of these*, in a judgment: an exception, a documented claim or
            an act of an authority that whoever relies on it has to state.  The interview still asks.
        instrument: The instrument whose folder brought it; empty for the shared vocabulary.
    """

    id: str
    subject: Subject
    type: FactType
    label: Text
    question: Text
    help: Text | None = None
    examples: tuple[Text, ...] = ()
    source: Text | None = None
    unit: str = ""
    minimum: float | None = None
    rank: int = 1000
    options: tuple[Option, ...] = ()
    groups: tuple[Group, ...] = ()
    is_presumed_no: bool = False
    instrument: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A kind of proof that a duty is done."""

    id: str
    title: Text
    says: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlField:
    """A field of a kind of control.

    Attributes:
        type: `number`, `one_of`, `some_of` or `yes_no`.
        options: What `one_of` and `some_of` may be.
    """

    id: str
    title: Text
    type: FactType
    unit: str = ""
    options: tuple[Option, ...] = ()
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlKind:
    """A kind of machine-readable measure that other rooms enforce."""

    id: str
    title: Text
    says: Text | None = None
    fields: tuple[ControlField, ...] = ()
