"""What people and runners say about jobs.  Bounds are held by the judgments, for every door alike."""

from dataclasses import dataclass, field

from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.training.jobs import JobKind, JobOrder, Outcome, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class AskJob:
    """Ask for a job.

    Attributes:
        runner: Who will run it, if not who asks.
        version_id: For a promotion: the version to become current.
    """

    kind: JobKind
    system_id: str
    purpose: str
    plan: Plan = field(default_factory=Plan)
    model_id: str = ""
    version_id: str = ""
    runner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantJob:
    """Grant a job.  Limits left out are what was asked; none may be more.

    Attributes:
        person_id: In whose name: a person named as accountable or overseer of the system.
        reason: Why.
        looked_at: What evidence was looked at; a promotion and a self-update need it.
        valid_hours: How long the grant holds, from now.
        max_wall_hours: Longest run.
    """

    person_id: str
    reason: str
    looked_at: str = ""
    valid_hours: float | None = None
    max_steps: int | None = None
    max_flop: float | None = None
    max_wall_hours: float | None = None
    lease_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """Refuse or stop a job, or roll a version back: why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartJob:
    """Begin a granted job: what is going to be read and run, which must be what was granted."""

    datasets: tuple[str, ...] = ()
    config: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportJob:
    """Say how far a job is.

    Attributes:
        number: Counts reports from 1; a retry carries the number of the report it repeats.
        step, flop: Since the job began.
        is_running: False once the process is about to end.
    """

    number: int
    step: int
    flop: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)
    is_running: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishJob:
    """Say that a job's process ended.

    Attributes:
        artefact: SHA-256 of what came of it, 64 hex digits; needed where it finished.
        label: What to call the version it proposes.
    """

    outcome: Outcome
    artefact: str = ""
    label: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobAnswer:
    """What a runner is told.

    Attributes:
        go_on: Whether it may go on now; true only together with the order `run`.
        order: run, pause (hold and keep reporting) or stop (end the process).
        by: Pseudonymous id of who ordered it; empty for `run`.
        number: Last report that was counted.
        report_again_within_seconds: After so long without a report the job is lost.
    """

    go_on: bool
    order: JobOrder
    why: Text
    by: str = ""
    number: int = 0
    report_again_within_seconds: int = 0
