"""A person limits traffic: so many pass, what is beyond gets 429 with when to try again, and lifting lifts."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.rooms.belt.proxy.bench import Belt, answering, choice, event, in_belt, post, raw
from tests.rooms.belt.proxy.test_quick import ASKED, KEY, Seen
from tests.rooms.belt.proxy.test_toolcalls import body_of, calling

from safebelt.rooms.belt.model import Command, KeyTerms, OrderTerms, RecordMode
from safebelt.rooms.belt.proxy.reply import Reply

HI = [{"role": "user", "content": "hi"}]
ASK = post({"model": "m", "messages": HI})
TOOL = {"type": "function", "function": {"name": "pay", "parameters": {"type": "object"}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "pay", "arguments": '{"sum": 3}'}}
ONE, TWO = OrderTerms(per_minute=1), OrderTerms(per_minute=2)


def _status(answer: bytes) -> int:
    return int(answer[9:12])


@pytest.mark.parametrize("mode", [RecordMode.STRICT, RecordMode.PROMPT])
@pytest.mark.parametrize("target", ["", "sys_1", "key:key_1", "model:m"])
def test_what_is_beyond_a_limit_is_refused_and_the_model_is_not_asked(
    tmp_path: Path, target: str, mode: RecordMode
) -> None:
    async def scenario(belt: Belt) -> None:
        for other in ("sys_2", "key:key_2", "model:n", "tool:m"):
            belt.switch.apply(Command.LIMIT, other, f"ord_{other}", terms=ONE)
        free = [_status(await raw(belt, ASK)) for _ in range(3)]
        belt.switch.apply(Command.LIMIT, target, "ord_9", terms=TWO)
        bound = [await raw(belt, ASK) for _ in range(4)]
        asked = len(belt.seen)
        belt.switch.apply(Command.UNLIMIT, target, "ord_10")
        again = await raw(belt, ASK)

        assert free == [200, 200, 200] and [_status(each) for each in bound] == [200, 200, 429, 429]
        assert b"limited_by_human" in bound[2] and b"ord_9" in bound[2] and b"2 a minute" in bound[2]
        waits = [int(each.split(b"retry-after: ")[1].split(b"\r\n")[0]) for each in bound[2:]]
        assert all(1 <= wait <= 61 for wait in waits)
        assert asked == 5 and _status(again) == 200
        refused = [each for each in belt.records("outcome") if each["finish"] == "not_admitted"]
        assert [each["order"] for each in refused] == ["ord_9"], (
            "the first of a minute is on record, in the order's name"
        )

    in_belt(tmp_path, answering(), scenario, mode=mode)


def test_the_refusal_is_in_the_callers_language_and_says_what_the_limit_rests_on(tmp_path: Path) -> None:
    chinese = ASK.replace(b"Host: x", b"Host: x\r\nAccept-Language: zh-CN")

    async def scenario(belt: Belt) -> None:
        belt.switch.apply(Command.LIMIT, "", "ord_1", terms=OrderTerms(per_minute=1, basis="合同第 3 条"))
        belt.switch.apply(Command.LIMIT, "key:key_1", "ord_2", terms=ONE)
        await raw(belt, ASK)
        of_all = body_of(await raw(belt, chinese))["error"]["message"]
        belt.switch.apply(Command.UNLIMIT, "", "ord_3")
        of_key = body_of(await raw(belt, ASK))["error"]["message"]

        assert of_all.startswith("负责人已限制全部系统的流量：每分钟 1 次（ord_1；依据：合同第 3 条）。")
        assert of_key.startswith(
            "A person has limited the traffic of the key key_1 to 1 a minute (ord_2; it rests on: a"
        )

    in_belt(tmp_path, answering(), scenario)


async def _slow(_body: dict[str, Any], reply: Reply) -> None:
    await reply.begin(200, ((b"content-type", b"text/event-stream"),))
    for _ in range(40):
        await event(reply, {"id": "1", "choices": [choice({"content": "word "})]})
        await asyncio.sleep(0.005)
    await event(reply, {"id": "1", "choices": [choice({}, "stop")]})
    await reply.end(b"data: [DONE]\n\n")


def test_only_so_many_run_at_once_and_the_next_passes_when_one_has_ended(tmp_path: Path) -> None:
    streamed = post({"model": "m", "messages": HI, "stream": True})

    async def scenario(belt: Belt) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", belt.port)
        writer.write(streamed)
        await reader.readuntil(b"word")
        belt.switch.apply(Command.LIMIT, "sys_1", "ord_1", terms=OrderTerms(at_once=1))
        beyond = await raw(belt, streamed)
        await reader.read()  # what ran when the limit came is not ended by it
        writer.close()
        after = await raw(belt, streamed)

        assert _status(beyond) == 429 and b"1 at once" in beyond and b"retry-after: 1\r\n" in beyond
        assert _status(after) == 200 and b"[DONE]" in after
        assert [each["finish"] for each in belt.records("outcome")].count("complete") == 2

    in_belt(tmp_path, _slow, scenario)


@pytest.mark.interpreted
def test_the_quick_way_is_left_only_by_what_a_limit_may_concern(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Seen(monkeypatch)

    async def scenario(belt: Belt) -> list[int]:
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:

            async def ask() -> int:
                return (await calls.post(f"{belt.url}/chat/completions", json=ASKED)).status_code

            found = [await ask(), await ask()]  # the second is quick: the first opened the connection
            belt.switch.apply(Command.LIMIT, "sys_2", "ord_1", terms=ONE)
            found += [await ask()]  # quick
            belt.switch.apply(Command.LIMIT, "sys_1", "ord_2", terms=ONE)
            found += [await ask(), await ask()]
            belt.switch.apply(Command.UNLIMIT, "sys_1", "ord_3")
            return [*found, await ask(), await ask(), belt.switch.running()]  # the last is quick again

    assert in_belt(tmp_path, answering(), scenario, mode=RecordMode.PROMPT) == [200, 200, 200, 200, 429, 200, 200, 0]
    assert seen.taken == 3


def test_a_caller_that_is_not_let_in_uses_nothing_of_a_limit(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        belt.switch.apply(Command.LIMIT, "sys_1", "ord_1", terms=ONE)
        barred = [_status(await raw(belt, post({"input": "hi"}, path="/v1/embeddings"))) for _ in range(3)]
        passes = _status(await raw(belt, ASK))

        assert barred == [403, 403, 403] and passes == 200

    in_belt(tmp_path, answering(), scenario, key={"terms": KeyTerms(scopes=("chat",))})


def test_a_limited_tool_is_called_so_often_and_then_says_why_not(tmp_path: Path) -> None:
    asked = post({"model": "m", "messages": HI, "tools": [TOOL]})

    async def scenario(belt: Belt) -> None:
        belt.switch.apply(Command.LIMIT, "tool:pay", "ord_1", terms=ONE)
        first, second = [body_of(await raw(belt, asked))["choices"][0]["message"] for _ in range(2)]
        belt.switch.apply(Command.UNLIMIT, "tool:pay", "ord_2")
        third = body_of(await raw(belt, asked))["choices"][0]["message"]

        assert first.get("tool_calls") and third.get("tool_calls") and not second.get("tool_calls")
        assert "A person has limited the traffic of the tool pay to 1 a minute" in second["content"]

    in_belt(tmp_path, calling(CALL), scenario)
