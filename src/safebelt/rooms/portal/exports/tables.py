"""CSV that a spreadsheet opens without running anything in it (RFC 4180; OWASP on formula injection)."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from safebelt.rooms.registry.model.public import PublicLine

COLUMNS = (
    "id", "name_zh", "name_en", "purpose_zh", "purpose_en", "provider", "stage", "provisional", "evaluated",
    "imported", "since", "published_at", "version", "record_sha256", "url",
)  # fmt: skip
"""Columns of the register as a table."""

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ROWS_AT_ONCE = 200


def register_rows(lines: Iterable[PublicLine], base: str) -> Iterator[tuple[str, ...]]:
    """Yield the register as rows, the heading first."""
    yield COLUMNS
    for line in lines:
        yield (
            line.id,
            line.name.zh,
            line.name.en,
            line.purpose.zh,
            line.purpose.en,
            line.provider,
            line.stage.value,
            _truth(line.provisional),
            _truth(line.is_judged),
            _truth(line.is_imported),
            line.since.isoformat(),
            line.at.isoformat(),
            str(line.version),
            line.digest,
            f"{base}/en/register/{line.id}",
        )


def written(rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """Yield rows as CSV, some at a time, with the mark by which spreadsheets know UTF-8.

    A cell that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    out.write("\ufeff")
    for place, row in enumerate(rows, start=1):
        writer.writerow([_harmless(cell) for cell in row])
        if place % _ROWS_AT_ONCE == 0:
            yield _taken(out)
    if rest := _taken(out):
        yield rest


def _taken(out: StringIO) -> bytes:
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text.encode("utf-8", "replace")


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_STARTS_A_FORMULA) else cell


def _truth(value: bool) -> str:
    return "true" if value else "false"
