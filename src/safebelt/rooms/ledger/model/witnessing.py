"""Words of those who watch: policies, witnesses both ways, and what a monitor sees."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from safebelt.kernel.conditions import Truth
from safebelt.kernel.events import Event
from safebelt.kernel.text import Text
from safebelt.rooms.ledger.model.log import Checkpoint, Cosigned, OpenNote


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyParts:
    """What a policy must know of a verifier key.

    Attributes:
        public: The public key itself: two keys that differ by name only are the same.
        is_cosigner: Whether it signs with the time, as witnesses do.
    """

    public: bytes
    is_cosigner: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A log or a witness as a policy names it.

    Attributes:
        name: What the policy calls it; empty for a log.
        key: Its verifier key.
        url: Where it is; may be empty.
    """

    name: str
    key: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """So many of these: members are witnesses, or groups that stand above this one."""

    name: str
    needed: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessPolicy:
    """Which logs are known, who witnesses, and whose cosignatures are enough (C2SP tlog-policy).

    Attributes:
        logs: Any of these may have signed; empty where the log is known otherwise.
        witnesses, groups: In the order of the file.
        quorum: Name of a witness or group, or `none`.
    """

    logs: tuple[Named, ...]
    witnesses: tuple[Named, ...]
    groups: tuple[Group, ...]
    quorum: str

    @property
    def names(self) -> Mapping[str, str]:
        """Verifier key to the name the policy has for the witness."""
        return {each.key: each.name for each in self.witnesses}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """A policy, and what opens notes with its keys."""

    policy: WitnessPolicy
    open_log: OpenNote
    cosigned: Cosigned


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a log asks of a witness: to cosign a checkpoint that only adds to an earlier one (C2SP tlog-witness).

    Attributes:
        old: Size that the witness is thought to know.
        path: Proof of consistency from there.
        checkpoint: What is to be cosigned.
    """

    old: int
    path: tuple[bytes, ...]
    checkpoint: Checkpoint


class Standing(StrEnum):
    """How a submission stands to what a witness has cosigned before."""

    FIT = "fit"
    """It is the same tree, or only adds to it."""
    IMPOSSIBLE = "impossible"
    """Its old size is larger than its own."""
    STALE = "stale"
    """Its old size is not the size last cosigned."""
    INCONSISTENT = "inconsistent"
    """It is another tree, or the proof does not show that it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A log that we witness.

    Attributes:
        origin: Its name.
        keys: Verifier keys it may sign with.
        since: When we began.
        until: When we ended, if we have; what was cosigned is kept, so that beginning again forgets nothing.
        size, root: Of the largest checkpoint we cosigned; 0 and None before the first.
        note: That checkpoint with the log's signatures and our cosignatures; empty before the first.
        at: When we cosigned it.
    """

    origin: str
    keys: tuple[str, ...]
    since: datetime
    until: datetime | None = None
    size: int = 0
    root: bytes | None = None
    note: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """Somebody we ask to cosign our checkpoints.

    Attributes:
        url: Submission prefix (C2SP tlog-witness).
        keys: Verifier keys it may cosign with.
        since: When we began to ask.
        size: Of the largest checkpoint of ours it has cosigned; 0 before the first.
        trouble: Why it did not cosign the last time; None where it did, or was not asked yet.
    """

    url: str
    keys: tuple[str, ...]
    since: datetime
    size: int = 0
    trouble: Text | None = None


class Sight(StrEnum):
    """What looking at another log came to."""

    FIRST = "first_seen"
    SAME = "same"
    GREW = "grew"
    OLDER = "rolled_back"
    FORGED = "forged"
    SPLIT = "split_view"
    UNPROVEN = "unproven"
    UNREACHABLE = "unreachable"

    @property
    def holds(self) -> Truth:
        """Whether the log did nothing wrong, as far as it could be seen."""
        if self is Sight.UNREACHABLE:
            return Truth.UNKNOWN
        return Truth.of(self in (Sight.FIRST, Sight.SAME, Sight.GREW))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One look at another log, or at another copy of its checkpoint.

    Attributes:
        sight: What it came to.
        place: Where was looked.
        kept, shown: The checkpoint kept from before, and the one that was shown; None where there is none.
        evidence: File text of what proves it, or at least holds both notes; empty where there is nothing to keep.
        says: What happened, where `sight` alone does not say it.
    """

    sight: Sight
    place: str
    kept: Checkpoint | None = None
    shown: Checkpoint | None = None
    evidence: str = ""
    says: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogWatched(Event):
    """We began to witness another log, or accept other keys of it.  The subject is that log's origin.

    Attributes:
        keys: Verifier keys its checkpoints may be signed with from now on.
    """

    kind: ClassVar[str] = "ledger.log_watched.v1"
    title: ClassVar[Text] = Text(zh="开始见证其他日志", en="Another log is witnessed")
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogUnwatched(Event):
    """We ceased to witness another log.  The subject is that log's origin."""

    kind: ClassVar[str] = "ledger.log_unwatched.v1"
    title: ClassVar[Text] = Text(zh="停止见证其他日志", en="Another log is witnessed no more")
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessAsked(Event):
    """We ask a witness to cosign this log's checkpoints.  The subject is this log's origin.

    Attributes:
        url: Where the witness is asked.
        keys: Verifier keys its cosignatures are checked with.
    """

    kind: ClassVar[str] = "ledger.witness_asked.v1"
    title: ClassVar[Text] = Text(zh="请求见证人联署", en="A witness is asked to cosign")
    url: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessDropped(Event):
    """We no longer ask a witness.  The subject is this log's origin."""

    kind: ClassVar[str] = "ledger.witness_dropped.v1"
    title: ClassVar[Text] = Text(zh="不再请求见证人联署", en="A witness is asked no more")
    url: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogMisbehaved(Event):
    """Our monitor found another log at fault.  The subject is that log's origin.

    Attributes:
        sight: What was found.
        place: Where it was looked at.
        kept_size, kept_root: Of the checkpoint kept from before; root in base64.  Size -1 and "" where there is none.
        shown_size, shown_root: Of what was shown.
        evidence: SHA-256 of the evidence file, in hex; "" where nothing can be proven to others.
    """

    kind: ClassVar[str] = "ledger.log_misbehaved.v1"
    title: ClassVar[Text] = Text(zh="监测到其他日志异常", en="Another log was found at fault")
    sight: Sight
    place: str
    kept_size: int
    kept_root: str
    shown_size: int
    shown_root: str
    evidence: str
