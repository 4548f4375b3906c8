"""The ledger's own work: `ledger.advance`, every half second, so that what was done is provable within a second."""

from collections.abc import Callable
from typing import Any

from safebelt.rooms.ledger.service import Ledger

ADVANCE_EVERY_SECONDS = 0.5
"""The promise is a signed head at most one second old; half of it leaves room for the work itself."""


def jobs(ledger: Ledger) -> dict[str, Callable[..., None]]:
    """Return the handlers of the ledger's job kinds."""

    def advance(*_: Any, **__: Any) -> None:
        ledger.advance()

    return {"ledger.advance": advance}
