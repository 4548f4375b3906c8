"""How a gate asks: it yields the calls it has found whole, and goes on once each has its ruling.

A gate knows one interface and does no I/O; whoever drives it judges, waits for people, and answers.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from safebelt.kernel.text import Text
from safebelt.rooms.belt.model import ToolCall
from safebelt.rooms.belt.proxy.client import UpstreamBroke
from safebelt.rooms.belt.proxy.leaves import is_index

MAX_HELD_CHARS = 1024 * 1024
"""Characters of unfinished calls that one answer may make the belt keep; larger is no call, but a flood."""
MAX_CALLS = 128
"""Calls in one answer; OpenAI takes 128 tools in a request."""
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ruling:
    """What becomes of one call.

    Attributes:
        is_allowed: Whether it goes on.
        says: What stands in its place where it does not.
    """

    is_allowed: bool
    says: Text

    @property
    def text(self) -> str:
        """What stands in its place, in both languages: nobody knows which one the caller reads."""
        return f"{self.says.en} / {self.says.zh}"


@dataclass(slots=True)
class Asked:
    """Calls that wait for their rulings; whoever resumes the gate has put them there, one for each call."""

    calls: list[ToolCall]
    rulings: list[Ruling] = field(default_factory=list)


Questions = Generator[Asked, None, None]
"""Only asks."""
Whole = Generator[Asked, None, Json]
"""Asks, then returns an answer as it may leave."""
Events = Generator[Asked | Json, None, None]
"""Asks, and yields what may leave of a stream."""


class Gate(Protocol):
    """Finds the calls of one interface in one answer."""

    def whole(self, body: Json) -> Whole:
        """Judge an answer that came in one piece."""

    def take(self, chunk: Json) -> Events:
        """Take one event of a stream; yield what may leave now.

        Raises:
            UpstreamBroke: Calls pile up unfinished.
        """

    def close(self) -> Events:
        """The stream has ended: judge what the upstream left unfinished."""


class Bounds:
    """How much of unfinished calls one answer may make the belt keep."""

    def __init__(self) -> None:
        self._calls = self._chars = 0

    def call(self) -> None:
        """Count one more call.

        Raises:
            UpstreamBroke: These are too many.
        """
        self._calls += 1
        if self._calls > MAX_CALLS:
            raise UpstreamBroke(f"an answer of more than {MAX_CALLS} tool calls")

    def text(self, text: str) -> str:
        """Count a piece of text, and return it.

        Raises:
            UpstreamBroke: This is too much.
        """
        self._chars += len(text)
        if self._chars > MAX_HELD_CHARS:
            raise UpstreamBroke(f"tool calls of more than {MAX_HELD_CHARS} characters")
        return text


def text_of(value: Any) -> str:
    """Return a text; nothing where it is none."""
    return value if isinstance(value, str) else ""


def place_of(value: Any, default: int = 0) -> int:
    """Return a place in a list; the default where it is none."""
    return value if isinstance(value, int) and is_index(value) else default


def source_of(value: Any) -> str:
    """Return arguments as source: some upstreams send an object where the interface has its text."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode() if value is not None else ""
