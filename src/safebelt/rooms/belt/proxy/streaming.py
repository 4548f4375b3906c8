"""A streamed answer on its way through: each text is its own channel, what may still become a finding waits.

Life of an event: parsed → every text fed to its channel's `StreamScreen`, every other string judged by itself → written
anew as it was understood, because the bytes received may say more to another reader (a key that comes twice, a comment)
→ events that end a choice are held, so that the outcome can be made durable before the last byte leaves.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from safebelt.rooms.belt.model import Hit
from safebelt.rooms.belt.proxy.client import UpstreamBroke
from safebelt.rooms.belt.proxy.frames import MOST_TRIES, Frame, Lane, frame_of, lane_of
from safebelt.rooms.belt.proxy.leaves import Keys, is_index, nested, rewrite_choice, rewrite_words
from safebelt.rooms.belt.proxy.screens import Words, path_in_choices
from safebelt.rooms.belt.proxy.sse import write_event
from safebelt.rooms.belt.scanner.stream import Released, StreamScreen

DONE = b"[DONE]"
_LEAD = b"data: "
BEAT = b":\n\n"
"""A comment: nothing is said, and the stream lives."""

OpenChannel = Callable[[str, bool], tuple[StreamScreen, bool]]
"""`(path, is JSON source)` → a screen for that channel, and whether it reads it as JSON source."""


class _Channel:
    """One text of a streamed answer; `said` is what the model said, as it said it: masked before it is recorded."""

    __slots__ = ("is_json", "path", "said", "screen")

    def __init__(self, path: str, screen: StreamScreen, *, is_json: bool) -> None:
        self.path, self.screen, self.is_json = path, screen, is_json
        self.said: list[str] = []


class StreamedAnswer:
    """Screens one streamed answer.

    Args:
        open_channel: Makes the screen of a channel when it first speaks.
        words: Judges every string that is not the model's speech.
        notice: Text → the explicit notice to end a plain-text choice with; empty for none.

    Attributes:
        is_done: The upstream said `[DONE]`.
        is_refused: A refusing rule acted; nothing more of the model's leaves.
        lane: Takes events that say one more piece of the text that the last one said, if most of the stream's are such.
    """

    def __init__(self, open_channel: OpenChannel, words: Words, notice: Callable[[str], str]) -> None:
        self._open_channel, self._words, self._notice = open_channel, words, notice
        self._channels: dict[Keys, _Channel] = {}
        self._held: list[dict[str, Any]] = []
        self._frame: dict[str, Any] = {}
        self._ended: set[int] = set()
        self._token: tuple[Frame, _Channel, dict[str, Any]] | None = None
        self._tries = 0
        self.lane: Lane | None = None
        self.is_done = self.is_refused = False
        self.finish_reason = ""
        self.usage: dict[str, Any] = {}
        self._hits: list[Hit] = []

    @property
    def hits(self) -> list[Hit]:
        """Findings so far."""
        return [*self._hits, *self._words.hits]

    def take(self, data: bytes) -> bytes:
        """Take the data of one event; return the bytes to pass on now.

        Raises:
            UpstreamBroke: It is not what this interface streams, so it cannot be screened.
        """
        if self._token is not None and (text := self._token[0].text(data)):
            return self._passed_on(text, *self._token)
        if not data:
            return BEAT  # a comment may hold anything; the client only needs the beat
        if data == DONE:
            self.is_done = True
            return b""
        try:
            chunk = _parse(data)
            passed = b"".join(map(_written, self._screened(chunk)))
        except RecursionError as error:
            raise UpstreamBroke("an event nested so deeply cannot be screened") from error
        self._look_for_frame(data, chunk)
        return passed

    def _look_for_frame(self, data: bytes, chunk: dict[str, Any]) -> None:
        """Remember how an event of one piece of text looks, if this was one; where the stream goes on, most are."""
        self._token = self.lane = None
        choice = _with_text_alone(chunk)
        if choice is None or self.is_refused or self._words.hits or self._tries >= MOST_TRIES:
            return
        self._tries += 1
        keys: Keys = (_index(choice), "delta", "content") if "delta" in choice else (_index(choice), "text")
        channel = self._channels.get(keys)
        if channel is not None and keys[0] not in self._ended:
            frame = frame_of(data, str(keys[-1]).encode(), lambda text: _filled(chunk, text), _written)
            if frame:
                self._token = frame, channel, chunk
                self.lane = lane_of(_LEAD, frame, channel.screen.calmly, channel.said.append)
                if self.lane:
                    self.lane.quicken(channel.screen, channel.said)

    def _passed_on(self, text: str, frame: Frame, channel: _Channel, chunk: dict[str, Any]) -> bytes:
        """Take an event in a known frame: what `_screened` would come to."""
        channel.said.append(text)
        text = self._released(channel.screen.feed(text))
        if not text:
            return b""
        if not self.is_refused:
            return frame.written(text)
        filled = _filled(chunk, text)
        return _written({**filled, "choices": [{**choice, "finish_reason": None} for choice in filled["choices"]]})

    def flush(self) -> bytes:
        """Return what still waits in channels whose choice the upstream never ended."""
        if self.is_refused:
            return b""
        return b"".join(_written(chunk) for index in self._indexes() for chunk in self._ending(index))

    def last(self, safebelt: dict[str, Any] | msgspec.Raw) -> bytes:
        """Return the held events, the last one carrying the `safebelt` field, and `[DONE]`."""
        if self.is_refused:
            empty: dict[str, Any] = {"text": ""} if self._frame.get("object") == "text_completion" else {"delta": {}}
            cut = [{"index": index, **empty, "finish_reason": "content_filter"} for index in self._unended()]
            self._held.append({**self._frame, "choices": cut})
        held = self._held or [{**self._frame, "choices": []}]
        held[-1] = {**held[-1], "safebelt": safebelt}
        return b"".join(_written(chunk) for chunk in held) + write_event(DONE)

    def said(self) -> dict[str, tuple[str, bool]]:
        """Return what the model said, by path, with whether it is JSON source: only for masking into the record."""
        return {channel.path: ("".join(channel.said), channel.is_json) for channel in self._channels.values()}

    def _screened(self, chunk: dict[str, Any]) -> list[dict[str, Any]]:
        """Return what may leave now; nothing where all of it waits."""
        choices = chunk.get("choices")
        frame = self._framed({key: value for key, value in chunk.items() if key != "choices"})
        if self.is_refused:
            return []
        if not isinstance(choices, list) or not choices:
            self._held.append({**frame, **({"choices": []} if choices == [] else {})})
            return []
        screened = [self._choice(choice) for choice in choices]
        self.is_refused |= self._words.is_refused
        ending = [choice for choice in screened if choice.get("finish_reason")]
        if ending or self.is_refused:
            return [*self._without_ends(frame, screened), *(() if self.is_refused else self._end(frame, ending))]
        if screened == choices or any(map(_says_something, screened)):
            return [{**frame, "choices": screened}]
        return []

    def _framed(self, frame: dict[str, Any]) -> dict[str, Any]:
        """Return what stands beside the choices as it may leave, and remember it for chunks of our own."""
        frame = rewrite_words(frame, self._words)
        self.is_refused |= self._words.is_refused
        if isinstance(usage := frame.get("usage"), dict):
            self.usage = usage
        self._frame = {key: value for key, value in frame.items() if key != "usage"}
        return frame

    def _choice(self, choice: Any) -> dict[str, Any]:
        if not isinstance(choice, dict) or not is_index(choice.get("index", 0)):
            raise UpstreamBroke("a choice without form or number cannot be screened")
        return rewrite_choice(choice, _index(choice), self._feed, self._words)

    def _feed(self, keys: Keys, text: str, is_json: bool) -> str:
        channel = self._channels.get(keys)
        if channel is None:
            path = path_in_choices(keys)
            screen, is_source = self._open_channel(path, is_json)
            channel = self._channels[keys] = _Channel(path, screen, is_json=is_source)
        if self.is_refused:
            return ""
        if keys[0] in self._ended:
            raise UpstreamBroke("a choice goes on after its end")
        channel.said.append(text)
        return self._released(channel.screen.feed(text))

    def _released(self, released: Released) -> str:
        self._hits += released.hits
        self.is_refused |= released.is_refused
        return released.text

    def _end(self, frame: dict[str, Any], ending: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Pass on what waited in the ended choices, each piece in a chunk of its own, and hold what ends them."""
        for choice in ending:
            self.finish_reason = str(choice["finish_reason"])
            yield from self._ending(_index(choice))
        if not self.is_refused:
            ends = [{"index": _index(c), _field(c): {} if "delta" in c else "", **_rest(c)} for c in ending]
            self._held.append({**frame, "choices": ends})

    def _ending(self, index: int) -> Iterator[dict[str, Any]]:
        """Close a choice's channels; yield what they still had, and the notice."""
        self._ended.add(index)
        mine = {keys: channel for keys, channel in self._channels.items() if keys[0] == index}
        for keys, channel in mine.items():
            if text := self._released(channel.screen.close()):
                yield {**self._frame, "choices": [nested(keys, text)]}
            if self.is_refused:
                self._ended.discard(index)
                return
        spoken, plain = _plain_text(mine)
        if spoken and (notice := self._notice(plain)):
            yield {**self._frame, "choices": [nested(spoken, notice)]}

    @staticmethod
    def _without_ends(frame: dict[str, Any], screened: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What of a chunk may still leave before a choice ends or a rule refuses: its texts, not its ends."""
        passing = [{**choice, "finish_reason": None} for choice in screened if _says_something(choice)]
        return [{**frame, "choices": passing}] if passing else []

    def _indexes(self) -> list[int]:
        return sorted({int(keys[0]) for keys in self._channels} - self._ended)

    def _unended(self) -> list[int]:
        return self._indexes() or [0]


def _parse(data: bytes) -> dict[str, Any]:
    try:
        chunk = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UpstreamBroke("an event that is not JSON cannot be screened") from error
    if not isinstance(chunk, dict) or chunk.get("error"):
        raise UpstreamBroke("the upstream reported an error in the middle of its answer")
    return chunk


def _written(chunk: dict[str, Any]) -> bytes:
    return write_event(msgspec.json.encode(chunk))


def _with_text_alone(chunk: dict[str, Any]) -> dict[str, Any] | None:
    """Return the choice of an event that says one piece of plain text and nothing else."""
    choices = chunk.get("choices")
    choice = choices[0] if isinstance(choices, list) and len(choices) == 1 else None
    if not isinstance(choice, dict) or isinstance(chunk.get("usage"), dict):
        return None
    delta, text = choice.get("delta"), choice.get("text")
    is_chat = isinstance(delta, dict) and list(delta) == ["content"] and isinstance(delta["content"], str)
    is_alone = (is_chat and "text" not in choice) or (isinstance(text, str) and "delta" not in choice)
    is_more = choice.get("finish_reason") or choice.get("logprobs") or "message" in choice
    return choice if is_alone and not is_more else None


def _filled(chunk: dict[str, Any], text: str) -> dict[str, Any]:
    """Return an event as it leaves, with another text in its only choice."""
    frame = {key: value for key, value in chunk.items() if key != "choices"}
    choice = chunk["choices"][0]
    said = {"delta": {"content": text}} if "delta" in choice else {"text": text}
    return {**frame, "choices": [{**choice, **said}]}


def _index(choice: dict[str, Any]) -> int:
    return int(choice.get("index", 0))


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


def _plain_text(channels: dict[Keys, _Channel]) -> tuple[Keys, str]:
    """Return the channel a person reads, where the choice has only that one (reasoning aside)."""
    spoken = {keys: channel for keys, channel in channels.items() if "reasoning" not in channel.path}
    if len(spoken) != 1:
        return (), ""
    keys, channel = next(iter(spoken.items()))
    return (keys, "".join(channel.said)) if keys[1:] in (("delta", "content"), ("text",)) else ((), "")
