"""Words of jobs that train, tune, update or promote: what is asked, who grants it, how far it got, who stopped it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text


class JobKind(StrEnum):
    """What a job does."""

    TRAINING = "training"
    FINE_TUNING = "fine_tuning"
    PROMOTION = "promotion"
    SELF_UPDATE = "self_update"


class JobState(StrEnum):
    """Where a job stands."""

    ASKED = "asked"
    GRANTED = "granted"
    RUNNING = "running"
    FINISHED = "finished"
    REFUSED = "refused"
    EXPIRED = "expired"
    FAILED = "failed"
    STOPPED = "stopped"
    LOST = "lost"


class JobOrder(StrEnum):
    """What a runner is told when it reports."""

    RUN = "run"
    PAUSE = "pause"
    STOP = "stop"


class Cause(StrEnum):
    """Why a job was stopped."""

    PERSON = "person"
    CONTROL = "control"
    SYSTEM = "system"
    LIMIT = "limit"
    GRANT_ENDED = "grant_ended"
    LEASE = "lease"
    RUNNER = "runner"


class Outcome(StrEnum):
    """How a runner says that its process ended."""

    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"


OPEN_STATES = (JobState.ASKED, JobState.GRANTED, JobState.RUNNING)
"""States that something may follow; the others are ends."""

JOB_KINDS: Mapping[JobKind, Text] = {
    JobKind.TRAINING: Text(zh="训练", en="training"),
    JobKind.FINE_TUNING: Text(zh="微调", en="fine-tuning"),
    JobKind.PROMOTION: Text(zh="版本上线", en="promotion of a version"),
    JobKind.SELF_UPDATE: Text(zh="自我更新", en="self-update"),
}
JOB_STATES: Mapping[JobState, Text] = {
    JobState.ASKED: Text(zh="待批准", en="waits for a person"),
    JobState.GRANTED: Text(zh="已获准，未开始", en="granted, not begun"),
    JobState.RUNNING: Text(zh="运行中", en="running"),
    JobState.FINISHED: Text(zh="已完成", en="finished"),
    JobState.REFUSED: Text(zh="已拒绝", en="refused"),
    JobState.EXPIRED: Text(zh="已过期", en="expired"),
    JobState.FAILED: Text(zh="失败", en="failed"),
    JobState.STOPPED: Text(zh="已停止", en="stopped"),
    JobState.LOST: Text(zh="失联", en="lost"),
}
CAUSES: Mapping[Cause, Text] = {
    Cause.PERSON: Text(zh="有人停止了该作业", en="a person stopped the job"),
    Cause.CONTROL: Text(zh="停止控制对该系统生效", en="the stop control is in force for the system"),
    Cause.SYSTEM: Text(zh="系统的状态不再允许", en="the system's stage does not allow it any more"),
    Cause.LIMIT: Text(zh="超出批准的限额", en="a limit of the grant was passed"),
    Cause.GRANT_ENDED: Text(zh="批准已到期", en="the grant ended"),
    Cause.LEASE: Text(zh="逾期未报告", en="it did not report in time"),
    Cause.RUNNER: Text(zh="作业程序自行停止", en="the runner stopped by itself"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a job is going to do; the grant covers this and nothing else.

    Attributes:
        base_model: Id of a registered model or version, or SHA-256 of the weights it starts from; empty for none.
        datasets: Ids of registered datasets (`dat_…`) or SHA-256 digests (64 hex digits), every one it will read.
        flop: Floating-point operations it will use; 0 where none (promotion).
        steps: Steps it will take; 0 where none.
        config: SHA-256 of its configuration (code, hyperparameters); empty where there is none.
        target: Digest of what a self-update puts in place.
    """

    base_model: str = ""
    datasets: tuple[str, ...] = ()
    flop: float = 0.0
    steps: int = 0
    config: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How far a grant reaches.

    Attributes:
        valid_until: From then on nothing runs on it.
        max_steps, max_flop: Never more than was asked; 0 where the job has none.
        max_wall_seconds: Longest time from start to end.
        lease_seconds: Longest silence: a job that does not report for so long is lost.
    """

    valid_until: datetime
    max_steps: int
    max_flop: float
    max_wall_seconds: int
    lease_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person decided about a job.

    Attributes:
        by: Pseudonymous id of the actor.
        person_id: The named person of the system in whose name it was decided (`per_…`); empty for a refusal.
        reason: Why.
        looked_at: What evidence was looked at, in the person's words or by id.
        gate: The checks as they stood then, JSON-ready.
    """

    by: str
    at: datetime
    reason: str
    person_id: str = ""
    looked_at: str = ""
    gate: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """Why a job must not go on.

    Attributes:
        cause: What kind of reason.
        by: Pseudonymous id of who ordered it; `safebelt` where a limit did.
        why: In words.
        order: stop, or pause where it may go on later.
    """

    cause: Cause
    by: str
    why: Text
    order: JobOrder = JobOrder.STOP


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A stop as it happened.

    Attributes:
        halt: Why.
        at: Since when.
        told: Number of the last report that was answered with it; 0 while the runner does not know.
        heeded_at: When the runner said that its process ended.
        disobeyed: Reports that said *still running* after the runner had been told.
    """

    halt: Halt
    at: datetime
    told: int = 0
    heeded_at: datetime | None = None
    disobeyed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a job got, by its own reports.

    Attributes:
        number: Number of the last report; reports are counted from 1 and never twice.
        step, flop: The most it ever reported.
        metrics: What it measured last.
        digest: SHA-256 of the last report.
        chain: Each report's digest hashed after the one before it: one value that fixes them all.
    """

    number: int = 0
    step: int = 0
    flop: float = 0.0
    metrics: Mapping[str, float] = field(default_factory=dict)
    digest: str = ""
    chain: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job that trains, tunes, promotes or updates.

    Attributes:
        id: `job_…`.
        system_id: The system it serves.
        model_id: The registered model it makes or changes (`mdl_…`); empty where the system itself is meant.
        version_id: What a promotion makes current (`ver_…`); what a finished job proposed.
        runner: Pseudonymous id of the actor that runs it: only it may start, report and finish.
        asked_by: Who asked; never who grants.
        expires_at: When the question lapses if nobody decides.
        facts_version: The facts on record when it was asked; 0 for none.
        decision: The grant or the refusal.
        limits: How far the grant reaches; None without one.
        heard_at: When it last reported, or started.
        artefact: Digest of what came of it.
        version: Counts its changes.
    """

    id: str
    kind: JobKind
    system_id: str
    plan: Plan
    purpose: str
    asked_by: str
    runner: str
    asked_at: datetime
    expires_at: datetime
    state: JobState = JobState.ASKED
    model_id: str = ""
    version_id: str = ""
    facts_version: int = 0
    decision: Decision | None = None
    limits: Limits | None = None
    started_at: datetime | None = None
    heard_at: datetime | None = None
    progress: Progress = field(default_factory=Progress)
    stop: Stop | None = None
    ended_at: datetime | None = None
    artefact: str = ""
    note: str = ""
    version: int = 1

    @property
    def is_open(self) -> bool:
        """Whether anything may follow."""
        return self.state in OPEN_STATES

    @property
    def is_disobedient(self) -> bool:
        """Whether its runner went on after it had been told to stop."""
        return self.stop is not None and self.stop.disobeyed > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What is asked before a job may be granted.

    Attributes:
        reason: The checks, all of which must hold; unknown blocks as false does.
        gaps: What is missing, and what to do about it; empty where every check holds.
        notes: What is worth knowing and blocks nothing: demands of law that is not verified.
    """

    reason: Reason
    gaps: tuple[Text, ...] = ()
    notes: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report, as it is kept for the picture of a job's way.  Beyond some hundred, only every n-th is kept."""

    number: int
    at: datetime
    step: int
    flop: float
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """A page of jobs: what waits for a person first, then what runs, then the rest, newest first."""

    items: tuple[Job, ...]
    total: int
    page: int
    pages: int
