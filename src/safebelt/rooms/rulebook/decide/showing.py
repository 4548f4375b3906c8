"""A norm as people read it: the duty, whose it is, since when, and its condition in words, with what it rests on."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from safebelt.kernel.conditions import Condition
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.rulebook.decide import saying
from safebelt.rooms.rulebook.decide.contract import words
from safebelt.rooms.rulebook.decide.dates import says as due_says
from safebelt.rooms.rulebook.model import BASES, BEARERS, MODALITIES, STATUSES, LawText, Norm, ParameterRef, Term

_JOINTS = {
    "all": Text(zh="以下全部成立", en="all of these hold"),
    "any": Text(zh="以下任一成立", en="any of these holds"),
    "not": Text(zh="以下不成立", en="this does not hold"),
}
_NAMED = {
    "term": Text(zh="符合", en="it is so that"),
    "applies": Text(zh="以下规则已生效并适用", en="this norm applies and is in force"),
}


def condition_data(condition: Condition | None, text: LawText, on: date) -> dict[str, Any] | None:
    """Return a condition as a tree of sentences: `{says, form, refs, parts}`; None where there is none."""
    if condition is None:
        return None
    parts = [condition_data(one, text, on) for one in condition.parts]
    refs = list(condition.names) or ([condition.fact] if condition.fact else [])
    return {"says": words(sentence(condition, text, on)), "form": condition.form, "refs": refs, "parts": parts}


def sentence(condition: Condition, text: LawText, on: date) -> Text:
    """Return what one node of a condition says, without its parts."""
    if condition.form == "fact":
        return saying.comparison(text, condition, on)
    if condition.form in _JOINTS:
        return _JOINTS[condition.form]
    named, titles = _NAMED[condition.form], saying.listed(_title(name, text) for name in condition.names)
    return Text(zh=f"{named.zh}：{titles.zh}", en=f"{named.en}: {titles.en}")


def _title(name: str, text: LawText) -> Text:
    found: Term | Norm | None = text.terms.get(name) or text.norms.get(name)
    return found.title if found else saying.same(name)


def condition_lines(condition: Condition | None, text: LawText, on: date, lang: Lang, depth: int = 0) -> Iterator[str]:
    """Yield a condition as indented lines."""
    if condition is None:
        return
    yield f"{'  ' * depth}{sentence(condition, text, on).in_(lang)}"
    for part in condition.parts:
        yield from condition_lines(part, text, on, lang, depth + 1)


def norm_data(norm: Norm, text: LawText, on: date) -> dict[str, Any]:
    """Return a norm as data, its condition in words beside what machines need."""
    note = norm.interpretation.note if norm.interpretation else None
    return {
        "norm": norm.id,
        "instrument": norm.instrument,
        "title": words(norm.title),
        "kind": norm.modality.value,
        "duty": words(norm.says),
        "bearer": norm.bearer.value,
        "cites": list(norm.cites),
        "in_force": {
            "from": norm.in_force.from_.isoformat(),
            "until": norm.in_force.until.isoformat() if norm.in_force.until else None,
        },
        "starts": [
            {"when": condition_data(one.when, text, on), "from": one.from_.isoformat(), "cites": list(one.cites)}
            for one in norm.starts
        ],
        "effective": norm.effective.from_.isoformat() if norm.effective else None,
        "effective_note": words(norm.effective.note) if norm.effective and norm.effective.note else None,
        "when": condition_data(norm.when, text, on),
        "unless": condition_data(norm.unless, text, on),
        "upon": condition_data(norm.upon, text, on),
        "overrides": list(norm.overrides),
        "due": words(due_says(text, norm.due)) if norm.due else None,
        "evidence": list(norm.evidence),
        "controls": [
            {"kind": one.kind, **{name: _field(value) for name, value in one.fields.items()}} for one in norm.controls
        ],
        "red_line": norm.red_line,
        "penalty": words(norm.penalty.says) if norm.penalty else None,
        "basis": norm.basis.value,
        "status": norm.status.value,
        "interpretation": {
            "by": norm.interpretation.by,
            "on": norm.interpretation.on.isoformat(),
            "status": norm.interpretation.status,
            "note": words(note) if note else None,
        }
        if norm.interpretation
        else None,
        "provisions": [
            {"id": cite, "summary": words(text.provisions[cite].summary)}
            for cite in norm.cites
            if cite in text.provisions
        ],
    }


def norm_told(norm: Norm, text: LawText, on: date, lang: Lang) -> str:
    """Tell a norm to a reader of `lang`."""
    heads = _HEADS[lang]
    lines = [
        f"{norm.id}  {norm.title.in_(lang)}",
        f"{MODALITIES[norm.modality].in_(lang)} · {BEARERS[norm.bearer].in_(lang)} · {STATUSES[norm.status].in_(lang)} "
        f"({BASES[norm.basis].in_(lang)})",
        norm.says.in_(lang),
        f"{heads['since']} {norm.in_force.from_}" + (f" – {norm.in_force.until}" if norm.in_force.until else ""),
    ]
    lines += [f"  {one.from_}: " + "; ".join(condition_lines(one.when, text, on, lang)) for one in norm.starts]
    if norm.effective:
        note = f" ({norm.effective.note.in_(lang)})" if norm.effective.note else ""
        lines.append(f"{heads['effective']} {norm.effective.from_}{note}")
    for name, condition in (("when", norm.when), ("unless", norm.unless), ("upon", norm.upon)):
        if condition is not None:
            lines += [heads[name], *condition_lines(condition, text, on, lang, 1)]
    lines += [f"{heads['due']} {due_says(text, norm.due).in_(lang)}"] if norm.due else []
    lines += [heads["cites"], *(_cited(cite, text, lang) for cite in norm.cites)]
    if norm.interpretation and norm.interpretation.note:
        lines += [heads["note"], f"  {norm.interpretation.note.in_(lang)}"]
    return "\n".join(lines)


def _cited(cite: str, text: LawText, lang: Lang) -> str:
    found = text.provisions.get(cite)
    return f"  {cite}" + (f"  {found.summary.in_(lang)}" if found else "")


def _field(value: Any) -> Any:
    if isinstance(value, ParameterRef):
        return {"param": value.parameter}
    return list(value) if isinstance(value, tuple) else value


_HEADS: dict[str, dict[str, str]] = {
    "zh": {
        "since": "条文生效：",
        "effective": "实际约束自：",
        "when": "适用于：",
        "unless": "但以下情形除外：",
        "upon": "由以下事件起算：",
        "due": "期限：",
        "cites": "依据：",
        "note": "解释说明：",
    },
    "en": {
        "since": "In force by its text:",
        "effective": "Can bite from:",
        "when": "Applies where:",
        "unless": "Except where:",
        "upon": "Its clock starts when:",
        "due": "Due:",
        "cites": "Rests on:",
        "note": "How it was read:",
    },
}
