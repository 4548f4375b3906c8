"""What findings come to: the strictest holds, observing changes nothing but red lines, and every verdict says why."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safebelt.kernel.conditions import Truth
from safebelt.kernel.text import Text
from safebelt.rooms.belt.decide import RawHit, apply, hits_of, judge, mask, strictest
from safebelt.rooms.belt.model import Action, Basis, Policy, Rule, RuleKind, Side, Stance

_T = Text(zh="测试类", en="Test class")


def _rule(name: str, action: Action, *, red: bool = False, basis: Basis | None = None) -> Rule:
    return Rule(
        id=name,
        kind=RuleKind.KEYWORDS,
        title=_T,
        sides=frozenset(Side),
        action=action,
        is_red_line=red,
        terms=("x",),
        basis=basis,
    )


BASIS = Basis(provision="cn/example#art_1", authority=Text(zh="甲", en="A"), scope=Text(zh="范围", en="S"))
POLICY = Policy(
    id="test/p",
    version=4,
    title=_T,
    appeal=_T,
    digest="",
    rules=(
        _rule("allow", Action.ALLOW),
        _rule("flag", Action.FLAG),
        _rule("mask", Action.MASK, basis=BASIS),
        _rule("refuse", Action.REFUSE),
        _rule("red", Action.REFUSE, red=True),
    ),
)
RULES = [rule.id for rule in POLICY.rules]


def raw(rule: str, start: int = 0, end: int = 3) -> RawHit:
    return RawHit(rule, "keyword", start, end)


@pytest.mark.parametrize(
    ("rule", "stance", "done", "would"),
    [
        ("allow", Stance.ENFORCE, Action.ALLOW, Action.ALLOW),
        ("flag", Stance.ENFORCE, Action.FLAG, Action.FLAG),
        ("mask", Stance.ENFORCE, Action.MASK, Action.MASK),
        ("refuse", Stance.ENFORCE, Action.REFUSE, Action.REFUSE),
        ("allow", Stance.OBSERVE, Action.ALLOW, Action.ALLOW),
        ("mask", Stance.OBSERVE, Action.FLAG, Action.MASK),
        ("refuse", Stance.OBSERVE, Action.FLAG, Action.REFUSE),
        ("red", Stance.OBSERVE, Action.REFUSE, Action.REFUSE),
    ],
)
def test_a_rule_does_what_it_asks_for_unless_it_only_observes(
    rule: str, stance: Stance, done: Action, would: Action
) -> None:
    verdict = judge(POLICY, stance, Side.INPUT, {"messages[0].content": [raw(rule)]})

    assert (verdict.done, verdict.would) == (done, would)
    assert verdict.hits[0].part == "messages[0].content"


def test_nothing_found_is_allowed_and_says_so() -> None:
    verdict = judge(POLICY, Stance.ENFORCE, Side.OUTPUT, {"x": []})

    assert (verdict.done, verdict.hits, verdict.reason.holds) == (Action.ALLOW, (), Truth.TRUE)
    assert "没有命中" in verdict.reason.as_text("zh")


def test_what_could_not_be_read_is_unknown_never_clean() -> None:
    verdict = judge(POLICY, Stance.ENFORCE, Side.INPUT, {}, ["messages[0].content[1] (image_url)"])

    assert verdict.reason.holds is Truth.UNKNOWN
    assert verdict.not_evaluated == ("messages[0].content[1] (image_url)",)
    assert "image_url" in verdict.reason.as_text("en")


def test_the_reason_cites_policy_version_rule_and_basis_or_says_house_rule() -> None:
    verdict = judge(POLICY, Stance.OBSERVE, Side.INPUT, {"x": [raw("mask"), raw("flag", 5, 6)]})

    cited = {cite for _, reason in verdict.reason.walk() for cite in reason.cites}
    assert {"test/p@4", "test/p@4#mask", "test/p@4#flag", "cn/example#art_1"} <= cited
    assert "house rule" in verdict.reason.as_text("en")
    assert "观察模式" in verdict.reason.as_text("zh")


def test_a_finding_of_an_unknown_rule_is_an_error_not_a_pass() -> None:
    with pytest.raises(KeyError):
        judge(POLICY, Stance.ENFORCE, Side.INPUT, {"x": [raw("gone")]})


raw_hits = st.lists(
    st.builds(
        lambda rule, start, length: raw(rule, start, start + length),
        st.sampled_from(RULES),
        st.integers(0, 15),
        st.integers(1, 6),
    ),
    max_size=8,
)


@given(raw_hits, st.sampled_from(list(Stance)), st.randoms())
def test_overlaps_are_resolved_the_same_in_any_order_and_lose_no_strictness(
    found: list[RawHit], stance: Stance, chance: object
) -> None:
    shuffled = list(found)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]

    kept = hits_of(POLICY, stance, Side.INPUT, "x", found)

    assert [(h.start, h.end, h.done) for h in kept] == [
        (h.start, h.end, h.done) for h in hits_of(POLICY, stance, Side.INPUT, "x", shuffled)
    ]
    for one in found:
        alone = hits_of(POLICY, stance, Side.INPUT, "x", [one])[0]
        assert any(
            h.start <= one.start
            and h.end >= one.end
            and h.done.weight >= alone.done.weight
            and h.would.weight >= alone.would.weight
            for h in kept
        )


@given(st.text(alphabet="abcdefghij", min_size=22, max_size=22), raw_hits)
def test_applying_keeps_what_is_free_hides_what_is_masked_and_stops_at_what_is_refused(
    text: str, found: list[RawHit]
) -> None:
    hits = hits_of(POLICY, Stance.ENFORCE, Side.OUTPUT, "x", found)

    passed, is_refused = apply(text, hits)

    cuts = [hit.start for hit in hits if hit.done is Action.REFUSE]
    masked = {place for hit in hits if hit.done is Action.MASK for place in range(hit.start, hit.end)}
    free = [char for place, char in enumerate(text[: min(cuts, default=None)]) if place not in masked]
    assert is_refused is bool(cuts)
    assert passed.replace("⟦已遮盖 masked⟧", "") == "".join(free)


def test_masked_json_stays_json_whether_the_span_is_in_a_string_or_a_number() -> None:
    source = '{"a": "tel 13812345678", "b": 13812345678, "c": [-13812345678.5e3, 1]}'
    spans = [
        RawHit("r", "cn_mobile", place, place + 11)
        for place in range(len(source))
        if source.startswith("13812345678", place)
    ]

    masked = mask(source, spans, as_json=True)

    shown = "⟦手机号 mobile⟧"
    assert json.loads(masked) == {"a": f"tel {shown}", "b": shown, "c": [shown, 1]}


def test_the_strictest_of_none_is_allow() -> None:
    assert strictest([]) is Action.ALLOW
    assert strictest([Action.FLAG, Action.REFUSE, Action.MASK]) is Action.REFUSE
