"""Which marks are owed on a content, by the law that applies to the system which made it.  Pure.

The law says so itself: a norm that has a label scheme for the kind of content, and names as evidence a visible label,
a label in metadata or a watermark, asks for that mark.  Nothing here knows an article.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.labelling.model import MARKS, Mark
from safebelt.rooms.labelling.model.owing import (
    BY_EVIDENCE,
    FUNCTION_OF,
    FUNCTIONS,
    MEDIA,
    METADATA_EVIDENCE,
    METADATA_MARKS,
    PLACES,
    SCHEME_CONTROL,
    SHORT_TEXT_TOKENS,
    Medium,
    OwedMark,
    Owing,
)
from safebelt.rooms.rulebook.model import Bearer, Finding, Judgment, LawText, Modality, Norm, Verdict

_HOLDS = {Owing.OWED: Truth.TRUE, Owing.NOT_OWED: Truth.FALSE, Owing.NOT_EVALUATED: Truth.UNKNOWN}


def facts_for(known: Mapping[str, Any], medium: Medium, regimes: Collection[str]) -> dict[str, Any]:
    """Return the facts to judge by: what is on record, and what the content itself tells.

    Args:
        known: Facts on record of the system; empty where there are none.
        medium: What the content is: whatever made it, makes that.
        regimes: Places the content is to be judged for as if it went there; empty for those on record.
    """
    facts = dict(known)
    facts[FUNCTIONS] = sorted({*known.get(FUNCTIONS, ()), FUNCTION_OF[medium]})
    if regimes:
        facts[PLACES] = sorted({*known.get(PLACES, ()), *regimes})
    return facts


def places(known: Mapping[str, Any]) -> frozenset[str]:
    """Return where a system is offered, by the facts on record of it; empty where none say."""
    return frozenset(str(one) for one in known.get(PLACES, ()))


def media_made(known: Mapping[str, Any]) -> tuple[Medium, ...]:
    """Return the kinds of content that a system makes, by the facts on record of it."""
    made = set(known.get(FUNCTIONS, ()))
    return tuple(medium for medium in Medium if FUNCTION_OF[medium] in made)


def instruments(text: LawText) -> frozenset[str]:
    """Return the instruments that have a label scheme."""
    return frozenset(norm.instrument for norm in text.norms.values() if _schemes(norm))


def short(text_bytes: int) -> bool:
    """Say whether a text is surely too short for a watermark to be owed: no tokenizer makes a byte into two tokens."""
    return text_bytes <= SHORT_TEXT_TOKENS


def owed(
    judgment: Judgment, text: LawText, medium: Medium, *, regimes: Collection[str] = (), is_short: bool = False
) -> dict[Mark, OwedMark]:
    """Return, for every mark, whether it is owed.

    Args:
        judgment: What applies to the system that made the content.
        text: The law it was judged by.
        medium: What the content is.
        regimes: Only what these places ask; empty for every place.
        is_short: Whether it is a text too short for a watermark.
    """
    asked: dict[Mark, list[Finding]] = {mark: [] for mark in Mark}
    for finding in judgment.findings.values():
        norm = finding.norm
        if regimes and text.instruments[norm.instrument].jurisdiction not in regimes:
            continue
        for mark in _asked_by(norm, medium):
            asked[mark].append(finding)
    found = {mark: _verdict(mark, medium, findings, text) for mark, findings in asked.items()}
    if is_short and medium is Medium.TEXT and found[Mark.WATERMARK].owing is not Owing.NOT_OWED:
        found[Mark.WATERMARK] = _too_short(found[Mark.WATERMARK])
    return found


def wished(found: Mapping[Mark, OwedMark], *, is_narrowed: bool) -> frozenset[Mark]:
    """Return the marks to put where nobody named any.

    What is owed; what may be owed, except a watermark, which changes the content for good; and label and manifest in
    any case, unless places were named: in metadata they cost the content nothing.

    Args:
        found: What is owed.
        is_narrowed: Whether somebody named the places whose law counts.
    """
    marks = {mark for mark, one in found.items() if one.owing is Owing.OWED}
    marks |= {mark for mark, one in found.items() if one.owing is Owing.NOT_EVALUATED and mark is not Mark.WATERMARK}
    return frozenset(marks if is_narrowed else marks | {Mark.AIGC, Mark.C2PA})


def missing(found: Mapping[Mark, OwedMark], there: Collection[Mark]) -> tuple[Mark, ...]:
    """Return the marks that are owed and are not there."""
    return tuple(mark for mark, one in found.items() if one.owing is Owing.OWED and mark not in there)


def not_evaluated() -> dict[Mark, OwedMark]:
    """Return the answer where nothing is known of what made the content."""
    says = Text(
        zh="没有指明系统，或系统没有登记事实，应加哪些标识未能判断。",
        en="No system was named, or no facts are on record for it: which marks are owed was not evaluated.",
    )
    return dict.fromkeys(
        Mark, OwedMark(owing=Owing.NOT_EVALUATED, reason=Reason(says=says, holds=Truth.UNKNOWN), norms=())
    )


def _schemes(norm: Norm) -> Iterable[Mapping[str, Any]]:
    return [control.fields for control in norm.controls if control.kind == SCHEME_CONTROL]


def _asked_by(norm: Norm, medium: Medium) -> frozenset[Mark]:
    """Return the marks that a norm asks for on a kind of content.

    What a platform owes for content that others made is said when it passes it on, not here.
    """
    if norm.modality is not Modality.MUST or norm.bearer is Bearer.PROPAGATION_PLATFORM:
        return frozenset()
    marks = set[Mark]()
    for scheme in _schemes(norm):
        if medium.value not in scheme.get("media", ()):
            continue
        marks |= {BY_EVIDENCE[one] for one in norm.evidence if one in BY_EVIDENCE}
        if METADATA_EVIDENCE in norm.evidence:
            marks.add(METADATA_MARKS.get(str(scheme.get("scheme", "")), Mark.C2PA))
    return frozenset(marks)


def _verdict(mark: Mark, medium: Medium, findings: list[Finding], text: LawText) -> OwedMark:
    stands = [(finding, _stands(finding)) for finding in findings]
    for owing in (Owing.OWED, Owing.NOT_EVALUATED):
        those = [finding for finding, one in stands if one is owing]
        if those:
            return _answer(owing, mark, medium, those, text)
    return _answer(Owing.NOT_OWED, mark, medium, [finding for finding, _ in stands], text)


def _stands(finding: Finding) -> Owing:
    if finding.verdict is Verdict.DOES_NOT:
        return Owing.NOT_OWED
    if finding.verdict is Verdict.UNKNOWN:
        return Owing.NOT_EVALUATED
    by_time = {Truth.TRUE: Owing.OWED, Truth.FALSE: Owing.NOT_OWED, Truth.UNKNOWN: Owing.NOT_EVALUATED}
    return by_time[finding.in_force.now]


def _answer(owing: Owing, mark: Mark, medium: Medium, findings: list[Finding], text: LawText) -> OwedMark:
    what, of = MARKS[mark], MEDIA[medium]
    says = {
        Owing.OWED: Text(zh=f"{of.zh}应当加注{what.zh}。", en=f"Owed on this {of.en}: {what.en}."),
        Owing.NOT_OWED: Text(
            zh=f"规则库中没有生效的条文要求对这一{of.zh}加注{what.zh}。",
            en=f"No norm in force in the rulebook asks for it on this {of.en}: {what.en}.",
        ),
        Owing.NOT_EVALUATED: Text(
            zh=f"缺少事实，{of.zh}是否应当加注{what.zh}未能判断。",
            en=f"Facts are missing, so it was not evaluated whether this {of.en} owes it: {what.en}.",
        ),
    }[owing]
    because = tuple(_because(finding, owing, text) for finding in findings)
    cites = tuple(dict.fromkeys(cite for finding in findings for cite in finding.norm.cites))
    return OwedMark(
        owing=owing,
        reason=Reason(says=says, holds=_HOLDS[owing], cites=cites, because=because),
        norms=tuple(finding.norm.id for finding in findings),
    )


def _because(finding: Finding, owing: Owing, text: LawText) -> Reason:
    norm = finding.norm
    short_name = text.instruments[norm.instrument].short
    zh, en = f"{short_name.zh}：{norm.title.zh}", f"{short_name.en}: {norm.title.en}"
    missing = finding.missing if finding.verdict is Verdict.UNKNOWN else finding.in_force.missing
    if missing and _stands(finding) is Owing.NOT_EVALUATED:
        labels = [text.facts[one].label if one in text.facts else Text(zh=one, en=one) for one in missing]
        zh += f"（未知：{'、'.join(one.zh for one in labels)}）"
        en += f" (not known: {', '.join(one.en for one in labels)})"
    if finding.verdict is Verdict.APPLIES and finding.in_force.now is Truth.FALSE:
        zh += f"（自 {finding.in_force.from_} 起施行）"
        en += f" (in force from {finding.in_force.from_})"
    if owing is Owing.OWED and not finding.is_established:
        zh, en = f"{zh}（未经原文核实）", f"{en} (not verified against the primary text)"
    return Reason(says=Text(zh=zh, en=en), holds=_HOLDS[_stands(finding)], cites=norm.cites)


def _too_short(otherwise: OwedMark) -> OwedMark:
    says = Text(
        zh=f"文本不超过 {SHORT_TEXT_TOKENS} 个词元，按欧盟《AI 生成内容透明度行为准则》可不加水印。",
        en=f"The text has at most {SHORT_TEXT_TOKENS} tokens, which the EU code of practice on the transparency of "
        "AI-generated content spares a watermark.",
    )
    reason = Reason(says=says, holds=Truth.FALSE, cites=otherwise.reason.cites, because=(otherwise.reason,))
    return OwedMark(owing=Owing.NOT_OWED, reason=reason, norms=otherwise.norms)
