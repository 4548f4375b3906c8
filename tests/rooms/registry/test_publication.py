"""What the public sees is an act of a person: previewed, bound to a digest on the ledger, and without any person in it."""

from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safebelt.engines.canonical import canonical
from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.ledger.service import check, read_keys
from safebelt.rooms.registry.cli import commands
from safebelt.rooms.registry.decide import grading, publication
from safebelt.rooms.registry.model import NamePerson, PartyKind, PersonRole, RegisterParty, RegisterSystem
from safebelt.rooms.registry.model.public import Gone, PublicFile, Wanted
from safebelt.rooms.registry.model.publication import EndPublication, KeptBack, Publish, PublishMany, Visibility
from safebelt.rooms.registry.packs.publication import read_publication

ROOT = Path(__file__).parents[3]
VISA = (ROOT / "law" / "systems" / "eu-visa-file-sorter.yaml").read_text("utf-8")
CHAT = (ROOT / "law" / "systems" / "uk-dvla-chatbot.yaml").read_text("utf-8")
BORDER = """
safebelt: system/1
id: border
name: {zh: 入境风险评估, en: Entry risk assessment}
facts:
  system.is_ai: true
  market.jurisdictions: [eu]
  use.purposes: [migration_risk]
  use.practices: []
  use.military: none
  use.only_for: []
  profiling.natural_persons: true
  event.placed_on_market_on: 2026-09-01
  deployer.public_authority: false
"""
NORM = "eu.ai-act.art_49__para_4"
CLEAR = Publish(reason="面向公众的服务", contact="chatbot@service.example", cleared="普通公共服务")


@pytest.fixture
def provider(registry):
    return registry.register_party(RegisterParty(name="明理科技有限公司", contact="13800138000"), by=OWNER)


def register(registry, provider, **more):
    command = {
        "name_zh": "政务问答助手",
        "name_en": "Service helper",
        "purpose_zh": "回答办事问题。",
        "purpose_en": "Answers questions about public services.",
        "provider_id": provider.id,
    }
    return registry.register_system(RegisterSystem(**{**command, **more}), by=OWNER)


@pytest.fixture
def system(registry, provider):
    return register(registry, provider)


# --- one system --------------------------------------------------------------------------------------------------


def test_what_is_previewed_is_what_is_published_to_the_last_byte(registry, ledger, system) -> None:
    registry.describe(system.id, CHAT, by=OWNER)
    seen = registry.preview_publication(system.id, CLEAR)

    decided = registry.publish(system.id, replace(CLEAR, digest=seen.digest), by=OWNER)
    file = registry.public_system(system.id)

    assert isinstance(file, PublicFile)
    assert file.record == seen.record
    assert file.body == canonical(seen.record)
    assert decided.digest == file.line.digest == sha256(file.body).hexdigest()
    assert ledger.entry(decided.entry_id).data["digest"] == decided.digest
    assert {one["instrument"] for one in file.record["grades"]["regimes"]} >= {"eu/ai-act"}
    assert not file.is_behind


def test_each_publication_is_proven_on_the_ledger_and_checked_without_it(registry, ledger, system) -> None:
    decided = registry.publish(system.id, CLEAR, by=OWNER)
    registry.publish(system.id, replace(CLEAR, contact="other@service.example"), by=OWNER)

    proof = registry.public_proof(system.id, decided.version)
    keys = read_keys("\n".join(map(str, ledger.verifier_keys())))
    reason, proven = check(proof, keys)

    assert reason.holds is Truth.TRUE
    assert proven is not None
    assert proven["data"]["digest"] == sha256(registry.public_body(system.id, decided.version)).hexdigest()
    assert check(proof.replace(proof[-30:-20], "A" * 10), keys)[0].holds is not Truth.TRUE
    assert [act.version for act in registry.public_system(system.id).history] == [2, 1]


def test_a_record_that_changed_since_it_was_previewed_is_not_published(registry, system) -> None:
    seen = registry.preview_publication(system.id, CLEAR)
    registry.describe(system.id, CHAT, by=OWNER)

    with pytest.raises(Conflict):
        registry.publish(system.id, replace(CLEAR, digest=seen.digest), by=OWNER)

    with pytest.raises(NotFound):
        registry.public_system(system.id)


def test_publishing_the_same_again_is_refused_and_a_changed_register_shows_as_behind(registry, system) -> None:
    registry.publish(system.id, CLEAR, by=OWNER)
    with pytest.raises(Conflict):
        registry.publish(system.id, replace(CLEAR, reason="again"), by=OWNER)

    registry.describe(system.id, CHAT, by=OWNER)

    assert registry.public_system(system.id).is_behind
    assert registry.preview_publication(system.id, CLEAR).is_changed


def test_without_facts_a_record_says_not_evaluated_and_somebody_must_say_why_it_may_be_public(registry, system) -> None:
    with pytest.raises(Invalid) as problem:
        registry.publish(system.id, replace(CLEAR, cleared=""), by=OWNER)

    assert problem.value.details["field"] == "cleared"
    registry.publish(system.id, CLEAR, by=OWNER)
    file = registry.public_system(system.id)
    assert not file.record["grades"]["evaluated"]
    assert file.record["grades"]["regimes"] == []


def test_what_is_taken_out_says_so_and_never_vanishes(registry, clock, system) -> None:
    registry.publish(system.id, CLEAR, by=OWNER)
    clock.move(days=3)

    registry.unpublish(system.id, EndPublication(reason="服务停用"), by=OWNER)
    gone = registry.public_system(system.id)

    assert isinstance(gone, Gone)
    assert (gone.ended_on, gone.reason) == (date(2026, 11, 24), "服务停用")
    assert registry.public_systems(Wanted()).items == ()
    assert registry.public_proof(system.id, 2)
    with pytest.raises(NotFound):
        registry.public_body(system.id, 1)
    with pytest.raises(Conflict):
        registry.unpublish(system.id, EndPublication(reason="again"), by=OWNER)


def test_what_never_was_public_is_not_found_whether_or_not_it_exists(registry, system) -> None:
    messages = []
    for one in (system.id, "sys_nothing"):
        with pytest.raises(NotFound) as problem:
            registry.public_system(one)
        messages.append(problem.value.in_("en").replace(one, "…"))

    assert messages[0] == messages[1]


# --- embargo, restriction ----------------------------------------------------------------------------------------


def test_an_embargoed_system_becomes_public_on_its_day_and_not_before(registry, ledger, clock, system) -> None:
    until = clock().date() + timedelta(days=10)
    wish = replace(CLEAR, visibility=Visibility.EMBARGOED, until=until, basis="eu/ai-act#art_71", reason="秘密发布会")
    decided = registry.publish(system.id, wish, by=OWNER)

    clock.move(days=9)
    before = registry.public_systems(Wanted()).total
    with pytest.raises(NotFound):
        registry.public_system(system.id)
    with pytest.raises(NotFound):
        registry.public_proof(system.id, decided.version)
    clock.move(days=1)
    file = registry.public_system(system.id)

    assert before == 0
    assert file.line.since == until
    assert file.history[0].on == until
    assert registry.public_newest(5)[0].id == system.id
    assert b"\xe7\xa7\x98\xe5\xaf\x86" not in ledger.entry(decided.entry_id).body


def test_an_embargo_needs_a_day_to_come_and_a_basis_the_rulebook_knows(registry, system) -> None:
    for until in (None, date(2026, 11, 21), date(2020, 1, 1)):
        wish = replace(CLEAR, visibility=Visibility.EMBARGOED, until=until, basis="eu/ai-act#art_71")
        with pytest.raises(Invalid):
            registry.publish(system.id, wish, by=OWNER)
    with pytest.raises(Invalid):
        registry.publish(system.id, replace(wish, until=date(2027, 1, 1), basis="eu/ai-act#art_9999"), by=OWNER)


def test_what_the_law_keeps_back_cannot_be_made_public_and_is_only_counted(registry, system) -> None:
    registry.describe(system.id, BORDER, by=OWNER)
    seen = registry.preview_publication(system.id, CLEAR)

    with pytest.raises(Conflict):
        registry.publish(system.id, CLEAR, by=OWNER)
    registry.publish(system.id, Publish(reason="边境", visibility=Visibility.RESTRICTED, basis=NORM), by=OWNER)

    assert seen.kept_back.holds is Truth.TRUE
    numbers = registry.public_numbers()
    assert (numbers.total, dict(numbers.restricted)) == (0, {NORM: 1})
    with pytest.raises(NotFound):
        registry.public_system(system.id)


def test_a_visa_sorter_that_is_not_high_risk_is_judged_by_the_same_norm(registry, system) -> None:
    registry.describe(system.id, VISA, by=OWNER)

    kept = registry.preview_publication(system.id, CLEAR).kept_back

    assert kept.reason.cites == (NORM,)
    assert kept.holds in set(Truth)


def test_what_was_public_and_is_restricted_later_says_that_it_was_withdrawn_and_nothing_else(registry, system) -> None:
    registry.publish(system.id, CLEAR, by=OWNER)

    registry.publish(system.id, Publish(reason="警方要求", visibility=Visibility.RESTRICTED, basis=NORM), by=OWNER)
    gone = registry.public_system(system.id)

    assert gone == Gone(id=system.id, ended_on=date(2026, 11, 21), reason="", entry_id="")


# --- people ------------------------------------------------------------------------------------------------------


LETTERS = "王敏小明 aZé.'-+(*[\\３ﬁİ"
"""Letters that folding changes, and signs that mean something to a search by pattern."""
TYPED = (
    ("contact", "wang.min@example.org"),
    ("contact", "13800138000"),
    ("not_for_zh", "不得联系王敏本人"),
    ("not_for_en", "Ask Li Lei first"),
    ("reason", "王敏同意"),
    ("cleared", "li lei says so"),
)


def test_a_person_never_reaches_the_public_through_what_is_typed(registry, system) -> None:
    named = NamePerson(role=PersonRole.ACCOUNTABLE, name="王敏", contact="wang.min@example.org")
    registry.name_person(system.id, named, by=OWNER)
    registry.name_person(system.id, NamePerson(role=PersonRole.OVERSEER, name="Li Lei"), by=OWNER)

    refused = []
    for field, text in TYPED:
        with pytest.raises(Invalid) as problem:
            registry.publish(system.id, replace(CLEAR, **{field: text}), by=OWNER)
        refused.append(problem.value.details["field"])

    assert refused == [field for field, _ in TYPED]
    registry.publish(system.id, replace(CLEAR, not_for_en="Not for smiling lightly"), by=OWNER)


def test_a_provider_who_is_a_person_is_not_named(registry) -> None:
    person = registry.register_party(RegisterParty(name="赵小明", kind=PartyKind.PERSON), by=OWNER)
    system = register(registry, person)

    registry.publish(system.id, CLEAR, by=OWNER)
    file = registry.public_system(system.id)

    assert file.record["provider"] == {"kind": "person", "name": ""}
    assert "赵小明" not in file.body.decode()
    with pytest.raises(Invalid):
        registry.publish(register(registry, person, purpose_zh="赵小明的小工具").id, CLEAR, by=OWNER)


def test_a_regime_of_another_place_is_told_only_where_it_has_something_to_say(registry, system) -> None:
    registry.describe(system.id, CHAT, by=OWNER)

    told = {
        one["instrument"]: one["class"] for one in registry.preview_publication(system.id).record["grades"]["regimes"]
    }

    assert told["eu/ai-act"] == "transparency"
    assert not [name for name in told if name.startswith(("jp/", "kr/", "us/", "vn/"))]


@settings(derandomize=True, max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=st.text(LETTERS, min_size=2, max_size=8), around=st.tuples(st.text(LETTERS), st.text(LETTERS)))
def test_a_name_set_off_by_spaces_is_always_found(name, around) -> None:
    if len(name.strip()) < 2:
        return

    assert publication._mentions(f"{around[0]} {name.strip()} {around[1]}", name) or len(name.strip()) < 2


# --- many --------------------------------------------------------------------------------------------------------


def test_many_are_published_at_once_and_each_is_on_the_ledger(registry, ledger, provider) -> None:
    systems = [register(registry, provider, name_zh=f"系统{n}", name_en=f"Tool {n}") for n in range(3)]
    registry.describe(systems[0].id, BORDER, by=OWNER)
    named = NamePerson(role=PersonRole.OVERSEER, name="王敏")
    registry.name_person(systems[1].id, named, by=OWNER)
    with pytest.raises(Conflict):
        registry.publish_many(PublishMany(decision=CLEAR, search="Tool", expected=7), by=OWNER)

    ids = (*(one.id for one in systems), "sys_nothing")
    first = registry.publish_many(PublishMany(decision=replace(CLEAR, contact="王敏"), ids=ids), by=OWNER)
    second = registry.publish_many(PublishMany(decision=CLEAR, search="Tool", expected=3), by=OWNER)
    third = registry.publish_many(PublishMany(decision=CLEAR, ids=ids[:3]), by=OWNER)

    assert (first.published, first.restricted, first.refused_total) == (1, 1, 2)
    assert [one.code for one in first.refused] == ["not-found", "invalid"]
    assert (second.published, second.restricted, second.unchanged) == (2, 0, 1)
    assert (third.published, third.unchanged) == (0, 3)
    assert len(ledger.entries(kind="registry.publication_decided.v1")) == 4


def test_a_deed_about_many_that_means_none_is_refused(registry) -> None:
    with pytest.raises(Invalid):
        registry.publish_many(PublishMany(decision=CLEAR), by=OWNER)
    with pytest.raises(Invalid):
        registry.publish_many(PublishMany(decision=replace(CLEAR, reason=" "), search="x"), by=OWNER)


def test_what_stood_in_the_way_of_many_is_told_once_with_what_to_do_about_it(registry, provider) -> None:
    ids = tuple(register(registry, provider, name_en=f"Tool {n}").id for n in range(3))
    many = commands(registry)
    words = ("publication", "many", *ids, "--reason", "Taken over", "--contact", "help@example.org")

    refused = many((*words, "sys_nothing"), result_action="return_value")
    cleared = many((*words, "--cleared", "Public at its source"), result_action="return_value")

    told = refused.says.en.splitlines()
    assert refused.exit_code == 1 and "4 refused" in told[0]
    assert told[1].startswith("  3 (such as ") and "say why it may be public" in told[1]
    assert told[2].strip() == 'Here: --cleared "…"'
    assert told[3].startswith("  1 (such as sys_nothing)") and len(told) == 4
    assert "为何可以公开" in refused.says.zh
    assert [one["systems"] for one in refused.data["obstacles"]] == [3, 1]
    assert cleared.exit_code == 0 and cleared.data["published"] == 3 and not cleared.data["obstacles"]


# --- reading -----------------------------------------------------------------------------------------------------


def test_lists_search_filter_and_go_on_by_cursor(registry, provider) -> None:
    systems = [register(registry, provider, name_zh=f"系统{n}", name_en=f"Tool {n}%") for n in range(5)]
    registry.describe(systems[0].id, CHAT, by=OWNER)
    registry.publish_many(PublishMany(decision=CLEAR, ids=tuple(one.id for one in systems)), by=OWNER)

    page = registry.public_systems(Wanted(), page=1, size=2)
    rest = registry.public_after(Wanted(), cursor=page.next, size=10)

    assert (page.total, page.pages, len(page.items)) == (5, 3, 2)
    assert [one.id for one in (*page.items, *rest)] == sorted((one.id for one in systems), reverse=True)
    assert registry.public_systems(Wanted(search="ｔｏｏｌ 3%")).total == 1
    assert registry.public_systems(Wanted(search="100%_")).total == 0
    assert registry.public_systems(Wanted(marks=(("place", "eu"),))).items[0].id == systems[0].id
    assert registry.public_systems(Wanted(stage=systems[0].status)).total == 5
    assert registry.public_starts(2) == ("", *(sorted((one.id for one in systems), reverse=True)[n] for n in (1, 3)))


def test_a_search_finds_nothing_that_is_not_public(registry, provider) -> None:
    system = register(registry, provider, name_en="Alpha")
    registry.publish(system.id, CLEAR, by=OWNER)
    hidden = register(registry, provider, name_en="Hidden falcon")

    found = registry.public_systems(Wanted(search="falcon"))

    assert found.total == 0
    assert registry.systems(search="falcon").items[0].id == hidden.id


# --- what judges -------------------------------------------------------------------------------------------------


def deep(width: int, depth: int) -> Reason:
    says = Text(zh=f"层{depth}", en=f"level {depth}")
    because = tuple(deep(width, depth - 1) for _ in range(width)) if depth else ()
    return Reason(says=says, holds=Truth.TRUE, because=because)


@settings(derandomize=True, max_examples=15, deadline=None)
@given(width=st.integers(1, 4), depth=st.integers(0, 5), limit=st.integers(1, 60))
def test_a_long_reason_is_cut_to_its_limit_and_says_how_much_is_left_out(width, depth, limit) -> None:
    def size(node) -> int:
        return 1 + sum(size(part) for part in node["because"])

    def cut(node) -> int:
        return node.get("left_out", 0) + sum(cut(part) for part in node["because"])

    reason = deep(width, depth)
    told = grading.told_reason(reason, limit)

    assert size(told) == min(limit, sum(1 for _ in reason.walk()))
    assert (cut(told) > 0) == (limit < sum(1 for _ in reason.walk()))


def test_only_verified_law_in_force_keeps_an_entry_back(clock) -> None:
    open_ = KeptBack(holds=Truth.UNKNOWN, norms=(NORM,), reason=deep(1, 0))
    cmd = Publish(reason="r", cleared="no")
    args = {"digest": "d", "is_basis_known": False, "at": clock()}

    decided, _ = publication.publish(None, "sys_1", cmd, kept=open_, **args)

    assert decided.visibility is Visibility.PUBLIC
    assert publication.as_the_law_says(cmd, open_) is cmd
    with pytest.raises(Conflict):
        publication.publish(None, "sys_1", cmd, kept=replace(open_, holds=Truth.TRUE), **args)


@settings(derandomize=True, max_examples=15, deadline=None)
@given(st.text("{}[]:-&*!|>'\"#%@` \n\tabé王0", max_size=60))
def test_rules_that_cannot_be_read_are_refused_in_words(source) -> None:
    with pytest.raises(Invalid):
        read_publication(source)


def test_the_rules_of_this_house_name_norms_and_facts_the_rulebook_has(registry) -> None:
    text, rules = registry._rules.text(), registry.publication_rules

    assert set(rules.restricted_by) <= set(text.norms)
    assert {one.fact for one in rules.counted_by.values()} | set(rules.places) <= set(text.facts)


# --- doors -------------------------------------------------------------------------------------------------------


def test_the_same_by_the_api(client, registry, system) -> None:
    here = f"/api/registry/systems/{system.id}/publication"
    seen = client.get(f"{here}/preview").json()
    wish = {"reason": "Open to all", "contact": "desk@service.example", "cleared": "An ordinary service"}

    undecided = client.get(here).json()
    stale = client.post(here, json={**wish, "digest": seen["digest"]})
    decided = client.post(here, json=wish)
    again = client.post(here, json=wish)
    many = client.post("/api/registry/publications", json={"decision": wish, "ids": [system.id]})
    ended = client.post(f"{here}/end", json={"reason": "Closed"})

    assert (undecided["is_decided"], undecided["is_shown"]) == (False, False)
    assert seen["kept_back"]["holds"] == "unknown"
    assert [one.status_code for one in (stale, decided, again, many, ended)] == [409, 201, 409, 201, 201]
    assert decided.json()["is_shown"]
    assert (many.json()["unchanged"], ended.json()["is_shown"]) == (1, False)
    assert client.post(here, json={"reason": ""}).status_code == 422
    assert client.get("/api/registry/systems/sys_nothing/publication").status_code == 404


def test_the_same_by_pages_and_by_the_command_line(client, registry, system) -> None:
    here = f"/en/registry/systems/{system.id}/publication"
    many = "/zh/registry/publications"

    assert "Nobody has decided yet" in client.get(here).text
    assert client.post(here, data={"act": "decide", "reason": ""}).status_code == 422
    assert client.get(many).status_code == 200
    done = client.post(many, data={"reason": "公开", "cleared": "普通服务", "ids": system.id, "expected": "1"}).text
    assert "按决定处理 1 个" in done
    assert "The public sees it" in client.get(here).text
    assert client.post(f"{here}/end", data={"reason": "Closed"}, follow_redirects=False).status_code == 303
    answer = commands(registry)(
        ["publication", "many", system.id, "--reason", "open", "--cleared", "fine"], result_action="return_value"
    )
    assert (answer.data["published"], answer.exit_code) == (1, 0)
