"""Lists of systems as CSV and JSON, line by line: a list of a million passes through without being held."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from safebelt.rooms.registry.model import System

COLUMNS = (
    "id",
    "name_zh",
    "name_en",
    "purpose_zh",
    "purpose_en",
    "stage",
    "provisional",
    "provider_id",
    "deployer_id",
    "registered_at",
    "version",
)
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets take for the beginning of a formula (OWASP, CSV injection); such a cell gets an apostrophe."""
_MARK = "\ufeff"
"""Without it, common spreadsheets do not read Chinese as UTF-8."""


def as_csv(systems: Iterable[System]) -> Iterator[bytes]:
    """Yield a list as CSV (RFC 4180, UTF-8 with a mark), heads first."""
    yield _MARK.encode() + _line(COLUMNS)
    for system in systems:
        yield _line([_safe(cell) for cell in _cells(system)])


def as_json(systems: Iterable[System]) -> Iterator[bytes]:
    """Yield a list as one JSON array; people are left out, as in CSV."""
    yield b"["
    for at, system in enumerate(systems):
        cells = dict(zip(COLUMNS, _cells(system), strict=True)) | {
            "provisional": system.provisional,
            "version": system.version,
        }
        yield (b",\n" if at else b"\n") + msgspec.json.encode(cells)
    yield b"\n]\n"


FORMS: Mapping[str, tuple[str, Callable[[Iterable[System]], Iterator[bytes]]]] = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "json": ("application/json", as_json),
}
"""Media type and writer of each form."""


def _cells(system: System) -> tuple[str, ...]:
    return (
        system.id,
        system.name.zh,
        system.name.en,
        system.purpose.zh,
        system.purpose.en,
        system.status.value,
        "yes" if system.provisional else "no",
        system.provider_id,
        system.deployer_id,
        system.registered_at.isoformat(timespec="seconds"),
        str(system.version),
    )


def _line(cells: Iterable[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue().encode()


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULAS) else cell
