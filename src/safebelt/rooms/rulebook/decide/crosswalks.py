"""How the provisions of two instruments relate, as written down; nothing is concluded from a chain of relations."""

from dataclasses import dataclass

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model import RELATIONS, Basis, LawText, Provision, Relation, RelationKind, Rulebook

_TURNED = {RelationKind.SUBSET: RelationKind.SUPERSET, RelationKind.SUPERSET: RelationKind.SUBSET}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two provisions side by side.

    Attributes:
        relation: Of `a` to `b`.
        norms_a: Ids of the norms that cite `a`.
        norms_b: Ids of the norms that cite `b`.
    """

    a: Provision
    b: Provision
    relation: RelationKind
    says: Text
    why: Text
    basis: Basis
    norms_a: tuple[str, ...]
    norms_b: tuple[str, ...]


def crosswalk(rulebook: Rulebook, text: LawText, a: str, b: str) -> tuple[Pair, ...]:
    """Return the relations between two instruments, seen from `a`, whichever way they were written down.

    Relations whose provisions the text no longer has are left out.
    """
    relations: list[Relation] = []
    for one in rulebook.crosswalks.values():
        if (one.a, one.b) == (a, b):
            relations += one.relations
        elif (one.a, one.b) == (b, a):
            relations += map(turned, one.relations)
    citing = _citing(text)
    return tuple(_pair(text, one, citing) for one in relations if one.a in text.provisions and one.b in text.provisions)


def turned(relation: Relation) -> Relation:
    """Return the same relation seen from the other side."""
    kind = _TURNED.get(relation.kind, relation.kind)
    return Relation(a=relation.b, b=relation.a, kind=kind, why=relation.why, basis=relation.basis)


def _citing(text: LawText) -> dict[str, tuple[str, ...]]:
    citing: dict[str, tuple[str, ...]] = {}
    for norm in text.norms.values():
        for cite in norm.cites:
            citing[cite] = (*citing.get(cite, ()), norm.id)
    return citing


def _pair(text: LawText, relation: Relation, citing: dict[str, tuple[str, ...]]) -> Pair:
    a, b = text.provisions[relation.a], text.provisions[relation.b]
    left, right, words = a.title or a.summary, b.title or b.summary, RELATIONS[relation.kind]
    return Pair(
        a=a,
        b=b,
        relation=relation.kind,
        says=Text(zh=f"“{left.zh}”{words.zh}“{right.zh}”", en=f"“{left.en}” {words.en} “{right.en}”"),
        why=relation.why,
        basis=relation.basis,
        norms_a=citing.get(a.id, ()),
        norms_b=citing.get(b.id, ()),
    )
