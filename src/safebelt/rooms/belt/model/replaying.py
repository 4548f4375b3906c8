"""Words of a replay: what a changed policy would have done to retained records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from safebelt.kernel.text import Text

NOT_EVALUATED: Mapping[str, Text] = {
    "masked": Text(
        zh="原文已遮盖：遮盖之处可能有规则所找的内容", en="masked: what a rule looks for may stand where it was masked"
    ),
    "erased": Text(zh="内容已抹除", en="the content was erased"),
    "digest_only": Text(zh="只留摘要，没有文本", en="only a digest is kept, no text"),
    "not_text": Text(zh="含规则读不到的部分（图片、声音等）", en="it has parts that no rule reads (pictures, sound …)"),
    "unguarded": Text(
        zh="未经审查放行的往来：没有规则读过，也没有留下文本",
        en="it passed unguarded: no rule read it, and no text was kept",
    ),
    "policy_not_kept": Text(zh="当时的规则版本没有保存", en="the policy version that judged it is not kept"),
    "not_reproduced": Text(zh="当时命中之处没有留在记录中", en="what was found then is not in the text that was kept"),
    "classifier": Text(
        zh="由训练模型判断的规则不能重放：所存文本已遮盖", en="a rule that asks a trained model: kept texts are masked"
    ),
    "arguments_not_kept": Text(zh="调用的参数没有保存", en="the arguments of the call were not kept"),
    "arguments_masked": Text(
        zh="调用的参数已遮盖，而规则问到遮盖之处", en="the arguments were masked where a rule asks about them"
    ),
    "call_not_named": Text(zh="记录没有写明所调用的工具", en="the record does not say which tool was called"),
    "caller_not_kept": Text(
        zh="调用方密钥已无从查考，而规则按调用方区分", en="the caller is not known, and rules ask who called"
    ),
    "not_offered": Text(
        zh="当时未提供给模型的工具，这份策略会提供：模型会怎样调用无从知道",
        en="tools not offered then that this policy would offer: how the model would have called them nobody knows",
    ),
    "unreadable": Text(zh="记录缺失、损坏或尚未写完", en="the record is missing, damaged or not finished"),
}
"""Why a record could not be evaluated, or not wholly: a verdict of its own, never counted as *nothing changes*."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDifference:
    """What changes for one rule.

    Attributes:
        rule: Its id.
        newly: Exchanges in which it hits and did not.
        no_longer: Exchanges in which it hit and does not.
        changed: Exchanges in which it hits as before and asks for another action.
        examples: Ids of some of them; never contents.
        terms: How many words and phrases the replayed policy's rule looks for.
        basis: The provision it rests on there; empty for a house rule, and for a rule that policy has no more.
    """

    rule: str
    newly: int = 0
    no_longer: int = 0
    changed: int = 0
    examples: tuple[str, ...] = ()
    terms: int = 0
    basis: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolDifference:
    """What changes for one tool.

    Attributes:
        tool, server: The tool; `server` where it is an MCP server's.
        before, after: What the policy that judged the calls asked for, and what this one asks for.
        rule: The rule of this policy that asks for it; empty where none speaks on the call.
        calls: How many calls.
        examples: Ids of some of their exchanges; never arguments.
    """

    tool: str
    server: str
    before: str
    after: str
    rule: str
    calls: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolReplay:
    """What a policy would have done with recorded tool calls.

    Attributes:
        calls: How many were on record.
        evaluated: Of how many it can be told.
        before, after: What was asked for, and what this policy asks for → calls, of those evaluated.
        changes: What changes, by tool.
        not_evaluated: Reason → calls; for `not_offered`, tools of requests.
        not_evaluated_examples: Reason → ids of some exchanges.
    """

    calls: int = 0
    evaluated: int = 0
    before: Mapping[str, int] = field(default_factory=dict)
    after: Mapping[str, int] = field(default_factory=dict)
    changes: tuple[ToolDifference, ...] = ()
    not_evaluated: Mapping[str, int] = field(default_factory=dict)
    not_evaluated_examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What a policy would have done.

    Attributes:
        policy, version, digest: The policy that was replayed.
        since, until: Which exchanges, both inclusive.
        system_id: Of which system; empty for all.
        exchanges: How many there were, as far as they were looked at.
        is_capped: Whether there were more; then the newest were looked at.
        evaluated: How many could be evaluated wholly.
        before, after: Strictest action asked for, by what judged them and by this policy → exchanges; of those of
            which some text could be read.
        rules: What changes, rule by rule; rules of which nothing changes are left out.
        not_evaluated: Reason → ids of some, and how many.
        tools: What becomes of the tool calls on record.
    """

    policy: str
    version: int
    digest: str
    since: datetime
    until: datetime
    system_id: str
    exchanges: int
    is_capped: bool
    evaluated: int
    before: Mapping[str, int]
    after: Mapping[str, int]
    rules: tuple[RuleDifference, ...]
    not_evaluated: Mapping[str, int]
    not_evaluated_examples: Mapping[str, tuple[str, ...]]
    tools: ToolReplay = field(default_factory=ToolReplay)
