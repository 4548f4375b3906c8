"""The quick way through: the same exchange as on the long way, to the last field, and nothing that is not clean."""

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.rooms.belt.proxy.bench import FORBIDDEN, Belt, answering, in_belt, json_reply

from safebelt.kernel.text import Text
from safebelt.rooms.belt.model import Command, NoticeMode, RecordMode, Stance
from safebelt.rooms.belt.proxy import quick as quick_module
from safebelt.rooms.belt.proxy.quick import Passing, Quick
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.records.writer import Writer

pytestmark = pytest.mark.interpreted  # they watch which way an exchange takes

KEY = {"authorization": "Bearer sbk_test"}
ASKED = {"model": "fake", "messages": [{"role": "user", "content": "Say hello, please."}], "temperature": 0.5}
TIMES = {"added_ms", "before_ms", "first_byte_ms", "total_ms", "upstream_ms"}


class Seen:
    """Counts exchanges that began the quick way, and those that ended there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.taken = self.ended = 0
        take, go_on = Quick.take, Passing._go_on

        def counting(quick: Quick, *args: Any) -> Passing | None:
            passing = take(quick, *args)
            self.taken += passing is not None
            self.ended += passing is not None
            return passing

        def leaving(passing: Passing, *args: Any) -> None:
            self.ended -= 1
            go_on(passing, *args)

        monkeypatch.setattr(Quick, "take", counting)
        monkeypatch.setattr(Passing, "_go_on", leaving)


def asks(count: int, body: dict[str, Any] | None = None, path: str = "chat/completions") -> Any:
    """A scenario: ask some times over one connection; the answers, the first of which opens the connections."""

    async def scenario(belt: Belt) -> tuple[list[httpx2.Response], list[dict[str, Any]], list[dict[str, Any]]]:
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:
            answers = [await calls.post(f"{belt.url}/{path}", json=body or ASKED) for _ in range(count)]
        await asyncio.sleep(0.1)
        return answers, belt.records("intent"), belt.records("outcome")

    return scenario


@pytest.mark.parametrize("mode", [RecordMode.PROMPT, RecordMode.STRICT])
@pytest.mark.parametrize("stance", list(Stance))
def test_both_ways_say_and_record_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: RecordMode, stance: Stance
) -> None:
    seen = Seen(monkeypatch)
    options: dict[str, Any] = {
        "mode": mode,
        "stance": stance,
        "notice": NoticeMode.END,
        "complain_at": lambda system: Text(zh=f"/zh/{system}", en=f"/en/{system}"),
    }

    answers, intents, outcomes = in_belt(tmp_path, answering("Hello, 你好."), asks(4), **options)

    assert seen.taken == 3, "the first opens the connection to the upstream, on the long way"
    first, *others = answers
    for at, answer in enumerate(others, 1):
        ids = first.headers["x-safebelt-record"], answer.headers["x-safebelt-record"]
        assert ids[0] != ids[1]
        assert answer.text == first.text.replace(*ids)
        assert list(answer.headers.items()) == [(name, value.replace(*ids)) for name, value in first.headers.items()]
        frame = {"id", "at", "seq", "intent"} | TIMES
        for records in (intents, outcomes):
            long, short = (json.loads(json.dumps(records[which]).replace(*ids)) for which in (0, at))
            assert set(long) == set(short)
            assert {k: v for k, v in long.items() if k not in frame} == {
                k: v for k, v in short.items() if k not in frame
            }
        assert all(isinstance(outcomes[at][name], float) for name in TIMES)


def test_in_prompt_the_quick_way_needs_no_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(monkeypatch)

    answers, _, outcomes = in_belt(tmp_path, answering(), asks(20), mode=RecordMode.PROMPT)

    assert [answer.status_code for answer in answers] == [200] * 20
    assert seen.taken == 19
    assert seen.ended >= 15, "few had to wait for the writing thread"
    assert len(outcomes) == 20


@pytest.mark.parametrize(
    "body",
    [
        {**ASKED, "messages": [{"role": "user", "content": f"about {FORBIDDEN}"}]},
        {**ASKED, "messages": [{"role": FORBIDDEN, "content": "x"}]},
        {**ASKED, "messages": [{"role": "user", "content": "x", "name": FORBIDDEN}]},
        {**ASKED, "messages": [{"role": "user", "content": [{"type": "text", "text": FORBIDDEN}]}]},
        {**ASKED, "model": FORBIDDEN},
        {**ASKED, "stream_options": {FORBIDDEN: 1}},
        {**ASKED, FORBIDDEN: 1},
        {**ASKED, "user": FORBIDDEN},
    ],
)
def test_nothing_that_is_found_in_a_request_passes_the_quick_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: dict[str, Any]
) -> None:
    seen = Seen(monkeypatch)

    async def scenario(belt: Belt) -> tuple[int, int, int]:
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:
            await calls.post(f"{belt.url}/chat/completions", json=ASKED)
            before = seen.taken
            answer = await calls.post(f"{belt.url}/chat/completions", json=body)
            return answer.status_code, len(belt.seen), seen.taken - before

    status, asked, taken = in_belt(tmp_path, answering(), scenario, mode=RecordMode.PROMPT)

    assert status >= 400
    assert asked == 1
    assert taken == 0


@pytest.mark.parametrize(
    "change",
    [
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": f"so {FORBIDDEN} it is"}}]},
        {"choices": [{"index": 0, "message": {"role": FORBIDDEN, "content": "x"}}]},
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": "x", "refusal": FORBIDDEN}}]},
        {
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": "x"}, "logprobs": {"tokens": [FORBIDDEN]}}
            ]
        },
        {"choices": [{"index": 0, "message": {"content": "x"}, "finish_reason": FORBIDDEN}]},
        {"choices": [{"index": 0, "text": FORBIDDEN}]},
        {"choices": [{"index": 0, "delta": {"content": FORBIDDEN}}]},
        {"usage": {FORBIDDEN: 1}},
        {"system_fingerprint": FORBIDDEN},
        {"error": {"message": FORBIDDEN}},
        {"safebelt": FORBIDDEN},
    ],
)
def test_nothing_that_is_found_in_an_answer_passes_the_quick_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    seen, good = Seen(monkeypatch), {"id": "c", "object": "chat.completion", "choices": [], "usage": {}}

    async def script(_body: dict[str, Any], reply: Reply) -> None:
        await json_reply(reply, {**good, **change})

    answers, _, outcomes = in_belt(tmp_path, script, asks(2), mode=RecordMode.PROMPT)

    assert seen.taken == 1
    assert FORBIDDEN not in answers[1].text
    first, second = ({k: v for k, v in one.items() if k in ("finish", "done", "rules", "status")} for one in outcomes)
    assert first == second


def test_a_stream_goes_on_by_itself_after_a_quick_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(monkeypatch)
    body = {**ASKED, "stream": True}

    answers, _, outcomes = in_belt(tmp_path, answering("Hello there."), asks(3, body), mode=RecordMode.PROMPT)

    assert seen.taken == 2
    assert seen.ended == 2
    assert all(answer.text.endswith("data: [DONE]\n\n") for answer in answers)
    assert [one["finish"] for one in outcomes] == ["complete"] * 3


def test_a_stopped_system_gets_nothing_the_quick_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Seen(monkeypatch)

    async def scenario(belt: Belt) -> tuple[int, int]:
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:
            for _ in range(2):
                await calls.post(f"{belt.url}/chat/completions", json=ASKED)
            belt.switch.apply(Command.CUT, "", "ord_1")
            answer = await calls.post(f"{belt.url}/chat/completions", json=ASKED)
            return answer.status_code, belt.switch.running()

    assert in_belt(tmp_path, answering(), scenario, mode=RecordMode.PROMPT) == (503, 0)
    assert seen.taken == 1


@pytest.mark.parametrize(("order", "finish"), [(Command.CUT, "cut"), (None, "client_gone")])
def test_an_exchange_that_is_ended_midway_is_recorded_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: Command | None, finish: str
) -> None:
    seen = Seen(monkeypatch)

    async def script(body: dict[str, Any], reply: Reply) -> None:
        if body.get("temperature") == 1:
            await asyncio.sleep(30)
        await answering()(body, reply)

    async def scenario(belt: Belt) -> tuple[list[dict[str, Any]], int]:
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:
            await calls.post(f"{belt.url}/chat/completions", json=ASKED)
            waiting = asyncio.ensure_future(
                calls.post(f"{belt.url}/chat/completions", json={**ASKED, "temperature": 1})
            )
            await asyncio.sleep(0.2)
            assert belt.switch.running() == 1
            if order:
                for line in belt.switch.apply(order, "", "ord_1").cut:
                    line.end()
            else:
                waiting.cancel()
            await asyncio.wait({waiting})
        await asyncio.sleep(0.3)
        return belt.records("outcome"), belt.switch.running()

    outcomes, running = in_belt(tmp_path, script, scenario, mode=RecordMode.PROMPT)

    assert seen.taken == 1
    assert [one["finish"] for one in outcomes] == ["complete", finish]
    assert running == 0


def test_a_client_that_goes_just_as_the_long_way_takes_over_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by the soak, once in half a million: a task cancelled before its first step never runs at all."""
    go_on = Passing._go_on

    def going(passing: Passing, *args: Any) -> None:
        go_on(passing, *args)
        passing._client.connection_lost(None)  # type: ignore[attr-defined]

    async def scenario(belt: Belt) -> tuple[list[dict[str, Any]], int]:
        async with httpx2.AsyncClient(timeout=1, headers=KEY) as calls:
            await calls.post(f"{belt.url}/chat/completions", json=ASKED)
            monkeypatch.setattr(Passing, "_go_on", going)
            with pytest.raises(httpx2.HTTPError):
                await calls.post(f"{belt.url}/chat/completions", json=ASKED)
        await asyncio.sleep(0.3)
        return belt.records("outcome"), belt.switch.running()

    outcomes, running = in_belt(tmp_path, answering(FORBIDDEN), scenario, mode=RecordMode.PROMPT)

    assert len(outcomes) == 2, "what was begun is ended in the records too"
    assert running == 0


def test_records_of_one_turn_are_handed_over_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    groups: list[int] = []
    write = Writer._write_at_once

    def counting(writer: Writer, group: Any, now: datetime) -> None:
        groups.append(len(group))
        write(writer, group, now)

    async def scenario(belt: Belt) -> list[int]:
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:
            for _ in range(2):
                found = await asyncio.gather(
                    *(calls.post(f"{belt.url}/chat/completions", json=ASKED) for _ in range(24))
                )
        return [answer.status_code for answer in found]

    monkeypatch.setattr(Writer, "_write_at_once", counting)

    assert in_belt(tmp_path, answering(), scenario, mode=RecordMode.PROMPT) == [200] * 24
    assert max(groups) > 2, "more than one exchange's two records in one write"


def test_a_client_lost_while_its_answer_leaves_takes_no_other_exchange_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Seen(monkeypatch)
    put_outcome = Passing._put_outcome

    def losing(passing: Passing, *args: Any) -> None:
        put_outcome(passing, *args)
        if b'"temperature":1' in passing._request.body:
            passing._client.connection_lost(None)  # type: ignore[attr-defined]  a test's hand in the turn

    async def scenario(belt: Belt) -> tuple[set[int], int, int, list[str]]:
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as others:
            await others.post(f"{belt.url}/chat/completions", json=ASKED)
            async with httpx2.AsyncClient(timeout=0.5, headers=KEY) as lost:
                with pytest.raises(httpx2.HTTPError):
                    await lost.post(f"{belt.url}/chat/completions", json={**ASKED, "temperature": 1})
            after = [await others.post(f"{belt.url}/chat/completions", json=ASKED) for _ in range(3)]
        await asyncio.sleep(0.1)
        finishes = [one["finish"] for one in belt.records("outcome")]
        return {one.status_code for one in after}, len(belt.connections), belt.switch.running(), finishes

    monkeypatch.setattr(Passing, "_put_outcome", losing)

    found = in_belt(tmp_path, answering(), scenario, mode=RecordMode.PROMPT)

    assert found == ({200}, 1, 0, ["complete"] * 5), "the one connection to the upstream served them all"
    assert seen.taken == 4


def test_an_upstream_that_closed_its_idle_connection_is_asked_anew(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> list[int]:
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:
            first = await calls.post(f"{belt.url}/chat/completions", json=ASKED)
            for connection in list(belt.connections):
                connection.transport.abort()  # the upstream's side of it
            second = await calls.post(f"{belt.url}/chat/completions", json=ASKED)
        return [first.status_code, second.status_code]

    assert in_belt(tmp_path, answering(), scenario, mode=RecordMode.PROMPT) == [200, 200]


def test_what_goes_wrong_unforeseen_is_told_and_nothing_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    seen = Seen(monkeypatch)
    monkeypatch.setattr(quick_module, "passed_lines", broken)

    answers, _, outcomes = in_belt(tmp_path, answering("Hello."), asks(2), mode=RecordMode.PROMPT)

    assert seen.taken == 1
    assert [answer.status_code for answer in answers] == [200, 500]
    assert "Hello" not in answers[1].text
    assert len(outcomes) == 2
