"""The law as Rego, the language of Open Policy Agent: the same logic for a peer engine, where every fact is known.

Rego has no third value: what is undefined fails, and `not` of it succeeds.  So the two agree, and are compared, only
on systems of which everything is known.
"""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

from safebelt.kernel.conditions import Condition
from safebelt.rooms.rulebook.decide import overriders
from safebelt.rooms.rulebook.model import Derived, FactType, LawText, Norm, Term

_ORDER = {"at_least": ">=", "more_than": ">", "at_most": "<=", "less_than": "<"}


def constant(value: Any) -> str:
    """A constant as Rego writes it; dates as text, which sorts as they do."""
    return json.dumps(value.isoformat() if isinstance(value, date) else value, ensure_ascii=False)


def document(text: LawText, facts: dict[str, Any]) -> dict[str, Any]:
    """Facts as the policy reads them: sets as objects, so that membership is one look-up."""
    found: dict[str, Any] = {}
    for name, value in facts.items():
        if text.facts[name].type is FactType.SOME_OF:
            found[name] = dict.fromkeys(value, True)
        else:
            found[name] = value.isoformat() if isinstance(value, date) else value
    return found


class Policy:
    """Writes one module: `data.law.result` has the norms that apply and the classes that hold.

    Args:
        text: The law.
        on: The day.
    """

    def __init__(self, text: LawText, on: date) -> None:
        self._text, self._on = text, on
        self._overriders = overriders(text)
        self._rules: list[str] = []
        self._names: dict[tuple[str, str], str] = {}
        self._count = 0

    def source(self) -> str:
        """Return the module."""
        standing = [
            one for one in self._text.norms.values() if one.in_force.until is None or self._on < one.in_force.until
        ]
        for norm in standing:
            self._rules.append(f"applies contains {constant(norm.id)} if {self._holds(norm.id)}")
        for instrument in self._text.instruments.values():
            for one in instrument.classes:
                body = "; ".join(self._body(one.when))
                self._rules.append(f"classes contains {constant(f'{instrument.id}.{one.id}')} if {{ {body} }}")
        head = ["package law", "import rego.v1", 'result := {"applies": applies, "classes": classes}']
        return "\n".join([*head, *self._rules]) + "\n"

    # --- rules, each written once --------------------------------------------------------------------------------

    def _once(self, kind: str, name: str, write: Callable[[str], list[str]]) -> str:
        key = (kind, name)
        if key not in self._names:
            rule = self._names[key] = f"{kind}_{len(self._names)}"
            self._rules += write(rule)
        return self._names[key]

    def _helper(self, bodies: list[list[str]]) -> str:
        self._count += 1
        rule = f"c_{self._count}"
        self._rules += [f"{rule} if {{ {'; '.join(body)} }}" for body in bodies]
        return rule

    def _both(self, entry: Term | Norm) -> list[str]:
        body = [] if entry.when is None else self._body(entry.when)
        return body if entry.unless is None else [*body, f"not {self._expression(entry.unless)}"]

    def _term(self, name: str) -> str:
        def write(rule: str) -> list[str]:
            return [f"{rule} if {{ {'; '.join(self._both(self._text.terms[name]))} }}"]

        return self._once("term", name, write)

    def _holds(self, name: str) -> str:
        def write(rule: str) -> list[str]:
            body = self._both(self._text.norms[name])
            if name in self._overriders:
                body = [*body, f"not {self._defeated(name)}"]
            return [f"{rule} if {{ {'; '.join(body) or 'true'} }}"]

        return self._once("norm", name, write)

    def _derived(self, derived: Derived) -> str:
        def write(rule: str) -> list[str]:
            rows = [f"{constant(row.value)} if {{ {'; '.join(self._body(row.when))} }}" for row in derived.rows]
            return [f"{rule} := " + " else := ".join([*rows, constant(derived.otherwise)])]

        return self._once("derived", derived.id, write)

    # --- time ----------------------------------------------------------------------------------------------------

    def _by_start(self, norm: Norm, outcome: Callable[[date], list[str] | None]) -> list[list[str]]:
        """Ways in which what follows from the norm's first day comes about; None is that it does not."""
        ways, before = [], list[str]()
        for start in norm.starts:
            here = outcome(start.from_)
            if here is not None:
                ways.append([*before, *self._body(start.when), *here])
            before.append(f"not {self._expression(start.when)}")
        last = outcome(norm.in_force.from_)
        return ways if last is None else [*ways, [*before, *last]]

    def _in_force(self, name: str, day: date) -> list[str] | None:
        """Conditions under which a norm is in force; None if it is not whatever the facts."""
        norm = self._text.norms[name]
        if norm.in_force.until is not None and day >= norm.in_force.until:
            return None
        ways = self._by_start(norm, lambda start: [] if start <= day else None)
        if [] in ways:
            return []
        return [self._once("time", f"{name} {day}", lambda rule: _rule(rule, ways))] if ways else None

    def _applies(self, name: str, day: date) -> list[str] | None:
        time = self._in_force(name, day)
        return None if time is None else [*time, self._holds(name)]

    def _defeated(self, name: str) -> str:
        def write(rule: str) -> list[str]:
            ways: list[list[str]] = []
            for one in self._overriders[name]:
                ways += self._by_start(
                    self._text.norms[name], lambda start, one=one: self._applies(one, max(start, self._on))
                )
            return _rule(rule, ways)

        return self._once("defeated", name, write)

    # --- conditions ----------------------------------------------------------------------------------------------

    def _body(self, condition: Condition) -> list[str]:
        """Expressions that must all succeed."""
        if condition.form == "all":
            return [one for part in condition.parts for one in self._body(part)]
        return [self._expression(condition)]

    def _expression(self, condition: Condition) -> str:
        match condition.form:
            case "all":
                return self._helper([self._body(condition)])
            case "any":
                return self._helper([self._body(part) for part in condition.parts])
            case "not":
                inner = self._expression(condition.parts[0])
                return f"not {inner}" if not inner.startswith("not ") else f"not {self._helper([[inner]])}"
            case "term":
                return self._term(condition.names[0])
            case "applies":
                ways = [way for name in condition.names if (way := self._applies(name, self._on)) is not None]
                return self._helper(ways or [["false"]])
        return self._comparison(condition)

    def _comparison(self, leaf: Condition) -> str:
        wanted = self._text.parameters[leaf.parameter].on(self._on) if leaf.parameter else leaf.constant
        derived = self._text.derived.get(leaf.fact)
        value = self._derived(derived) if derived else f"input[{constant(leaf.fact)}]"
        match leaf.operator:
            case "is":
                return f"{value} == {constant(wanted)}"
            case "one_of":
                return self._helper([[f"{value} == {constant(one)}"] for one in wanted])
            case "includes":
                return f"{value}[{constant(wanted)}]"
            case "includes_any":
                return self._helper([[f"{value}[{constant(one)}]"] for one in wanted])
        return f"{value} {_ORDER[leaf.operator]} {constant(wanted)}"


def _rule(rule: str, ways: list[list[str]]) -> list[str]:
    return [f"{rule} if {{ {'; '.join(way) or 'true'} }}" for way in ways] or [f"{rule} if {{ false }}"]
