"""Reading screening policies: YAML at the door, all errors at once, each with its file and line."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self

import yaml
from pydantic import AfterValidator, Field, ValidationError, model_validator

from safebelt.engines.canonical import canonical
from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.belt.model import Action, Policy, Rule, RuleKind, Side, StrikeRule
from safebelt.rooms.belt.scanner.detectors import DETECTORS
from safebelt.rooms.belt.scanner.openings import OpeningsData, wrong_names
from safebelt.rooms.belt.scanner.policy_words import (
    BasisData,
    ClassifierData,
    RuleId,
    Strict,
    Term,
    TermsFileData,
    Words,
    is_term,
)
from safebelt.rooms.belt.scanner.term_files import Lists, as_written
from safebelt.rooms.belt.scanner.toolrules import ToolsData

MAX_FILE_BYTES = 16 * 1024 * 1024
"""Fifty thousand terms of 64 Chinese characters take some 10 MB; more is no list that a person answers for."""
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same reader in C, where PyYAML was built with it
MAX_NODES = 400_000
"""Values in one file, aliases followed: fifty thousand terms and their rules many times over, and a bound on what a
small file can unfold to."""

MAX_POLICY_ID, MAX_VERSION = 80, 2**31 - 1
"""What the columns hold in which policies and their versions are kept."""

_Path = tuple[str | int, ...]


def _is_detector(name: str) -> str:
    if name not in DETECTORS:
        raise ValueError(f"no detector is called {name!r}; there are: {', '.join(sorted(DETECTORS))}")
    return name


_OPTIONAL = ("tools", "notice", "strikes", "unguarded")
"""Sections that are left out of the digest where a policy has none: older policies keep theirs."""


class _Rule(Strict):
    id: RuleId
    kind: RuleKind
    title: Words
    sides: Annotated[frozenset[Side], Field(min_length=1)]
    action: Action
    red_line: bool = False
    terms: tuple[Term, ...] = ()
    terms_file: TermsFileData | None = None
    classifier: ClassifierData | None = None
    detectors: tuple[Annotated[str, AfterValidator(_is_detector)], ...] = ()
    basis: BasisData | None = None
    advice: Words | None = None

    @model_validator(mode="after")
    def _looks_for_something(self) -> Self:
        if not (self.terms or self.detectors or self.terms_file or self.classifier):
            raise ValueError("the rule looks for nothing: give it terms, a terms_file, detectors or a classifier")
        if self.red_line and self.action is not Action.REFUSE:
            raise ValueError("a red line refuses: its action must be refuse")
        return self

    @model_validator(mode="after")
    def _classifies_what_comes_in(self) -> Self:
        if self.classifier is None:
            return self
        if self.kind is not RuleKind.INJECTION or self.sides != {Side.INPUT}:
            raise ValueError("a classifier looks for injections in the input: kind: injection, sides: [input]")
        if self.action is Action.MASK or self.red_line:
            raise ValueError(
                "a classifier guesses, and judges a text whole: its rule flags or refuses, and is no red line"
            )
        return self

    def as_rule(self) -> Rule:
        return Rule(
            id=self.id,
            kind=self.kind,
            title=self.title.as_text(),
            sides=self.sides,
            action=self.action,
            is_red_line=self.red_line,
            terms=self.terms + (self.terms_file.terms if self.terms_file else ()),
            terms_file=self.terms_file.as_file() if self.terms_file else None,
            classifier=self.classifier.as_classifier() if self.classifier else None,
            detectors=self.detectors,
            basis=self.basis.as_basis() if self.basis else None,
            advice=self.advice.as_text() if self.advice else None,
        )


class _Strikes(Strict):
    rules: Annotated[tuple[str, ...], Field(min_length=1)]
    exchanges: Annotated[int, Field(ge=2, le=100)]
    within_minutes: Annotated[int, Field(ge=1, le=24 * 60)]

    def as_rule(self) -> StrikeRule:
        return StrikeRule(rules=self.rules, exchanges=self.exchanges, within_minutes=self.within_minutes)


class _Policy(Strict):
    policy: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*)+$", max_length=MAX_POLICY_ID)]
    version: Annotated[int, Field(ge=1, le=MAX_VERSION)]
    title: Words
    appeal: Words
    rules: Annotated[tuple[_Rule, ...], Field(min_length=1)]
    tools: ToolsData | None = None
    notice: Words | None = None
    strikes: _Strikes | None = None
    unguarded: OpeningsData | None = None

    @model_validator(mode="after")
    def _strikes_for_what_callers_send(self) -> Self:
        refusing = {each.id for each in self.rules if each.action is Action.REFUSE and Side.INPUT in each.sides}
        for name in self.strikes.rules if self.strikes else ():
            if name not in refusing:
                raise ValueError(f"strikes: {name!r} is no rule of this policy that refuses input")
        return self

    def as_source(self) -> "Source":
        content = self.model_dump(
            mode="json", by_alias=True, exclude={name for name in _OPTIONAL if getattr(self, name) is None}
        )
        for rule in content["rules"]:
            rule["sides"] = sorted(rule["sides"])
            for name in ("terms_file", "classifier"):
                if rule[name] is None:  # policies without keep their digest
                    del rule[name]
        written = canonical(content)
        policy = Policy(
            id=self.policy,
            version=self.version,
            title=self.title.as_text(),
            appeal=self.appeal.as_text(),
            rules=tuple(rule.as_rule() for rule in self.rules),
            digest=sha256(written).hexdigest(),
            tools=self.tools.as_policy() if self.tools else None,
            notice=self.notice.as_text() if self.notice else None,
            strikes=self.strikes.as_rule() if self.strikes else None,
            unguarded=tuple(each.as_unguarded() for each in self.unguarded or ()),
        )
        return Source(policy, written)


class Source(NamedTuple):
    """A policy and what it was read from.

    Attributes:
        policy: The policy.
        content: Its canonical JSON, whose SHA-256 is the policy's digest; read again, it is the same policy.
    """

    policy: Policy
    content: bytes


def load_policies(folder: Path) -> dict[str, Policy]:
    """Read every `*.yaml` of a folder.

    Returns:
        Policy id → policy, in the order of their ids.

    Raises:
        Invalid: Something is wrong; all errors of all files are named, each with file and line, in `details`.
    """
    return {id_: source.policy for id_, source in load_sources(folder).items()}


def load_sources(folder: Path) -> dict[str, Source]:
    """Read every `*.yaml` of a folder, and keep what each was read from; see `load_policies`."""
    errors: list[tuple[str, str]] = []
    sources: dict[str, Source] = {}
    for path in sorted(folder.glob("*.yaml")):
        source, found = _read(path.name, path.read_bytes(), folder)
        errors += found
        if source and source.policy.id in sources:
            errors.append((f"{path.name}:1", f"policy {source.policy.id!r} is already defined in another file"))
        elif source:
            sources[source.policy.id] = source
    if not sources and not errors:
        errors.append((str(folder), "no policy file (*.yaml) is there"))
    if errors:
        raise _invalid(errors)
    return dict(sorted(sources.items()))


def read_source(content: bytes, name: str = "policy.yaml", folder: Path | None = None) -> Source:
    """Read one policy.

    Args:
        content: YAML, or the canonical JSON of a policy without lists.
        name: What it is called in errors.
        folder: Where its word lists lie; None where it can have none.

    Raises:
        Invalid: Something is wrong; all errors are named, each with file and line, in `details`.
    """
    source, errors = _read(name, content, folder)
    if source is None:
        raise _invalid(errors)
    return source


def read_kept(content: bytes) -> Source:
    """Read a policy's canonical JSON, as JSON: YAML reads some numbers and characters otherwise.

    Raises:
        Invalid: It is none.
    """
    try:
        return _Policy.model_validate(json.loads(content)).as_source()
    except (ValueError, RecursionError) as error:  # pydantic's errors are ValueErrors
        raise _invalid([("kept version", str(error)[:1000])]) from error


class Policies(Mapping[str, Policy]):
    """The policies of a folder, read when somebody first asks for one.

    A broken policy file must not keep a person from giving an order to stop, which needs no policy.
    """

    RED_LINES = "red-lines.txt"
    """Names the red lines that every policy in use must draw: one id a line, `#` begins a remark."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """Every policy with what it was read from."""
        return load_sources(self._folder)

    @cached_property
    def _all(self) -> dict[str, Policy]:
        return {id_: source.policy for id_, source in self.sources.items()}

    def required(self) -> frozenset[str]:
        """Return the ids of the red lines that every policy in use must draw.

        Raises:
            Invalid: The list is not there or not readable: nobody takes the red lines away by losing a file.
        """
        path = self._folder / self.RED_LINES
        try:
            lines = path.read_text("utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise Invalid(
                what=Text(
                    zh=f"无法读取红线清单 {path.name}：{error}。",
                    en=f"The list of red lines {path.name} cannot be read: {error}.",
                ),
                hint=Text(
                    zh="请恢复该文件：每行一个规则编号；确无红线时也须留下空文件。",
                    en="Put it back: one rule id a line; a house without any keeps an empty file.",
                ),
            ) from error
        return frozenset(id_ for line in lines if (id_ := line.partition("#")[0].strip()))

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


def _read(name: str, content: bytes, folder: Path | None) -> tuple[Source | None, list[tuple[str, str]]]:
    """Return the policy of one file, or its errors as (`file:line`, message)."""
    lines: dict[_Path, int] = {}
    try:
        _hold_size(content)
        root = yaml.compose(content.decode("utf-8-sig"), Loader=_Loader)
        if root is None:
            return None, [(f"{name}:1", "the file is empty")]
        errors = [(f"{name}:{line}", message) for line, message in _map_lines(root, (), lines)]
        data = yaml.SafeLoader("").construct_document(root)
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, AttributeError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or f"not readable as UTF-8 YAML: {error}"
        return None, [(f"{name}:{mark.line + 1 if mark else 1}", str(problem))]
    errors += _with_lists(name, data, folder, lines)
    errors += [(f"{name}:{_line(lines, where)}", message) for where, message in _duplicates(data)]
    try:
        policy = _Policy.model_validate(data)
    except ValidationError as invalid:
        errors += [(f"{name}:{_line(lines, e['loc'])}", _say(e)) for e in invalid.errors()]
        return None, errors
    errors += [(f"{name}:{_line(lines, where)}", message) for where, message in wrong_names(policy.unguarded or ())]
    return (None if errors else policy.as_source()), errors


_SAID = {"missing": "this key is missing", "extra_forbidden": "no such key", "model_type": "keys should stand here"}


def _with_lists(name: str, data: Any, folder: Path | None, lines: dict[_Path, int]) -> Iterator[tuple[str, str]]:
    """Put the terms of word lists into the rules that name them; yield what is wrong with them."""
    lists = Lists(folder, is_term)
    for where, rule in _rules_at(data, ()).items() if isinstance(data, dict) else ():
        if rule.get("terms_file") is not None:
            for place, message in lists.put_into(rule):
                yield place or f"{name}:{_line(lines, (*where, 'terms_file'))}", message


def _hold_size(content: bytes) -> None:
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(f"the file has more than {MAX_FILE_BYTES} bytes")


def _say(error: Any) -> str:
    message = _SAID.get(error["type"], error["msg"]).removeprefix("Value error, ")
    return f"{'.'.join(map(str, error['loc'])) or 'file'}: {message}"


def _line(lines: dict[_Path, int], where: _Path) -> int:
    """Return the line of the nearest node that is really in the file."""
    while where and where not in lines:
        where = where[:-1]
    return lines.get(where, 1)


def _map_lines(node: yaml.Node, where: _Path, lines: dict[_Path, int]) -> Iterator[tuple[int, str]]:
    """Note the line of every node; yield keys that stand twice in one mapping.

    Raises:
        ValueError: Aliases of aliases make it larger than any policy is.
    """
    lines[where] = node.start_mark.line + 1
    if len(lines) > MAX_NODES:
        raise ValueError(f"it unfolds to more than {MAX_NODES} values")
    if isinstance(node, yaml.MappingNode):
        counts = Counter(str(key.value) for key, _ in node.value)
        for key, value in node.value:
            name = str(key.value)
            if counts[name] > 1:
                yield key.start_mark.line + 1, f"the key {name!r} stands more than once"
            yield from _map_lines(value, (*where, name), lines)
            lines[*where, name] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for place, value in enumerate(node.value):
            yield from _map_lines(value, (*where, place), lines)


def _duplicates(data: Any) -> Iterator[tuple[_Path, str]]:
    """Yield rules and terms that stand more than once, whatever else is wrong."""
    data = data if isinstance(data, dict) else {}
    tools = data.get("tools")
    rules = _rules_at(data, ()) | (_rules_at(tools, ("tools",)) if isinstance(tools, dict) else {})
    ids = Counter(rule.get("id") for rule in rules.values() if isinstance(rule.get("id"), str))
    for where, rule in rules.items():
        if isinstance(rule.get("id"), str) and ids[rule["id"]] > 1:
            yield (*where, "id"), f"the rule id {rule['id']!r} stands more than once"
        folded = [as_written(term) for term in _terms_of(rule) if isinstance(term, str)]
        for term, count in Counter(folded).items():
            if count > 1:
                yield (*where, "terms"), f"the term {term!r} stands {count} times (after folding)"


def _terms_of(rule: dict[Any, Any]) -> list[Any]:
    listed, file = rule.get("terms"), rule.get("terms_file")
    return [*(listed if isinstance(listed, list) else ()), *(file["terms"] if isinstance(file, dict) else ())]


def _rules_at(section: dict[Any, Any], where: _Path) -> dict[_Path, dict[Any, Any]]:
    """Return a section's rules by where they stand."""
    rules = section.get("rules")
    listed = enumerate(rules) if isinstance(rules, list) else ()
    return {(*where, "rules", place): rule for place, rule in listed if isinstance(rule, dict)}
