"""Into which classes of an instrument the facts fall, what could still make it a stricter one, and what is coming."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.decide.bench import Bench, prepare
from safebelt.rooms.rulebook.decide.explaining import Explainer
from safebelt.rooms.rulebook.decide.overlays import coming_overlays, reading
from safebelt.rooms.rulebook.decide.reasons import UNVERIFIED, mark
from safebelt.rooms.rulebook.decide.walking import Reach
from safebelt.rooms.rulebook.decide.world import World
from safebelt.rooms.rulebook.model import UNKNOWN_CLASS, ClassResult, Coming, Status

NO_CLASS = Text(zh="不属于任何类别", en="in none of the classes")
OPEN_CLASS = Text(zh="尚不能判断：仍可能属于更严格的类别", en="not known yet: a stricter class may still hold")


def truths_of(world: World, instrument: str) -> dict[str, Truth]:
    """Return every class of an instrument, strictest first, and whether it holds."""
    return {one.id: Truth.of(code(world)) for one, code in world.bench.classes[instrument]}


def strictest_of(truths: Mapping[str, Truth]) -> str:
    """Return the strictest class that holds; `unknown` if a stricter one could; empty if none holds or can."""
    for name, truth in truths.items():
        if truth is Truth.TRUE:
            return name
        if truth is Truth.UNKNOWN:
            return UNKNOWN_CLASS
    return ""


def is_firm(world: World, name: str, instrument: str, class_id: str) -> bool:
    """Whether a class holds by verified law alone."""
    return name not in world.bench.shaky or world.strict.class_holds(instrument, class_id) is True


class ClassJudge:
    """Judges classes, and answers what their results are asked.

    Args:
        explainer: The facts on the day judged.
        raw: The facts as they were given; a later text may know more of them.
    """

    def __init__(self, explainer: Explainer, raw: Mapping[str, Any]) -> None:
        self._explainer = explainer
        self._world = explainer.world
        self._bench = explainer.world.bench
        self._raw = raw
        self._later: dict[date, World] = {}
        self._truths: dict[str, dict[str, Truth]] = {}

    def result(self, instrument: str) -> ClassResult:
        """Return into which classes of one instrument the facts fall."""
        truths = self._truths[instrument] = truths_of(self._world, instrument)
        return ClassResult(
            instrument=instrument,
            truths=truths,
            all=tuple(name for name, truth in truths.items() if truth is Truth.TRUE),
            strictest=strictest_of(truths),
            barred_by=self._barred_by(instrument, truths),
            explains=self,
        )

    def _barred_by(self, instrument: str, truths: Mapping[str, Truth]) -> tuple[str, ...]:
        """Verified red lines, in force and met, behind a class that bars and that verified law alone establishes."""
        found: dict[str, None] = {}
        for label, _ in self._bench.classes[instrument]:
            name = f"{instrument}.{label.id}"
            if not label.bars or truths[label.id] is not Truth.TRUE:
                continue
            if is_firm(self._world, name, instrument, label.id):
                reach = self._bench.class_reach[name]
                found |= dict.fromkeys(one for one in reach.norms if self._is_red(one))
        return tuple(found)

    def _is_red(self, norm: str) -> bool:
        return self._bench.text.norms[norm].red_line and self._world.strict.applies(norm) is True

    # --- what results are asked ----------------------------------------------------------------------------------

    def class_missing(self, instrument: str) -> tuple[str, ...]:
        """Return facts that could still make it a stricter class."""
        missing: list[str] = []
        for label, _ in self._bench.classes[instrument]:
            truth = self._truths[instrument][label.id]
            if truth is Truth.TRUE:
                break
            if truth is Truth.UNKNOWN:
                missing += self._explainer.judged(label.when).missing
        return self._explainer.asked(tuple(dict.fromkeys(missing)))

    def class_status(self, instrument: str) -> Status:
        """Return whether the strictest class, and that none is stricter, follows from verified law alone."""
        strictest = strictest_of(self._truths[instrument])
        if strictest == UNKNOWN_CLASS or not self._bench.unverified:
            return Status.VERIFIED
        strict = strictest_of(truths_of(self._world.strict, instrument))
        return Status.VERIFIED if strict == strictest else Status.UNVERIFIED

    def class_why(self, instrument: str) -> Reason:
        """Return why the strictest class is what it is: the class, or each that is still open, or that all fail."""
        entry = self._bench.text.instruments[instrument]
        truths = self._truths[instrument]
        strictest = strictest_of(truths)
        shown, said, holds = list(truths), NO_CLASS, Truth.TRUE
        if strictest == UNKNOWN_CLASS:
            first = next((at for at, one in enumerate(truths.values()) if one is Truth.TRUE), len(shown))
            shown, said, holds = shown[: first + 1], OPEN_CLASS, Truth.UNKNOWN
            shown = [one for one in shown if truths[one] is not Truth.FALSE]
        elif strictest:
            shown = [strictest]
            said = next(one.title for one in entry.classes if one.id == strictest)
        because = tuple(self._one_class(instrument, name) for name in shown)
        remarks = (UNVERIFIED,) if self.class_status(instrument) is Status.UNVERIFIED else ()
        cites = tuple(dict.fromkeys(cite for reason in because for cite in reason.cites))
        return Reason(
            says=Text(zh=f"{entry.short.zh}：{said.zh}", en=f"{entry.short.en}: {said.en}"),
            holds=holds,
            cites=cites,
            because=because + remarks,
        )

    def _one_class(self, instrument: str, class_id: str) -> Reason:
        label = next(one for one in self._bench.text.instruments[instrument].classes if one.id == class_id)
        truth = self._truths[instrument][class_id]
        name = f"{instrument}.{class_id}"
        is_sure = truth is not Truth.TRUE or is_firm(self._world, name, instrument, class_id)
        said = Text(zh=f"属于“{label.title.zh}”：{label.says.zh}", en=f"“{label.title.en}”: {label.says.en}")
        return Reason(
            says=mark(said, Status.VERIFIED if is_sure else Status.UNVERIFIED),
            holds=truth,
            cites=label.cites,
            because=(self._explainer.narrator.tell(self._explainer.judged(label.when)),),
        )

    # --- what is coming ------------------------------------------------------------------------------------------

    def class_coming(self, instrument: str) -> tuple[Coming, ...]:
        """Return the classes that do not hold and will, and red lines met that are not in force yet, by day."""
        coming: list[Coming] = []
        open_classes = [one.id for one, _ in self._bench.classes[instrument]]
        open_classes = [one for one in open_classes if self._truths[instrument][one] is not Truth.TRUE]
        for day in self._days(instrument):
            later = self._on(day)
            here = {one.id: code for one, code in later.bench.classes.get(instrument, ())}
            held = [one for one in open_classes if one in here and here[one](later)]
            coming += [self._coming(later, instrument, one) for one in held]
            open_classes = [one for one in open_classes if one not in held]
        named = {norm for one in coming for norm in one.norms}
        coming += [one for one in self._red_lines(instrument) if one.norms[0] not in named]
        return tuple(sorted(coming, key=lambda one: (one.on, one.class_id, one.norms)))

    def _days(self, instrument: str) -> list[date]:
        """Every later day on which a class may change: a norm behind it begins or ends, a parameter, the text."""
        today, text = self._world.on, self._bench.text
        turns = [one.effective for one in coming_overlays(text, today)]
        days = set(turns)
        for bench in (self._bench, *(prepare(reading(text, turn)) for turn in turns)):
            for label, _ in bench.classes.get(instrument, ()):
                days |= _turning_days(bench, bench.class_reach[f"{instrument}.{label.id}"])
        return sorted(day for day in days if day > today)

    def _on(self, day: date) -> World:
        """The same facts on a later day, with the text as it reads then."""
        if day not in self._later:
            bench = prepare(reading(self._bench.text, day))
            self._later[day] = World(bench, bench.presuming(self._raw), day)
        return self._later[day]

    def _coming(self, later: World, instrument: str, class_id: str) -> Coming:
        name = f"{instrument}.{class_id}"
        label = next(one for one, _ in later.bench.classes[instrument] if one.id == class_id)
        reached = later.bench.class_reach[name].norms
        known = self._bench.text.norms
        new = (one for one in reached if later.applies(one) and not (one in known and self._world.applies(one)))
        firm = is_firm(later, name, instrument, class_id)
        return Coming(
            class_id=class_id,
            on=later.on,
            norms=tuple(new),
            title=label.title,
            status=Status.VERIFIED if firm else Status.UNVERIFIED,
        )

    def _red_lines(self, instrument: str) -> list[Coming]:
        """Red lines met and not in force yet."""
        found: list[Coming] = []
        for norm in self._bench.text.norms.values():
            if not norm.red_line or norm.instrument != instrument or not self._world.holds(norm.id):
                continue
            start = self._explainer.span(norm.id).from_
            if start > self._world.on:
                status = self._explainer.status(norm.id)
                found.append(Coming(class_id="", on=start, norms=(norm.id,), title=norm.title, status=status))
        return found


def _turning_days(bench: Bench, reach: Reach) -> set[date]:
    """The days on which something a condition reaches begins, ends or changes its value."""
    days: set[date] = set()
    for name in reach.norms:
        norm = bench.text.norms[name]
        days |= {norm.in_force.from_, *(start.from_ for start in norm.starts)}
        days |= set() if norm.in_force.until is None else {norm.in_force.until}
    for name in reach.parameters:
        days |= set(bench.text.parameters[name].values)
    return days
