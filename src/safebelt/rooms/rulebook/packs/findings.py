"""What is wrong, where, and what to do about it: every finding at once, in both languages."""

from collections.abc import Iterable
from dataclasses import dataclass

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text

HARMLESS = frozenset({"has-cases", "both-sides", "duties-have-norms"})
"""Errors of omission: what is there can be tried nevertheless."""

SHOWN_IN_MESSAGE = 20
"""How many findings one message spells out; `details` and `findings` always hold all of them."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """One thing that is wrong in one line of one file.

    Attributes:
        file: Path as a reader of the folder knows it, for example `eu/ai-act/norms.yaml`.
        line: Line in the file, from 1.
        rule: Name of the rule that was broken, for example `facts-exist`.
        what: What is wrong.
        hint: What to do.
        is_warning: Whether the file can be used nevertheless.
    """

    file: str
    line: int
    rule: str
    what_zh: str
    what_en: str
    hint_zh: str
    hint_en: str
    is_warning: bool = False

    @property
    def what(self) -> Text:
        """What is wrong, in both languages."""
        return Text(zh=self.what_zh, en=self.what_en)

    @property
    def hint(self) -> Text:
        """What to do, in both languages."""
        return Text(zh=self.hint_zh, en=self.hint_en)

    @property
    def where(self) -> str:
        """File and line, as editors understand them."""
        return f"{self.file}:{self.line}"


def finding(where: tuple[str, int], rule: str, what: Text, hint: Text, *, is_warning: bool = False) -> Finding:
    """Put a finding together from a place and two sentences."""
    return Finding(
        file=where[0],
        line=where[1],
        rule=rule,
        what_zh=what.zh,
        what_en=what.en,
        hint_zh=hint.zh,
        hint_en=hint.en,
        is_warning=is_warning,
    )


@dataclass(eq=False, kw_only=True)
class Unreadable(Invalid):
    """Files that cannot be used as they stand.

    Attributes:
        findings: Everything that is wrong, by file and line.
    """

    findings: tuple[Finding, ...] = ()


def unreadable(subject: Text, found: Iterable[Finding]) -> Unreadable:
    """Say all findings in one problem.

    Args:
        subject: What was read, for example `Text(zh="规则库", en="The rulebook")`.
        found: The findings; warnings are left out.
    """
    errors = tuple(sorted(f for f in found if not f.is_warning))
    more = len(errors) - SHOWN_IN_MESSAGE
    listed = {
        lang: "\n".join(f"{f.where}: {f.what.in_(lang)} {f.hint.in_(lang)}" for f in errors[:SHOWN_IN_MESSAGE])
        for lang in ("zh", "en")
    }
    tail = Text(zh=f"\n（另有 {more} 处）", en=f"\n(and {more} more)") if more > 0 else None
    return Unreadable(
        what=Text(
            zh=f"{subject.zh}有 {len(errors)} 处错误：\n{listed['zh']}{tail.zh if tail else ''}",
            en=f"{subject.en}: {len(errors)} error(s):\n{listed['en']}{tail.en if tail else ''}",
        ),
        hint=Text(zh="请按所列文件和行号改正后再试。", en="Correct the lines named, then try again."),
        details={f"{place}. {f.where}": f"{f.what_en} {f.hint_en}" for place, f in enumerate(errors, start=1)},
        findings=errors,
    )
