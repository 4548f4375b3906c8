"""Every text in a model's answer, wherever it stands: content, reasoning, tool arguments, fields not yet known.

All strings of a choice are read, but for names and ids of the protocol itself; so a field that an upstream
invents tomorrow is screened today.
"""

from collections.abc import Callable
from typing import Any

_PROTOCOL = frozenset({"role", "id", "type", "object", "finish_reason", "stop_reason", "index"})
"""Keys whose strings are words of the protocol, not of the model."""

Leaf = Callable[[str, str, bool], str]
"""`(path, text, is JSON source)` → the text to pass on."""


def rewrite_choice(choice: dict[str, Any], index: int, leaf: Leaf) -> dict[str, Any]:
    """Return a choice with every text passed through `leaf`.

    Args:
        choice: One of `choices`; `message`, `delta` or `text` is what the model said.
        index: The choice's index.
        leaf: Judges one text; called in the order of the fields.
    """
    out = dict(choice)
    changed = False
    for key in ("message", "delta", "text"):
        if key in choice:
            out[key] = _rewrite(choice[key], f"choices[{index}].{key}", key, leaf)
            changed |= out[key] != choice[key]
    if changed and choice.get("logprobs"):
        out["logprobs"] = None  # its tokens would spell what was taken out
    return out


def _rewrite(node: Any, path: str, key: str, leaf: Leaf) -> Any:
    match node:
        case str() if key not in _PROTOCOL and node:
            return leaf(path, node, key == "arguments")
        case dict():
            return {name: _rewrite(value, f"{path}.{name}", name, leaf) for name, value in node.items()}
        case list():
            return [_rewrite(item, f"{path}[{_place(item, at)}]", key, leaf) for at, item in enumerate(node)]
    return node


def _place(item: Any, at: int) -> int:
    """Return the index that an item gives itself, as streamed tool calls do, or its place."""
    index = item.get("index") if isinstance(item, dict) else None
    return index if isinstance(index, int) else at


def nested(path: str, text: str) -> dict[str, Any]:
    """Return a streamed choice that carries one more piece of text at a path that `rewrite_choice` named.

    Example:
        >>> nested("choices[0].delta.tool_calls[1].arguments", "x")
        {'index': 0, 'delta': {'tool_calls': [{'index': 1, 'arguments': 'x'}]}, 'finish_reason': None}
    """
    head, _, rest = path.partition(".")
    value: Any = text
    for step in reversed(rest.split(".")):
        name, _, place = step.partition("[")
        value = {name: [_at(int(place[:-1]), value)] if place else value}
    index = int(head[len("choices[") : -1])
    return {"index": index, **value, "finish_reason": None}


def _at(index: int, value: Any) -> Any:
    return {"index": index, **value} if isinstance(value, dict) else value
