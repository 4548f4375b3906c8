"""Command line for jobs that train, tune, update or promote: `safebelt registry jobs …`."""

from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.training import (
    JOB_KINDS,
    JOB_STATES,
    AskJob,
    FinishJob,
    Gate,
    GrantJob,
    Job,
    JobKind,
    JobState,
    Outcome,
    Plan,
)
from safebelt.rooms.registry.service import Registry
from safebelt.web.terminal import DONE, NEGATIVE, NOT_EVALUATED, Answer

_EXITS = {Truth.TRUE: DONE, Truth.FALSE: NEGATIVE, Truth.UNKNOWN: NOT_EVALUATED}


def add(app: App, registry: Registry) -> None:
    """Add `jobs` to the group `registry`."""
    jobs = App(name="jobs", help="Training, promotion and self-update behind a gate. 训练、上线与自我更新的关口。")
    app.command(jobs)
    _add_looking(jobs, registry)
    _add_deciding(jobs, registry)

    @jobs.command
    def ask(
        kind: JobKind,
        system_id: str,
        *,
        purpose: str,
        runner: str = "",
        version_id: str = "",
        model_id: str = "",
        base_model: str = "",
        dataset: Annotated[tuple[str, ...], Parameter(negative="")] = (),
        flop: float = 0.0,
        steps: int = 0,
        config: str = "",
        target: str = "",
    ) -> Answer:
        """Ask for a job; another actor has to grant it, by the console or the API."""
        plan = Plan(base_model=base_model, datasets=dataset, flop=flop, steps=steps, config=config, target=target)
        command = AskJob(
            kind=kind,
            system_id=system_id,
            purpose=purpose,
            plan=plan,
            model_id=model_id,
            version_id=version_id,
            runner=runner,
        )
        return _told(registry.ask_job(command, by=OWNER))

    @jobs.command
    def finish(job_id: str, *, outcome: Outcome, artefact: str = "", label: str = "", note: str = "") -> Answer:
        """Say that the process of a job which this terminal runs has ended."""
        command = FinishJob(outcome=outcome, artefact=artefact, label=label, note=note)
        return _told(registry.finish_job(job_id, command, by=OWNER))


def _add_looking(jobs: App, registry: Registry) -> None:
    @jobs.command(name="list")
    def list_(*, system: str = "", state: JobState | None = None, page: int = 1, size: int = 20) -> Answer:
        """List jobs, those that wait for a person first."""
        found = registry.jobs(system_id=system, state=state, page=page, size=size)
        lines = [_line(one) for one in found.items] or [Text(zh="还没有作业。", en="There is no job yet.")]
        return Answer(data=_data(found), says=_lines(lines))

    @jobs.command
    def show(job_id: str) -> Answer:
        """Show a job; while it waits, what is missing: exits 1 where it cannot be granted, 3 where not evaluated."""
        job = registry.job(job_id)
        answer, gate = registry.job_answer(job_id), None
        lines = [_line(job), Text(zh=job.purpose, en=job.purpose), answer.why]
        if job.state is JobState.ASKED:
            gate = registry.job_gate(job_id)
            lines += _asked(gate)
        data = {"job": _data(job), "answer": _data(answer), "gate": None if gate is None else _data(gate)}
        return Answer(data=data, says=_lines(lines), exit_code=DONE if gate is None else _EXITS[gate.reason.holds])


def _add_deciding(jobs: App, registry: Registry) -> None:
    @jobs.command
    def grant(
        job_id: str,
        *,
        person: str,
        reason: str,
        looked_at: str = "",
        valid_hours: float | None = None,
        max_wall_hours: float | None = None,
        max_steps: int | None = None,
        max_flop: float | None = None,
        lease_seconds: int | None = None,
    ) -> Answer:
        """Grant a job that somebody else asked for, in the name of --person (`per_…`), within limits."""
        command = GrantJob(
            person_id=person,
            reason=reason,
            looked_at=looked_at,
            valid_hours=valid_hours,
            max_wall_hours=max_wall_hours,
            max_steps=max_steps,
            max_flop=max_flop,
            lease_seconds=lease_seconds,
        )
        return _told(registry.grant_job(job_id, command, by=OWNER))

    @jobs.command
    def refuse(job_id: str, *, reason: str) -> Answer:
        """Refuse a job."""
        return _told(registry.refuse_job(job_id, reason, by=OWNER))

    @jobs.command
    def stop(job_id: str, *, reason: str) -> Answer:
        """Stop a job: its runner is told with its next report."""
        return _told(registry.stop_job(job_id, reason, by=OWNER))

    @jobs.command(name="roll-back")
    def roll_back(version_id: str, *, reason: str) -> Answer:
        """Put an earlier version back in place, at once."""
        version = registry.roll_back_version(version_id, reason, by=OWNER)
        says = Text(zh=f"已回退到版本“{version.label}”。", en=f"Version “{version.label}” is back in place.")
        return Answer(data=_data(version), says=says)


def _asked(gate: Gate) -> list[Text]:
    return [Text(zh=gate.reason.as_text("zh"), en=gate.reason.as_text("en")), *gate.gaps, *gate.notes]


def _told(job: Job) -> Answer:
    return Answer(data=_data(job), says=_line(job))


def _line(job: Job) -> Text:
    kind, state = JOB_KINDS[job.kind], JOB_STATES[job.state]
    zh, en = (f"{job.id}  {kind.zh}（{state.zh}）", f"{job.id}  {kind.en} ({state.en})")
    if job.is_disobedient:
        return Text(zh=f"{zh} 未服从停止！", en=f"{en} did not obey the stop!")
    return Text(zh=zh, en=en)


def _lines(lines: list[Text]) -> Text:
    return Text(zh="\n".join(one.zh for one in lines), en="\n".join(one.en for one in lines))


def _data(word: Any) -> Any:
    return msgspec.to_builtins(word)
