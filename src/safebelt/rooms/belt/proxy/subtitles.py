"""Subtitles (SubRip, WebVTT): which of their lines are spoken, and which only say when."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_TIME = r"(?:\d{1,3}:)?\d{1,2}:\d{2}[.,]\d{1,3}"
_WHEN = re.compile(rf"{_TIME} --> {_TIME}\s*", re.ASCII)
_NUMBER = re.compile(r"\d{1,6}\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Subtitles:
    """The lines, and which of them are texts.

    Attributes:
        lines: All.
        spoken: Places of those that are texts: whatever is neither empty, a time, nor the number before one.
    """

    lines: Sequence[str]
    spoken: Sequence[int]

    @property
    def texts(self) -> list[str]:
        """The lines that are texts."""
        return [self.lines[at] for at in self.spoken]

    def written(self, texts: Sequence[str]) -> str:
        """Return the subtitles with other texts."""
        changed = dict(zip(self.spoken, texts, strict=True))
        return "\n".join(changed.get(at, line) for at, line in enumerate(self.lines))


def read(text: str) -> Subtitles:
    """Take subtitles apart; a line that cannot be told is a text."""
    lines = text.replace("\r\n", "\n").split("\n")
    return Subtitles(lines, [at for at, line in enumerate(lines) if line.strip() and not _is_frame(lines, at)])


def _is_frame(lines: Sequence[str], at: int) -> bool:
    after = lines[at + 1] if at + 1 < len(lines) else ""
    return bool(_WHEN.fullmatch(lines[at]) or (_NUMBER.fullmatch(lines[at]) and _WHEN.fullmatch(after)))
