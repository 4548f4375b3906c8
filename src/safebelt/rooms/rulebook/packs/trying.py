"""Try the cases that stand beside the law, and say why where one comes out differently."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from safebelt.kernel.conditions import Truth
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.decide.judging import judge
from safebelt.rooms.rulebook.decide.overlays import text_on
from safebelt.rooms.rulebook.model import Judgment, LawText, Rulebook, Verdict
from safebelt.rooms.rulebook.packs.findings import Finding, finding
from safebelt.rooms.rulebook.packs.lints.cases import ANSWERS
from safebelt.rooms.rulebook.packs.schemas.others import CaseDoc, GivenDoc
from safebelt.rooms.rulebook.packs.sources import Entry
from safebelt.rooms.rulebook.packs.values import fit, kind_of

_WANTED = {"yes": Verdict.APPLIES, "no": Verdict.DOES_NOT, "unknown": Verdict.UNKNOWN}
_OF_TRUTH = {Truth.TRUE: Verdict.APPLIES, Truth.FALSE: Verdict.DOES_NOT, Truth.UNKNOWN: Verdict.UNKNOWN}
_SHOWN_REASON_CHARS = 1200


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One expectation, tried.

    Attributes:
        where: File and line of the case.
        about: A norm id, `<instrument>.<class>`, or an instrument id (its strictest class).
        answer: `yes`, `no`, `unknown`; `given` for a free-standing case.
        wanted: Verdict or class expected.
        got: What judging came to.
        why: Where the two differ, the reason judging gave, in both languages.
    """

    where: tuple[str, int]
    about: str
    answer: str
    on: date
    wanted: str
    got: str
    why: Text | None = None

    @property
    def agrees(self) -> bool:
        """Whether it came out as expected."""
        return self.wanted == self.got

    def as_finding(self) -> Finding:
        """Say the disagreement as a finding."""
        why = self.why or Text(zh="", en="")
        return finding(
            self.where,
            "case",
            Text(
                zh=f"{self.answer}：{self.about} 在 {self.on} 应为 {self.wanted}，实为 {self.got}。",
                en=f"{self.answer}: {self.about} on {self.on} is to come to {self.wanted} but comes to {self.got}.",
            ),
            Text(zh=f"请改正规则或用例。\n{why.zh}".strip(), en=f"Correct the rule or the case.\n{why.en}".strip()),
        )


def facts_of(given: GivenDoc, bases: Mapping[str, GivenDoc]) -> dict[str, Any]:
    """Return the facts of a case: its base's, with some replaced and some taken away.

    Raises:
        ValueError: A base rests on itself.
    """
    chain = [given]
    while chain[-1].from_:
        if len(chain) > len(bases) + 1:
            raise ValueError(f"the base {given.from_!r} rests on itself")
        chain.append(bases[chain[-1].from_])
    facts: dict[str, Any] = {}
    for one in reversed(chain):
        facts |= one.facts
        facts = {name: value for name, value in facts.items() if name not in one.without}
    return facts


@dataclass(slots=True)
class _Bench:
    """Judges each set of facts once per day and instrument."""

    rulebook: Rulebook
    _kept: dict[Any, Judgment] = field(default_factory=dict)

    def judged(self, facts: Mapping[str, Any], on: date, instrument: str) -> Judgment:
        key = (repr(sorted(facts.items(), key=lambda item: item[0])), on, instrument)
        if key not in self._kept:
            text = text_on(self.rulebook, on)
            self._kept[key] = judge(text, _fitted(text, facts), on, instruments=(instrument,))
        return self._kept[key]


def _fitted(text: LawText, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Values as judgments take them; a fact that the text of the day does not know is left out."""
    return {name: fit(kind_of(text.facts[name]), value)[0] for name, value in facts.items() if name in text.facts}


def run_cases(rulebook: Rulebook, cases: tuple[Entry[CaseDoc], ...]) -> list[CaseResult]:
    """Try cases.

    Args:
        rulebook: The law.
        cases: As `open_law` returns them.

    Returns:
        A result for every norm, class and instrument of every case, in the order of the files.
    """
    bench = _Bench(rulebook)
    return [result for entry in cases for result in _of_case(bench, entry)]


def _of_case(bench: _Bench, entry: Entry[CaseDoc]) -> Iterator[CaseResult]:
    doc, on = entry.doc, entry.doc.on or entry.head.on
    for answer in ANSWERS:
        given = getattr(doc, answer)
        if given is None:
            continue
        facts = facts_of(given, entry.head.bases)
        for name in (*doc.norms, *doc.classes):
            yield _tried(bench, entry, answer, on=on, facts=facts, name=name, wanted=_WANTED[answer])
    if doc.given is not None:
        facts = facts_of(doc.given, entry.head.bases)
        for name, wanted in doc.expect.items():
            yield _tried(bench, entry, "given", on=on, facts=facts, name=name, wanted=wanted)


def _tried(
    bench: _Bench, entry: Entry[CaseDoc], answer: str, *, on: date, facts: dict[str, Any], name: str, wanted: str
) -> CaseResult:
    got, why = _outcome(bench, facts, on, name)
    return CaseResult(
        where=entry.where(answer),
        about=name,
        answer=answer,
        on=on,
        wanted=str(wanted),
        got=got,
        why=None if got == str(wanted) else why(),
    )


def _outcome(bench: _Bench, facts: dict[str, Any], on: date, name: str) -> tuple[str, Any]:
    """What the norm, class or instrument came to, and how to ask why."""
    if "/" in name:
        if name in bench.rulebook.base.instruments:
            instrument, class_id = name, ""
        else:
            instrument, _, class_id = name.rpartition(".")
        result = bench.judged(facts, on, instrument).classes[instrument]
        got = str(_OF_TRUTH[result.truths[class_id]]) if class_id else result.strictest
        return got, lambda: _told(result.why)
    instrument = _instrument_of(bench.rulebook, name)
    found = bench.judged(facts, on, instrument).findings.get(name)
    if found is None:  # repealed, ended, or not yet enacted: there is nothing that could apply
        absent = Text(zh=f"{name} 在该日没有效力。", en=f"{name} is not part of the law on that day.")
        return str(Verdict.DOES_NOT), lambda: absent
    return str(found.verdict), lambda: _told(found.why)


def _instrument_of(rulebook: Rulebook, name: str) -> str:
    if name in rulebook.base.norms:
        return rulebook.base.norms[name].instrument
    added = (change for one in rulebook.enacted for change in one.changes if name in change.ids)
    return next((change.entry.instrument for change in added if change.entry is not None), "")


def _told(reason: Any) -> Text:
    return Text(
        zh=reason.as_text("zh")[:_SHOWN_REASON_CHARS],
        en=reason.as_text("en")[:_SHOWN_REASON_CHARS],
    )
