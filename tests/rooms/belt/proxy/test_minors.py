"""Minors' mode: stricter rules over the system's own, a notice, and a header and record that say so."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.belt.proxy.bench import FORBIDDEN, POLICY, Belt, answering, in_belt, post, raw
from tests.rooms.belt.proxy.test_admission import HI, asked, rules

from safebelt.rooms.belt.decide.minors import laid_over
from safebelt.rooms.belt.model import KeyTerms, NoticeMode, Stance
from safebelt.rooms.belt.scanner.policies import load_policies

SHIPPED = load_policies(Path(__file__).parents[4] / "screening")
MINORS = SHIPPED["safebelt/minors"]
WITH = {"more_policies": {MINORS.id: MINORS}}
ORDER = "be my girlfriend"
ASKS = {"model": "m", "messages": [{"role": "user", "content": f"Please {ORDER} from now on"}]}
MINOR = "X-Safebelt-Minor: true\r\n"


@pytest.mark.parametrize("stance", list(Stance))
def test_a_minor_is_screened_more_strictly_whatever_the_stance_and_told_so(tmp_path: Path, stance: Stance) -> None:
    async def scenario(belt: Belt) -> None:
        status, head, said = await asked(belt, ASKS, head=MINOR)
        assert (status, said["error"]["code"]) == (400, "content_filter")
        assert "x-safebelt-mode: minors" in head
        record = belt.records("intent")[-1]
        assert (record["mode"], record["minors"]["policy"], record["stance"]) == ("minors", MINORS.id, "enforce")
        assert record["rules"] == ["minors.intimacy"]
        assert not belt.seen
        status, head, _ = await asked(belt, ASKS)
        assert status == 200 and "x-safebelt-mode" not in head, "an adult is not"
        assert "mode" not in belt.records("intent")[-1]

    in_belt(tmp_path, answering(), scenario, stance=stance, **WITH)


def test_what_the_systems_own_policy_refuses_is_refused_to_minors_too(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        body = {"model": "m", "messages": [{"role": "user", "content": FORBIDDEN}]}

        assert (await asked(belt, body, head=MINOR))[0] == 400

    in_belt(tmp_path, answering(), scenario, stance=Stance.OBSERVE, **WITH)


@pytest.mark.parametrize(
    ("head", "of_the_key", "is_minor"),
    [
        ("", False, False),
        ("X-Safebelt-Minor: false\r\n", False, False),
        ("X-Safebelt-Minor: 1\r\n", False, True),
        ("X-Safebelt-Minor: perhaps\r\n", False, True),
        ("", True, True),
        ("X-Safebelt-Minor: false\r\n", True, True),  # what the key says no header takes back
    ],
)
def test_the_mode_comes_from_the_key_or_a_header(tmp_path: Path, head: str, of_the_key: bool, is_minor: bool) -> None:
    async def scenario(belt: Belt) -> None:
        _, fields, _ = await asked(belt, head=head)

        assert ("x-safebelt-mode: minors" in fields) is is_minor

    in_belt(tmp_path, answering(), scenario, key={"terms": KeyTerms(minor=of_the_key)}, **WITH)


@pytest.mark.parametrize("notice", list(NoticeMode))
@pytest.mark.parametrize("stream", [False, True])
def test_the_notice_of_the_mode_ends_answers_though_the_other_is_off(
    tmp_path: Path, notice: NoticeMode, stream: bool
) -> None:
    async def scenario(belt: Belt) -> None:
        for head, is_there in ((MINOR, True), ("", False)):
            request = post({**HI, "stream": stream}).replace(b"Host: x\r\n", b"Host: x\r\n" + head.encode(), 1)
            answer = (await raw(belt, request)).decode()

            assert MINORS.notice and (MINORS.notice.en in answer) is is_there

    in_belt(tmp_path, answering(), scenario, notice=notice, **WITH)


def test_a_chinese_answer_ends_with_the_chinese_notice(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        _, _, said = await asked(belt, head=MINOR)

        assert MINORS.notice and said["choices"][0]["message"]["content"].endswith(MINORS.notice.zh)

    in_belt(tmp_path, answering("你好，很高兴见到你。"), scenario, **WITH)


def test_structured_answers_stay_as_they_are(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        body = {**HI, "response_format": {"type": "json_object"}}
        _, head, said = await asked(belt, body, head=MINOR)

        assert json.loads(said["choices"][0]["message"]["content"]) == {"a": 1}
        assert "x-safebelt-mode: minors" in head

    in_belt(tmp_path, answering('{"a": 1}'), scenario, **WITH)


def test_without_the_policy_a_minor_is_not_let_in_and_an_adult_is(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        status, _, said = await asked(belt, head=MINOR)

        assert (status, said["error"]["code"]) == (503, "minors_mode_unavailable")
        assert (await asked(belt))[0] == 200
        assert len(belt.seen) == 1

    in_belt(tmp_path, answering(), scenario)


def test_rules_of_admission_can_ask_whether_a_minor_asks(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        assert (await asked(belt, head=MINOR))[0] == 403
        assert (await asked(belt, head="X-Safebelt-Minor: no\r\n"))[0] == 200
        assert (await asked(belt))[0] == 403, "unknown"

    in_belt(tmp_path, answering(), scenario, admission=rules("when { context.minor }"), **WITH)


@given(st.permutations(POLICY.rules), st.booleans())
def test_what_is_laid_over_a_policy_leaves_every_rule_of_it(order: Any, is_same: bool) -> None:
    over = MINORS if not is_same else POLICY

    both = laid_over(POLICY, over)

    assert both.rules[: len(POLICY.rules)] == POLICY.rules
    assert len(both.rules) == len(POLICY.rules) + len(over.rules)
    assert len({rule.id for rule in both.rules}) == len(both.rules)
    assert both.digest not in {POLICY.digest, over.digest}
    assert both.appeal == POLICY.appeal and order


def test_the_shipped_mode_refuses_its_orders_and_turns_no_honest_question_away(tmp_path: Path) -> None:
    honest = [
        "我朋友沉迷网络游戏，怎么帮助他？",
        "什么是防沉迷系统？它是怎么保护未成年人的？",
        "吸烟对身体有什么危害？",
        "How do I tell my parents that I feel lonely?",
        "Why is gambling harmful for young people?",
        "What is a girlfriend in French?",
    ]

    async def scenario(belt: Belt) -> None:
        for text in honest:
            body = {"model": "m", "messages": [{"role": "user", "content": text}]}
            assert (await asked(belt, body, head=MINOR))[0] == 200, text
        for rule in MINORS.rules:
            for term in rule.terms[:2]:
                body = {"model": "m", "messages": [{"role": "user", "content": f"{term}"}]}
                assert (await asked(belt, body, head=MINOR))[0] == 400, term

    in_belt(tmp_path, answering(), scenario, **WITH)
