"""Ways around two people, and around a bar from service, that must not work; on both databases."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Barrier, Thread

import pytest
from tests.rooms.rulebook.house import ROOT, law
from tests.rooms.rulebook.owed_house import FIRST, OPERATOR, SECOND, OwedHouse, build_house, example

from safebelt.kernel.actors import OWNER, Actor, Role
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.registry.model import NamePerson, PersonRole, Status
from safebelt.rooms.registry.model.lifecycle import Attest, Move, SignGate
from safebelt.rooms.rulebook.model.deeds import Opinion, ProposeOverride, ReviewNorm
from safebelt.rooms.rulebook.packs import read_overlay

DRAFT = (ROOT / "law" / "drafts" / "eu-emotion-recognition.yaml").read_text("utf-8").replace("@demo-emotion", "@mine")
DUTY, FACES = "eu.ai-act.art_85", "eu.ai-act.art_5__para_1__point_e"


def draft(name: str, changes: str, effective: str = "2027-06-01") -> str:
    """A draft of the EU AI Act with these changes."""
    return (
        f"id: eu/ai-act@{name}\ntitle: {{zh: 草案, en: Draft}}\ninstrument: eu/ai-act\nstanding: draft\n"
        f"effective: {effective}\nbasis: unsure\nchanges:\n{changes}"
    )


WHY = "    why: {zh: 试一试, en: To try}\n"
REPEAL = f"  - repeal_norm: {DUTY}\n" + WHY
AMEND = f"  - amend_norm: {DUTY}\n    set: {{title: {{zh: 另一标题, en: Another title}}}}\n" + WHY


@pytest.fixture
def house(sql, tmp_path, clock, new_id, chance) -> OwedHouse:
    clock.now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    return build_house(sql, tmp_path, clock, new_id, chance)


def count(house: OwedHouse) -> int:
    return len(house.ledger.entries(limit=100))


def both_at_once(*deeds) -> list[Exception | None]:
    """Do deeds at the same moment; what each of them came to."""
    start = Barrier(len(deeds))
    came: list[Exception | None] = [None] * len(deeds)

    def run(place: int) -> None:
        start.wait()
        try:
            deeds[place]()
        except Exception as error:  # noqa: BLE001  whatever it was is looked at
            came[place] = error

    threads = [Thread(target=run, args=(place,)) for place in range(len(deeds))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return came


def ask(norm: str = FACES, days: int = 30) -> ProposeOverride:
    return ProposeOverride(norms=(norm,), until=date(2026, 11, 22) + timedelta(days=days), reason="court order")


# ---- an exception holds only where and while it makes sense


def test_an_exception_whose_last_day_came_while_it_waited_cannot_be_seconded(house, clock):
    proposal = house.rules.propose_override(house.system(example("eu-clearview")), ask(days=3), by=FIRST)
    before = count(house)
    clock.move(days=5)
    with pytest.raises(Invalid):
        house.rules.override(proposal.id, answer="yes", by=SECOND)

    assert (count(house), house.rules.overrides()) == (before, [])
    assert house.access.proposal(proposal.id).stand == "open"


def test_an_exception_to_a_red_line_that_is_met_no_more_cannot_be_seconded(house):
    system = house.system(example("eu-clearview"))
    proposal = house.rules.propose_override(system, ask(), by=FIRST)
    house.registry.describe(system, example("eu-cv-ranking"), by=OPERATOR)
    with pytest.raises(Invalid):
        house.rules.override(proposal.id, answer="yes", by=SECOND)

    assert house.rules.overrides() == []


def test_a_proposal_about_one_system_is_not_seconded_on_the_page_of_another(house):
    one, other = house.system(example("eu-clearview")), house.system(example("eu-clearview"))
    proposal = house.rules.propose_override(one, ask(), by=FIRST)
    with pytest.raises(NotFound):
        house.rules.override(proposal.id, answer="yes", by=SECOND, system=other)

    assert house.rules.overrides() == []


@pytest.mark.parametrize("loses", ["role", "account"])
def test_a_proposer_who_lost_the_right_meanwhile_is_no_second_person(house, loses):
    new = house.access.add_user("lin", (Role.AUTHORITY,), by=OWNER)
    gone = Actor(id=new.user.id, roles=frozenset({Role.AUTHORITY}), door="web")
    proposal = house.rules.propose_draft(DRAFT, reason="try", by=gone)
    if loses == "role":
        house.access.change_roles(gone.id, (Role.OPERATOR,), by=OWNER)
    else:
        house.access.disable(gone.id, by=OWNER)
    with pytest.raises(Conflict):
        house.rules.adopt_draft(proposal.id, answer="yes", by=SECOND)

    assert house.rules.adoptions() == []
    house.access.refuse(proposal.id, answer="gone", by=SECOND)


def test_two_who_second_at_the_same_moment_adopt_once(house):
    third = replace(SECOND, id="usr_third")
    proposal = house.rules.propose_draft(DRAFT, reason="try", by=FIRST)
    before = count(house)
    came = both_at_once(
        lambda: house.rules.adopt_draft(proposal.id, answer="yes", by=SECOND),
        lambda: house.rules.adopt_draft(proposal.id, answer="yes", by=third),
    )

    assert sorted(type(one) for one in came if one) == [Conflict]
    assert (len(house.rules.adoptions()), count(house)) == (1, before + 2)


def test_the_same_draft_proposed_twice_is_adopted_once_even_at_the_same_moment(house):
    ids = [house.rules.propose_draft(DRAFT, reason="try", by=FIRST).id for _ in range(2)]
    came = both_at_once(*(lambda one=one: house.rules.adopt_draft(one, answer="yes", by=SECOND) for one in ids))

    assert sorted(type(one) for one in came if one) == [Conflict]
    assert [house.access.proposal(one).stand.value for one in ids].count("open") == 1


# ---- a draft fits what comes after it, and one that fits no more takes no law down


def adopt(house: OwedHouse, source: str) -> None:
    house.rules.adopt_draft(house.rules.propose_draft(source, reason="try", by=FIRST).id, answer="yes", by=SECOND)


def test_a_draft_that_another_adopted_meanwhile_made_unfit_is_not_adopted(house):
    waiting = house.rules.propose_draft(draft("waiting", REPEAL, "2028-02-01"), reason="try", by=FIRST)
    adopt(house, draft("first", REPEAL, "2028-01-01"))
    before = count(house)
    with pytest.raises(Invalid):
        house.rules.adopt_draft(waiting.id, answer="yes", by=SECOND)

    assert count(house) == before
    assert house.access.proposal(waiting.id).stand == "open"
    assert house.rules.text(date(2029, 1, 1)).norms


def test_a_draft_that_would_break_an_amendment_to_come_is_told_so_before_it_is_proposed(house):
    adopt(house, draft("later", AMEND, "2028-06-01"))
    with pytest.raises(Invalid) as refused:
        house.rules.propose_draft(draft("sooner", REPEAL, "2028-01-01"), reason="try", by=FIRST)

    assert "2028-06-01" in refused.value.what.en
    assert DUTY in refused.value.what.en


def test_an_adopted_draft_that_fits_the_law_no_more_is_named_left_out_and_can_be_replaced(house, monkeypatch):
    adopt(house, draft("mine", AMEND))
    real = law()
    norms = {name: one for name, one in real.rulebook.base.norms.items() if name != DUTY}
    updated = replace(real, rulebook=replace(real.rulebook, base=replace(real.rulebook.base, norms=norms)))
    monkeypatch.setattr(type(house.rules), "law", updated)
    house.rules._adopted = None  # the house starts anew

    assert house.rules.text(date(2027, 7, 1)).norms
    (unfit,) = house.rules.unfit()
    assert unfit.adoption.overlay == "eu/ai-act@mine"
    assert DUTY in unfit.why.en

    other = "eu.ai-act.art_57__para_5"
    adopt(house, draft("mine", AMEND.replace(DUTY, other)))
    assert house.rules.unfit() == ()
    assert house.rules.text(date(2027, 7, 1)).norms[other].title.en == "Another title"


def test_a_long_draft_with_a_fault_is_read_in_seconds(house):
    terms = "".join(
        f"  - add_term: {{id: eu.ai-act.t{n}, title: {{zh: 条件, en: Term}}, cites: [eu/ai-act#art_5], when: {{term: "
        f"eu.ai-act.t{(n + 1) % 800}}}, basis: primary, status: verified}}\n" + WHY
        for n in range(800)
    )
    began = datetime.now(UTC)
    with pytest.raises(Invalid):
        read_overlay(draft("long", terms), law().rulebook)

    assert (datetime.now(UTC) - began).total_seconds() < 10


@pytest.mark.parametrize("escape", ["\\0", "\\uD800"])
def test_characters_no_database_can_keep_are_refused_with_their_line(escape):
    with pytest.raises(Invalid) as refused:
        read_overlay(DRAFT.replace('en: "Demonstration draft:', f'en: "Demo{escape} draft:'), law().rulebook)

    assert "overlay.yaml:3" in refused.value.what.en


def test_an_id_longer_than_the_ledger_can_name_is_refused():
    with pytest.raises(Invalid):
        read_overlay(draft("x" * 100, REPEAL), law().rulebook)


@pytest.mark.parametrize("reason", ["a\x00b", "a\ud800b"])
def test_a_reason_no_database_can_keep_is_refused(house, reason):
    with pytest.raises(Invalid):
        house.rules.propose_draft(DRAFT, reason=reason, by=FIRST)


# ---- no way into service past a red line


def ready_for_service(house) -> str:
    """A system whose gates into service all hold, as long as its facts stay."""
    system, registry = house.system(example("eu-spam-filter")), house.registry
    people = [
        registry.name_person(system, NamePerson(role=role, name=f"Person {role}"), by=OPERATOR)
        for role in (PersonRole.ACCOUNTABLE, PersonRole.OVERSEER)
    ]
    expires = house.rules.today() + timedelta(days=90)
    for kind in registry.gate(system, Status.IN_SERVICE).asked:
        claim = Attest(kind=kind, statement="here", expires_on=expires, person_id=people[0].id)
        registry.attest(system, claim, by=OPERATOR)
    registry.sign_off(system, SignGate(to=Status.IN_SERVICE, person_id=people[0].id), by=OPERATOR)
    assert registry.gate(system, Status.IN_SERVICE).holds is Truth.TRUE
    return system


def test_facts_that_bar_and_a_way_into_service_at_the_same_moment_end_out_of_service(house):
    system = ready_for_service(house)
    both_at_once(
        lambda: house.registry.move(system, Move(to=Status.IN_SERVICE, reason="go"), by=OPERATOR),
        lambda: house.registry.describe(system, example("eu-clearview"), by=OPERATOR),
    )

    assert house.rules.barred_by(system)
    assert house.registry.system(system).status is not Status.IN_SERVICE


# ---- covenants, reviews, interviews


def test_a_party_nobody_registered_cannot_be_bound(house):
    with pytest.raises(NotFound):
        house.rules.adopt_covenant("pty_nobody", "demo-covenant", by=OPERATOR)

    assert house.rules.commitments() == []


def test_a_party_may_leave_a_covenant_and_return_on_the_same_day(house):
    party = house.rules.about(house.system()).party
    house.rules.adopt_covenant(party, "demo-covenant", by=OPERATOR)
    house.rules.leave_covenant(party, "demo-covenant", reason="error", by=OPERATOR)
    house.rules.adopt_covenant(party, "demo-covenant", by=OPERATOR)

    (one,) = house.rules.commitments(party=party)
    assert one.until is None


def test_a_review_said_twice_at_the_same_moment_is_one(house):
    before, says = count(house), ReviewNorm(opinion=Opinion.AGREES, note="read")
    came = both_at_once(*(lambda: house.rules.review(FACES, says, by=SECOND) for _ in range(2)))

    assert sorted(type(one) for one in came if one) == [Conflict]
    assert count(house) == before + 1
    with pytest.raises(Conflict):
        house.rules.review(FACES, replace(says, note="read again"), by=SECOND)


def test_an_answer_on_its_way_does_not_bring_an_erased_interview_back(house, monkeypatch):
    mine = house.rules.start_interview("Camera", by=FIRST)
    house.rules.erase_interview(mine.id, by=FIRST)
    monkeypatch.setattr(house.rules, "interview", lambda *_a, **_k: mine)  # as read before it was erased
    with pytest.raises(NotFound):
        house.rules.save_answers(mine.id, {"system.is_ai": True}, by=FIRST)

    assert house.rules.interviews(by=FIRST) == []


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 10**400])
def test_a_number_that_is_none_is_no_answer(house, value):
    mine = house.rules.start_interview("Camera", by=FIRST)
    with pytest.raises(Invalid):
        house.rules.answer(mine.id, "scale.monthly_users", value, by=FIRST)


def test_a_text_with_thousands_of_wrong_words_is_answered_in_seconds():
    wrong = draft("wrong", "".join(f"  - repeal_norm: eu.ai-act.art_x_{n}\n" + WHY for n in range(3000)))
    began = datetime.now(UTC)
    with pytest.raises(Invalid) as refused:
        read_overlay(wrong, law().rulebook)

    assert len(refused.value.details) == 3000
    assert (datetime.now(UTC) - began).total_seconds() < 15


@pytest.mark.parametrize("length", [200, 3000])
def test_a_draft_too_deep_to_judge_by_is_refused(length):
    links = "".join(
        f"  - add_term: {{id: eu.ai-act.t{n}, title: {{zh: 条件, en: Term}}, cites: [eu/ai-act#art_5], when: {{term: "
        f"eu.ai-act.t{n + 1}}}, basis: primary, status: verified}}\n" + WHY
        for n in range(length)
    )
    last = (
        links.splitlines()[0]
        .replace("t0", f"t{length}")
        .replace("{term: eu.ai-act.t1}", "{fact: system.is_ai, is: true}")
    )
    with pytest.raises(Invalid) as refused:
        read_overlay(draft("deep", links + last + "\n"), law().rulebook)

    assert "levels deep" in refused.value.what.en
