"""From the start to the end: reports, stops, the last word.  Once stopped, no report is ever answered with *go on*."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from safebelt.kernel.errors import Conflict
from safebelt.kernel.events import Event
from safebelt.kernel.text import Text
from safebelt.rooms.registry.decide.training.asking import granted
from safebelt.rooms.registry.decide.training.base import (
    LINE_LIMIT,
    TEXT_LIMIT,
    Moved,
    amount,
    because,
    count,
    digest,
    in_state,
    invalid,
    line,
    moved,
    only_its_runner,
)
from safebelt.rooms.registry.model.training import (
    CAUSES,
    OPEN_STATES,
    Cause,
    FinishJob,
    Halt,
    Job,
    JobAnswer,
    JobDisobeyed,
    JobEnded,
    JobHeard,
    JobKind,
    JobOrder,
    JobState,
    Outcome,
    Progress,
    ReportJob,
    Stop,
    StopHeeded,
)

MAX_METRICS = 32
"""Measures of one report."""
MAX_METRIC_NAME = 64
HOUSE = "safebelt"
"""By whom a limit stops a job: the house itself, within what a person granted."""
_MAKES_SOMETHING = frozenset({JobKind.TRAINING, JobKind.FINE_TUNING, JobKind.SELF_UPDATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a report came to.

    Attributes:
        job: As it stands now.
        answer: What the runner is told.
        events: What belongs on the ledger: the first report, the end, disobedience; mostly nothing.
        is_new: Whether the report was counted; a retry is not.
    """

    job: Job
    answer: JobAnswer
    events: tuple[Event, ...]
    is_new: bool


def check_report(cmd: ReportJob) -> ReportJob:
    """Hold that a report is fit to be counted.

    Raises:
        Invalid: A number is not finite or out of bounds, or there are too many measures.
    """
    count(cmd.number, "number", Text(zh="报告序号", en="number of the report"), least=1)
    count(cmd.step, "step", Text(zh="步数", en="step"))
    amount(cmd.flop, "flop", Text(zh="计算量", en="compute"))
    if len(cmd.metrics) > MAX_METRICS:
        raise invalid("metrics", Text(zh=f"至多 {MAX_METRICS} 项指标。", en=f"At most {MAX_METRICS} measures."))
    label = Text(zh="指标名称", en="name of a measure")
    for name, value in cmd.metrics.items():
        line(name, "metrics", label, limit=MAX_METRIC_NAME, is_required=True)
        amount(value, "metrics", Text(zh=f"指标 {name}", en=f"measure {name}"), least=-1e300, most=1e300)
    return cmd


def report(job: Job, cmd: ReportJob, *, sha256_of_it: str, by: str, at: datetime, halt: Halt | None) -> Heard:
    """Count a report, and tell the runner whether it may go on.

    Args:
        job: Which.
        cmd: What it says; see `check_report`.
        sha256_of_it: Digest of the report's canonical JSON.
        by: Who reports.
        at: When it arrived.
        halt: What keeps the system from running now.

    Raises:
        Conflict: The job has not begun, or the number was used for another report.
        Refused: Somebody else runs it.
    """
    only_its_runner(job, by)
    if job.state in (JobState.ASKED, JobState.GRANTED):
        in_state(job, JobState.RUNNING)
    if job.state is not JobState.RUNNING:
        return _after_the_end(job, cmd)
    if cmd.number == job.progress.number and sha256_of_it != job.progress.digest:
        raise Conflict(
            what=Text(
                zh=f"第 {cmd.number} 份报告已收到，内容不同。",
                en=f"Report {cmd.number} is here already, and says something else.",
            ),
            hint=Text(zh="新的报告请用下一个序号。", en="Give a new report the next number."),
            details={"number": str(job.progress.number)},
        )  # fmt: skip
    is_new = cmd.number > job.progress.number
    counted = replace(job, progress=_further(job.progress, cmd, sha256_of_it)) if is_new else job
    first = _first(counted, sha256_of_it) if is_new and not job.progress.number else ()
    found = halt if halt is not None and halt.order is JobOrder.STOP else _limit(job, counted, at) or halt
    if found is not None and found.order is JobOrder.STOP:
        end = _ended(counted, found, at, told=cmd.number)
        return Heard(job=end.job, answer=answer(end.job, found), events=(*first, end.event), is_new=is_new)
    heard = replace(counted, heard_at=at, version=job.version + 1)
    return Heard(job=heard, answer=answer(heard, found), events=first, is_new=is_new)


def lapse(job: Job, at: datetime, halt: Halt | None) -> Moved | None:
    """Stop a running job that a limit, its lease, or an order ends; None while it may go on."""
    found = halt if halt is not None and halt.order is JobOrder.STOP else _limit(job, job, at)
    return None if found is None else _ended(job, found, at, told=0)


def stop(job: Job, reason: str, *, by: str, at: datetime) -> Moved:
    """Stop a job because a person says so.

    Raises:
        Conflict: It has ended.
        Invalid: There is no reason.
    """
    in_state(job, *OPEN_STATES)
    why = line(reason, "reason", Text(zh="理由", en="reason"), limit=TEXT_LIMIT, is_required=True)
    return _ended(job, Halt(cause=Cause.PERSON, by=by, why=Text(zh=why, en=why)), at, told=0)


def finish(job: Job, cmd: FinishJob, *, by: str, at: datetime) -> Moved:
    """Take a runner's word that its process ended.

    Raises:
        Refused: Somebody else runs it.
        Conflict: It does not run, or finished after it had been stopped, or made something else than was granted.
        Invalid: A finished job says nothing of what it made.
    """
    only_its_runner(job, by)
    note = line(cmd.note, "note", Text(zh="说明", en="note"), limit=LINE_LIMIT)
    if job.state in (JobState.STOPPED, JobState.LOST) and job.stop is not None:
        return _heeded(job, job.stop, cmd, at)
    in_state(job, JobState.RUNNING)
    if cmd.outcome is Outcome.STOPPED:
        why = Text(zh=note, en=note) if note else CAUSES[Cause.RUNNER]
        found = _ended(job, Halt(cause=Cause.RUNNER, by=by, why=why), at, told=job.progress.number)
        return replace(found, job=replace(found.job, stop=_told_and_heeded(found.job, at)))
    is_done = cmd.outcome is Outcome.FINISHED
    artefact = digest(
        cmd.artefact,
        "artefact",
        Text(zh="产出物摘要", en="digest of what was made"),
        is_required=is_done and job.kind in _MAKES_SOMETHING,
    )
    if is_done and job.kind is JobKind.SELF_UPDATE and artefact != job.plan.target:
        raise _other_than_granted()
    state = JobState.FINISHED if is_done else JobState.FAILED
    event = _end_of(job, state, cause="", reason=note, artefact=artefact if is_done else "")
    says = Text(zh="运行方报告作业已完成", en="The runner says that the job is done")
    if not is_done:
        says = Text(zh="运行方报告作业失败", en="The runner says that the job failed")
    kept = artefact if is_done else ""
    return moved(job, event, because(says), state=state, heard_at=at, ended_at=at, artefact=kept, note=note)


def carried_out(job: Job, at: datetime) -> Moved:
    """End a promotion, which nothing has to run for: the grant itself carries it out."""
    in_state(job, JobState.GRANTED)
    event = _end_of(job, JobState.FINISHED, cause="", reason="", artefact=job.artefact)
    says = Text(zh="批准即上线", en="The grant makes the version current")
    return moved(job, event, because(says), state=JobState.FINISHED, started_at=at, ended_at=at)


def answer(job: Job, halt: Halt | None) -> JobAnswer:
    """Tell a runner where its job stands; `go_on` is said only of a running job that nothing holds."""
    if job.stop is not None:
        halt = job.stop.halt
    if halt is not None:
        return _told(job, halt.order, halt.why, halt.by)
    if job.state is JobState.RUNNING:
        return _told(job, JobOrder.RUN, Text(zh="可以继续。", en="It may go on."), "")
    if job.is_open:
        return _told(job, JobOrder.PAUSE, Text(zh="尚未开始。", en="It has not begun."), "")
    return _told(job, JobOrder.STOP, Text(zh="作业已结束。", en="The job has ended."), HOUSE)


def stride(number: int, most: int) -> int:
    """Return every how many reports one is kept for the picture, so that fewer than `most` cover a run of any length.

    Args:
        number: The latest report.
        most: The bound, at least 1.
    """
    every = 1
    while number // every >= most:
        every *= 2
    return every


def _further(before: Progress, cmd: ReportJob, sha256_of_it: str) -> Progress:
    return Progress(
        number=cmd.number,
        step=max(before.step, cmd.step),
        flop=max(before.flop, float(cmd.flop)),
        metrics=_floats(cmd.metrics),
        digest=sha256_of_it,
        chain=sha256(f"{before.chain}\n{sha256_of_it}".encode()).hexdigest(),
    )


def _floats(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in metrics.items()}


def _first(job: Job, sha256_of_it: str) -> tuple[Event, ...]:
    made = JobHeard(
        subject=job.system_id,
        job_id=job.id,
        job_kind=job.kind.value,
        step=job.progress.step,
        flop=job.progress.flop,
        report_sha256=sha256_of_it,
    )
    return (made,)


def _limit(before: Job, job: Job, at: datetime) -> Halt | None:
    """Return what of its own terms ends a running job: silence, the clock, or how far it got."""
    limits = granted(job)
    begun, heard = before.started_at or at, before.heard_at or at
    if at > heard + timedelta(seconds=limits.lease_seconds):
        late = int((at - heard).total_seconds())
        return _house(
            Cause.LEASE,
            Text(
                zh=f"{late} 秒没有报告，批准要求每 {limits.lease_seconds} 秒内报告一次。",
                en=f"It was silent for {late} s; the grant wants a report every {limits.lease_seconds} s.",
            ),
        )
    if at >= limits.valid_until:
        return _house(Cause.GRANT_ENDED, CAUSES[Cause.GRANT_ENDED])
    if at >= begun + timedelta(seconds=limits.max_wall_seconds):
        return _over(Text(zh="运行时间", en="time"), limits.max_wall_seconds)
    if job.progress.step > limits.max_steps:
        return _over(Text(zh="步数", en="steps"), limits.max_steps)
    if job.progress.flop > limits.max_flop:
        return _over(Text(zh="计算量", en="compute"), limits.max_flop)
    return None


def _over(what: Text, limit: float) -> Halt:
    return _house(
        Cause.LIMIT,
        Text(zh=f"超出批准的{what.zh}上限 {limit:g}。", en=f"The grant's limit of {what.en} was passed: {limit:g}."),
    )


def _house(cause: Cause, why: Text) -> Halt:
    return Halt(cause=cause, by=HOUSE, why=why)


def _ended(job: Job, halt: Halt, at: datetime, *, told: int) -> Moved:
    state = JobState.LOST if halt.cause is Cause.LEASE else JobState.STOPPED
    event = _end_of(job, state, cause=halt.cause.value, reason=halt.why.en, artefact="")
    stopped = Stop(halt=halt, at=at, told=told)
    return moved(job, event, because(CAUSES[halt.cause]), state=state, stop=stopped, ended_at=at)


def _end_of(job: Job, state: JobState, *, cause: str, reason: str, artefact: str) -> JobEnded:
    return JobEnded(
        subject=job.system_id,
        job_id=job.id,
        job_kind=job.kind.value,
        state=state.value,
        cause=cause,
        reason=reason,
        reports=job.progress.number,
        step=job.progress.step,
        flop=job.progress.flop,
        chain_sha256=job.progress.chain,
        artefact=artefact,
    )


def _after_the_end(job: Job, cmd: ReportJob) -> Heard:
    """Say stop again; who goes on after having been told is disobedient.

    A retry of the report that was answered with the stop is no disobedience: the answer may have been lost.
    """
    said = answer(job, None)
    if job.stop is None or cmd.number <= job.stop.told:
        return Heard(job=job, answer=said, events=(), is_new=False)
    knew = job.stop.told > 0
    times = job.stop.disobeyed + (1 if knew and cmd.is_running else 0)
    stopped = replace(job.stop, told=cmd.number, disobeyed=times)
    after = replace(job, stop=stopped, version=job.version + 1)
    is_told = times > job.stop.disobeyed and str(times).strip("0") == "1"
    events = (_disobeyed(job, times, cmd),) if is_told else ()
    return Heard(job=after, answer=answer(after, None), events=events, is_new=False)


def _disobeyed(job: Job, times: int, cmd: ReportJob) -> JobDisobeyed:
    return JobDisobeyed(
        subject=job.system_id,
        job_id=job.id,
        job_kind=job.kind.value,
        times=times,
        step=cmd.step,
        flop=float(cmd.flop),
    )


def _heeded(job: Job, stopped: Stop, cmd: FinishJob, at: datetime) -> Moved:
    if cmd.outcome is Outcome.FINISHED:
        raise Conflict(
            what=Text(
                zh=f"该作业已停止：{stopped.halt.why.zh} 其产出不予接受。",
                en=f"The job was stopped: {stopped.halt.why.en} What it made is not taken.",
            ),
            hint=Text(zh="请报告“已停止”，不要使用产出物。", en="Report that it stopped, and do not use what it made."),
        )
    if stopped.heeded_at is not None:
        raise Conflict(
            what=Text(zh="已确认停止。", en="That it stopped is known already."),
            hint=Text(zh="无需再次报告。", en="There is nothing left to do."),
        )
    event = StopHeeded(
        subject=job.system_id,
        job_id=job.id,
        job_kind=job.kind.value,
        reports=job.progress.number,
        step=job.progress.step,
        flop=job.progress.flop,
        chain_sha256=job.progress.chain,
    )
    says = because(Text(zh="运行方确认进程已结束", en="The runner says that its process ended"))
    return moved(job, event, says, stop=replace(stopped, told=max(stopped.told, 1), heeded_at=at))


def _told_and_heeded(job: Job, at: datetime) -> Stop | None:
    return None if job.stop is None else replace(job.stop, told=max(job.stop.told, 1), heeded_at=at)


def _other_than_granted() -> Conflict:
    return Conflict(
        what=Text(zh="更新的内容与批准的摘要不一致。", en="What was put in place is not what was granted."),
        hint=Text(
            zh="请恢复原状，报告失败，再为新的内容另行申请。",
            en="Put back what was there, report a failure, and ask for what you really want to put in place.",
        ),
    )


def _told(job: Job, order: JobOrder, why: Text, by: str) -> JobAnswer:
    lease = job.limits.lease_seconds if job.limits else 0
    number = max(job.progress.number, job.stop.told if job.stop else 0)
    return JobAnswer(
        go_on=order is JobOrder.RUN,
        order=order,
        why=why,
        by=by,
        number=number,
        report_again_within_seconds=lease if order is not JobOrder.STOP else 0,
    )
