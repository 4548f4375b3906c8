"""Visible notices in texts: put where a reader begins, in a form of the text's own.

The notice holds both elements that GB 45438-2025 5.1 b) asks for; its place is the text's beginning.
"""

import html
import re

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.decide.label import notice_for
from safebelt.rooms.labelling.formats.carrier import Buffer, Unwritable
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.model.label import NOTICE

_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n.*?^(?:---|\.\.\.)[ \t]*\r?\n", re.DOTALL | re.MULTILINE)
_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_CLASS = "ai-generated-notice"
_START, _SAMPLE = "text: beginning", 20_000
_MAX_BYTES = 64 << 20


def put(data: Buffer, kind: Kind, lang: str) -> tuple[bytes, str]:
    """Return a text with the notice at its beginning, and where that is; one that has it already is left alone.

    Args:
        data: The file.
        kind: Its format.
        lang: `zh` or `en`; empty for the text's own language.

    Raises:
        Unwritable: The format has no text that a notice could stand in, or it is not UTF-8.
    """
    if kind not in _WRITERS:
        raise Unwritable(
            Text(
                zh=f"本系统尚不能在 {kind.value} 文件中加入可见提示；请在界面上显示。",
                en=f"No visible notice is put into {kind.value} files here yet: show it beside the content.",
            )
        )
    if len(data) > _MAX_BYTES:
        raise Unwritable(Text(zh="文本过长，无法加入提示。", en="The text is too long to put a notice in."))
    try:
        text = bytes(data).decode("utf-8")
    except UnicodeDecodeError:
        raise Unwritable(
            Text(zh="文本不是 UTF-8，无法加入提示。", en="The text is not UTF-8; no notice can be put in.")
        ) from None
    notice = {"zh": NOTICE.zh, "en": NOTICE.en}.get(lang) or notice_for(text[:_SAMPLE])
    if notice in text[:_SAMPLE]:
        return text.encode(), _START
    return _WRITERS[kind](text, notice).encode(), _START


def _plain(text: str, notice: str) -> str:
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    return f"{mark}{notice}\n\n{text.removeprefix(mark)}"


def _markdown(text: str, notice: str) -> str:
    head = _FRONT_MATTER.match(text)
    at = head.end() if head else len(text) - len(text.removeprefix("\ufeff"))
    return f"{text[:at]}> {notice}\n\n{text[at:]}"


def _html(text: str, notice: str) -> str:
    body = _BODY.search(text)
    if body is None:
        raise Unwritable(
            Text(zh="网页没有 body 元素，无处放置提示。", en="The page has no body element for a notice to stand in.")
        )
    said = f'<p class="{_CLASS}" role="note">{html.escape(notice)}</p>'
    return f"{text[: body.end()]}{said}{text[body.end() :]}"


_WRITERS = {Kind.TXT: _plain, Kind.MARKDOWN: _markdown, Kind.HTML: _html}
