"""What systems are made of: things by the schema of their kind, links that stay in history, one current version."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safebelt.engines.sql import Sql
from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Problem
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide.particulars import particulars
from safebelt.rooms.registry.decide.versions import differences, registration_at
from safebelt.rooms.registry.model import ChangeSystem, RegisterParty, RegisterSystem, System
from safebelt.rooms.registry.model.differences import Aspect, Change
from safebelt.rooms.registry.model.things import (
    ChangeThing,
    LinkThing,
    ProposeVersion,
    RegisterThing,
    Relation,
    Thing,
    ThingKind,
    VersionState,
)
from safebelt.rooms.registry.model.things_fields import SCHEMAS
from safebelt.rooms.registry.service import Registry

few = settings(max_examples=40, deadline=None, derandomize=True, database=None)
KEY = "ab" * 32
CAN = {Relation.USES_MODEL: "mdl", Relation.TRAINED_ON: "dat"}


def system(registry: Registry, name: str = "政务问答助手") -> System:
    party = registry.register_party(RegisterParty(name="明理科技有限公司"), by=OWNER)
    command = RegisterSystem(provider_id=party.id, name_zh=name, purpose_zh="回答办事问题")
    return registry.register_system(command, by=OWNER)


def model(registry: Registry, name: str = "通用模型", **more: object) -> Thing:
    return registry.register_thing(RegisterThing(kind=ThingKind.MODEL, name_zh=name, **more), by=OWNER)


def promote(registry: Registry, version_id: str, reason: str = "经关口同意") -> None:
    """What the gate does, inside its own transaction."""
    with registry._sql.begin() as tx:
        registry._promote(tx, version_id, OWNER, reason)


# --- particulars -------------------------------------------------------------------------------------------------


def test_particulars_are_read_into_their_own_types_whether_typed_or_sent() -> None:
    typed = {"parameters": "7,000,000,000", "training_compute_flop": "1e25", "modalities": ("text", "text")}
    sent = {"parameters": 7e9, "training_compute_flop": 1e25, "modalities": ["text"]}

    expected = {"modalities": ("text",), "parameters": 7_000_000_000, "training_compute_flop": 1e25}
    assert particulars(ThingKind.MODEL, typed) == particulars(ThingKind.MODEL, sent) == expected


@pytest.mark.parametrize(
    ("kind", "given", "field"),
    [
        (ThingKind.MODEL, {"colour": "red"}, "details"),
        (ThingKind.MODEL, {"parameters": "-1"}, "parameters"),
        (ThingKind.MODEL, {"parameters": "9" * 17}, "parameters"),
        (ThingKind.MODEL, {"training_compute_flop": "inf"}, "training_compute_flop"),
        (ThingKind.MODEL, {"modalities": ("smell",)}, "modalities"),
        (ThingKind.MODEL, {"data_until": "yesterday"}, "data_until"),
        (ThingKind.AGENT, {}, "acts_on"),
        (ThingKind.AGENT, {"acts_on": "x", "key_fingerprint": "short"}, "key_fingerprint"),
        (ThingKind.AGENT, {"acts_on": "x", "endpoint": "javascript:alert(1)"}, "endpoint"),
        (ThingKind.AGENT, {"acts_on": "x", "endpoint": "https://u:p@example.org/"}, "endpoint"),
        (ThingKind.DATASET, {"personal_data": "none", "collected_from": "2026-02-01", "collected_to": "2026-01-01"},
         "collected_to"),
        (ThingKind.DEPLOYMENT, {"jurisdiction": "CN", "environment": "moon", "since": "2026-01-01"}, "environment"),
        (ThingKind.DEPLOYMENT, {"jurisdiction": ("CN", "EU")}, "jurisdiction"),
    ],
)  # fmt: skip
def test_a_particular_that_is_strange_missing_or_wrong_is_named(kind: ThingKind, given: dict, field: str) -> None:
    with pytest.raises(Invalid) as error:
        particulars(kind, given)

    assert error.value.details == {"field": field}


@few
@given(st.sampled_from(ThingKind), st.data())
def test_whatever_is_sent_as_particulars_is_taken_or_refused_and_what_is_taken_stays_as_it_is(
    kind: ThingKind, data: st.DataObject
) -> None:
    names = st.sampled_from([each.name for each in SCHEMAS[kind]])
    values = st.text(max_size=20) | st.floats() | st.lists(st.text(max_size=5), max_size=3).map(tuple)
    sent = data.draw(st.dictionaries(names, values, max_size=4))

    try:
        once = particulars(kind, sent)
    except Problem:
        return
    assert particulars(kind, once) == once


# --- things ------------------------------------------------------------------------------------------------------


def test_an_agent_has_a_party_that_answers_and_a_key_of_its_own(registry: Registry) -> None:
    party = registry.register_party(RegisterParty(name="明理科技有限公司"), by=OWNER)
    details = {"acts_on": "工单：新建\n工单：回复", "key_fingerprint": KEY.upper()}
    command = RegisterThing(kind=ThingKind.AGENT, name_zh="工单智能体", owner_id=party.id, details=details)

    agent = registry.register_thing(command, by=OWNER)

    assert agent.id.startswith("agt_") and agent.details["acts_on"] == ("工单：新建", "工单：回复")
    assert registry.thing(agent.id) == agent and registry.things_of(party.id) == (agent,)
    with pytest.raises(Conflict) as error:
        registry.register_thing(command, by=OWNER)
    assert error.value.details["thing_id"] == agent.id
    with pytest.raises(Invalid):
        registry.register_thing(RegisterThing(kind=ThingKind.AGENT, name_zh="x", details=details), by=OWNER)
    with pytest.raises(Invalid):
        registry.register_thing(RegisterThing(kind=ThingKind.MODEL, name_zh="x", owner_id="pty_nobody"), by=OWNER)


def test_a_thing_is_changed_on_the_revision_that_was_read(registry: Registry, ledger: Ledger) -> None:
    thing = model(registry, details={"parameters": 7})

    changed = registry.change_thing(
        thing.id, ChangeThing(revision=1, reason="更正", licence="MIT", details={"parameters": ""}), by=OWNER
    )

    assert registry.thing(thing.id) == changed and changed.details == {} and changed.licence == "MIT"
    assert registry.acts_of(thing.id)[0].data["changes"] == {
        "details.parameters": ["7", ""],
        "licence": ["", "MIT"],
    }
    for stale in (ChangeThing(revision=1, reason="x", licence="BSD"), ChangeThing(revision=2, reason="不变")):
        with pytest.raises(Conflict):
            registry.change_thing(thing.id, stale, by=OWNER)


def test_links_count_systems_once_and_stay_in_history(registry: Registry, ledger: Ledger) -> None:
    one, two, shared = system(registry), system(registry, "另一系统"), model(registry)
    uses = LinkThing(thing_id=shared.id, relation=Relation.USES_MODEL)
    first = registry.link_thing(one.id, uses, by=OWNER)
    registry.link_thing(one.id, LinkThing(thing_id=shared.id, relation=Relation.DEPENDS_ON), by=OWNER)
    registry.link_thing(two.id, uses, by=OWNER)

    assert registry.thing(shared.id).dependents == 2  # one system in two ways is one system
    assert registry.things(most_depended=True).items[0].id == shared.id
    for wrong, problem in ((uses, Conflict), (LinkThing(thing_id=shared.id, relation=Relation.TRAINED_ON), Invalid)):
        with pytest.raises(problem):
            registry.link_thing(one.id, wrong, by=OWNER)

    ended = registry.unlink_thing(first.id, reason="改用其他模型", by=OWNER)
    assert ended.until == date(2026, 11, 21) and registry.thing(shared.id).dependents == 2
    with pytest.raises(Conflict):
        registry.unlink_thing(first.id, reason="again", by=OWNER)
    for each in registry.links(one.id) + registry.links(two.id):
        if each.link.until is None:
            registry.unlink_thing(each.link.id, reason="下线", by=OWNER)
    assert registry.thing(shared.id).dependents == 0
    assert registry.used_by(shared.id).total == 3 and registry.used_by(shared.id, is_open=True).total == 0
    registry.link_thing(one.id, uses, by=OWNER)  # what ended may begin anew
    assert [e.kind.split(".")[1] for e in ledger.entries(subject=two.id)] == [
        "thing_unlinked", "thing_linked", "system_registered",
    ]  # fmt: skip


# --- versions ----------------------------------------------------------------------------------------------------


def test_exactly_one_version_is_current_through_promotion_rolling_back_and_withdrawal(
    registry: Registry, ledger: Ledger
) -> None:
    subject = model(registry)
    one, two = (registry.propose_version(subject.id, ProposeVersion(label=each), by=OWNER) for each in ("1", "2"))
    assert registry.current_version(subject.id) is None

    promote(registry, one.id)
    promote(registry, two.id)
    assert [(v.label, v.state) for v in registry.versions(subject.id)] == [
        ("2", VersionState.CURRENT), ("1", VersionState.SUPERSEDED),
    ]  # fmt: skip
    with pytest.raises(Conflict):
        promote(registry, one.id)  # what was superseded is rolled back to, not promoted
    with registry._sql.begin() as tx:
        registry._roll_back_to(tx, one.id, OWNER, "第二版出错")
    assert [v.state for v in registry.versions(subject.id)] == [VersionState.WITHDRAWN, VersionState.CURRENT]
    assert registry.withdraw_version(one.id, "也不可靠", by=OWNER).current_until is not None
    assert registry.current_version(subject.id) is None
    assert [e.kind.split(".")[1] for e in ledger.entries(subject=subject.id)][:5] == [
        "version_withdrawn", "version_rolled_back", "version_promoted", "version_promoted", "version_proposed",
    ]  # fmt: skip


def test_two_current_versions_of_one_subject_cannot_even_be_written(registry: Registry, sql: Sql) -> None:
    subject = system(registry)
    versions = [registry.propose_version(subject.id, ProposeVersion(label=each), by=OWNER) for each in ("1", "2")]
    promote(registry, versions[0].id)

    with pytest.raises(Exception, match=r"(?i)unique"), sql.begin() as tx:
        tx.execute(store.things.version.update().values(state="current"))


def test_a_label_is_used_once_and_a_dataset_has_no_versions(registry: Registry) -> None:
    subject = model(registry)
    registry.propose_version(subject.id, ProposeVersion(label="1", made_by="王敏"), by=OWNER)
    data = registry.register_thing(
        RegisterThing(kind=ThingKind.DATASET, name_zh="语料", details={"personal_data": "none"}), by=OWNER
    )

    for subject_id, command, problem in (
        (subject.id, ProposeVersion(label=" 1 "), Conflict),
        (subject.id, ProposeVersion(label="2", digest="xyz"), Invalid),
        (subject.id, ProposeVersion(label="2", made_on=date(2027, 1, 1)), Invalid),
        (data.id, ProposeVersion(label="1"), Invalid),
        ("sys_nobody", ProposeVersion(label="1"), NotFound),
    ):
        with pytest.raises(problem):
            registry.propose_version(subject_id, command, by=OWNER)


def test_who_made_a_version_is_not_in_what_the_ledger_proves(registry: Registry, ledger: Ledger) -> None:
    registry.propose_version(model(registry).id, ProposeVersion(label="1", made_by="王敏"), by=OWNER)

    assert "王敏".encode() not in b"".join(entry.body for entry in ledger.entries(limit=100))


# --- what differs ------------------------------------------------------------------------------------------------

facts = st.dictionaries(st.sampled_from("abcd"), st.booleans() | st.integers(0, 2) | st.sampled_from(("true", "1")))


@few
@given(facts, facts)
def test_what_differs_names_every_field_once_and_turns_round_with_its_sides(before: dict, after: dict) -> None:
    there, back = differences(before, after), differences(after, before)

    assert {one.field for one in there} == before.keys() | after.keys() and len(there) == len(back)
    mirror = {Change.ADDED: Change.REMOVED, Change.REMOVED: Change.ADDED}
    assert {(o.field, mirror.get(o.change, o.change), o.after, o.before) for o in there} == {
        (o.field, o.change, o.before, o.after) for o in back
    }
    assert all(one.change is Change.SAME for one in differences(before, before))
    same = {o.field for o in there if o.change is Change.SAME}
    assert same == {
        n for n in before.keys() & after.keys() if before[n] == after[n] and type(before[n]) is type(after[n])
    }


def test_an_earlier_registration_is_put_together_by_taking_changes_back() -> None:
    steps = [(3, {"name_zh": ("b", "c")}), (2, {"name_zh": ("a", "b"), "status": ("idea", "design")})]

    states = [registration_at({"name_zh": "c", "status": "design"}, 4, steps, wanted) for wanted in (1, 2, 3, 4, 5, 0)]

    assert [s and s["name_zh"] + s["status"][:1] for s in states] == ["ai", "bd", "cd", "cd", None, None]


def test_registrations_facts_and_versions_are_compared(registry: Registry) -> None:
    one = system(registry)
    for name, flag in (("政务助手", "true"), ("政务助手二", "false")):
        version = registry.system(one.id).version
        registry.change_system(one.id, ChangeSystem(version=version, reason="更名", name_zh=name), by=OWNER)
        descriptor = f"safebelt: system/1\nid: x\nname: {{zh: 甲, en: A}}\nfacts: {{system.is_ai: {flag}}}\n"
        registry.describe(one.id, descriptor, by=OWNER)
    subject = model(registry)
    for label in ("1", "2"):
        registry.propose_version(subject.id, ProposeVersion(label=label), by=OWNER)

    latest = registry.compare(one.id, of=Aspect.FACTS)
    assert (latest.before, latest.after, latest.changed) == ("1", "2", 1)
    assert [(o.before, o.after) for o in latest.fields if o.field == "system.is_ai"] == [("true", "false")]
    named = registry.compare(one.id, of=Aspect.REGISTRATION, before="1")
    assert [(o.before, o.after) for o in named.fields if o.field == "name_zh"] == [("政务问答助手", "政务助手二")]
    assert registry.compare(subject.id, of=Aspect.VERSIONS).changed == 1
    for wrong in ("9", "x", "١"):
        with pytest.raises(NotFound):
            registry.compare(one.id, of=Aspect.FACTS, before=wrong)
