"""The commonest request and answer, read without building anything: chat whose messages and choices are plain texts.

Whatever is not of this form, and whatever something is found in, is read by `screens`; so nothing is judged here but
*nothing is there*.  A body whose shape is known (`shapes`) is not even taken apart.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from safebelt.rooms.belt.model import Side
from safebelt.rooms.belt.proxy.leaves import is_long_number
from safebelt.rooms.belt.proxy.notices import NoticeFor, noticed
from safebelt.rooms.belt.proxy.screens import path_in_choices
from safebelt.rooms.belt.proxy.shapes import Shapes
from safebelt.rooms.belt.proxy.steps import usage
from safebelt.rooms.belt.records.line import encode
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
_SPEECH = frozenset({"message", "text", "delta"})
_SHORT = 64
_MOST_WORDS = 4096
_MOST_SETTINGS = 512
"""Longest settings and names that are remembered, in bytes and characters."""
_PATHS = tuple(f"messages[{at}].content" for at in range(256))
Texts = dict[str, str]
"""Path → text."""
_Clean = TypeVar("_Clean", bytes, str, tuple[str, ...])
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_SORTED = msgspec.json.Encoder(order="sorted").encode


class _Told:
    """Texts in which nothing was found: most records keep their JSON, and nobody asks for the texts themselves."""

    __slots__ = ("_paths", "_said", "content")

    def __init__(self, paths: tuple[str, ...], said: list[str], content: bytes) -> None:
        self._paths, self._said, self.content = paths, said, content

    @property
    def texts(self) -> Texts:
        """The texts by path."""
        return {path: text for path, text in zip(self._paths, self._said, strict=True) if path}


class Question(_Told):
    """A request in which nothing was found.

    Args:
        paths: Where each of its texts stands.
        said: The texts.
        content: The texts as a record keeps them that keeps them as they are.
        settings: What it asks for besides its texts.
        passed: What is sent on.
    """

    __slots__ = ("passed", "settings")

    def __init__(
        self, paths: tuple[str, ...], said: list[str], content: bytes, settings: dict[str, Any], passed: bytes
    ) -> None:
        super().__init__(paths, said, content)
        self.settings, self.passed = settings, passed


class Reading(_Told):
    """An answer in which nothing was found.

    Args:
        paths: Where each text of the model stands; empty for one that nobody said.
        said: The texts.
        content: The texts as a record keeps them that keeps them as they are.
        usage: What the upstream says it used, as JSON.
        shown: What the client is shown, with the notice.
        is_silent: Whether the model said nothing.
    """

    __slots__ = ("is_silent", "shown", "usage")

    def __init__(
        self, paths: tuple[str, ...], said: list[str], content: bytes, usage: bytes, shown: bytes, *, is_silent: bool
    ) -> None:
        super().__init__(paths, said, content)
        self.usage, self.shown, self.is_silent = usage, shown, is_silent


class Plain:
    """Reads requests and answers for one scanner.

    Args:
        scanner: What is looked for.
    """

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._clean_asked, self._clean_said = set[str](), set[str]()
        self._settings: set[bytes] = set()
        self._names: set[tuple[str, ...]] = set()
        self._shapes = Shapes(self._asked, self._said, usage)

    def request(self, raw: bytes) -> Question | None:
        """Return a request in which nothing is found; None where it must be looked at more closely."""
        known = self._shapes.request(raw)
        if known is not None:
            shape, said, cuts = known
            if not self._find_nothing(said, Side.INPUT):
                return None
            return Question(shape.paths, said, shape.content.of(cuts), shape.settings, shape.passed.of(cuts))
        body = object_in(raw)
        found = self._asked(body) if body is not None else None
        if body is None or found is None:
            return None
        return Question(tuple(found), list(found.values()), encode({"texts": found}), body, _encode(body))

    def answer(self, raw: bytes, notice: NoticeFor) -> Reading | None:
        """Return an answer in which nothing is found; None where it must be looked at more closely."""
        known = self._shapes.answer(raw)
        if known is not None:
            shape, said, cuts = known
            if not self._find_nothing_said(shape.paths, said):
                return None
            content, used, shown = shape.content.of(cuts), shape.usage.of(cuts), shape.show(said, cuts, notice)
            return Reading(shape.paths, said, content, used, shown, is_silent=shape.is_silent)
        body = object_in(raw)
        found = self._said(body) if body else None
        if body is None or found is None:
            return None
        content, used, shown = encode({"texts": found}), _SORTED(usage(body)), _encode(noticed(body, notice))
        return Reading(tuple(found), list(found.values()), content, used, shown, is_silent=not found)

    def _asked(self, body: dict[str, Any]) -> Texts | None:
        """Return the texts of a request in which nothing is found; None where it must be looked at more closely."""
        texts = self._messages(body.get("messages"))
        if texts is None or not self._is_clean_but_messages(body):
            return None
        return texts if self._find_nothing(texts.values(), Side.INPUT) else None

    def _is_clean_but_messages(self, body: dict[str, Any]) -> bool:
        """Whether nothing is found in the settings of a request; callers send the same ones again and again."""
        settings = body.copy()
        del settings["messages"]
        try:
            written = _encode(settings)
        except UnicodeEncodeError:  # half an emoji: looked at elsewhere
            return False
        if written in self._settings:
            return True
        if not self._are_clean_settings(settings):
            return False
        if len(written) <= _MOST_SETTINGS:
            _remember(written, self._settings)
        return True

    def _are_clean_settings(self, settings: dict[str, Any]) -> bool:
        names = ("role", "content", "messages", *settings)
        return all(self._passes(name, Side.INPUT) for name in names) and all(
            name in _SETTINGS and self._is_clean(value, Side.INPUT) for name, value in settings.items()
        )

    def _messages(self, messages: Any) -> Texts | None:
        if type(messages) is not list or len(messages) > len(_PATHS):
            return None
        texts: Texts = {}
        for path, message in zip(_PATHS, messages, strict=False):
            if type(message) is not dict or len(message) != 2:
                return None
            role, content = message.get("role"), message.get("content")
            if type(role) is not str or type(content) is not str:
                return None
            if role not in self._clean_asked and not self._passes(role, Side.INPUT):
                return None
            if content:
                texts[path] = content
        return texts

    def _said(self, body: dict[str, Any]) -> Texts | None:
        """Return what the model said where nothing is found in an answer; None where it must be looked at closely."""
        choices = body.get("choices")
        if type(choices) is not list or "error" in body or "safebelt" in body or not self._are_clean_names(body):
            return None
        texts: Texts = {}
        for at, choice in enumerate(choices):
            if type(choice) is not dict or not self._is_plain_choice(choice, at, texts):
                return None
        known = self._clean_said
        for name, value in body.items():
            kind = type(value)
            if kind is int or (kind is str and value in known) or name == "choices":
                continue
            if not self._is_clean(value, Side.OUTPUT):
                return None
        return texts if self._find_nothing(texts.values(), Side.OUTPUT) else None

    def _is_plain_choice(self, choice: dict[str, Any], at: int, texts: Texts) -> bool:
        if not self._are_clean_names(choice):
            return False
        for name, value in choice.items():
            if name == "message" and type(value) is dict:
                if not self._is_plain_message(value, at, texts):
                    return False
            elif name == "text" and type(value) is str:
                texts[path_in_choices((at, "text"))] = value
            elif (
                name in _SPEECH
                or (name == "logprobs" and value)
                or not (value is None or type(value) is int or self._is_clean(value, Side.OUTPUT))
            ):
                return False
        return True

    def _is_plain_message(self, message: dict[str, Any], at: int, texts: Texts) -> bool:
        if not self._are_clean_names(message):
            return False
        for name, value in message.items():
            if name == "content" and type(value) is str:
                if value:
                    texts[path_in_choices((at, "message", "content"))] = value
            elif name == "role" and type(value) is str:
                if value not in self._clean_said and not self._passes(value, Side.OUTPUT):
                    return False
            elif value is not None:
                return False
        return True

    def _are_clean_names(self, node: dict[str, Any]) -> bool:
        """Whether nothing is found in the names of an object of an answer, which are nearly always the same."""
        names = tuple(node)
        if names in self._names:
            return True
        if not all(self._passes(name, Side.OUTPUT) for name in names):
            return False
        if sum(map(len, names)) <= _MOST_SETTINGS:
            _remember(names, self._names)
        return True

    def _is_clean(self, node: Any, side: Side) -> bool:
        """Whether nothing is found in any string of a tree of settings; says no where it would have to look closer."""
        kind = type(node)
        if kind is str:
            return self._passes(node, side)
        if kind is int or kind is float:
            return side is Side.OUTPUT or not is_long_number(node)
        if kind is dict:
            return self._is_clean_object(node, side)
        if kind is list:
            return all(self._is_clean(item, side) for item in node)
        return node is None or kind is bool

    def _is_clean_object(self, node: dict[str, Any], side: Side) -> bool:
        if "embedding" in node:
            return False
        if side is Side.INPUT:
            return all(self._passes(name, side) and self._is_clean(value, side) for name, value in node.items())
        return self._are_clean_names(node) and all(
            [self._is_clean(value, side) for value in node.values() if type(value) is not int]
        )

    def _passes(self, text: str, side: Side) -> bool:
        """Whether nothing is found in a string; what was found clean is remembered, because such strings recur."""
        clean = self._clean_asked if side is Side.INPUT else self._clean_said
        if text in clean:
            return True
        if text and not self._scanner.finds_nothing(text, side):
            return False
        if len(text) <= _SHORT:
            _remember(text, clean)
        return True

    def _find_nothing(self, texts: Iterable[str], side: Side) -> bool:
        for text in texts:  # noqa: SIM110  a generator is a call more for each text
            if not self._scanner.finds_nothing(text, side):
                return False
        return True

    def _find_nothing_said(self, paths: tuple[str, ...], said: list[str]) -> bool:
        """As `_find_nothing`, of an answer; what nobody said, its id, may be remembered."""
        for path, text in zip(paths, said, strict=True):
            is_clean = self._scanner.finds_nothing(text, Side.OUTPUT) if path else self._passes(text, Side.OUTPUT)
            if not is_clean:
                return False
        return True


def object_in(raw: bytes) -> dict[str, Any] | None:
    """Return the JSON object that some bytes are; None where they are none."""
    try:
        body = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return body if type(body) is dict else None


def _remember(what: _Clean, known: set[_Clean]) -> None:
    if len(known) >= _MOST_WORDS:
        known.clear()
    known.add(what)
