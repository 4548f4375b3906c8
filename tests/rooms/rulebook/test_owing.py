"""What is owed names duty, person, date and evidence; evidence is counted and never called enough."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.rulebook.small import INSTRUMENT, TODAY, both, law, norm, yes

from safebelt.rooms.rulebook.decide import coverage, crosswalk, judge, owe
from safebelt.rooms.rulebook.model import (
    Basis,
    Bearer,
    Crosswalk,
    Due,
    DueKind,
    Held,
    LawText,
    Modality,
    Provision,
    Relation,
    RelationKind,
    Rulebook,
)

TEXT = law(
    norm("always", due=Due(kind=DueKind.ALWAYS), evidence=("logs",)),
    norm("soon", due=Due(kind=DueKind.BY, by=date(2027, 1, 1)), evidence=("plan", "report"), bearer=Bearer.DEPLOYER),
    norm("sooner", due=Due(kind=DueKind.BY, by=date(2026, 12, 1)), bearer=Bearer.ANYONE),
    norm("never", modality=Modality.MUST_NOT),
    norm("right", modality=Modality.MAY, bearer=Bearer.USER),
    norm("spared", modality=Modality.EXEMPT),
    norm("other", yes("a")),
    norm("open", yes("b")),
)
JUDGED = judge(TEXT, {"a": False}, TODAY)


def ids(duties):
    return [one.finding.norm.id for one in duties]


def test_duties_and_prohibitions_that_apply_are_owed_dated_ones_first() -> None:
    assert ids(owe(JUDGED)) == ["sooner", "soon", "always", "never"]


def test_a_party_owes_what_lies_on_its_roles_and_on_everybody() -> None:
    assert ids(owe(JUDGED, roles=[Bearer.DEPLOYER])) == ["sooner", "soon"]
    assert ids(owe(JUDGED, roles=[])) == ["sooner"]


def test_each_line_names_the_person_and_what_evidence_is_held_and_lacking() -> None:
    duty = next(
        one
        for one in owe(JUDGED, held=["plan", "logs"], persons={Bearer.DEPLOYER: ("Li Wei",)})
        if one.bearer is Bearer.DEPLOYER
    )

    assert (duty.persons, duty.held, duty.lacking, duty.due.on) == (
        ("Li Wei",),
        ("plan",),
        ("report",),
        date(2027, 1, 1),
    )
    assert {one.persons for one in owe(JUDGED)} == {()}


def test_coverage_counts_evidence_per_instrument() -> None:
    got = coverage(TEXT, ["logs", "plan", "unrelated"])[INSTRUMENT]

    assert (got.norms["always"], got.norms["soon"], got.norms["sooner"]) == (Held.FULLY, Held.PARTLY, Held.NONE_NAMED)
    assert got.lacking["soon"] == ("report",)
    assert coverage(TEXT, [])[INSTRUMENT].norms["always"] is Held.NOT
    assert "right" not in got.norms
    assert coverage(TEXT, [], ["other/act"]) == {}
    assert sum(got.count(held) for held in Held) == len(got.norms)


@given(st.sets(st.sampled_from(["logs", "plan", "report"])), st.sets(st.sampled_from(["logs", "plan", "report"])))
def test_more_evidence_never_covers_less(held, more) -> None:
    order = [Held.NOT, Held.PARTLY, Held.FULLY]
    before, after = coverage(TEXT, held)[INSTRUMENT].norms, coverage(TEXT, held | more)[INSTRUMENT].norms

    assert all(order.index(before[name]) <= order.index(after[name]) for name in ("always", "soon"))


# --- crosswalks --------------------------------------------------------------------------------------------------


def provision(instrument, eid):
    return Provision(
        id=f"{instrument}#{eid}", instrument=instrument, eid=eid, summary=both(f"summary {eid}"), basis=Basis.PRIMARY
    )


def walked(a, b, kind=RelationKind.SUBSET):
    provisions = [provision(INSTRUMENT, "n"), provision("yy/std", "1"), provision("zz/std", "9")]
    text = LawText(provisions={one.id: one for one in provisions}, norms={"n": norm("n")})
    relations = (
        Relation(a=f"{INSTRUMENT}#n", b="yy/std#1", kind=kind, why=both("because"), basis=Basis.RECALLED),
        Relation(a=f"{INSTRUMENT}#gone", b="yy/std#1", kind=kind, why=both("because"), basis=Basis.PRIMARY),
    )
    second = Crosswalk(
        id="second", a="yy/std", b="zz/std", relations=(Relation(a="yy/std#1", b="zz/std#9", kind=kind, why=both("so"), basis=Basis.PRIMARY),)
    )  # fmt: skip
    first = Crosswalk(id="first", a=INSTRUMENT, b="yy/std", relations=relations)
    return crosswalk(Rulebook(base=text, crosswalks={"first": first, "second": second}), text, a, b)


def test_a_relation_is_seen_from_either_side_and_turned() -> None:
    (one,) = walked(INSTRUMENT, "yy/std")
    (other,) = walked("yy/std", INSTRUMENT)

    assert (one.relation, one.a.id, one.norms_a, one.norms_b, one.basis) == (
        "subset",
        "xx/act#n",
        ("n",),
        (),
        "recalled",
    )
    assert (other.relation, other.a.id, other.norms_b) == ("superset", "yy/std#1", ("n",))
    assert one.says.en == "“summary n” is contained in “summary 1”"
    assert "包含于" in one.says.zh


def test_equal_and_overlapping_are_the_same_from_both_sides() -> None:
    for kind in (RelationKind.EQUAL, RelationKind.INTERSECTS):
        assert {one.relation for one in (*walked(INSTRUMENT, "yy/std", kind), *walked("yy/std", INSTRUMENT, kind))} == {
            kind
        }


def test_nothing_is_concluded_from_a_chain() -> None:
    assert walked(INSTRUMENT, "zz/std") == ()
