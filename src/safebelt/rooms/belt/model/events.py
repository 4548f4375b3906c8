"""What happened at the belt, for the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyIssuedV1(Event):
    """A caller's key was issued, as earlier releases wrote it: what it is called in the leaf, and no terms."""

    kind: ClassVar[str] = "belt.key_issued.v1"
    title: ClassVar[Text] = Text(zh="签发了调用密钥", en="Caller's key issued")
    key_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyIssued(Event):
    """A caller's key was issued.  The subject is the system.

    Attributes:
        name, caller: What it is called and who uses it, as typed.
        terms: Its other terms, as kept.
        expires_at: ISO 8601; empty for never.
    """

    kind: ClassVar[str] = "belt.key_issued.v2"
    title: ClassVar[Text] = Text(zh="签发了调用密钥", en="Caller's key issued")
    apart: ClassVar[frozenset[str]] = frozenset({"name", "caller"})
    key_id: str
    name: str
    caller: str
    terms: Mapping[str, Any]
    expires_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChanged(Event):
    """What a key is for, how much it may do, or until when, was changed.  The subject is the system."""

    kind: ClassVar[str] = "belt.key_changed.v1"
    title: ClassVar[Text] = Text(zh="更改了调用密钥的条件", en="Terms of a caller's key changed")
    apart: ClassVar[frozenset[str]] = frozenset({"caller", "reason"})
    key_id: str
    caller: str
    terms: Mapping[str, Any]
    expires_at: str
    version: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRotated(Event):
    """A key was replaced by a new one on the same terms; the old one ends soon.  The subject is the system.

    Attributes:
        key_id: The new key.
        replaced: The old one.
        ends_at: Until when the old one is valid.
    """

    kind: ClassVar[str] = "belt.key_rotated.v1"
    title: ClassVar[Text] = Text(zh="轮换了调用密钥", en="Caller's key rotated")
    apart: ClassVar[frozenset[str]] = frozenset({"reason"})
    key_id: str
    replaced: str
    ends_at: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRevoked(Event):
    """A caller's key was revoked."""

    kind: ClassVar[str] = "belt.key_revoked.v1"
    title: ClassVar[Text] = Text(zh="撤销了调用密钥", en="Caller's key revoked")
    key_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HarnessSetV1(Event):
    """The belt was fitted to a system or changed, as earlier releases wrote it: nothing of what records keep."""

    kind: ClassVar[str] = "belt.harness_set.v1"
    title: ClassVar[Text] = Text(zh="设置了安全带", en="Belt fitted or changed")
    policy: str
    policy_version: int
    policy_digest: str
    stance: str
    record_mode: str
    notice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HarnessSet(Event):
    """The belt was fitted to a system, or its stance, policy or modes were changed.

    Attributes:
        content: What its records keep of texts: `masked`, `digest` or `sealed`.
        recipients: Public keys for which originals are sealed.
        content_days: How long texts are kept at most; 0 for as long as the records.
        proposal: The two people's act by which originals are sealed; empty where one person was enough.
    """

    kind: ClassVar[str] = "belt.harness_set.v2"
    title: ClassVar[Text] = Text(zh="设置了安全带", en="Belt fitted or changed")
    policy: str
    policy_version: int
    policy_digest: str
    stance: str
    record_mode: str
    notice: str
    content: str
    recipients: tuple[str, ...]
    content_days: int
    proposal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopOrdered(Event):
    """A person ordered run, pause, drain or cut."""

    kind: ClassVar[str] = "belt.stop_ordered.v1"
    title: ClassVar[Text] = Text(zh="下达了运行命令", en="Order given: run, pause, drain or cut")
    order_id: str
    command: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRefused(Event):
    """Messages on the command bus were not obeyed.

    Attributes:
        why: `forged`, `garbled`, `replayed`, `old` or `late`.
        number: What the last of them claimed to be; 0 where that could not be read.
        count: How many there were since the last entry of this kind.
    """

    kind: ClassVar[str] = "belt.order_refused.v1"
    title: ClassVar[Text] = Text(zh="未执行总线上的命令消息", en="Message on the command bus not obeyed")
    why: str
    number: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StopEffective(Event):
    """An order took effect; the counts are the proof."""

    kind: ClassVar[str] = "belt.stop_effective.v1"
    title: ClassVar[Text] = Text(zh="命令已生效", en="Order took effect")
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
    title: ClassVar[Text] = Text(zh="封存了一段记录", en="Segment of records sealed")
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
    title: ClassVar[Text] = Text(zh="删除了往来记录的内容", en="Content of a record erased")
    contents: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginalHandedOut(Event):
    """Two people handed out the sealed originals of a record.  The subject is the record.

    Attributes:
        sealed_sha256: Digest of the file that left.
        recipients: Public keys of whoever can open it.
        proposal: The act of two people.
        opened_here: Whether somebody brought the identity and opened it at once; the text was shown and kept nowhere.
        reason: Why, as it was proposed.
    """

    kind: ClassVar[str] = "belt.original_handed_out.v1"
    title: ClassVar[Text] = Text(zh="移交了封存的原文", en="Sealed original handed out")
    apart: ClassVar[frozenset[str]] = frozenset({"reason"})
    sealed_sha256: str
    recipients: tuple[str, ...]
    proposal: str
    opened_here: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyAdopted(Event):
    """A version of a screening policy came into force.  The subject is the policy.

    Attributes:
        version: As its author numbered it.
        digest: SHA-256 of its canonical content, hex; under it the version is kept whole.
        replaced: Digest of the version in force before; empty for the first.
        brought: `file` (found in the house's folder), `load` or `roll_back`.
        red_lines: Ids of the red lines it changed.
        proposal: The act of two people it came from; empty where one was enough.
        reason: Why.
    """

    kind: ClassVar[str] = "belt.policy_adopted.v1"
    title: ClassVar[Text] = Text(zh="内容规则的一个版本生效", en="Version of a screening policy in force")
    version: int
    digest: str
    replaced: str
    brought: str
    red_lines: tuple[str, ...]
    proposal: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolHeld(Event):
    """A tool call waits for a person.  The subject is the system; what the call says stays with the record.

    Attributes:
        approval: Id of the call, `apr_…`.
        record: Id of the exchange's record.
        key_id: The caller's key.
        tool, server: What is called; no server for a tool that the caller runs.
        policy, policy_version, policy_digest, rule: What holds it; no rule where none speaks on the call.
        expires_at: Until when it waits.
    """

    kind: ClassVar[str] = "belt.tool_held.v1"
    title: ClassVar[Text] = Text(zh="工具调用等待人工批准", en="Tool call held for a person")
    approval: str
    record: str
    key_id: str
    tool: str
    server: str
    policy: str
    policy_version: int
    policy_digest: str
    rule: str
    expires_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolApproved(Event):
    """A person approved a held tool call.  The subject is the system."""

    kind: ClassVar[str] = "belt.tool_approved.v1"
    title: ClassVar[Text] = Text(zh="批准了工具调用", en="Tool call let through by a person")
    approval: str
    tool: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRefused(Event):
    """A held tool call was refused.  The subject is the system.

    Attributes:
        answered: `refused` by a person; `expired` where nobody answered; `gone` where the caller had left.
    """

    kind: ClassVar[str] = "belt.tool_refused.v1"
    title: ClassVar[Text] = Text(zh="拒绝了工具调用", en="Tool call refused")
    approval: str
    tool: str
    reason: str
    answered: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled(Event):
    """An upstream's own figures were held against the records.  The subject is the system, or `belt` for all.

    Attributes:
        file_sha256: SHA-256 of the upstream's file, hex.
        form: `access_log` or `usage`.
        since, until: The time it speaks of, ISO 8601; empty where it speaks of none.
        verdict: `true` complete, `false` incomplete, `unknown` not evaluated.
        upstream, recorded: Requests of the upstream, and exchanges recorded in that time.
        around: Requests that no record explains.
        unexplained: Records that the file does not have.
        reason: Why it was kept.
    """

    kind: ClassVar[str] = "belt.reconciled.v1"
    title: ClassVar[Text] = Text(zh="核对了上游用量与记录", en="Upstream's figures held against the records")
    file_sha256: str
    form: str
    since: str
    until: str
    verdict: str
    upstream: int
    recorded: int
    around: int
    unexplained: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionAdopted(Event):
    """Rules of admission came into force.  The subject is `belt`.

    Attributes:
        number: Counts from 1.
        digest: SHA-256 of their text, hex; under it the text is kept.
        replaced: Digest of those in force before; empty for the first.
        brought: `file` (found in the house's folder), `load` or `roll_back`.
        rules: Their ids.
        reason: Why.
    """

    kind: ClassVar[str] = "belt.admission_adopted.v1"
    title: ClassVar[Text] = Text(zh="准入规则生效", en="Rules of admission in force")
    apart: ClassVar[frozenset[str]] = frozenset({"reason"})
    number: int
    digest: str
    replaced: str
    brought: str
    rules: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck(Event):
    """Repeated abuse came to a strike, which warns and waits for a person.  The subject is the system.

    Attributes:
        strike: Its id.
        policy, policy_digest: Which policy says what a strike is.
        rules, exchanges, within_minutes: What it says: so many requests that these rules refused, in so long.
        evidence: SHA-256 of the ids of their records, one a line.
    """

    kind: ClassVar[str] = "belt.struck.v1"
    title: ClassVar[Text] = Text(zh="记录了一次违规", en="Strike given")
    strike: str
    key_id: str
    policy: str
    policy_digest: str
    rules: tuple[str, ...]
    exchanges: int
    within_minutes: int
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StrikeReviewed(Event):
    """A person decided about a strike.  The subject is the system.

    Attributes:
        decision: `withdrawn`, `upheld` or `suspended`, which suspends the key until another decision.
        appeal: Case number of the complaint that was looked at with it; empty where none was.
    """

    kind: ClassVar[str] = "belt.strike_reviewed.v1"
    title: ClassVar[Text] = Text(zh="审核了一次违规", en="Strike reviewed by a person")
    apart: ClassVar[frozenset[str]] = frozenset({"reason"})
    strike: str
    key_id: str
    decision: str
    appeal: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StrikeAppealed(Event):
    """Whoever was struck appealed, by a complaint.  The subject is the system."""

    kind: ClassVar[str] = "belt.strike_appealed.v1"
    title: ClassVar[Text] = Text(zh="对违规记录提出申诉", en="Strike appealed against")
    strike: str
    key_id: str
    case: str
