"""Words of the belt: rules and verdicts, keys and systems, orders and their proofs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text


class Action(StrEnum):
    """What a rule does with what it finds, mildest first."""

    ALLOW = "allow"
    FLAG = "flag"
    MASK = "mask"
    REFUSE = "refuse"

    @property
    def weight(self) -> int:
        """Place in the order of severity, for taking the strictest of several."""
        return list(Action).index(self)


class Stance(StrEnum):
    """Whether a policy acts (`enforce`) or only records what it would have done (`observe`)."""

    OBSERVE = "observe"
    ENFORCE = "enforce"


class RecordMode(StrEnum):
    """How durable a record must be before an answer leaves (invariant 6)."""

    STRICT = "strict"
    PROMPT = "prompt"
    OFF = "off"


class Side(StrEnum):
    """Which way a text travels: to the model or from it."""

    INPUT = "input"
    OUTPUT = "output"


class RuleKind(StrEnum):
    """What a rule looks for."""

    KEYWORDS = "keywords"
    PERSONAL = "personal"
    INJECTION = "injection"


class NoticeMode(StrEnum):
    """Whether plain text answers end with an explicit notice that AI made them."""

    OFF = "off"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a content rule rests on (invariant 17); a rule without one is shown as *house rule*."""

    provision: str
    authority: str
    scope: str
    expires: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a screening policy.

    Attributes:
        id: Unique in its policy, for example `personal.cn_id`.
        kind: What it looks for.
        title: The class of rule, as the user is told it.
        sides: Which way the texts it reads travel.
        action: What it does in `enforce`.
        is_red_line: Whether it acts in `observe` too.
        terms: Words and phrases, for keywords and injection.
        detectors: Names of personal-data detectors.
        basis: What it rests on.
        advice: What a person in need is told besides, for example where to find help.
    """

    id: str
    kind: RuleKind
    title: Text
    sides: frozenset[Side]
    action: Action
    is_red_line: bool = False
    terms: tuple[str, ...] = ()
    detectors: tuple[str, ...] = ()
    basis: Basis | None = None
    advice: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A versioned set of rules.  `digest` is the SHA-256 of its canonical content, hex."""

    id: str
    version: int
    title: Text
    appeal: Text
    rules: tuple[Rule, ...]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One finding.

    Attributes:
        rule: Id of the rule.
        detector: Which detector found it (`cn_id`, `keyword`, …).
        side: Input or output.
        part: Where, as a path into the message: `messages[1].content`, `choices[0]`.
        start, end: Character offsets in that part's original text.
        would: What the policy asks for.
        done: What was done: `would`, or `flag` where the stance is *observe* and the rule is no red line.
    """

    rule: str
    detector: str
    side: Side
    part: str
    start: int
    end: int
    would: Action
    done: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What screening came to.

    Attributes:
        done: The strictest action taken.
        would: The strictest action the policy asks for.
        hits: All findings.
        not_evaluated: Parts that no rule could read (images, token arrays): a verdict of their own.
        reason: Why.
    """

    done: Action
    would: Action
    hits: tuple[Hit, ...]
    not_evaluated: tuple[str, ...]
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A caller's key.  Only its SHA-256 is kept; the key itself is shown once."""

    id: str
    system_id: str
    name: str
    digest: str
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Harness:
    """How the belt sits on one system.

    Attributes:
        system_id: The system in the registry.
        policy: Id of the screening policy.
        stance: Observe or enforce.
        record_mode: See `RecordMode`.
        notice: Explicit notice in plain text answers.
        version: For optimistic locking.
    """

    system_id: str
    policy: str
    stance: Stance
    record_mode: RecordMode = RecordMode.STRICT
    notice: NoticeMode = NoticeMode.END
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All the traffic side needs, held in memory and swapped whole.

    Attributes:
        keys: SHA-256 hex of the key → key.
        harnesses: System id → harness.
        policies: Policy id → policy.
    """

    keys: Mapping[str, Key] = field(default_factory=dict)
    harnesses: Mapping[str, Harness] = field(default_factory=dict)
    policies: Mapping[str, Policy] = field(default_factory=dict)


class Command(StrEnum):
    """What a person can order.

    `run` lets traffic pass; `pause` refuses new work and holds running streams; `drain` refuses new work and
    lets running work end; `cut` refuses new work and ends running work now.
    """

    RUN = "run"
    PAUSE = "pause"
    DRAIN = "drain"
    CUT = "cut"

    @property
    def weight(self) -> int:
        """Place in the order of severity: of an order for all and one for a system the stricter holds."""
        return list(Command).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A person's order to run, pause, drain or cut.

    Attributes:
        id: `ord_…`.
        command: What is ordered.
        system_id: For which system; empty for all.
        at: When it was given.
        by: Pseudonymous id of who gave it; `file` where it came by the stop file alone.
        reason: Why.
    """

    id: str
    command: Command
    system_id: str
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopProof:
    """What the belt can prove of an order, *through this belt*.

    Attributes:
        order: The order.
        seen_at: When the belt saw it.
        effective_at: When no client socket could receive anything more.
        streams_cut: How many running exchanges were ended.
        streams_held: How many are held by a pause.
        bytes_after: Bytes handed to any client socket of the system after `seen_at`, as counted at the gate.
        killed_by_supervisor: Whether the worker did not answer within a second and was killed.
        worker: Process id of the worker.
    """

    order: Order
    seen_at: datetime
    effective_at: datetime
    streams_cut: int
    streams_held: int
    bytes_after: int
    killed_by_supervisor: bool
    worker: int


BLIND_SPOTS: tuple[Text, ...] = (
    Text(zh="不经过本安全带的流量。", en="Traffic that does not pass through this belt."),
    Text(
        zh="命令生效前已交给操作系统、仍在网络途中的字节。",
        en="Bytes handed to the operating system before the order was seen and still under way in the network.",
    ),
    Text(
        zh="上游模型内部尚未停止的计算。", en="Computation inside the upstream model that has not noticed the cut yet."
    ),
    Text(zh="客户端此前已收到的内容。", en="What the client had received before."),
)
"""What a stop proof cannot see; shown beside every proof."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyIssued(Event):
    """A caller's key was issued."""

    kind: ClassVar[str] = "belt.key_issued.v1"
    key_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRevoked(Event):
    """A caller's key was revoked."""

    kind: ClassVar[str] = "belt.key_revoked.v1"
    key_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HarnessSet(Event):
    """The belt was fitted to a system, or its stance, policy or modes were changed."""

    kind: ClassVar[str] = "belt.harness_set.v1"
    policy: str
    policy_version: int
    policy_digest: str
    stance: str
    record_mode: str
    notice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopOrdered(Event):
    """A person ordered run, pause, drain or cut."""

    kind: ClassVar[str] = "belt.stop_ordered.v1"
    order_id: str
    command: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopEffective(Event):
    """An order took effect; the counts are the proof."""

    kind: ClassVar[str] = "belt.stop_effective.v1"
    order_id: str
    command: str
    ordered_at: str
    seen_at: str
    effective_at: str
    streams_cut: int
    streams_held: int
    bytes_after: int
    killed_by_supervisor: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentSealed(Event):
    """A segment of exchange records was closed; `root` commits to every record in it."""

    kind: ClassVar[str] = "belt.segment_sealed.v1"
    segment: str
    records: int
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordErased(Event):
    """The content of a record was erased; its core and every proof stand.  The subject is the record.

    Attributes:
        contents: How many contents were blanked; 0 where none was left.
        reason: Why.
    """

    kind: ClassVar[str] = "belt.record_erased.v1"
    contents: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One exchange as search and the console list it; the full record is in its segment.

    Attributes:
        id: `rec_…`.
        at: When it came in.
        system_id, key_id: Whose it is.
        endpoint: For example `/v1/chat/completions`.
        model: Name the caller asked for.
        is_stream: Whether the answer was streamed.
        done, would: Strictest action over both sides.
        rules: Ids of the rules that hit.
        status: HTTP status given to the caller; 0 while under way.
        finish: `complete`, `refused`, `cut`, `upstream_error`, `client_gone`, `lost` (no outcome was ever written), or `` while under way.
        total_ms, added_ms: Whole duration, and the belt's own part of it.
        segment, offset: Where the record stands.
    """

    id: str
    at: datetime
    system_id: str
    key_id: str
    endpoint: str
    model: str
    is_stream: bool
    done: Action
    would: Action
    rules: tuple[str, ...]
    status: int
    finish: str
    total_ms: float
    added_ms: float
    segment: str
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A line of a segment: `core` is chained and proven, `content` is personal, bound by a salted digest, erasable.

    Attributes:
        type: `intent` (before the first reply byte), `outcome` (before the last), or `note` (recovery and the like).
        id: `rec_…`; intent and outcome of one exchange share it.
        core: JSON-ready public facts.
        content: Masked texts, or None where erased or none.
    """

    type: str
    id: str
    core: Mapping[str, Any]
    content: Mapping[str, Any] | None = None
