"""A head that is known is taken as llhttp takes it, and nothing else is known."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httptools
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.rooms.belt.proxy.bench import Belt, answering, in_belt, post, raw
from tests.rooms.belt.proxy.test_server import served

from safebelt.rooms.belt.proxy.connection import Connection
from safebelt.rooms.belt.proxy.heads import AnswerHeads, RequestHeads
from safebelt.rooms.belt.proxy.server import ClientConnection
from safebelt.rooms.belt.proxy.wire import Request

HEAD = b"POST /v1/x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer k\r\nContent-Length: 3\r\nX-Safebelt-Minor: no\r\n\r\n"


class Told:
    """What llhttp says of some bytes, and whether it kept the connection."""

    def __init__(self, kind: Any) -> None:
        self.parser = kind(self)
        self.events: list[tuple[str, Any]] = []
        self.keeps = False

    def on_message_begin(self) -> None:
        self.events.append(("begin", None))

    def on_url(self, url: bytes) -> None:
        self.events.append(("url", url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self.events.append(("field", (name.lower(), value)))

    def on_body(self, data: bytes) -> None:
        self.events.append(("body", data))

    def on_message_complete(self) -> None:
        self.keeps = self.parser.should_keep_alive()
        self.events.append(("end", None))

    def feed(self, data: bytes) -> list[tuple[str, Any]] | None:
        """Return what was said of a piece; None where it was refused."""
        self.events = []
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            return None
        return self.events

    def values(self, name: str) -> list[Any]:
        return [value for event, value in self.events if event == name]

    def is_one_whole(self) -> bool:
        names = [name for name, _ in self.events]
        return names.count("begin") == names.count("end") == 1 and names[0] == "begin" and names[-1] == "end"


LINES = st.sampled_from(
    [
        b"Host: a",
        b"Content-Length: 3",
        b"content-length: 0",
        b"Content-Length:  12",
        b"Content-Length:3 ",
        b"content-length: 03",
        b"X-Content-Length: 3",
        b"Transfer-Encoding: chunked",
        b"Connection: close",
        b"Connection: keep-alive",
        b"Expect: 100-continue",
        b"Upgrade: h2c",
        b"Authorization: Bearer k",
        b"X: content-length: 3",
    ]
)
STARTS = st.sampled_from([b"POST /v1/x HTTP/1.1", b"GET /y HTTP/1.1", b"POST /v1/x HTTP/1.0", b"\r\nPOST / HTTP/1.1"])
ANSWERS = st.sampled_from([b"HTTP/1.1 200 OK", b"HTTP/1.0 200 OK", b"HTTP/1.1 204 No", b"HTTP/1.1 100 Continue"])
BODIES = st.sampled_from([b"", b"abc", b"a" * 12, b"\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n", b"abcPOST / HTTP/1.1\r\n\r\n"])


def message(start: bytes, lines: Sequence[bytes], body: bytes) -> bytes:
    return b"\r\n".join([start, *lines]) + b"\r\n\r\n" + body


@st.composite
def pairs(draw: st.DrawFn, starts: st.SearchStrategy[bytes]) -> tuple[bytes, bytes]:
    """Draw a message, and one that is much like it."""
    start, lines = draw(starts), draw(st.lists(LINES, max_size=4))
    first = message(start, lines, draw(BODIES))
    if draw(st.booleans()):
        return first, message(start, lines, draw(BODIES))
    second = bytearray(first)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(second)))
        put = draw(st.sampled_from([b"", b"0", b"1", b"\r", b"\n", b"\r\n", b" ", b"a", b":"]))
        second[at : at + draw(st.integers(0, 2))] = put
    return first, bytes(second)


@given(pair=pairs(STARTS))
@example(pair=(HEAD + b"abc", HEAD.replace(b"3", b"5", 1) + b"abcde"))
def test_a_known_request_is_what_llhttp_says_it_is(pair: tuple[bytes, bytes]) -> None:
    first, second = pair
    told, heads = Told(httptools.HttpRequestParser), RequestHeads()
    if told.feed(first) is None or not told.is_one_whole() or not told.keeps:
        return
    request = _request(told)
    heads.learn_from(first, request)

    body = heads.again(second)

    if body is not None:
        known = heads.request(body)
        assert told.feed(second) is not None and told.is_one_whole() and told.keeps
        again = _request(told)
        assert (known.method, known.target, known.headers, known.body, known.stated) == (
            again.method,
            again.target,
            again.headers,
            again.body,
            again.stated,
        )


def _request(told: Told) -> Request:
    return Request(
        method=told.parser.get_method().decode(),
        target=b"".join(told.values("url")).decode(),
        headers=tuple(told.values("field")),
        body=b"".join(told.values("body")),
    )


@given(pair=pairs(ANSWERS))
def test_a_known_answer_is_what_llhttp_says_it_is(pair: tuple[bytes, bytes]) -> None:
    first, second = pair
    told, heads = Told(httptools.HttpResponseParser), AnswerHeads()
    if told.feed(first) is None or not told.is_one_whole() or not told.keeps:
        return
    heads.learn_from(first, told.parser.get_status_code(), told.values("field"), len(b"".join(told.values("body"))))

    body = heads.again(second)

    if body is not None:
        assert told.feed(second) is not None and told.is_one_whole() and told.keeps
        assert heads.status == told.parser.get_status_code()
        assert (heads.fields(body), body) == (told.values("field"), b"".join(told.values("body")))


@pytest.mark.parametrize(
    "second",
    [
        HEAD + b"ab",
        HEAD + b"abcd",
        HEAD.replace(b": 3", b": 03") + b"abc",
        HEAD.replace(b": 3", b": 3 ") + b"abc",
        HEAD.replace(b": 3", b": +3") + b"abc",
        HEAD.replace(b": 3", b": 3\n") + b"abc",
        HEAD.replace(b": 3", b": ") + b"",
        HEAD.replace(b"Minor: no", b"Minor: yes") + b"abc",
        HEAD.replace(b"Minor: no", b"Minor: on") + b"abc",
        HEAD.replace(b"Safebelt", b"safebelt") + b"abc",
        HEAD.replace(b"Bearer k", b"Bearer l") + b"abc",
        HEAD + b"abc" + HEAD + b"abc",
        HEAD,
        b"",
    ],
)
def test_what_is_not_the_same_head_with_its_whole_body_is_not_known(second: bytes) -> None:
    heads = RequestHeads()
    heads.learn_from(HEAD + b"abc", _of(HEAD, b"abc"))
    assert heads.again(HEAD + b"xyz") == b"xyz"

    assert heads.again(second) is None


def _of(head: bytes, body: bytes) -> Request:
    told = Told(httptools.HttpRequestParser)
    told.feed(head + body)
    return _request(told)


@pytest.mark.parametrize(
    "head",
    [
        HEAD.replace(b"Host: a", b"Expect: 100-continue"),
        HEAD.replace(b"Host: a", b"X: " + b"a" * 5000),
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_a_head_that_does_more_or_is_too_long_or_says_no_length_is_not_learned(head: bytes) -> None:
    heads, body = RequestHeads(), b"abc" if b"Length" in head else b""
    heads.learn_from(HEAD + b"abc", _of(HEAD, b"abc"))

    heads.learn_from(head + body, _of(head, body))

    assert heads.again(head + body) is None and heads.again(HEAD + b"abc") is None


def test_a_peer_that_never_says_the_same_is_given_up() -> None:
    heads = RequestHeads()
    for number in range(20):
        head = HEAD.replace(b"Host: a", b"Host: %d" % number)
        heads.learn_from(head + b"abc", _of(head, b"abc"))

    assert heads.again(head + b"abc") is None


# ---- over real sockets


def _count(monkeypatch: pytest.MonkeyPatch, kind: type, name: str) -> list[int]:
    asked, real = [0], getattr(kind, name)

    def counted(self: Any, *given: Any) -> None:
        asked[0] += 1
        real(self, *given)

    monkeypatch.setattr(kind, name, counted)
    return asked


def test_the_second_request_of_a_connection_is_taken_without_llhttp(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _count(monkeypatch, ClientConnection, "on_url")

    async def scenario(port: int) -> list[bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answers = []
        for body in (b"abc", b"", b"x" * 1999, b"x" * 2001):
            writer.write(HEAD.replace(b": 3", b": %d" % len(body)) + body)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            answers.append(head.split(b" ")[1] + b" " + await reader.readexactly(length))
        writer.close()
        return answers

    answers: Any = served(scenario)

    assert [answer[:4] for answer in answers] == [b"200 ", b"200 ", b"200 ", b"413 "]
    assert [len(answer) - len(b"200 POST /v1/x ") for answer in answers[:3]] == [3, 0, 1999]
    assert asked == [2]  # the first, and the one that was refused


def test_a_known_head_that_comes_in_two_pieces_is_llhttps(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _count(monkeypatch, ClientConnection, "on_url")

    async def scenario(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for pieces in ((HEAD + b"abc",), (HEAD[:40], HEAD[40:] + b"abc"), (HEAD + b"a", b"bc"), (HEAD + b"xyz",)):
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(0.05)
        writer.write(HEAD.replace(b"Host: a", b"Connection: close") + b"end")
        answer = await reader.read()
        writer.close()
        return answer

    answer: Any = served(scenario)

    assert [part[-3:] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"abc", b"abc", b"abc", b"xyz", b"end"]
    assert asked == [4]


def test_an_answer_under_a_known_head_passes_as_the_first_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _count(monkeypatch, Connection, "on_headers_complete")

    async def scenario(belt: Belt) -> list[bytes]:
        hi = post({"model": "m", "messages": [{"role": "user", "content": "hi"}]})
        return [await raw(belt, hi) for _ in range(4)]

    answers = in_belt(tmp_path, answering("Good morning."), scenario)

    assert all(b"Good morning." in answer and answer.startswith(b"HTTP/1.1 200") for answer in answers)
    assert asked == [1]
