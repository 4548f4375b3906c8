"""Anthropic's `/v1/messages`, whole and streamed: blocks of text, thinking and tool use."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from safebelt.rooms.belt.proxy import errors
from safebelt.rooms.belt.proxy.exchange import Exchange
from safebelt.rooms.belt.proxy.items import ItemsAnswer, ItemsStream, Json, number, written
from safebelt.rooms.belt.proxy.leaves import Keys
from safebelt.rooms.belt.proxy.notices import NoticeFor
from safebelt.rooms.belt.proxy.screens import ChannelOpener, WholeAnswer
from safebelt.rooms.belt.proxy.steps import Streamed

_REFUSED: Mapping[str, Any] = {"stop_reason": "refusal", "stop_sequence": None}
"""The interface's own words for an answer that a guard broke off."""
_PIECES = {"text": "text_delta", "thinking": "thinking_delta", "partial_json": "input_json_delta"}
"""Fields in which a block grows, and the kind of their pieces; what an upstream invents tomorrow grows too."""
_WHOLE = frozenset({"type", "signature"})
"""Fields of a piece that come whole."""


class Messages(Exchange):
    """`/v1/messages`."""

    def _whole_screen(self, *, is_json: bool) -> WholeAnswer:
        return MessageAnswer(self._scanner, self._caller.harness, is_json=is_json)

    def _streamed(self, opener: ChannelOpener) -> Streamed:
        return MessageStream(opener, opener.words, self._notice)

    async def _finished(self, body: Json) -> Json:
        return noticed(body, self._notice)

    def _error_event(self, error: errors.BeltError) -> bytes:
        said = msgspec.json.decode(error.body(self._reply.lang))["error"]
        return written({"type": "error", "error": {**said, "type": "api_error"}})


class MessageAnswer(ItemsAnswer):
    """Screens a whole message."""

    refused = _REFUSED


def noticed(body: Json, notice: NoticeFor) -> Json:
    """End the last text of a message with the notice, where no tool is called."""
    blocks = body.get("content")
    if not isinstance(blocks, list) or not blocks or body.get("stop_reason") in ("refusal", "tool_use"):
        return body
    last = blocks[-1]
    if not isinstance(last, dict) or last.get("type") != "text" or not isinstance(text := last.get("text"), str):
        return body
    return {**body, "content": [*blocks[:-1], {**last, "text": text + notice(text)}]}


class MessageStream(ItemsStream):
    """Screens a streamed message.

    A block's end waits for the next event: only then it is known whether the block was the last, which the notice ends.
    """

    def __init__(self, *words: Any) -> None:
        super().__init__(*words)
        self._open: list[int] = []
        self._kinds = dict(_PIECES)
        self._stopped: Json | None = None
        self._held: list[Json] = []

    def events(self, event: Json) -> list[Json]:
        """Return what of an event may leave now, as events."""
        match event["type"]:
            case "ping":
                return [{"type": "ping"}]
            case "content_block_start":
                out = [*self._settled(), *self._started(event)]
            case "content_block_delta":
                out = [*self._settled(), *self._grown(event)]
            case "content_block_stop":
                out = [*self._settled(), *self._ended(event)]
            case "message_delta":
                out = self._settled(is_last=True)
                self._used(event)
                self._held.append(self._worded(event))
            case "message_stop":
                out, self.is_done = self._settled(is_last=True), True
            case _:
                self._used(event.get("message"))
                out = [self._worded(event)]
        return out if not self.is_refused else [one for one in out if one["type"] == "content_block_delta"]

    def piece_of(self, event: Json) -> Keys | None:
        """Return whose text an event says one piece of; a block's end before it would have been passed on with it."""
        delta = event.get("delta")
        if event["type"] != "content_block_delta" or not isinstance(delta, dict) or not delta.get("text"):
            return None
        keys = ("content", number(event, "index"), "text")
        is_alone = delta.keys() == {"type", "text"} and delta["type"] == _PIECES["text"]
        return keys if is_alone and keys in self._channels and keys not in self._closed else None

    def flush(self) -> bytes:
        """Return what still waits in blocks that the upstream never stopped."""
        return b"".join(written(one) for index in self._open for one in self._rest(index))

    def last(self, safebelt: Json) -> bytes:
        """Return what ends the message, with the `safebelt` field in its last event."""
        ending: list[Json] = []
        if self.is_refused:
            open_ = [*self._open, *([self._stopped["index"]] if self._stopped else [])]
            ending = [{"type": "content_block_stop", "index": index} for index in open_]
            usage = {"output_tokens": 0, **self.usage}
            self._held = [{"type": "message_delta", "delta": dict(_REFUSED), "usage": usage}]
        return b"".join(map(written, [*ending, *self._held, {"type": "message_stop", "safebelt": safebelt}]))

    def _used(self, node: Any) -> None:
        usage = node.get("usage") if isinstance(node, dict) else None
        if isinstance(usage, dict):
            self.usage = {**self.usage, **usage}

    def _started(self, event: Json) -> list[Json]:
        index, block = number(event, "index"), event.get("content_block")
        self._open.append(index)
        first = self._pieces(index, block, _PIECES) if isinstance(block, dict) else {}
        worded = self._worded({**event, "content_block": _without(block, first)})
        return [{**worded, "content_block": {**worded["content_block"], **first}} if first else worded]

    def _grown(self, event: Json) -> list[Json]:
        delta = event.get("delta")
        if not isinstance(delta, dict):
            return []
        names = [name for name, value in delta.items() if name not in _WHOLE and isinstance(value, str)]
        pieces = self._pieces(number(event, "index"), delta, names)
        worded = self._worded({**event, "delta": _without(delta, pieces)})
        self._kinds |= {name: str(worded["delta"].get("type")) for name in names if name not in _PIECES}
        if pieces and not any(pieces.values()):
            return []
        return [{**worded, "delta": {**worded["delta"], **pieces}}]

    def _pieces(self, index: int, node: Json, names: Iterable[str]) -> dict[str, str]:
        """Return what of a node's texts may leave now."""
        return {
            name: self._feed(("content", index, name), text, is_json=name == "partial_json") if text else ""
            for name in names
            if isinstance(text := node.get(name), str)
        }

    def _ended(self, event: Json) -> list[Json]:
        index = number(event, "index")
        out = self._rest(index)
        if not self.is_refused:
            self._open = [one for one in self._open if one != index]
            self._stopped = {"type": "content_block_stop", "index": index}
        return out

    def _rest(self, index: int) -> list[Json]:
        """Close a block's texts; return what they still had."""
        mine = [keys for keys in self._channels if keys[1] == index]
        return [self._piece(index, str(keys[2]), text) for keys in mine if (text := self._close(keys))]

    def _piece(self, index: int, name: str, text: str) -> Json:
        return {"type": "content_block_delta", "index": index, "delta": {"type": self._kinds[name], name: text}}

    def _settled(self, *, is_last: bool = False) -> list[Json]:
        """Return the end of the block before, with the notice where it was the last."""
        if self._stopped is None or self.is_refused:
            return []
        stopped, self._stopped = self._stopped, None
        text = self._passed(("content", stopped["index"], "text"))
        notice = self._notice(text) if is_last and text else ""
        return [*([self._piece(stopped["index"], "text", notice)] if notice else []), stopped]


def _without(node: Any, names: Mapping[str, str]) -> Any:
    return {name: value for name, value in node.items() if name not in names} if isinstance(node, dict) else node
