"""From the question to the start: ask, grant, refuse, begin.  Nobody grants what they asked for or run themselves."""

from datetime import datetime, timedelta

from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Refused
from safebelt.kernel.text import Text
from safebelt.rooms.registry.decide.training.base import (
    TEXT_LIMIT,
    Moved,
    amount,
    because,
    count,
    digest,
    in_state,
    invalid,
    is_digest,
    line,
    moved,
    only_its_runner,
)
from safebelt.rooms.registry.model.register import PERSON_ROLES, NamedPerson, PersonRole, System
from safebelt.rooms.registry.model.training import (
    AskJob,
    Decision,
    Gate,
    GrantJob,
    Halt,
    Job,
    JobAsked,
    JobExpired,
    JobGranted,
    JobKind,
    JobRefused,
    JobRules,
    JobStarted,
    JobState,
    Limits,
    Plan,
    StartJob,
    Terms,
)

MAX_DATASETS = 200
"""Datasets of one plan; more belong into one registered dataset."""
_TRAINS = frozenset({JobKind.TRAINING, JobKind.FINE_TUNING})
_MUST_SAY_WHAT_WAS_READ = frozenset({JobKind.PROMOTION, JobKind.SELF_UPDATE})
_MAY_GRANT = (PersonRole.ACCOUNTABLE, PersonRole.OVERSEER)
_HOURS = Text(zh="小时数", en="number of hours")
_MOST_HOURS = 24.0 * 366


def ask(cmd: AskJob, rules: JobRules, *, new_id: str, by: str, at: datetime, facts_version: int) -> Moved:
    """Take a question in.

    Raises:
        Invalid: It does not say what the job will do, or a text or number is not fit.
    """
    plan = _plan(cmd)
    version_id = line(cmd.version_id, "version_id", Text(zh="版本编号", en="id of the version"))
    if cmd.kind is JobKind.PROMOTION and not version_id:
        raise invalid("version_id", Text(zh="请指明要上线的版本。", en="Say which version is to be promoted."))
    job = Job(
        id=new_id,
        kind=cmd.kind,
        system_id=cmd.system_id,
        model_id=line(cmd.model_id, "model_id", Text(zh="模型编号", en="id of the model")),
        version_id=version_id if cmd.kind is JobKind.PROMOTION else "",
        plan=plan,
        purpose=line(cmd.purpose, "purpose", Text(zh="目的", en="purpose"), limit=TEXT_LIMIT, is_required=True),
        asked_by=by,
        runner=line(cmd.runner, "runner", Text(zh="运行方", en="runner")) or by,
        asked_at=at,
        expires_at=at + timedelta(hours=rules.terms[cmd.kind].ask_hours),
        facts_version=facts_version,
    )
    event = JobAsked(
        subject=job.system_id,
        job_id=job.id,
        job_kind=job.kind.value,
        runner=job.runner,
        purpose=job.purpose,
        model_id=job.model_id,
        version_id=job.version_id,
        plan=plan,
        facts_version=facts_version,
        expires_at=job.expires_at,
    )
    says = Text(zh="已说明要做什么、由谁运行", en="It says what is going to be done, and who runs it")
    return Moved(job=job, event=event, reason=because(says))


def grant(job: Job, cmd: GrantJob, gate: Gate, system: System, rules: JobRules, *, by: str, at: datetime) -> Moved:
    """Let a job go on, within limits.

    Raises:
        Conflict: It does not wait for a grant any more, or a check does not hold.
        Refused: The grantor asked for it or runs it, or is not named for the system.
        Invalid: A reason is missing, or a limit goes beyond what was asked.
    """
    in_state(job, JobState.ASKED)
    _in_time(job, at)
    _somebody_else(job, by)
    person = _named(system, cmd.person_id)
    _holds(gate)
    needs_reading = job.kind in _MUST_SAY_WHAT_WAS_READ
    decision = Decision(
        by=by,
        at=at,
        person_id=person.id,
        reason=_reason(cmd.reason),
        looked_at=line(
            cmd.looked_at,
            "looked_at",
            Text(zh="查看了哪些证据", en="evidence that was looked at"),
            limit=TEXT_LIMIT,
            is_required=needs_reading,
        ),
        gate=gate.reason.as_data(),
    )
    limits = _limits(job.plan, cmd, rules.terms[job.kind], at)
    event = JobGranted(
        subject=job.system_id,
        job_id=job.id,
        job_kind=job.kind.value,
        person_id=person.id,
        reason=decision.reason,
        looked_at=decision.looked_at,
        limits=limits,
        datasets=job.plan.datasets,
        rests_on=tuple(dict.fromkeys(cite for _, each in gate.reason.walk() for cite in each.cites)),
    )
    role = PERSON_ROLES[person.role]
    reason = because(
        Text(zh="批准成立", en="The grant holds"),
        gate.reason,
        because(Text(zh=f"以{role.zh}的名义", en=f"In the name of the {role.en}"), cites=(person.id,)),
        because(Text(zh="批准者不是申请者或运行方", en="Who grants neither asked for it nor runs it")),
    )
    return moved(job, event, reason, state=JobState.GRANTED, decision=decision, limits=limits)


def refuse(job: Job, reason: str, *, by: str, at: datetime) -> Moved:
    """Refuse a job.

    Raises:
        Conflict: It does not wait for a decision any more.
        Invalid: There is no reason.
    """
    in_state(job, JobState.ASKED)
    decision = Decision(by=by, at=at, reason=_reason(reason))
    event = JobRefused(subject=job.system_id, job_id=job.id, job_kind=job.kind.value, reason=decision.reason)
    says = because(Text(zh="有人拒绝了该作业", en="A person refused the job"))
    return moved(job, event, says, state=JobState.REFUSED, decision=decision, ended_at=at)


def start(job: Job, cmd: StartJob, *, by: str, at: datetime, halt: Halt | None) -> Moved:
    """Begin a granted job.

    Args:
        job: Which.
        cmd: What is going to be read and run.
        by: Who begins it.
        at: When.
        halt: What keeps the system from running now.

    Raises:
        Conflict: It is not granted, the grant ended, or the system was stopped meanwhile.
        Refused: Somebody else runs it, or data or configuration are not those that were granted.
    """
    in_state(job, JobState.GRANTED)
    only_its_runner(job, by)
    limits = granted(job)
    if at >= limits.valid_until:
        raise Conflict(
            what=Text(zh="批准已到期。", en="The grant ended."), hint=Text(zh="请另行申请。", en="Ask for a new one.")
        )
    if halt is not None:
        raise Conflict(what=halt.why, hint=Text(zh="恢复后再开始。", en="Begin once it may run again."))
    _as_granted(job.plan, cmd)
    event = JobStarted(subject=job.system_id, job_id=job.id, job_kind=job.kind.value)
    reason = because(
        Text(zh="批准有效，数据与配置与批准一致", en="The grant holds, and data and configuration are those granted")
    )
    return moved(job, event, reason, state=JobState.RUNNING, started_at=at, heard_at=at)


def lapse_unbegun(job: Job, at: datetime) -> Moved | None:
    """Let a question nobody answered, or a grant nobody used, end; None while it may wait."""
    until = job.expires_at if job.state is JobState.ASKED else granted(job).valid_until
    if at < until:
        return None
    event = JobExpired(subject=job.system_id, job_id=job.id, job_kind=job.kind.value, before=job.state.value)
    says = (
        Text(zh="逾期无人决定", en="Nobody decided in time")
        if job.state is JobState.ASKED
        else Text(zh="批准到期仍未开始", en="The grant was not used in time")
    )
    return moved(job, event, because(says), state=JobState.EXPIRED, ended_at=until)


def granted(job: Job) -> Limits:
    """Return a granted job's limits.

    Raises:
        ValueError: It has none: a job that runs without a grant is a mistake in the house, never a state of a job.
    """
    if job.limits is None:
        raise ValueError(f"{job.id} is {job.state} without a grant")
    return job.limits


def _plan(cmd: AskJob) -> Plan:
    plan, trains = cmd.plan, cmd.kind in _TRAINS
    if len(plan.datasets) > MAX_DATASETS:
        raise invalid("datasets", Text(zh=f"至多 {MAX_DATASETS} 个数据集。", en=f"At most {MAX_DATASETS} datasets."))
    least = 1 if trains else 0
    return Plan(
        base_model=line(plan.base_model, "base_model", Text(zh="基础模型", en="base model")),
        datasets=tuple(dict.fromkeys(_dataset(one) for one in plan.datasets)),
        flop=amount(plan.flop, "flop", Text(zh="计划计算量", en="planned compute"), least=float(least)),
        steps=count(plan.steps, "steps", Text(zh="计划步数", en="planned number of steps"), least=least),
        config=digest(plan.config, "config", Text(zh="配置摘要", en="digest of the configuration")),
        target=digest(
            plan.target,
            "target",
            Text(zh="新内容的摘要", en="digest of what is put in place"),
            is_required=cmd.kind is JobKind.SELF_UPDATE,
        ),
    )


def _plain(name: str) -> str:
    """Return a digest as it is kept; anything else as it is."""
    hexadecimal = name.strip().lower().removeprefix("sha256:")
    return hexadecimal if is_digest(hexadecimal) else name.strip()


def _dataset(value: str) -> str:
    text = _plain(line(value, "datasets", Text(zh="数据集", en="dataset"), is_required=True))
    if not (is_digest(text) or text.startswith("dat_")):
        raise invalid(
            "datasets",
            Text(
                zh=f"“{text[:60]}”既不是数据集编号（dat_…），也不是 SHA-256。",
                en=f"“{text[:60]}” is neither the id of a dataset (dat_…) nor a SHA-256.",
            ),
        )
    return text


def _in_time(job: Job, at: datetime) -> None:
    if at >= job.expires_at:
        raise Conflict(
            what=Text(zh="该申请已过期。", en="The question has expired."),
            hint=Text(zh="请重新申请。", en="Ask again."),
        )


def _somebody_else(job: Job, by: str) -> None:
    if by in (job.asked_by, job.runner):
        raise Refused(
            what=Text(
                zh="申请者和运行方不得批准自己的作业。", en="Who asked for a job, or runs it, does not grant it."
            ),
            hint=Text(zh="请由另一位有权批准的人决定。", en="Let another person who may grant decide."),
        )


def _named(system: System, person_id: str) -> NamedPerson:
    for role in _MAY_GRANT:
        for person in system.current(role):
            if person.id == person_id:
                return person
    raise invalid(
        "person_id",
        Text(
            zh="须以该系统现任负责人或监督人员的名义批准。",
            en="It is granted in the name of a person who now is accountable for the system or oversees it.",
        ),
    )


def _holds(gate: Gate) -> None:
    if gate.reason.holds is not Truth.TRUE:
        raise Conflict(
            what=Text(zh="还不能批准：" + "".join(one.zh for one in gate.gaps),
                      en="It cannot be granted yet: " + " ".join(one.en for one in gate.gaps)),
            hint=Text(zh="补齐后再批准；也可以拒绝。", en="Grant it once they are there; or refuse it."),
            details={"missing": str(len(gate.gaps))},
        )  # fmt: skip


def _reason(text: str) -> str:
    return line(text, "reason", Text(zh="理由", en="reason"), limit=TEXT_LIMIT, is_required=True)


def _limits(plan: Plan, cmd: GrantJob, terms: Terms, at: datetime) -> Limits:
    valid = _hours(cmd.valid_hours, terms.valid_hours, "valid_hours", most=_MOST_HOURS)
    wall = _hours(cmd.max_wall_hours, terms.wall_hours, "max_wall_hours", most=_MOST_HOURS)
    steps = plan.steps if cmd.max_steps is None else cmd.max_steps
    flop = plan.flop if cmd.max_flop is None else cmd.max_flop
    lease = terms.lease_seconds if cmd.lease_seconds is None else cmd.lease_seconds
    steps_label, flop_label = Text(zh="步数上限", en="limit of steps"), Text(zh="计算量上限", en="limit of compute")
    _no_more(count(steps, "max_steps", steps_label), plan.steps, "max_steps", steps_label)
    _no_more(amount(flop, "max_flop", flop_label), plan.flop, "max_flop", flop_label)
    return Limits(
        valid_until=at + timedelta(hours=valid),
        max_steps=steps,
        max_flop=float(flop),
        max_wall_seconds=int(wall * 3600),
        lease_seconds=_lease(lease),
    )


def _hours(value: float | None, default: float, field: str, *, most: float) -> float:
    hours = amount(default if value is None else value, field, _HOURS, most=most)
    if hours * 3600 < 1:
        raise invalid(field, Text(zh="时间过短。", en="The time is too short."))
    return hours


def _lease(seconds: int) -> int:
    label = Text(zh="报告间隔（秒）", en="number of seconds between reports")
    if count(seconds, "lease_seconds", label, least=1) > 86_400:
        raise invalid("lease_seconds", Text(zh="报告间隔不能超过一天。", en="Reports must come at least once a day."))
    return seconds


def _no_more(value: float, asked: float, field: str, label: Text) -> None:
    if value > asked:
        raise invalid(
            field,
            Text(
                zh=f"{label.zh}不能超过申请的 {asked:g}。",
                en=f"The {label.en} cannot be more than what was asked: {asked:g}.",
            ),
        )


def _as_granted(plan: Plan, cmd: StartJob) -> None:
    datasets, config = {_plain(one) for one in cmd.datasets}, _plain(cmd.config)
    if datasets == set(plan.datasets) and config == plan.config:
        return
    what = [
        Text(zh="数据集", en="the datasets") if datasets != set(plan.datasets) else None,
        Text(zh="配置", en="the configuration") if config != plan.config else None,
    ]
    differ = [one for one in what if one is not None]
    raise Refused(
        what=Text(
            zh=f"{'和'.join(one.zh for one in differ)}与批准的不一致。",
            en=f"Not as it was granted: {' and '.join(one.en for one in differ)}.",
        ),
        hint=Text(zh="请按批准的内容运行，或另行申请。", en="Run what was granted, or ask for a new job."),
    )
