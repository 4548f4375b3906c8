"""Orders for a part only: one model, one tool, one caller; the rest goes on, and what runs is ended as for a system."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.belt.proxy.bench import Belt, answering, choice, event, in_belt, post, raw
from tests.rooms.belt.proxy.test_quick import ASKED, KEY, Seen
from tests.rooms.belt.proxy.test_toolcalls import body_of, calling

from safebelt.kernel.errors import Invalid
from safebelt.rooms.belt.control.switch import Switch, key_of, parts_of
from safebelt.rooms.belt.model import Command, Layer, RecordMode, Scope, scope_of, target_of
from safebelt.rooms.belt.proxy.reply import Reply

HI = [{"role": "user", "content": "hi"}]
TOOL = {"type": "function", "function": {"name": "pay", "parameters": {"type": "object"}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "pay", "arguments": '{"sum": 3}'}}


async def _endless(_body: dict[str, Any], reply: Reply) -> None:
    await reply.begin(200, ((b"content-type", b"text/event-stream"),))
    while True:
        await event(reply, {"id": "1", "choices": [choice({"content": "word "})]})
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("target", ["model:m", "key:key_1", "sys_1", ""])
def test_a_running_answer_is_cut_by_an_order_for_its_model_its_key_its_system_or_all(
    tmp_path: Path, target: str
) -> None:
    async def scenario(belt: Belt) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", belt.port)
        writer.write(post({"model": "m", "messages": HI, "stream": True}))
        await reader.readuntil(b"word")
        others = [belt.switch.apply(Command.CUT, name, "ord_1") for name in ("model:n", "key:key_2", "sys_2", "tool:m")]
        applied = belt.switch.apply(Command.CUT, target, "ord_9")
        for _ in range(200):
            if belt.records("outcome"):
                break
            await asyncio.sleep(0.02)
        writer.close()

        assert all(not each.cut for each in others) and len(applied.cut) == 1
        assert [(one["finish"], one["order"]) for one in belt.records("outcome")] == [("cut", "ord_9")]

    in_belt(tmp_path, _endless, scenario)


@pytest.mark.parametrize("target", ["model:m", "key:key_1"])
def test_new_work_is_refused_in_a_persons_name_and_the_model_is_not_asked(tmp_path: Path, target: str) -> None:
    async def scenario(belt: Belt) -> None:
        belt.switch.apply(Command.PAUSE, target, "ord_9")
        refused = await raw(belt, post({"model": "m", "messages": HI}))
        seen = list(belt.seen)
        belt.switch.apply(Command.RUN, target, "ord_10")
        again = await raw(belt, post({"model": "m", "messages": HI}))

        assert refused.startswith(b"HTTP/1.1 503") and b"stopped_by_human" in refused and b"ord_9" in refused
        assert seen == [] and again.startswith(b"HTTP/1.1 200")

    in_belt(tmp_path, answering(), scenario)


@pytest.mark.interpreted
def test_an_order_for_one_model_leaves_another_alone_on_the_quick_way_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Seen(monkeypatch)

    async def scenario(belt: Belt) -> list[int]:
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:

            async def ask(model: str) -> int:
                return (await calls.post(f"{belt.url}/chat/completions", json={**ASKED, "model": model})).status_code

            warm = [await ask("fake"), await ask("fake")]
            belt.switch.apply(Command.CUT, "model:fake", "ord_1")
            after = [await ask("other"), await ask("fake")]
            belt.switch.apply(Command.CUT, "key:key_1", "ord_2")
            return [*warm, *after, await ask("other"), belt.switch.running()]

    assert in_belt(tmp_path, answering(), scenario, mode=RecordMode.PROMPT) == [200, 200, 200, 503, 503, 0]
    assert seen.taken == 2


def test_a_stopped_tool_is_neither_offered_nor_called_though_no_policy_speaks_of_tools(tmp_path: Path) -> None:
    asked = post({"model": "m", "messages": HI, "tools": [TOOL]})

    async def scenario(belt: Belt) -> None:
        free = body_of(await raw(belt, asked))["choices"][0]["message"]
        belt.switch.apply(Command.CUT, "tool:pay", "ord_1")
        stopped = body_of(await raw(belt, asked))["choices"][0]["message"]
        belt.switch.apply(Command.RUN, "tool:pay", "ord_2")
        again = body_of(await raw(belt, asked))["choices"][0]["message"]

        assert free.get("tool_calls") and again.get("tool_calls")
        assert not stopped.get("tool_calls") and "a person has stopped this tool" in stopped["content"]
        assert [bool(body.get("tools")) for body in belt.seen] == [True, False, True]

    in_belt(tmp_path, calling(CALL), scenario)


def test_layers_and_scopes_stand_beside_one_another() -> None:
    switch = Switch()
    switch.apply(Command.CUT, "model:org/m", "ord_1", layer="bus")
    line = switch.open("sys_1", "key_1")

    assert switch.in_force_for(line, "org/m").command is Command.CUT and line.model == ""
    switch.apply(Command.RUN, "model:org/m", "ord_2")  # of the house: it does not lift what the bus ordered
    assert switch.in_force_for(line, "org/m").command is Command.CUT
    switch.apply(Command.RUN, "model:org/m", "ord_3", layer="bus")
    assert switch.in_force_for(line, "org/m").command is Command.RUN and line.model == "org/m"


@given(st.sampled_from(list(Layer)), st.sampled_from(list(Scope)), st.text(min_size=1, max_size=20))
def test_a_key_says_its_layer_and_what_it_names_whatever_the_name(layer: Layer, scope: Scope, name: str) -> None:
    target = scope.of(name)

    assert parts_of(key_of(target, layer)) == (layer.value, target) and scope_of(target) is scope


def test_an_order_is_for_one_thing() -> None:
    assert target_of() == "" and target_of("sys_1") == "sys_1" and target_of(tool=" pay ") == "tool:pay"
    with pytest.raises(Invalid):
        target_of("sys_1", model="m")
