"""Streams on the quick way, and events in a known frame: the same bytes and records as on the long way."""

import asyncio
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.belt.proxy.bench import FORBIDDEN, POLICY, Belt, answering, in_belt

from safebelt.rooms.belt.model import Command, NoticeMode, RecordMode, Stance
from safebelt.rooms.belt.proxy.exchange import Exchange
from safebelt.rooms.belt.proxy.frames import frame_of
from safebelt.rooms.belt.proxy.messages import MessageStream
from safebelt.rooms.belt.proxy.quick import Passing
from safebelt.rooms.belt.proxy.quickstream import QuickStream
from safebelt.rooms.belt.proxy.recording import TIMES, Recording
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.screens import ChannelOpener
from safebelt.rooms.belt.proxy.steps import taken
from safebelt.rooms.belt.proxy.streaming import StreamedAnswer
from safebelt.rooms.belt.scanner import Scanner

pytestmark = pytest.mark.interpreted  # they watch which way an exchange takes

KEY = {"authorization": "Bearer sbk_test"}
ASKED = {"model": "fake", "stream": True, "messages": [{"role": "user", "content": "Say hello, please."}]}
SCANNER = Scanner(POLICY)
SAID = [
    "Hello, 你好。",
    f"so {FORBIDDEN} it is",
    "call 13812345678 now",
    'a "quoted" \\ text\nwith &amp; and %41',
    "mail me at some.one@example.com",
]


def cut(text: str, cuts: list[int]) -> list[str]:
    places = sorted({0, len(text), *(at % (len(text) + 1) for at in cuts)})
    return [text[a:b] for a, b in pairwise(places)]


def chat(pieces: list[str], **more: Any) -> list[bytes]:
    base = {"id": "c", "object": "chat.completion.chunk", **more}
    deltas = [{"role": "assistant", "content": ""}, *({"content": piece} for piece in pieces)]
    events = [{**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    events.append({**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    return [*(json.dumps(event, ensure_ascii=bool(more)).encode() for event in events), b"[DONE]"]


def message(pieces: list[str], **more: Any) -> list[bytes]:
    delta = {"type": "content_block_delta", "index": 0, **more}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"id": "m", "role": "assistant", "usage": {"input_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({**delta, "delta": {"type": "text_delta", "text": piece}} for piece in pieces),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    ]
    return [json.dumps(event).encode() for event in events]


class Unframed(StreamedAnswer):
    """Reads every event by itself."""

    def _look_for_frame(self, _data: bytes, _chunk: dict[str, Any]) -> None:
        pass


class UnframedMessage(MessageStream):
    """Reads every event by itself."""

    def _look_for_frame(self, _data: bytes, _event: dict[str, Any]) -> None:
        pass


def through(kind: Callable[..., Any], events: list[bytes], stance: Stance) -> tuple[list[bytes], Any, Any, bool]:
    """Return the bytes that left at each event, the findings, and what was said."""
    harness: Any = SimpleNamespace(stance=stance)  # all that a screen asks of it
    opener = ChannelOpener(SCANNER, harness, is_json=False)
    streamed = kind(opener, opener.words, lambda text: " (made)" if text else "")
    left = [taken(streamed, [event]) for event in events]
    left += [streamed.flush(), streamed.last({"record": "r"})]
    return left, streamed.hits, streamed.said(), streamed.is_refused


texts = st.lists(st.one_of(st.sampled_from(SAID), st.text(max_size=6)), min_size=1, max_size=4).map("".join)


@settings(max_examples=150, deadline=None)
@given(texts, st.lists(st.integers(0, 500), max_size=60), st.sampled_from(Stance), st.booleans())
def test_events_in_a_known_frame_leave_as_any_other(text: str, cuts: list[int], stance: Stance, is_odd: bool) -> None:
    pieces, more = cut(text, cuts), {"x": "13812345678"} if is_odd else {}

    for events, framed, unframed in (
        (chat(pieces, **more), StreamedAnswer, Unframed),
        (message(pieces, **more), MessageStream, UnframedMessage),
    ):
        assert through(framed, events, stance) == through(unframed, events, stance)


def test_most_events_of_a_stream_are_read_in_its_frame() -> None:
    class Counting(StreamedAnswer):
        framed = 0

        def _passed_on(self, *words: Any) -> bytes:
            Counting.framed += 1
            return super()._passed_on(*words)

    through(Counting, chat(["a "] * 40), Stance.ENFORCE)

    assert Counting.framed == 39


def test_a_frame_is_only_where_the_text_is_and_takes_only_one_string() -> None:
    event = {"choices": [{"delta": {"content": "x"}}]}

    def filled(text: str) -> Any:
        return {"choices": [{"delta": {"content": text}}]}

    def found(data: bytes) -> Any:
        return frame_of(data, b"content", filled, msgspec.json.encode)

    frame = found(json.dumps(event).encode())

    assert frame is not None
    assert frame.text(frame.head + b'"y"' + frame.tail) == "y"
    assert frame.text(frame.head + b'"y","content":"z"' + frame.tail) is None
    assert frame.text(frame.head + b"7" + frame.tail) is None
    assert frame.text(frame.head + b'"\xff"' + frame.tail) is None
    assert found(b'{"choices":[{"delta":{"content":"x","content":"x"}}]}') is None
    assert found(b'{"choices":[{"delta":{"text":"x"}}]}') is None


@pytest.mark.parametrize("text", [*SAID, "a word " * 300])
@pytest.mark.parametrize("stance", list(Stance))
def test_both_ways_stream_and_record_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, stance: Stance
) -> None:
    quick = list[bool]()
    begin = QuickStream.begin

    def begun(stream: QuickStream) -> None:
        quick.append(True)
        begin(stream)

    monkeypatch.setattr(QuickStream, "begin", begun)

    async def scenario(belt: Belt) -> tuple[list[httpx2.Response], list[dict[str, Any]]]:
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:
            answers = [await calls.post(f"{belt.url}/chat/completions", json=ASKED)]
            for _ in range(2):  # a refused stream's connection is not kept: the next would begin on the long way
                await calls.post(f"{belt.url}/chat/completions", json={**ASKED, "stream": False, "n": 1})
                answers.append(await calls.post(f"{belt.url}/chat/completions", json=ASKED))
        await asyncio.sleep(0.1)
        return answers, [one for one in belt.records("outcome") if one["id"] in "".join(a.text for a in answers)]

    answers, outcomes = in_belt(
        tmp_path, answering(text), scenario, mode=RecordMode.PROMPT, stance=stance, notice=NoticeMode.END
    )

    first, *others = answers
    assert quick, "none went the quick way"
    for at, answer in enumerate(others, 1):
        ids = first.headers["x-safebelt-record"], answer.headers["x-safebelt-record"]
        assert answer.text == first.text.replace(*ids)
        assert list(answer.headers.items()) == [(name, value.replace(*ids)) for name, value in first.headers.items()]
        long, short = (json.loads(json.dumps(outcomes[which]).replace(*ids)) for which in (0, at))
        frame = {"id", "at", "seq", "intent"} | set(TIMES)
        assert {k: v for k, v in long.items() if k not in frame} == {k: v for k, v in short.items() if k not in frame}


@pytest.mark.parametrize(
    ("script", "more", "by_task"),
    [
        (answering("pay with 4111 1111 1111 1111 now"), {}, False),  # masked in records, looked for by no rule
        (answering('{"pay": "4111\\u0020111111111111"}'), {"response_format": {"type": "json_object"}}, True),
        (answering("Hello, world."), {"stream_options": {"include_usage": True}}, False),
        (answering(f"so {FORBIDDEN} it is"), {}, True),
        (answering("call 13812345678 now"), {}, True),
    ],
)
def test_a_stream_in_which_nothing_is_found_ends_without_a_task_and_is_recorded_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: Any, more: dict[str, Any], by_task: bool
) -> None:
    tasks = list[bool]()
    stream_on = Exchange.stream_on

    async def counted(exchange: Exchange, *words: Any) -> None:
        tasks.append(True)
        await stream_on(exchange, *words)

    monkeypatch.setattr(Exchange, "stream_on", counted)

    async def scenario(belt: Belt) -> tuple[list[str], list[dict[str, Any]], int]:
        said = []
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:
            for _ in range(2):
                answer = await calls.post(f"{belt.url}/chat/completions", json={**ASKED, **more})
                said.append(answer.text.replace(answer.headers["x-safebelt-record"], "rec"))
        await asyncio.sleep(0.1)
        return said, belt.records("outcome"), belt.switch.running()

    said, outcomes, running = in_belt(tmp_path, script, scenario, mode=RecordMode.PROMPT)

    assert said[0] == said[1]
    frame = {"id", "at", "seq", "intent"} | set(TIMES)
    first, second = (json.loads(json.dumps(one).replace(one["id"], "rec")) for one in outcomes)
    assert {k: v for k, v in first.items() if k not in frame} == {k: v for k, v in second.items() if k not in frame}
    assert first["content"]["texts"] and "4111" not in str(first["content"])
    assert len(tasks) == (2 if by_task else 1), "the first is a task's: it made the connection to the upstream"
    assert running == 0


def never_ended(text: str) -> Any:
    """An upstream that says `[DONE]` without having ended its choice: what was held back is judged only then."""

    async def script(body: dict[str, Any], reply: Reply) -> None:
        if not body.get("stream"):
            await answering("Hi.")(body, reply)
            return
        await reply.begin(200, ((b"content-type", b"text/event-stream"),))
        for data in chat(list(text))[:-2]:
            await reply.write(b"data: " + data + b"\n\n")
        await reply.end(b"data: [DONE]\n\n")

    return script


@pytest.mark.parametrize("text", ["call 13812345678", "Hello."])
@pytest.mark.parametrize("stance", list(Stance))
def test_what_is_found_only_when_a_stream_has_ended_is_recorded_as_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, stance: Stance
) -> None:
    tried = list[bool]()
    put_last = Passing._put_last

    def noted(passing: Passing, stream: QuickStream, rest: bytes) -> bool:
        tried.append(is_put := put_last(passing, stream, rest))
        return is_put

    monkeypatch.setattr(Passing, "_put_last", noted)

    async def scenario(belt: Belt) -> tuple[list[str], list[dict[str, Any]]]:
        said = []
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:
            for _ in range(2):
                answer = await calls.post(f"{belt.url}/chat/completions", json=ASKED)
                said.append(answer.text.replace(answer.headers["x-safebelt-record"], "rec"))
        await asyncio.sleep(0.1)
        return said, belt.records("outcome")

    said, outcomes = in_belt(tmp_path, never_ended(text), scenario, mode=RecordMode.PROMPT, stance=stance)

    is_found = text != "Hello."
    assert said[0] == said[1]
    frame = {"id", "at", "seq", "intent"} | set(TIMES)
    first, second = (json.loads(json.dumps(one).replace(one["id"], "rec")) for one in outcomes)
    assert {k: v for k, v in first.items() if k not in frame} == {k: v for k, v in second.items() if k not in frame}
    assert [hit["rule"] for hit in second["hits"]] == (["personal"] if is_found else [])
    assert tried == [not is_found], "the second came to its end on the quick way, and only what is clean ended there"


def test_a_stream_goes_the_long_way_while_a_person_has_stopped_a_tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = list[bool]()
    begin = QuickStream.begin
    monkeypatch.setattr(QuickStream, "begin", lambda stream: (begun.append(True), begin(stream))[1])

    async def scenario(belt: Belt) -> list[int]:
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:
            counts = []
            for order in (None, None, Command.CUT, Command.RUN):
                if order:
                    belt.switch.apply(order, "tool:pay", "ord_1")
                await calls.post(f"{belt.url}/chat/completions", json=ASKED)
                counts.append(len(begun))
            return counts

    assert in_belt(tmp_path, answering("Hello."), scenario, mode=RecordMode.PROMPT) == [0, 1, 1, 2]


def test_the_end_of_a_stream_waits_for_its_outcome_in_a_task_where_the_disk_is_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_full = list[bool]()
    handed = Recording.is_handed_over

    def late(recording: Recording) -> bool:
        return handed(recording) and not (recording.has_outcome and is_full)

    monkeypatch.setattr(Recording, "is_handed_over", late)

    async def scenario(belt: Belt) -> tuple[str, list[dict[str, Any]], int]:
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:
            await calls.post(f"{belt.url}/chat/completions", json=ASKED)
            is_full.append(True)
            answer = await calls.post(f"{belt.url}/chat/completions", json=ASKED)
        await asyncio.sleep(0.1)
        return answer.text, belt.records("outcome"), belt.switch.running()

    said, outcomes, running = in_belt(tmp_path, answering("Hello."), scenario, mode=RecordMode.PROMPT)

    assert said.endswith("data: [DONE]\n\n")
    assert [one["finish"] for one in outcomes] == ["complete", "complete"]
    assert running == 0


def test_a_stream_with_more_than_a_helping_stands_in_line_and_needs_no_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, left = list[bool](), list[int]()
    take_turn, leave = QuickStream._take_turn, QuickStream.leave

    def counted(stream: QuickStream) -> bool:
        turns.append(took := take_turn(stream))
        return took

    def noted(stream: QuickStream) -> None:
        left.append(len(turns))
        leave(stream)

    monkeypatch.setattr(QuickStream, "_take_turn", counted)
    monkeypatch.setattr(QuickStream, "leave", noted)

    async def scenario(belt: Belt) -> list[str]:
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:
            await calls.post(f"{belt.url}/chat/completions", json={**ASKED, "stream": False})
            answers = [calls.post(f"{belt.url}/chat/completions", json=ASKED) for _ in range(3)]
            return [answer.text for answer in await asyncio.gather(*answers)]

    said = in_belt(tmp_path, flooding("a word " * 300), scenario, mode=RecordMode.PROMPT)

    assert all(text.count("a word ") == 300 for text in said)
    assert turns.count(True) >= 10
    assert left[0] >= 5, "it went on in a task before it had taken its turns"


def flooding(text: str) -> Any:
    """An upstream that says all it has in one breath."""

    async def script(body: dict[str, Any], reply: Reply) -> None:
        if not body.get("stream"):
            await answering("Hi.")(body, reply)
            return
        await reply.begin(200, ((b"content-type", b"text/event-stream"),))
        for event in chat([text[at : at + 7] for at in range(0, len(text), 7)]):
            await reply.write(b"data: " + event + b"\n\n")
        await reply.end()

    return script


def waiting_midway(go_on: asyncio.Event) -> Any:
    """An upstream that streams three words, and waits after the second."""

    async def script(body: dict[str, Any], reply: Reply) -> None:
        if not body.get("stream"):
            await answering("Hi.")(body, reply)
            return
        await reply.begin(200, ((b"content-type", b"text/event-stream"),))
        for at, event in enumerate(chat(["one ", "two ", "three "])):
            await reply.write(b"data: " + event + b"\n\n")
            if at == 2:
                await go_on.wait()
        await reply.end()

    return script


async def obey(belt: Belt, order: Command, go_on: asyncio.Event) -> None:
    for one in belt.switch.apply(order, "", "ord_1").cut:
        one.end()
    go_on.set()
    if order is Command.PAUSE:
        await asyncio.sleep(0.2)
        belt.switch.apply(Command.RUN, "", "ord_2")


async def heard(belt: Belt, order: Command | None, go_on: asyncio.Event) -> str:
    """Read a stream; in the middle of it give an order, or leave."""
    said = ""
    async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:
        await calls.post(f"{belt.url}/chat/completions", json={**ASKED, "stream": False})
        async with calls.stream("POST", f"{belt.url}/chat/completions", json=ASKED) as answer:
            async for line in answer.aiter_lines():
                said += line
                if '"content":"one' in line and order is None:
                    break
                if '"content":"one' in line and order:
                    await obey(belt, order, go_on)
    return said


@pytest.mark.parametrize(
    ("order", "finish"), [(Command.CUT, "cut"), (Command.PAUSE, "complete"), (None, "client_gone")]
)
def test_a_quick_stream_obeys_midway_and_is_recorded(tmp_path: Path, order: Command | None, finish: str) -> None:
    go_on = asyncio.Event()

    async def scenario(belt: Belt) -> tuple[str, list[dict[str, Any]], int]:
        try:
            said = await heard(belt, order, go_on)
        except httpx2.HTTPError:
            said = "broken off"
        await asyncio.sleep(0.3)
        return said, belt.records("outcome"), belt.switch.running()

    said, outcomes, running = in_belt(tmp_path, waiting_midway(go_on), scenario, mode=RecordMode.PROMPT)

    assert [one["finish"] for one in outcomes] == ["complete", finish]
    assert (said == "broken off") is (order is Command.CUT)
    assert ("three" in said) is (order is Command.PAUSE)
    assert running == 0
