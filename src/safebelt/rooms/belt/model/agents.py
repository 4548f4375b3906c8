"""Words of agents: which tools a model may use, on what arguments, and what came of one call."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.belt.model.basis import Basis

MAX_HOLD_SECONDS = 3600
"""Longest that a call may wait for a person: client libraries give an answer up after ten minutes unless told else."""
WHOLE = "$"
"""The path of the arguments as one value."""
ANYWHERE = "**"
"""The path of every value, however deep."""


class ToolAction(StrEnum):
    """What becomes of a tool call, mildest first."""

    ALLOW = "allow"
    HOLD = "hold"
    DENY = "deny"

    @property
    def weight(self) -> int:
        """Place in the order of severity, for taking the strictest of several."""
        return list(ToolAction).index(self)


class Compare(StrEnum):
    """How a condition looks at an argument; where it can be, named as in the rule language."""

    IS = "is"
    ONE_OF = "one_of"
    CONTAINS = "contains"
    MATCHES = "matches"
    MORE_THAN = "more_than"
    AT_LEAST = "at_least"
    LESS_THAN = "less_than"
    AT_MOST = "at_most"
    PRESENT = "present"


class Offered(StrEnum):
    """What becomes of a tool in a request that is denied whatever its arguments."""

    REMOVE = "remove"
    LEAVE = "leave"


Constant = str | int | float | bool | tuple[str | int | float | bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCondition:
    """One condition on the arguments of a call.

    Attributes:
        argument: Path into the arguments: `to`, `message.to[0]`, `items[*].price`, `$` (all of it as one value), `**`
            (every value, however deep).
        compare: How it looks at what stands there.
        constant: What it compares with; a regular expression for `matches`.
        is_negated: Whether the opposite is asked.
    """

    argument: str
    compare: Compare
    constant: Constant
    is_negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRule:
    """One rule on tool calls.

    Attributes:
        id: Unique in its policy, as a content rule's.
        title: The class of rule, as the caller is told it.
        tools: Names it speaks of; `*` stands for any characters, `?` for one.  A tool of an MCP server is also known as
            `server/tool`.
        action: What it asks for.
        when: Conditions, all of which must hold; none: whatever the arguments.
        callers: Names of keys it speaks of, with `*` and `?`; none: every caller.
        is_red_line: Whether it acts while the policy only observes.
        basis: What it rests on.
    """

    id: str
    title: Text
    tools: tuple[str, ...]
    action: ToolAction
    when: tuple[ToolCondition, ...] = ()
    callers: tuple[str, ...] = ()
    is_red_line: bool = False
    basis: Basis | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolPolicy:
    """The section `tools` of a screening policy.

    Attributes:
        rules: The rules; of those that speak on a call, the strictest decides.
        unknown_tools: What becomes of a call on which no rule speaks.
        hold_seconds: How long a held call waits for a person; then it is refused.
        offered: What becomes of tools in a request that are denied whatever their arguments.
        mcp_methods: Further methods of the Model Context Protocol that may pass; see `proxy/mcp`.
    """

    rules: tuple[ToolRule, ...] = ()
    unknown_tools: ToolAction = ToolAction.DENY
    hold_seconds: int = 120
    offered: Offered = Offered.REMOVE
    mcp_methods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call as a model makes it, or a client of an MCP server.

    Attributes:
        name: The tool; empty where it has none that can be read.
        arguments: The arguments' source.
        is_json: Whether the arguments are JSON source; plain text otherwise.
        server: The MCP server it goes to; empty for a tool that the caller runs.
        caller: Name of the caller's key.
    """

    name: str
    arguments: str
    is_json: bool = True
    server: str = ""
    caller: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolVerdict:
    """What the policy says of a call.

    Attributes:
        would: What the policy asks for.
        done: What is done: `would`, or `allow` where the stance is *observe* and no red line speaks.
        rule: Id of the rule that decided; empty where no rule speaks on the call.
        title: Its class, as the caller is told it.
        reason: Why.
    """

    would: ToolAction
    done: ToolAction
    rule: str
    title: Text
    reason: Reason


class Answered(StrEnum):
    """What became of a held call."""

    APPROVED = "approved"
    REFUSED = "refused"
    EXPIRED = "expired"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A call that waits for a person, with all that a person needs to decide.  Texts are masked.

    Attributes:
        id: `apr_…`.
        record: The exchange's record.
        system_id, key_id, caller: Whose it is; `caller` is the key's name.
        tool: The tool.
        server: The MCP server; empty for a tool that the caller runs.
        arguments: Whole, never cut.
        said: The last message of the conversation; its beginning where it is long.
        policy, policy_version, policy_digest, rule: What holds it.
        title: The rule's class.
        reason: Why it is held.
        at, expires_at: Since when, and until when it waits.
    """

    id: str
    record: str
    system_id: str
    key_id: str
    caller: str
    tool: str
    server: str
    arguments: str
    said: str
    policy: str
    policy_version: int
    policy_digest: str
    rule: str
    title: Text
    reason: Reason
    at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered to a held call, and by whom.

    Attributes:
        answered: Approved or refused by a person; expired, or its caller gone, by the belt.
        at: When.
        by: The person's pseudonymous id; `machine` where nobody answered.
        reason: The person's reason.
    """

    answered: Answered
    at: datetime
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A held call and what became of it.

    Attributes:
        held: The call.
        answer: None while it waits.
        acted_at: When the belt acted on the answer; None until then, or where the belt no longer waited.
        held_entry, answer_entry: Entries of the ledger; empty until it has them.
    """

    held: Held
    answer: Answer | None = None
    acted_at: datetime | None = None
    held_entry: str = ""
    answer_entry: str = ""
