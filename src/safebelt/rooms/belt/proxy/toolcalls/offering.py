"""The tools that a request offers the model: what would be denied anyway is taken out before the model sees it."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from safebelt.rooms.belt.proxy.toolcalls.asking import Json, text_of
from safebelt.rooms.belt.proxy.toolcalls.governor import Governor

_BY_NAME = frozenset({"function", "custom"})
_CHOICES = ("tool_choice", "function_call", "parallel_tool_calls")
_SAID = ("messages", "input")


def offered(body: Json, governor: Governor) -> Json:
    """Return a request with the tools that the model may be offered; the same object where nothing is taken out."""
    kept = _kept(body, "tools", partial(_may_offer, governor))
    kept = _kept(kept, "functions", partial(_may_offer, governor, is_legacy=True))
    return _kept(kept, "mcp_servers", partial(_may_offer, governor))


def _kept(body: Json, field: str, may: Callable[[Any], bool]) -> Json:
    tools = body.get(field)
    if not isinstance(tools, list) or not tools:
        return body
    kept = [tool for tool in tools if may(tool)]
    if len(kept) == len(tools):
        return body
    if kept:
        gone = {_name(tool) for tool in tools} - {_name(tool) for tool in kept}
        return _chosen({**body, field: kept}, gone)
    dropped = (field, *(_CHOICES if field != "mcp_servers" else ()))
    return {name: value for name, value in body.items() if name not in dropped}


def _chosen(body: Json, gone: set[str]) -> Json:
    """Return the request without an order to use a tool that is gone."""
    dropped = {name for name in ("tool_choice", "function_call") if gone & set(_named_by(body.get(name)))}
    return {name: value for name, value in body.items() if name not in dropped} if dropped else body


def _named_by(choice: Any) -> Iterator[str]:
    """Yield every name that a choice of tools holds, wherever the interface puts it."""
    if isinstance(choice, dict):
        for name, value in choice.items():
            if name in ("name", "type") and isinstance(value, str):
                yield value
            yield from _named_by(value)
    elif isinstance(choice, list):
        for item in choice:
            yield from _named_by(item)


def _may_offer(governor: Governor, tool: Any, *, is_legacy: bool = False) -> bool:
    """Whether a tool may be offered; one without a name that can be read may not."""
    if not isinstance(tool, dict):
        return governor.may_offer("", is_hosted=True)
    kind = text_of(tool.get("type"))
    is_hosted = not is_legacy and kind not in _BY_NAME and not _has_schema(tool)
    server = text_of(tool.get("server_label")) or (text_of(tool.get("name")) if kind == "url" else "")
    return governor.may_offer(_name(tool), server=server, is_hosted=is_hosted)


def _has_schema(tool: Json) -> bool:
    """Whether the caller runs it: such a tool says what it takes (Anthropic's own `type` is optional)."""
    return "input_schema" in tool


def _name(tool: Any) -> str:
    """Return what a tool is known by: its name, or its type where it has none."""
    if not isinstance(tool, dict):
        return ""
    inner = next((tool[kind] for kind in sorted(_BY_NAME) if isinstance(tool.get(kind), dict)), tool)
    kind = text_of(tool.get("type"))
    return "mcp" if kind in ("mcp", "url") else text_of(inner.get("name")) or kind


def last_said(body: Json) -> str:
    """Return the last message of a request, for whoever must judge what came of it."""
    for field in _SAID:
        said = body.get(field)
        if isinstance(said, str):
            return said
        for message in reversed(said if isinstance(said, list) else []):
            if text := "\n".join(_texts(message.get("content") if isinstance(message, dict) else message)):
                return text
    return ""


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    for part in content if isinstance(content, list) else []:
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            yield part["text"]
