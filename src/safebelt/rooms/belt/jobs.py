"""What the belt does by itself: bring proofs to the ledger, and the index up to what is on disk."""

from collections.abc import Callable
from typing import Any

from safebelt.rooms.belt.service import Belt

EVERY_SECONDS = 0.5
"""A person who ordered a stop, or sent a prompt, finds it on the page within a second; both steps are cheap when
there is nothing to do."""


def jobs(belt: Belt) -> dict[str, Callable[..., None]]:
    """Return the handlers of the belt's job kinds; several processes may run them at once."""

    def collect_proofs(*_: Any, **__: Any) -> None:
        belt.collect_proofs()

    def index(*_: Any, **__: Any) -> None:
        belt.index()

    return {"belt.collect_proofs": collect_proofs, "belt.index": index}
