"""Instruments, their classes and provisions, and how provisions of two instruments relate."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from safebelt.kernel.conditions import Condition
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model.words import Basis, Kind, RelationKind, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """An official number, with the scheme it belongs to: CELEX, GB and so on."""

    scheme: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassLabel:
    """A class an instrument sorts systems into.

    Attributes:
        id: Short: `high_risk`.
        says: One sentence: what the class means.
        when: What puts a system into it.
        bars: Meeting it bars service, where verified red lines stand behind it.
    """

    id: str
    title: Text
    says: Text
    when: Condition
    cites: tuple[str, ...] = ()
    bars: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """A law, standard, framework, covenant or set of house rules.

    Attributes:
        id: `eu/ai-act`.
        dates: What is known of `adopted`, `published`, `in_force`.
        languages: Codes of the authentic languages.
        text_licence: What of its text may be quoted.
        scope_note: What of it is encoded here, what not, and why.
        classes: Strictest first; empty where it sorts nothing.
    """

    id: str
    kind: Kind
    jurisdiction: str
    title: Text
    short: Text
    authority: Text
    standing: Standing
    basis: Basis
    url: str = ""
    identifiers: tuple[Identifier, ...] = ()
    dates: Mapping[str, date] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    text_licence: Text | None = None
    scope_note: Text | None = None
    classes: tuple[ClassLabel, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """One provision, in our words.

    Attributes:
        id: Instrument and eId: `eu/ai-act#art_26__para_2`.
        eid: Its place in the instrument, in Akoma Ntoso style.
        duty: It puts a duty, prohibition, right or exemption on somebody.
        no_norm: Why no norm cites it although it has a duty.
    """

    id: str
    instrument: str
    eid: str
    summary: Text
    basis: Basis
    title: Text | None = None
    duty: bool = False
    no_norm: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """How a provision of one instrument stands to one of another.

    Attributes:
        a: Provision id.
        b: Provision id.
        kind: Of `a` to `b`.
    """

    a: str
    b: str
    kind: RelationKind
    why: Text
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Crosswalk:
    """Relations between the provisions of two instruments."""

    id: str
    a: str
    b: str
    relations: tuple[Relation, ...] = ()
