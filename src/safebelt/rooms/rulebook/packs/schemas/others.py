"""Schemas of cases, overlays and crosswalks."""

from typing import Annotated, Any, Self

from pydantic import Field, create_model, model_validator

from safebelt.rooms.rulebook.model import Basis, OverlayStanding, RelationKind
from safebelt.rooms.rulebook.packs.schemas.base import (
    ID_CHARS,
    Day,
    Dotted,
    Eid,
    Filled,
    InstrumentId,
    Strict,
    Word,
    Words,
    wrong,
)
from safebelt.rooms.rulebook.packs.schemas.entries import (
    ClassDoc,
    DerivedDoc,
    FactDoc,
    IdentifierDoc,
    NormDoc,
    ParameterDoc,
    ProvisionDoc,
    TermDoc,
)


class GivenDoc(Strict):
    """The facts of a case: those of a base, with some replaced, some taken away."""

    from_: str = Field(default="", alias="from")
    facts: dict[str, Any] = Field(default_factory=dict)
    without: tuple[str, ...] = ()


class CaseDoc(Strict):
    """Cases of norms or classes (`yes`, `no`, `unknown`), or a free-standing one (`says`, `given`, `expect`)."""

    norms: tuple[Dotted, ...] = ()
    classes: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*/[^.#]+(\.[^.#]+)*\.[a-z0-9_]+$")], ...] = ()
    yes: GivenDoc | None = None
    no: GivenDoc | None = None
    unknown: GivenDoc | None = None
    says: Words | None = None
    given: GivenDoc | None = None
    expect: dict[str, str] = Field(default_factory=dict)
    on: Day | None = None

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        targets = bool(self.norms) + bool(self.classes)
        is_free = self.given is not None
        if is_free and (targets or self.yes or self.no or self.unknown or not self.expect):
            raise wrong(
                "given 的用例只写 says、given、expect、on，且 expect 不能为空。",
                "A case with given has says, given, expect and on, nothing else, and expects something.",
                "请拆成两个用例，或补上 expect。",
                "Split it in two, or say what is expected.",
            )
        if not is_free and (targets != 1 or not (self.yes or self.no or self.unknown) or self.expect):
            raise wrong(
                "用例要么写 norms 或 classes 之一加 yes/no/unknown，要么写 given 加 expect。",
                "A case names norms or classes and gives yes, no, unknown; or it has given and expect.",
                "请按其中一种写。",
                "Write it in one of these ways.",
            )
        return self


class CasesHead(Strict):
    """What a file of cases says once: its usual day and its bases."""

    on: Day
    bases: dict[str, GivenDoc] = Field(default_factory=dict)


def _partial(name: str, of: type[Strict], without: set[str]) -> type[Strict]:
    """A schema in which every key of another may be left out or null: what `set` may say."""
    annotations: dict[str, Any] = {key: info.annotation for key, info in of.model_fields.items() if key not in without}
    fields: dict[str, Any] = {
        key: (annotation | None, Field(default=None, alias=of.model_fields[key].alias))
        for key, annotation in annotations.items()
    }
    made: type[Strict] = create_model(name, __base__=Strict, __doc__=f"New values for keys of {of.__name__}.", **fields)
    return made


NormSet = _partial("NormSet", NormDoc, {"id"})
TermSet = _partial("TermSet", TermDoc, {"id"})
ClassSet = _partial("ClassSet", ClassDoc, {"id"})
ProvisionSet = _partial("ProvisionSet", ProvisionDoc, {"eid"})
DerivedSet = _partial("DerivedSet", DerivedDoc, {"id"})
SETS: dict[str, type[Strict]] = {
    "amend_norm": NormSet,
    "amend_term": TermSet,
    "amend_class": ClassSet,
    "amend_provision": ProvisionSet,
    "amend_derived": DerivedSet,
}
"""Deed to what its `set` may hold."""


def _ids(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


class ChangeDoc(Strict):
    """One instruction of an overlay: exactly one of the deeds."""

    add_provision: ProvisionDoc | None = None
    add_norm: NormDoc | None = None
    add_term: TermDoc | None = None
    add_parameter: ParameterDoc | None = None
    add_fact: FactDoc | None = None
    add_derived: DerivedDoc | None = None
    amend_provision: str | tuple[str, ...] | None = None
    amend_norm: Dotted | tuple[Dotted, ...] | None = None
    amend_term: Dotted | tuple[Dotted, ...] | None = None
    amend_class: str | tuple[str, ...] | None = None
    amend_derived: Dotted | tuple[Dotted, ...] | None = None
    repeal_provision: str | tuple[str, ...] | None = None
    repeal_norm: Dotted | tuple[Dotted, ...] | None = None
    repeal_term: Dotted | tuple[Dotted, ...] | None = None
    set_parameter: Dotted | None = None
    set: dict[str, Any] | None = None
    values: Annotated[dict[Day, int | float], Field(min_length=1)] | None = None
    why: Words | None = None
    cites: tuple[Filled, ...] = ()

    @model_validator(mode="after")
    def _has_one_deed(self) -> Self:
        given = [deed for deed in DEEDS if getattr(self, deed) is not None]
        fits = len(given) == 1
        fits = fits and (self.set is not None) == given[0].startswith("amend_")
        fits = fits and (self.values is not None) == (given[0] == "set_parameter")
        if not fits:
            raise wrong(
                "修改指令的写法不对。",
                "This is no instruction.",
                f"恰好写 {'、'.join(DEEDS)} 之一；amend_* 配 set，set_parameter 配 values。",
                f"Write exactly one of {', '.join(DEEDS)}; amend_* with set, set_parameter with values.",
            )
        return self

    @property
    def deed(self) -> str:
        """The key that says what is done: `add_norm`, `amend_term`, and so on."""
        return next(deed for deed in DEEDS if getattr(self, deed) is not None)

    @property
    def targets(self) -> tuple[str, ...]:
        """Ids as written of what is amended or repealed; nothing where something is added."""
        value = getattr(self, self.deed)
        return () if isinstance(value, Strict) else _ids(value)


DEEDS = tuple(
    name
    for name in ChangeDoc.model_fields
    if name.split("_")[0] in ("add", "amend", "repeal") or name == "set_parameter"
)


class OverlayDoc(Strict):
    """A file of `amendments/` or `drafts/`."""

    id: Annotated[
        str, Field(pattern=r"^[a-z][a-z0-9-]*/[a-z0-9][a-z0-9.-]*@[a-z0-9][a-z0-9._-]*$", max_length=ID_CHARS)
    ]
    title: Words
    instrument: InstrumentId
    standing: OverlayStanding
    effective: Day
    basis: Basis
    changes: Annotated[tuple[ChangeDoc, ...], Field(min_length=1)]
    identifiers: tuple[IdentifierDoc, ...] = ()
    url: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""


class RelationDoc(Strict):
    """How one provision stands to another."""

    a: Eid
    b: Eid
    relation: RelationKind
    why: Words
    basis: Basis


class CrosswalkDoc(Strict):
    """A file of `crosswalks/`."""

    id: Word
    a: InstrumentId
    b: InstrumentId
    relations: Annotated[tuple[RelationDoc, ...], Field(min_length=1)]
    title: Words | None = None
