"""What people do with the rulebook, on both databases: facts, red lines, drafts, covenants, reviews, interviews, gaps."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.rooms.rulebook.house import ROOT
from tests.rooms.rulebook.owed_house import FIRST, OPERATOR, SECOND, OwedHouse, build_house, example

from safebelt.kernel.actors import Actor, Role
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model import Status
from safebelt.rooms.registry.store import register
from safebelt.rooms.rulebook import store
from safebelt.rooms.rulebook.model import Verdict
from safebelt.rooms.rulebook.model.deeds import GapKind, Opinion, ProposeOverride, ReportGap, ReviewNorm
from safebelt.rooms.rulebook.service.weighing import Whom

DRAFT = (ROOT / "law" / "drafts" / "eu-emotion-recognition.yaml").read_text("utf-8").replace("@demo-emotion", "@mine")
FACES = "eu.ai-act.art_5__para_1__point_e"
CAMERA = """
safebelt: system/1
id: camera
name: {zh: 情绪摄像头, en: Emotion camera}
facts:
  system.is_ai: true
  market.jurisdictions: [eu]
  use.military: none
  use.only_for: []
  use.practices: []
  use.purposes: [customer_service]
  system.functions: [emotion_recognition]
  eu.emotion.medical_or_safety: false
"""


@pytest.fixture
def house(sql, tmp_path, clock, new_id, chance) -> OwedHouse:
    clock.now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    return build_house(sql, tmp_path, clock, new_id, chance)


def kinds(house: OwedHouse, after: int = 0) -> list[str]:
    """What the ledger has been told, oldest first, after so many entries."""
    return [entry.kind for entry in reversed(house.ledger.entries(limit=100))][after:]


def count(house: OwedHouse) -> int:
    return len(house.ledger.entries(limit=100))


# ---- facts and red lines


def test_putting_facts_on_record_is_one_entry_and_the_same_facts_again_are_none(house):
    system = house.system()
    before = count(house)
    house.registry.describe(system, example("eu-cv-ranking"), by=OPERATOR)

    assert kinds(house, before) == ["rulebook.system_described.v1"]
    with pytest.raises(Conflict):
        house.registry.describe(system, example("eu-cv-ranking"), by=OPERATOR)
    assert count(house) == before + 1
    assert [one.version for one in house.rules.versions(system)] == [1]


def test_facts_that_meet_a_red_line_bar_a_system_and_take_it_out_of_service(house):
    system = house.system(example("eu-cv-ranking"))
    current = house.registry.system(system)
    with house.registry._sql.begin() as tx:  # as it would stand after its gates
        register.save_system(tx, replace(current, version=current.version + 1, status=Status.IN_SERVICE))
    before = count(house)
    house.registry.describe(system, example("eu-clearview"), by=OPERATOR)

    assert FACES in house.rules.barred_by(system)
    assert house.registry.system(system).status is Status.SUSPENDED
    assert kinds(house, before) == [
        "rulebook.system_described.v1",
        "registry.system_moved.v1",
        "registry.change_judged.v1",
    ]


def test_an_unverified_red_line_informs_and_bars_nothing(house):
    system = house.system(example("cn-xingye"))
    found = house.rules.file_of(system)
    met = [one for one in found.outlook.judgment.findings.values() if one.norm.red_line]

    assert any(one.verdict is Verdict.APPLIES and not one.is_established for one in met)
    assert house.rules.barred_by(system) == ()


def test_what_is_owed_names_the_person_and_says_on_which_day(house, clock):
    system = house.system(example("eu-cv-ranking"))
    today, later = house.rules.file_of(system), house.rules.file_of(system, on=date(2028, 1, 1))

    assert all(one.persons == ("王敏",) for one in today.outlook.duties if one.bearer in {"provider", "deployer"})
    assert later.outlook.on == date(2028, 1, 1)
    assert later.record == today.record
    assert house.rules.file_of(house.system()) is None
    with pytest.raises(NotFound):
        house.rules.file_of("sys_none")


# ---- exceptions to red lines take two


def ask(norm: str = FACES, days: int = 30, reason: str = "court order") -> ProposeOverride:
    return ProposeOverride(norms=(norm,), until=date(2026, 11, 22) + timedelta(days=days), reason=reason)


def test_an_exception_takes_two_people_and_ends_on_its_day(house, clock):
    system = house.system(example("eu-clearview"))
    others = set(house.rules.barred_by(system)) - {FACES}
    before = count(house)
    proposal = house.rules.propose_override(system, ask(), by=FIRST)

    assert FACES in house.rules.barred_by(system)
    with pytest.raises(Refused):
        house.rules.override(proposal.id, answer="me too", by=FIRST)
    assert FACES in house.rules.barred_by(system)

    house.rules.override(proposal.id, answer="agreed", by=SECOND)
    assert set(house.rules.barred_by(system)) == others
    assert kinds(house, before) == [
        "access.proposal_made.v1",
        "access.proposal_decided.v1",
        "rulebook.red_line_overridden.v1",
    ]

    clock.move(days=30)
    assert FACES in house.rules.barred_by(system)


def test_an_operator_may_neither_ask_for_an_exception_nor_second_one(house):
    system = house.system(example("eu-clearview"))
    with pytest.raises(Refused):
        house.rules.propose_override(system, ask(), by=OPERATOR)
    proposal = house.rules.propose_override(system, ask(), by=FIRST)
    with pytest.raises(Refused):
        house.rules.override(proposal.id, answer="yes", by=OPERATOR)

    assert house.rules.overrides(system) == []


@pytest.mark.parametrize(
    "wrong", [ask(norm="eu.ai-act.art_5__para_1__point_a"), ask(days=0), ask(days=91), ask(reason=" ")]
)
def test_an_exception_names_a_red_line_that_is_met_ends_in_time_and_has_a_reason(house, wrong):
    system = house.system(example("eu-clearview"))
    before = count(house)
    with pytest.raises(Invalid):
        house.rules.propose_override(system, wrong, by=FIRST)

    assert count(house) == before


def test_an_exception_sets_aside_only_the_system_and_the_red_line_it_names(house):
    one, other = house.system(example("eu-clearview")), house.system(example("eu-clearview"))
    proposal = house.rules.propose_override(one, ask(), by=FIRST)
    house.rules.override(proposal.id, answer="agreed", by=SECOND)

    assert FACES in house.rules.barred_by(other)
    assert FACES not in house.rules.barred_by(one)


# ---- drafts take two


def judged(house: OwedHouse, on: date = date(2027, 6, 1)) -> str:
    facts = house.rules.read(CAMERA).values()
    return house.rules.judge(facts, on=on)[0].classes["eu/ai-act"].strictest


def test_a_draft_judges_only_once_a_second_person_adopts_it_and_from_its_day_on(house):
    before, old = count(house), judged(house)
    proposal = house.rules.propose_draft(DRAFT, reason="try", by=FIRST)

    assert judged(house) == old
    with pytest.raises(Refused):
        house.rules.adopt_draft(proposal.id, answer="me too", by=FIRST)
    assert judged(house) == old

    made = house.rules.adopt_draft(proposal.id, answer="agreed", by=SECOND)
    assert judged(house) == "prohibited" != old
    assert judged(house, date(2027, 5, 31)) == old
    assert made.source == DRAFT
    assert kinds(house, before) == [
        "access.proposal_made.v1",
        "access.proposal_decided.v1",
        "rulebook.draft_adopted.v1",
    ]


def test_an_adopted_draft_can_be_weighed_like_an_amendment_and_bars_nothing_while_unverified(house):
    house.rules.adopt_draft(house.rules.propose_draft(DRAFT, reason="try", by=FIRST).id, answer="yes", by=SECOND)
    system = house.system(CAMERA)
    found = house.rules.impact(house.rules.overlay("eu/ai-act@mine"), Whom.REGISTER)

    assert [one.id for one in found.listed] == [system]
    assert house.rules.file_of(system, on=date(2027, 6, 1)).barred_by == ()


def test_a_refused_draft_cannot_be_seconded_and_one_that_judges_cannot_be_proposed_again(house):
    refused = house.rules.propose_draft(DRAFT, reason="try", by=FIRST)
    house.access.refuse(refused.id, answer="no", by=SECOND)
    with pytest.raises(Conflict):
        house.rules.adopt_draft(refused.id, answer="yes", by=SECOND)
    assert house.rules.adoptions() == []

    house.rules.adopt_draft(house.rules.propose_draft(DRAFT, reason="again", by=FIRST).id, answer="yes", by=SECOND)
    with pytest.raises(Conflict):
        house.rules.propose_draft(DRAFT, reason="once more", by=FIRST)


@pytest.mark.parametrize(
    "wrong",
    [
        DRAFT.replace("standing: draft", "standing: enacted"),
        DRAFT.replace("point_f", "point_z"),
        "no draft at all",
        "a: [",
        "",
    ],
)
def test_what_is_no_fitting_draft_is_not_proposed(house, wrong):
    before = count(house)
    with pytest.raises(Invalid):
        house.rules.propose_draft(wrong, reason="try", by=FIRST)

    assert count(house) == before


def test_an_auditor_may_not_change_the_law(house):
    auditor = Actor(id="usr_auditor", roles=frozenset({Role.AUDITOR}), door="web")
    with pytest.raises(Refused):
        house.rules.propose_draft(DRAFT, reason="try", by=auditor)


def test_a_crash_between_second_and_deed_leaves_nothing_half_done(house, monkeypatch):
    proposal = house.rules.propose_draft(DRAFT, reason="try", by=FIRST)
    before, old, real = count(house), judged(house), store.decisions.add_adoption

    def crash(*_a, **_k):
        raise RuntimeError("power cut")

    monkeypatch.setattr(store.decisions, "add_adoption", crash)
    with pytest.raises(RuntimeError):
        house.rules.adopt_draft(proposal.id, answer="yes", by=SECOND)
    assert (count(house), judged(house), house.rules.adoptions()) == (before, old, [])
    assert house.access.proposal(proposal.id).stand == "open"

    monkeypatch.setattr(store.decisions, "add_adoption", real)
    house.rules.adopt_draft(proposal.id, answer="yes", by=SECOND)
    assert judged(house) == "prohibited"


# ---- covenants, reviews, interviews, gaps


def test_a_covenant_binds_the_partys_systems_from_its_day_until_it_is_left(house, clock):
    system = house.system(example("cn-doubao"))
    party = house.rules.about(system).party

    def bound() -> bool:
        duties = house.rules.file_of(system).outlook.duties
        return any(one.finding.norm.instrument == "covenants/demo" for one in duties)

    assert not bound()
    before = count(house)
    house.rules.adopt_covenant(party, "demo-covenant", by=OPERATOR)
    assert bound()
    with pytest.raises(Conflict):
        house.rules.adopt_covenant(party, "demo-covenant", by=OPERATOR)
    with pytest.raises(Invalid):
        house.rules.leave_covenant(party, "demo-covenant", reason=" ", by=OPERATOR)
    assert bound()

    house.rules.leave_covenant(party, "demo-covenant", reason="merged", by=OPERATOR)
    assert not bound()
    assert kinds(house, before) == ["rulebook.covenant_adopted.v1", "rulebook.covenant_left.v1"]
    with pytest.raises(NotFound):
        house.rules.adopt_covenant(party, "no-such", by=OPERATOR)


def test_a_review_is_of_a_wording_has_a_note_and_is_one_entry(house):
    before = count(house)
    made = house.rules.review(FACES, ReviewNorm(opinion=Opinion.AGREES, note="read beside the text"), by=SECOND)

    assert house.rules.reviews(FACES) == [made]
    assert kinds(house, before) == ["rulebook.interpretation_reviewed.v1"]
    with pytest.raises(Invalid):
        house.rules.review(FACES, ReviewNorm(opinion=Opinion.AGREES, note=" "), by=SECOND)
    with pytest.raises(NotFound):
        house.rules.review("eu.ai-act.none", ReviewNorm(opinion=Opinion.AGREES, note="x"), by=SECOND)
    assert count(house) == before + 1


def test_an_interview_is_ones_own_never_in_the_ledger_and_erasable(house):
    before = count(house)
    mine = house.rules.start_interview("Camera", by=FIRST)
    house.rules.save_answers(mine.id, {"system.is_ai": True, "use.military": None}, by=FIRST)

    assert house.rules.interview(mine.id, by=FIRST).answers == {"system.is_ai": True, "use.military": None}
    assert house.rules.interviews(by=SECOND) == []
    for deed in (
        lambda: house.rules.interview(mine.id, by=SECOND),
        lambda: house.rules.save_answers(mine.id, {}, by=SECOND),
        lambda: house.rules.erase_interview(mine.id, by=SECOND),
    ):
        with pytest.raises(NotFound):
            deed()
    house.rules.erase_interview(mine.id, by=FIRST)
    assert house.rules.interviews(by=FIRST) == []
    assert count(house) == before


def test_a_gap_is_kept_and_is_one_entry(house):
    before = count(house)
    says = Text(zh="无人机群失控", en="A swarm of drones out of control")
    made = house.rules.report_gap(ReportGap(kind=GapKind.INCIDENT, about="inc_1", says=says), by=OPERATOR)

    assert house.rules.gaps() == [made]
    assert kinds(house, before) == ["rulebook.gap_reported.v1"]
