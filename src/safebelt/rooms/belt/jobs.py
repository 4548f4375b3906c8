"""What the belt does by itself: bring proofs to the ledger, and the index up to what is on disk."""

from collections.abc import Callable

from safebelt.rooms.belt.service import Belt

COLLECT = "belt.collect_proofs"
INDEX = "belt.index"
EVERY_SECONDS = 0.5
"""How often the console's process calls both: a person who ordered a stop looks at its proof within a second."""


def steps(belt: Belt) -> dict[str, Callable[[], int]]:
    """Return what a loop calls every `EVERY_SECONDS`; each step may be called by several processes at once."""
    return {COLLECT: belt.collect_proofs, INDEX: belt.index}
