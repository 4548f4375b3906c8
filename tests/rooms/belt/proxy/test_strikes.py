"""What a struck caller is told, and that a suspended key opens nothing, whichever way an exchange goes."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.rooms.belt.proxy.bench import FORBIDDEN, Belt, answering, in_belt
from tests.rooms.belt.proxy.test_quick import ASKED, KEY, Seen

from safebelt.kernel.text import Text
from safebelt.rooms.belt.model import RecordMode, Snapshot, Standing

BAD = {"model": "fake", "messages": [{"role": "user", "content": FORBIDDEN}]}
STRUCK = Standing(strikes=2, newest="stk_2")
SUSPENDED = Standing(strikes=2, newest="stk_2", suspended_by="stk_1")


class Struck(Belt):
    """A belt whose one key stands as a test says."""

    stands: Standing | None = None

    def snapshot(self) -> Snapshot:
        strikes = {"key_1": self.stands} if self.stands else {}
        return replace(super().snapshot(), strikes=strikes)


@pytest.fixture(autouse=True)
def _struck(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.rooms.belt.proxy.bench.Belt", Struck)


async def ask(calls: httpx2.AsyncClient, belt: Any, body: Any = ASKED, lang: str = "en") -> httpx2.Response:
    return await calls.post(f"{belt.url}/chat/completions", json=body, headers={"accept-language": lang})


def complain_at(system: str) -> Text:
    return Text(zh=f"https://x/zh/complaints?system={system}", en=f"https://x/en/complaints?system={system}")


@pytest.mark.interpreted
@pytest.mark.parametrize("stream", [False, True])
def test_every_answers_head_counts_the_strikes_on_both_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    seen, body = Seen(monkeypatch), {**ASKED, "stream": stream}

    async def scenario(belt: Any) -> list[str | None]:
        heads = []
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:
            for stands in (STRUCK, STRUCK, STRUCK, None):
                belt.stands = stands
                heads.append((await ask(calls, belt, body)).headers.get("x-safebelt-strikes"))
        return heads

    heads = in_belt(tmp_path, answering(), scenario, mode=RecordMode.PROMPT)

    assert heads == ["2; newest=stk_2"] * 3 + [None]
    assert seen.taken == 3


@pytest.mark.parametrize(
    ("lang", "says", "link"),
    [
        ("zh", "已有 2 条违规记录", "https://x/zh/complaints?system=sys_1&strike=stk_2"),
        ("en", "This key has 2 strike(s)", "https://x/en/complaints?system=sys_1&strike=stk_2"),
    ],
)
def test_a_refusal_tells_the_strikes_and_where_to_appeal(tmp_path: Path, lang: str, says: str, link: str) -> None:
    async def scenario(belt: Any) -> tuple[Any, Any]:
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:
            first = (await ask(calls, belt, BAD, lang)).json()
            belt.stands = STRUCK
            return first, (await ask(calls, belt, BAD, lang)).json()

    before, after = in_belt(tmp_path, answering(), scenario, complain_at=complain_at)

    assert says in after["error"]["hint"] and link in after["error"]["hint"]
    assert says not in str(before) and "strike=" not in str(before)


@pytest.mark.interpreted
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("lang", "says"), [("zh", "经人工审核已停用"), ("en", "suspended by a person")])
def test_a_suspended_key_opens_nothing_though_the_quick_way_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lang: str, says: str, stream: bool
) -> None:
    seen = Seen(monkeypatch)

    async def scenario(belt: Any) -> None:
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:
            for _ in range(3):
                assert (await ask(calls, belt)).status_code == 200
            taken = seen.taken
            assert taken == 2
            belt.stands = SUSPENDED
            answer = await ask(calls, belt, {**ASKED, "stream": stream}, lang)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "key_suspended")
            assert says in answer.json()["error"]["message"]
            assert "strike=stk_1" in answer.json()["error"]["hint"]
            assert (seen.taken, len(belt.seen)) == (taken, 3)
            await asyncio.sleep(0.1)
            barred = [one for one in belt.records("intent") if one.get("barred")]
            assert [(one["barred"], one["strike"]) for one in barred] == [("key_suspended", "stk_1")]
            belt.stands = STRUCK
            assert (await ask(calls, belt)).status_code == 200, "freed by a person, it opens again"

    in_belt(tmp_path, answering(), scenario, mode=RecordMode.PROMPT, complain_at=complain_at)


def test_without_a_public_console_the_caller_is_told_whom_to_write_to(tmp_path: Path) -> None:
    async def scenario(belt: Any) -> str:
        belt.stands = SUSPENDED
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:
            return str((await ask(calls, belt)).json()["error"]["hint"])

    assert "write to the operator and name stk_1" in in_belt(tmp_path, answering(), scenario)
