"""How the command line tells judgments: short lines first, reasons beneath."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from safebelt.kernel.conditions import Truth
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.rulebook import decide, packs
from safebelt.rooms.rulebook.decide import contract
from safebelt.rooms.rulebook.model import (
    NOT_LEGAL_ADVICE,
    VERDICTS,
    ClassResult,
    Coverage,
    Description,
    Duty,
    Entry,
    Fact,
    Finding,
    Held,
    Judgment,
    LawText,
    Norm,
    Status,
    Verdict,
)

_UNVERIFIED = Text(zh="（未核实）", en=" (not verified)")
_HELD: Mapping[Held, Text] = {
    Held.FULLY: Text(zh="全部持有", en="all held"),
    Held.PARTLY: Text(zh="部分持有", en="some held"),
    Held.NOT: Text(zh="均未持有", en="none held"),
    Held.NONE_NAMED: Text(zh="未列明证据", en="names no evidence"),
}


def in_both(tell: Callable[[Lang], str]) -> Text:
    """Tell something in both languages."""
    return Text(**{lang: tell(lang) for lang in LANGS})


def as_json(data: Any) -> str:
    """Print data for people."""
    return json.dumps(data, ensure_ascii=False, indent=2, sort_keys=False)


def judgment(description: Description, found: Judgment, text: LawText, lang: Lang, *, in_full: bool = False) -> str:
    """Tell a judgment: classes with their reasons, what applies, what is still unknown.

    The regimes of places the description does not mention are left out; `in_full` prints whole reasons.
    """
    shown = decide.touched(text, description.values())
    findings = [one for one in found.findings.values() if one.norm.instrument in shown]
    applies = [one for one in findings if one.verdict is Verdict.APPLIES]
    unknown = [one for one in findings if one.verdict is Verdict.UNKNOWN]
    heads = _HEADS[lang]
    parts = [f"{description.name.in_(lang)}{heads['as of']}{found.on}", "", heads["classes"]]
    parts += _classes(found, text, lang, shown, in_full=in_full) or ["  -"]
    parts += ["", f"{heads['applies']} ({len(applies)})", *(finding(one, lang) for one in applies)]
    parts += ["", f"{heads['unknown']} ({len(unknown)})"]
    parts += [_open(one, lang) for one in unknown] if in_full else _settling(unknown, text, lang)
    return "\n".join((*parts, "", NOT_LEGAL_ADVICE.in_(lang)))


_HEADS: Mapping[Lang, Mapping[str, str]] = {
    "zh": {"as of": "，截至 ", "classes": "类别", "applies": "适用", "unknown": "尚不能判断；最能解决问题的事实"},
    "en": {
        "as of": ", as of ",
        "classes": "Classes",
        "applies": "Applies",
        "unknown": "Not known yet; what would settle most",
    },
}
_DEPTH = 3
"""How deep a reason is told unless it is asked for in full: the class, what it rests on, and why that holds."""


def _classes(found: Judgment, text: LawText, lang: Lang, shown: Collection[str], *, in_full: bool) -> list[str]:
    lines = []
    for name, one in found.classes.items():
        if name not in shown or one.strictest == "":
            continue
        lines.append(f"  {text.instruments[name].short.in_(lang)}: {class_titles(one, text, lang)}")
        told = one.why.as_text(lang).split("\n")
        lines += [f"    {line}" for line in told if in_full or len(line) - len(line.lstrip()) < 2 * _DEPTH]
        lines += [f"    → {coming.on}  {coming.title.in_(lang)}" for coming in one.coming]
    return lines


def class_titles(one: ClassResult, text: LawText, lang: Lang) -> str:
    """Name the classes of a result, strictest first."""
    titles = {label.id: label.title for label in text.instruments[one.instrument].classes}
    names = [titles.get(name, contract.UNKNOWN_TITLE).in_(lang) for name in contract.class_data(one)["all"]]
    return ("、" if lang == "zh" else ", ").join(names) + _mark(one.status, lang)


def finding(one: Finding, lang: Lang) -> str:
    """Tell a finding in a line."""
    from_, later = one.in_force.from_.isoformat(), f"→ {one.effective.isoformat()}"
    since = {Truth.TRUE: from_, Truth.FALSE: later}.get(one.in_force.now, f"? {from_}")
    due = f"  [{one.due.text.in_(lang)}{f' {one.due.on}' if one.due.on else ''}]" if one.due else ""
    return f"  {one.norm.id}  {since}  {one.norm.title.in_(lang)}{_mark(one.status, lang)}{due}"


def _open(one: Finding, lang: Lang) -> str:
    return f"  {one.norm.id}  {one.norm.title.in_(lang)}  ? {', '.join(one.missing)}"


def _settling(unknown: list[Finding], text: LawText, lang: Lang) -> list[str]:
    """Name the facts that most of what is open waits for."""
    waits = Counter(fact for one in unknown for fact in one.missing).most_common(_FACTS_NAMED)
    return [
        f"  {count:>4}  {name}  {text.facts[name].label.in_(lang) if name in text.facts else ''}"
        for name, count in waits
    ]


_FACTS_NAMED = 12
"""How many facts are named that would settle what is open; all are in the JSON answer."""


def entries(found: Iterable[Entry], lang: Lang) -> str:
    """Tell a calendar."""
    lines = [f"{one.on}  {one.title.in_(lang)}{_mark(one.status, lang)}  {one.about}" for one in found]
    none = Text(zh="没有已知的将来日期。", en="No date to come is known.").in_(lang)
    return "\n".join((*(lines or [none]), "", NOT_LEGAL_ADVICE.in_(lang)))


def entry_data(one: Entry) -> dict[str, Any]:
    """Return a line of the calendar as data."""
    return {
        "on": one.on.isoformat(),
        "kind": one.kind.value,
        "about": one.about,
        "instrument": one.instrument,
        "title": contract.words(one.title),
        "why": one.why.as_data(),
        "cites": list(one.cites),
        "status": one.status.value,
    }


def duties(found: Iterable[Duty], text: LawText, lang: Lang) -> str:
    """Tell what is owed."""
    lines = [line for one in found for line in _duty(one, text, lang)]
    none = Text(zh="按已知事实，没有义务适用。", en="By the facts known, no duty applies.").in_(lang)
    return "\n".join((*(lines or [none]), "", NOT_LEGAL_ADVICE.in_(lang)))


def _duty(one: Duty, text: LawText, lang: Lang) -> list[str]:
    names = {
        kind: [text.evidence[name].title.in_(lang) if name in text.evidence else name for name in ids]
        for kind, ids in (("held", one.held), ("lacking", one.lacking))
    }
    words = {"zh": ("承担者", "持有", "缺少"), "en": ("bearer", "held", "missing")}[lang]
    lines = [finding(one.finding, lang), f"      {words[0]}: {one.bearer.value}  {' '.join(one.finding.norm.cites)}"]
    lines += [f"      {words[1]}: {', '.join(names['held'])}"] if names["held"] else []
    return lines + ([f"      {words[2]}: {', '.join(names['lacking'])}"] if names["lacking"] else [])


def coverage(found: Mapping[str, Coverage], text: LawText, lang: Lang) -> str:
    """Tell how far evidence reaches."""
    lines = []
    for name, one in found.items():
        counts = ", ".join(f"{_HELD[held].in_(lang)} {one.count(held)}" for held in Held)
        lines.append(f"{text.instruments[name].short.in_(lang)}: {counts}")
    note = Text(zh="持有证据不等于义务已经履行。", en="Holding evidence does not say that a duty is met.").in_(lang)
    return "\n".join((*lines, "", note))


def coverage_data(found: Mapping[str, Coverage]) -> dict[str, Any]:
    """Return how far evidence reaches as data."""
    return {
        name: {
            "norms": {norm: held.value for norm, held in one.norms.items()},
            "lacking": {norm: list(ids) for norm, ids in one.lacking.items()},
            "counts": {held.value: one.count(held) for held in Held},
        }
        for name, one in found.items()
    }


def mentions(one: Fact, search: str) -> bool:
    """Whether a fact's id, label or options hold the words sought."""
    labels = [text for option in one.options for text in (option.id, option.label.zh, option.label.en)]
    return search.casefold() in " ".join((one.id, one.label.zh, one.label.en, *labels)).casefold()


def fact(one: Fact, lang: Lang) -> str:
    """Tell a fact: id, type, question, options."""
    options = "".join(f"\n      {option.id}  {option.label.in_(lang)}" for option in one.options)
    return f"  {one.id}  [{one.type.value}]  {one.question.in_(lang)}{options}"


def fact_data(one: Fact) -> dict[str, Any]:
    """Return a fact as data."""
    return {
        "id": one.id,
        "type": one.type.value,
        "subject": one.subject.value,
        "label": contract.words(one.label),
        "question": contract.words(one.question),
        "help": contract.words(one.help) if one.help else None,
        "unit": one.unit or None,
        "options": [{"id": option.id, "label": contract.words(option.label)} for option in one.options],
        "instrument": one.instrument or None,
    }


def lints(found: Iterable[packs.Finding], lang: Lang) -> str:
    """Tell what is wrong with the law's files: place, rule, what, what to do."""
    listed = list(found)
    warning = Text(zh="提示：", en="warning: ").in_(lang)
    lines = [
        f"{one.where}: {warning if one.is_warning else ''}{one.rule}: {one.what.in_(lang)} {one.hint.in_(lang)}"
        for one in listed
    ]
    errors = sum(1 for one in listed if not one.is_warning)
    counted = Text(
        zh=f"{errors} 处错误，{len(listed) - errors} 处提示", en=f"{errors} errors, {len(listed) - errors} warnings"
    )
    return "\n".join((*lines, counted.in_(lang)))


def norm(one: Norm, lang: Lang) -> str:
    """Tell a norm in a line."""
    return f"  {one.id}  [{one.modality.value}]  {one.title.in_(lang)}{_mark(one.status, lang)}"


def verdict(one: Verdict, lang: Lang) -> str:
    """Name a verdict."""
    return VERDICTS[one].in_(lang)


def _mark(status: Status, lang: Lang) -> str:
    return _UNVERIFIED.in_(lang) if status is Status.UNVERIFIED else ""
