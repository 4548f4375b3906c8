"""A streamed answer on its way through: each text is its own channel, what may still become a finding waits.

Life of an event: parsed → every text fed to its channel's `StreamScreen` → passed on byte for byte where nothing
changed, rewritten where something waits or was masked → events that end a choice are held, so that the outcome can
be made durable before the last byte leaves.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from safebelt.rooms.belt.model import Hit
from safebelt.rooms.belt.proxy.client import UpstreamBroke
from safebelt.rooms.belt.proxy.leaves import nested, rewrite_choice
from safebelt.rooms.belt.proxy.sse import SseEvent, write_event
from safebelt.rooms.belt.scanner.stream import Released, StreamScreen

DONE = b"[DONE]"
_HEARTBEAT = b":\n\n"

OpenChannel = Callable[[str, bool], StreamScreen]
"""`(path, is JSON source)` → a screen for that channel."""


@dataclass(slots=True)
class _Channel:
    screen: StreamScreen
    said: list[str] = field(default_factory=list)
    """What the model said, as it said it; masked before it is recorded."""


class StreamedAnswer:
    """Screens one streamed answer.

    Args:
        open_channel: Makes the screen of a channel when it first speaks.
        notice: Text → the explicit notice to end a plain-text choice with; empty for none.

    Attributes:
        is_done: The upstream said `[DONE]`.
        is_refused: A refusing rule acted; nothing more of the model's leaves.
        hits: Findings so far.
    """

    def __init__(self, open_channel: OpenChannel, notice: Callable[[str], str]) -> None:
        self._open_channel, self._notice = open_channel, notice
        self._channels: dict[str, _Channel] = {}
        self._held: list[dict[str, Any]] = []
        self._frame: dict[str, Any] = {}
        self._ended: set[int] = set()
        self.is_done = self.is_refused = False
        self.finish_reason = ""
        self.usage: dict[str, Any] = {}
        self.hits: list[Hit] = []

    def take(self, event: SseEvent) -> bytes:
        """Take one event; return the bytes to pass on now.

        Raises:
            UpstreamBroke: It is not what this interface streams, so it cannot be screened.
        """
        if not event.data:
            return _HEARTBEAT  # a comment may hold anything; the client only needs the beat
        if event.data == DONE:
            self.is_done = True
            return b""
        chunk = _parse(event.data)
        self._frame = {key: value for key, value in chunk.items() if key not in ("choices", "usage")}
        out = self._screened(chunk)
        if out == [chunk] and event.raw == write_event(event.data):
            return event.raw
        return b"".join(map(_written, out))

    def flush(self) -> bytes:
        """Return what still waits in channels whose choice the upstream never ended."""
        if self.is_refused:
            return b""
        return b"".join(_written(chunk) for index in self._indexes() for chunk in self._ending(index))

    def last(self, safebelt: dict[str, Any]) -> bytes:
        """Return the held events, the last one carrying the `safebelt` field, and `[DONE]`."""
        if self.is_refused:
            empty: dict[str, Any] = {"text": ""} if self._frame.get("object") == "text_completion" else {"delta": {}}
            cut = [{"index": index, **empty, "finish_reason": "content_filter"} for index in self._unended()]
            self._held.append({**self._frame, "choices": cut})
        held = self._held or [{**self._frame, "choices": []}]
        held[-1] = {**held[-1], "safebelt": safebelt}
        return b"".join(_written(chunk) for chunk in held) + write_event(DONE)

    def said(self) -> dict[str, str]:
        """Return what the model said, by path, unmasked: only for masking into the record."""
        return {path: "".join(channel.said) for path, channel in self._channels.items()}

    def _screened(self, chunk: dict[str, Any]) -> list[dict[str, Any]]:
        """Return what may leave now: the chunk itself where nothing changed, nothing where all of it waits."""
        if isinstance(usage := chunk.get("usage"), dict):
            self.usage = usage
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices:
            self._held.append(chunk)
            return []
        screened = [self._choice(choice) for choice in choices]
        ending = [choice for choice in screened if choice.get("finish_reason")]
        if ending or self.is_refused:
            return [*self._without_ends(chunk, screened), *(() if self.is_refused else self._end(chunk, ending))]
        if screened == choices:
            return [chunk]
        return [{**chunk, "choices": screened}] if any(map(_says_something, screened)) else []

    def _choice(self, choice: Any) -> dict[str, Any]:
        if not isinstance(choice, dict):
            raise UpstreamBroke("a choice that is no object cannot be screened")
        return rewrite_choice(choice, _index(choice), self._feed)

    def _feed(self, path: str, text: str, is_json: bool) -> str:
        channel = self._channels.get(path)
        if channel is None:
            channel = self._channels[path] = _Channel(self._open_channel(path, is_json))
        if self.is_refused:
            return ""
        channel.said.append(text)
        return self._released(channel.screen.feed(text))

    def _released(self, released: Released) -> str:
        self.hits += released.hits
        self.is_refused |= released.is_refused
        return released.text

    def _end(self, chunk: dict[str, Any], ending: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Pass on what waited in the ended choices, each piece in a chunk of its own, and hold what ends them."""
        for choice in ending:
            self.finish_reason = str(choice["finish_reason"])
            yield from self._ending(_index(choice))
        if not self.is_refused:
            ends = [{"index": _index(c), _field(c): {} if "delta" in c else "", **_rest(c)} for c in ending]
            self._held.append({**chunk, "choices": ends})

    def _ending(self, index: int) -> Iterator[dict[str, Any]]:
        """Close a choice's channels; yield what they still had, and the notice."""
        self._ended.add(index)
        mine = {path: channel for path, channel in self._channels.items() if path.startswith(f"choices[{index}].")}
        for path, channel in mine.items():
            if text := self._released(channel.screen.close()):
                yield {**self._frame, "choices": [nested(path, text)]}
            if self.is_refused:
                self._ended.discard(index)
                return
        path, plain = _plain_text(mine)
        if path and (notice := self._notice(plain)):
            yield {**self._frame, "choices": [nested(path, notice)]}

    @staticmethod
    def _without_ends(chunk: dict[str, Any], screened: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What of a chunk may still leave before a choice ends or a rule refuses: its texts, not its ends."""
        passing = [{**choice, "finish_reason": None} for choice in screened if _says_something(choice)]
        return [{**chunk, "choices": passing}] if passing else []

    def _indexes(self) -> list[int]:
        found = {int(path[len("choices[") : path.index("]")]) for path in self._channels}
        return sorted(found - self._ended)

    def _unended(self) -> list[int]:
        return self._indexes() or [0]


def _parse(data: bytes) -> dict[str, Any]:
    try:
        chunk = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UpstreamBroke("an event that is not JSON cannot be screened") from error
    if not isinstance(chunk, dict) or "error" in chunk:
        raise UpstreamBroke("the upstream reported an error in the middle of its answer")
    return chunk


def _written(chunk: dict[str, Any]) -> bytes:
    return write_event(msgspec.json.encode(chunk))


def _index(choice: dict[str, Any]) -> int:
    index = choice.get("index", 0)
    return index if isinstance(index, int) else 0


def _field(choice: dict[str, Any]) -> str:
    return "delta" if "delta" in choice or "text" not in choice else "text"


def _rest(choice: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in choice.items() if key not in ("index", "delta", "text", "logprobs")}


def _says_something(choice: dict[str, Any]) -> bool:
    """Whether there is anything in it but empty text: a role, a tool's name, a piece of the answer."""
    return _has_content(choice.get("delta")) or _has_content(choice.get("text"))


def _has_content(node: Any) -> bool:
    match node:
        case dict():
            return any(_has_content(value) for key, value in node.items() if key != "index")
        case list():
            return any(_has_content(item) for item in node)
    return bool(node)


def _plain_text(channels: dict[str, _Channel]) -> tuple[str, str]:
    """Return the channel a person reads, where the choice has only that one (reasoning aside)."""
    spoken = {path: channel for path, channel in channels.items() if "reasoning" not in path}
    if len(spoken) != 1:
        return "", ""
    path, channel = next(iter(spoken.items()))
    is_plain = path.endswith((".delta.content", ".text"))
    return (path, "".join(channel.said)) if is_plain else ("", "")
