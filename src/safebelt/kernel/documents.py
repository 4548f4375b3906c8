"""What a printed report is made of, in one language; how it looks is `reports/document.typ`'s."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from safebelt.kernel.text import Lang


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading; the document's title stands above those of level 1."""

    kind: ClassVar[str] = "heading"
    text: str
    level: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Running words; a line break stays one."""

    kind: ClassVar[str] = "paragraph"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What must be known to read the rest."""

    kind: ClassVar[str] = "note"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """A list of what is asked and what is answered."""

    kind: ClassVar[str] = "pairs"
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table.

    Attributes:
        heads: One for each column; they are told again on every page.
        rows: Each as long as `heads`.
        widths: How wide each column is beside the others.
        numeric: Columns of numbers, from 0.
    """

    kind: ClassVar[str] = "table"
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]
    numeric: tuple[int, ...] = ()


Block = Heading | Paragraph | Note | Pairs | Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A report to be printed.

    Attributes:
        title: Its title, for the head and for whoever lists files.
        lang: Its language, which a screen reader goes by.
        at: The time it is of: it is written into the file, so that the same report is the same file.
        footer: At the foot of every page.
        blocks: What it says, from above.
        author: Who made it.
    """

    title: str
    lang: Lang
    at: datetime
    footer: str
    blocks: tuple[Block, ...]
    author: str = field(default="Safebelt")
