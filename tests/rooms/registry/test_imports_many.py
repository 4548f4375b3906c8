"""Many at once come to what one at a time comes to: judgments, digests, leaves; in part after part."""

import json
from hashlib import sha256
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.registry.test_imports import MAPPING, table

from safebelt.engines.canonical import canonical
from safebelt.kernel.actors import OWNER
from safebelt.kernel.text import Text
from safebelt.rooms.registry.decide import imports as judge
from safebelt.rooms.registry.imports.applying import digest_of
from safebelt.rooms.registry.model.imports import Wish
from safebelt.rooms.registry.model.search import Filters, Question
from safebelt.rooms.rulebook.model import Description, FactValue
from safebelt.rooms.rulebook.service import crowds
from safebelt.rooms.rulebook.store.descriptions import plain

NAME = Text(zh="名", en="name")
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    ["\x7f", "\u2028", "\x00\x1f\b\f", 'é"\\/']
)
VALUES = st.one_of(
    st.booleans(),
    TEXTS,
    st.lists(TEXTS, max_size=3).map(tuple),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.dates(),
)


def varied(registry, many: int) -> list[dict[str, object]]:
    """Facts of real systems, with some left out, some contradictory, some of the wrong type, numbers near limits."""
    random, found = Random(20261122), []
    examples = [one.values() for one in registry._rules.examples.values()]
    for _ in range(many):
        facts = dict(random.choice(examples))
        for name in list(facts):
            match random.randrange(12):
                case 0 | 1:
                    del facts[name]
                case 2 if isinstance(facts[name], bool):
                    facts[name] = not facts[name]
                case 3 if isinstance(facts[name], tuple):
                    facts[name] = facts[name][:1]
                case 4:
                    facts[name] = random.choice([None, "no such option", -1, ("a", 3), 1])
                case 5 if type(facts[name]) is int:
                    facts[name] = facts[name] * random.choice([0, 10, 10**9])
        found.append(facts)
    return found


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_many_judged_together_part_after_part_come_to_what_each_comes_to_alone(registry, sql):
    clear = registry._rules.example("eu-clearview").values()
    systems = [*varied(registry, 59), clear]

    with sql.read() as tx:
        parts = [registry._rules.weigh(tx, [(one, "") for one in systems[at : at + 20]]) for at in range(0, 60, 20)]
        again = registry._rules.weigh(tx, [(one, "") for one in reversed(systems)])
        alone = [registry._rules.weigh_one(tx, one, "") for one in systems]

    assert [one for part in parts for one in part] == alone
    assert list(reversed(again)) == alone
    assert len({str(one) for one in alone}) > 10
    assert any(one.barred_by for one in alone)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_few_come_to_the_same_without_compiling_the_law_and_many_compile_it(registry, sql):
    clear = registry._rules.example("eu-clearview").values()
    systems = [(one, "") for one in (*varied(registry, crowds.FEW), clear)]
    rules = registry._rules

    with sql.read() as tx:
        few = [rules.weigh(tx, systems[: crowds.FEW]), rules.weigh(tx, systems[crowds.FEW :])]
        was_compiled = rules._kept is not None
        many = rules.weigh(tx, systems)

    assert not was_compiled
    assert rules._kept is not None
    assert [one for part in few for one in part] == many
    assert any(one.barred_by for one in many)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_systems_that_the_law_cannot_tell_apart_are_judged_once_and_no_more_are_remembered_than_a_bound(
    registry, sql, monkeypatch
):
    systems = varied(registry, 30)
    monkeypatch.setattr(crowds, "KINDS_REMEMBERED", 8)

    with sql.read() as tx:
        first = registry._rules.weigh(tx, [(one, "") for one in systems[:6] * 2])
        for one in systems:
            registry._rules.weigh(tx, [(one, "")])
        last = registry._rules.weigh(tx, [(one, "") for one in systems[:6]])

    assert all(one is other for one, other in zip(first[:6], first[6:], strict=True))
    assert last == first[:6]
    assert len(registry._rules._kept.said) <= 8


@given(st.dictionaries(st.text("abc.é\U0001f600\uffff", min_size=1, max_size=4), VALUES, max_size=6))
def test_the_digest_of_facts_is_that_of_their_canonical_form(values):
    facts = {name: FactValue(value=one) for name, one in values.items()}

    found = crowds.facts_digest(Description(id="x", name=NAME, facts=facts))

    assert found == sha256(canonical({name: plain(one) for name, one in values.items()})).hexdigest()


@given(st.dictionaries(st.text(max_size=8), TEXTS | st.floats() | st.lists(TEXTS, max_size=2) | st.text(max_size=3)))
def test_the_digest_of_a_record_is_the_one_it_always_had(values):
    body = json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)

    assert digest_of(values) == sha256(body.encode("utf-8", "surrogatepass")).hexdigest()


@given(st.dictionaries(st.sampled_from(["id", "name_zh", "name_en", "record"]), TEXTS))
def test_a_leaf_is_in_canonical_form(body):
    assert judge.leaf_text(body).encode() == canonical(body)


def test_what_enters_in_many_parts_is_what_enters_one_by_one(registry, monkeypatch):
    """The same records in one import of several parts, and in an import for each: the same systems, facts, labels."""
    monkeypatch.setattr("safebelt.rooms.registry.service.carrying.CHUNK", 3)
    rows = [
        f"{n},S{n},P{n},Q{n % 2},live,{'yes' if n % 3 else ''},{'eu;cn' if n % 2 else 'gb'},{n * 4000}"
        for n in range(8)
    ]
    head = "id,name,purpose,provider,status,system.is_ai,market.jurisdictions,users\n"

    together = registry.import_files([table(head + "\n".join(rows))], Wish(mapping=MAPPING), by=OWNER)
    others = MAPPING.replace("Northwind inventory", "Another inventory")
    apart = [
        registry.import_files([table(f"{head}{row}", f"{n}.csv")], Wish(mapping=others, takes_likely=True), by=OWNER)
        for n, row in enumerate(row.replace("S", "T", 1) for row in rows)
    ]

    many = registry.import_items(together.id).items
    single = [registry.import_items(one.id).items[0] for one in apart]
    assert together.counts == {"entered": 8}
    assert [(one.classes, one.barred_by, one.facts) for one in many] == [
        (one.classes, one.barred_by, one.facts) for one in single
    ]
    for one, other in zip(many, single, strict=True):
        mine, theirs = (registry.descriptions(each.system_id)[0] for each in (one, other))
        assert (mine.description.values(), mine.sha256) == (theirs.description.values(), theirs.sha256)
    assert judge.classes_summed({}, (one.classes for one in single)) == together.classes
    unknown = Filters(classes=("cn/genai=unknown",))
    looked_up = set(registry.matching(Question(filters=unknown), 100))
    assert looked_up == {one.system_id for one in (*many, *single) if one.classes.get("cn/genai") == "unknown"}
    assert 0 < len(looked_up) < 16


def test_a_name_is_found_again_in_any_case_and_however_long_and_another_providers_is_not(registry):
    long = "Ä" * 180
    head = "id,name,purpose,provider,status,system.is_ai,market.jurisdictions,users\n"
    registry.import_files(
        [table(f"{head}1,Claim Triage,P,Q,live,,,\n2,{long},P,Q,live,,,")], Wish(mapping=MAPPING), by=OWNER
    )
    rows = f"3,claim triage,P,Q,live,,,\n4,{long},P,Q,live,,,\n5,{long}x,P,Q,live,,,\n6,Claim Triage,P,R,live,,,"

    batch = registry.import_files([table(head + rows)], Wish(mapping=MAPPING), by=OWNER)

    assert [one.outcome.value for one in registry.import_items(batch.id).items] == [
        "likely", "likely", "entered", "entered",
    ]  # fmt: skip
