"""Forms: filled from what is on record, every value with its source, every gap named; filings on the ledger."""

import json
from datetime import date
from pathlib import Path

import pytest
from tests.rooms.rulebook.house import law

from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.registry.decide import forms as judge
from safebelt.rooms.registry.exports import forms as writers
from safebelt.rooms.registry.model import NamePerson, PartyRole, PersonRole, RegisterParty, RegisterSystem
from safebelt.rooms.registry.model.forms import FilingState, Known, Material, Receive
from safebelt.rooms.registry.model.imports import File, Form, Wish
from safebelt.rooms.registry.packs.forms import read_forms

ROOT = Path(__file__).parents[3]
REGISTERS = ROOT / "tests" / "data" / "registers"
SCHEMA = json.loads((REGISTERS / "algoritmeregister_v1_0.schema.json").read_text())["properties"]
FORMS = read_forms(ROOT / "registry" / "forms")
DUTCH = {name: one["example"] for name, one in SCHEMA.items() if one.get("example")} | {
    "lang": "nld",
    "standard_version": "1.0",
    "source_id": "NH-17",
    "lars": "12345678",
}


def faults(record: dict) -> list[str]:
    """What the Dutch register's own definition of its fields finds wrong with a record."""
    wrong = [f"{name}: missing" for name, one in SCHEMA.items() if one.get("required") is True and not record.get(name)]
    for name, value in record.items():
        if name not in SCHEMA:
            wrong.append(f"{name}: unknown")
            continue
        one, values = SCHEMA[name], value if isinstance(value, list) else [value]
        if (one["type"] == "array") != isinstance(value, list):
            wrong.append(f"{name}: wrong type")
        wrong += [f"{name}: too long" for each in values if len(each) > one.get("max_length", 10**6)]
        allowed = one.get("permitted_values")
        wrong += [f"{name}: {each} not permitted" for each in values if allowed and each not in allowed]
    return wrong


@pytest.fixture
def system(registry):
    party = registry.register_party(
        RegisterParty(name="明理科技有限公司", roles=(PartyRole.PROVIDER,), contact="help@example.org"), by=OWNER
    )
    command = RegisterSystem(
        provider_id=party.id, name_zh="问答助手", name_en="Helper", purpose_zh="回答问题。", purpose_en="Answers."
    )
    found = registry.register_system(command, by=OWNER)
    registry.name_person(found.id, NamePerson(role=PersonRole.ACCOUNTABLE, name="王敏", contact="139"), by=OWNER)
    source = "safebelt: system/1\nid: x\nname: {zh: 甲, en: A}\nfacts: {system.functions: [converses, generates_text], audience.includes: []}"
    registry.describe(found.id, source, by=OWNER)
    return found


def test_every_provision_a_form_cites_is_in_the_law_and_what_is_not_sure_says_so():
    known = set(law().rulebook.base.provisions)
    evidence = set(law().rulebook.base.evidence)

    assert len(FORMS) == 7
    for form in FORMS.values():
        cited = [*form.cites, *(cite for field in form.fields for cite in field.cites)]
        assert [one for one in cited if one not in known] == [], form.id
        kinds = {one.partition(".")[2] for field in form.fields for one in field.source if one.startswith("evidence.")}
        assert kinds | ({form.evidence} if form.evidence else set()) <= evidence, form.id
        assert len({one.id for one in form.fields}) == len(form.fields)
        if form.id.startswith("cn-"):
            assert all(one.unsure for one in form.fields), "the official form was not seen"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_form_says_of_every_value_where_it_came_from_and_of_every_gap_what_to_do(registry, system):
    form = registry.filled(system.id, "cn-algorithm-filing")

    found = {one.field.id: one for one in form.fields}
    assert (found["algorithm_name"].value, found["algorithm_name"].source) == ("问答助手", "system.name_zh")
    assert found["algorithm_type"].value == "与人直接对话、生成文本"
    assert found["responsible"].value == "王敏"
    missing = {one.field.id: one.said for one in form.missing}
    assert "Enter the code as an identifier" in missing["uscc"].en
    assert "Put the fact on record" in missing["field"].en
    assert "Put the evidence on record" in missing["self_assessment"].en
    assert not form.is_complete


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_people_write_comes_first_and_can_be_taken_back(registry, system):
    registry.answer_form(system.id, "eu-annex-viii-a", {"trade_name": "Helper Pro"}, by=OWNER)

    filled = registry.filled(system.id, "eu-annex-viii-a")
    assert (filled.fields[4].value, filled.fields[4].source) == ("Helper Pro", "answer")
    back = registry.answer_form(system.id, "eu-annex-viii-a", {"trade_name": ""}, by=OWNER)
    assert (back.fields[4].value, back.fields[4].source) == ("Helper", "system.name")
    with pytest.raises(Invalid, match="no field"):
        registry.answer_form(system.id, "eu-annex-viii-a", {"approved": "yes"}, by=OWNER)
    with pytest.raises(NotFound):
        registry.filled(system.id, "eu-annex-xx")


def test_a_dutch_record_comes_back_out_valid_by_the_registers_own_definition_with_nothing_lost(registry):
    assert faults(DUTCH) == []
    batch = registry.import_files(
        [File(name="nl.json", content=json.dumps([DUTCH]).encode())], Wish(form=Form.NL), by=OWNER
    )
    system_id = registry.import_items(batch.id).items[0].system_id

    out = json.loads(writers.as_json(registry.filled(system_id, "nl-algoritmeregister")))

    assert faults(out) == []
    assert {name: one for name, one in out.items() if name != "lars"} == {
        name: one for name, one in DUTCH.items() if name != "lars"
    }


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_the_dutch_form_does_not_take_is_named_and_left_out_not_cut(registry):
    test_record = json.loads((REGISTERS / "algorithm_1_v1_0.json").read_text()) | {"description_short": "x" * 401}
    batch = registry.import_files(
        [File(name="nl.json", content=json.dumps(test_record).encode())], Wish(form=Form.NL), by=OWNER
    )
    system_id = registry.import_items(batch.id).items[0].system_id

    form = registry.filled(system_id, "nl-algoritmeregister")

    found = {one.field.id: one for one in form.fields}
    assert "does not take 'Bestuur'" in found["category"].trouble.en
    assert "401 characters" in found["description_short"].trouble.en
    assert {one.field.id for one in form.missing} == {"description_short", "publication_category"}
    wrong = faults(json.loads(writers.as_json(form)))
    assert wrong == ["description_short: missing", "publication_category: missing"]
    registry.answer_form(
        system_id,
        "nl-algoritmeregister",
        {"description_short": "Kort.", "publication_category": "Overige algoritmes", "category": "Verkeer\nRecht"},
        by=OWNER,
    )
    assert faults(json.loads(writers.as_json(registry.filled(system_id, "nl-algoritmeregister")))) == []


def test_a_filing_puts_its_digest_on_the_ledger_and_its_number_becomes_claimed_evidence(registry, ledger, system):
    with pytest.raises(Invalid, match="missing"):
        registry.file_form(system.id, "cn-algorithm-filing", by=OWNER, is_submitted=True)
    form = registry.filled(system.id, "cn-algorithm-filing")
    registry.answer_form(system.id, "cn-algorithm-filing", {one.field.id: "填写" for one in form.missing}, by=OWNER)

    record = registry.file_form(system.id, "cn-algorithm-filing", by=OWNER, is_submitted=True)
    done = registry.receive_number(record.id, Receive(number="网信算备110000000000000000001号"), by=OWNER)

    event = ledger.entries(kind="registry.form_filed.v1")[0]
    assert (event.data["digest"], event.data["state"], event.data["missing"]) == (record.digest, "submitted", [])
    assert (done.state, bool(done.evidence_id)) == (FilingState.NUMBERED, True)
    assert "王敏" not in b"".join(one.body for one in ledger.entries(limit=100)).decode()
    with pytest.raises(Conflict):
        registry.receive_number(record.id, Receive(number="2"), by=OWNER)
    assert registry.filings(system.id) == (done,)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_anybody_accountable_a_number_is_kept_and_no_evidence_is_made(registry):
    party = registry.register_party(RegisterParty(name="A"), by=OWNER)
    bare = registry.register_system(RegisterSystem(provider_id=party.id, name_en="B", purpose_en="C"), by=OWNER)

    record = registry.file_form(bare.id, "eu-annex-viii-a", by=OWNER)
    done = registry.receive_number(record.id, Receive(number="EU-1"), by=OWNER)

    assert record.missing
    assert (done.number, done.evidence_id) == ("EU-1", "")


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_every_form_writes_itself_whatever_the_record_holds(form):
    values = {
        one: Known(raw="<b>=1+1</b>\n# x", label=Text(zh="=甲", en="=A"))
        for field in form.fields
        for one in field.source
    }

    for material in (
        Material(system_id="sys_1", on=date(2026, 11, 22), values={}),
        Material(system_id="sys_1", on=date(2026, 11, 22), values=values),
    ):
        filled = judge.fill(form, material)
        json.loads(writers.as_json(filled))
        assert "<b>" not in writers.as_html(filled, "zh")
        assert "<b>" not in writers.as_markdown(filled, "en")
        assert not any(
            cell.startswith("=") for line in writers.as_csv(filled, "en").splitlines() for cell in line.split(",")
        )
        assert "Not legal advice" in writers.as_markdown(filled, "en")
        assert "不构成法律意见" in writers.as_html(filled, "zh")


def test_a_form_that_is_not_filled_makes_nothing_up():
    for form in FORMS.values():
        filled = judge.fill(form, Material(system_id="sys_1", on=date(2026, 11, 22), values={}))

        assert {one.field.id for one in filled.fields if one.value} <= {"lang", "standard_version"}
        assert all(one.said.zh and one.said.en for one in filled.fields)
        assert not filled.is_complete
