"""Imports: what foreign registers state enters as it is stated, proven, judged, undone; and never past a gate."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.rulebook.house import law

from safebelt.engines.canonical import canonical
from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.registry.decide import imports as judge
from safebelt.rooms.registry.imports import read
from safebelt.rooms.registry.imports.bounds import Unfit
from safebelt.rooms.registry.model import ChangeSystem, Status
from safebelt.rooms.registry.model.imports import File, Form, Outcome, State, Wish
from safebelt.rooms.registry.packs import mappings

ROOT = Path(__file__).parents[3]
REGISTERS = ROOT / "tests" / "data" / "registers"
CARDS = [File(name=one.name, content=one.read_bytes()) for one in sorted((REGISTERS / "model_cards").glob("*.md"))]
ATRS = File(name="atrs.json", content=(REGISTERS / "uk_atrs_records.json").read_bytes())
TABLE = (
    "id,name,purpose,provider,status,system.is_ai,market.jurisdictions,users\n"
    "1,Claim triage,Sorts claims,Northwind,In service,yes,eu;cn,1200\n"
    "2,Chat helper,Answers questions,Northwind,live,no,gb,\n"
    "3,Bad row,Has a wrong fact,Northwind,live,perhaps,eu,5\n"
    "4,,No name,Northwind,live,yes,eu,5\n"
)
MAPPING = """safebelt: import/1
form: csv
source: {title: Northwind inventory}
fields: {ref: id, name: name, purpose: purpose, provider: provider, said: status}
facts:
  system.is_ai: {column: system.is_ai}
  market.jurisdictions: {column: market.jurisdictions}
  scale.monthly_users: {column: users}
"""


def table(text: str = TABLE, name: str = "inventory.csv") -> File:
    return File(name=name, content=text.encode())


def test_all_136_british_records_enter_as_ideas_with_no_facts_and_are_judged_unknown(registry):
    batch = registry.import_files([ATRS], Wish(), by=OWNER)

    assert (batch.form, batch.state, batch.counts) == (Form.ATRS, State.DONE, {"entered": 136})
    assert batch.classes["eu/ai-act"] == {"unknown": 136}
    item = registry.import_items(batch.id, size=1).items[0]
    system = registry.system(item.system_id)
    assert system.status is Status.IDEA
    assert registry.descriptions(system.id) == []
    assert item.notes and "publishes the record" in item.notes[0].en


def test_a_source_read_twice_enters_nobody_twice_and_says_whom_it_repeats(registry):
    first = registry.import_files([ATRS], Wish(), by=OWNER)

    again = registry.import_files([ATRS], Wish(), by=OWNER)

    assert again.counts == {"same": 136}
    assert registry.systems().total == 136
    known = {one.system_id for one in registry.import_items(first.id, size=200).items}
    assert {one.system_id for one in registry.import_items(again.id, size=200).items} == known


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_ten_real_model_cards_enter_and_only_what_a_licence_says_becomes_a_fact(registry):
    batch = registry.import_files(CARDS, Wish(), by=OWNER)

    assert (batch.form, batch.counts) == (Form.HF, {"entered": 10})
    found = {one.ref: one for one in registry.import_items(batch.id).items}
    mobile = found["google/mobilebert-uncased"]
    record = registry.descriptions(mobile.system_id)[0]
    assert {name: one.value for name, one in record.description.facts.items()} == {"offer.open_source": True}
    assert record.description.sources["source"].title == "Hugging Face model card"
    assert found["DeepPavlov/rubert-base-cased"].facts == 0
    assert found["google-bert/bert-base-chinese"].notes[0].en == "The source states no purpose."
    assert registry.party(registry.system(mobile.system_id).provider_id).name == "google"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_table_without_a_mapping_gets_a_proposal_and_is_never_imported_by_a_guess(registry):
    seen = registry.preview_import([table()], Wish())

    assert (seen.total, seen.first) == (0, ())
    assert mappings.read_mapping(seen.proposal).fields["said"] == ("status",)
    with pytest.raises(Invalid, match="needs a mapping"):
        registry.import_files([table()], Wish(), by=OWNER)
    assert registry.systems().total == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_preview_counts_what_an_import_then_does_and_a_wrong_value_refuses_its_record_with_its_line(registry):
    wish = Wish(mapping=MAPPING)

    seen = registry.preview_import([table()], wish)

    assert registry.systems().total == 0
    assert seen.counts == {"new": 2, "refused": 2}
    assert [one.where for one in seen.troubles] == ["inventory.csv:4", "inventory.csv:5"]
    assert "neither yes nor no" in seen.troubles[0].says.en
    batch = registry.import_files([table()], wish, by=OWNER)
    assert batch.counts == {"refused": 2, "entered": 2}
    assert batch.classes == seen.outlook
    facts = registry.descriptions(registry.import_items(batch.id).items[0].system_id)[0].description.values()
    assert facts == {"system.is_ai": True, "market.jurisdictions": ("eu", "cn"), "scale.monthly_users": 1200}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_word_of_a_source_brings_a_system_further_than_idea(registry):
    """Import is no way around the gates: whatever a file says of its status is kept as said, and obeyed nowhere."""
    rows = "id,name,purpose,provider,status,stage,in_service\n" + "".join(
        f"{n},S{n},P,Q,{word},{word},true\n" for n, word in enumerate([one.value for one in Status] + ["In gebruik"])
    )
    mapping = MAPPING.split("facts:", maxsplit=1)[0]

    batch = registry.import_files([table(rows)], Wish(mapping=mapping), by=OWNER)
    nl = json.loads((REGISTERS / "algorithm_1_v1_0.json").read_text()) | {"status": "In gebruik"}
    dutch = registry.import_files([File(name="nl.json", content=json.dumps(nl).encode())], Wish(form=Form.NL), by=OWNER)

    items = registry.import_items(batch.id).items + registry.import_items(dutch.id).items
    assert {registry.system(one.system_id).status for one in items} == {Status.IDEA}
    assert items[-1].said == "In gebruik"
    for word in ("status", "stage", "provisional"):
        with pytest.raises(Invalid, match="no such fields"):
            mappings.read_mapping(mapping.replace("said: status", f"{word}: status"))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_imports_judge_is_what_judging_each_alone_comes_to(registry, sql):
    examples = list(registry._rules.examples.values())[::4]
    today = registry._rules.today()

    with sql.read() as tx:
        weighed = registry._rules.weigh(tx, [(one.values(), "") for one in examples])

    barred = 0
    for one, found in zip(examples, weighed, strict=True):
        judgment, _ = registry._rules.judge(one.values(), on=today)
        alone = {name: result.strictest for name, result in judgment.classes.items() if result.strictest}
        assert found.classes == alone
        met = {each.norm.id for each in judgment.findings.values() if each.norm.red_line and each.is_established}
        assert set(found.barred_by) == met
        barred += bool(met)
    assert barred


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_descriptor_that_meets_a_red_line_is_marked_in_the_batch_at_once(registry):
    file = ROOT / "law" / "systems" / "eu-clearview.yaml"

    batch = registry.import_files(
        [File(name=file.name, content=file.read_bytes())], Wish(provider="A face company"), by=OWNER
    )

    assert batch.barred == 1
    (item,) = registry.import_barred(batch.id)
    assert item.barred_by == registry.barred_by(item.system_id)
    assert item.barred_by


def test_every_imported_system_is_proven_by_the_one_entry_of_its_part(registry, ledger):
    batch = registry.import_files([table()], Wish(mapping=MAPPING), by=OWNER)
    item = registry.import_items(batch.id).items[0]

    proof = registry.import_proof(item.system_id)

    entry = ledger.entry(item.entry_id)
    assert (entry.kind, entry.subject) == ("registry.systems_imported.v1", batch.id)
    assert entry.data["root"] == proof.root
    assert judge.proof_holds(proof)
    forged = type(proof)(
        **{name: getattr(proof, name) for name in proof.__slots__} | {"leaf": proof.leaf.replace("Claim", "Clean")}
    )
    assert not judge.proof_holds(forged)
    assert json.loads(proof.leaf)["status"] == "idea"
    assert registry.dossier(item.system_id).acts[-1].entry_id == item.entry_id
    ledger.advance()
    assert ledger.verify().faults == ()


def test_undoing_takes_out_what_nobody_touched_and_leaves_the_rest_and_no_id_leads_nowhere(registry, ledger):
    batch = registry.import_files([ATRS], Wish(), by=OWNER)
    items = registry.import_items(batch.id, size=200).items
    changed, described, gone = (items[n].system_id for n in (3, 7, 9))
    registry.change_system(changed, ChangeSystem(version=1, reason="Corrected", name_en="Corrected name"), by=OWNER)
    registry.describe(
        described, "safebelt: system/1\nid: x\nname: {zh: 甲, en: A}\nfacts: {system.is_ai: true}", by=OWNER
    )

    undone = registry.undo_import(batch.id, reason="Wrong file", by=OWNER)

    assert (undone.state, undone.counts) == (State.UNDONE, {"entered": 2, "taken_out": 134})
    assert {one.id for one in registry.systems().items} == {changed, described}
    with pytest.raises(NotFound, match="left when that was undone"):
        registry.system(gone)
    event = ledger.entries(kind="registry.import_undone.v1")[0]
    assert (event.data["taken_out"], event.data["kept"], event.personal["reason"]) == (134, 2, "Wrong file")
    with pytest.raises(Conflict):
        registry.undo_import(batch.id, reason="Again", by=OWNER)
    back = registry.import_files([ATRS], Wish(), by=OWNER)
    assert back.counts == {"entered": 134, "same": 2}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_likely_duplicate_is_shown_with_its_twin_and_enters_only_if_chosen(registry):
    registry.import_files([table()], Wish(mapping=MAPPING), by=OWNER)
    other = table(TABLE.replace("1,Claim", "77,Claim").replace("Sorts claims", "Sorts other claims"), "other.csv")
    mapping = MAPPING.replace("Northwind inventory", "Second inventory")
    batch = registry.bring_import([other], Wish(mapping=mapping), by=OWNER)

    seen = registry.preview_of_import(batch.id)
    done = registry.confirm_import(batch.id, by=OWNER, chosen=(0,))

    assert [one.outcome for one in seen.first] == [Outcome.LIKELY, Outcome.SAME]
    assert seen.first[0].system_id
    assert {key: many for key, many in done.counts.items() if key != "refused"} == {"entered": 1, "same": 1}


def test_an_import_broken_off_goes_on_where_it_stopped(registry, monkeypatch):
    from safebelt.rooms.registry.service import carrying

    monkeypatch.setattr(carrying, "CHUNK", 50)
    seen = []

    def stop(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        registry.import_files([ATRS], Wish(), by=OWNER, progress=stop)
    half = registry.import_batches().items[0]
    registry.import_waiting()

    assert seen == [(50, 136), (100, 136)]
    assert (half.state, half.done) == (State.RUNNING, 100)
    assert registry.import_batch(half.id).counts == {"entered": 136}
    assert registry.systems().total == 136


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_names_of_parties_and_contacts_stay_out_of_the_proven_leaves(registry, ledger):
    record = json.loads((REGISTERS / "algorithm_1_v1_0.json").read_text()) | {"contact_email": "jan.jansen@example.nl"}
    registry.import_files([File(name="nl.json", content=json.dumps(record).encode())], Wish(form=Form.NL), by=OWNER)

    bodies = b"".join(one.body for one in ledger.entries(limit=200))

    assert b"jan.jansen" not in bodies


def quiet(files, form=None):
    return read(
        files,
        form=form,
        mapping=lambda one: (
            mappings.shipped(ROOT / "registry" / "imports", one)
            if one is not Form.CSV
            else mappings.read_mapping(MAPPING)
        ),
        vocabulary=law().rulebook.base.facts,
        describe=lambda text, name: (_ for _ in ()).throw(Invalid(what=_words(), hint=_words())),
    )


def _words():
    from safebelt.kernel.text import Text

    return Text(zh="不行", en="no")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.sampled_from(list(Form)),
    st.one_of(
        st.binary(max_size=200),
        JSON.map(lambda one: json.dumps(one).encode("utf-8", "surrogatepass")),
        st.text(max_size=200).map(lambda one: f"---\n{one}\n---\n{one}".encode("utf-8", "surrogatepass")),
    ),
)
def test_no_bytes_upset_a_reader(form, content):
    try:
        found = quiet([File(name="x", content=content)], form)
    except Unfit:
        return

    for one in found.records:
        assert one.name.en
        json.dumps(one.extras, allow_nan=False).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 5000,
        b'{"records": [' + b'{"a":' * 20 + b"1" + b"}" * 20 + b"]}",
        b"\xff\xfe",
        b'{"tool_name": "' + b"x" * 30_000 + b'"}',
    ],
)
def test_what_is_too_deep_too_long_or_no_text_is_refused_with_its_place(content):
    found = quiet([File(name="x.json", content=content)], Form.ATRS)

    assert found.records == ()
    assert found.troubles[0].where.startswith("x.json")


def test_front_matter_with_an_alias_or_a_key_twice_is_refused():
    bomb = b"---\na: &x [1]\nb: *x\n---\n"
    twice = b"---\nlicense: mit\nlicense: other\n---\n"

    for content in (bomb, twice):
        assert len(quiet([File(name="o--m.md", content=content)], Form.HF).troubles) == 1


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.dictionaries(st.sampled_from(["id", "name_zh", "name_en", "record"]), st.text(max_size=30)))
def test_a_leaf_is_written_as_canonical_json(body):
    assert judge.leaf_text(body).encode() == canonical(body)
