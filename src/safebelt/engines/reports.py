"""Prints reports: tagged PDF (PDF/UA-1), the same bytes for the same words, set by Typst with the house's font."""

import dataclasses
import json
from datetime import UTC
from functools import cached_property
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any

from safebelt.kernel.documents import Block, Document
from safebelt.kernel.errors import Unavailable
from safebelt.kernel.text import Text

STANDARD = "ua-1"
"""ISO 14289-1: headings, tables and language are tagged; a character no font has is refused, never drawn as a box."""

REGIONS = {"zh": "CN", "en": "GB"}


class Press:
    """Sets documents.

    The machine's own fonts are asked only for characters that the house's font lacks: a report of the house's words is
    the same file on every machine.
    """

    def __init__(self, folder: Path) -> None:
        """Build one.

        Args:
            folder: With `document.typ` and `fonts/`.
        """
        self._folder = folder
        self._one_at_a_time = Lock()  # two of a long report at once would take the memory of both

    def pdf(self, document: Document) -> bytes:
        """Return the document as a file.

        Raises:
            Unavailable: No font here has a character of it.
        """
        typst = import_module("typst")  # 80 MB that most processes never need
        with self._one_at_a_time:
            try:
                return self._set(document, self._fonts)
            except typst.TypstError:  # most likely a character that the house's font lacks
                try:
                    return self._set(document, self._all_fonts)
                except typst.TypstError as error:
                    raise _unprintable(str(error)) from error

    def _set(self, document: Document, fonts: Any) -> bytes:
        compiler = import_module("typst").Compiler(self._folder / "document.typ", font_paths=fonts)
        made = compiler.compile(
            format="pdf",
            sys_inputs={"document": json.dumps(_plain(document), ensure_ascii=False)},
            pdf_standards=[STANDARD],
            timestamp=document.at.astimezone(UTC).replace(microsecond=0),
        )
        return bytes(made)

    @cached_property
    def _fonts(self) -> Any:
        return self._fonts_of(has_machines=False)

    @cached_property
    def _all_fonts(self) -> Any:
        return self._fonts_of(has_machines=True)

    def _fonts_of(self, *, has_machines: bool) -> Any:
        return import_module("typst").Fonts(
            include_system_fonts=has_machines,
            include_embedded_fonts=has_machines,
            font_paths=[self._folder / "fonts"],
        )


def _plain(document: Document) -> dict[str, Any]:
    return {
        "title": document.title,
        "author": document.author,
        "lang": document.lang,
        "region": REGIONS[document.lang],
        "footer": document.footer,
        "blocks": [_block(each) for each in document.blocks],
    }


def _block(block: Block) -> dict[str, Any]:
    return {"kind": block.kind, **dataclasses.asdict(block)}


def _unprintable(why: str) -> Unavailable:
    shown = why.splitlines()[0][:200] if why else ""
    return Unavailable(
        what=Text(zh=f"无法排印这份报告（{shown}）。", en=f"This report cannot be printed ({shown})."),
        hint=Text(
            zh="网页与 JSON 仍可读；可在本机安装含有该字符的字体，例如 fonts-noto。",
            en="Its page and its JSON can still be read; install a font that has the character (say, fonts-noto).",
        ),
    )
