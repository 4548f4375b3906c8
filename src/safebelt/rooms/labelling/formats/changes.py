"""An edit out of changes: each replaces bytes of the old file by new ones, in any order."""

from collections.abc import Iterable

from safebelt.rooms.labelling.formats.carrier import Broken, Edit, Span, joined

Change = tuple[int, int, bytes]
"""Start and end in the old file, and what comes in their place; start and end are equal for what comes in between."""


def changed(size: int, changes: Iterable[Change]) -> Edit:
    """Return the edit that makes the changes.

    Args:
        size: Length of the old file, in bytes.
        changes: The changes; of several at one offset, what is put in comes before what is replaced.

    Raises:
        Broken: Two of them replace the same bytes: the file's parts overlap.
    """
    pieces, done = list[bytes | Span](), 0
    for start, end, new in sorted(changes, key=lambda change: change[:2]):
        if start < done:
            raise Broken("a file whose parts overlap")
        pieces += [Span(done, start), new]
        done = end
    return joined([*pieces, Span(done, size)])
