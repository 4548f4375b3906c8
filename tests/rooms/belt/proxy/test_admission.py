"""What is not let in at the belt's port: keys whose time is over, other uses, and quotas that are used up."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.rooms.belt.proxy.bench import FORBIDDEN, Belt, answering, in_belt, post, raw

from safebelt.rooms.belt.decide import read_limits
from safebelt.rooms.belt.decide.quotas import begun
from safebelt.rooms.belt.model import KeyTerms, Span, Usage, Used
from safebelt.rooms.belt.permissions import AdmissionRules, Reading

FOLDER = Path(__file__).parents[4] / "admission"
NOW = datetime(2026, 11, 23, 10, 20, 30, tzinfo=UTC)
HI = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


class Hands:
    """A clock that a test turns."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


def limited(text: str) -> dict[str, Any]:
    return {"terms": KeyTerms(limits=read_limits(text))}


async def asked(
    belt: Belt, body: Any = HI, *, path: str = "/v1/chat/completions", head: str = ""
) -> tuple[int, str, Any]:
    """Return status, head and JSON of an answer."""
    request = post(body, path=path)
    answer = await raw(belt, request.replace(b"Host: x\r\n", b"Host: x\r\n" + head.encode(), 1))
    fields, _, content = answer.partition(b"\r\n\r\n")
    return int(fields.split(b" ", 2)[1]), fields.decode().lower(), json.loads(content)


def test_a_key_opens_until_its_time_is_over(tmp_path: Path) -> None:
    hands = Hands()

    async def scenario(belt: Belt) -> None:
        assert (await asked(belt))[0] == 200
        hands.at += timedelta(hours=1)
        status, _, said = await asked(belt)

        assert (status, said["error"]["code"]) == (401, "key_over")
        assert len(belt.seen) == 1

    in_belt(tmp_path, answering(), scenario, clock=hands, key={"expires_at": NOW + timedelta(hours=1)})


def test_a_key_that_was_replaced_says_so_when_its_grace_is_over(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        _, _, said = await asked(belt)

        assert "replaced by another" in said["error"]["message"]

    in_belt(tmp_path, answering(), scenario, clock=Hands(), key={"expires_at": NOW, "replaced_by": "key_2"})


def test_a_scope_bars_every_other_use_and_the_model_is_not_asked(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        assert (await asked(belt))[0] == 200
        status, head, said = await asked(belt, {"model": "m", "input": "hi"}, path="/v1/embeddings")
        record = belt.records("outcome")[-1]

        assert (status, said["error"]["code"]) == (403, "scope")
        assert (record["finish"], record["status"], record["barred"]) == ("not_admitted", 403, "scope")
        assert f"x-safebelt-record: {record['id']}" in head
        assert len(belt.seen) == 1

    in_belt(tmp_path, answering(), scenario, key={"terms": KeyTerms(scopes=("chat",))})


def test_a_used_up_quota_says_when_to_come_again_in_the_callers_language(tmp_path: Path) -> None:
    hands = Hands()

    async def scenario(belt: Belt) -> None:
        assert [(await asked(belt))[0] for _ in range(2)] == [200, 200]
        status, head, said = await asked(belt, head="Accept-Language: zh-CN\r\n")

        assert status == 429
        assert "retry-after: 30" in head, "the minute ends in half a minute"
        assert said["error"]["message"].startswith("此密钥（key_1）每分钟限额 2 次请求，已用 2")
        assert said["error"]["type"] == "rate_limit_error"
        assert len(belt.seen) == 2
        hands.at += timedelta(seconds=30)
        assert (await asked(belt))[0] == 200, "the next minute counts anew"

    in_belt(tmp_path, answering(), scenario, clock=hands, key=limited("requests/minute=2"))


def test_without_limits_nothing_is_refused(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        assert [(await asked(belt))[0] for _ in range(5)] == [200] * 5

    in_belt(tmp_path, answering(), scenario, clock=Hands())


def test_tokens_are_the_upstreams_own_count_and_a_stream_without_one_is_estimated(tmp_path: Path) -> None:
    """The scripted upstream counts 2 tokens for a whole answer and none for a stream."""

    async def scenario(belt: Belt) -> None:
        assert (await asked(belt))[0] == 200
        assert belt.tools.meter.of("key_1", NOW).used(Span.DAY) == Used(1, 2, 0)
        await raw(belt, post({**HI, "stream": True}))
        used = belt.tools.meter.of("key_1", NOW).used(Span.DAY)
        assert (used.requests, used.estimated) == (2, used.tokens - 2)
        assert used.estimated >= 3
        status, _, said = await asked(belt)
        assert (status, said["error"]["code"]) == (429, "quota_exceeded")
        assert f"{used.estimated} of them estimated" in said["error"]["message"]

    in_belt(tmp_path, answering(), scenario, clock=Hands(), key=limited("tokens/day=4"))


def test_what_a_rule_refuses_costs_a_request_and_no_tokens(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        await asked(belt, {"model": "m", "messages": [{"role": "user", "content": FORBIDDEN}]})

        assert belt.tools.meter.of("key_1", NOW).used(Span.DAY) == Used(1, 0, 0)

    in_belt(tmp_path, answering(), scenario, clock=Hands())


def test_a_burst_at_once_gets_no_more_than_its_quota(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        statuses = [status for status, _, _ in await asyncio.gather(*(asked(belt) for _ in range(12)))]

        assert sorted(statuses) == [200] * 5 + [429] * 7
        assert len(belt.seen) == 5

    in_belt(tmp_path, answering(), scenario, clock=Hands(), key=limited("requests/hour=5"))


def test_a_loop_of_refusals_is_recorded_once_a_minute_with_the_count_of_the_others(tmp_path: Path) -> None:
    hands = Hands()

    async def scenario(belt: Belt) -> None:
        for _ in range(8):
            await asked(belt)
        barred = [each for each in belt.records("intent") if each.get("barred")]
        assert len(barred) == 1
        hands.at += timedelta(minutes=1)
        await asked(belt)

        barred = [each for each in belt.records("intent") if each.get("barred")]
        assert [each.get("unrecorded", 0) for each in barred] == [0, 6]
        assert barred[0]["reason"]["says"]["en"].startswith("This key (key_1) may use 1 requests")

    in_belt(tmp_path, answering(), scenario, clock=hands, key=limited("requests/hour=1"))


@pytest.mark.parametrize(("since", "status"), [(NOW, 429), (NOW - timedelta(days=1), 200)])
def test_a_belt_that_starts_again_goes_on_from_what_was_used(tmp_path: Path, since: datetime, status: int) -> None:
    """And what belongs to a day that is over meanwhile does not count."""
    used = Usage(key_id="key_1", since={Span.DAY: begun(Span.DAY, since)}, used={Span.DAY: Used(3, 0, 0)})

    async def scenario(belt: Belt) -> None:
        assert (await asked(belt))[0] == status

    in_belt(tmp_path, answering(), scenario, clock=Hands(), key=limited("requests/day=3"), usages=[used])


def test_models_are_listed_without_using_the_quota(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        get = b"GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sbk_test\r\nConnection: close\r\n\r\n"
        for _ in range(3):
            assert (await raw(belt, get)).startswith(b"HTTP/1.1 200")

        assert (await asked(belt))[0] == 200

    in_belt(tmp_path, answering(), scenario, clock=Hands(), key=limited("requests/day=1"))


def test_a_changed_limit_is_obeyed_with_what_was_used_before_it_was_set(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        assert [(await asked(belt))[0] for _ in range(3)] == [200] * 3
        belt.key = limited("requests/day=3")

        assert (await asked(belt))[0] == 429
        belt.key = {"terms": replace(KeyTerms(), limits=read_limits("requests/day=4"))}
        assert (await asked(belt))[0] == 200

    in_belt(tmp_path, answering(), scenario, clock=Hands())


# ---------------------------------------------------------------------- rules


def rules(text: str) -> AdmissionRules:
    about = '@cite("house") @why_zh("理由") @why_en("the reason")'
    permit = f'@id("all") {about} permit (principal, action, resource);'
    return Reading(FOLDER).read(
        f'{permit} @id("house.rule") {about} forbid (principal, action, resource) {text};'.encode()
    )


def test_a_rule_bars_before_anything_is_screened_and_the_record_says_which(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        status, head, said = await asked(belt, {**HI, "model": "big-1"})
        assert (status, said["error"]["code"]) == (403, "not_permitted")
        assert "house.rule" in said["error"]["message"] and "the reason" in said["error"]["message"]
        barred = belt.records("intent")[-1]
        assert f"x-safebelt-record: {barred['id']}" in head
        assert barred["admission"]["rules"] == ["house.rule"]
        assert (await asked(belt, {**HI, "model": "small"}))[0] == 200
        let_in = belt.records("intent")[-1]
        assert let_in["admission"]["rules"] == ["all"] and len(let_in["admission"]["digest"]) == 64
        assert [body["model"] for body in belt.seen] == ["small"]

    in_belt(tmp_path, answering(), scenario, admission=rules('when { context.model like "big-*" }'))


def test_of_a_model_named_twice_the_one_that_is_asked_is_judged(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        twice = b'{"model": "%b", "messages": [{"role": "user", "content": "hi"}], "model": "%b"}'
        statuses = [(await asked(belt, twice % names))[0] for names in ((b"small", b"big"), (b"big", b"small"))]

        assert statuses == [403, 200]
        assert [body["model"] for body in belt.seen] == ["small"]

    in_belt(tmp_path, answering(), scenario, admission=rules('when { context.model == "big" }'))


@pytest.mark.parametrize(
    ("head", "of_the_key", "status"),
    [
        ("", "", 403),  # unknown
        ("X-Safebelt-Purpose: support\r\n", "", 200),
        ("X-Safebelt-Purpose: scoring\r\n", "", 403),
        ("X-Safebelt-Purpose: Support!\r\n", "", 403),  # no word, so unknown
        ("X-Safebelt-Purpose: support\r\n", "scoring", 403),  # the operator's word counts more than the caller's
        ("X-Safebelt-Purpose: scoring\r\n", "support", 200),
        ("", "support", 200),
    ],
)
def test_a_purpose_comes_from_the_key_and_else_from_a_header(
    tmp_path: Path, head: str, of_the_key: str, status: int
) -> None:
    async def scenario(belt: Belt) -> None:
        assert (await asked(belt, head=head))[0] == status

    only = rules('unless { context.purpose == "support" }')
    in_belt(tmp_path, answering(), scenario, admission=only, key={"terms": KeyTerms(purpose=of_the_key)})


def test_an_unknown_attribute_is_told_in_the_callers_language(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        _, _, said = await asked(belt, head="Accept-Language: zh\r\n")

        assert said["error"]["code"] == "unknown_attribute"
        assert said["error"]["message"].startswith("此请求的 user_class 未知")
        assert "X-Safebelt-User-Class" in said["error"]["hint"]

    in_belt(tmp_path, answering(), scenario, admission=rules('unless { context.user_class == "staff" }'))


@pytest.mark.parametrize(("hours", "status"), [(0, 200), (12, 403)])
def test_a_rule_of_hours_goes_by_the_houses_clock(tmp_path: Path, hours: int, status: int) -> None:
    """It is 18:20 in Shanghai, and twelve hours later 6:20."""
    hands = Hands(NOW + timedelta(hours=hours))

    async def scenario(belt: Belt) -> None:
        assert (await asked(belt))[0] == status

    closed = rules("when { context.hour < 8 || context.hour >= 20 }")
    in_belt(tmp_path, answering(), scenario, admission=closed, clock=hands, zone=ZoneInfo("Asia/Shanghai"))


def test_what_a_rule_bars_uses_no_quota(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        for _ in range(3):
            await asked(belt, {**HI, "model": "big"})

        assert (await asked(belt))[0] == 200

    barred = rules('when { context.model == "big" }')
    in_belt(tmp_path, answering(), scenario, admission=barred, clock=Hands(), key=limited("requests/day=1"))
