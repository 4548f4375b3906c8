"""Reading screening policies: YAML at the door, all errors at once, each with its file and line."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from safebelt.engines.canonical import canonical
from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.belt.model import Action, Basis, Policy, Rule, RuleKind, Side
from safebelt.rooms.belt.scanner.detectors import DETECTORS
from safebelt.rooms.belt.scanner.fold import fold

MAX_TERM_CHARS = 64
"""Longest term, in folded characters: a stream may have to hold back as much."""

_Path = tuple[str | int, ...]


def _is_term(term: str) -> str:
    folded = fold(term)
    if not folded.strip():
        raise ValueError("a term is empty, or made of invisible characters only")
    if len(folded) > MAX_TERM_CHARS:
        raise ValueError(f"a term has more than {MAX_TERM_CHARS} characters")
    if '"' in folded or "\\" in folded or "\n" in folded:
        raise ValueError("a term holds a quote, a backslash or a line break: masking it could break JSON")
    return term


def _is_detector(name: str) -> str:
    if name not in DETECTORS:
        raise ValueError(f"no detector is called {name!r}; there are: {', '.join(sorted(DETECTORS))}")
    return name


def _is_chinese(text: str) -> str:
    if not any("\u4e00" <= char <= "\u9fff" for char in text):
        raise ValueError("the Chinese wording holds no Chinese character")
    return text


Filled = Annotated[str, Field(min_length=1, pattern=r"\S")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Words(_Strict):
    zh: Annotated[Filled, AfterValidator(_is_chinese)]
    en: Filled

    def as_text(self) -> Text:
        return Text(zh=self.zh.strip(), en=self.en.strip())


class _Basis(_Strict):
    provision: Filled
    authority: _Words
    scope: _Words
    expires: date | None = None

    def as_basis(self) -> Basis:
        return Basis(
            provision=self.provision,
            authority=self.authority.as_text(),
            scope=self.scope.as_text(),
            expires=self.expires,
        )


class _Rule(_Strict):
    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$")]
    kind: RuleKind
    title: _Words
    sides: Annotated[frozenset[Side], Field(min_length=1)]
    action: Action
    red_line: bool = False
    terms: tuple[Annotated[str, AfterValidator(_is_term)], ...] = ()
    detectors: tuple[Annotated[str, AfterValidator(_is_detector)], ...] = ()
    basis: _Basis | None = None
    advice: _Words | None = None

    @model_validator(mode="after")
    def _looks_for_something(self) -> Self:
        if not self.terms and not self.detectors:
            raise ValueError("the rule looks for nothing: give it terms or detectors")
        if self.red_line and self.action is not Action.REFUSE:
            raise ValueError("a red line refuses: its action must be refuse")
        return self

    def as_rule(self) -> Rule:
        return Rule(
            id=self.id,
            kind=self.kind,
            title=self.title.as_text(),
            sides=self.sides,
            action=self.action,
            is_red_line=self.red_line,
            terms=self.terms,
            detectors=self.detectors,
            basis=self.basis.as_basis() if self.basis else None,
            advice=self.advice.as_text() if self.advice else None,
        )


class _Policy(_Strict):
    policy: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*)+$")]
    version: Annotated[int, Field(ge=1)]
    title: _Words
    appeal: _Words
    rules: Annotated[tuple[_Rule, ...], Field(min_length=1)]

    def as_policy(self) -> Policy:
        content = self.model_dump(mode="json")
        for rule in content["rules"]:
            rule["sides"] = sorted(rule["sides"])
        return Policy(
            id=self.policy,
            version=self.version,
            title=self.title.as_text(),
            appeal=self.appeal.as_text(),
            rules=tuple(rule.as_rule() for rule in self.rules),
            digest=sha256(canonical(content)).hexdigest(),
        )


def load_policies(folder: Path) -> dict[str, Policy]:
    """Read every `*.yaml` of a folder.

    Returns:
        Policy id → policy, in the order of their ids.

    Raises:
        Invalid: Something is wrong; all errors of all files are named, each with file and line, in `details`.
    """
    errors: list[tuple[str, str]] = []
    policies: dict[str, Policy] = {}
    for path in sorted(folder.glob("*.yaml")):
        policy, found = _read(path)
        errors += found
        if policy and policy.id in policies:
            errors.append((f"{path.name}:1", f"policy {policy.id!r} is already defined in another file"))
        elif policy:
            policies[policy.id] = policy
    if not policies and not errors:
        errors.append((str(folder), "no policy file (*.yaml) is there"))
    if errors:
        raise _invalid(errors)
    return dict(sorted(policies.items()))


class Policies(Mapping[str, Policy]):
    """The policies of a folder, read when somebody first asks for one.

    A broken policy file must not keep a person from giving an order to stop, which needs no policy.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _all(self) -> dict[str, Policy]:
        return load_policies(self._folder)

    def __getitem__(self, policy_id: str) -> Policy:
        return self._all[policy_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


def _invalid(errors: list[tuple[str, str]]) -> Invalid:
    listed = "; ".join(f"{where}: {message}" for where, message in errors)
    return Invalid(
        what=Text(
            zh=f"内容规则文件有 {len(errors)} 处错误：{listed}。",
            en=f"The screening policies have {len(errors)} error(s): {listed}.",
        ),
        hint=Text(
            zh="请按所列文件和行号改正；在全部改正之前，原有规则继续有效。",
            en="Correct the lines named; until all are right, the policies in force stay in force.",
        ),
        details={f"{place}. {where}": message for place, (where, message) in enumerate(errors, start=1)},
    )


def _read(path: Path) -> tuple[Policy | None, list[tuple[str, str]]]:
    """Return the policy of one file, or its errors as (`file:line`, message)."""
    lines: dict[_Path, int] = {}
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        if root is None:
            return None, [(f"{path.name}:1", "the file is empty")]
        errors = [(f"{path.name}:{line}", message) for line, message in _map_lines(root, (), lines)]
        data = yaml.SafeLoader("").construct_document(root)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or f"not readable as UTF-8 YAML: {error}"
        return None, [(f"{path.name}:{mark.line + 1 if mark else 1}", str(problem))]
    errors += [(f"{path.name}:{lines.get(where, 1)}", message) for where, message in _duplicates(data)]
    try:
        policy = _Policy.model_validate(data)
    except ValidationError as invalid:
        errors += [(f"{path.name}:{_line(lines, e['loc'])}", _say(e["loc"], e["msg"])) for e in invalid.errors()]
        return None, errors
    return (None if errors else policy.as_policy()), errors


def _say(where: _Path, message: str) -> str:
    return f"{'.'.join(map(str, where)) or 'file'}: {message.removeprefix('Value error, ')}"


def _line(lines: dict[_Path, int], where: _Path) -> int:
    """Return the line of the nearest node that is really in the file."""
    while where and where not in lines:
        where = where[:-1]
    return lines.get(where, 1)


def _map_lines(node: yaml.Node, where: _Path, lines: dict[_Path, int]) -> Iterator[tuple[int, str]]:
    """Note the line of every node; yield keys that stand twice in one mapping."""
    lines[where] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        names = [str(key.value) for key, _ in node.value]
        for name, (key, value) in zip(names, node.value, strict=True):
            if names.count(name) > 1:
                yield key.start_mark.line + 1, f"the key {name!r} stands more than once"
            yield from _map_lines(value, (*where, name), lines)
            lines[*where, name] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for place, value in enumerate(node.value):
            yield from _map_lines(value, (*where, place), lines)


def _duplicates(data: Any) -> Iterator[tuple[_Path, str]]:
    """Yield rules and terms that stand more than once, whatever else is wrong."""
    rules = data.get("rules") if isinstance(data, dict) else None
    rules = [rule if isinstance(rule, dict) else {} for rule in rules] if isinstance(rules, list) else []
    ids = Counter(rule.get("id") for rule in rules if isinstance(rule.get("id"), str))
    for place, rule in enumerate(rules):
        if isinstance(rule.get("id"), str) and ids[rule["id"]] > 1:
            yield ("rules", place, "id"), f"the rule id {rule['id']!r} stands more than once"
        terms = rule.get("terms")
        folded = [fold(term) for term in terms if isinstance(term, str)] if isinstance(terms, list) else []
        for term, count in Counter(folded).items():
            if count > 1:
                yield ("rules", place, "terms"), f"the term {term!r} stands {count} times (after folding)"
