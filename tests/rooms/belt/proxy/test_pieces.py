"""Whole chunks that are one token each: by the lane in C, by the plain one, and event by event, all come to the same."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.belt.proxy.bench import FORBIDDEN, Belt, answering, in_belt
from tests.rooms.belt.proxy.test_lanes import event, streams
from tests.rooms.belt.proxy.test_quick_streams import ASKED, KEY, SAID, SCANNER

from safebelt.rooms.belt.model import RecordMode, Stance
from safebelt.rooms.belt.proxy import frames
from safebelt.rooms.belt.proxy.client import UpstreamBroke
from safebelt.rooms.belt.proxy.connection import Connection
from safebelt.rooms.belt.proxy.frames import Lane, chunked
from safebelt.rooms.belt.proxy.quickstream import QuickStream
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.screens import ChannelOpener
from safebelt.rooms.belt.proxy.steps import Flow
from safebelt.rooms.belt.proxy.streaming import StreamedAnswer
from safebelt.rooms.belt.proxy.wire import LAST_CHUNK, chunk
from safebelt.rooms.belt.scanner.glances import FOLDED, LOUD
from safebelt.rooms.belt.scanner.stream import StreamScreen

ROOT = Path(__file__).parents[4]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
needs_it = pytest.mark.skipif(not frames.AVAILABLE, reason="installed without a compiler")

Take = Callable[[Lane, bytes], bytes | None]


def in_c(lane: Lane, data: bytes) -> bytes | None:
    assert lane.in_c is not None
    return lane.in_c(data)


def plainly(lane: Lane, data: bytes) -> bytes | None:
    return lane.chunk(data)


def by_events(_lane: Lane, _data: bytes) -> bytes | None:
    return None


def through(pieces: list[bytes], stance: Stance, take: Take) -> tuple[tuple[Any, ...], int]:
    """Return what left at each piece, and what came of the stream; and how many pieces were taken."""
    harness: Any = SimpleNamespace(stance=stance)  # all that a screen asks of it
    opener = ChannelOpener(SCANNER, harness, is_json=False)
    streamed = StreamedAnswer(opener, opener.words, lambda text: " (made)" if text else "")
    flow, left, broke, count = Flow(streamed, 10**6), list[bytes](), "", 0
    try:
        for piece in pieces:
            if flow.is_over:
                break
            passed = take(flow.lane, chunk(piece)) if flow.lane else None
            count += passed is not None
            left.append(chunk(flow.pass_on(piece)) if passed is None else passed)
        left += [streamed.flush(), streamed.last({"record": "r"})]
    except UpstreamBroke as error:
        broke = str(error)
    return (left, broke, streamed.hits, streamed.said(), streamed.is_refused, streamed.usage), count


@needs_it
@settings(max_examples=400, deadline=None)
@given(streams(), st.sampled_from(Stance))
def test_chunks_taken_in_c_come_to_the_same(pieces: list[bytes], stance: Stance) -> None:
    asked = through(pieces, stance, by_events)[0]

    for _ in range(2):  # the second time everything has been said before, so that more is taken
        assert through(pieces, stance, in_c)[0] == asked
        assert through(pieces, stance, plainly)[0] == asked


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(["so ", "it", " is", "你好", "。", "1", "380", "@b", "a.", FORBIDDEN[:3], FORBIDDEN[3:]]))
)
def test_what_is_said_again_and_again_comes_to_the_same(texts: list[str]) -> None:
    pieces = [event(text, ascii_only=False) for text in ["go ", *texts, " on"]]
    asked = through(pieces, Stance.ENFORCE, by_events)[0]

    for take in (in_c, plainly) if frames.AVAILABLE else (plainly,):
        assert through(pieces, Stance.ENFORCE, take)[0] == asked


@needs_it
def test_most_chunks_are_taken_in_c_once_their_words_were_said() -> None:
    pieces = [event(f"word{at % 7} 你 ", ascii_only=False) for at in range(60)]

    counts = [through(pieces, Stance.ENFORCE, in_c)[1] for _ in range(2)]

    assert counts[1] == 59, "all but the first, in which the frame is found"


@pytest.mark.parametrize("take", [in_c, plainly] if frames.AVAILABLE else [plainly])
def test_a_forbidden_phrase_split_at_any_place_leaves_no_byte_in_a_chunk(take: Take) -> None:
    for a in range(1, len(FORBIDDEN) - 1):
        for b in range(a + 1, len(FORBIDDEN)):
            texts = ["so ", "it ", "was ", FORBIDDEN[:a], FORBIDDEN[a:b], FORBIDDEN[b:], " indeed"]
            pieces = [event(text) for text in texts]

            for _ in range(2):
                (left, _, hits, _, is_refused, _), _ = through(pieces, Stance.ENFORCE, take)

                said = b"".join(one.partition(b"\r\n")[2][:-2] for one in left[:-2] if one)
                parts = [json.loads(one[6:])["choices"][0]["delta"]["content"] for one in said.split(b"\n\n") if one]
                assert ("".join(parts), is_refused, len(hits)) == ("so it was ", True, 1)


# ---- one chunk, looked at closely


def a_lane(screen: Any = None) -> tuple[Lane, list[str]]:
    heard: list[str] = []
    screen = screen or StreamScreen(SCANNER, Stance.ENFORCE)
    lane = Lane(b"data: ", frames.Frame(b'{"t":', b',"n":1}', b"<", b">"), screen.calmly, heard.append)
    lane.quicken(screen, heard)
    return lane, heard


FINE = b'data: {"t":"fine ","n":1}\n\n'


@pytest.mark.parametrize(
    "spoiled",
    [
        FINE,
        b"",
        b"\r\n\r\n",
        b"%X\r\n%b\r\n" % (0xABC, b"x" * 0xABC),
        b"0%b" % chunk(FINE),
        chunk(FINE)[:-2],
        chunk(FINE)[:-1] + b"\r",
        chunk(FINE).replace(b"\r\n", b";x=1\r\n", 1),
        chunk(FINE).upper(),
        chunk(FINE) + b"\r\n",
        chunk(FINE) * 2,
        b"%x\r\n%b\r\n" % (len(FINE) + 1, FINE),
        b"%x\r\n%b\r\n" % (len(FINE) - 1, FINE),
        b"-1\r\n%b\r\n" % FINE,
        b"ffffffffffffffffffff\r\n%b\r\n" % FINE,
        chunk(FINE.replace(b"fine", b"fi\xffe")),
        chunk(FINE.replace(b"fine", b"fi\nne")),
        chunk(FINE.replace(b"fine", b'fi"ne')),
        chunk(FINE.replace(b"fine", b"\xed\xa0\xbd")),
        chunk(FINE.replace(b'"fine "', b'""')),
        chunk(FINE.replace(b'"fine "', b'"')),
        chunk(FINE.replace(b'"fine "', b"7")),
        chunk(FINE.replace(b'"n":1', b'"n":2')),
        chunk(b"data: {"),
        LAST_CHUNK,
    ],
)
def test_what_is_not_one_whole_chunk_of_the_kind_is_left_to_others(spoiled: bytes) -> None:
    lane, heard = a_lane()
    assert plainly(lane, chunk(FINE)) == chunk(b'<"fine ">')

    assert plainly(lane, spoiled) is None
    assert lane.in_c is None or lane.in_c(spoiled) is None
    assert heard == ["fine "]


@needs_it
@pytest.mark.parametrize("text", ["fine ", "\x7f ", "\U0001f600 ", "你好。", "\u2028 ", "/ "])
def test_a_text_is_written_in_c_as_it_ever_was(text: str) -> None:
    piece = FINE.replace(b'"fine "', json.dumps(text, ensure_ascii=False).encode())
    known, _ = a_lane()
    asked = known.chunk(chunk(piece))

    lane, heard = a_lane()

    assert in_c(lane, chunk(piece)) == asked
    assert heard == ([text] if asked is not None else []), "DEL folds to nothing: that is for others"


@needs_it
def test_what_waited_leaves_as_it_would_be_written_anew() -> None:
    for said in ('quo"', "back\\", "tab\t1"):
        first = FINE.replace(b'"fine "', json.dumps(said).encode())
        left = []
        for _ in range(2):
            plain, _ = a_lane()
            lane, _ = a_lane()
            left = [(each.take(first), plain.chunk(chunk(FINE)) if each is plain else in_c(lane, chunk(FINE)))
                    for each in (plain, lane)]  # fmt: skip

        assert left[0] == left[1]


class Foreign:
    """A screen whose state is nonsense."""

    def __init__(self, **state: Any) -> None:
        self._calm: Any = SimpleNamespace(kind="", window="", behind="", passed=0)
        self._source, self._source_at = "", 0
        self.__dict__ |= state


@needs_it
@pytest.mark.parametrize(
    ("quiet", "state", "wrong"),
    [
        (7, {}, TypeError),
        ((1, 2), {}, TypeError),
        (("a", 1, "", "", ""), {}, TypeError),
        ((0, 10**30, "", "", ""), {}, OverflowError),
        ((0, 9, "", "", ""), {}, ValueError),
        ((-1, 0, "", "", ""), {}, ValueError),
        ((0, 0, b"", "", ""), {}, TypeError),
        ((5, 5, "fine ", "o", ""), {"_source": b"x"}, TypeError),
        ((5, 5, "fine ", "o", ""), {"_source_at": None}, TypeError),
        ((5, 5, "fine ", "o", ""), {"_calm": SimpleNamespace(kind="", window="", passed=0)}, AttributeError),
        ((5, 5, "fine ", "o", ""), {"_calm": SimpleNamespace(kind="", window=3, behind="", passed=0)}, TypeError),
        ((5, 5, "fine ", "o", ""), {"_calm": 5}, AttributeError),
    ],
)
def test_a_state_that_is_none_is_told_and_harms_nothing(quiet: Any, state: Any, wrong: type[Exception]) -> None:
    said: list[str] = []
    memory = {"fine ": "fine "}, {("", "fine "): quiet}
    lane = frames._pieces.Lane(*_AROUND, Foreign(**state), said, repr, *memory, LOUD, 16, 64)  # type: ignore[arg-type]

    with pytest.raises(wrong):
        lane.chunk(chunk(FINE))

    assert said == []


_AROUND = b'data: {"t":', b',"n":1}\n\n', b"<", b">"


@needs_it
@pytest.mark.parametrize("at", range(12))
def test_a_lane_in_c_of_other_things_than_it_takes_is_refused(at: int) -> None:
    words: list[Any] = [*_AROUND, Foreign(), [], repr, {}, {}, LOUD, 16, 64]
    if at not in (4, 6, 9):  # a screen, what encodes, the loud window: whatever is given
        words[at] = "no"
        with pytest.raises(TypeError):
            frames._pieces.Lane(*words)
    words = [*_AROUND, Foreign(), [], repr, {}, {}, LOUD, 16, 64][:at]
    with pytest.raises(TypeError):
        frames._pieces.Lane(*words)


@needs_it
def test_a_lane_in_c_takes_bytes_and_bounds_in_order_only() -> None:
    with pytest.raises(ValueError, match="kept"):
        frames._pieces.Lane(*_AROUND, Foreign(), [], str.encode, {}, {}, LOUD, 64, 16)
    lane = frames._pieces.Lane(*_AROUND, Foreign(), [], str.encode, {}, {}, LOUD, 16, 64)
    for other in ("text", None, bytearray(b"x"), 7):
        with pytest.raises(TypeError):
            lane.chunk(other)  # type: ignore[arg-type]


@needs_it
def test_what_stays_behind_a_window_is_cut_as_ever() -> None:
    def behind(take: Take) -> tuple[str, str, int, int]:
        screen = StreamScreen(SCANNER, Stance.ENFORCE)
        lane, _ = a_lane(screen)
        for at in range(600):
            assert take(lane, chunk(FINE)) is not None or at < 2
        calm = screen._calm
        assert calm is not None
        return calm.behind, calm.window, calm.passed, screen._source_at

    plain = behind(plainly)

    assert behind(in_c) == plain
    assert FOLDED["fine "] == "fine "


# ---- where a chunk begins


class Wire:
    """A socket that is only there."""

    def pause_reading(self) -> None:
        pass

    resume_reading = abort = pause_reading


async def heard_of(cuts: list[bytes], *, takes: bool) -> tuple[bytes, bool, bool, int]:
    """Return the body as it was heard, whether it is whole, whether it was broken, and how many chunks were taken."""
    connection, body, taken = Connection(), list[bytes](), 0
    connection.connection_made(Wire())  # type: ignore[arg-type]

    def listen() -> None:
        while connection.body:
            body.append(connection.take())

    def take(data: bytes) -> bool:
        nonlocal taken
        size = chunked(data)
        if not takes or size <= 0 or chunk(data[-2 - size : -2]) != data:
            return False
        body.append(data[-2 - size : -2])
        taken += 1
        return True

    connection.listen(listen, 60.0, take)
    for data in cuts:
        if connection.error is None and not connection.is_complete:
            connection.data_received(data)
    connection.no_longer()
    return b"".join(body), connection.is_complete, connection.error is not None, taken


@st.composite
def bodies(draw: st.DrawFn) -> list[bytes]:
    """The bytes of a chunked answer as they are read: chunks that look like chunks within chunks, cut anywhere."""
    inner = st.one_of(st.binary(min_size=1, max_size=9), st.just(chunk(b"ab")), st.just(LAST_CHUNK), st.just(b"\r\n"))
    parts = [chunk(one) for one in draw(st.lists(inner, max_size=9))]
    odd = st.sampled_from([b"2;a=b\r\nhi\r\n", b"3\r\n", b"\r\n", b"x", b"2\r\nhi\n\n", b"A\r\n" + b"0" * 10 + b"\r\n"])
    if draw(st.integers(0, 3)) == 0:
        parts.insert(draw(st.integers(0, len(parts))), draw(odd))
    parts = [HEAD, *parts, LAST_CHUNK]
    if draw(st.booleans()):
        return parts
    data = b"".join(parts)
    places = sorted({0, len(data), *draw(st.lists(st.integers(0, len(data)), max_size=9))})
    return [data[a:b] for a, b in pairwise(places)]


@settings(max_examples=600, deadline=None)
@given(bodies())
def test_a_chunk_is_taken_only_where_one_begins(cuts: list[bytes]) -> None:
    async def both() -> tuple[Any, Any]:
        return await heard_of(cuts, takes=True), await heard_of(cuts, takes=False)

    taking, leaving = asyncio.run(both())

    assert taking[:3] == leaving[:3]
    assert leaving[3] == 0


def test_chunks_that_come_alone_are_all_taken() -> None:
    cuts = [HEAD, *[chunk(b"word")] * 9, LAST_CHUNK]

    found = asyncio.run(heard_of(cuts, takes=True))

    assert found == (b"word" * 9, True, False, 8), "llhttp has to see one before it is known where it stands"


# ---- through the belt


def paced(words: list[str]) -> Any:
    """An upstream that streams word by word."""

    async def script(body: dict[str, Any], reply: Reply) -> None:
        if not body.get("stream"):
            await answering("Hi.")(body, reply)
            return
        await reply.begin(200, ((b"content-type", b"text/event-stream"),))
        for word in words:
            await reply.write(event(word, ascii_only=False))
            await asyncio.sleep(0.005)
        await reply.write(event("", finish="stop", delta={}) + b"data: [DONE]\n\n")
        await reply.end()

    return script


@pytest.mark.parametrize("text", ["all is well with us ", *SAID])
def test_a_paced_stream_goes_chunk_by_chunk_and_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    taken, take = list[bool](), QuickStream.chunk

    def counted(stream: QuickStream, data: bytes) -> bool:
        taken.append(take(stream, data))
        return taken[-1]

    words = [text[at : at + 3] for at in range(0, len(text), 3)]

    async def scenario(belt: Belt) -> list[str]:
        said = []
        async with httpx2.AsyncClient(timeout=20, headers=KEY) as calls:
            for at in range(3):
                monkeypatch.setattr(QuickStream, "chunk", counted if at else lambda *_: False)
                await calls.post(f"{belt.url}/chat/completions", json={**ASKED, "stream": False})
                answer = await calls.post(f"{belt.url}/chat/completions", json=ASKED)
                said.append(answer.text.replace(answer.headers["x-safebelt-record"], "rec"))
        return said

    said = in_belt(tmp_path, paced(words), scenario, mode=RecordMode.PROMPT)

    assert said[0] == said[1] == said[2]
    assert taken.count(True) >= (len(words) if text.startswith("all") else 1)


@pytest.mark.soak
@pytest.mark.skipif(not shutil.which("gcc"), reason="no compiler")
def test_nothing_of_this_makes_it_read_or_write_astray(tmp_path: Path) -> None:
    source = shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    target = source / "safebelt/rooms/belt/proxy/_pieces.c"
    made = target.with_suffix("").with_suffix(sysconfig.get_config_var("EXT_SUFFIX"))
    include, guards = sysconfig.get_path("include"), "-fsanitize=address,undefined"
    subprocess.run(
        ["gcc", "-O1", "-g", "-fPIC", "-shared", guards, "-fno-sanitize-recover=undefined", f"-I{include}", target, "-o", made],
        check=True,
    )  # fmt: skip
    libraries = [
        subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]

    said = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not soak", __file__, "-k", "not paced"],
        env={**os.environ, "PYTHONPATH": f"{source}:{ROOT}", "PYTHONMALLOC": "malloc",
             "LD_PRELOAD": " ".join(libraries), "ASAN_OPTIONS": "detect_leaks=0"},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert said.returncode == 0, said.stdout[-3000:] + said.stderr[-3000:]
    assert " skipped" not in said.stdout
