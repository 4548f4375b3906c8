"""Chat completions: `tool_calls`, custom tools, and the older `function_call`, whole and streamed."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

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

_CALLS = ("tool_calls", "function_call")
_SPOKEN = ("message", "delta")
_REFUSED = "content_filter"
"""The interface's own word for content that was left out."""


class ChatGate:
    """Finds the calls in chat completions."""

    def __init__(self) -> None:
        self._bounds = Bounds()
        self._pending: dict[int, list[_Piece]] = {}
        self._frame: Json = {}

    def whole(self, body: Json) -> Whole:
        """Judge an answer that came in one piece."""
        choices = body.get("choices")
        if not isinstance(choices, list):
            return body
        judged = []
        for choice in choices:
            judged.append((yield from self._whole_choice(choice)))
        return {**body, "choices": judged}

    def _whole_choice(self, choice: Any) -> Generator[Asked, None, Any]:
        if not isinstance(choice, dict):
            return choice  # what it is, the screening says
        for spoken in _SPOKEN:
            message = choice.get(spoken)
            if isinstance(message, dict) and any(message.get(name) for name in _CALLS):
                message, is_left = yield from self._message(message)
                choice = {**choice, spoken: message}
                choice = choice if is_left else {**choice, "finish_reason": _REFUSED}
        return choice

    def _message(self, message: Json) -> Generator[Asked, None, tuple[Json, bool]]:
        items = list(_items_of(message))
        for _ in items:
            self._bounds.call()
        asked = Asked([_call_of(item) for item in items])
        yield asked
        rest = {name: value for name, value in message.items() if name not in _CALLS}
        kept = [item for item, ruling in zip(items, asked.rulings, strict=True) if ruling.is_allowed]
        told = [ruling for ruling in asked.rulings if not ruling.is_allowed]
        tools = [item for item in kept if item is not message.get("function_call")]
        legacy = {"function_call": message["function_call"]} if len(tools) < len(kept) else {}
        spoken = {**rest, **({"tool_calls": tools} if tools else {}), **legacy}
        return ({**spoken, "content": _with(rest.get("content"), told)} if told else spoken), bool(kept) or not told

    def take(self, chunk: Json) -> Events:
        """Take one event; pieces of calls wait until their choice ends."""
        choices = chunk.get("choices")
        self._frame = {name: value for name, value in chunk.items() if name not in ("choices", "usage")}
        if not isinstance(choices, list) or not self._concerns(choices):
            yield chunk
            return
        stripped = [self._stripped(choice) for choice in choices]
        if speaking := [{**choice, "finish_reason": None} for choice in stripped if _says(choice)]:
            yield {**chunk, "choices": speaking}
        ends = [choice for choice in stripped if choice.get("finish_reason")]
        for choice in ends:
            yield from self._ending(choice)
        if "usage" in chunk and not ends:
            yield {**chunk, "choices": []}

    def close(self) -> Events:
        """Judge the calls of choices that were never ended."""
        for index in sorted(self._pending):
            yield from self._ending({"index": index, "finish_reason": None})

    def _concerns(self, choices: list[Any]) -> bool:
        """Whether there is anything for us: a piece of a call, or the end of a choice that has some."""
        return all(isinstance(choice, dict) for choice in choices) and any(
            _has_calls(choice) or (choice.get("finish_reason") and _index(choice) in self._pending)
            for choice in choices
        )

    def _stripped(self, choice: Json) -> Json:
        """Keep the pieces of calls; return the choice without them."""
        if not _has_calls(choice):
            return choice
        spoken = {name: choice[name] for name in _SPOKEN if isinstance(choice.get(name), dict)}
        pieces = self._pending.setdefault(_index(choice), [])
        for said in spoken.values():
            for item, place in _placed(said):
                self._add(pieces, item, place)
        rest = {name: {key: each for key, each in said.items() if key not in _CALLS} for name, said in spoken.items()}
        return {**choice, **rest}

    def _add(self, pieces: "list[_Piece]", item: Any, place: int) -> None:
        """Put a piece to the call it belongs to; another id at the same place is another call."""
        id_ = text_of(item.get("id")) if isinstance(item, dict) else ""
        mine = next((piece for piece in reversed(pieces) if piece.place == place), None)
        if mine is None or (id_ and mine.id and id_ != mine.id):
            self._bounds.call()
            mine = _Piece(place=place)
            pieces.append(mine)
        mine.add(item, self._bounds)

    def _ending(self, choice: Json) -> Events:
        """Ask for all calls of a choice at once; yield those that may go on, each whole, then the choice's end."""
        pieces = self._pending.pop(_index(choice), [])
        asked = Asked([piece.call() for piece in pieces])
        if pieces:
            yield asked
        told = [ruling for ruling in asked.rulings if not ruling.is_allowed]
        kept = [piece for piece, ruling in zip(pieces, asked.rulings, strict=True) if ruling.is_allowed]
        for delta in _deltas(kept, told):
            yield {**self._frame, "choices": [{"index": _index(choice), "delta": delta, "finish_reason": None}]}
        reason = _REFUSED if told and not kept else choice.get("finish_reason")
        if reason:
            yield {**self._frame, "choices": [{**_end_of(choice), "finish_reason": reason}]}


_LEGACY = -1
"""Place of the one `function_call` that a message can have."""


@dataclass(slots=True)
class _Piece:
    """One call as it grows.  A client puts the pieces of every text together, so what is judged is put together too."""

    place: int
    id: str = ""
    kind: str = ""
    name: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)

    @property
    def is_legacy(self) -> bool:
        """Whether it is the message's one `function_call`."""
        return self.place == _LEGACY

    def add(self, item: Any, bounds: Bounds) -> None:
        """Take a piece; what is no call's form adds nothing, and a call without a name is denied."""
        if not isinstance(item, dict):
            return
        self.id = self.id or bounds.text(text_of(item.get("id")))
        kind = text_of(item.get("type"))
        self.kind = self.kind or kind or ("custom" if isinstance(item.get("custom"), dict) else "")
        inner = item if self.is_legacy else item.get("custom" if self.kind == "custom" else "function")
        if isinstance(inner, dict):
            self.name.append(bounds.text(text_of(inner.get("name"))))
            field_ = "input" if self.kind == "custom" else "arguments"
            self.arguments.append(bounds.text(source_of(inner.get(field_))))

    def call(self) -> ToolCall:
        """Return it whole."""
        return ToolCall(name="".join(self.name), arguments="".join(self.arguments), is_json=self.kind != "custom")

    def delta(self, place: int) -> Json:
        """Return the one piece that carries all of it."""
        whole = self.call()
        if self.is_legacy:
            return {"function_call": {"name": whole.name, "arguments": whole.arguments}}
        named = "custom" if self.kind == "custom" else "function"
        inner = {"name": whole.name, ("input" if named == "custom" else "arguments"): whole.arguments}
        item = {"index": place, "id": self.id, "type": self.kind or "function", named: inner}
        return {"tool_calls": [item]}


def _deltas(kept: list[_Piece], told: list[Ruling]) -> Iterator[Json]:
    """Yield the calls that go on, numbered anew without gaps, and what stands in the place of the others."""
    for place, piece in enumerate(kept):
        yield piece.delta(place)
    if told:
        yield {"content": _with("", told)}


def _items_of(message: Json) -> Iterator[Any]:
    """Yield the calls of a message, whatever they look like."""
    calls = message.get("tool_calls")
    if calls:
        yield from calls if isinstance(calls, list) else [calls]
    if message.get("function_call"):
        yield message["function_call"]


def _placed(message: Json) -> Iterator[tuple[Any, int]]:
    """Yield the pieces of calls in a delta, with their places."""
    calls = message.get("tool_calls")
    for at, item in enumerate(calls if isinstance(calls, list) else [calls] if calls else []):
        yield item, place_of(item.get("index") if isinstance(item, dict) else None, at)
    if message.get("function_call"):
        yield message["function_call"], _LEGACY


def _call_of(item: Any) -> ToolCall:
    """Return a whole call; without a name where it has no form that we know."""
    if not isinstance(item, dict):
        return ToolCall(name="", arguments="")
    is_custom = isinstance(item.get("custom"), dict)
    inner = item["custom"] if is_custom else item.get("function", item)
    if not isinstance(inner, dict) or (is_custom and "function" in item):  # it may be read either way
        return ToolCall(name="", arguments="")
    arguments = inner.get("input" if is_custom else "arguments")
    return ToolCall(name=text_of(inner.get("name")), arguments=source_of(arguments), is_json=not is_custom)


def _has_calls(choice: Json) -> bool:
    spoken = [choice[name] for name in _SPOKEN if isinstance(choice.get(name), dict)]
    return any(said.get(name) for said in spoken for name in _CALLS)


def _index(choice: Json) -> int:
    return place_of(choice.get("index"))


def _says(choice: Json) -> bool:
    spoken = [choice[name] for name in _SPOKEN if isinstance(choice.get(name), dict)]
    return any(value not in (None, "", [], {}) for said in spoken for value in said.values())


def _end_of(choice: Json) -> Json:
    """Return the end of a choice without what it said; that has left already."""
    return {**{name: value for name, value in choice.items() if name not in (*_SPOKEN, "logprobs")}, "delta": {}}


def _with(content: Any, told: list[Ruling]) -> Any:
    """Return what was said with what stands in the place of calls that were taken out."""
    text = "\n\n".join(ruling.text for ruling in told)
    if isinstance(content, list):
        return [*content, {"type": "text", "text": text}]
    return f"{content}\n\n{text}" if content else text
