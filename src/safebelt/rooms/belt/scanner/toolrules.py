"""Reading the section `tools` of a policy file: which tools an agent may use, on what arguments."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator
from pydantic_core import SchemaError

from safebelt.rooms.belt.decide import steps
from safebelt.rooms.belt.model import (
    ANYWHERE,
    MAX_HOLD_SECONDS,
    WHOLE,
    Compare,
    Offered,
    ToolAction,
    ToolCondition,
    ToolPolicy,
    ToolRule,
)
from safebelt.rooms.belt.scanner.linear import compiled
from safebelt.rooms.belt.scanner.policy_words import BasisData, RuleId, Strict, Words

MAX_PATTERN_CHARS = 1000
"""Longest regular expression: whoever answers for a rule must be able to read it."""

Plain = StrictStr | StrictInt | StrictFloat | StrictBool


def _is_pattern(pattern: str) -> str:
    if len(pattern) > MAX_PATTERN_CHARS:
        raise ValueError(f"a regular expression has more than {MAX_PATTERN_CHARS} characters")
    try:
        compiled(pattern)
    except SchemaError as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise ValueError(f"not a regular expression that can be searched in bounded time: {reason}") from error
    return pattern


def _is_path(path: str) -> str:
    if path not in (WHOLE, ANYWHERE):
        steps(path)
    return path


def _is_glob(name: str) -> str:
    if not name.strip() or len(name) > 256:
        raise ValueError("a tool's name is empty or longer than 256 characters")
    return name


Glob = Annotated[str, AfterValidator(_is_glob)]
Number = StrictInt | StrictFloat


class ConditionData(Strict):
    """One condition: an argument and exactly one way to look at it."""

    argument: Annotated[str, Field(max_length=500), AfterValidator(_is_path)]
    is_: Plain | None = Field(default=None, alias="is")
    one_of: Annotated[tuple[Plain, ...], Field(min_length=1)] | None = None
    contains: Plain | None = None
    matches: Annotated[str, Field(min_length=1), AfterValidator(_is_pattern)] | None = None
    more_than: Number | None = None
    at_least: Number | None = None
    less_than: Number | None = None
    at_most: Number | None = None
    present: StrictBool | None = None
    negated: StrictBool = False

    def _given(self) -> dict[Compare, Any]:
        found = {compare: getattr(self, "is_" if compare is Compare.IS else compare.value) for compare in Compare}
        return {compare: constant for compare, constant in found.items() if constant is not None}

    @model_validator(mode="after")
    def _looks_one_way(self) -> Self:
        if len(self._given()) != 1:
            raise ValueError(f"give the condition exactly one of: {', '.join(Compare)}")
        return self

    def as_condition(self) -> ToolCondition:
        """Return it as a word of the belt."""
        ((compare, constant),) = self._given().items()
        return ToolCondition(argument=self.argument, compare=compare, constant=constant, is_negated=self.negated)


class ToolRuleData(Strict):
    """One rule."""

    id: RuleId
    title: Words
    tools: Annotated[tuple[Glob, ...], Field(min_length=1)]
    action: ToolAction
    when: tuple[ConditionData, ...] = ()
    callers: tuple[Glob, ...] = ()
    red_line: bool = False
    basis: BasisData | None = None

    @model_validator(mode="after")
    def _red_lines_act(self) -> Self:
        if self.red_line and self.action is ToolAction.ALLOW:
            raise ValueError("a red line denies or holds: its action must not be allow")
        return self

    def as_rule(self) -> ToolRule:
        """Return it as a word of the belt."""
        return ToolRule(
            id=self.id,
            title=self.title.as_text(),
            tools=self.tools,
            action=self.action,
            when=tuple(condition.as_condition() for condition in self.when),
            callers=self.callers,
            is_red_line=self.red_line,
            basis=self.basis.as_basis() if self.basis else None,
        )


class ToolsData(Strict):
    """The section."""

    unknown_tools: ToolAction
    hold_seconds: Annotated[int, Field(ge=1, le=MAX_HOLD_SECONDS)] = 120
    offered: Offered = Offered.REMOVE
    mcp_methods: tuple[Annotated[str, Field(pattern=r"^[A-Za-z_]+(/[A-Za-z_]+)*$", max_length=80)], ...] = ()
    rules: tuple[ToolRuleData, ...] = ()

    def as_policy(self) -> ToolPolicy:
        """Return it as a word of the belt."""
        return ToolPolicy(
            rules=tuple(rule.as_rule() for rule in self.rules),
            unknown_tools=self.unknown_tools,
            hold_seconds=self.hold_seconds,
            offered=self.offered,
            mcp_methods=self.mcp_methods,
        )
