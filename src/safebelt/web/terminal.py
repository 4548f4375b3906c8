"""The command-line kit: a command returns an `Answer`; `__main__` prints it as text or JSON and exits with its code.

Exit codes: 0 done or holds · 1 a negative verdict · 2 bad use or unreadable input ·
3 not evaluated, nothing to verify, or unavailable.
"""

from dataclasses import dataclass
from typing import Any

from safebelt.kernel.text import Lang, Text

DONE, NEGATIVE, BAD_USE, NOT_EVALUATED = 0, 1, 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command has to say.

    Attributes:
        data: JSON-ready values, printed with `--format json`.
        says: What a person reads, in both languages; may hold several lines.
        exit_code: 0, 1, 2 or 3, as the module's head says.
    """

    data: Any
    says: Text
    exit_code: int = DONE

    def as_text(self, lang: Lang) -> str:
        """Return the text for a reader of `lang`."""
        return self.says.in_(lang)
