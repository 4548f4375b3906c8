"""OpenAI's `/v1/responses`, whole and streamed.

A stream says each text several times: piece by piece, then whole with its part, its item, and the whole response.  All
of them are screened, and come to the same, because a text comes to the same however it is cut.
"""

from collections.abc import Mapping
from typing import Any

from safebelt.rooms.belt.proxy.exchange import Exchange
from safebelt.rooms.belt.proxy.items import ItemsAnswer, ItemsStream, Json, number, written
from safebelt.rooms.belt.proxy.leaves import TREE_JSON, Keys, rewrite_tree
from safebelt.rooms.belt.proxy.notices import NoticeFor
from safebelt.rooms.belt.proxy.screens import ChannelOpener, WholeAnswer
from safebelt.rooms.belt.proxy.steps import Streamed

_REFUSED: Mapping[str, Any] = {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}
"""The interface's own words for an answer that a guard broke off."""
_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})
_TEXT = "response.output_text"
_WHOLE_FIELDS = ("text", "arguments", "refusal", "input", "code", "transcript")
"""Where the event that ends a text has it whole."""


class Responses(Exchange):
    """`/v1/responses`."""

    def _whole_screen(self, *, is_json: bool) -> WholeAnswer:
        return ResponseAnswer(self._scanner, self._caller.harness, is_json=is_json)

    def _streamed(self, opener: ChannelOpener) -> Streamed:
        return ResponseStream(opener, opener.words, self._notice)

    async def _finished(self, body: Json) -> Json:
        return body if body.get("status") == "incomplete" else noticed(body, self._notice)


class ResponseAnswer(ItemsAnswer):
    """Screens a whole response."""

    refused = _REFUSED


def noticed(node: Any, notice: NoticeFor) -> Any:
    """End each text that is the answer itself with the notice."""
    match node:
        case dict() if node.get("type") == "output_text" and isinstance(text := node.get("text"), str):
            return {**node, "text": text + notice(text)}
        case dict():
            return {name: noticed(value, notice) for name, value in node.items()}
        case list():
            return [noticed(item, notice) for item in node]
    return node


class ResponseStream(ItemsStream):
    """Screens a streamed response."""

    def __init__(self, *words: Any) -> None:
        super().__init__(*words)
        self._frame: Json = {}
        self._held: Json | None = None
        self._sequence = 0

    def events(self, event: Json) -> list[Json]:
        """Return what of an event may leave now, as events."""
        if self.is_refused:
            return []
        kind = event["type"]
        if kind in _ENDS:
            self._end(event)
            return []
        if kind.endswith(".delta") and isinstance(event.get("delta"), str):
            return self._numbered(self._grown(event))
        if kind.endswith(".delta") and isinstance(event.get("delta"), dict):
            return self._numbered(self._grown_within(event, event["delta"]))
        if kind.endswith(".done") and any(isinstance(event.get(name), str) for name in _WHOLE_FIELDS):
            return self._numbered(self._whole(event))
        again = self._again(event)
        if isinstance(response := again.get("response"), dict):
            self._frame = response
        return [] if self._is_refused or self._words.is_refused else self._numbered([again])

    def flush(self) -> bytes:
        """Return what still waits in texts that the upstream never ended."""
        rest = [self._piece(keys, text) for keys in list(self._channels) if (text := self._close(keys))]
        return b"".join(map(written, self._numbered(rest)))

    def last(self, safebelt: Json) -> bytes:
        """Return the event that ends the response, with the `safebelt` field."""
        held = self._held
        if held is None or self.is_refused:
            response = {**self._frame, **_REFUSED, "output": self._passed_items()}
            held = {"type": "response.incomplete", "response": response}
        said = {**held, "response": {**held["response"], "safebelt": safebelt}}
        return b"".join(map(written, self._numbered([said])))

    def _end(self, event: Json) -> None:
        self.is_done = True
        again = self._again(event)
        response = again.get("response")
        again["response"] = response = response if isinstance(response, dict) else {}
        if isinstance(usage := response.get("usage"), dict):
            self.usage = usage
        self._held = again

    def _grown(self, event: Json) -> list[Json]:
        keys = _keys(event, event["type"].removesuffix(".delta"))
        text = self._feed(keys, event["delta"], is_json=_is_json(keys))
        worded = self._worded({name: value for name, value in event.items() if name != "delta"})
        worded.pop("logprobs", None)  # they would spell out what waits
        return [{**worded, "delta": text}] if text else []

    def _grown_within(self, event: Json, delta: Json) -> list[Json]:
        """Return what may leave of an event whose piece is an object: each string of it is a piece of its own text."""
        way = _keys(event, event["type"].removesuffix(".delta"))[:-1]
        texts = {
            name: self._feed((*way, "delta", name), text, is_json=False)
            for name, text in delta.items()
            if isinstance(text, str) and text and name != "type"
        }
        worded = self._worded({**event, "delta": {name: value for name, value in delta.items() if name not in texts}})
        return [{**worded, "delta": {**worded["delta"], **texts}}] if not texts or any(texts.values()) else []

    def _whole(self, event: Json) -> list[Json]:
        """Return the event that ends a text, behind what of the text still waited, and the notice."""
        kind = event["type"].removesuffix(".done")
        keys = _keys(event, kind)
        name = next(name for name in _WHOLE_FIELDS if isinstance(event.get(name), str))
        late = "" if keys in self._channels else self._feed(keys, event[name], is_json=_is_json(keys))
        late += self._close(keys)
        if self.is_refused:
            return [self._piece(keys, late)] if late else []
        passed = self._passed(keys)
        notice = self._notice(passed) if kind == _TEXT else ""
        worded = self._worded({key: value for key, value in event.items() if key != name})
        worded.pop("logprobs", None)
        pieces = [{**worded, "type": f"{kind}.delta", "delta": piece} for piece in (late, notice) if piece]
        return [*pieces, {**worded, name: passed + notice}]

    def _again(self, event: Json) -> Json:
        """Return an event whose texts were said before, or come whole: each is screened, and gets the notice."""
        is_ended = event["type"].endswith(".done") or event["type"] == "response.completed"
        judged: Json = rewrite_tree(event, (), self._screened_again, self._words)
        judged["type"] = event["type"]
        return noticed(judged, self._notice) if is_ended else judged

    def _screened_again(self, keys: Keys, text: str, is_json: bool) -> str:
        """Screen a whole text as its pieces were: a channel of its own, whose findings are counted once."""
        said = any(text == "".join(one.said) for one in self._channels.values())
        path = f"{'.'.join(key for key in keys if isinstance(key, str))}"
        screen, _ = self._open_channel(path, is_json)
        passed = [screen.feed(text), screen.close()]
        if not said:
            self._hits += [hit for one in passed for hit in one.hits]
            self._is_refused |= any(one.is_refused for one in passed)
        return "".join(one.text for one in passed)

    def _piece(self, keys: Keys, text: str) -> Json:
        kind, item, part = keys[2], keys[1], keys[3]
        said = {keys[-1]: text} if keys[-2] == "delta" else text
        return {"type": f"{kind}.delta", "output_index": item, "content_index": part, "delta": said}

    def _passed_items(self) -> list[Json]:
        """Return what of the answer left, as the item that a whole response would have."""
        texts = [self._passed(keys) for keys in self._channels if keys[2] == _TEXT]
        content = [{"type": "output_text", "text": text, "annotations": []} for text in texts if text]
        if not content:
            return []
        return [{"type": "message", "id": "msg_0", "role": "assistant", "status": "incomplete", "content": content}]

    def _numbered(self, events: list[Json]) -> list[Json]:
        """Number events anew: pieces were held back, joined, or added."""
        out = []
        for event in events:
            out.append({**event, "sequence_number": self._sequence})
            self._sequence += 1
        return out


def _keys(event: Json, kind: str) -> Keys:
    part = "summary_index" if "summary_index" in event else "content_index"
    return ("output", number(event, "output_index"), kind, number(event, part), "text")


def _is_json(keys: Keys) -> bool:
    return str(keys[2]).rpartition("_")[2] in TREE_JSON
