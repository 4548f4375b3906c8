"""Says from time to time how far long work has come, to whoever waits at the terminal."""

import sys
import time
from collections.abc import Callable

from safebelt.kernel.text import Lang, Text

Say = Callable[[Text], None]
"""Tells a person something while work goes on."""

_EVERY_SECONDS = 5.0


def to_stderr(lang: Lang) -> Say:
    """Return what says things beside the answer, which stays alone on standard output."""

    def say(text: Text) -> None:
        sys.stderr.write(f"{text.in_(lang)}\n")
        sys.stderr.flush()

    return say


class Progress:
    """Says at most every few seconds how far things are.

    Args:
        say: Tells a person.
        now: Seconds of a clock that only runs forward.
    """

    def __init__(self, say: Say, now: Callable[[], float] = time.monotonic) -> None:
        self._say, self._now, self._due = say, now, now() + _EVERY_SECONDS
        self.rows = self.files = 0

    def __call__(self, name: str, *, rows: int = 0, files: int = 0) -> None:
        """Count, and say where it is if it has been silent for long."""
        self.rows, self.files = self.rows + rows, self.files + files
        if self._now() >= self._due:
            self._due = self._now() + _EVERY_SECONDS
            self._say(
                Text(
                    zh=f"{self.rows} 行、{self.files} 个文件……{name}",
                    en=f"{self.rows} rows, {self.files} files … {name}",
                )
            )
