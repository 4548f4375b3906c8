"""The explicit notice at the end of what people read: which texts get one, and where it stands."""

from collections.abc import Callable, Mapping
from typing import Any

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.belt.model import Harness, NoticeMode
from safebelt.rooms.belt.scanner.structured import is_structured
from safebelt.rooms.labelling.service.giving import Giving

NoticeFor = Callable[[str], str]
"""Text → the notice to end it with; empty for none."""


def notice_of(
    labelling: Giving, harness: Harness, request: Mapping[str, Any] | None = None, more: Text | None = None
) -> NoticeFor:
    """Return what ends a text of an answer to a request: nothing where a program reads it, or none is asked for.

    Args:
        labelling: Knows the notice that AI made it.
        harness: Whether that one is put.
        request: The request; None where it is known to ask for no form of its answer.
        more: What is put besides, whatever the harness says: the notice of minors' mode.
    """
    made: dict[Lang, str] = {}

    def notice(text: str) -> str:
        if (is_off and not more) or not text.strip() or is_structured(request, text):
            return ""
        lang = labelling.lang_of(text)
        if lang not in made:
            ours = "" if is_off else f"\n\n{labelling.notice_for(text)}"
            made[lang] = f"{ours}\n\n{more.in_(lang)}" if more else ours
        return made[lang]

    is_off = harness.notice is NoticeMode.OFF
    return notice


def noticed(body: dict[str, Any], notice: NoticeFor) -> dict[str, Any]:
    """End the plain-text choices of an answer with the notice."""
    choices = body.get("choices")
    if not isinstance(choices, list):
        return body
    return {**body, "choices": [_noticed_choice(choice, notice) for choice in choices]}


def _noticed_choice(choice: Any, notice: NoticeFor) -> Any:
    if not isinstance(choice, dict) or choice.get("finish_reason") == "content_filter":
        return choice
    message = choice.get("message")
    if isinstance(message, dict) and isinstance(text := message.get("content"), str) and not _calls(message):
        return {**choice, "message": {**message, "content": text + notice(text)}}
    if isinstance(text := choice.get("text"), str):
        return {**choice, "text": text + notice(text)}
    return choice


def _calls(message: Mapping[str, Any]) -> bool:
    return bool(message.get("tool_calls") or message.get("function_call"))
