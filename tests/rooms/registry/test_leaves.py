"""The log's leaves are public: nothing in them names a hidden system, a person, or says what people typed."""

from dataclasses import fields

import pytest
from tests.rooms.registry.lifecycle_house import ASSESSOR, DESCRIBED, OPERATOR, attest, move
from tests.rooms.registry.supervision_house import GROUND, OFFICER, build_bench

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model import (
    EVENTS,
    ChangeSystem,
    NamePerson,
    PersonRole,
    RegisterParty,
    Status,
)
from safebelt.rooms.registry.model.events import SystemChangedV1, SystemRegistered, SystemRegisteredV1
from safebelt.rooms.registry.model.lifecycle import VouchFor, Withdraw
from safebelt.rooms.registry.model.notes import Assign, Say
from safebelt.rooms.registry.model.publication import Publish, Visibility
from safebelt.rooms.registry.model.search import SaveView
from safebelt.rooms.registry.model.supervision import Confidentiality, OpenCase, Outcome, StepKind
from safebelt.rooms.registry.model.things import ProposeVersion, RegisterThing, ThingKind
from safebelt.rooms.registry.model.training import AskJob, JobKind, Plan

PLANTED = "Falkenauge"
"""A word no leaf may hold; every text that a person can type carries it."""

TYPED = frozenset({
    "name", "name_zh", "name_en", "purpose", "purpose_zh", "purpose_en", "about_zh", "about_en", "label",
    "notes_zh", "notes_en", "reason", "reason_zh", "reason_en", "statement", "text", "title", "comment",
    "contact", "person", "runner", "looked_at", "cleared", "summary_zh", "summary_en", "licence", "origin_url",
    "details", "changes", "plan", "tags", "added", "removed", "recipient", "basis_text", "file", "filename",
    "number",
})  # fmt: skip
"""Names of fields that people fill in, or that copy what people filled in."""
KNOWN = {
    ("registry.party_registered.v1", "name"),  # an organisation's; a person's is personal
    ("registry.party_changed.v1", "changes"),  # likewise, and never a contact
    ("registry.case_step_served.v1", "number"),  # which step of a case it is
}
OF_EARLIER_RELEASES = (SystemRegisteredV1, SystemChangedV1)


def leaf_fields(event: type[Event]) -> set[str]:
    return {one.name for one in fields(event)} - {"subject", "personal"} - event.apart


def test_no_event_carries_in_its_leaf_what_people_type() -> None:
    told = {
        (event.kind, name)
        for event in EVENTS
        if event not in OF_EARLIER_RELEASES
        for name in leaf_fields(event) & TYPED
    }
    assert told == KNOWN
    assert leaf_fields(SystemRegisteredV1) & TYPED, "the check finds what it is for"


def test_every_field_kept_apart_is_a_field_and_comes_back_as_it_was() -> None:
    for event in EVENTS:
        assert event.apart <= {one.name for one in fields(event)}, event.kind
    made = SystemRegistered(
        subject="sys_1", name_zh="鹰眼", name_en="", purpose_zh=PLANTED, purpose_en="x", provider_id="pty_1",
        deployer_id="", status="idea", version=1,
    )  # fmt: skip
    assert made.read_apart(made.kept_apart()) == {"name_zh": "鹰眼", "purpose_zh": PLANTED, "purpose_en": "x"}
    assert made.read_apart(None) == {} and set(made.data()) == {"provider_id", "deployer_id", "status", "version"}


@pytest.fixture
def database_url(tmp_path) -> str:
    """What a leaf holds does not depend on the database."""
    return f"sqlite:///{tmp_path / 'test.db'}"


def live(registry) -> str:
    """Lead a system that must stay hidden through everything that may happen to it; return its id."""
    party = registry.register_party(RegisterParty(name="明理科技", contact=PLANTED), by=OPERATOR)
    described = DESCRIBED.replace("Spam filter", PLANTED).replace("垃圾邮件过滤", PLANTED)
    system = registry.register_described(described, provider_id=party.id, purpose=(PLANTED, PLANTED), by=OPERATOR).id
    people = [
        registry.name_person(system, NamePerson(role=role, name=PLANTED + role, contact=PLANTED), by=OPERATOR)
        for role in PersonRole
    ]
    person = people[list(PersonRole).index(PersonRole.ACCOUNTABLE)]
    version = registry.system(system).version
    registry.change_system(
        system,
        ChangeSystem(version=version, reason=PLANTED, name_en=f"{PLANTED} 2", purpose_zh=f"{PLANTED}二"),
        by=OPERATOR,
    )
    held = attest(registry, system, "technical_documentation", person)
    registry.vouch(held.id, VouchFor(statement=PLANTED), by=ASSESSOR)
    registry.withdraw(held.id, Withdraw(reason=PLANTED), by=OPERATOR)
    move(registry, system, Status.DESIGN, PLANTED)
    move(registry, system, Status.IDEA, PLANTED)
    work_together(registry, system)
    build(registry, system)
    restricted = Publish(visibility=Visibility.RESTRICTED, reason=PLANTED, basis=GROUND, cleared=PLANTED)
    registry.publish(system, restricted, by=OPERATOR)
    return system


def work_together(registry, system: str) -> None:
    file = registry.attach(system, f"{PLANTED}.txt", [PLANTED.encode()], by=OPERATOR)
    registry.withdraw_attachment(file.id, PLANTED, by=OPERATOR)
    said = registry.comment(Say(subject_id=system, text=PLANTED), by=OPERATOR)
    registry.edit_comment(said.id, f"{PLANTED}!", by=OPERATOR)
    task = registry.assign_task(Assign(subject_id=system, title=PLANTED, person=PLANTED), by=OPERATOR)
    registry.finish_task(task.id, by=OPERATOR)
    registry.tag_system(system, add=PLANTED.lower(), by=OPERATOR)
    registry.save_view(SaveView(name=PLANTED), by=OPERATOR)


def build(registry, system: str) -> None:
    model = RegisterThing(kind=ThingKind.MODEL, name_zh=PLANTED, about_zh=PLANTED, licence=PLANTED)
    thing = registry.register_thing(model, by=OPERATOR)
    version = registry.propose_version(thing.id, ProposeVersion(label=PLANTED, notes_en=PLANTED), by=OPERATOR)
    registry.withdraw_version(version.id, PLANTED, by=OPERATOR)
    plan = Plan(flop=1e9, steps=10, datasets=("a" * 64,))
    job = registry.ask_job(AskJob(kind=JobKind.TRAINING, system_id=system, purpose=PLANTED, plan=plan), by=OPERATOR)
    registry.refuse_job(job.id, PLANTED, by=ASSESSOR)


def test_the_life_of_a_hidden_system_leaves_no_word_of_it_in_the_log(registry, ledger) -> None:
    system = live(registry)
    entries = ledger.entries(limit=200)

    assert len(entries) >= 25 and len({one.kind for one in entries}) >= 18
    assert [one.kind for one in entries if PLANTED.lower() in one.body.decode().lower()] == []
    told = str([act.data for act in registry.dossier(system).acts])
    assert f"{PLANTED} 2" in told, "the dossier still tells those who may read it"


def test_a_case_for_its_parties_leaves_no_word_in_the_log(registry, ledger) -> None:
    bench = build_bench(registry)
    case = bench.registry.open_case(
        OpenCase(system_id=bench.system.id, about=PLANTED, basis=(GROUND,), confidentiality=Confidentiality.PARTIES),
        by=OFFICER,
    )
    bench.serve(case, StepKind.QUESTION, text=PLANTED, days=7)
    entries = [one for one in ledger.entries(limit=50) if one.kind.startswith("registry.case")]

    assert len(entries) == 2
    assert [one.kind for one in entries if PLANTED in one.body.decode() or bench.system.id in one.body.decode()] == []


def test_a_decision_about_a_system_the_law_keeps_back_is_not_read_by_everybody(registry) -> None:
    bench = build_bench(registry)
    case = bench.case()
    bench.serve(case, StepKind.FACT)
    made = bench.serve(case, StepKind.DECISION, outcome=Outcome.NO_MEASURE)
    registry.publish_decision(case.id, made.id, Text(zh="无需处理", en="Nothing to do"), by=OFFICER)
    assert len(registry.public_decisions(bench.system.id)) == 1
    registry.publish(
        bench.system.id, Publish(visibility=Visibility.RESTRICTED, reason="Kept back", basis=GROUND), by=OPERATOR
    )
    assert registry.public_decisions(bench.system.id) == ()
