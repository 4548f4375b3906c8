"""OpenAI's `/v1/responses`: every item of the output that is a call, whole and streamed."""

from typing import Any

import msgspec

from safebelt.rooms.belt.model import ToolCall
from safebelt.rooms.belt.proxy.toolcalls.asking import (
    Asked,
    Bounds,
    Events,
    Json,
    Questions,
    Ruling,
    Whole,
    place_of,
    source_of,
    text_of,
)

_PARTS = ("response.function_call_arguments.", "response.custom_tool_call_input.", "response.mcp_call_arguments.")
"""Events that carry a call piece by piece."""
_ENDS = ("response.completed", "response.incomplete", "response.failed")


class ResponsesGate:
    """Finds the calls in responses.

    A call is an item whose type ends in `_call`.  `function_call` and `custom_tool_call` are known by the name of their
    tool; others (`computer_call`, `local_shell_call`, …) by their type without `_call`.
    """

    def __init__(self) -> None:
        self._bounds = Bounds()
        self._starts: dict[int, Json] = {}
        self._parts: dict[int, list[Json]] = {}
        self._judged: dict[bytes, Ruling] = {}

    def whole(self, body: Json) -> Whole:
        """Judge an answer that came in one piece, or the whole answer that ends a stream."""
        items = body.get("output")
        if not isinstance(items, list) or not any(map(_is_call, items)):
            return body
        new = [item for item in items if _is_call(item) and _identity(item) not in self._judged]
        for _ in new:
            self._bounds.call()
        yield from self._ask(new)
        rulings = {at: self._judged[_identity(item)] for at, item in enumerate(items) if _is_call(item)}
        judged = [_in_place(item, rulings[at]) if at in rulings else item for at, item in enumerate(items)]
        if any(ruling.is_allowed for ruling in rulings.values()) or body.get("status") == "in_progress":
            return {**body, "output": judged}
        return {**body, "output": judged, "status": "incomplete", "incomplete_details": {"reason": "content_filter"}}

    def take(self, chunk: Json) -> Events:
        """Take one event; an item that is a call waits until it is done."""
        kind, item = text_of(chunk.get("type")), chunk.get("item")
        place = place_of(chunk.get("output_index"))
        if kind == "response.output_item.added" and _is_call(item):
            self._bounds.call()
            self._starts[place] = chunk
        elif kind == "response.output_item.done" and _is_call(item):
            yield from self._done(chunk, place)
        elif kind.startswith(_PARTS):
            self._bounds.text(text_of(chunk.get("delta")))
            if kind.endswith(".delta"):
                self._parts.setdefault(place, []).append(chunk)
        elif isinstance(response := chunk.get("response"), dict):
            yield from self._framed(chunk, kind, response)
        elif place not in self._starts:  # how a call that waits goes on is nothing the caller knows of yet
            yield chunk

    def close(self) -> Events:
        """Calls that were never done have no whole that could be judged: they do not leave."""
        self._starts.clear()
        yield from ()

    def _done(self, chunk: Json, place: int) -> Events:
        item = chunk["item"]
        if place not in self._starts:
            self._bounds.call()
        self._bounds.text(_call_of(item).arguments)
        yield from self._ask([item])
        ruling = self._judged[_identity(item)]
        start = self._starts.pop(place, {**chunk, "type": "response.output_item.added"})
        parts = self._parts.pop(place, [])
        if ruling.is_allowed:
            yield {**start, "item": _begun(item)}
            yield from _written(item, chunk, parts)
            yield chunk
        else:
            yield from _told(start, chunk, ruling)

    def _framed(self, chunk: Json, kind: str, response: Json) -> Events:
        judged = yield from self.whole(response)
        if kind in _ENDS and judged.get("status") == "incomplete" != response.get("status"):
            chunk = {**chunk, "type": "response.incomplete"}
        yield {**chunk, "response": judged}

    def _ask(self, items: list[Json]) -> Questions:
        if not items:
            return
        asked = Asked([_call_of(item) for item in items])
        yield asked
        self._judged |= {_identity(item): ruling for item, ruling in zip(items, asked.rulings, strict=True)}


def _is_call(item: Any) -> bool:
    return isinstance(item, dict) and text_of(item.get("type")).endswith("_call")


def _identity(item: Json) -> bytes:
    """Return what a ruling is kept by: all that is judged, so that no other call passes under its name."""
    call = _call_of(item)
    judged = [item.get("type"), item.get("call_id"), item.get("id"), call.name, call.server, call.arguments]
    return msgspec.json.encode(judged)


def _call_of(item: Json) -> ToolCall:
    match item["type"]:
        case "function_call":
            return ToolCall(name=text_of(item.get("name")), arguments=source_of(item.get("arguments")))
        case "custom_tool_call":
            return ToolCall(name=text_of(item.get("name")), arguments=text_of(item.get("input")), is_json=False)
        case "mcp_call":
            server, arguments = text_of(item.get("server_label")), source_of(item.get("arguments"))
            return ToolCall(name=text_of(item.get("name")), arguments=arguments, server=server)
    about = {name: value for name, value in item.items() if name not in ("id", "type", "status", "call_id")}
    return ToolCall(name=str(item["type"]).removesuffix("_call"), arguments=msgspec.json.encode(about).decode())


def _field(item: Json) -> tuple[str, str]:
    """Return which field of an item grows, and in which events."""
    if item["type"] == "custom_tool_call":
        return "input", _PARTS[1]
    return "arguments", _PARTS[2] if item["type"] == "mcp_call" else _PARTS[0]


def _begun(item: Json) -> Json:
    """Return an item as its first event has it: begun, its text still empty."""
    name, _ = _field(item)
    return {**item, **({name: ""} if isinstance(item.get(name), str) else {}), "status": "in_progress"}


def _written(item: Json, chunk: Json, parts: list[Json]) -> Events:
    """Yield the text of a call in one piece; what is judged is what the item says when it is done."""
    name, kind = _field(item)
    if not isinstance(item.get(name), str):
        return
    part = parts[0] if parts else chunk
    at = {"sequence_number": part["sequence_number"]} if "sequence_number" in part else {}
    at |= {"item_id": item.get("id", ""), "output_index": chunk.get("output_index", 0)}
    yield {"type": f"{kind}delta", **at, "delta": item[name]}
    yield {"type": f"{kind}done", **at, name: item[name], **({"name": item["name"]} if "name" in item else {})}


def _message(item: Json, text: str) -> Json:
    content = [{"type": "output_text", "text": text, "annotations": []}] if text else []
    id_ = f"msg_{text_of(item.get('id')) or 'withheld'}"
    status = "completed" if text else "in_progress"
    return {"type": "message", "id": id_, "role": "assistant", "status": status, "content": content}


def _in_place(item: Json, ruling: Ruling) -> Json:
    return item if ruling.is_allowed else _message(item, ruling.text)


def _told(start: Json, chunk: Json, ruling: Ruling) -> Events:
    """Yield a message in the place of a call, with the events that a message has."""
    message, empty = _message(chunk["item"], ruling.text), _message(chunk["item"], "")
    number = {"sequence_number": chunk["sequence_number"]} if "sequence_number" in chunk else {}
    at = {**number, "item_id": message["id"], "output_index": chunk.get("output_index", 0), "content_index": 0}
    part = message["content"][0]
    yield {**start, "type": "response.output_item.added", "item": empty}
    yield {"type": "response.content_part.added", **at, "part": {**part, "text": ""}}
    yield {"type": "response.output_text.delta", **at, "delta": ruling.text, "logprobs": []}
    yield {"type": "response.output_text.done", **at, "text": ruling.text, "logprobs": []}
    yield {"type": "response.content_part.done", **at, "part": part}
    yield {**chunk, "item": message}
