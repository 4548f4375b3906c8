"""Tables derived from published data by `tools/gen_scanner_tables.py`; `LICENSES.md` says whose they are."""

from collections.abc import Iterator
from pathlib import Path


def lines(name: str) -> Iterator[str]:
    """Yield the lines of one table, its heading left out."""
    text = (Path(__file__).parent / f"{name}.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if not line.startswith("#"):
            yield line
