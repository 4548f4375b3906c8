"""What the measurement rests on: a population that can be drawn again, and a peer engine that comes to the same."""

import json
from datetime import date

import pytest
from bench._population import PLACES, SIZES, synthetic
from bench._rego import Policy, document
from tests.rooms.rulebook.columns.shipped import shipped
from tests.rooms.rulebook.small import (
    INSTRUMENT,
    PAST,
    TODAY,
    cond,
    derived,
    label,
    law,
    norm,
    parameter,
    term,
    yes,
)

from safebelt.rooms.rulebook.columns import compile_law
from safebelt.rooms.rulebook.decide import text_on
from safebelt.rooms.rulebook.model import FactType, InForce, Start


def columns():
    return compile_law(text_on(shipped(), TODAY), TODAY)


def test_the_same_seed_draws_the_same_systems_and_another_seed_others() -> None:
    layout = columns().layout

    first, again, other = (synthetic(layout, 500, seed=seed, forgotten=0.2) for seed in (1, 1, 2))

    assert first.equals(again)
    assert not first.equals(other)


def test_drawn_systems_are_plausible_and_fall_into_many_classes() -> None:
    engine = columns()
    table = synthetic(engine.layout, 20_000, seed=3, forgotten=0.15)
    classes = engine.judge(table).strictest("eu/ai-act").value_counts()

    markets = engine.layout.slots["market.jurisdictions", FactType.SOME_OF]
    nulls = sum(table.null_count().row(0)) / (table.height * table.width)
    facts = [engine.layout.facts(table, at) for at in range(300)]
    small = [one for one in facts if one.get("provider.size") == "sme"]

    assert 0.14 < nulls < 0.16
    assert {place for one in facts for place in one.get("market.jurisdictions", ())} >= {*PLACES} & {*markets.options}
    assert SIZES["sme"] - 0.2 < len(small) / len(facts) < SIZES["sme"]
    assert classes.height >= 6


EVERYTHING = law(
    parameter("limit", {date(2020, 1, 1): 5}),
    derived("grade", [({"fact": "size", "at_least": {"param": "limit"}}, 3), (yes("a"), 2)], 1),
    term("t", {"any": [{"fact": "kind", "one_of": ["red", "blue"]}, {"not": {"not": {"fact": "uses", "includes_any": ["x", "y"]}}}]}, unless=yes("b")),
    norm("n", {"term": "t"}, starts=(Start(when=cond(yes("c")), from_=date(2027, 1, 1)), Start(when=cond(yes("d")), from_=PAST))),
    norm("m", {"fact": "grade", "at_least": 2}, in_force=InForce(from_=date(2027, 6, 1))),
    norm("over", yes("e"), overrides=("n", "m"), starts=(Start(when=cond(yes("a")), from_=date(2027, 3, 1)),)),
    norm("late", yes("a"), in_force=InForce(from_=PAST, until=PAST)),
    norm("day", {"all": [{"fact": "launched", "more_than": PAST}, {"fact": "size", "is": 5}]}),
    classes=(label("strict", {"applies": ["n", "m"]}), label("mild", {"not": {"applies": "over"}})),
)  # fmt: skip


def peer_and_verdicts(text, engine, table):
    regopy = pytest.importorskip("regopy")
    interpreter = regopy.Interpreter()
    interpreter.add_module("law.rego", Policy(text, TODAY).source())
    bundle = interpreter.build("data.law.result")
    verdicts = engine.judge(table)
    for at in range(table.height):
        interpreter.set_input(document(text, engine.layout.facts(table, at)))
        answer = json.loads(str(interpreter.query_bundle(bundle)))["expressions"][0]
        row = verdicts.row(at)
        truths = {f"{name}.{one}": truth.value for name, found in row.classes.items() for one, truth in found.items()}
        yield (
            (sorted(answer["applies"]), sorted(answer["classes"])),
            (sorted(name for name, one in row.norms.items() if one.value == "applies"), sorted(name for name, one in truths.items() if one == "true")),
        )  # fmt: skip


def test_the_law_written_as_rego_comes_to_the_same_where_everything_is_known() -> None:
    for text, systems in ((EVERYTHING, 150), (text_on(shipped(), TODAY), 4)):
        engine = compile_law(text, TODAY)
        pairs = list(peer_and_verdicts(text, engine, synthetic(engine.layout, systems, seed=5, forgotten=0)))

        assert [theirs for theirs, _ in pairs] == [ours for _, ours in pairs]
        assert len({tuple(ours[0]) for _, ours in pairs}) > 1


def test_a_peer_given_other_law_comes_to_something_else() -> None:
    other = law(norm("n", {"not": yes("a")}), classes=(label("strict", yes("a")),))
    engine = compile_law(law(norm("n", yes("a")), classes=(label("strict", yes("a")),)), TODAY)

    ((theirs, ours),) = peer_and_verdicts(other, engine, engine.table([{"a": True}]))

    assert ours == (["n"], [f"{INSTRUMENT}.strict"])
    assert theirs == ([], [f"{INSTRUMENT}.strict"])
