"""The rules of admission, read and checked once, asked for every request (Cedar), and answered from memory.

What is not known is left out of the question.  Cedar then cannot evaluate a rule that needs it, and says which rule
and what it lacks: a rule that permits falls silent, and one that forbids bars.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import cedarpy

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.belt.model import AdmissionRule, Admittance, Asked

MAX_BYTES = 256 * 1024
"""Rules that people answer for; the compiled set is asked in microseconds for as many."""
MAX_KEPT = 4096
"""Answers kept: keys times settings.  A caller who makes up names empties the store, at 0.1 ms a request."""
CONTEXT = ("scope", "model", "purpose", "user_class", "region", "data_class", "hour", "weekday", "minor")
_POLICY, _ATTRIBUTE = re.compile(r"policy `(.*?)`"), re.compile(r"attribute `(\w+)`")
_UNREADABLE = AdmissionRule(
    id="unreadable",
    permits=False,
    why=Text(zh="一条准入规则无法求值", en="A rule of admission could not be evaluated"),
    cites=(),
)
_NEEDED = ("id", "cite", "why_zh", "why_en")
_HOUSE = "house"
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")


class AdmissionRules:
    """Rules in force.

    Attributes:
        content: Their text.
        digest: SHA-256 of it, hex.
        rules: Each by its id.
        reads: What of a request they look at.
    """

    def __init__(self, content: str, rules: Mapping[str, AdmissionRule], parsed: Mapping[str, Any]) -> None:
        self.content, self.rules = content, rules
        self.digest = sha256(content.encode()).hexdigest()
        self.reads = frozenset(_attributes(parsed))
        text = json.dumps({"staticPolicies": parsed, "templates": {}, "templateLinks": []})
        self._policies = cedarpy.PolicySet.from_json_str(text)
        self._kept: dict[Asked, Admittance] = {}

    def ask(self, asked: Asked) -> Admittance:
        """Say what the rules come to; asked again for the same, it is a look-up."""
        known = self._kept.get(asked)
        if known is None:
            known = self._decide(asked)
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            self._kept[asked] = known
        return known

    def _decide(self, asked: Asked) -> Admittance:
        who, what = {"type": "Caller", "id": asked.key_id}, {"type": "System", "id": asked.system_id}
        caller = {"caller": asked.caller} if asked.caller else {}
        context = {name: value for name in CONTEXT if (value := getattr(asked, name)) is not None}
        entities: list[dict[Any, Any]] = [
            {"uid": who, "attrs": {"ref": asked.key_id, **caller}, "parents": []},
            {"uid": what, "attrs": {"ref": asked.system_id}, "parents": []},
        ]
        request = {"principal": who, "action": {"type": "Action", "id": "use"}, "resource": what, "context": context}
        answer = cedarpy.is_authorized(request, self._policies, entities)
        found = answer.diagnostics
        return self._admittance(asked, answer.allowed, found.reasons, found.errors)

    def _admittance(self, asked: Asked, allowed: bool, reasons: list[str], errors: list[str]) -> Admittance:
        unknown = tuple(self._lacking(error) for error in errors)
        barring = tuple((rule, name) for rule, name in unknown if not rule.permits)
        rules = tuple(self.rules[name] for name in sorted(reasons))
        told = {name: value for name in CONTEXT[2:6] if (value := getattr(asked, name))}
        facts = {"admission": {"rules": [rule.id for rule in rules], "digest": self.digest, **told}}
        if allowed and not barring:
            return Admittance(is_admitted=True, rules=rules, facts=facts)
        if allowed:
            return Admittance(is_admitted=False, unknown=barring, facts=facts)
        return Admittance(is_admitted=False, rules=rules, unknown=barring or unknown, facts=facts)

    def _lacking(self, error: str) -> tuple[AdmissionRule, str]:
        """Return which rule could not be evaluated, and what it lacks."""
        rule, name = _POLICY.search(error), _ATTRIBUTE.search(error)
        known = self.rules.get(rule[1]) if rule else None  # should Cedar word it otherwise: a rule that bars
        return known or _UNREADABLE, name[1] if name else "?"


class Reading:
    """Reads rules by the schema of the house.

    Args:
        folder: Holds `schema.cedarschema`, and `admission.cedar` with the house's own rules.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _schema(self) -> cedarpy.Schema:
        return cedarpy.Schema.from_str((self._folder / "schema.cedarschema").read_text("utf-8"))

    def of_the_house(self) -> AdmissionRules | None:
        """Return the rules of the folder; None where it has none.

        Raises:
            Invalid: They cannot be used.
        """
        file = self._folder / "admission.cedar"
        return self.read(file.read_bytes(), file.name) if file.exists() else None

    def read(self, content: bytes, name: str = "admission.cedar") -> AdmissionRules:
        """Read rules.

        Raises:
            Invalid: They are too long, do not parse, ask about what there is not, lack a word about themselves, or
                share an id.
        """
        text = _text(content, name)
        parsed = _parsed(text, name)
        checked = cedarpy.validate_policies(text, self._schema)
        if not checked.validation_passed:
            raise _broken(name, "; ".join(str(error) for error in checked.errors))
        rules: dict[str, AdmissionRule] = {}
        by_id: dict[str, Any] = {}
        for raw in parsed:
            rule = _rule(raw, name)
            if rule.id in rules:
                raise _broken(name, f"the id {rule.id} stands more than once")
            rules[rule.id], by_id[rule.id] = rule, raw
        if not any(rule.permits for rule in rules.values()):
            raise _broken(name, "no rule permits anything, so nobody would be let in; to stop a system, order a stop")
        return AdmissionRules(text, rules, by_id)


def _text(content: bytes, name: str) -> str:
    if len(content) > MAX_BYTES:
        raise _broken(name, f"it is larger than {MAX_BYTES} bytes")
    try:
        return content.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise _broken(name, "it is not UTF-8") from error


def _parsed(text: str, name: str) -> list[dict[str, Any]]:
    try:
        document = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError as error:
        raise _broken(name, str(error)) from error
    if document["templates"]:
        raise _broken(name, "templates are not used here; write the rule out")
    return list(document["staticPolicies"].values())


def _rule(raw: Mapping[str, Any], name: str) -> AdmissionRule:
    said = raw.get("annotations", {})
    missing = [f"@{each}" for each in _NEEDED if not said.get(each)]
    if missing:
        raise _broken(name, f"rule {said.get('id', '(without id)')} lacks {', '.join(missing)}")
    if not _ID.fullmatch(said["id"]):
        raise _broken(name, f"the id {said['id'][:80]!r} is not of letters a to z, digits, dots and dashes")
    return AdmissionRule(
        id=said["id"],
        permits=raw["effect"] == "permit",
        why=Text(zh=said["why_zh"], en=said["why_en"]),
        cites=tuple(cite for cite in said["cite"].split() if cite != _HOUSE),
    )


def _attributes(raw: Any) -> Iterator[str]:
    """Yield what of the context rules look at; all of it where one uses the context as a whole."""
    if isinstance(raw, list):
        for each in raw:
            yield from _attributes(each)
    elif isinstance(raw, dict):
        inner = raw.get(".") or raw.get("has")
        if isinstance(inner, dict) and inner.get("left") == {"Var": "context"}:
            yield inner["attr"]
        elif raw == {"Var": "context"}:
            yield from CONTEXT
        else:
            for each in raw.values():
                yield from _attributes(each)


def _broken(name: str, problem: str) -> Invalid:
    return Invalid(
        what=Text(
            zh=f"准入规则 {name} 无法使用：{problem}", en=f"The admission rules {name} cannot be used: {problem}."
        ),
        hint=Text(
            zh="请修正后再载入；admission/README.md 说明写法。", en="Correct them; admission/README.md says how."
        ),
        details={"field": "cedar"},
    )
