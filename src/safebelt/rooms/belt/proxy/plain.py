"""The commonest request and answer, read without building anything: chat whose messages and choices are plain texts.

Whatever is not of this form, and whatever something is found in, is read by `screens`; so nothing is judged here but
*nothing is there*.
"""

from typing import Any

from safebelt.rooms.belt.model import Side
from safebelt.rooms.belt.proxy.screens import is_long_number, path_in_choices
from safebelt.rooms.belt.scanner.engine import Scanner

_SETTINGS = frozenset(
    {
        "frequency_penalty",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "model",
        "n",
        "presence_penalty",
        "seed",
        "service_tier",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "top_logprobs",
        "top_p",
    }
)
"""Fields of a request beside `messages` that hold no text for the model."""
_SHORT = 64
_MOST_WORDS = 4096
_PATHS = tuple(f"messages[{at}].content" for at in range(256))
Texts = dict[str, str]
"""Path → text."""


class Plain:
    """Reads requests and answers for one scanner.

    Args:
        scanner: What is looked for.
    """

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._clean: dict[Side, set[str]] = {side: set() for side in Side}

    def request(self, body: dict[str, Any]) -> Texts | None:
        """Return the texts of a request in which nothing is found; None where it must be looked at more closely."""
        texts = self._messages(body.get("messages"))
        if texts is None:
            return None
        for name, value in body.items():
            if name != "messages" and (name not in _SETTINGS or not self._is_clean(value, Side.INPUT)):
                return None
        fields = ("role", "content", "messages", *body)
        is_clean = all(self._passes(name, Side.INPUT) for name in fields) and self._find_nothing(texts, Side.INPUT)
        return texts if is_clean else None

    def _messages(self, messages: Any) -> Texts | None:
        if type(messages) is not list or len(messages) > len(_PATHS):
            return None
        texts: Texts = {}
        for path, message in zip(_PATHS, messages, strict=False):
            if type(message) is not dict or len(message) != 2:
                return None
            role, content = message.get("role"), message.get("content")
            if type(role) is not str or type(content) is not str or not self._passes(role, Side.INPUT):
                return None
            if content:
                texts[path] = content
        return texts

    def answer(self, body: dict[str, Any]) -> Texts | None:
        """Return what the model said where nothing is found in an answer; None where it must be looked at closely."""
        choices = body.get("choices")
        if type(choices) is not list or "error" in body or "safebelt" in body:
            return None
        texts: Texts = {}
        for at, choice in enumerate(choices):
            if type(choice) is not dict or not self._is_plain_choice(choice, at, texts):
                return None
        for name, value in body.items():
            if not self._passes(name, Side.OUTPUT) or (name != "choices" and not self._is_clean(value, Side.OUTPUT)):
                return None
        return texts if self._find_nothing(texts, Side.OUTPUT) else None

    def _is_plain_choice(self, choice: dict[str, Any], at: int, texts: Texts) -> bool:
        for name, value in choice.items():
            if name == "message" and type(value) is dict:
                if not self._is_plain_message(value, at, texts):
                    return False
            elif name == "text" and type(value) is str:
                texts[path_in_choices((at, "text"))] = value
            elif not self._is_plain_field(name, value):
                return False
        return True

    def _is_plain_field(self, name: str, value: Any) -> bool:
        is_speech = name in ("message", "text", "delta") or (name == "logprobs" and value)
        return not is_speech and self._passes(name, Side.OUTPUT) and self._is_clean(value, Side.OUTPUT)

    def _is_plain_message(self, message: dict[str, Any], at: int, texts: Texts) -> bool:
        for name, value in message.items():
            if name == "content" and type(value) is str:
                if value:
                    texts[path_in_choices((at, "message", "content"))] = value
            elif name == "role" and type(value) is str:
                if not self._passes(value, Side.OUTPUT):
                    return False
            elif value is not None or not self._passes(name, Side.OUTPUT):
                return False
        return True

    def _is_clean(self, node: Any, side: Side) -> bool:
        """Whether nothing is found in any string of a tree of settings; says no where it would have to look closer."""
        kind = type(node)
        if kind is str:
            return self._passes(node, side)
        if kind is int or kind is float:
            return side is Side.OUTPUT or not is_long_number(node)
        if kind is dict:
            return all(
                name != "embedding" and self._passes(name, side) and self._is_clean(value, side)
                for name, value in node.items()
            )
        if kind is list:
            return all(self._is_clean(item, side) for item in node)
        return node is None or kind is bool

    def _passes(self, text: str, side: Side) -> bool:
        """Whether nothing is found in a string; what was found clean is remembered, because such strings recur."""
        clean = self._clean[side]
        if text in clean:
            return True
        if text and self._scanner.scan(text, side):
            return False
        if len(text) <= _SHORT:
            if len(clean) >= _MOST_WORDS:
                clean.clear()
            clean.add(text)
        return True

    def _find_nothing(self, texts: Texts, side: Side) -> bool:
        scan = self._scanner.scan
        return not any(scan(text, side) for text in texts.values())
