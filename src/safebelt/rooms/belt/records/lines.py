"""Drafts to lines, chained and hashed into their tree: in C where that is quicker (ADR 0048).

That is where a compiler was at hand at installation and the processor has instructions for SHA-256 that `_sha256.h`
knows; elsewhere OpenSSL hashes as quickly as our sums.  Both forms write the same bytes, and tests hold them to it.
"""

from collections.abc import Callable, Sequence

import msgspec

from safebelt.kernel.merkle import Edge, Frontier, leaf_hashes
from safebelt.rooms.belt.records.draft import Draft, Place
from safebelt.rooms.belt.records.line import SALT_BYTES, VERSION, Core, core_bytes, digest_of, link, salted

try:
    from safebelt.rooms.belt.records import _lines

    AVAILABLE = True
except ImportError:  # installed without a compiler
    AVAILABLE = False

Made = tuple[bytes, str, Edge, dict[str, Place], set[str]]
"""The lines; link of the last one; the tree's edge behind them; where intents stand that have no outcome among them;
ids of outcomes."""

Lines = Callable[[Sequence[Draft], bytes, str, int, int, str, str, int, dict[str, Place], Edge], Made]
"""What makes lines of drafts, all or none; arguments as of `plain`."""


def plain(  # noqa: PLR0917  in C they are taken by place, and everything a line depends on is among them
    drafts: Sequence[Draft],
    salts: bytes,
    segment: str,
    size: int,
    end: int,
    last: str,
    stamp: str,
    heads: int,
    intents: dict[str, Place],
    edge: Edge,
) -> Made:
    """Make lines of drafts.

    Args:
        drafts: What to write.
        salts: One for each of them, one after the other.
        segment: Name of the segment they go to.
        size: How many records it holds.
        end: Offset behind the last of them.
        last: Link of the last record.
        stamp: When they are written.
        heads: How many heads are signed.
        intents: Where intents without an outcome stand.
        edge: The segment's tree; it stays as it is.
    """
    lines, cores, opened, ended = list[bytes](), list[bytes](), dict[str, Place](), set[str]()
    for place, draft in enumerate(drafts):
        salt = salts[place * SALT_BYTES : (place + 1) * SALT_BYTES]
        content = b"" if draft.data is None else salted(draft.data, salt)
        began = None
        if draft.type == "outcome":
            began = opened.pop(draft.id, None) or (None if draft.id in ended else intents.get(draft.id))
            ended.add(draft.id)
        elif draft.type == "intent":
            opened[draft.id] = (segment, end)
        core = core_bytes(
            Core(
                at=stamp,
                content=digest_of(content),
                facts=msgspec.Raw(draft.facts),
                heads=heads,
                id=draft.id,
                intent=began,
                prev=last,
                seq=size + place,
                type=draft.type,
                v=VERSION,
            )
        )
        lines += (core, b"\t", content, b"\n")
        cores.append(core)
        last, end = link(core), end + len(core) + len(content) + 2
    tree = Frontier.of(edge)
    for leaf in leaf_hashes(cores):
        tree.append(leaf)
    return b"".join(lines), last, tree.edge, opened, ended


def _quickest() -> Lines:
    return _lines.lines if AVAILABLE and _lines.BY_PROCESSOR else plain


made = _quickest()
