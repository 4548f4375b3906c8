"""Anthropic's `/v1/messages`: `tool_use` blocks and those that run at the upstream, whole and streamed."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from safebelt.rooms.belt.model import ToolCall
from safebelt.rooms.belt.proxy.toolcalls.asking import (
    Asked,
    Bounds,
    Events,
    Json,
    Ruling,
    Whole,
    place_of,
    source_of,
    text_of,
)

_REFUSED = "refusal"
"""The interface's own word for an answer that a guard broke off."""


class MessagesGate:
    """Finds the calls in Anthropic messages."""

    def __init__(self) -> None:
        self._bounds = Bounds()
        self._pending: dict[int, _Block] = {}
        self._kept = self._refused = 0

    def whole(self, body: Json) -> Whole:
        """Judge an answer that came in one piece."""
        blocks = body.get("content")
        if not isinstance(blocks, list) or not any(map(_is_call, blocks)):
            return body
        calls = [block for block in blocks if _is_call(block)]
        for _ in calls:
            self._bounds.call()
        asked = Asked([_call_of(block) for block in calls])
        yield asked
        rulings = iter(asked.rulings)
        judged = [_judged(block, next(rulings)) if _is_call(block) else block for block in blocks]
        is_left = any(ruling.is_allowed for ruling in asked.rulings)
        return {**body, "content": judged, **({} if is_left else {"stop_reason": _REFUSED})}

    def take(self, chunk: Json) -> Events:
        """Take one event; a block that is a call waits until it stops."""
        place = place_of(chunk.get("index"))
        match chunk.get("type"):
            case "content_block_start" if _is_call(chunk.get("content_block")):
                self._bounds.call()
                yield from self._judge(self._pending.pop(place, None))  # one never stopped
                self._pending[place] = _Block(place=place, start=dict(chunk["content_block"]))
            case "content_block_delta" if place in self._pending:
                self._pending[place].add(chunk.get("delta"), self._bounds)
            case "content_block_stop" if place in self._pending:
                yield from self._judge(self._pending.pop(place))
            case "message_delta":
                yield from self.close()
                yield self._ended(chunk)
            case "message_stop":
                yield from self.close()
                yield chunk
            case _:
                yield chunk

    def close(self) -> Events:
        """Judge blocks that were never stopped."""
        for place in sorted(self._pending):
            yield from self._judge(self._pending.pop(place))

    def _judge(self, block: "_Block | None") -> Events:
        if block is None:
            return
        asked = Asked([block.call()])
        yield asked
        (ruling,) = asked.rulings
        self._kept += ruling.is_allowed
        self._refused += not ruling.is_allowed
        yield from block.events(ruling)

    def _ended(self, chunk: Json) -> Json:
        """Return the end of the message; where no call is left, it says that the answer was broken off."""
        delta = chunk.get("delta")
        if not self._refused or self._kept or not isinstance(delta, dict):
            return chunk
        return {**chunk, "delta": {**delta, "stop_reason": _REFUSED}}


@dataclass(slots=True)
class _Block:
    place: int
    start: Json
    parts: list[str] = field(default_factory=list)

    def add(self, delta: Any, bounds: Bounds) -> None:
        """Take a piece of the input."""
        if isinstance(delta, dict):
            self.parts.append(bounds.text(text_of(delta.get("partial_json"))))

    def call(self) -> ToolCall:
        """Return it whole: the pieces, or what its start had where no piece came."""
        arguments = "".join(self.parts) or source_of(self.start.get("input"))
        return ToolCall(name=text_of(self.start.get("name")), arguments=arguments)

    def events(self, ruling: Ruling) -> list[Json]:
        """Return the events of the whole block, or of a text in its place."""
        if ruling.is_allowed:
            block: Json = {**self.start, "input": {}}
            delta: Json = {"type": "input_json_delta", "partial_json": self.call().arguments}
        else:
            block, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": ruling.text}
        at = {"index": self.place}
        return [
            {"type": "content_block_start", **at, "content_block": block},
            {"type": "content_block_delta", **at, "delta": delta},
            {"type": "content_block_stop", **at},
        ]


def _is_call(block: Any) -> bool:
    """Whether a block is a call: `tool_use`, `server_tool_use`, `mcp_tool_use` and what may yet come."""
    return isinstance(block, dict) and text_of(block.get("type")).endswith("tool_use")


def _call_of(block: Json) -> ToolCall:
    return ToolCall(name=text_of(block.get("name")), arguments=msgspec.json.encode(block.get("input")).decode())


def _judged(block: Json, ruling: Ruling) -> Json:
    return block if ruling.is_allowed else {"type": "text", "text": ruling.text}
