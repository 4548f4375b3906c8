"""A norm applies, does not, or is unknown; what is asked for matters; and the reason is the law's, not the code's."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.rulebook.small import FACTS, TODAY, U, both, cond, derived, fact, law, norm, parameter, term, yes

from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid
from safebelt.rooms.rulebook.decide import judge, prepare, red_lines
from safebelt.rooms.rulebook.decide.bench import Bench
from safebelt.rooms.rulebook.decide.explaining import Explainer
from safebelt.rooms.rulebook.decide.world import World
from safebelt.rooms.rulebook.model import Effective, FactType, InForce, Modality, Start, Verdict

APPLIES, DOES_NOT, UNKNOWN = Verdict.APPLIES, Verdict.DOES_NOT, Verdict.UNKNOWN
LATER = date(2027, 12, 2)


def verdict(text, facts, name="n", on=TODAY):
    return judge(text, facts, on).findings[name].verdict


def finding(text, facts, name="n", on=TODAY):
    return judge(text, facts, on).findings[name]


# --- conditions --------------------------------------------------------------------------------------------------


def test_a_norm_applies_does_not_or_is_unknown_by_its_facts() -> None:
    text = law(norm("n", {"all": [yes("a"), {"fact": "uses", "includes": "x"}]}))

    assert verdict(text, {"a": True, "uses": ["x", "y"]}) is APPLIES
    assert verdict(text, {"a": True, "uses": []}) is DOES_NOT
    assert verdict(text, {"a": True}) is UNKNOWN
    assert finding(text, {"a": True}).missing == ("uses",)


def test_an_exception_takes_the_norm_away_and_an_open_exception_leaves_it_open() -> None:
    text = law(norm("n", yes("a"), unless=yes("b")))

    assert verdict(text, {"a": True, "b": True}) is DOES_NOT
    assert verdict(text, {"a": True, "b": False}) is APPLIES
    assert finding(text, {"a": True}).missing == ("b",)


def test_a_norm_without_conditions_applies_to_everybody() -> None:
    assert verdict(law(norm("n")), {}) is APPLIES


def test_a_fact_that_cannot_matter_any_more_is_not_asked_for() -> None:
    text = law(term("t", {"any": [yes("b"), yes("c")]}), norm("n", {"all": [yes("a"), {"term": "t"}, yes("d")]}))

    assert finding(text, {"a": True}).missing == ("b", "c", "d")
    assert finding(text, {"a": True, "b": True}).missing == ("d",)
    assert finding(text, {"d": False}).missing == ()


def test_what_is_asked_for_is_found_through_terms_norms_and_derived_facts() -> None:
    text = law(
        derived("grade", [(yes("d"), 5), (yes("e"), 3)], 1),
        term("t", {"fact": "grade", "at_least": 3}),
        norm("other", {"term": "t"}),
        norm("n", {"applies": "other"}),
    )

    assert finding(text, {}).missing == ("d", "e")
    assert finding(text, {"d": False}).missing == ("e",)
    assert verdict(text, {"d": False, "e": False}) is DOES_NOT


def test_a_derived_fact_is_the_first_row_that_holds_and_unknown_after_an_unknown_row() -> None:
    text = law(
        derived("grade", [(yes("a"), 5), (yes("b"), 3)], 1),
        norm("n", {"fact": "grade", "is": 3}),
        norm("low", {"fact": "grade", "is": 1}),
    )

    assert verdict(text, {"a": False, "b": True}) is APPLIES
    assert verdict(text, {"b": True}) is UNKNOWN
    assert verdict(text, {"a": True}) is DOES_NOT
    assert verdict(text, {"a": False, "b": False}, "low") is APPLIES


def test_a_parameter_has_the_value_of_the_day_and_before_its_first_the_one_to_come() -> None:
    text = law(
        parameter("limit", {date(2026, 1, 1): 10, LATER: 100}),
        norm("n", {"fact": "size", "at_least": {"param": "limit"}}),
    )

    assert verdict(text, {"size": 50}) is APPLIES
    assert verdict(text, {"size": 50}, on=LATER) is DOES_NOT
    assert verdict(text, {"size": 50}, on=LATER - timedelta(days=1)) is APPLIES
    assert verdict(text, {"size": 9}, on=date(2019, 1, 1)) is DOES_NOT


@pytest.mark.parametrize("wrong", ["yes", 1, [], {"x": 1}, float("nan"), object()])
@pytest.mark.parametrize(
    "tree",
    [
        yes("a"),
        {"fact": "uses", "includes": "x"},
        {"fact": "kind", "is": "red"},
        {"fact": "launched", "at_least": TODAY},
        {"fact": "size", "less_than": 5},
    ],
)
def test_a_value_of_the_wrong_type_is_unknown_and_never_crashes(tree, wrong) -> None:
    name = tree["fact"]
    fits = (name, type(wrong)) in {("kind", str), ("size", int), ("uses", list)}

    got = finding(law(norm("n", tree)), {name: wrong})

    assert (got.verdict is UNKNOWN) is not fits
    assert got.missing == (() if fits else (name,))
    assert got.why.as_data()


# --- overrides ---------------------------------------------------------------------------------------------------


def test_a_norm_that_overrides_another_defeats_it_where_it_applies() -> None:
    text = law(norm("n", yes("a")), norm("free", yes("b"), overrides=("n",), modality=Modality.EXEMPT))

    assert (verdict(text, {"a": True, "b": True}), finding(text, {"a": True, "b": True}).defeated_by) == (
        DOES_NOT,
        ("free",),
    )
    assert (verdict(text, {"a": True, "b": False}), finding(text, {"a": True, "b": False}).defeated_by) == (APPLIES, ())


def test_an_unknown_overrider_leaves_open_only_what_it_could_still_defeat() -> None:
    text = law(norm("n", yes("a")), norm("free", yes("b"), overrides=("n",)))

    assert (verdict(text, {"a": True}), finding(text, {"a": True}).missing) == (UNKNOWN, ("b",))
    assert (verdict(text, {"a": False}), finding(text, {"a": False}).missing) == (DOES_NOT, ())


def test_an_overrider_that_is_overridden_itself_defeats_nothing() -> None:
    text = law(norm("n"), norm("free", yes("b"), overrides=("n",)), norm("back", yes("c"), overrides=("free",)))

    assert verdict(text, {"b": True, "c": True}) is APPLIES
    assert verdict(text, {"b": True, "c": False}) is DOES_NOT
    assert set(finding(text, {}).missing) == {"b", "c"}


def test_an_exemption_that_begins_with_the_duty_defeats_it_before_both_are_in_force() -> None:
    text = law(norm("n", in_force=InForce(from_=LATER)), norm("free", in_force=InForce(from_=LATER), overrides=("n",)))

    assert verdict(text, {}) is DOES_NOT


def test_an_exemption_that_begins_after_the_duty_or_has_ended_does_not_defeat_it_yet() -> None:
    late = law(norm("n"), norm("free", in_force=InForce(from_=LATER), overrides=("n",)))
    ended = law(norm("n"), norm("free", in_force=InForce(from_=date(2021, 1, 1), until=TODAY), overrides=("n",)))

    assert (verdict(late, {}), verdict(late, {}, on=LATER)) == (APPLIES, DOES_NOT)
    assert (verdict(ended, {}), verdict(ended, {}, on=TODAY - timedelta(days=1))) == (APPLIES, DOES_NOT)


def test_where_the_first_day_decides_whether_it_is_overridden_what_settles_the_day_is_asked_for() -> None:
    starts = (Start(when=cond(yes("a")), from_=LATER),)
    text = law(
        norm("n", starts=starts),
        norm("free", in_force=InForce(from_=date(2020, 1, 1), until=date(2027, 1, 1)), overrides=("n",)),
    )

    assert (verdict(text, {}), finding(text, {}).missing) == (UNKNOWN, ("a",))
    assert verdict(text, {"a": True}) is APPLIES, "it begins after the exemption has ended"
    assert verdict(text, {"a": False}) is DOES_NOT


@given(st.permutations(["n", "free", "back", "also"]), st.dictionaries(st.sampled_from("abcd"), st.booleans()))
def test_the_order_of_entries_changes_no_verdict_and_no_question(order, facts) -> None:
    entries = {
        "n": norm("n", yes("a")), "free": norm("free", yes("b"), overrides=("n",)),
        "back": norm("back", yes("c"), overrides=("free",)), "also": norm("also", yes("d"), overrides=("n", "back")),
    }  # fmt: skip
    one, other = (
        judge(law(*entries.values()), facts, TODAY),
        judge(law(*(entries[name] for name in order)), facts, TODAY),
    )

    assert {n: f.verdict for n, f in one.findings.items()} == {n: f.verdict for n, f in other.findings.items()}
    assert {n: f.missing for n, f in one.findings.items()} == {n: f.missing for n, f in other.findings.items()}
    assert {n: f.defeated_by for n, f in one.findings.items()} == {n: f.defeated_by for n, f in other.findings.items()}


# --- time --------------------------------------------------------------------------------------------------------


def test_a_norm_that_has_ended_is_left_out_and_one_to_come_is_judged_with_its_dates() -> None:
    text = law(
        norm("old", in_force=InForce(from_=date(2020, 1, 1), until=TODAY)), norm("new", in_force=InForce(from_=LATER))
    )
    found = judge(text, {}, TODAY).findings

    assert set(found) == {"new"}
    assert (found["new"].verdict, found["new"].in_force.now, found["new"].in_force.from_) == (
        APPLIES,
        Truth.FALSE,
        LATER,
    )
    assert set(judge(text, {}, TODAY - timedelta(days=1)).findings) == {"old", "new"}


def test_facts_choose_the_first_day_and_while_they_are_unknown_each_possible_day_is_named() -> None:
    starts = (Start(when=cond(yes("a")), from_=LATER), Start(when=cond(yes("b")), from_=date(2028, 8, 2)))
    text = law(norm("n", starts=starts), norm("by_it", {"applies": "n"}))
    first = date(2020, 1, 1)

    assert finding(text, {"a": True}).in_force.from_ == LATER
    assert finding(text, {"a": False, "b": True}).in_force.from_ == date(2028, 8, 2)
    assert finding(text, {"a": False, "b": False}).in_force.from_ == first
    open_ = finding(text, {}).in_force
    assert (open_.now, open_.possible, open_.missing) == (Truth.UNKNOWN, (first, LATER, date(2028, 8, 2)), ("a", "b"))
    assert (verdict(text, {}, "by_it"), finding(text, {}, "by_it").missing) == (UNKNOWN, ("a", "b"))
    assert verdict(text, {"a": True}, "by_it") is DOES_NOT
    assert verdict(text, {}, "by_it", on=date(2030, 1, 1)) is APPLIES, "every possible day is past"


def test_the_effective_day_may_differ_from_the_literal_one() -> None:
    starts = (Start(when=cond(yes("a")), from_=date(2028, 8, 2)),)
    text = law(norm("n", effective=Effective(from_=LATER), starts=starts), norm("plain"))

    assert finding(text, {"a": False}).effective == LATER
    assert finding(text, {"a": True}).effective == date(2028, 8, 2)
    assert finding(text, {}, "plain").effective == finding(text, {}, "plain").in_force.from_


def test_applies_needs_the_norm_to_be_in_force_on_the_day() -> None:
    text = law(norm("base", yes("a"), in_force=InForce(from_=LATER)), norm("n", {"applies": ["base"]}))

    assert verdict(text, {"a": True}) is DOES_NOT
    assert finding(text, {}).missing == (), "nothing can make it apply today"
    assert verdict(text, {"a": True}, on=LATER) is APPLIES


# --- occurrences -------------------------------------------------------------------------------------------------


def test_a_duty_upon_an_incident_stands_without_one_and_asks_for_nothing_about_it() -> None:
    got = finding(law(norm("n", yes("a"), upon=yes("incident.bad"))), {"a": True})

    assert (got.verdict, got.upon, got.contingent, got.missing, got.upon_missing) == (APPLIES, None, True, (), ())


def test_once_something_is_known_of_the_incident_it_is_judged_and_asked_for() -> None:
    text = law(
        norm("n", upon={"all": [yes("incident.bad"), {"fact": "incident.aware_on", "at_least": date(2026, 1, 1)}]})
    )

    half = finding(text, {"incident.bad": True})
    assert (half.upon, half.contingent, half.upon_missing, half.missing) == (
        Truth.UNKNOWN,
        True,
        ("incident.aware_on",),
        (),
    )
    whole = finding(text, {"incident.bad": True, "incident.aware_on": TODAY})
    assert (whole.upon, whole.contingent) == (Truth.TRUE, False)
    assert finding(text, {"incident.bad": False}).contingent


# --- on what it rests --------------------------------------------------------------------------------------------


def test_a_verdict_is_verified_only_if_verified_law_alone_leads_to_it() -> None:
    text = law(
        term("shaky", yes("b"), status=U),
        norm("n", {"any": [yes("a"), {"term": "shaky"}]}, red_line=True),
        norm("recalled", yes("a"), status=U, red_line=True),
    )

    assert finding(text, {"a": True}).status == "verified"
    assert finding(text, {"a": False, "b": True}).status == "unverified"
    assert finding(text, {"a": False, "b": False}).status == "unverified"
    assert finding(text, {"a": True}, "recalled").status == "unverified"
    assert [one.norm.id for one in red_lines(judge(text, {"a": True, "b": True}, TODAY))] == ["n"]
    assert red_lines(judge(text, {"a": False, "b": True}, TODAY)) == ()


@pytest.mark.parametrize(
    "more", [{"in_force": InForce(from_=LATER)}, {"red_line": False}, {"status": U}, {"unless": yes("a")}]
)
def test_only_a_red_line_that_is_met_in_force_and_verified_bars(more) -> None:
    assert [one.norm.id for one in red_lines(judge(law(norm("n", yes("a"), red_line=True)), {"a": True}, TODAY))] == [
        "n"
    ]
    assert red_lines(judge(law(norm("n", yes("a"), **{"red_line": True} | more)), {"a": True}, TODAY)) == ()
    assert red_lines(judge(law(norm("n", yes("a"), red_line=True)), {}, TODAY)) == ()


def test_an_unverified_parameter_derived_fact_or_exemption_makes_what_rests_on_it_unverified() -> None:
    text = law(
        parameter("limit", {date(2020, 1, 1): 5}, status=U), derived("grade", [(yes("a"), 5)], 1, status=U),
        norm("p", {"fact": "size", "at_least": {"param": "limit"}}), norm("d", {"fact": "grade", "is": 5}),
        norm("n", yes("b")), norm("free", yes("c"), overrides=("n",), status=U),
    )  # fmt: skip
    facts = {"size": 9, "a": True, "b": True, "c": True}

    assert {name: one.status for name, one in judge(text, facts, TODAY).findings.items()} == dict.fromkeys(
        ["p", "d", "n", "free"], "unverified"
    )
    assert finding(text, {**facts, "c": False}).status == "verified"


# --- reasons -----------------------------------------------------------------------------------------------------


def test_the_reason_speaks_in_labels_cites_every_rule_and_says_what_is_not_known() -> None:
    text = law(
        parameter("limit", {date(2020, 1, 1): 10_000}), term("scope", {"fact": "uses", "includes_any": ["x", "y"]}),
        norm("n", {"all": [{"term": "scope"}, {"fact": "size", "at_least": {"param": "limit"}}]}),
        norm("free", yes("b"), overrides=("n",)),
    )  # fmt: skip
    why = finding(text, {"uses": ["z", "x"], "b": False}).why

    assert why.cites == ("xx/act#n",)
    assert why.as_text("en").splitlines() == [
        "[?] duty n: not known yet",
        "  [?] all of these hold",
        "    [+] “term scope” is met",
        "      [+] uses: includes any of x, y (known: x, z)",
        "    [?] size: at least 10,000 people (limit limit) (not known)",
        "  [+] in force since 2020-01-01",
    ]
    assert "尚不能判断" in why.as_text("zh")
    assert "中文uses：包含以下任一项：中文x、中文y（已知：中文x、中文z）" in why.as_text("zh")
    cited = {cite for _, reason in why.walk() for cite in reason.cites}
    assert cited == {"xx/act#n", "xx/act#scope", "xx/act#limit"}


def test_the_reason_names_what_overrides_it_and_says_plainly_when_it_is_not_verified() -> None:
    text = law(norm("n"), norm("free", yes("b"), overrides=("n",), status=U))

    said = finding(text, {"b": True}).why.as_text("en")
    assert "[-] it is not overridden by “duty free”" in said
    assert "not verified" in said
    assert "not verified" not in finding(text, {"b": False}).why.as_text("en")


@given(st.data())
@settings(max_examples=40)
def test_every_reason_is_in_both_languages_and_its_mark_is_the_verdict(data) -> None:
    text, facts = data.draw(laws()), data.draw(some_facts)
    marks = {APPLIES: Truth.TRUE, DOES_NOT: Truth.FALSE, UNKNOWN: Truth.UNKNOWN}

    for one in judge(text, facts, TODAY).findings.values():
        assert one.why.holds is marks[one.verdict]
        assert all(reason.says.zh and reason.says.en for _, reason in one.why.walk())
        assert one.why.cites


# --- faults ------------------------------------------------------------------------------------------------------


def test_every_fault_of_a_text_is_named_at_once() -> None:
    text = law(
        term("t", {"all": [{"term": "gone"}, {"fact": "nothing", "is": 1}, {"fact": "uses", "is": "x"}]}),
        norm("n", {"any": [{"applies": "missing"}, {"fact": "size", "at_least": {"param": "gone"}}, {"fact": "kind", "is": "pink"}]}, overrides=("gone",)),
        term("left", {"term": "right"}), term("right", {"term": "left"}),
    )  # fmt: skip

    with pytest.raises(Invalid) as refused:
        judge(text, {}, TODAY)

    said = " ".join(refused.value.details.values())
    assert len(refused.value.details) == 8
    for part in (
        "term gone",
        "fact nothing",
        "cannot be compared with is",
        "norm missing",
        "norm gone",
        "parameter gone",
        "'pink'",
        "circle",
    ):
        assert part in said


@pytest.mark.parametrize(
    "entries",
    [
        (norm("n", overrides=("m",)), norm("m", overrides=("n",))),
        (norm("n", {"applies": "m"}), norm("m", overrides=("n",), when={"applies": "n"})),
        (derived("x", [({"fact": "x", "is": 1}, 2)], 1),),
        (norm("n", starts=(Start(when=cond({"applies": "n"}), from_=TODAY),)),),
    ],
)
def test_a_circle_of_overrides_applies_derived_facts_or_starts_is_refused(entries) -> None:
    with pytest.raises(Invalid, match="circle"):
        prepare(law(*entries))


# --- laws of the algebra -----------------------------------------------------------------------------------------

LEAVES = st.sampled_from(
    [*(yes(name) for name in "abcde"), {"fact": "uses", "includes": "x"}, {"fact": "kind", "one_of": ["red", "blue"]}, {"fact": "size", "at_least": {"param": "limit"}}, {"fact": "grade", "at_least": 3}]
)  # fmt: skip
some_facts = st.fixed_dictionaries(
    {},
    optional={**{name: st.booleans() for name in "abcde"}, "size": st.integers(0, 20), "kind": st.sampled_from(["red", "green", "blue"]), "uses": st.lists(st.sampled_from("xyz"), unique=True)},
)  # fmt: skip


@st.composite
def laws(draw):
    """Terms that name earlier terms, norms that name earlier norms, override earlier ones, and start when facts say."""
    names = draw(st.integers(1, 3))

    def tree(leaves, depth=2):
        if depth == 0 or draw(st.booleans()):
            return draw(leaves)
        form = draw(st.sampled_from(["all", "any", "not"]))
        return {
            form: tree(leaves, depth - 1)
            if form == "not"
            else [tree(leaves, depth - 1) for _ in range(draw(st.integers(1, 3)))]
        }

    plain = LEAVES.filter(lambda leaf: leaf.get("fact") != "grade")
    status = st.sampled_from(["verified", "unverified"])
    entries = [
        parameter("limit", {date(2020, 1, 1): 10}, status=draw(status)),
        derived("grade", [(tree(plain), 5), (tree(plain), 3)], 1, status=draw(status)),
    ]
    leaves = LEAVES
    for i in range(names):
        entries.append(term(f"t{i}", tree(leaves), unless=draw(st.none() | LEAVES), status=draw(status)))
        leaves = leaves | st.just({"term": f"t{i}"})
    for i in range(draw(st.integers(1, 4))):
        starts = tuple(
            Start(when=cond(tree(LEAVES, 1)), from_=draw(st.sampled_from([LATER, date(2021, 1, 1)])))
            for _ in range(draw(st.integers(0, 2)))
        )
        overrides = tuple(f"n{j}" for j in range(i) if draw(st.booleans()))
        mentions = (
            leaves if overrides else leaves | st.sampled_from([{"applies": f"n{j}"} for j in range(i)] or [yes("a")])
        )
        entries.append(
            norm(
                f"n{i}",
                tree(mentions),
                unless=draw(st.none() | LEAVES),
                starts=starts,
                overrides=overrides,
                status=draw(status),
                red_line=True,
            )
        )
    return without_circles(law(*entries))


def without_circles(text):
    try:
        prepare(text)
    except Invalid:
        return law(norm("n0", yes("a")))
    return text


@given(laws(), some_facts, some_facts)
@settings(max_examples=150, deadline=None)
def test_a_verdict_reached_is_never_overturned_by_learning_more(text, facts, more) -> None:
    before, after = judge(text, facts, TODAY), judge(text, {**more, **facts}, TODAY)

    for name, one in before.findings.items():
        assert one.verdict in (UNKNOWN, after.findings[name].verdict)
        assert one.in_force.now in (Truth.UNKNOWN, after.findings[name].in_force.now)
        if one.is_established:
            assert after.findings[name].is_established


@given(laws(), some_facts)
@settings(max_examples=150, deadline=None)
def test_what_is_unknown_asks_for_something_unknown_and_what_is_decided_asks_for_nothing(text, facts) -> None:
    for one in judge(text, facts, TODAY).findings.values():
        assert (one.verdict is UNKNOWN) is bool(one.missing)
        assert set(one.missing).isdisjoint(facts) and set(one.missing) <= {fact.id for fact in FACTS}
        assert (len(one.in_force.possible) > 1) is bool(one.in_force.missing)


@given(laws(), some_facts, some_facts)
@settings(max_examples=150, deadline=None)
def test_only_what_is_asked_for_can_change_an_unknown_verdict(text, facts, more) -> None:
    before = judge(text, facts, TODAY)

    for name, one in before.findings.items():
        others = {fact: value for fact, value in more.items() if fact not in one.missing}
        assert judge(text, {**others, **facts}, TODAY).findings[name].verdict is one.verdict


@given(laws(), some_facts)
@settings(max_examples=100, deadline=None)
def test_the_quick_form_of_a_condition_comes_to_what_the_explained_form_does(text, facts) -> None:
    bench = prepare(text)
    world = World(bench, bench.admitted(facts), TODAY)
    explainer = Explainer(world)

    for name in text.terms:
        assert explainer.term(name).holds is Truth.of(world.term(name))
    for entry in text.norms.values():
        if entry.when is not None:
            assert explainer.judged(entry.when).holds is Truth.of(bench.code(entry.when)(world))


def test_the_quick_form_is_checked_against_something_that_can_differ() -> None:
    text = law(norm("n", yes("a")))
    bench = Bench(text)
    bench.norms["n"] = lambda _: False

    world = World(bench, {"a": True}, TODAY)

    assert Explainer(world).judged(text.norms["n"].when).holds is not Truth.of(bench.norms["n"](world))


# --- speed -------------------------------------------------------------------------------------------------------


def test_the_same_text_is_made_ready_once() -> None:
    text = law(norm("n", yes("a")))

    assert prepare(text) is prepare(text)
    assert prepare(law(norm("n", yes("a")))) is not prepare(text)


def test_facts_the_text_does_not_know_are_left_aside() -> None:
    assert prepare(law(norm("n"), facts=(fact("a", FactType.YES_NO),))).admitted({"a": True, "other": 1}) == {"a": True}
    assert both("x").en == "x"


@pytest.mark.parametrize(
    ("known", "limit", "operator", "comes_to"),
    [
        (10**26, 1e26, "at_least", "applies"),
        (10**26, 1e26, "more_than", "does_not"),
        (10**23, 1e23, "more_than", "does_not"),
        (10**25 * 2, 1e25, "more_than", "applies"),
        (10**400, 1e25, "more_than", "applies"),
    ],
)
def test_a_large_whole_number_meets_a_limit_written_as_a_power_of_ten(known, limit, operator, comes_to) -> None:
    text = law(norm("n", {"fact": "size", operator: limit}))

    assert judge(text, {"size": known}, TODAY).findings["n"].verdict.value == comes_to
