"""Every text in a model's answer, wherever it stands: content, reasoning, tool arguments, fields not yet known.

There are two kinds.  *Speech* is what a model says; it grows while it streams and is screened as one text.  *Words*
are everything else that is text (ids, roles, fingerprints, metadata, the names of fields); each stands whole in one
piece.  No string is exempt, so a field that an upstream invents tomorrow is screened today.  Nor is a long number where
contents are: a mobile number may come bare, in the input of a tool.  Times and sizes beside them are only measured.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

Keys = tuple[str | int, ...]
"""The way to a text of speech: the choice's index, then names and indexes."""
Speech = Callable[[Keys, str, bool], str]
"""`(keys, text, is JSON source)` → the text to pass on."""
Word = Callable[[str], str]
"""One whole string → the string to pass on."""
Test = Callable[[str], bool]
"""One whole string → whether it passes as it is."""

TREE_JSON = frozenset({"arguments", "partial_json"})
TREE_SPEECH = frozenset({"text", "thinking", "refusal", "transcript", *TREE_JSON})
"""Fields that hold what a model says, in the interfaces whose answers are trees of items."""
_SPEECH = ("message", "delta", "text")
_PROTOCOL = frozenset({"role", "id", "type", "object", "finish_reason", "stop_reason", "tool_call_id"})
"""Within speech: strings that come whole, not piece by piece."""
_VECTOR = re.compile(r"[A-Za-z0-9+/]{64,}={0,2}")
"""An embedding in base64: numbers, not text, and never few."""
_LONG_NUMBER = 10_000_000
"""Numbers from eight digits on are read as text, as in the arguments of a tool call."""
_MEASURED = frozenset({"created", "created_at", "completed_at", "expires_at", "usage", "sequence_number", "timings"})
"""Fields of an answer itself whose numbers are times and sizes."""
_ANSWERS = frozenset({"response", "message"})
"""Where an event of a stream has the answer."""


def rewrite_choice(choice: dict[str, Any], index: int, speech: Speech, word: Word) -> dict[str, Any]:
    """Return a choice with all its texts judged.

    Args:
        choice: One of `choices`; `message`, `delta` or `text` is what the model said.
        index: The choice's index.
        speech: Judges a text of the model; called in the order of the fields.
        word: Judges every other string.
    """
    out: dict[str, Any] = {}
    for key, value in choice.items():
        if key in _SPEECH:
            out[key] = _rewrite(value, (index, key), speech, word)
        else:
            out[word(key)] = value if key == "logprobs" else rewrite_words(value, word)
    if choice.get("logprobs"):
        is_untouched = all(out[key] == choice[key] for key in _SPEECH if key in choice)
        out["logprobs"] = _tellable(choice["logprobs"], word) if is_untouched else None  # they would spell it out
    return out


def is_plain_choice(choice: dict[str, Any], index: int, passes: Callable[[Keys, str, bool], bool], word: Test) -> bool:
    """Whether `rewrite_choice` would give back just what it got; says no where it would have to look closer.

    Args:
        choice: One of `choices`.
        index: Its index.
        passes: Whether a text of the model passes as it is; asked in the order of the fields.
        word: Whether any other string does.
    """
    for key, value in choice.items():
        if key in _SPEECH:
            if not _is_plain_speech(value, (index, key), passes, word):
                return False
        elif not word(key) or (key == "logprobs" and value) or not are_plain_words(value, word):
            return False
    return True


def are_plain_words(node: Any, word: Test) -> bool:
    """Whether `rewrite_words` would give back just what it got; says no where it would have to look closer."""
    match node:
        case None | bool() | int() | float():
            return True
        case str():
            return word(node)
        case dict():
            return all(
                word(name) and name != "embedding" and are_plain_words(value, word) for name, value in node.items()
            )
        case list():
            return all(are_plain_words(item, word) for item in node)
    return False


def is_long_number(node: Any) -> bool:
    """Whether a number is as long as a telephone's: shorter ones are settings, and name nobody."""
    return type(node) in (int, float) and abs(node) >= _LONG_NUMBER


def strings_in(body: Any) -> list[tuple[Keys, str, bool]]:
    """Return every string, every long number as text and every name of a field: `(keys, text, is a name)`."""
    found: list[tuple[Keys, str, bool]] = []
    _collect(body, (), found)
    return found


def _collect(node: Any, keys: Keys, found: list[tuple[Keys, str, bool]]) -> None:
    if isinstance(node, str):
        found.append((keys, node, False))
    elif isinstance(node, dict):
        for name, value in node.items():
            way = (*keys, name)
            found.append((way, name, True))
            _collect(value, way, found)
    elif isinstance(node, list):
        for at, item in enumerate(node):
            _collect(item, (*keys, at), found)
    elif is_long_number(node):
        found.append((keys, str(node), False))


def _number(node: Any, word: Word) -> Any:
    """Return a number as it may be passed on: as it is, or as the text that stands for it."""
    text = str(node)
    judged = word(text)
    return node if judged == text else judged


def _is_measured(keys: Keys) -> bool:
    at = 1 if keys and keys[0] in _ANSWERS else 0
    return len(keys) > at and keys[at] in _MEASURED


def _is_plain_speech(node: Any, keys: Keys, passes: Callable[[Keys, str, bool], bool], word: Test) -> bool:
    match node:
        case str() if keys[-1] in _PROTOCOL:
            return word(node)
        case str():
            return not node or passes(keys, node, keys[-1] == "arguments")
        case dict():
            return all(
                word(name) and _is_plain_speech(value, (*keys, name), passes, word) for name, value in node.items()
            )
        case list():
            return all(_is_plain_speech(item, (*keys, _place(item, at)), passes, word) for at, item in enumerate(node))
    return not is_long_number(node)


def rewrite_tree(node: Any, keys: Keys, speech: Speech, word: Word) -> Any:
    """Return an answer without choices with all its texts judged: those in `TREE_SPEECH` are the model's.

    Args:
        node: The answer, or a part of it.
        keys: The way to it.
        speech: Judges a text of the model.
        word: Judges every other string.
    """
    match node:
        case str() if node and keys and keys[-1] in TREE_SPEECH:
            return speech(keys, node, keys[-1] in TREE_JSON)
        case str():
            return word(node)
        case dict():
            return {word(name): rewrite_tree(value, (*keys, name), speech, word) for name, value in node.items()}
        case list():
            return [rewrite_tree(item, (*keys, at), speech, word) for at, item in enumerate(node)]
    return _number(node, word) if is_long_number(node) and not _is_measured(keys) else node


def rewrite_words(node: Any, word: Word) -> Any:
    """Return a tree with every string and every name of a field judged by itself."""
    match node:
        case str():
            return word(node)
        case dict():
            return {
                word(name): value if _is_vector(name, value) else rewrite_words(value, word)
                for name, value in node.items()
            }
        case list():
            return [rewrite_words(item, word) for item in node]
    return node


def _rewrite(node: Any, keys: Keys, speech: Speech, word: Word) -> Any:
    match node:
        case str() if keys[-1] in _PROTOCOL:
            return word(node)
        case str() if node:
            return speech(keys, node, keys[-1] == "arguments")
        case dict():
            return {word(name): _rewrite(value, (*keys, name), speech, word) for name, value in node.items()}
        case list():
            return [_rewrite(item, (*keys, _place(item, at)), speech, word) for at, item in enumerate(node)]
    return _number(node, word) if is_long_number(node) else node


def _is_vector(name: str, value: Any) -> bool:
    if name != "embedding":
        return False
    if isinstance(value, list):
        return all(isinstance(item, float | int) and not is_long_number(item) for item in value)
    return isinstance(value, str) and len(value) % 4 == 0 and _VECTOR.fullmatch(value) is not None


def _tellable(logprobs: Any, word: Word) -> Any:
    """Return log probabilities, unless their tokens, in a row or one by one, hold what must not be passed on."""
    tokens = list(_tokens(logprobs))
    return logprobs if all(word(text) == text for text in ("".join(tokens), "\n".join(tokens))) else None


def _tokens(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for name, value in node.items():
            yield from (() if name in ("token", "tokens", "content", "top_logprobs") else (name,))
            yield from _tokens(value)
    elif isinstance(node, list):
        for item in node:
            yield from _tokens(item)


def _place(item: Any, at: int) -> int:
    """Return the index that an item gives itself, as streamed tool calls do, or its place."""
    index: Any = item.get("index") if isinstance(item, dict) else None
    return int(index) if is_index(index) else at


def is_index(value: Any) -> bool:
    """Whether a value can be an index; `true` is a number in Python, but none on the wire."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def nested(keys: Keys, text: str) -> dict[str, Any]:
    """Return a streamed choice that carries one more piece of text where `rewrite_choice` found it.

    Example:
        >>> nested((0, "delta", "tool_calls", 1, "arguments"), "x")
        {'index': 0, 'delta': {'tool_calls': [{'index': 1, 'arguments': 'x'}]}, 'finish_reason': None}
    """
    value: Any = text
    for key in reversed(keys[1:]):
        value = {key: value} if isinstance(key, str) else [_at(key, value)]
    return {"index": keys[0], **value, "finish_reason": None}


def _at(index: int, value: Any) -> Any:
    return {"index": index, **value} if isinstance(value, dict) else value
