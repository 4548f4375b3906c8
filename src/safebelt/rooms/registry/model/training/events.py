"""What happens with jobs; the subject of each event is the job's system."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.training.jobs import Limits, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class JobAsked(Event):
    """Somebody asked for a job."""

    kind: ClassVar[str] = "registry.job_asked.v1"
    title: ClassVar[Text] = Text(zh="申请了作业", en="Job asked for")
    apart: ClassVar[frozenset[str]] = frozenset({"runner", "purpose", "plan"})
    job_id: str
    job_kind: str
    runner: str
    purpose: str
    model_id: str
    version_id: str
    plan: Plan
    facts_version: int
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JobGranted(Event):
    """A named person granted a job, within limits."""

    kind: ClassVar[str] = "registry.job_granted.v1"
    title: ClassVar[Text] = Text(zh="批准了作业", en="Job granted")
    apart: ClassVar[frozenset[str]] = frozenset({"reason", "looked_at"})
    job_id: str
    job_kind: str
    person_id: str
    reason: str
    looked_at: str
    limits: Limits
    datasets: tuple[str, ...]
    rests_on: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRefused(Event):
    """A person refused a job."""

    kind: ClassVar[str] = "registry.job_refused.v1"
    title: ClassVar[Text] = Text(zh="拒绝了作业", en="Job refused")
    apart: ClassVar[frozenset[str]] = frozenset({"reason"})
    job_id: str
    job_kind: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobExpired(Event):
    """Nobody decided in time, or the grant was not used in time."""

    kind: ClassVar[str] = "registry.job_expired.v1"
    title: ClassVar[Text] = Text(zh="作业已过期", en="Job expired")
    job_id: str
    job_kind: str
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStarted(Event):
    """A granted job began."""

    kind: ClassVar[str] = "registry.job_started.v1"
    title: ClassVar[Text] = Text(zh="作业开始", en="Job began")
    job_id: str
    job_kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobHeard(Event):
    """A job's first report; the later ones are fixed by the chain that the entry of its end carries."""

    kind: ClassVar[str] = "registry.job_heard.v1"
    title: ClassVar[Text] = Text(zh="作业首次报告", en="Job's first report")
    job_id: str
    job_kind: str
    step: int
    flop: float
    report_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEnded(Event):
    """A job ended: finished, failed, stopped or lost; with its last report and the chain of all."""

    kind: ClassVar[str] = "registry.job_ended.v1"
    title: ClassVar[Text] = Text(zh="作业结束", en="Job ended")
    apart: ClassVar[frozenset[str]] = frozenset({"reason"})
    job_id: str
    job_kind: str
    state: str
    cause: str
    reason: str
    reports: int
    step: int
    flop: float
    chain_sha256: str
    artefact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopHeeded(Event):
    """The runner of a job that was stopped said that its process ended."""

    kind: ClassVar[str] = "registry.job_stop_heeded.v1"
    title: ClassVar[Text] = Text(zh="作业进程确认已停止", en="Job's process said that it stopped")
    job_id: str
    job_kind: str
    reports: int
    step: int
    flop: float
    chain_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDisobeyed(Event):
    """A runner went on reporting work after it had been told to stop; `times` is 1, 10, 100 and so on."""

    kind: ClassVar[str] = "registry.job_disobeyed.v1"
    title: ClassVar[Text] = Text(zh="作业程序未服从停止", en="Runner did not obey the stop")
    job_id: str
    job_kind: str
    times: int
    step: int
    flop: float


EVENTS: tuple[type[Event], ...] = (
    JobAsked,
    JobGranted,
    JobRefused,
    JobExpired,
    JobStarted,
    JobHeard,
    JobEnded,
    StopHeeded,
    JobDisobeyed,
)
"""What happens with jobs."""
