"""Answer, on demand, why a norm's verdict is what it is, what is missing, when it holds, and on what it rests."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from safebelt.kernel.conditions import Condition, Judged, Truth, negate
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.decide.dates import due_of
from safebelt.rooms.rulebook.decide.reasons import UNVERIFIED, Narrator
from safebelt.rooms.rulebook.decide.world import World
from safebelt.rooms.rulebook.model import VERDICTS, DueOn, Modality, Norm, Span, Status, Verdict

VERDICT_OF: Mapping[bool | None, Verdict] = {True: Verdict.APPLIES, False: Verdict.DOES_NOT, None: Verdict.UNKNOWN}


class Explainer:
    """What findings ask; also what the names in a condition stand for (`kernel.conditions.References`)."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.text = world.bench.text
        self._all_facts: Mapping[str, Any] | None = None
        self._judged_terms: dict[str, Judged] = {}
        self._judged_norms: dict[str, Judged] = {}
        self._narrator: Narrator | None = None

    # --- what names stand for ------------------------------------------------------------------------------------

    @property
    def facts(self) -> Mapping[str, Any]:
        """Known facts, derived ones among them."""
        if self._all_facts is None:
            derived = {name: self.world.derived(name) for name in self.text.derived}
            self._all_facts = {**self.world.facts, **derived}
        return self._all_facts

    @property
    def narrator(self) -> Narrator:
        """Tells this judgment's outcomes."""
        if self._narrator is None:
            self._narrator = Narrator(self.text, self.facts, self.world.on, self)
        return self._narrator

    def judged(self, condition: Condition) -> Judged:
        """Judge a condition of this text, with all it takes to explain."""
        return condition.judge(self.facts, self)

    def parameter(self, name: str) -> Any:
        """Return a parameter's value on the day."""
        return self.world.parameter(name)

    def term(self, name: str) -> Judged:
        """Return what a named condition came to."""
        if name not in self._judged_terms:
            term = self.text.terms[name]
            self._judged_terms[name] = self.judged(both(term.when, term.unless))
        return self._judged_terms[name]

    def applies(self, name: str) -> Judged:
        """Return whether a norm holds and is in force on the day."""
        holds = Truth.of(self.world.applies(name))
        own = self.norm(name)
        missing: tuple[str, ...] = ()
        if holds is Truth.UNKNOWN:
            is_open = self.world.is_in_force(name, self.world.on) is None
            missing = tuple(dict.fromkeys((*own.missing, *(self.start_missing(name) if is_open else ()))))
        return Judged(holds=holds, of=own.of, missing=missing, because=own.because)

    def norm(self, name: str) -> Judged:
        """Return what a norm came to, whenever it is in force; its parts are its own condition and its overriders."""
        if name not in self._judged_norms:
            self._judged_norms[name] = self._judge_norm(name)
        return self._judged_norms[name]

    def _judge_norm(self, name: str) -> Judged:
        norm = self.text.norms[name]
        own = None if norm.when is None and norm.unless is None else self.judged(both(norm.when, norm.unless))
        parts = tuple(one for one in (own,) if one is not None)
        holds = Truth.of(self.world.holds(name))
        missing: list[str] = []
        if holds is Truth.UNKNOWN:
            missing += own.missing if own is not None and own.holds is Truth.UNKNOWN else ()
            missing += self._defeat_missing(name)
        of = Condition(form="applies", names=(name,))
        return Judged(holds=holds, of=of, missing=tuple(dict.fromkeys(missing)), because=parts)

    def _defeat_missing(self, name: str) -> list[str]:
        """Facts that would settle whether the norm is overridden."""
        if self.world.defeated(name) is not None:
            return []
        missing: list[str] = []
        for overrider, day in self._contests(name):
            if self.world.defeats(overrider, day) is None:
                missing += self.norm(overrider).missing
                missing += self.start_missing(overrider) if self.world.is_in_force(overrider, day) is None else ()
        return [*missing, *self.start_missing(name)]

    def _contests(self, name: str) -> list[tuple[str, date]]:
        """Every overrider with every day on which it would have to be in force to defeat the norm."""
        starts = self.world.possible_starts(self.text.norms[name])
        days = tuple(dict.fromkeys(max(start, self.world.on) for start in starts))
        return [(overrider, day) for overrider in self.world.bench.overriders.get(name, ()) for day in days]

    def start_missing(self, name: str) -> tuple[str, ...]:
        """Facts that would settle a norm's first day; none where only one is possible."""
        norm = self.text.norms[name]
        if len(self.world.possible_starts(norm)) == 1:
            return ()
        missing: list[str] = []
        for start in norm.starts:
            judged = self.judged(start.when)
            if judged.holds is Truth.TRUE:
                break
            missing += judged.missing
        return tuple(dict.fromkeys(missing))

    def deciding_rows(self, derived: str) -> tuple[Judged, ...]:
        """Return the rows of a derived fact that decided it or left it open; none where all failed."""
        rows: list[Judged] = []
        for row in self.text.derived[derived].rows:
            judged = self.judged(row.when)
            rows += () if judged.holds is Truth.FALSE else (judged,)
            if judged.holds is Truth.TRUE:
                break
        return tuple(rows) if self.world.derived(derived) is None else tuple(rows[:1])

    def asked(self, missing: tuple[str, ...]) -> tuple[str, ...]:
        """Return missing facts as they can be asked for: derived ones followed to what they are computed from."""
        found: dict[str, None] = {}
        for name in missing:
            if name in self.text.derived:
                rows = (row for row in self.deciding_rows(name) if row.holds is Truth.UNKNOWN)
                found |= dict.fromkeys(one for row in rows for one in self.asked(row.missing))
            else:
                found[name] = None
        return tuple(found)

    # --- what findings ask ---------------------------------------------------------------------------------------

    def status(self, norm: str) -> Status:
        """Verified only if the norm is, and its verdict follows from verified law alone."""
        bench = self.world.bench
        if norm in bench.unverified:
            return Status.UNVERIFIED
        is_firm = norm not in bench.shaky or self.world.strict.holds(norm) is self.world.holds(norm)
        return Status.VERIFIED if is_firm else Status.UNVERIFIED

    def is_established(self, norm: str) -> bool:
        """Whether it applies and is in force by verified law alone."""
        return self.world.strict.applies(norm) is True

    def span(self, norm: str) -> Span:
        """Return when the norm is in force."""
        entry = self.text.norms[norm]
        possible = tuple(sorted(self.world.possible_starts(entry)))
        return Span(
            from_=possible[0],
            until=entry.in_force.until,
            now=Truth.of(self.world.is_in_force(norm, self.world.on)),
            possible=possible,
            missing=self.asked(self.start_missing(norm)),
        )

    def effective(self, norm: str) -> date:
        """Return the first day it can bite: `effective` where given, never before another start that facts chose."""
        entry, start = self.text.norms[norm], self.span(norm).from_
        if entry.effective is None:
            return start
        return entry.effective.from_ if start == entry.in_force.from_ else max(start, entry.effective.from_)

    def missing(self, norm: str) -> tuple[str, ...]:
        """Return the facts that can still change an unknown verdict."""
        return self.asked(self.norm(norm).missing)

    def defeated_by(self, norm: str) -> tuple[str, ...]:
        """Return the norms that override it, where nothing else keeps it from applying."""
        world = self.world
        if world.holds(norm) is not False or world.bench.norms[norm](world) is False:
            return ()
        return tuple(dict.fromkeys(one for one, day in self._contests(norm) if world.defeats(one, day)))

    def upon(self, norm: str) -> Truth | None:
        """Return whether the occurrence has happened; None where no fact about it is known."""
        code = self.world.bench.upons.get(norm)
        if code is None:
            return None
        mentioned = self.world.bench.walker.from_conditions(self.text.norms[norm].upon).facts
        if self.world.facts.keys().isdisjoint(mentioned):
            return None
        return Truth.of(code(self.world))

    def upon_missing(self, norm: str) -> tuple[str, ...]:
        """Return open facts about an occurrence of which something is known."""
        upon = self.text.norms[norm].upon
        if upon is None or self.upon(norm) is not Truth.UNKNOWN:
            return ()
        return self.asked(self.judged(upon).missing)

    def due(self, norm: str) -> DueOn | None:
        """Return when it is due."""
        entry = self.text.norms[norm]
        if entry.due is None or entry.modality is Modality.EXEMPT:
            return None
        return due_of(self.text, entry.due, self.world.facts, self.world.on, effective=self.effective(norm))

    def why(self, norm: str) -> Reason:
        """Return the reason for its verdict."""
        entry, holds = self.text.norms[norm], self.world.holds(norm)
        verdict = VERDICTS[VERDICT_OF[holds]]
        because = [self.narrator.tell(part) for part in self.norm(norm).because]
        because += self.overridden(norm)
        because.append(self.narrator.time(entry))
        because += self._remarks(entry)
        return Reason(
            says=Text(zh=f"{entry.title.zh}：{verdict.zh}", en=f"{entry.title.en}: {verdict.en}"),
            holds=Truth.of(holds),
            cites=entry.cites,
            because=tuple(because),
        )

    def overridden(self, norm: str) -> list[Reason]:
        """Return a reason for each norm that overrides it or could."""
        told: dict[str, Reason] = {}
        for name, day in self._contests(norm):
            outcome = self.world.defeats(name, day)
            if outcome is False or name in told:
                continue
            other = self.text.norms[name]
            told[name] = Reason(
                says=Text(zh=f"没有被“{other.title.zh}”排除", en=f"it is not overridden by “{other.title.en}”"),
                holds=negate(Truth.of(outcome)),
                cites=other.cites,
                because=(*map(self.narrator.tell, self.norm(name).because), self.narrator.time(other)),
            )
        return list(told.values())

    def _remarks(self, entry: Norm) -> list[Reason]:
        """What stands beside the verdict: where it bites, what starts its clock, on what it rests."""
        remarks: list[Reason] = []
        effective = self.effective(entry.id)
        if entry.effective is not None and effective != self.span(entry.id).from_:
            note = entry.effective.note or Text(zh="与字面日期不同", en="which differs from the literal date")
            said = Text(zh=f"实际起作用的日期是 {effective}：{note.zh}", en=f"it can bite from {effective}: {note.en}")
            remarks.append(Reason(says=said, holds=Truth.TRUE, cites=entry.cites))
        upon = self.upon(entry.id)
        if entry.upon is not None and upon is not None:
            remarks.append(self.narrator.tell(self.judged(entry.upon)))
        elif entry.upon is not None:
            said = Text(
                zh="义务已存在；触发期限的事件尚未报告",
                en="the duty stands; what starts its clock has not been reported",
            )
            remarks.append(Reason(says=said, holds=Truth.UNKNOWN, cites=entry.cites))
        if self.status(entry.id) is Status.UNVERIFIED:
            remarks.append(UNVERIFIED)
        doubt = entry.interpretation.note if entry.interpretation else None
        if doubt is not None:
            said = Text(zh=f"解释上的说明：{doubt.zh}", en=f"on the interpretation: {doubt.en}")
            remarks.append(Reason(says=said, holds=Truth.TRUE, cites=entry.cites))
        return remarks


def both(when: Condition | None, unless: Condition | None) -> Condition:
    """Return `when` and not `unless` as one condition.

    Raises:
        ValueError: There is neither.
    """
    parts = [when] if when is not None else []
    if unless is not None:
        parts.append(Condition(form="not", parts=(unless,)))
    if not parts:
        raise ValueError("a condition is needed")
    return parts[0] if len(parts) == 1 else Condition(form="all", parts=tuple(parts))
