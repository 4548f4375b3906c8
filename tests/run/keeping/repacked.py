"""Backups that somebody else wrote: the same parts, changed on the way, with sums that fit."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from safebelt.engines.archive import Reader, Writer

Change = Callable[[str, bytes], bytes | None]
"""Name and bytes of a part to its new bytes; None leaves it out."""


def repack(
    source: Path, target: Path, change: Change, manifest: Callable[[dict[str, Any]], Mapping[str, Any]] = dict
) -> Path:
    out = io.BytesIO()
    with source.open("rb") as file, Writer(out) as archive:
        reader = Reader(file)
        for part in reader.parts():
            data = change(part.name, part.file.read())
            if data is not None:
                archive.add(part.name, data)
        archive.finish(manifest({name: said for name, said in reader.manifest.items() if name != "sums"}))
    target.write_bytes(out.getvalue())
    return target
