"""The whole rulebook: the law's text as it first stood, what was enacted since, and drafts apart."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model.facts import ControlKind, Evidence, Fact
from safebelt.rooms.rulebook.model.instruments import Crosswalk, Identifier, Instrument, Provision
from safebelt.rooms.rulebook.model.norms import Derived, Norm, Parameter, Term
from safebelt.rooms.rulebook.model.words import LANGUAGE_VERSION, Basis


class Part(StrEnum):
    """What an overlay can change.  `class` entries are named `<instrument>.<class>`."""

    PROVISION = "provision"
    FACT = "fact"
    TERM = "term"
    NORM = "norm"
    PARAMETER = "parameter"
    DERIVED = "derived"
    CLASS = "class"


class Deed(StrEnum):
    """How an overlay changes it."""

    ADD = "add"
    AMEND = "amend"
    REPEAL = "repeal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One instruction of an overlay.

    Attributes:
        deed: Add `entry`; amend `ids` with `fields`, or a parameter with `values`; repeal `ids`.
        part: What kind of entry.
        ids: Full ids: `eu/ai-act#art_10__para_5`, norm, term, parameter ids, `eu/ai-act.prohibited`.
        entry: What is added: a `Provision`, `Fact`, `Term`, `Norm`, `Parameter` or `Derived`.
        fields: Attribute name of the entry to its new value, replaced whole; None puts the attribute back to its
            default.
        values: Further dated values of a parameter; they join those it has.
        cites: Where the amending act says so; free words.
    """

    deed: Deed
    part: Part
    ids: tuple[str, ...] = ()
    entry: Provision | Fact | Term | Norm | Parameter | Derived | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[date, int | float] = field(default_factory=dict)
    why: Text | None = None
    cites: tuple[str, ...] = ()


class OverlayStanding(StrEnum):
    """Whether the legislator has made it law."""

    ENACTED = "enacted"
    DRAFT = "draft"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overlay:
    """Changes to the text of an instrument that take effect together.  Compared by identity.

    Attributes:
        effective: From that day the text reads as changed.
    """

    id: str
    title: Text
    instrument: str
    standing: OverlayStanding
    effective: date
    basis: Basis
    changes: tuple[Change, ...]
    identifiers: tuple[Identifier, ...] = ()
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LawText:
    """One state of the text, everything by id.  Compared by identity, so that what is worked out of it can be kept.

    Attributes:
        overlays: Ids of the overlays that made it what it is, in order.
        origin: The rulebook it was read from; None for a rulebook's own first text.
        drafts: Draft overlays it is read with, from their days on.
    """

    facts: Mapping[str, Fact] = field(default_factory=dict)
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    controls: Mapping[str, ControlKind] = field(default_factory=dict)
    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    provisions: Mapping[str, Provision] = field(default_factory=dict)
    terms: Mapping[str, Term] = field(default_factory=dict)
    norms: Mapping[str, Norm] = field(default_factory=dict)
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    derived: Mapping[str, Derived] = field(default_factory=dict)
    overlays: tuple[str, ...] = ()
    origin: "Rulebook | None" = None
    drafts: tuple[Overlay, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rulebook:
    """Everything read from `law/`.

    Attributes:
        base: The text as first encoded, before any overlay.
        enacted: Overlays the legislator made law.
        drafts: Overlays that are not law; never applied unless asked for.
        language: Version of the rule language.
    """

    base: LawText
    enacted: tuple[Overlay, ...] = ()
    drafts: tuple[Overlay, ...] = ()
    crosswalks: Mapping[str, Crosswalk] = field(default_factory=dict)
    language: str = LANGUAGE_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One attribute of an entry, before and after."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What an overlay did to one entry.

    Attributes:
        fields: For an amended entry, the attributes that differ.
        before: The entry before; None if it was added.
        after: The entry after; None if it was repealed.
    """

    overlay: str
    deed: Deed
    part: Part
    id: str
    before: Any = None
    after: Any = None
    fields: tuple[FieldChange, ...] = ()
    why: Text | None = None
    cites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something wrong in a text or an overlay.

    Attributes:
        where: The id of the entry or overlay.
        what: What is wrong.
        hint: What to do.
    """

    where: str
    what: Text
    hint: Text
