"""From validated entries to the room's nouns.  Only called where the form is right; nothing is checked again."""

from collections.abc import Iterable
from typing import Any

from safebelt.kernel.conditions import Condition
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model import (
    ClassLabel,
    Control,
    ControlField,
    ControlKind,
    Crosswalk,
    Derived,
    Effective,
    Evidence,
    Fact,
    FactType,
    Group,
    Identifier,
    InForce,
    Instrument,
    Interpretation,
    Norm,
    Option,
    Parameter,
    ParameterRef,
    Penalty,
    Provision,
    Relation,
    Review,
    Row,
    Start,
    Term,
)
from safebelt.rooms.rulebook.packs.schemas.base import text
from safebelt.rooms.rulebook.packs.schemas.entries import (
    ClassDoc,
    ControlFieldDoc,
    ControlKindDoc,
    DerivedDoc,
    EffectiveDoc,
    EvidenceDoc,
    FactDoc,
    IdentifierDoc,
    InForceDoc,
    InstrumentDoc,
    InterpretationDoc,
    NormDoc,
    OptionDoc,
    ParameterDoc,
    PenaltyDoc,
    ProvisionDoc,
    RowDoc,
    StartDoc,
    TermDoc,
)
from safebelt.rooms.rulebook.packs.schemas.others import CrosswalkDoc


def condition(tree: Any) -> Condition:
    """Parse a condition that may name terms, norms and parameters."""
    return Condition.parse(tree, has_names=True)


def maybe(tree: Any) -> Condition | None:
    """Parse a condition that need not be there."""
    return None if tree is None else condition(tree)


def identifiers(docs: Iterable[IdentifierDoc]) -> tuple[Identifier, ...]:
    """Official numbers."""
    return tuple(Identifier(scheme=doc.scheme, value=doc.value) for doc in docs)


def class_label(doc: ClassDoc) -> ClassLabel:
    """A class."""
    return ClassLabel(
        id=doc.id,
        title=doc.title.as_text(),
        says=doc.says.as_text(),
        when=condition(doc.when),
        cites=doc.cites,
        bars=doc.bars,
    )


def instrument(doc: InstrumentDoc) -> Instrument:
    """An instrument with its classes."""
    return Instrument(
        id=doc.id,
        kind=doc.kind,
        jurisdiction=doc.jurisdiction,
        title=doc.title.as_text(),
        short=doc.short.as_text(),
        authority=doc.authority.as_text(),
        standing=doc.standing,
        basis=doc.basis,
        url=doc.url,
        identifiers=identifiers(doc.identifiers),
        dates={name: day for name, day in doc.dates if day is not None},
        languages=doc.language,
        text_licence=text(doc.text_licence),
        scope_note=text(doc.scope_note),
        classes=tuple(class_label(one) for one in doc.classes),
    )


def provision(doc: ProvisionDoc, instrument_id: str) -> Provision:
    """A provision; its id is the instrument's and its eId."""
    return Provision(
        id=f"{instrument_id}#{doc.eid}",
        instrument=instrument_id,
        eid=doc.eid,
        summary=doc.summary.as_text(),
        basis=doc.basis,
        title=text(doc.title),
        duty=doc.duty,
        no_norm=text(doc.no_norm),
    )


def options(docs: Iterable[OptionDoc]) -> tuple[Option, ...]:
    """Options of a fact."""
    return tuple(Option(id=d.id, label=d.label.as_text(), group=d.group, help=text(d.help)) for d in docs)


def fact(doc: FactDoc, instrument_id: str) -> Fact:
    """A fact."""
    return Fact(
        id=doc.id,
        subject=doc.subject,
        type=doc.type,
        label=doc.label.as_text(),
        question=doc.question.as_text(),
        help=text(doc.help),
        examples=tuple(one.as_text() for one in doc.examples),
        source=text(doc.source),
        unit=doc.unit,
        minimum=doc.min,
        is_presumed_no=doc.presumed is not None,
        rank=doc.rank,
        options=options(doc.options),
        groups=tuple(Group(id=one.id, label=one.label.as_text()) for one in doc.groups),
        instrument=instrument_id,
    )


def term(doc: TermDoc, instrument_id: str) -> Term:
    """A named condition."""
    return Term(
        id=doc.id,
        instrument=instrument_id,
        title=doc.title.as_text(),
        when=condition(doc.when),
        basis=doc.basis,
        status=doc.status,
        cites=doc.cites,
        unless=maybe(doc.unless),
    )


def in_force(doc: InForceDoc) -> InForce:
    """Literal dates."""
    return InForce(from_=doc.from_, until=doc.until)


def starts(docs: Iterable[StartDoc]) -> tuple[Start, ...]:
    """Other literal starts."""
    return tuple(Start(when=condition(doc.when), from_=doc.from_, cites=doc.cites) for doc in docs)


def effective(doc: EffectiveDoc | None) -> Effective | None:
    """The day from which a norm can bite."""
    return Effective(from_=doc.from_, note=text(doc.note)) if doc else None


def control(data: dict[str, Any]) -> Control:
    """A control with its fields."""
    fields = {name: _field(value) for name, value in data.items() if name != "kind"}
    return Control(kind=str(data["kind"]), fields=fields)


def _field(value: Any) -> Any:
    if isinstance(value, dict):
        return ParameterRef(parameter=str(value["param"]))
    return tuple(value) if isinstance(value, list) else value


def penalty(doc: PenaltyDoc | None) -> Penalty | None:
    """What breaking a norm may cost."""
    return Penalty(says=doc.as_text(), cites=doc.cites) if doc else None


def interpretation(doc: InterpretationDoc | None) -> Interpretation | None:
    """Who put a norm into this form, and who read it."""
    if doc is None:
        return None
    return Interpretation(
        by=doc.by,
        on=doc.on,
        status=doc.status,
        note=text(doc.note),
        reviews=tuple(Review(by=one.by, on=one.on, note=text(one.note)) for one in doc.reviews),
    )


def norm(doc: NormDoc, instrument_id: str) -> Norm:
    """A norm."""
    return Norm(
        id=doc.id,
        instrument=instrument_id,
        title=doc.title.as_text(),
        modality=doc.modality,
        says=getattr(doc, doc.modality).as_text(),
        bearer=doc.bearer,
        cites=doc.cites,
        in_force=in_force(doc.in_force),
        basis=doc.basis,
        status=doc.status,
        starts=starts(doc.starts),
        effective=effective(doc.effective),
        when=maybe(doc.when),
        unless=maybe(doc.unless),
        upon=maybe(doc.upon),
        overrides=doc.overrides,
        due=doc.due.as_due() if doc.due else None,
        evidence=doc.evidence,
        controls=tuple(control(one) for one in doc.controls),
        red_line=doc.red_line,
        penalty=penalty(doc.penalty),
        interpretation=interpretation(doc.interpretation),
    )


def parameter(doc: ParameterDoc, instrument_id: str) -> Parameter:
    """A dated number."""
    return Parameter(
        id=doc.id,
        instrument=instrument_id,
        title=doc.title.as_text(),
        values=dict(sorted(doc.values.items())),
        basis=doc.basis,
        status=doc.status,
        unit=doc.unit,
        cites=doc.cites,
    )


def rows(docs: Iterable[RowDoc]) -> tuple[Row, ...]:
    """Rows of a decision table."""
    return tuple(Row(when=condition(doc.when), value=doc.is_) for doc in docs)  # type: ignore[arg-type]  # no dates


def derived(doc: DerivedDoc, instrument_id: str) -> Derived:
    """A fact computed from others."""
    return Derived(
        id=doc.id,
        instrument=instrument_id,
        title=doc.title.as_text(),
        type=doc.type,
        rows=rows(doc.rows),
        otherwise=doc.otherwise,  # type: ignore[arg-type]  # a table gives no dates; a rule of form says so
        basis=doc.basis,
        status=doc.status,
        cites=doc.cites,
        unit=doc.unit,
        options=options(doc.options),
    )


def evidence(doc: EvidenceDoc) -> Evidence:
    """A kind of proof."""
    return Evidence(id=doc.id, title=doc.title.as_text(), says=text(doc.says))


_FIELD_TYPES = {
    "number": FactType.NUMBER,
    "text": FactType.ONE_OF,
    "list": FactType.SOME_OF,
    "yes_no": FactType.YES_NO,
}


def control_kind(doc: ControlKindDoc) -> ControlKind:
    """A kind of control."""
    return ControlKind(
        id=doc.id, title=doc.title.as_text(), says=text(doc.says), fields=tuple(_control_field(f) for f in doc.fields)
    )


def _control_field(doc: ControlFieldDoc) -> ControlField:
    return ControlField(
        id=doc.name,
        title=doc.says.as_text(),
        type=_FIELD_TYPES[doc.type],
        unit=doc.unit,
        options=tuple(Option(id=word, label=Text(zh=word, en=word)) for word in doc.options),
        required=doc.required,
    )


def crosswalk(doc: CrosswalkDoc) -> Crosswalk:
    """Relations between two instruments; provisions by their full ids."""
    return Crosswalk(
        id=doc.id,
        a=doc.a,
        b=doc.b,
        relations=tuple(
            Relation(
                a=f"{doc.a}#{one.a}", b=f"{doc.b}#{one.b}", kind=one.relation, why=one.why.as_text(), basis=one.basis
            )
            for one in doc.relations
        ),
    )
