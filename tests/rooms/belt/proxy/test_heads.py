"""A head that is known is taken as llhttp takes it, and nothing else is known."""

import asyncio
from collections.abc import Sequence
from operator import attrgetter
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
        assert _same(known, _request(told))


def _same(known: Request, again: Request) -> bool:
    fields = ("method", "target", "headers", "body", "is_http_1_0")
    look = attrgetter(*fields, "stated.digest", "stated.is_identity", "stated.minor")
    return bool(look(known) == look(again))


NAMES = st.sampled_from([b"Traceparent", b"x-request-id", b"Idempotency-Key", b"x-correlation-id", b"X-Other", b"Host"])
PLAIN = st.text("abcXYZ019-_.", min_size=1, max_size=40).map(str.encode)
ODD = st.sampled_from([b" ", b"\r\n", b"\r", b"\n", b"\0", b":", b"\xff", b",", b"\t", b"a b", b"x\r\nTE: x", b""])


@st.composite
def with_ids(draw: st.DrawFn) -> tuple[bytes, bytes, bool]:
    """Draw a request with ids, the same with other ids, and whether it must be known."""
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique_by=bytes.lower))
    olds = [draw(PLAIN) for _ in names]
    news = [draw(st.text("bQ7-._", min_size=len(old), max_size=len(old))).encode() for old in olds]
    is_plain, at = draw(st.booleans()), draw(st.integers(0, len(names)))
    if not is_plain:
        which = draw(st.integers(0, len(names) - 1))
        cut = draw(st.integers(0, len(news[which])))
        odd = news[which][:cut] + draw(ODD | PLAIN) + news[which][cut:]
        news[which] = odd[: len(olds[which])] if draw(st.booleans()) else odd
    changed = [name for name, old, new in zip(names, olds, news, strict=True) if old != new]
    bodies = draw(st.tuples(BODIES, BODIES))
    made = []
    for values, body in zip((olds, news), bodies, strict=True):
        lines = [b"%b: %b" % pair for pair in zip(names, values, strict=True)]
        lines.insert(at, b"Content-Length: %d" % len(body))
        made.append(message(b"POST /v1/x HTTP/1.1", lines, body))
    return made[0], made[1], is_plain and not {b"X-Other", b"Host"}.intersection(changed)


@given(drawn=with_ids())
def test_a_request_with_ids_of_its_own_is_known_and_is_what_llhttp_says_it_is(
    drawn: tuple[bytes, bytes, bool],
) -> None:
    first, second, is_sure = drawn
    told, heads = Told(httptools.HttpRequestParser), RequestHeads()
    assert told.feed(first) is not None and told.is_one_whole() and told.keeps
    heads.learn_from(first, _request(told))

    bodies = [heads.again(data) for data in (first, second)]
    known = heads.request(bodies[1]) if bodies[1] is not None else None

    assert bodies[0] is not None
    assert known is not None or not is_sure
    if known is not None:
        assert told.feed(second) is not None and told.is_one_whole() and told.keeps
        assert _same(known, _request(told))


@pytest.mark.parametrize(
    ("before", "after", "is_known"),
    [
        (b"traceparent: 00-ab-cd-01", b"traceparent: 00-ef-01-00", True),
        (b"traceparent: 00-ab-cd-01", b"traceparent: 00-ef-01-00-", False),
        (b"traceparent: 00-ab-cd-01", b"traceparent: 00-ef 01-00", False),
        (b"traceparent: 00-ab-cd-01", b"traceparent: 00-ef\r\n1-00", False),
        (b"x-api-key: 00-ab-cd-01", b"x-api-key: 00-ef-01-00", False),
        (b"x-request-id: a\r\nx-request-id: b", b"x-request-id: a\r\nx-request-id: c", False),
    ],
)
def test_only_ids_of_the_same_length_and_of_plain_signs_may_differ(before: bytes, after: bytes, is_known: bool) -> None:
    for place in (b"Host: a", b"X-Safebelt-Minor: no"):  # before the length, and behind it
        heads, head = RequestHeads(), HEAD.replace(place, before)
        heads.learn_from(head + b"abc", _of(head, b"abc"))

        body = heads.again(HEAD.replace(place, after).replace(b": 3", b": 12") + b"x" * 12)

        assert (body is not None) is is_known
        assert body is None or b"00-ef-01-00" in dict(heads.request(body).headers).values()


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


@pytest.mark.parametrize("ids", [b"", b"X-Request-Id: 0123456789abcdef\r\n"])
def test_a_known_message_cut_anywhere_is_not_known(ids: bytes) -> None:
    head = HEAD.replace(b"Host: a\r\n", b"Host: a\r\n" + ids)
    heads = RequestHeads()
    heads.learn_from(head + b"abc", _of(head, b"abc"))

    whole = head + b"xyz"
    assert [heads.again(whole[:cut]) for cut in range(len(whole))] == [None] * len(whole)
    assert heads.again(whole) == b"xyz"


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


@pytest.mark.interpreted
def test_a_caller_with_a_new_id_each_time_is_taken_without_llhttp(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, seen = _count(monkeypatch, ClientConnection, "on_url"), list[bytes]()
    take = ClientConnection._take

    def taken(connection: ClientConnection, request: Request) -> None:
        seen.append(request.header(b"traceparent"))
        take(connection, request)

    monkeypatch.setattr(ClientConnection, "_take", taken)
    ids = [b"00-%032d-%016d-01" % (number, number) for number in range(12)]

    async def scenario(port: int) -> list[bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answers = []
        for number, each in enumerate(ids):
            writer.write(HEAD.replace(b"Host: a", b"traceparent: %b" % each) + b"%03d" % number)
            answers.append((await reader.readuntil(b"%03d" % number))[:12])
        writer.close()
        return answers

    answers: Any = served(scenario)

    assert answers == [b"HTTP/1.1 200"] * 12 and seen == ids
    assert asked == [1]


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
