"""What is published of the vocabulary: the JSON Schema of a description, and a template to fill in."""

from collections.abc import Collection
from datetime import date
from typing import Any

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.rulebook.decide.overlays import text_on
from safebelt.rooms.rulebook.decide.walking import Walker
from safebelt.rooms.rulebook.model import FORMAT, Fact, FactType, Rulebook
from safebelt.rooms.rulebook.packs.describe import vocabulary

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCHEMA_ID = "urn:safebelt:system:1"


def description_schema(rulebook: Rulebook) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a described system, made from the vocabulary."""
    facts = sorted(vocabulary(rulebook).values(), key=lambda fact: (fact.rank, fact.id))
    return {
        "$schema": DIALECT,
        "$id": SCHEMA_ID,
        "title": "AI system described for Safebelt / 供 Safebelt 判断的人工智能系统描述",
        "type": "object",
        "required": ["safebelt", "id", "name"],
        "additionalProperties": False,
        "properties": {
            "safebelt": {"const": FORMAT},
            "id": {"type": "string", "pattern": r"^[a-z0-9][a-z0-9_.-]*$"},
            "name": {"$ref": "#/$defs/text"},
            "purpose": {"$ref": "#/$defs/text"},
            "sources": {"type": "object", "additionalProperties": {"$ref": "#/$defs/source"}},
            "facts": {
                "type": "object",
                "additionalProperties": False,
                "properties": {fact.id: _fact_schema(fact) for fact in facts},
            },
            "expected": {"type": "array", "items": {"$ref": "#/$defs/expected"}},
        },
        "$defs": _DEFS,
    }


_FILLED: dict[str, Any] = {"type": "string", "minLength": 1, "pattern": r"\S"}
_URL: dict[str, Any] = {"type": "string", "pattern": r"^(https?://\S+)?$"}
_DAY: dict[str, Any] = {"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
_DEFS: dict[str, Any] = {
    "text": {
        "anyOf": [
            _FILLED,
            {
                "type": "object",
                "required": ["zh", "en"],
                "additionalProperties": False,
                "properties": {"zh": _FILLED, "en": _FILLED},
            },
        ]
    },
    "date": _DAY,
    "source": {
        "type": "object",
        "required": ["title"],
        "additionalProperties": False,
        "properties": {"title": _FILLED, "url": _URL, "as_of": {"$ref": "#/$defs/date"}},
    },
    "expected": {
        "type": "object",
        "required": ["instrument", "strictest"],
        "additionalProperties": False,
        "properties": {
            "instrument": {"type": "string"},
            "strictest": {"type": "string"},
            "source": {"type": "string"},
            "why": {"$ref": "#/$defs/text"},
        },
    },
}


def _fact_schema(fact: Fact) -> dict[str, Any]:
    value = _value_schema(fact)
    return {
        "title": _both(fact.label),
        "description": _both(fact.question) + (f" — {_both(fact.help)}" if fact.help else ""),
        "anyOf": [
            value,
            {
                "type": "object",
                "required": ["value"],
                "additionalProperties": False,
                "properties": {
                    "value": value,
                    "source": {"type": "string"},
                    "as_of": {"$ref": "#/$defs/date"},
                    "note": {"$ref": "#/$defs/text"},
                },
            },
        ],
    }


def _both(text: Text) -> str:
    return f"{text.zh} / {text.en}"


def _value_schema(fact: Fact) -> dict[str, Any]:
    match fact.type:
        case FactType.YES_NO:
            return {"anyOf": [{"type": "boolean"}, {"enum": ["yes", "no"]}]}
        case FactType.ONE_OF:
            return _options(fact)
        case FactType.SOME_OF:
            return {"type": "array", "items": _options(fact)}
        case FactType.NUMBER:
            least = {} if fact.minimum is None else {"minimum": fact.minimum}
            unit = {"description": fact.unit} if fact.unit else {}
            return {"type": "number", **least, **unit}
        case FactType.DATE:
            return {"$ref": "#/$defs/date"}
    return dict(_FILLED)


def _options(fact: Fact) -> dict[str, Any]:
    return {"oneOf": [{"const": option.id, "title": _both(option.label)} for option in fact.options]}


_INTRO: dict[Lang, str] = {
    "zh": (
        "# 系统描述：删去行首的“# ”填写；不知道的不要写，没有的写 [] 或 false。\n"
        "# 每个事实可写成“事实: 值”，或“事实: {value: 值, source: s1, as_of: 2026-01-31, note: 说明}”。\n"
        "# 结果只供参考，不是法律意见。\n"
    ),
    "en": (
        "# A described system: take `# ` away and fill in; leave out what is not known, write [] or false for none.\n"
        "# A fact is `fact: value`, or `fact: {value: value, source: s1, as_of: 2026-01-31, note: why}`.\n"
        "# What comes of it only informs. Not legal advice.\n"
    ),
}
_HEAD: dict[Lang, str] = {
    "zh": "safebelt: system/1\nid: my-system\nname: {zh: 我的系统, en: My system}\n",
    "en": "safebelt: system/1\nid: my-system\nname: {zh: 我的系统, en: My system}\n",
}
_SOURCES = "sources:\n  s1: {title: source, url: 'https://example.org/', as_of: 2026-01-31}\n"
_EXAMPLES: dict[FactType, str] = {
    FactType.YES_NO: "true",
    FactType.NUMBER: "0",
    FactType.DATE: "2026-01-31",
    FactType.TEXT: '"…"',
}


def template(rulebook: Rulebook, lang: Lang, instruments: Collection[str] | None = None) -> str:
    """Return a `system.yaml` to fill in, every fact explained in a comment.

    Args:
        rulebook: The law.
        lang: Language of the comments.
        instruments: Only the facts these depend on; all, if none are named.
    """
    known = vocabulary(rulebook)
    wanted = set(known) if instruments is None else _facts_of(rulebook, instruments)
    chosen = sorted((known[name] for name in wanted if name in known), key=lambda fact: (fact.rank, fact.id))
    parts = [_INTRO[lang], _HEAD[lang], _SOURCES, "facts:\n", *(_explained(fact, lang) for fact in chosen)]
    return "".join(parts)


def _facts_of(rulebook: Rulebook, instruments: Collection[str]) -> set[str]:
    """Facts that decide anything in the instruments, as they will read when all that is enacted has taken effect."""
    text = text_on(rulebook, date.max)
    walker = Walker(text)
    found: set[str] = set()
    for norm in text.norms.values():
        if norm.instrument in instruments:
            found |= set(walker.from_norm(norm.id).facts)
    for name in instruments:
        labels = text.instruments[name].classes if name in text.instruments else ()
        found |= set(walker.from_conditions(*(label.when for label in labels)).facts)
    return found


def _explained(fact: Fact, lang: Lang) -> str:
    lines = [f"  # {fact.label.in_(lang)} — {fact.question.in_(lang)}"]
    if fact.help:
        lines.append(f"  #   {fact.help.in_(lang)}")
    lines += [f"  #   - {option.id}: {option.label.in_(lang)}" for option in fact.options]
    example = _example(fact)
    unit = f"  # {fact.unit}" if fact.unit else ""
    return "\n".join(line.replace("\n", " ") for line in lines) + f"\n  # {fact.id}: {example}{unit}\n"


def _example(fact: Fact) -> str:
    if fact.type is FactType.SOME_OF:
        return f"[{fact.options[0].id}]" if fact.options else "[]"
    if fact.type is FactType.ONE_OF:
        return fact.options[0].id
    return _EXAMPLES[fact.type]
