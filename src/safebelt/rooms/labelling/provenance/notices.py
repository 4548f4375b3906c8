"""Visible notices in texts and documents: put where a reader meets them, in a form of the file's own.

The notice holds both elements that GB 45438-2025 5.1 b) asks for; in a text, its place is the beginning.
"""

import html
import re
from pathlib import Path

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.decide.label import notice_for
from safebelt.rooms.labelling.formats.carrier import Broken, Buffer, Unwritable, applied
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.model.label import NOTICE
from safebelt.rooms.labelling.provenance import document_notices, pdf_notices
from safebelt.rooms.labelling.provenance.document_notices import DOCUMENTS
from safebelt.rooms.labelling.provenance.pixels import NO_HEIC

_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n.*?^(?:---|\.\.\.)[ \t]*\r?\n", re.DOTALL | re.MULTILINE)
_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_CLASS = "ai-generated-notice"
_START, _SAMPLE = "text: beginning", 20_000
_MAX_BYTES = 64 << 20
_EDGE = 4096  # bytes at a text's beginning and end in which a notice stands


def put(data: Buffer, kind: Kind, lang: str, font: Path | None = None) -> tuple[bytes, str]:
    """Return a file with the notice, and where that is; one that has a notice already is left alone.

    Args:
        data: The file.
        kind: Its format.
        lang: `zh` or `en`; empty for the text's own language.
        font: A font file that has the notice's glyphs, for pages on which it is drawn.

    Raises:
        Unwritable: The format has no text that a notice could stand in, or it is not UTF-8.
    """
    if kind in DOCUMENTS:
        return _into_document(data, kind, lang)
    if kind is Kind.PDF and font is not None:
        return _onto_page(data, lang, font)
    if kind is Kind.HEIC:
        raise Unwritable(NO_HEIC)
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


def words(data: Buffer, kind: Kind) -> str | None:
    """Return what a reader meets at a file's beginning and end; None where this is not looked for.

    Raises:
        Broken: The file is not whole.
    """
    if kind in DOCUMENTS:
        try:
            return document_notices.words(data, kind)
        except Unwritable:  # it is encrypted, or has no such part
            return None
    if kind is Kind.PDF:
        return pdf_notices.words_of(data)
    if kind not in _WRITERS:
        return None
    return (bytes(data[:_EDGE]) + b"\n" + bytes(data[-_EDGE:])).decode("utf-8", "replace")


def _into_document(data: Buffer, kind: Kind, lang: str) -> tuple[bytes, str]:
    """Put a notice into a document; one that cannot be looked into so far says so, and loses no other mark."""
    fixed = {"zh": NOTICE.zh, "en": NOTICE.en}.get(lang)
    try:
        if any(one in (words(data, kind) or "") for one in (NOTICE.zh, NOTICE.en)):
            return bytes(data[:]), _START
        edit, place = document_notices.put(data, kind, lambda text: fixed or notice_for(text))
        return applied(data, edit), place
    except Broken as broken:
        raise _cannot(broken) from broken


def _onto_page(data: Buffer, lang: str, font: Path) -> tuple[bytes, str]:
    """Draw the notice on a PDF's first page; its words are compressed, so that unasked it speaks Chinese."""
    try:
        edit, place = pdf_notices.put(data, lang or "zh", font)
    except Broken as broken:
        raise _cannot(broken) from broken
    return (applied(data, edit) if edit else bytes(data[:])), place


def _cannot(broken: Broken) -> Unwritable:
    return Unwritable(
        Text(zh=f"该文件无法加入可见提示：{broken}。", en=f"No visible notice can be put into the file: {broken}.")
    )


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
