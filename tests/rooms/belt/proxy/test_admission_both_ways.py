"""Admission is asked on the quick way as on the long one, and what is used is counted once, whichever way it went."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.rooms.belt.proxy.bench import Belt, answering, in_belt, json_reply
from tests.rooms.belt.proxy.test_admission import NOW, Hands, limited, rules
from tests.rooms.belt.proxy.test_minors import WITH as WITH_MINORS
from tests.rooms.belt.proxy.test_quick import ASKED, KEY, Seen

from safebelt.rooms.belt.model import KeyTerms, RecordMode, Snapshot, Span, Used

pytestmark = pytest.mark.interpreted  # they watch which way an exchange takes

PROMPT = RecordMode.PROMPT
WARM = 3
"""Exchanges that are let in first: one the long way, which opens the connection upstream, and two the quick way."""


class Kept(Belt):
    """A belt whose snapshot stays the same until the key changes, as a running belt's does."""

    _kept: tuple[Any, Snapshot] | None = None

    def snapshot(self) -> Snapshot:
        said = (self.key, self.admission)
        if self._kept is None or self._kept[0] != said:
            self._kept = said, super().snapshot()
        return self._kept[1]


@pytest.fixture(autouse=True)
def _kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.rooms.belt.proxy.bench.Belt", Kept)


async def ask(calls: httpx2.AsyncClient, belt: Belt, body: dict[str, Any] | None = None, **head: str) -> Any:
    return await calls.post(f"{belt.url}/chat/completions", json=body or ASKED, headers=head)


def warmed(then: Any) -> Any:
    """A scenario: some exchanges that pass, and then what the test asks."""

    async def scenario(belt: Belt) -> Any:
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:
            for _ in range(WARM):
                assert (await ask(calls, belt)).status_code == 200
            found = await then(calls, belt)
        await asyncio.sleep(0.1)
        return found

    return scenario


ONLY_SUPPORT = rules('unless { !(context has purpose) || context.purpose == "support" }')
NO_BIG = rules('when { context.model == "big" }')
BY_DAY = rules("when { context.hour < 8 }")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("key", "more", "body", "head", "code"),
    [
        ({"expires_at": NOW + timedelta(hours=1)}, {}, {}, {}, "key_over"),
        ({"terms": KeyTerms(scopes=("embeddings",))}, {}, {}, {}, "scope"),
        (limited(f"requests/day={WARM}"), {}, {}, {}, "quota_exceeded"),
        (limited(f"tokens/day={WARM * 2}"), {}, {}, {}, "quota_exceeded"),
        ({}, {"admission": NO_BIG}, {"model": "big"}, {}, "not_permitted"),
        ({}, {"admission": ONLY_SUPPORT}, {}, {"X-Safebelt-Purpose": "scoring"}, "not_permitted"),
        ({}, {"admission": BY_DAY}, {}, {}, "not_permitted"),
        ({}, {}, {}, {"X-Safebelt-Minor": "true"}, "minors_mode_unavailable"),
    ],
)
def test_who_is_not_let_in_is_refused_and_recorded_where_the_quick_way_is_open(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stream: bool,
    key: dict[str, Any],
    more: dict[str, Any],
    body: dict[str, Any],
    head: dict[str, str],
    code: str,
) -> None:
    """The same request passes before, the quick way; then the one thing changes that bars it."""
    seen, hands = Seen(monkeypatch), Hands(NOW)
    before = {name: value for name, value in key.items() if code != "scope"}

    async def then(calls: httpx2.AsyncClient, belt: Belt) -> None:
        taken, asked = seen.taken, len(belt.seen)
        assert taken == WARM - 1, "the way was open"
        belt.key = key
        hands.at += timedelta(hours=14)  # 0:20 of the next day
        if code == "quota_exceeded":
            hands.at = NOW

        answer = await ask(calls, belt, {**ASKED, **body, "stream": stream}, **head)

        assert answer.json()["error"]["code"] == code
        assert answer.status_code in {401, 403, 429, 503}
        assert (seen.taken, len(belt.seen)) == (taken, asked), "neither taken nor passed on"
        await asyncio.sleep(0.1)
        barred = [one for one in belt.records("intent") if one.get("barred")]
        assert [one["barred"] for one in barred] == [code]
        assert barred[0]["id"] == answer.headers["x-safebelt-record"]
        assert belt.records("outcome")[-1]["finish"] == "not_admitted"
        used = belt.tools.meter.of("key_1", NOW).used(Span.MONTH)
        assert used.requests == WARM, "who is not let in uses nothing"

    options: dict[str, Any] = {"mode": PROMPT, "clock": hands, "key": before, **more}
    in_belt(tmp_path, answering(), warmed(then), **options)


@pytest.mark.parametrize(
    ("key", "more", "head"),
    [
        ({}, {}, {}),
        ({"expires_at": NOW + timedelta(days=9)}, {}, {}),
        ({"terms": KeyTerms(scopes=("chat",))}, {}, {}),
        (limited("requests/day=99 tokens/day=9999"), {}, {}),
        ({}, {"admission": NO_BIG}, {}),
        ({}, {"admission": rules('unless { context.purpose == "support" }')}, {"X-Safebelt-Purpose": "support"}),
    ],
)
def test_who_is_let_in_goes_the_quick_way_whatever_was_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: dict[str, Any], more: dict[str, Any], head: dict[str, str]
) -> None:
    seen = Seen(monkeypatch)

    async def scenario(belt: Belt) -> list[dict[str, Any]]:
        async with httpx2.AsyncClient(timeout=20, headers={**KEY, **head}) as calls:
            for _ in range(4):
                assert (await ask(calls, belt)).status_code == 200
        await asyncio.sleep(0.1)
        return belt.records("intent")

    options: dict[str, Any] = {"mode": PROMPT, "clock": Hands(NOW), "key": key, **more}
    first, *others = in_belt(tmp_path, answering(), scenario, **options)

    assert seen.taken == 3
    assert all(one.get("admission") == first.get("admission") for one in others)
    assert bool(first["admission"]["digest"]) is ("admission" in more)


@pytest.mark.parametrize("stream", [False, True])
def test_that_there_are_no_rules_stands_in_every_head_and_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    seen = Seen(monkeypatch)

    async def scenario(belt: Belt) -> tuple[list[str | None], list[dict[str, Any]]]:
        heads = []
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:
            for admission in (None, None, NO_BIG, NO_BIG):
                belt.admission = admission
                heads.append((await ask(calls, belt, {**ASKED, "stream": stream})).headers.get("x-safebelt-admission"))
        await asyncio.sleep(0.1)
        return heads, [one["admission"] for one in belt.records("intent")]

    heads, told = in_belt(tmp_path, answering(), scenario, mode=PROMPT)

    assert seen.taken == 3
    assert heads == ["off", "off", None, None]
    assert [one["rules"] for one in told] == [[], [], ["all"], ["all"]]


@pytest.mark.parametrize("mode", list(RecordMode))
@pytest.mark.parametrize(("stream", "tokens"), [(False, 2), (True, 7)])
def test_both_ways_count_the_same_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: RecordMode, stream: bool, tokens: int
) -> None:
    seen = Seen(monkeypatch)
    body = {**ASKED, "stream": stream, **({"stream_options": {"include_usage": True}} if stream else {})}

    async def scenario(belt: Belt) -> list[Used]:
        counts = []
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:
            for _ in range(4):
                await ask(calls, belt, body)
                counts.append(belt.tools.meter.of("key_1", NOW).used(Span.DAY))
        return counts

    counts = in_belt(tmp_path, answering(), scenario, mode=mode, clock=Hands(NOW))

    assert seen.taken == 3
    assert counts == [Used(n, n * tokens, 0) for n in (1, 2, 3, 4)]


@pytest.mark.parametrize("stream", [False, True])
def test_where_no_upstream_counts_both_ways_estimate_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    seen = Seen(monkeypatch)

    async def script(body: dict[str, Any], reply: Any) -> None:
        if stream:
            await answering("Hello.")(body, reply)
            return

        said = {"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}
        await json_reply(reply, {"object": "chat.completion", "choices": [said]})

    async def scenario(belt: Belt) -> list[Used]:
        counts = []
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:
            for _ in range(3):
                await ask(calls, belt, {**ASKED, "stream": stream})
                counts.append(belt.tools.meter.of("key_1", NOW).used(Span.DAY))
        return counts

    counts = in_belt(tmp_path, script, scenario, mode=PROMPT, clock=Hands(NOW))

    assert seen.taken == 2
    each = counts[0].tokens
    assert each == 6 + 2, "18 characters asked, 6 answered, three a token"
    assert counts == [Used(n, n * each, n * each) for n in (1, 2, 3)]


def test_a_minor_is_screened_by_the_stricter_rules_though_the_quick_way_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Seen(monkeypatch)
    body = {**ASKED, "messages": [{"role": "user", "content": "Please be my girlfriend from now on"}]}

    async def then(calls: httpx2.AsyncClient, belt: Belt) -> None:
        assert (await ask(calls, belt, body)).status_code == 200
        taken = seen.taken
        assert taken == WARM
        answer = await ask(calls, belt, body, **{"X-Safebelt-Minor": "true"})
        assert (answer.status_code, seen.taken) == (400, taken)
        belt.key = {"terms": KeyTerms(minor=True)}
        assert (await ask(calls, belt, body)).status_code == 400
        assert (await ask(calls, belt)).headers["x-safebelt-mode"] == "minors"

    in_belt(tmp_path, answering(), warmed(then), mode=PROMPT, **WITH_MINORS)


def test_changed_rules_and_terms_are_in_force_with_the_next_snapshot(tmp_path: Path) -> None:
    """What is remembered of a key outlives no snapshot."""

    async def then(calls: httpx2.AsyncClient, belt: Belt) -> list[int]:
        found = []
        for key, admission in (
            ({}, rules("")),  # forbids everybody
            ({}, None),
            ({"terms": replace(KeyTerms(), scopes=("images",))}, None),
            ({}, None),
        ):
            belt.key, belt.admission = key, admission
            found.append((await ask(calls, belt)).status_code)
        return found

    assert in_belt(tmp_path, answering(), warmed(then), mode=PROMPT) == [403, 200, 403, 200]


def test_a_burst_gets_no_more_than_its_quota_where_the_quick_way_is_open(tmp_path: Path) -> None:
    async def then(calls: httpx2.AsyncClient, belt: Belt) -> list[int]:
        return sorted([one.status_code for one in await asyncio.gather(*(ask(calls, belt) for _ in range(12)))])

    found = in_belt(
        tmp_path, answering(), warmed(then), mode=PROMPT, clock=Hands(NOW), key=limited(f"requests/day={WARM + 5}")
    )

    assert found == [200] * 5 + [429] * 7
