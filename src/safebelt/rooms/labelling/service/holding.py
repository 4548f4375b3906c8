"""What this house's records said a moment ago, for as long as nothing in them was changed since."""

import threading
from collections.abc import Callable, Hashable
from time import monotonic
from typing import Generic, TypeVar

SECONDS = 0.5
"""How long an answer is held at most: time passes, and keys and logs are files, which the database does not know of."""
_MOST = 1024

T = TypeVar("T")


class Held(Generic[T]):
    """Answers that are given again only while the database is in the very state it was in before they were asked for.

    So a revocation is seen by the next question, whoever wrote it.

    Args:
        state: Tells the database's state (`Sql.state`).
    """

    def __init__(self, state: Callable[[], str]) -> None:
        self._state, self._own = state, threading.Lock()
        self._answers: dict[Hashable, tuple[str, float, T]] = {}

    def get(self, about: Hashable, ask: Callable[[], T]) -> T:
        """Return what is held about something, or else ask.

        Raises:
            Problem: As `ask`, of which then nothing is held.
            Unavailable: The database does not answer.
        """
        state, now = self._state(), monotonic()  # before anybody reads: what changes meanwhile is another state
        with self._own:
            kept = self._answers.get(about)
        if kept is not None and kept[0] == state and now - kept[1] < SECONDS:
            return kept[2]
        found = ask()
        with self._own:
            if len(self._answers) >= _MOST:
                self._answers.clear()
            self._answers[about] = state, now, found
        return found
