"""Minors' mode: stricter rules over the system's own, a notice, and a header and record that say so."""

import asyncio
import json
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.belt.proxy.bench import FORBIDDEN, POLICY, Belt, answering, in_belt, post, raw
from tests.rooms.belt.proxy.test_admission import HI, asked, rules

from safebelt.kernel.errors import Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.belt.decide.minors import laid_over, policies_in_use
from safebelt.rooms.belt.model import Harness, Key, KeyTerms, NoticeMode, Policy, Snapshot, Stance
from safebelt.rooms.belt.proxy.making import Making
from safebelt.rooms.belt.proxy.screens import Screens
from safebelt.rooms.belt.scanner.policies import load_policies
from safebelt.rooms.belt.scanner.shelf import Shelf

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


def test_the_first_request_in_the_mode_has_its_words_compiled_beside_the_loop_and_once(tmp_path: Path) -> None:
    compiling: list[int] = []

    def signed(text: str) -> str:  # asked once for each list that is compiled, by whoever compiles it
        compiling.append(threading.get_ident())
        return text

    def refused(_note: str) -> str:
        raise Unavailable(what=Text(zh="没有", en="none"), hint=Text(zh="没有", en="none"))

    many = replace(POLICY.rules[0], id="many", terms=tuple(f"wort{number:04}" for number in range(3000)))
    minors = replace(MINORS, rules=(*MINORS.rules, many), digest="e" * 64)

    async def scenario(belt: Belt) -> None:
        screens = Screens(Shelf(tmp_path / "shelf", sign=signed, open_note=refused))
        screens.of(POLICY, belt.clock().date())  # as a belt's start does
        compiling.clear()
        object.__setattr__(belt.tools, "screens", screens)
        belt.gateway._making = Making(screens)
        answers = await asyncio.gather(*(asked(belt, ASKS, head=MINOR) for _ in range(8)))

        assert [status for status, _, _ in answers] == [400] * 8
        assert compiling and threading.get_ident() not in compiling
        assert len(set(compiling)) == 1, "it was compiled by more than one thread"

    in_belt(tmp_path, answering(), scenario, more_policies={MINORS.id: minors})


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


DAY = date(2026, 11, 23)


def snapshot(*, has_minors: bool = True, of_minors: bool = False) -> Snapshot:
    terms = KeyTerms(minor=of_minors)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    key = Key(id="key_1", system_id="sys_1", name="app", digest="ab", created_at=at, terms=terms)
    policies = {POLICY.id: POLICY, **({MINORS.id: MINORS} if has_minors else {})}
    harness = Harness(system_id="sys_1", policy=POLICY.id, stance=Stance.OBSERVE)
    return Snapshot(keys={"ab": key}, harnesses={"sys_1": harness}, policies=policies)


def in_use(screens: Screens, now: Snapshot) -> tuple[Policy, ...]:
    """What a belt does twice a second: have the scanners ready, and let go of the others."""
    found = policies_in_use(now, MINORS.id, screens.knows)
    for policy in found:
        screens.of(policy, DAY)
    screens.keep(found)
    return found


def test_the_scanner_of_minors_mode_is_kept_once_somebody_asked_for_it() -> None:
    screens, now = Screens(), snapshot()
    both = laid_over(POLICY, MINORS)
    assert both not in in_use(screens, now), "most houses never need it, and it holds all the words anew"
    asked_for = screens.of(both, DAY)

    assert both in in_use(screens, now)
    assert screens.of(both, DAY) is asked_for

    other = replace(POLICY, digest="f" * 64)
    screens.of(other, DAY)
    in_use(screens, now)
    assert not screens.knows(other.digest), "what nobody uses any more is let go of"


def test_the_scanner_of_minors_mode_is_ready_where_a_key_is_a_minors() -> None:
    both = laid_over(POLICY, MINORS)

    assert both in in_use(Screens(), snapshot(of_minors=True))
    assert in_use(Screens(), snapshot(of_minors=True, has_minors=False)) == (POLICY,)


def test_on_a_new_day_the_scanner_of_minors_mode_is_ready_too() -> None:
    screens, now = Screens(), snapshot()
    screens.of(laid_over(POLICY, MINORS), DAY - timedelta(days=1))

    in_use(screens, now)

    assert screens.knows(laid_over(POLICY, MINORS).digest)
