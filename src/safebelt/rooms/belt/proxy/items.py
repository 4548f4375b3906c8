"""Answers made of items (Anthropic's messages, OpenAI's responses): what both interfaces share.

Their streams name each event (`event:`) and say the same name in its data (`type`); so every event is written anew
from its data alone.  A text is a channel of its own; whatever else an event says is judged string by string.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from safebelt.rooms.belt.model import Hit
from safebelt.rooms.belt.proxy.client import UpstreamBroke
from safebelt.rooms.belt.proxy.frames import MOST_TRIES, Frame, Lane, frame_of
from safebelt.rooms.belt.proxy.leaves import Keys, rewrite_tree
from safebelt.rooms.belt.proxy.notices import NoticeFor
from safebelt.rooms.belt.proxy.over import Border, in_answer, kind_of
from safebelt.rooms.belt.proxy.screens import WholeAnswer, Words, plain_path
from safebelt.rooms.belt.proxy.streaming import BEAT, DONE, OpenChannel
from safebelt.rooms.belt.scanner.stream import Released, StreamScreen

Json = dict[str, Any]
_NAME = re.compile(r"[a-z][a-z0-9_.]{0,79}", re.ASCII)
MOST_CHANNELS = 1024
"""Texts one answer may hold; no honest one comes near it."""


class ItemsAnswer(WholeAnswer):
    """Screens a whole answer made of items.

    Args:
        refused: What an answer says of itself where a rule refused.
        scanner, harness, is_json: As `WholeAnswer`.
    """

    refused: Mapping[str, Any] = {}

    def screen(self, body: Json) -> Json:
        """Return the body as it may leave; where a rule refused, texts end where the finding begins.

        Raises:
            RecursionError: It is nested too deeply.
        """
        self._is_refused = False
        self._across = self._found_across(in_answer(body))
        screened: Json = rewrite_tree(body, (), self._speech, self._words)
        return {**screened, **self.refused} if self._is_refused or self._words.is_refused else screened

    @staticmethod
    def _path(keys: Keys) -> str:
        return plain_path(keys)


@dataclass(slots=True)
class Channel:
    """One text while it streams.

    Attributes:
        path: Its name, for findings and records.
        screen: Judges it.
        is_json: It is JSON source.
        said: What the model said.
        passed: What left.
        left: What waited when it ended: it may go on in the next text.
        border: To the text before it, where that had something unfinished.
        size: How many characters the model said.
    """

    path: str
    screen: StreamScreen
    is_json: bool
    said: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    left: str = ""
    border: Border | None = None
    size: int = 0

    def unfinished(self) -> str:
        """Return what of it still waits."""
        held = self.screen.held
        return "".join(self.said)[-held:] if held else ""


class ItemsStream(ABC):
    """Screens a streamed answer made of items.

    Args:
        open_channel: Makes the screen of a text when it first speaks.
        words: Judges every other string.
        notice: Text → the explicit notice to end it with; empty for none.

    Attributes:
        is_done: The model has said all.
        is_refused: A refusing rule acted; nothing more of the model's leaves.
        usage: What the upstream says it used.
    """

    def __init__(self, open_channel: OpenChannel, words: Words, notice: NoticeFor) -> None:
        self._open_channel, self._words, self._notice = open_channel, words, notice
        self._channels: dict[Keys, Channel] = {}
        self._closed: set[Keys] = set()
        self._hits: list[Hit] = []
        self._last_texts: dict[Keys, Channel] = {}
        self._token: tuple[Frame, Keys] | None = None
        self.lane: Lane | None = None
        self._tries = 0
        self._is_refused = self.is_done = False
        self.usage: Json = {}

    @property
    def is_refused(self) -> bool:
        """Whether a refusing rule acted."""
        return self._is_refused or self._words.is_refused

    @is_refused.setter
    def is_refused(self, value: bool) -> None:
        """Note that a refusing rule acted."""
        self._is_refused = value

    @property
    def hits(self) -> list[Hit]:
        """Findings so far."""
        return [*self._hits, *self._words.hits]

    def said(self) -> dict[str, tuple[str, bool]]:
        """Return what the model said, by path, with whether it is JSON source: only for masking into the record."""
        return {one.path: (_told(one), one.is_json) for one in self._channels.values()}

    def take(self, data: bytes) -> bytes:
        """Take the data of one event; return the bytes to pass on now.

        Raises:
            UpstreamBroke: It is not what this interface streams, so it cannot be screened.
        """
        if self._token is not None and (text := self._token[0].text(data)):
            frame, keys = self._token
            text = self._feed(keys, text)
            return frame.written(text) if text else b""
        if not data:
            return BEAT
        if data == DONE:  # some servers end every stream so
            return b""
        try:
            event = _parsed(data)
            events = self.events(event)
        except RecursionError as error:
            raise UpstreamBroke("an event nested so deeply cannot be screened") from error
        self._look_for_frame(data, event)
        return b"" if self.is_refused and not events else b"".join(map(written, events))

    def _look_for_frame(self, data: bytes, event: Json) -> None:
        """Remember how an event of one piece of text looks, if this was one; where the stream goes on, most are."""
        self._token = None
        keys = self.piece_of(event)
        if keys is None or self.is_refused or self._words.hits or self._tries >= MOST_TRIES:
            return
        self._tries += 1
        frame = frame_of(data, str(keys[-1]).encode(), lambda text: filled(event, str(keys[-1]), text), written)
        self._token = (frame, keys) if frame else None

    def piece_of(self, event: Json) -> Keys | None:
        """Return whose text an event says one piece of, where it says nothing else and the next may follow at once."""
        return None

    @abstractmethod
    def events(self, event: Json) -> list[Json]:
        """Return what of an event may leave now, as events."""

    def _worded(self, event: Json) -> Json:
        """Return an event with every string judged by itself."""
        judged: Json = rewrite_tree(event, (), self._as_word, self._words)
        return {**judged, "type": event["type"]}

    def _as_word(self, _keys: Keys, text: str, _is_json: bool) -> str:
        return self._words(text)

    def _feed(self, keys: Keys, text: str, *, is_json: bool = False) -> str:
        """Take a piece of a text; return what may leave now."""
        one = self._channels.get(keys)
        if one is None:
            if len(self._channels) >= MOST_CHANNELS:
                raise UpstreamBroke("an answer of so many texts cannot be screened")
            one = self._channels[keys] = self._opened(keys, is_json=is_json)
        if keys in self._closed:
            raise UpstreamBroke("a text goes on after its end")
        if self.is_refused:
            return ""
        one.said.append(text)
        one.size += len(text)
        return self._released(one, one.screen.feed(text))

    def _opened(self, keys: Keys, *, is_json: bool) -> Channel:
        """Return a channel; a text begins with what waited at the end of the one before, which a reader joins to it."""
        path = plain_path(keys)
        one = Channel(path, *self._open_channel(path, is_json))
        if keys[-1] != "text" or one.is_json:
            return one
        kind = kind_of(keys)
        last = self._last_texts.get(kind)
        self._last_texts[kind] = one
        waits = "" if last is None else last.left or last.unfinished()
        if waits:
            one.border = Border(len(waits))
            one.screen.feed(waits)
        return one

    def _close(self, keys: Keys) -> str:
        """End a text; return what still waited."""
        one = self._channels.get(keys)
        if one is None or keys in self._closed or self.is_refused:
            return ""
        self._closed.add(keys)
        one.left = one.unfinished() if keys[-1] == "text" and one.border is None else ""
        return self._released(one, one.screen.close())

    def _released(self, one: Channel, released: Released) -> str:
        if one.border is not None:
            released = one.border.behind(released, one.path, one.size - one.screen.held)
        self._hits += released.hits
        self._is_refused |= released.is_refused
        one.passed.append(released.text)
        return released.text

    def _passed(self, keys: Keys) -> str:
        """Return all of a text that left."""
        one = self._channels.get(keys)
        return "".join(one.passed) if one else ""


def _told(one: Channel) -> str:
    """Return what a text said, for a record; where it ended a finding of the text before, only what left of it."""
    is_crossed = one.border is not None and one.border.is_crossed
    return "".join(one.passed if is_crossed else one.said)


def _parsed(data: bytes) -> Json:
    try:
        event = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UpstreamBroke("an event that is not JSON cannot be screened") from error
    if not isinstance(event, dict) or not isinstance(name := event.get("type"), str) or not _NAME.fullmatch(name):
        raise UpstreamBroke("an event without form or name cannot be screened")
    if name == "error":
        raise UpstreamBroke("the upstream reported an error in the middle of its answer")
    return event


def filled(event: Json, name: str, text: str) -> Json:
    """Return an event whose delta is one text, with another in its place."""
    return {**event, "delta": {**{key: value for key, value in event["delta"].items() if key != name}, name: text}}


def written(event: Json) -> bytes:
    """Return an event as the clients of both interfaces read it: named, and by its data."""
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode("ascii"), msgspec.json.encode(event))


def number(event: Json, name: str) -> int:
    """Return an index in an event; 0 where it has none.

    Raises:
        UpstreamBroke: It is no index.
    """
    value = event.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise UpstreamBroke("a text without a number cannot be screened")
    return value
