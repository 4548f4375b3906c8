"""Steps of an exchange that are the same for all of them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

from safebelt.rooms.belt.model import ContentMode, Hit, Verdict
from safebelt.rooms.belt.proxy import errors
from safebelt.rooms.belt.proxy.client import UpstreamBroke
from safebelt.rooms.belt.proxy.forms import Malformed
from safebelt.rooms.belt.proxy.frames import Lane
from safebelt.rooms.belt.proxy.recording import Content, Keeps, Recording, policy_facts, verdict_facts
from safebelt.rooms.belt.proxy.screens import WholeAnswer
from safebelt.rooms.belt.proxy.sse import SseSplitter
from safebelt.rooms.belt.proxy.tools import Caller, Tools
from safebelt.rooms.belt.records.digests import digested
from safebelt.rooms.belt.records.line import SALT_BYTES
from safebelt.rooms.belt.records.sealing import SEALED, Sealer
from safebelt.rooms.belt.scanner.engine import mask_all

_T = TypeVar("_T")
LARGE = 8 * 1024
"""Bytes above which work on a text leaves the event loop: 100 KB were seen to take up to 0.23 s, 8 KB 20 ms."""


class Begun(NamedTuple):
    """How far the quick way (`quick`) came with an exchange that goes on here."""

    recording: Recording
    body: dict[str, Any]
    verdict: Verdict


class Streamed(Protocol):
    """A streamed answer on its way through, in one interface's form.

    Attributes:
        is_done: The model has said all.
        is_refused: A refusing rule acted; nothing more of the model's leaves.
        usage: What the upstream says it used.
        lane: Takes events of the kind that most are, if they are all alike.
    """

    is_done: bool
    is_refused: bool
    usage: dict[str, Any]
    lane: Lane | None

    @property
    def hits(self) -> list[Hit]:
        """Findings so far."""
        ...

    def take(self, data: bytes) -> bytes:
        """Take the data of one event; return the bytes to pass on now; raises UpstreamBroke."""
        ...

    def flush(self) -> bytes:
        """Return what still waits in what the upstream never ended."""
        ...

    def last(self, safebelt: Any) -> bytes:
        """Return the events that were held back, with the `safebelt` field: an object, or one that is JSON already."""
        ...

    def said(self) -> dict[str, tuple[str, bool]]:
        """Return what the model said, by path, with whether it is JSON source."""
        ...


class Flow:
    """A streamed answer and how far it has come.

    Args:
        streamed: Screens it.
        most_bytes: An answer larger than this is broken off.

    Attributes:
        left: So many bytes more may come.
        lane: Takes pieces of the body that are one event of the kind that most are.
    """

    __slots__ = ("_most", "_splitter", "lane", "left", "streamed")

    def __init__(self, streamed: Streamed, most_bytes: int) -> None:
        self.streamed, self._splitter = streamed, SseSplitter()
        self.left = self._most = most_bytes
        self.lane: Lane | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more of it is passed on."""
        return self.streamed.is_refused or self.streamed.is_done

    def pass_on(self, piece: bytes) -> bytes:
        """Take a piece of the body; return what may leave now; raises as `events`."""
        lane, size = self.lane, len(piece)
        passed = lane.take(piece) if lane is not None and size <= self.left else None
        if passed is not None:
            self.left -= size
            return passed
        self.lane = None
        passed = taken(self.streamed, self.events(piece))
        if self._splitter.is_between:
            self.lane = self.streamed.lane
        return passed

    def events(self, piece: bytes) -> list[bytes]:
        """Return the data of the events that a piece of the body ends.

        Raises:
            UpstreamBroke: The answer, or an event of it, is too large.
        """
        self.left -= len(piece)
        if self.left < 0:
            raise UpstreamBroke(f"the answer is larger than {self._most} bytes")
        try:
            return self._splitter.feed(piece)
        except ValueError as error:
            raise UpstreamBroke(str(error)) from error

    def close(self) -> list[bytes]:
        """Return the data that stands at the end without a blank line."""
        return self._splitter.close()


async def aside(size: int, work: Callable[[], _T]) -> _T:
    """Do work here, or in a thread where it is large enough to make others wait."""
    return await asyncio.to_thread(work) if size > LARGE else work()


async def to_the_end(work: Awaitable[None]) -> None:
    """Await something though this task is cancelled meanwhile, once or again: the caller is ending anyway."""
    task = asyncio.ensure_future(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
    task.result()


def unreadable(error: Exception) -> errors.BeltError:
    """Return what a client is told whose request could not be read."""
    if isinstance(error, RecursionError):
        return errors.TOO_DEEP
    return errors.NOT_FORM if isinstance(error, Malformed) else errors.NOT_JSON


def screened_answer(screen: WholeAnswer, body: dict[str, Any]) -> dict[str, Any]:
    """Return an answer as it may leave.

    Raises:
        UpstreamBroke: It is nested too deeply.
    """
    try:
        return screen.screen(body)
    except RecursionError as error:
        raise UpstreamBroke("an answer nested so deeply cannot be screened") from error


def taken(streamed: Streamed, events: list[bytes]) -> bytes:
    """Return what of some events may leave now; raises UpstreamBroke."""
    out = []
    for event in events:
        if streamed.is_refused or streamed.is_done:
            break
        out.append(streamed.take(event))
    return b"".join(out)


def masked(said: dict[str, tuple[str, bool]]) -> dict[str, Any]:
    """Return what was said as a record keeps it."""
    return {"texts": {path: mask_all(text, as_json=is_json) for path, (text, is_json) in said.items()}}


def as_said(said: dict[str, tuple[str, bool]]) -> dict[str, str]:
    """Return what was said as it came."""
    return {path: text for path, (text, _) in said.items()}


def usage(body: dict[str, Any]) -> dict[str, Any]:
    """Return what the upstream says it used."""
    used = body.get("usage")
    return used if isinstance(used, dict) else {}


def recording_of(tools: Tools, caller: Caller) -> Recording:
    """Begin the record of an exchange."""
    id_, harness = tools.new_id("rec"), caller.harness
    keeps: Keeps | None = None
    if harness.content is ContentMode.DIGEST:
        salt = tools.chance(SALT_BYTES)
        keeps = partial(_digested, salt)
    elif harness.content is ContentMode.SEALED:
        keeps = partial(_sealed, tools.sealers.of(harness.recipients), id_)
    recording = Recording(tools.recorder, id_, harness.record_mode, keeps)
    if caller.waited_ns:
        recording.waited_at_the_door(caller.waited_ns)
    return recording


def _digested(salt: bytes, _half: str, content: Content, _originals: Mapping[str, str]) -> Content:
    return digested(content, salt)


def _sealed(sealer: Sealer, id_: str, half: str, content: Content, originals: Mapping[str, str]) -> Content:
    return {**content, SEALED: sealer.seal(id_, half, originals)} if originals else content


def intent_facts(caller: Caller, path: str, body: Mapping[str, Any], verdict: Verdict) -> dict[str, Any]:
    """Return what a record is told of a request."""
    return {
        "system_id": caller.key.system_id,
        "key_id": caller.key.id,
        "endpoint": path,
        "model": mask_all(str(body.get("model", "")))[:200],
        "is_stream": body.get("stream") is True,
        **policy_facts(caller.policy, caller.harness),
        **caller.admitted,
        **verdict_facts(verdict),
    }
