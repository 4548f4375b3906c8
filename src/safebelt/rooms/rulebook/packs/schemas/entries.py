"""Schemas of an instrument's own files: instrument, provisions, facts, terms, norms, parameters, derived facts."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from safebelt.rooms.rulebook.model import (
    Basis,
    Bearer,
    FactType,
    Kind,
    Modality,
    Standing,
    Status,
    Subject,
)
from safebelt.rooms.rulebook.packs.schemas.base import (
    Cite,
    Day,
    Dotted,
    Eid,
    Filled,
    InstrumentId,
    Jurisdiction,
    Name,
    Plain,
    Strict,
    Title,
    Word,
    Words,
    wrong,
)
from safebelt.rooms.rulebook.packs.schemas.time import DueDoc

MODALITIES = tuple(modality.value for modality in Modality)


class IdentifierDoc(Strict):
    """An official number."""

    scheme: Filled
    value: Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int | float) else value)]


class DatesDoc(Strict):
    """What is known of an instrument's history."""

    adopted: Day | None = None
    published: Day | None = None
    in_force: Day | None = None
    repealed: Day | None = None


class ClassDoc(Strict):
    """A class an instrument sorts systems into."""

    id: Word
    title: Words
    says: Words
    when: Any
    bars: bool = False
    cites: tuple[Cite, ...] = ()


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class InstrumentDoc(Strict):
    """`instrument.yaml`."""

    id: InstrumentId
    kind: Kind
    jurisdiction: Jurisdiction
    title: Words
    short: Name
    authority: Words
    standing: Standing
    basis: Basis
    identifiers: tuple[IdentifierDoc, ...] = ()
    dates: DatesDoc = DatesDoc()
    url: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""
    language: Annotated[tuple[Filled, ...], BeforeValidator(_listed)] = ()
    text_licence: Words | None = None
    scope_note: Words | None = None
    classes: tuple[ClassDoc, ...] = ()


class ProvisionDoc(Strict):
    """One provision in our words."""

    eid: Eid
    summary: Words
    basis: Basis
    title: Words | None = None
    duty: bool = False
    no_norm: Words | None = None


class OptionDoc(Strict):
    """One value of a fact."""

    id: Word
    label: Name
    group: str = ""
    help: Words | None = None


class GroupDoc(Strict):
    """A heading over options."""

    id: Word
    label: Words


class FactDoc(Strict):
    """Something that can be known."""

    id: Dotted
    subject: Subject
    type: FactType
    label: Words
    question: Words
    help: Words | None = None
    examples: tuple[Words, ...] = ()
    source: Words | None = None
    unit: str = ""
    min: float | None = None
    presumed: Literal[False] | tuple[()] | None = None
    rank: int = 1000
    options: tuple[OptionDoc, ...] = ()
    groups: tuple[GroupDoc, ...] = ()

    @model_validator(mode="after")
    def _has_options_where_they_are_needed(self) -> Self:
        chooses = self.type in (FactType.ONE_OF, FactType.SOME_OF)
        if chooses and not self.options:
            raise wrong(
                "没有选项（options）。",
                "It has no options.",
                "one_of 和 some_of 要列出选项。",
                "one_of and some_of list them.",
            )
        if self.options and not chooses:
            raise wrong(
                f"{self.type} 类型不能有选项。",
                f"A fact of type {self.type} has no options.",
                "请删去 options，或改类型。",
                "Take options away, or change the type.",
            )
        fits = {FactType.YES_NO: False, FactType.SOME_OF: ()}
        if self.presumed is not None and fits.get(self.type) != self.presumed:
            raise wrong(
                "推定（presumed）只能写：yes_no 题为 false，some_of 题为 []。",
                "What is presumed can be false for yes_no and [] for some_of, and nothing else.",
                "请改正 presumed，或删去。",
                "Correct presumed, or take it away.",
            )
        return self


class TermDoc(Strict):
    """A named condition."""

    id: Dotted
    title: Words
    when: Any
    basis: Basis
    status: Status
    cites: tuple[Cite, ...] = ()
    unless: Any = None


class InForceDoc(Strict):
    """Literal dates; `until` is exclusive."""

    from_: Day = Field(alias="from")
    until: Day | None = None


class StartDoc(Strict):
    """Another literal start where facts say so."""

    when: Any
    from_: Day = Field(alias="from")
    cites: tuple[Cite, ...] = ()


class EffectiveDoc(Strict):
    """The day from which a norm can bite."""

    from_: Day = Field(alias="from")
    note: Words | None = None


class PenaltyDoc(Words):
    """What breaking a norm may cost."""

    cites: tuple[Cite, ...] = ()


class ReviewDoc(Strict):
    """Somebody read an interpretation beside the law."""

    by: Filled
    on: Day
    note: Words | None = None


class InterpretationDoc(Strict):
    """Who put a norm into this form."""

    by: Filled
    on: Day
    status: Annotated[str, Field(pattern=r"^(unreviewed|reviewed|disputed)$")] = "unreviewed"
    note: Words | None = None
    reviews: tuple[ReviewDoc, ...] = ()


class NormDoc(Strict):
    """What a provision demands of, forbids to, allows or spares whom, when."""

    id: Dotted
    title: Title
    must: Words | None = None
    must_not: Words | None = None
    may: Words | None = None
    exempt: Words | None = None
    bearer: Bearer
    cites: Annotated[tuple[Cite, ...], Field(min_length=1)]
    in_force: InForceDoc
    basis: Basis
    status: Status
    starts: tuple[StartDoc, ...] = ()
    effective: EffectiveDoc | None = None
    when: Any = None
    unless: Any = None
    upon: Any = None
    overrides: tuple[Dotted, ...] = ()
    due: DueDoc | None = None
    evidence: tuple[Word, ...] = ()
    controls: tuple[dict[str, Any], ...] = ()
    red_line: bool = False
    penalty: PenaltyDoc | None = None
    interpretation: InterpretationDoc | None = None

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        said = [name for name in MODALITIES if getattr(self, name) is not None]
        if len(said) != 1:
            raise wrong(
                f"must、must_not、may、exempt 写了 {len(said)} 个。",
                f"{len(said)} of must, must_not, may, exempt are given.",
                "恰好写一个。",
                "Give exactly one.",
            )
        return self

    @property
    def modality(self) -> Modality:
        """Which of the four it is."""
        return next(Modality(name) for name in MODALITIES if getattr(self, name) is not None)


class ParameterDoc(Strict):
    """A number the law fixes."""

    id: Dotted
    title: Words
    values: Annotated[dict[Day, int | float], Field(min_length=1)]
    basis: Basis
    status: Status
    unit: str = ""
    cites: tuple[Cite, ...] = ()


class RowDoc(Strict):
    """A row of a decision table."""

    when: Any
    is_: Plain = Field(alias="is")


class DerivedDoc(Strict):
    """A fact computed from others."""

    id: Dotted
    title: Words
    type: FactType
    rows: Annotated[tuple[RowDoc, ...], Field(min_length=1)]
    otherwise: Plain
    basis: Basis
    status: Status
    cites: tuple[Cite, ...] = ()
    unit: str = ""
    options: tuple[OptionDoc, ...] = ()


class EvidenceDoc(Strict):
    """A kind of proof that a duty is done."""

    id: Word
    title: Words
    says: Words | None = None
    kept_by: Words | None = None


class ControlFieldDoc(Strict):
    """A field of a kind of control; options are plain words."""

    name: Word
    type: Literal["number", "text", "list", "yes_no"]
    says: Words
    unit: str = ""
    options: tuple[Word, ...] = ()
    required: bool = False


class ControlKindDoc(Strict):
    """A kind of machine-readable measure, and the rooms that act on it."""

    id: Word
    title: Words
    says: Words | None = None
    fields: tuple[ControlFieldDoc, ...] = ()
    read_by: tuple[Word, ...] = ()
