"""What a gate comes to, with nothing but words: its algebra, and a control for every kind of thing it asks."""

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.registry.lifecycle_house import ASSESSOR, EU_MORE, OPERATOR, SYSTEMS, real
from tests.rooms.rulebook.house import law

from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, Refused
from safebelt.kernel.text import Text
from safebelt.rooms.registry.decide import evidence as saying
from safebelt.rooms.registry.decide.demands import demands
from safebelt.rooms.registry.decide.gates import gate, hold_may_follow, hold_passes, is_forward, next_stage
from safebelt.rooms.registry.model import NamedPerson, PersonRole, Status, System
from safebelt.rooms.registry.model.lifecycle import Evidence, Issuer, SignOff, Vouch, VouchFor
from safebelt.rooms.registry.model.road import AskKind, Demand, Demands, Open, Road, Seen, StepState
from safebelt.rooms.registry.packs.lifecycle import open_road, read_road
from safebelt.rooms.rulebook import decide, packs
from safebelt.rooms.rulebook.packs.findings import Unreadable

ROOT = Path(__file__).parents[3]
TODAY = date(2026, 11, 22)
AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
KINDS = ("technical_documentation", "stop_control_test", "ethics_review_decision", "registration_record")
few = settings(max_examples=60, derandomize=True, deadline=None)


@cache
def road() -> Road:
    return open_road(ROOT / "registry", frozenset(law().rulebook.base.evidence))


def person(role: PersonRole) -> NamedPerson:
    return NamedPerson(id=f"per_{role}", role=role, name="王敏", contact="", since=TODAY)


def piece(kind: str, **change: object) -> Evidence:
    word = Evidence(
        id=f"evd_{kind}",
        system_id="sys_1",
        kind=kind,
        statement="kept",
        issuer=Issuer.SELF,
        person_id="per_accountable",
        by=OPERATOR.id,
        made_on=TODAY,
        expires_on=TODAY,
        facts_version=1,
        digest="",
        note="",
    )
    return replace(word, **change)


def signature(**change: object) -> SignOff:
    word = SignOff(
        id="sgn_1",
        system_id="sys_1",
        to=Status.IN_SERVICE,
        person_id="per_accountable",
        by=OPERATOR.id,
        at=AT,
        facts_version=1,
        statement="",
        note="",
    )
    return replace(word, **change)


def asks(*kinds: str, norm: str = "eu.one") -> Demand:
    return Demand(norm=norm, title=Text(zh="义务", en="Duty"), kinds=kinds)


def seen(**change: object) -> Seen:
    """A system whose gate into service is open; a test takes one thing away."""
    word = Seen(
        system=System(
            id="sys_1",
            name=Text(zh="助手", en="Helper"),
            purpose=Text(zh="用途", en="purpose"),
            provider_id="pty_1",
            deployer_id="",
            status=Status.IDEA,
            people=(person(PersonRole.ACCOUNTABLE), person(PersonRole.OVERSEER)),
            registered_at=AT,
        ),
        today=TODAY,
        facts_version=1,
        demands=Demands(duties=(asks("stop_control_test"),), advice=("eu.unverified",)),
        red_lines=(),
        held={"stop_control_test": (piece("stop_control_test"),)},
        sign_offs=(signature(),),
        names={},
    )
    return replace(word, **change)


def without(role: PersonRole) -> Seen:
    one = seen()
    return replace(one, system=replace(one.system, people=tuple(p for p in one.system.people if p.role is not role)))


WAITS = Open(norm="eu.two", title=Text(zh="义务", en="Duty"), kinds=(), missing=("deployer.public_authority",))


def test_what_asks_for_nothing_more_may_pass() -> None:
    found = gate(road(), seen(), Status.IN_SERVICE)

    assert (found.holds, found.missing, found.sign_offs) == (Truth.TRUE, (), ("sgn_1",))
    assert found.provisional and found.claimed == ("stop_control_test",)
    hold_passes(found)


@pytest.mark.parametrize(
    ("lacking", "kind", "name", "holds"),
    [
        (without(PersonRole.ACCOUNTABLE), AskKind.PERSON, "accountable", Truth.FALSE),
        (without(PersonRole.OVERSEER), AskKind.PERSON, "overseer", Truth.FALSE),
        (
            seen(facts_version=0, demands=None, sign_offs=(signature(facts_version=0),)),
            AskKind.FACTS,
            "on_record",
            None,
        ),
        (seen(red_lines=("house.line",)), AskKind.RED_LINE, "house.line", Truth.FALSE),
        (seen(demands=Demands(open=(WAITS,))), AskKind.DUTIES, "deployer.public_authority", Truth.UNKNOWN),
        (seen(held={}), AskKind.EVIDENCE, "stop_control_test", Truth.FALSE),
        (seen(sign_offs=()), AskKind.SIGN_OFF, "accountable", Truth.FALSE),
        (seen(sign_offs=(signature(facts_version=2),)), AskKind.SIGN_OFF, "accountable", Truth.FALSE),
        (seen(sign_offs=(signature(used_at=AT),)), AskKind.SIGN_OFF, "accountable", Truth.FALSE),
        (seen(sign_offs=(signature(person_id="per_former"),)), AskKind.SIGN_OFF, "accountable", Truth.FALSE),
    ],
)
def test_each_thing_taken_away_shuts_the_gate_and_is_named(
    lacking: Seen, kind: AskKind, name: str, holds: Truth | None
) -> None:
    found = gate(road(), lacking, Status.IN_SERVICE)

    assert [(one.kind, one.id) for one in found.missing if one.kind is kind] == [(kind, name)]
    assert found.holds is (holds or Truth.UNKNOWN)
    with pytest.raises(Conflict) as refused:
        hold_passes(found)
    assert f"{kind.value}:{name}" in refused.value.details


EVIDENCE = st.dictionaries(st.sampled_from(KINDS), st.just(()), max_size=4)
DUTIES = st.lists(st.sampled_from(KINDS), max_size=4, unique=True)


def world(duties: list[str], held: list[str], is_open: bool, advice: list[str]) -> Seen:
    return seen(
        demands=Demands(
            duties=tuple(asks(kind, norm=f"eu.{kind}") for kind in duties),
            open=(WAITS,) if is_open else (),
            advice=tuple(advice),
        ),
        held={kind: (piece(kind),) for kind in held},
    )


@few
@given(duties=DUTIES, held=DUTIES, more=DUTIES, is_open=st.booleans(), to=st.sampled_from(road().order[1:]))
def test_more_evidence_never_shuts_a_gate(
    duties: list[str], held: list[str], more: list[str], is_open: bool, to: Status
) -> None:
    rank = {Truth.FALSE: 0, Truth.UNKNOWN: 1, Truth.TRUE: 2}
    less = gate(road(), world(duties, held, is_open, []), to)
    fuller = gate(road(), world(duties, list({*held, *more}), is_open, []), to)

    assert rank[fuller.holds] >= rank[less.holds]
    assert {one.id for one in fuller.missing} <= {one.id for one in less.missing}


@few
@given(duties=DUTIES, held=DUTIES, advice=st.lists(st.text(max_size=5), max_size=5))
def test_what_is_not_verified_never_blocks(duties: list[str], held: list[str], advice: list[str]) -> None:
    bare = gate(road(), world(duties, held, False, []), Status.IN_SERVICE)
    advised = gate(road(), world(duties, held, False, advice), Status.IN_SERVICE)

    assert (advised.holds, advised.missing) == (bare.holds, bare.missing)
    assert advised.advice == tuple(advice)


@few
@given(duties=DUTIES, held=DUTIES, is_open=st.booleans(), has_facts=st.booleans())
def test_unknown_never_passes_and_a_pass_lacks_nothing(
    duties: list[str], held: list[str], is_open: bool, has_facts: bool
) -> None:
    one = world(duties, held, is_open, [])
    found = gate(road(), one if has_facts else replace(one, facts_version=0, demands=None), Status.IN_SERVICE)

    assert (found.holds is Truth.TRUE) is (not found.missing)
    if is_open or not has_facts:
        assert found.holds is not Truth.TRUE
        with pytest.raises(Conflict):
            hold_passes(found)


def test_a_stage_no_duty_asks_for_is_skipped_and_the_reason_said() -> None:
    light, heavy = gate(road(), seen(), Status.IN_SERVICE), world(["registration_record"], [], False, [])
    found = gate(road(), heavy, Status.IN_SERVICE)

    assert light.gates == (Status.DESIGN, Status.DEVELOPMENT, Status.TESTING, Status.IN_SERVICE)
    skipped = {step.stage: step for step in light.road if step.state is StepState.SKIPPED}
    assert set(skipped) == {Status.FILED, Status.UNDER_REVIEW, Status.REGISTERED}
    assert "not needed" in skipped[Status.FILED].why.says.en
    assert {Status.FILED, Status.REGISTERED} <= set(found.gates)
    assert next_stage(road(), replace(heavy, system=replace(heavy.system, status=Status.TESTING))) is Status.FILED


def test_evidence_is_asked_for_by_its_stage_and_not_before() -> None:
    one = world(["registration_record", "ethics_review_decision"], [], False, [])

    early, late = gate(road(), one, Status.TESTING), gate(road(), one, Status.REGISTERED)

    assert [m.id for m in early.missing] == ["ethics_review_decision"]
    assert {m.id for m in late.missing} == {"ethics_review_decision", "registration_record"}


@given(before=st.sampled_from(Status), to=st.sampled_from(Status))
@few
def test_ways_lead_only_where_the_data_says_and_never_out_of_retirement(before: Status, to: Status) -> None:
    ways = road().stages[before].to
    if to in ways:
        hold_may_follow(road(), before, to)
    else:
        with pytest.raises(Conflict):
            hold_may_follow(road(), before, to)
    assert before is not Status.RETIRED or not ways
    if to is Status.IN_SERVICE and to in ways:
        assert is_forward(road(), before, to)  # no way into service goes round its gate


def test_service_is_provisional_only_while_something_asked_for_is_claimed() -> None:
    vouch = Vouch(issuer=Issuer.ASSESSOR, by="usr_assessor", at=AT, statement="seen")
    others = seen(held={"stop_control_test": (piece("stop_control_test", vouched=(vouch,)),)})
    nothing = seen(demands=Demands(), held={})

    assert gate(road(), seen(), Status.IN_SERVICE).provisional
    assert not gate(road(), others, Status.IN_SERVICE).provisional
    assert not gate(road(), nothing, Status.IN_SERVICE).provisional
    assert "no evidence" in gate(road(), nothing, Status.IN_SERVICE).provisional_why.says.en


def demanded(name: str, on: date) -> Demands:
    book = law().rulebook
    text = decide.text_on(book, on)
    facts = packs.read_description(real(name, EU_MORE), book).values()
    return demands(decide.judge(text, facts, on), text, road(), decide.touched(text, facts))


def test_only_established_duties_of_bearers_we_answer_for_ask() -> None:
    book, text = law().rulebook, decide.text_on(law().rulebook, TODAY)
    for name in ("cn-doubao", "eu-cv-ranking", "us-hirevue"):
        facts = packs.read_description(SYSTEMS / f"{name}.yaml", book).values()
        judged = decide.judge(text, facts, TODAY)
        found = demands(judged, text, road(), decide.touched(text, facts))
        assert found.duties
        for one in found.duties:
            finding = judged.findings[one.norm]
            assert finding.is_established and not finding.contingent and finding.norm.bearer in road().bearers
            assert not {*one.kinds} & road().after_service
        assert not {one.norm for one in found.duties} & set(found.advice)


def test_the_same_system_is_asked_for_more_once_more_of_its_law_has_begun() -> None:
    now, then = demanded("eu-cv-ranking", TODAY), demanded("eu-cv-ranking", date(2028, 3, 1))

    assert {one.norm for one in then.duties} > {one.norm for one in now.duties}
    assert "quality_management_system" in then.asking().keys() - now.asking().keys()
    assert now.open == then.open == ()


def test_nobody_vouches_for_their_own_and_operators_vouch_for_nothing() -> None:
    cmd = VouchFor(statement="looked at it")
    with pytest.raises(Refused):
        saying.vouch(piece("stop_control_test", by=ASSESSOR.id), cmd, at=AT, by=ASSESSOR)
    with pytest.raises(Refused):
        saying.vouch(piece("stop_control_test", by="usr_else"), cmd, at=AT, by=OPERATOR)
    with pytest.raises(Conflict):
        saying.vouch(piece("stop_control_test", withdrawn_at=AT), cmd, at=AT, by=ASSESSOR)

    assert saying.vouch(piece("stop_control_test"), cmd, at=AT, by=ASSESSOR)[0].issuer is Issuer.ASSESSOR
    with pytest.raises(Refused):  # a role is no other role
        saying.vouch(piece("stop_control_test"), replace(cmd, issuer=Issuer.AUTHORITY), at=AT, by=ASSESSOR)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("id: filed", "id: filled", "stages.4.id"),
        ("to: []", "to: [idea]", "Nothing may follow retirement"),
        ("    - sign_off: accountable", "    - sign_off: anybody", "sign_off"),
        ("- person: overseer\n    - facts", "- {person: overseer, red_line: none}\n    - facts", "exactly one"),
        ("[ethics_review_decision]", "[ethics_review_decison]", "ethics_review_decision"),
        ("at_most_days: 366", "at_most_days: 9999", "at_most_days"),
        ("- id: retired", "- id: withdrawn", "twice"),
    ],
)
def test_every_fault_of_the_file_is_told_with_its_line(old: str, new: str, said: str) -> None:
    good = (ROOT / "registry" / "lifecycle.yaml").read_text("utf-8")
    assert old in good
    with pytest.raises(Unreadable) as refused:
        read_road(good.replace(old, new, 1), frozenset(law().rulebook.base.evidence))
    assert said in str(refused.value.what.en)
    assert all(one.line > 0 for one in refused.value.findings)


@few
@given(raw=st.one_of(st.binary(max_size=200), st.text(max_size=200)))
def test_no_file_breaks_the_reader(raw: bytes | str) -> None:
    with pytest.raises(Invalid):
        read_road(raw, frozenset())
