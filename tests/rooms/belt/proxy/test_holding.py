"""A pause that lets new requests wait: in order, in number, in time, and never past a cut or the end of a key."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.rooms.belt.proxy.bench import Belt, answering, in_belt, post, raw

from safebelt.rooms.belt.control.in_force import InForce
from safebelt.rooms.belt.control.switch import UNREAD
from safebelt.rooms.belt.control.waiting_room import Waited, WaitingRoom
from safebelt.rooms.belt.model import NO_TERMS, Command, Key, OrderTerms, Snapshot

HOLD = OrderTerms(hold_seconds=60, hold_most=50)
SAYING = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


def _order(belt: Belt, command: Command, target: str = "", id_: str = "ord_1", terms: OrderTerms = NO_TERMS) -> None:
    belt.switch.apply(command, target, id_, terms=terms)
    belt.switch.heard()


async def _waiting(belt: Belt, count: int) -> None:
    for _ in range(3000):
        if len(belt.tools.room) == count:
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"{len(belt.tools.room)} wait, not {count}")


def _asked(belt: Belt, saying: Any = SAYING) -> "asyncio.Task[bytes]":
    return asyncio.get_running_loop().create_task(raw(belt, post(saying)))


def _code(answer: bytes) -> str:
    return str(json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"])


def _said(number: int) -> dict[str, Any]:
    return {**SAYING, "messages": [{"role": "user", "content": f"number {number}"}]}


@pytest.mark.parametrize("target", ["", "sys_1", "model:m"])
def test_what_comes_during_a_pause_that_holds_is_answered_after_the_resume_and_not_before(
    tmp_path: Path, target: str
) -> None:
    async def scenario(belt: Belt) -> None:
        _order(belt, Command.PAUSE, target, terms=HOLD)
        asked = _asked(belt)
        await _waiting(belt, 1)
        assert belt.seen == [] and not asked.done(), "no model has seen it"
        _order(belt, Command.RUN, target, "ord_2")
        assert (await asked).startswith(b"HTTP/1.1 200") and len(belt.seen) == 1
        assert len(belt.tools.room) == 0

    in_belt(tmp_path, answering(), scenario)


@pytest.mark.parametrize("target", ["", "sys_1", "model:m"])
def test_what_a_pause_held_is_told_apart_from_the_belts_own_time(tmp_path: Path, target: str) -> None:
    async def scenario(belt: Belt) -> tuple[dict[str, Any], dict[str, Any]]:
        await _asked(belt)
        _order(belt, Command.PAUSE, target, terms=HOLD)
        asked = _asked(belt)
        await _waiting(belt, 1)
        await asyncio.sleep(0.6)
        _order(belt, Command.RUN, target, "ord_2")
        await asked
        first, second = belt.records("outcome")
        return first, second

    plain, held = in_belt(tmp_path, answering(), scenario)

    assert 600 <= held["waited_ms"] == held["waited_before_ms"] <= held["before_ms"] <= held["total_ms"]
    assert held["added_ms"] < 600 and held["first_byte_ms"] < 600
    whole = held["added_ms"] + held["upstream_ms"] + held["waited_ms"]
    assert whole == pytest.approx(held["total_ms"], abs=0.01)
    assert not {"waited_ms", "waited_before_ms"} & plain.keys()


def test_what_waited_goes_on_in_the_order_in_which_it_came(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        _order(belt, Command.PAUSE, terms=HOLD)
        asked = []
        for number in range(12):
            asked.append(_asked(belt, _said(number)))
            await _waiting(belt, number + 1)
        _order(belt, Command.RUN, id_="ord_2")
        await asyncio.gather(*asked)
        assert [each["messages"][0]["content"] for each in belt.seen] == [f"number {n}" for n in range(12)]

    in_belt(tmp_path, answering(), scenario)


@pytest.mark.parametrize("target", ["", "model:m"])
def test_a_pause_without_terms_refuses_at_once_as_ever(tmp_path: Path, target: str) -> None:
    async def scenario(belt: Belt) -> None:
        _order(belt, Command.PAUSE, target)
        assert _code(await _asked(belt)) == "stopped_by_human" and belt.seen == []

    in_belt(tmp_path, answering(), scenario)


@pytest.mark.parametrize(("lang", "words"), [("zh-CN", "等候了 1 秒"), ("en", "waited 1 s")])
def test_who_waited_in_vain_is_told_so_in_their_language(tmp_path: Path, lang: str, words: str) -> None:
    async def scenario(belt: Belt) -> None:
        _order(belt, Command.PAUSE, terms=replace(HOLD, hold_seconds=1))
        request = post(SAYING).replace(b"\r\n", b"\r\nAccept-Language: %b\r\n" % lang.encode(), 1)
        answer = await raw(belt, request)
        assert answer.startswith(b"HTTP/1.1 503") and _code(answer) == "paused_too_long"
        message = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["message"]
        assert words in message.partition(" / ")[0] and belt.seen == []

    in_belt(tmp_path, answering(), scenario)


def test_more_than_may_wait_are_told_that_there_is_no_room(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        _order(belt, Command.PAUSE, terms=replace(HOLD, hold_most=2))
        asked = [_asked(belt), _asked(belt)]
        await _waiting(belt, 2)
        assert _code(await _asked(belt)) == "too_many_waiting"
        _order(belt, Command.RUN, id_="ord_2")
        assert all(each.startswith(b"HTTP/1.1 200") for each in await asyncio.gather(*asked))

    in_belt(tmp_path, answering(), scenario)


@pytest.mark.parametrize("after", [Command.DRAIN, Command.PAUSE])
def test_an_order_that_lets_nothing_wait_refuses_what_waited(tmp_path: Path, after: Command) -> None:
    async def scenario(belt: Belt) -> None:
        _order(belt, Command.PAUSE, terms=HOLD)
        asked = _asked(belt)
        await _waiting(belt, 1)
        _order(belt, after, id_="ord_2")
        assert _code(await asked) == "stopped_by_human" and belt.seen == []

    in_belt(tmp_path, answering(), scenario)


def test_a_cut_ends_what_waits_at_once(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        _order(belt, Command.PAUSE, terms=HOLD)
        asked = _asked(belt)
        await _waiting(belt, 1)
        _order(belt, Command.CUT, id_="ord_2")
        with pytest.raises(ConnectionResetError):
            await asked
        await _waiting(belt, 0)
        assert belt.seen == []

    in_belt(tmp_path, answering(), scenario)


def test_a_client_that_leaves_is_forgotten_and_leaves_room(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        _order(belt, Command.PAUSE, terms=replace(HOLD, hold_most=1))
        _, writer = await asyncio.open_connection("127.0.0.1", belt.port)
        writer.write(post(SAYING))
        await _waiting(belt, 1)
        writer.transport.abort()
        await _waiting(belt, 0)
        assert belt.switch.running() == 0 and belt.tools.room._bytes == 0
        second = _asked(belt)
        await _waiting(belt, 1)
        _order(belt, Command.RUN, id_="ord_2")
        assert (await second).startswith(b"HTTP/1.1 200") and len(belt.seen) == 1

    in_belt(tmp_path, answering(), scenario)


def test_a_key_that_was_revoked_while_its_request_waited_opens_nothing(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        _order(belt, Command.PAUSE, terms=HOLD)
        asked = _asked(belt)
        await _waiting(belt, 1)
        known = belt.snapshot()
        none = Snapshot(keys=dict[str, Key](), harnesses=known.harnesses, policies=known.policies)
        belt.snapshot = lambda: none  # type: ignore[method-assign]
        gateway_tools = replace(belt.tools, snapshot=lambda: none)
        for connection in belt_connections(belt):
            connection._handler._tools = gateway_tools  # type: ignore[attr-defined]
        _order(belt, Command.RUN, id_="ord_2")
        assert (await asked).startswith(b"HTTP/1.1 401") and belt.seen == []

    in_belt(tmp_path, answering(), scenario)


def belt_connections(belt: Belt) -> list[Any]:
    return [line._client for line in belt.switch._lines]


def test_a_limit_counts_what_waited_when_it_goes_on(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        belt.switch.apply(Command.LIMIT, "", "ord_l", terms=OrderTerms(per_minute=1))
        _order(belt, Command.PAUSE, terms=HOLD)
        asked = [_asked(belt), _asked(belt)]
        await _waiting(belt, 2)
        _order(belt, Command.RUN, id_="ord_2")
        answers = await asyncio.gather(*asked)
        assert sorted(each[9:12] for each in answers) == [b"200", b"429"] and len(belt.seen) == 1

    in_belt(tmp_path, answering(), scenario)


def test_of_two_pauses_the_one_that_lets_nothing_wait_holds(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        _order(belt, Command.PAUSE, "sys_1", terms=HOLD)
        _order(belt, Command.PAUSE, "", "ord_all")
        assert _code(await _asked(belt)) == "stopped_by_human"

    in_belt(tmp_path, answering(), scenario)


@pytest.mark.parametrize(("command", "expected"), [(Command.CUT, b"503"), (Command.RUN, b"200")])
def test_while_an_order_was_not_read_nothing_new_is_let_in_and_then_it_decides(
    tmp_path: Path, command: Command, expected: bytes
) -> None:
    async def scenario(belt: Belt) -> None:
        is_behind = [True]
        belt.switch._is_behind = lambda: is_behind[0]
        asked = _asked(belt)
        await _waiting(belt, 1)
        assert belt.seen == []
        applied = belt.switch.apply(command, "", "ord_1")
        assert applied.touched == (), "what waits for an order to be read does not run, and is not counted as cut"
        is_behind[0] = False
        belt.switch.heard()
        assert (await asked)[9:12] == expected and len(belt.seen) == (expected == b"200")

    in_belt(tmp_path, answering(), scenario)


def test_an_order_that_is_never_read_refuses_after_a_second(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> None:
        belt.switch._is_behind = lambda: True
        assert _code(await _asked(belt)) == "unread_order" and belt.seen == []

    in_belt(tmp_path, answering(), scenario)


def test_memory_is_bounded_whatever_an_order_lets_wait() -> None:
    async def scenario() -> None:
        room = WaitingRoom(most_bytes=1000)
        pause = InForce(command=Command.PAUSE, order_id="ord_1", terms=HOLD)
        first = asyncio.create_task(room.wait(lambda: pause, pause, 900))
        await asyncio.sleep(0)
        assert (await room.wait(lambda: pause, pause, 200))[0] is Waited.FULL
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        second = asyncio.create_task(room.wait(lambda: pause, pause, 200))
        await asyncio.sleep(0)
        assert len(room) == 1
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)

    asyncio.run(scenario())


@pytest.mark.parametrize(("workers", "most"), [(1, 8), (4, 2), (16, 1)])
def test_what_may_wait_on_a_machine_is_shared_by_its_workers(workers: int, most: int) -> None:
    room = WaitingRoom().among(workers)
    pause = InForce(command=Command.PAUSE, order_id="ord_1", terms=replace(HOLD, hold_most=8))

    async def scenario() -> int:
        tasks = [asyncio.create_task(room.wait(lambda: pause, pause, 1)) for _ in range(10)]
        await asyncio.sleep(0.01)
        held = len(room)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return held

    assert asyncio.run(scenario()) == most
    assert UNREAD.terms.hold_most // 64 > most, "an order that was not read yet turns nobody away for want of room"
