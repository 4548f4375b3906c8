"""Events in a lane: what leaves, and what is found, said and refused, is what reading every event would come to."""

import json
import random
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.belt.proxy.bench import FORBIDDEN, ID_CARD
from tests.rooms.belt.proxy.test_quick_streams import SAID, SCANNER

from safebelt.rooms.belt.model import Stance
from safebelt.rooms.belt.proxy.client import UpstreamBroke
from safebelt.rooms.belt.proxy.frames import Frame, Lane, lane_of
from safebelt.rooms.belt.proxy.screens import ChannelOpener
from safebelt.rooms.belt.proxy.steps import Flow, taken
from safebelt.rooms.belt.proxy.streaming import StreamedAnswer

TEXTS = [
    *SAID,
    f"my number {ID_CARD}",
    "\u4e2d\u6587 \U0001f600 ok",
    "\ud83d",
    'a\\"b',
    "line\nline",
    "\u2028",
    "",
    "&#x41;",
]
ODD = [
    b": a comment\n\n",
    b"\n",
    b"data: \n\n",
    b"data:{}\n\n",
    b"event: x\ndata: {}\n\n",
    b"id: 7\n",
    b"retry: 1\n\n",
    b'data: {"error":{"message":"no"}}\n\n',
    b"data: 7\n\n",
    b"data: [DONE]\n\n",
]


def event(text: str, *, ends: str = "\n", index: int = 0, ascii_only: bool = True, **more: Any) -> bytes:
    delta = more.pop("delta", {"content": text})
    choice = {"index": index, "delta": delta, "finish_reason": more.pop("finish", None)}
    data = json.dumps(
        {"id": "c", "object": "chat.completion.chunk", **more, "choices": [choice]}, ensure_ascii=ascii_only
    )
    return f"data: {data}{ends}{ends}".encode("utf-8", "surrogatepass")


def rare(text: str) -> dict[str, bytes]:
    """Events of other kinds than most."""
    tool = {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": text}}]}
    return {
        "another choice": event(text, index=1),
        "a tool call": event(text, delta=tool),
        "reasoning": event(text, delta={"reasoning_content": text}),
        "two texts": event(text, delta={"content": text, "refusal": text}),
        "CRLF": event(text, ends="\r\n"),
        "CR": event(text, ends="\r"),
        "more fields": event(text, usage={"total_tokens": 3}, x=text),
        "an end": event(text, finish="stop"),
        "two lines": event(text).replace(b'"choices"', b'"choices"\ndata: ', 1),
    }


@st.composite
def events(draw: st.DrawFn) -> bytes:
    """One event: most often one of a kind, sometimes anything else that a stream may hold."""
    text = draw(st.one_of(st.sampled_from(TEXTS), st.text(max_size=4)))
    match draw(st.integers(0, 9)):
        case 0:
            return draw(st.sampled_from(ODD))
        case 1 | 2:
            return draw(st.sampled_from(list(rare(text).values())))
        case 3:
            whole, at = event(text), draw(st.integers(0, 200))
            return whole[:at] + draw(st.binary(max_size=3)) + whole[at:]
    return event(text, ascii_only=draw(st.integers(0, 9)) > 0)


@st.composite
def streams(draw: st.DrawFn) -> list[bytes]:
    """The pieces in which a stream comes: most often one event each, else cut anywhere."""
    pieces = draw(st.lists(events(), max_size=24))
    if draw(st.booleans()):
        return pieces
    data = b"".join(pieces)
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=12)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True) if data[a:b]]


def through(pieces: list[bytes], stance: Stance, *, has_lanes: bool, most: int = 10**6) -> tuple[Any, ...]:
    """Return what left at each piece, and what came of the stream."""
    harness: Any = SimpleNamespace(stance=stance)  # all that a screen asks of it
    opener = ChannelOpener(SCANNER, harness, is_json=False)
    streamed = StreamedAnswer(opener, opener.words, lambda text: " (made)" if text else "")
    flow, left, broke = Flow(streamed, most), list[bytes](), ""
    try:
        for piece in pieces:
            if flow.is_over:
                break
            left.append(flow.pass_on(piece) if has_lanes else taken(streamed, flow.events(piece)))
        left += [streamed.flush(), streamed.last({"record": "r"})]
    except UpstreamBroke as error:
        broke = str(error)
    return left, broke, flow.left, streamed.hits, streamed.said(), streamed.is_refused, streamed.usage


@settings(max_examples=400, deadline=None)
@given(streams(), st.sampled_from(Stance), st.sampled_from([10**6, 700]))
def test_a_lane_changes_nothing(pieces: list[bytes], stance: Stance, most: int) -> None:
    assert through(pieces, stance, has_lanes=True, most=most) == through(pieces, stance, has_lanes=False, most=most)


@pytest.mark.parametrize("begun", [b": a comment", b"data: {", b"data: 1\n", b"event: x\n", b"\n", b"data: [DONE]\n"])
def test_what_comes_within_an_event_is_not_taken_for_one(begun: bytes) -> None:
    pieces = [event("a "), event("b "), begun, event("c "), event("d "), event("e ")]

    assert through(pieces, Stance.ENFORCE, has_lanes=True) == through(pieces, Stance.ENFORCE, has_lanes=False)


def test_a_forbidden_phrase_split_at_any_place_leaves_no_byte_by_a_lane() -> None:
    for a in range(1, len(FORBIDDEN) - 1):
        for b in range(a + 1, len(FORBIDDEN)):
            texts = ["so ", "it ", "was ", FORBIDDEN[:a], FORBIDDEN[a:b], FORBIDDEN[b:], " indeed"]
            pieces = [event(text) for text in texts]

            left, _, _, hits, _, is_refused, _ = through(pieces, Stance.ENFORCE, has_lanes=True)

            said = b"".join(left[:-1])
            texts_left = [json.loads(one[6:])["choices"][0]["delta"]["content"] for one in said.split(b"\n\n") if one]
            assert "".join(texts_left) == "so it was "
            assert is_refused
            assert len(hits) == 1


@pytest.mark.interpreted
def test_most_pieces_of_a_stream_go_by_the_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    taken_by_lane, take = list[bool](), Lane.take

    def counted(lane: Lane, piece: bytes) -> bytes | None:
        passed = take(lane, piece)
        taken_by_lane.append(passed is not None)
        return passed

    monkeypatch.setattr(Lane, "take", counted)

    through([event("a "), *[event(f"word{at} ") for at in range(40)]], Stance.ENFORCE, has_lanes=True)

    assert taken_by_lane == [True] * 40


def test_an_event_whose_head_and_tail_run_into_each_other_is_another_event() -> None:
    frame = Frame(b'{"t":"a', b'"a"}', b"<", b">")
    found = lane_of(b"", frame, lambda text: text, print)

    assert found is not None
    assert frame.text(b'{"t":"a"}') is None and found.take(b'{"t":"a"}\n\n') is None


def lane(heard: list[str]) -> Lane:
    frame = Frame(b'{"t":', b',"n":1}', b"<", b">")
    found = lane_of(b"data: ", frame, lambda text: None if "!" in text else text, heard.append)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "spoiled",
    [
        b'data: {"t":"a","n":1}\n',  # not ended yet
        b'data: {"t":"a","n":1}\r\n\r\n',
        b'data: {"t":"a","n":2}\n\n',
        b'data: {"t":"a\nb","n":1}\n\n',  # a line ends within
        b'data: {"t":"a\rb","n":1}\n\n',
        b'data: {"t":"a\n\ndata: {"t":"b","n":1}\n\n',  # two events
        b'data: {"t":"a","t":"b","n":1}\n\n',
        b'data: {"t":7,"n":1}\n\n',
        b'data: {"t":,"n":1}\n\n',
        b'data: {"t":"\xff","n":1}\n\n',
        b'data: {"t":"\\ud800","n":1}\n\n',  # half an emoji
        b'data: {"t":"","n":1}\n\n',
        b'data: {"t":"stop!","n":1}\n\n',  # asks for care
        b'data: {"t":"n":1}\n\n',
        b"",
    ],
)
def test_what_is_not_one_whole_event_of_the_kind_is_left_to_others(spoiled: bytes) -> None:
    heard: list[str] = []

    assert lane(heard).take(b'data: {"t":"fine","n":1}\n\n') == b'<"fine">'
    assert lane(heard).take(spoiled) is None
    assert heard == ["fine"]


def test_a_frame_on_several_lines_gets_no_lane() -> None:
    frame = Frame(b'{\n"t":', b"}", b"", b"")

    assert lane_of(b"data: ", frame, str, print) is None
    assert lane_of(b"data: ", frame._replace(head=b'{"t":'), str, print) is not None


def test_many_seeded_streams_come_out_alike() -> None:
    chance = random.Random(20261123)
    for _ in range(60):
        text = " ".join(chance.choice([*SAID, "harmless words", "你好世界"]) for _ in range(6))
        pieces, at = [event("go ")], 0
        while at < len(text):
            size = chance.randint(1, 5)
            pieces.append(event(text[at : at + size]))
            at += size
        for stance in Stance:
            assert through(pieces, stance, has_lanes=True) == through(pieces, stance, has_lanes=False)
