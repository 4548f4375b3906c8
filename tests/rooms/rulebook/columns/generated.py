"""Laws and facts drawn at random: every form of condition, operator, reference and start; values right and wrong."""

from datetime import UTC, date, datetime

from hypothesis import strategies as st
from tests.rooms.rulebook.small import FACTS, PAST, TODAY, cond, derived, fact, label, law, norm, parameter, term, yes

from safebelt.kernel.errors import Invalid
from safebelt.rooms.rulebook.decide import prepare
from safebelt.rooms.rulebook.model import FactType, InForce, Start

MANY = tuple(f"o{number}" for number in range(70))  # more options than one column of bits has
DAYS = (date(2021, 1, 1), TODAY, date(2026, 12, 2), date(2027, 8, 2))
VOCABULARY = (*FACTS, fact("many", FactType.SOME_OF, *MANY), fact("said", FactType.TEXT), fact("flop", FactType.NUMBER))

COMPARISONS = st.one_of(
    st.builds(lambda name, value: {"fact": name, "is": value}, st.sampled_from("abcde"), st.booleans()),
    st.builds(lambda one: {"fact": "uses", "includes": one}, st.sampled_from("xyz")),
    st.builds(lambda some: {"fact": "many", "includes_any": some}, st.lists(st.sampled_from(MANY), min_size=1, max_size=4)),
    st.builds(lambda one: {"fact": "kind", "is": one}, st.sampled_from(["red", "blue"])),
    st.builds(lambda some: {"fact": "kind", "one_of": some}, st.lists(st.sampled_from(["red", "green", "blue"]), min_size=1)),
    st.builds(lambda one: {"fact": "said", "is": one}, st.sampled_from(["hello", "bye"])),
    st.builds(
        lambda operator, value: {"fact": "size", operator: value},
        st.sampled_from(["at_least", "more_than", "at_most", "less_than", "is"]),
        st.sampled_from([0, 5, 7.5, 10]) | st.just({"param": "limit"}),
    ),
    st.builds(lambda some: {"fact": "size", "one_of": some}, st.lists(st.sampled_from([5, 7.5, 10]), min_size=1)),
    st.builds(lambda operator: {"fact": "flop", operator: 1e25}, st.sampled_from(["at_least", "more_than", "is"])),
    st.builds(
        lambda operator, day: {"fact": "launched", operator: day},
        st.sampled_from(["at_least", "more_than", "at_most", "less_than", "is"]),
        st.sampled_from(DAYS),
    ),
)  # fmt: skip
GRADES = st.builds(
    lambda operator, value: {"fact": "grade", operator: value},
    st.sampled_from(["at_least", "less_than", "is", "more_than"]),
    st.sampled_from([1, 3, 5]),
)
SHADES = st.builds(lambda value: {"fact": "shade", "is": value}, st.booleans())

RIGHT = {
    **{name: st.booleans() for name in "abcde"},
    "size": st.sampled_from([0, 4, 5, 7.5, 10, 11.0]),
    "flop": st.sampled_from([10**25, 10**25 - 1, 10**25 + 1, 1e25, 10**26, 0, 10**400]),
    "kind": st.sampled_from(["red", "green", "blue"]),
    "uses": st.lists(st.sampled_from("xyz"), unique=True),
    "many": st.frozensets(st.sampled_from(MANY), max_size=5),
    "said": st.sampled_from(["hello", "bye", "", "something else"]),
    "launched": st.sampled_from(DAYS),
}
WRONG = st.sampled_from(
    [
        None,
        "yes",
        "violet",
        1,
        -1.5,
        float("nan"),
        True,
        [],
        ["nobody"],
        ["x", 3],
        ("z", "x"),
        datetime(2026, 1, 1, tzinfo=UTC),
        {},
    ]
)
facts = st.fixed_dictionaries({}, optional={name: st.one_of(right, right, WRONG) for name, right in RIGHT.items()})


@st.composite
def laws(draw):
    """Return a text without faults, or a plain one where chance made a circle."""

    def tree(leaves, depth=2):
        if depth == 0 or draw(st.booleans()):
            return draw(leaves)
        form = draw(st.sampled_from(["all", "any", "not"]))
        return {form: tree(leaves, depth - 1) if form == "not" else [tree(leaves, depth - 1) for _ in range(draw(st.integers(1, 3)))]}  # fmt: skip

    entries = [
        parameter("limit", {date(2020, 1, 1): 5, date(2026, 12, 1): 10}),
        derived("grade", [(tree(COMPARISONS), 5), (tree(COMPARISONS), 3), (tree(COMPARISONS, 1), 3)], 1),
        derived("shade", [(tree(COMPARISONS | GRADES), True)], False, FactType.YES_NO),
    ]
    leaves = COMPARISONS | GRADES | SHADES
    for number in range(draw(st.integers(0, 2))):
        entries.append(term(f"t{number}", tree(leaves), unless=draw(st.none() | COMPARISONS)))
        leaves = leaves | st.just({"term": f"t{number}"})
    for number in range(draw(st.integers(1, 5))):
        entries.append(_norm(draw, tree, leaves, number))
        leaves = leaves | st.just({"applies": [f"n{number}"]})
    classes = tuple(label(name, tree(leaves)) for name in ("strict", "middle", "mild")[: draw(st.integers(1, 3))])
    text = law(*entries, classes=classes, facts=VOCABULARY)
    try:
        prepare(text)
    except Invalid:
        return law(norm("n0", yes("a")), classes=(label("strict", yes("b")),), facts=VOCABULARY)
    return text


def _norm(draw, tree, leaves, number):
    starts = [
        Start(when=cond(tree(COMPARISONS | GRADES, 1)), from_=draw(st.sampled_from(DAYS)))
        for _ in range(draw(st.integers(0, 2)))
    ]
    return norm(
        f"n{number}",
        draw(st.none() | st.just(tree(leaves))),
        unless=draw(st.none() | COMPARISONS),
        starts=tuple(starts),
        overrides=tuple(f"n{other}" for other in range(number) if draw(st.integers(0, 2)) == 0),
        in_force=InForce(from_=draw(st.sampled_from([PAST, *DAYS])), until=draw(st.sampled_from([None, None, TODAY, DAYS[3]]))),
    )  # fmt: skip
