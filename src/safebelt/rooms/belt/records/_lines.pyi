"""What `_lines.c` offers; see `lines`."""

from collections.abc import Sequence

from safebelt.rooms.belt.records.draft import Draft, Place

BY_PROCESSOR: int

def lines(
    drafts: Sequence[Draft],
    salts: bytes,
    segment: str,
    size: int,
    end: int,
    last: str,
    stamp: str,
    heads: int,
    intents: dict[str, Place],
    edge: list[bytes | None],
    /,
) -> tuple[bytes, str, list[bytes | None], dict[str, Place], set[str]]: ...
def digest(parts: tuple[bytes, ...], is_by_sums: bool, /) -> bytes: ...
