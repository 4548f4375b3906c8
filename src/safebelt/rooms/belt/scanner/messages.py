"""The texts in OpenAI-style messages: where they stand, how to put others in their place, and what cannot be read.

Only texts are touched: fields that are not known pass as they are.  What is known to carry content but is no text
(images, sound, files, token arrays) is named, so that it is never taken for clean.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Keys = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One text in a body.

    Attributes:
        keys: Keys and indexes that lead to it.
        text: The text.
        is_json: It is JSON source, as the arguments of a tool call are.
    """

    keys: Keys
    text: str
    is_json: bool = False

    @property
    def path(self) -> str:
        """The way to it, for people: `messages[1].content[0].text`."""
        return path_of(self.keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Content that no text rule can read."""

    keys: Keys
    kind: str

    @property
    def path(self) -> str:
        """Where it stands and what it is: `messages[0].content[1] (image_url)`."""
        return f"{path_of(self.keys)} ({self.kind})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All texts of a body, and the paths of what cannot be read."""

    parts: tuple[Part, ...]
    not_evaluated: tuple[str, ...]


def path_of(keys: Keys) -> str:
    """Write keys as a path: `("messages", 1, "content")` is `messages[1].content`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")


def read_request(body: Mapping[str, Any]) -> Reading:
    """Read the body of a chat completion, completion or embedding request."""
    return _reading(_request(body))


def rewrite(body: Any, texts: Iterable[tuple[Part, str]]) -> Any:
    """Return the body with other texts in the places of parts; everything else is the same object as before."""
    for part, text in texts:
        if text != part.text:
            body = _put(body, part.keys, text)
    return body


def _put(node: Any, keys: Keys, text: Any) -> Any:
    """Copy only the nodes on the way."""
    if not keys:
        return text
    copy = list(node) if isinstance(node, list) else dict(node)
    copy[keys[0]] = _put(node[keys[0]], keys[1:], text)  # type: ignore[index]  # lists by int, objects by str
    return copy


def _reading(found: Iterator[Part | Unread]) -> Reading:
    items = list(found)
    return Reading(
        parts=tuple(item for item in items if isinstance(item, Part) and item.text),
        not_evaluated=tuple(item.path for item in items if isinstance(item, Unread)),
    )


def _items(node: Any, keys: Keys) -> Iterator[tuple[Keys, Any]]:
    if isinstance(node, list):
        for place, item in enumerate(node):
            yield (*keys, place), item


def _strings(node: Any, keys: Keys) -> Iterator[Part]:
    """Every string in a tree: schemas, metadata."""
    if isinstance(node, str):
        yield Part(keys=keys, text=node)
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _strings(value, (*keys, key))
    for where, item in _items(node, keys):
        yield from _strings(item, where)


def _request(body: Mapping[str, Any]) -> Iterator[Part | Unread]:
    for keys, message in _items(body.get("messages"), ("messages",)):
        yield from _message(message, keys)
    if body.get("system") is not None:
        yield from _content(body["system"], ("system",))
    for field in ("prompt", "input", "suffix"):
        yield from _texts_or_tokens(body.get(field), (field,))
    for field in ("tools", "functions", "response_format", "metadata", "user", "stop", "instructions"):
        yield from _strings(body.get(field), (field,))
    if body.get("input_reference") is not None:  # a picture or film that a film begins with
        yield Unread(keys=("input_reference",), kind="file")
    if isinstance(body.get("file"), dict):  # sound that is to be written down
        yield Unread(keys=("file",), kind="audio")
    prediction = body.get("prediction")
    if isinstance(prediction, dict):
        yield from _content(prediction.get("content"), ("prediction", "content"))


def _texts_or_tokens(node: Any, keys: Keys) -> Iterator[Part | Unread]:
    """A text, a list of texts, or token ids, which no text rule can read."""
    if isinstance(node, str):
        yield Part(keys=keys, text=node)
    elif isinstance(node, list) and node and all(isinstance(item, int) for item in node):
        yield Unread(keys=keys, kind="tokens")
    elif isinstance(node, list):
        for where, item in _items(node, keys):
            yield from _texts_or_tokens(item, where)
    elif node is not None:
        yield from _content_part(node, keys)


def _message(message: Any, keys: Keys) -> Iterator[Part | Unread]:
    if not isinstance(message, dict):
        if message is not None:
            yield Unread(keys=keys, kind=type(message).__name__)
        return
    yield from _content(message.get("content"), (*keys, "content"))
    yield from _strings_at(message, keys, "name", "reasoning_content", "reasoning", "refusal")
    yield from _call(message.get("function_call"), (*keys, "function_call"))
    for where, call in _items(message.get("tool_calls"), (*keys, "tool_calls")):
        yield from _tool_call(call, where)
    audio = message.get("audio")
    if isinstance(audio, dict):
        yield Unread(keys=(*keys, "audio"), kind="audio")
        yield from _strings_at(audio, (*keys, "audio"), "transcript")


def _strings_at(node: Mapping[str, Any], keys: Keys, *fields: str) -> Iterator[Part]:
    for field in fields:
        if isinstance(node.get(field), str):
            yield Part(keys=(*keys, field), text=node[field])


def _tool_call(call: Any, keys: Keys) -> Iterator[Part | Unread]:
    if isinstance(call, dict):
        yield from _call(call.get("function"), (*keys, "function"))
        custom = call.get("custom")
        if isinstance(custom, dict):
            yield from _strings_at(custom, (*keys, "custom"), "name", "input")


def _call(call: Any, keys: Keys) -> Iterator[Part]:
    if isinstance(call, dict):
        yield from _strings_at(call, keys, "name")
        if isinstance(call.get("arguments"), str):
            yield Part(keys=(*keys, "arguments"), text=call["arguments"], is_json=True)


def _content(content: Any, keys: Keys) -> Iterator[Part | Unread]:
    if isinstance(content, str):
        yield Part(keys=keys, text=content)
    elif isinstance(content, list):
        for where, item in _items(content, keys):
            yield from _content_part(item, where)
    elif content is not None:
        yield Unread(keys=keys, kind=type(content).__name__)


_HOLDERS = ("role", "content", "arguments", "output", "summary")
"""Fields by which an item of `/v1/responses` or `/v1/messages` holds texts of its own: a message, a call, its result,
a summary of reasoning, a document."""


def _holder(item: Mapping[str, Any], keys: Keys) -> Iterator[Part | Unread]:
    """An item that holds texts: a message, or a call and what came of it."""
    yield from _call(item, keys)
    names = [name for name in ("content", "output", "summary") if item.get(name) is not None]
    for name in names:
        yield from _content(item[name], (*keys, name))
    yield from _strings_at(item, keys, "text", "thinking", "refusal")


def _content_part(item: Any, keys: Keys) -> Iterator[Part | Unread]:
    """One part of a content list: a text, or something that is named as not read."""
    if isinstance(item, str):
        yield Part(keys=keys, text=item)
        return
    if isinstance(item, dict) and any(name in item for name in _HOLDERS):
        yield from _holder(item, keys)
        return
    fields = ("text", "refusal", "thinking", "input_text", "output_text")
    texts = list(_strings_at(item, keys, *fields)) if isinstance(item, dict) else []
    yield from texts
    if not texts:
        yield Unread(keys=keys, kind=str(item.get("type", "object")) if isinstance(item, dict) else type(item).__name__)
