"""Turn outcomes into reasons a lawyer can read: labels for facts, titles for terms, dates, and what each rests on.

A reason keeps what it follows from and leaves out the rest: of an `any` that holds, the parts that hold; of an `all`
that fails, the parts that fail.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Protocol

from safebelt.kernel.conditions import Judged, Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.decide.saying import compared
from safebelt.rooms.rulebook.model import LawText, Norm, Span, Status

UNVERIFIED = Reason(
    says=Text(
        zh="所依据的条文未经核实：仅供参考，不作为拦截、撤销或认定违反的依据",
        en="What it rests on is not verified: it informs, and never blocks, revokes or counts as a breach",
    ),
    holds=Truth.TRUE,
)


def mark(said: Text, status: Status) -> Text:
    """Return a statement with *unverified* beside it where it is."""
    if status is Status.VERIFIED:
        return said
    return Text(zh=f"{said.zh}（未核实）", en=f"{said.en} (unverified)")


class Behind(Protocol):
    """What lies behind derived facts and norms."""

    def deciding_rows(self, derived: str) -> tuple[Judged, ...]:
        """The rows that decided a derived fact or left it open."""

    def span(self, norm: str) -> Span:
        """When a norm is in force."""

    def overridden(self, norm: str) -> list[Reason]:
        """A reason for each norm that overrides it or could."""


class Narrator:
    """Tells one judgment's outcomes.

    Args:
        text: For labels and titles.
        facts: Known facts, derived ones among them.
        on: The day judged.
        behind: What lies behind derived facts and norms.
    """

    def __init__(
        self,
        text: LawText,
        facts: Mapping[str, Any],
        on: date,
        behind: Behind,
    ) -> None:
        self._text = text
        self._facts = facts
        self._on = on
        self._behind = behind
        self._terms: dict[str, Reason] = {}

    def tell(self, judged: Judged) -> Reason:
        """Return one outcome as a reason."""
        of = judged.of
        match of.form:
            case "fact":
                return self._comparison(judged)
            case "term":
                return self._term(judged)
            case "applies":
                return self._applies(judged)
            case "not":
                return self._negation(judged)
        parts = self._deciding(judged)
        if len(parts) == 1:
            return self.tell(parts[0])
        every = Text(zh="以下各项都成立", en="all of these hold")
        some = Text(zh="以下至少一项成立", en="at least one of these holds")
        return Reason(
            says=every if of.form == "all" else some,
            holds=judged.holds,
            because=tuple(self.tell(part) for part in parts),
        )

    def _deciding(self, judged: Judged) -> tuple[Judged, ...]:
        """The parts the outcome follows from.

        Where all parts count (an `all` that holds, an `any` that fails) these are all; a decided other outcome
        follows from the parts that share it; an open `any` waits for its open parts, an open `all` shows every part.
        """
        is_by_one = (judged.of.form, judged.holds) in {
            ("any", Truth.TRUE),
            ("any", Truth.UNKNOWN),
            ("all", Truth.FALSE),
        }
        parts: list[Judged] = []
        for part in judged.because:
            if is_by_one and part.holds is not judged.holds:
                continue
            parts += self._deciding(part) if part.of.form == judged.of.form else (part,)  # all in all is one list
        return tuple(parts)

    def _comparison(self, judged: Judged) -> Reason:
        leaf = judged.of
        cites: tuple[str, ...] = ()
        if leaf.parameter:
            cites = self._text.parameters[leaf.parameter].cites
        said = compared(self._text, leaf, self._on, self._facts.get(leaf.fact), judged.holds)
        derived = self._text.derived.get(leaf.fact)
        if derived is None:
            status = self._text.parameters[leaf.parameter].status if leaf.parameter else Status.VERIFIED
            return Reason(says=mark(said, status), holds=judged.holds, cites=cites)
        rows = tuple(self.tell(row) for row in self._behind.deciding_rows(leaf.fact))
        return Reason(says=mark(said, derived.status), holds=judged.holds, cites=derived.cites + cites, because=rows)

    def _negation(self, judged: Judged) -> Reason:
        part, is_negated = self._bare(judged.because[0])
        if not is_negated:
            return self.tell(part)
        inner = self.tell(part)
        return Reason(
            says=Text(zh=f"并非：{inner.says.zh}", en=f"not: {inner.says.en}"),
            holds=judged.holds,
            cites=inner.cites,
            because=inner.because,
        )

    def _bare(self, part: Judged) -> tuple[Judged, bool]:
        """What stands under *not*, and whether it is still negated: twice not is said as not at all."""
        is_negated = True
        while part.of.form in ("not", "all", "any"):
            parts = part.because if part.of.form == "not" else self._deciding(part)
            if len(parts) > 1:
                break
            is_negated ^= part.of.form == "not"
            part = parts[0]
        return part, is_negated

    def _term(self, judged: Judged) -> Reason:
        name = judged.of.names[0]
        if name not in self._terms:
            term = self._text.terms[name]
            self._terms[name] = Reason(
                says=mark(Text(zh=f"符合“{term.title.zh}”", en=f"“{term.title.en}” is met"), term.status),
                holds=judged.holds,
                cites=term.cites,
                because=tuple(self.tell(part) for part in judged.because),
            )
        return self._terms[name]

    def _applies(self, judged: Judged) -> Reason:
        """One norm, or any of several: then those the outcome follows from."""
        if len(judged.of.names) == 1:
            return self._one_applies(judged.because[0], judged.holds)
        parts = tuple(part for part in judged.because if judged.holds is Truth.FALSE or part.holds is judged.holds)
        if len(parts) == 1:
            return self._one_applies(parts[0], judged.holds)
        return Reason(
            says=Text(zh="以下规定至少一项适用", en="at least one of these applies"),
            holds=judged.holds,
            because=tuple(self._one_applies(part, part.holds) for part in parts),
        )

    def _one_applies(self, judged: Judged, holds: Truth) -> Reason:
        """A norm within another reason, its own conditions and its time beneath it."""
        norm = self._text.norms[judged.of.names[0]]
        day = self._on.isoformat()
        return Reason(
            says=mark(
                Text(zh=f"“{norm.title.zh}”在 {day} 适用", en=f"“{norm.title.en}” applies on {day}"), norm.status
            ),
            holds=holds,
            cites=norm.cites,
            because=(
                *(self.tell(part) for part in judged.because),
                *self._behind.overridden(norm.id),
                self.time(norm),
            ),
        )

    def time(self, norm: Norm) -> Reason:
        """Return whether a norm is in force on the day, and since or from when."""
        span = self._behind.span(norm.id)
        cites = tuple(dict.fromkeys((*norm.cites, *(cite for start in norm.starts for cite in start.cites))))
        days = " / ".join(day.isoformat() for day in span.possible)
        end = span.until.isoformat() if span.until else ""
        if len(span.possible) > 1:
            said = Text(zh=f"起始日视事实而定：{days}", en=f"in force from one of these days, as the facts say: {days}")
        elif span.from_ > self._on:
            said = Text(zh=f"已经生效（自 {days} 起才生效）", en=f"in force now (it is only from {days} on)")
        else:
            said = Text(zh=f"自 {days} 起生效", en=f"in force since {days}")
        if end:
            said = Text(zh=f"{said.zh}，至 {end}（不含当日）", en=f"{said.en}, until {end} (that day not included)")
        return Reason(says=said, holds=span.now, cites=cites)
