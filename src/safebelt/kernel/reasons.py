"""Why: a small tree that every judgment returns beside its result (design, section 5)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from safebelt.kernel.conditions import Truth
from safebelt.kernel.text import Lang, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One statement, how it stands, what it rests on.

    Attributes:
        says: The statement, in both languages.
        holds: Whether it is true, false or unknown.  *Unknown* is a verdict, never a pass.
        cites: Ids of the rule, provision, policy or record it rests on.
        because: The statements it follows from.
    """

    says: Text
    holds: Truth
    cites: tuple[str, ...] = ()
    because: tuple["Reason", ...] = ()

    def walk(self) -> Iterator[tuple[int, "Reason"]]:
        """Yield every statement with its depth, itself first."""
        yield 0, self
        for child in self.because:
            for depth, reason in child.walk():
                yield depth + 1, reason

    def as_data(self) -> dict[str, Any]:
        """Return the tree as JSON-ready values."""
        return {
            "says": {"zh": self.says.zh, "en": self.says.en},
            "holds": self.holds.value,
            "cites": list(self.cites),
            "because": [child.as_data() for child in self.because],
        }

    def as_text(self, lang: Lang) -> str:
        """Return the tree as indented lines for a reader of `lang`."""
        return "\n".join(
            f"{'  ' * depth}[{reason.holds.mark}] {reason.says.in_(lang)}" for depth, reason in self.walk()
        )
