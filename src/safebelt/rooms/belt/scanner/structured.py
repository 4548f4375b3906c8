"""Is this answer read by a program?  Then labels and notices go beside it, never into it."""

import json
from collections.abc import Mapping
from typing import Any

_GRAMMARS = (
    "grammar",
    "json_schema",
    "regex",
    "guided_json",
    "guided_regex",
    "guided_choice",
    "guided_grammar",
    "structured_outputs",
)
"""Fields by which OpenAI-compatible servers (llama.cpp, vLLM) constrain an answer to a form."""


def _form(request: Mapping[str, Any]) -> object:
    """Return what form the caller asked for: `response_format`, or `text.format` of `/v1/responses`."""
    text = request.get("text")
    named = text.get("format") if isinstance(text, dict) else request.get("response_format")
    return named.get("type") if isinstance(named, dict) else None


def is_structured_request(request: Mapping[str, Any]) -> bool:
    """Whether the caller asked for a form: JSON mode, tools or functions, a grammar, a predicted file."""
    asks_for_json = _form(request) not in (None, "text")
    has_tools = bool(request.get("tools") or request.get("functions"))
    return asks_for_json or has_tools or any(request.get(field) for field in (*_GRAMMARS, "prediction", "suffix"))


def is_json_request(request: Mapping[str, Any]) -> bool:
    """Whether the answer's content itself will be JSON source, so that masking must keep it valid."""
    asks_for_json = _form(request) in ("json_object", "json_schema")
    return asks_for_json or any(request.get(field) for field in ("json_schema", "guided_json"))


def is_structured_text(text: str) -> bool:
    """Whether a text is JSON, markup, or holds a code fence."""
    text = text.strip()
    if "```" in text or "~~~" in text or (text.startswith("<") and text.endswith(">")):
        return True
    if not text.startswith(("{", "[", '"')):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def is_structured(request: Mapping[str, Any] | None, text: str) -> bool:
    """Whether a notice must stay out of this answer; `None` for a request that is known to ask for no form."""
    return (request is not None and is_structured_request(request)) or is_structured_text(text)
