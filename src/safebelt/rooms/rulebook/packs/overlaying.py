"""From an overlay's file to the room's `Overlay`: what is added, what is set, what is repealed."""

from collections.abc import Callable, Iterable
from typing import Any

from safebelt.rooms.rulebook.model import (
    Change,
    Deed,
    Modality,
    Overlay,
    Part,
)
from safebelt.rooms.rulebook.packs import build
from safebelt.rooms.rulebook.packs.schemas.base import text
from safebelt.rooms.rulebook.packs.schemas.entries import MODALITIES
from safebelt.rooms.rulebook.packs.schemas.others import SETS, ChangeDoc, OverlayDoc

_MAKERS: dict[Part, Callable[[Any, str], Any]] = {
    Part.PROVISION: build.provision,
    Part.NORM: build.norm,
    Part.TERM: build.term,
    Part.PARAMETER: build.parameter,
    Part.FACT: build.fact,
    Part.DERIVED: build.derived,
}

_VALUES: dict[str, Callable[[Any], Any]] = {
    "when": build.condition,
    "unless": build.condition,
    "upon": build.condition,
    "in_force": build.in_force,
    "starts": build.starts,
    "effective": build.effective,
    "due": lambda doc: doc.as_due(),
    "controls": lambda docs: tuple(build.control(one) for one in docs),
    "penalty": build.penalty,
    "interpretation": build.interpretation,
    "rows": build.rows,
    "options": build.options,
    "title": text,
    "summary": text,
    "says": text,
    "no_norm": text,
}
"""How the value of a key that `set` names becomes the attribute of the same name; other values stay as they are."""


def overlay(parts: Iterable[OverlayDoc]) -> Overlay:
    """Put the parts of an overlay, which carry the same header, together."""
    docs = tuple(parts)
    head = docs[0]
    return Overlay(
        id=head.id,
        title=head.title.as_text(),
        instrument=head.instrument,
        standing=head.standing,
        effective=head.effective,
        basis=head.basis,
        changes=tuple(change(one, head.instrument) for doc in docs for one in doc.changes),
        identifiers=build.identifiers(head.identifiers),
        url=head.url,
    )


def change(doc: ChangeDoc, instrument: str) -> Change:
    """One instruction."""
    verb, noun = doc.deed.split("_", 1)
    part = Part(noun)
    why = text(doc.why)
    if verb == "add":
        entry = _MAKERS[part](getattr(doc, doc.deed), instrument)
        return Change(deed=Deed.ADD, part=part, ids=(entry.id,), entry=entry, why=why, cites=doc.cites)
    ids = tuple(full_id(part, instrument, written) for written in doc.targets)
    if verb == "repeal":
        return Change(deed=Deed.REPEAL, part=part, ids=ids, why=why, cites=doc.cites)
    fields = _fields(doc) if doc.set is not None else {}
    return Change(deed=Deed.AMEND, part=part, ids=ids, fields=fields, values=doc.values or {}, why=why, cites=doc.cites)


def full_id(part: Part, instrument: str, written: str) -> str:
    """Return a target's full id; a provision may be written by its eId alone."""
    return f"{instrument}#{written}" if part is Part.PROVISION and "#" not in written else written


def _fields(doc: ChangeDoc) -> dict[str, Any]:
    given = doc.set or {}
    new = SETS[doc.deed].model_validate(given)
    fields: dict[str, Any] = {}
    for name, info in type(new).model_fields.items():
        if (info.alias or name) not in given:
            continue
        value = getattr(new, name)
        if name in MODALITIES and doc.deed == "amend_norm":
            if value is not None:
                fields |= {"modality": Modality(name), "says": value.as_text()}
        else:
            fields[name] = None if value is None else _VALUES.get(name, lambda same: same)(value)
    return fields
