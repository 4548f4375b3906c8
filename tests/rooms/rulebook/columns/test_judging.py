"""The column engine comes to what `decide.judge` comes to, whatever the law and whatever is known."""

from datetime import date
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.rulebook.columns import generated
from tests.rooms.rulebook.columns.shipped import shipped
from tests.rooms.rulebook.small import INSTRUMENT, TODAY, derived, label, law, norm, yes

from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid
from safebelt.rooms.rulebook.columns import compile_law, compile_together, judging
from safebelt.rooms.rulebook.columns.graph import FALSE, TRUE, UNKNOWN, Graph, Question, negated
from safebelt.rooms.rulebook.decide import judge, text_on
from safebelt.rooms.rulebook.model import FactType, Verdict


def differences(text, population, on):
    """Everything in which the two engines disagree, system by system."""
    columns = compile_law(text, on)
    verdicts = columns.judge(columns.table(population))
    assert verdicts.height == len(population)
    strictest = {name: verdicts.strictest(name) for name in verdicts.classes}
    found = []
    for at, facts in enumerate(population):
        scalar, row = judge(text, facts, on), verdicts.row(at)
        pairs = {
            "verdicts": ({name: one.verdict for name, one in scalar.findings.items()}, row.norms),
            "in force": ({name: one.in_force.now for name, one in scalar.findings.items()}, row.in_force),
            "classes": ({name: dict(one.truths) for name, one in scalar.classes.items()}, row.classes),
            "strictest": ({name: one.strictest for name, one in scalar.classes.items()}, row.strictest),
        }
        for name, one in scalar.classes.items():
            pairs[name] = (one.strictest, strictest[name][at])
        found += [(facts, name, *pair) for name, pair in pairs.items() if pair[0] != pair[1]]
    return found


@given(generated.laws(), st.lists(generated.facts, min_size=1, max_size=12), st.sampled_from(generated.DAYS))
@settings(max_examples=120, deadline=None)
def test_columns_come_to_what_judging_one_by_one_comes_to(text, population, on) -> None:
    assert differences(text, population, on) == []


def random_facts(text, random: Random):
    """Facts of the real vocabulary: about half unknown, the rest of the real options, and numbers near the limits."""
    numbers = sorted({value for one in text.parameters.values() for value in one.values.values()})
    near = [0, 1, *numbers, *(one + 1 for one in numbers), *(one - 1 for one in numbers)]
    facts = {}
    for one in text.facts.values():
        if random.random() < 0.45:
            continue
        options = [option.id for option in one.options]
        facts[one.id] = {
            FactType.YES_NO: lambda: random.random() < 0.5,
            FactType.ONE_OF: lambda options=options: random.choice([*options, "something else"]),
            FactType.SOME_OF: lambda options=options: random.sample(options, min(len(options), random.choice([0, 1, 2, 6]))),
            FactType.NUMBER: lambda: random.choice(near),
            FactType.DATE: lambda: date(2024, 1, 1).fromordinal(random.randint(738_000, 741_000)),
            FactType.TEXT: lambda: "words",
        }[one.type]()  # fmt: skip
    return facts


def test_columns_come_to_the_same_under_the_whole_law_for_random_facts() -> None:
    random = Random(20261122)

    for on in (date(2025, 3, 1), date(2026, 8, 10), TODAY, date(2027, 12, 2)):
        text = text_on(shipped(), on)
        assert differences(text, [random_facts(text, random) for _ in range(40)], on) == []


def test_the_comparison_of_the_engines_notices_a_wrong_column() -> None:
    text = law(norm("n", yes("a")), norm("m", {"not": yes("b")}))
    columns = compile_law(text, TODAY)
    verdicts = columns.judge(columns.table([{"a": True, "b": True}]))

    swapped = type(verdicts)(
        on=TODAY,
        planes=verdicts.planes,
        norms={"n": verdicts.norms["m"], "m": verdicts.norms["n"]},
        in_force=verdicts.in_force,
        classes={},
    )

    assert verdicts.row(0).norms == {"n": Verdict.APPLIES, "m": Verdict.DOES_NOT}
    assert swapped.row(0).norms != verdicts.row(0).norms


def test_a_population_larger_than_a_batch_is_judged_in_its_order(monkeypatch) -> None:
    monkeypatch.setattr(judging, "BATCH_ROWS", 7)
    columns = compile_law(law(norm("n", {"fact": "size", "at_least": 10})), TODAY)
    table = columns.table({"size": size} for size in range(50))

    whole = columns.judge(table).applies("n").to_list()
    parts = [one for (verdicts,) in columns.batches(table) for one in verdicts.applies("n").to_list()]

    assert whole == parts == [size >= 10 for size in range(50)]


def test_a_table_made_for_other_questions_is_refused_though_its_facts_have_the_same_names() -> None:
    one, other = (compile_law(law(norm("n", {"fact": "uses", "includes": use})), TODAY) for use in "xz")

    with pytest.raises(ValueError, match="other questions"):
        one.judge(other.table([{"uses": ["z"]}]))


def test_nobody_at_all_can_be_judged() -> None:
    columns = compile_law(text_on(shipped(), TODAY), TODAY)

    verdicts = columns.judge(columns.table([]))

    assert verdicts.height == 0
    assert verdicts.strictest("eu/ai-act").to_list() == []


def test_verdicts_can_be_counted_and_read_as_columns_with_nulls() -> None:
    text = law(norm("n", {"all": [yes("a"), yes("b")]}), classes=(label("strict", yes("a")), label("mild", yes("b"))))
    columns = compile_law(text, TODAY)
    verdicts = columns.judge(columns.table([{"a": True, "b": True}, {"a": False}, {"b": True}, {}]))

    tally = verdicts.tally("n")

    assert verdicts.applies("n").to_list() == [True, False, None, None]
    assert (tally.applies, tally.does_not, tally.unknown) == (1, 1, 2)
    assert verdicts.in_force_now("n").to_list() == [True] * 4
    assert verdicts.class_holds(INSTRUMENT, "strict").to_list() == [True, False, None, None]
    assert verdicts.strictest(INSTRUMENT).to_list() == ["strict", "unknown", "unknown", "unknown"]
    assert verdicts.row(1).as_data()["norms"] == {"n": "does_not"}
    assert verdicts.row(1).classes[INSTRUMENT]["mild"] is Truth.UNKNOWN


def test_norms_that_always_come_out_alike_share_their_columns() -> None:
    columns = compile_law(
        law(norm("n", yes("a")), norm("m", {"all": [yes("a"), yes("a")]}), norm("o", yes("b"))), TODAY
    )

    verdicts = columns.judge(columns.table([{"a": True}]))

    assert verdicts.norms["n"] == verdicts.norms["m"] != verdicts.norms["o"]


def test_a_text_with_faults_is_refused() -> None:
    with pytest.raises(Invalid):
        compile_law(law(norm("n", {"term": "nothing"})), TODAY)


def test_texts_judged_together_share_what_they_have_in_common() -> None:
    before, after = law(norm("n", yes("a")), norm("m", yes("b"))), law(norm("n", yes("a")), norm("m", yes("c")))

    columns = compile_together((before, TODAY), (after, TODAY))
    one, other = columns.judge_all(columns.table([{"a": True, "b": True, "c": False}]))

    assert one.norms["n"] == other.norms["n"]
    assert one.row(0).norms["m"] is Verdict.APPLIES
    assert other.row(0).norms["m"] is Verdict.DOES_NOT


def test_an_earlier_row_that_is_unknown_leaves_a_derived_fact_unknown_though_both_would_agree() -> None:
    text = law(derived("grade", [(yes("a"), 3), (yes("b"), 3)], 3), norm("n", {"fact": "grade", "is": 3}))
    columns = compile_law(text, TODAY)

    verdicts = columns.judge(columns.table([{}, {"a": True}, {"a": False}, {"a": False, "b": False}]))

    assert verdicts.applies("n").to_list() == [None, True, None, True]


def test_the_graph_simplifies_only_what_kleene_allows() -> None:
    graph = Graph()
    a, b = (graph.question(Question(name, FactType.YES_NO, "yes")) for name in "ab")

    assert graph.every(a, a, TRUE) == a
    assert graph.every(a, FALSE) == FALSE
    assert graph.every() == TRUE
    assert graph.some() == FALSE
    assert graph.some(a, b) == graph.some(b, a)
    assert negated(UNKNOWN) == UNKNOWN
    assert graph.every(a, negated(a)) not in (TRUE, FALSE, UNKNOWN)


def test_the_table_keeps_nulls_and_the_narrowest_types_that_fit() -> None:
    text = law(norm("n", {"any": [yes("a"), {"fact": "uses", "includes": "x"}, {"fact": "kind", "is": "red"}, {"fact": "size", "more_than": 3}, {"fact": "launched", "at_least": TODAY}]}))  # fmt: skip
    layout = compile_law(text, TODAY).layout

    table = layout.table([{"uses": ["x", "z"], "kind": "blue"}, {"a": True, "size": 4, "launched": TODAY}])

    assert {name.partition("@")[0]: kind for name, kind in table.schema.items()} == {
        "a:yes_no": pl.Boolean(), "kind:one_of": pl.UInt8(), "launched:date": pl.Date(), "size:number": pl.Float64(), "uses:0": pl.UInt8(),
    }  # fmt: skip
    assert layout.facts(table, 0) == {"kind": "", "uses": ["x"]}
    assert layout.facts(table, 1) == {"a": True, "size": 4.0, "launched": TODAY}


@given(generated.laws(), generated.facts)
@settings(max_examples=30, deadline=None)
def test_a_row_read_back_is_judged_as_the_facts_it_came_from(text, facts) -> None:
    layout = compile_law(text, TODAY).layout

    back = layout.facts(layout.table([facts]), 0)

    first, again = judge(text, facts, TODAY), judge(text, back, TODAY)
    exact = "flop" not in facts  # a whole number beyond 2^53 comes back as the double beside it
    assert not exact or {n: one.verdict for n, one in first.findings.items()} == {n: one.verdict for n, one in again.findings.items()}  # fmt: skip
