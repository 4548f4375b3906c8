"""Deeds about jobs that train, tune, update or promote."""

from dataclasses import replace
from hashlib import sha256

import msgspec
import sqlalchemy as sa

from safebelt.engines.canonical import canonical
from safebelt.kernel.actors import MACHINE, Actor, Role
from safebelt.kernel.errors import Invalid, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide import training as decide
from safebelt.rooms.registry.model.register import System
from safebelt.rooms.registry.model.things import ProposeVersion, Version
from safebelt.rooms.registry.model.training import (
    AskJob,
    FinishJob,
    Gate,
    GrantJob,
    Job,
    JobAnswer,
    JobKind,
    JobPage,
    JobState,
    Outcome,
    Report,
    ReportJob,
    StartJob,
)
from safebelt.rooms.registry.service.base import found_system, pages_of
from safebelt.rooms.registry.service.job_gate import JobGate

REPORTS_KEPT = 400
"""Reports of one job kept for its picture; all of them are fixed by the chain on the ledger."""
_NOTES_LIMIT = 500
"""Characters of a job's purpose that its version's notes repeat."""
_SETTLED_AT_ONCE = 200
"""Open jobs that one turn of `expire_jobs` looks at in one go."""


class Training(JobGate):
    """Deeds about jobs that train, tune, update or promote."""

    def ask_job(self, cmd: AskJob, *, by: Actor) -> Job:
        """Ask for a job.

        Raises:
            NotFound: There is no such system.
            Invalid: It does not say what it will do, or the model is not registered.
        """
        with self._sql.begin() as tx:
            system = found_system(tx, cmd.system_id)
            record = self._rules.on_record(system.id)
            step = decide.ask(
                cmd,
                self._job_rules,
                new_id=self._new_id("job"),
                by=by.id,
                at=self._clock(),
                facts_version=record.version if record else 0,
            )
            self._hold_job_model(tx, system, step.job)
            store.training.add_job(tx, step.job)
            self._ledger.append(tx, step.event, by=by)
        return step.job

    def job(self, job_id: str, *, by: Actor | None = None) -> Job:
        """Return a job as it stands now; one that ran out of time is ended by this look at it.

        Args:
            job_id: Which.
            by: Who asks; a runner sees only what it asked for or runs.

        Raises:
            NotFound: There is none that `by` may see.
        """
        job = self._settled_job(job_id)
        if by is not None and _sees_only_its_own(by) and by.id not in (job.runner, job.asked_by):
            raise _missing(job_id)
        return job

    def jobs(
        self,
        *,
        system_id: str = "",
        state: JobState | None = None,
        by: Actor | None = None,
        page: int = 1,
        size: int = 20,
    ) -> JobPage:
        """Return a page of jobs: what waits for a person first, then what runs, then the rest, newest first."""
        runner = by.id if by is not None and _sees_only_its_own(by) else ""
        with self._sql.read() as tx:
            items, total = store.training.jobs(
                tx, system_id=system_id, state=state, runner=runner, page=page, size=size
            )
        settled = tuple(self._settled_job(one.id) if one.is_open else one for one in items)
        return JobPage(items=settled, total=total, page=page, pages=pages_of(total, size))

    def jobs_waiting(self) -> int:
        """Return how many jobs wait for a person."""
        with self._sql.read() as tx:
            return store.training.count_waiting(tx)

    def job_gate(self, job_id: str) -> Gate:
        """Return what is asked before a job may be granted, as it stands now.

        Raises:
            NotFound: There is no such job.
        """
        with self._sql.read() as tx:
            return self._gate_of_job(tx, _found(tx, job_id))

    def job_answer(self, job_id: str, *, by: Actor | None = None) -> JobAnswer:
        """Return what a job's runner would be told now.

        Raises:
            NotFound: There is no such job.
        """
        job = self.job(job_id, by=by)
        with self._sql.read() as tx:
            return decide.answer(job, self._job_halt(tx, job.system_id) if job.is_open else None)

    def job_reports(self, job_id: str) -> tuple[Report, ...]:
        """Return the reports kept of a job, oldest first, at most some hundred."""
        with self._sql.read() as tx:
            return store.training.reports(tx, job_id)

    def grant_job(self, job_id: str, cmd: GrantJob, *, by: Actor) -> Job:
        """Let a job go on, within limits; a promotion is carried out by its grant.

        Raises:
            NotFound: There is no such job.
            Conflict: It does not wait for a grant any more, or a check does not hold.
            Refused: The grantor asked for it or runs it.
            Invalid: A reason is missing, nobody is named, or a limit goes beyond what was asked.
        """
        self._settled_job(job_id)
        with self._sql.begin() as tx:
            job = self._held_job(tx, job_id)
            self._one_at_a_time(tx, job.system_id)
            system = found_system(tx, job.system_id)
            step = decide.grant(
                job, cmd, self._gate_of_job(tx, job), system, self._job_rules, by=by.id, at=self._clock()
            )
            self._take_job(tx, step, by)
            if job.kind is JobKind.PROMOTION:
                self._promote(tx, job.version_id, by, _why(step.job))
                step = decide.carried_out(step.job, self._clock())
                self._take_job(tx, step, by)
        return step.job

    def refuse_job(self, job_id: str, reason: str, *, by: Actor) -> Job:
        """Refuse a job.

        Raises:
            NotFound: There is no such job.
            Conflict: It does not wait for a decision any more.
            Invalid: There is no reason.
        """
        self._settled_job(job_id)
        with self._sql.begin() as tx:
            step = decide.refuse(self._held_job(tx, job_id), reason, by=by.id, at=self._clock())
            self._take_job(tx, step, by)
        return step.job

    def start_job(self, job_id: str, cmd: StartJob, *, by: Actor) -> JobAnswer:
        """Begin a granted job.

        Raises:
            NotFound: There is no such job.
            Conflict: It is not granted, the grant ended, or the system was stopped meanwhile.
            Refused: Somebody else runs it, or data or configuration are not those that were granted.
        """
        self._settled_job(job_id)
        with self._sql.begin() as tx:
            job = self._held_job(tx, job_id)
            halt = self._job_halt(tx, job.system_id)
            step = decide.start(job, cmd, by=by.id, at=self._clock(), halt=halt)
            self._take_job(tx, step, by)
        return decide.answer(step.job, None)

    def report_job(self, job_id: str, cmd: ReportJob, *, by: Actor) -> JobAnswer:
        """Count a report, once, and tell the runner whether it may go on.

        Raises:
            NotFound: There is no such job.
            Conflict: It has not begun, or the number was used for another report.
            Refused: Somebody else runs it.
            Invalid: A number is not finite or out of bounds, or there are too many measures.
        """
        told = decide.check_report(cmd)
        digest = sha256(canonical(msgspec.to_builtins(told))).hexdigest()
        with self._sql.begin() as tx:
            job, at = self._held_job(tx, job_id), self._clock()
            halt = self._job_halt(tx, job.system_id) if job.is_open else None
            heard = decide.report(job, told, sha256_of_it=digest, by=by.id, at=at, halt=halt)
            if heard.job is not job:
                store.training.save_job(tx, heard.job)
            if heard.is_new:
                _keep(
                    tx,
                    job,
                    told,
                    Report(number=told.number, at=at, step=told.step, flop=told.flop, metrics=told.metrics),
                )
            for event in heard.events:
                self._ledger.append(tx, event, by=by)
        return heard.answer

    def finish_job(self, job_id: str, cmd: FinishJob, *, by: Actor) -> Job:
        """Take a runner's word that its process ended; what it made becomes a proposed version.

        Raises:
            NotFound: There is no such job.
            Conflict: It does not run, was stopped, or made something else than was granted.
            Refused: Somebody else runs it.
            Invalid: A finished job says nothing of what it made.
        """
        self._settled_job(job_id)
        with self._sql.begin() as tx:
            step = decide.finish(self._held_job(tx, job_id), cmd, by=by.id, at=self._clock())
            if cmd.outcome is Outcome.FINISHED and step.job.artefact:
                version_id = self._version_of_job(tx, step.job, cmd.label, by)
                step = replace(step, job=replace(step.job, version_id=version_id))
            self._take_job(tx, step, by)
        return step.job

    def stop_job(self, job_id: str, reason: str, *, by: Actor) -> Job:
        """Stop a job: its runner is told with its next report, and it is never let go on.

        Raises:
            NotFound: There is no such job.
            Conflict: It has ended.
            Invalid: There is no reason.
        """
        with self._sql.begin() as tx:
            step = decide.stop(self._held_job(tx, job_id), reason, by=by.id, at=self._clock())
            self._take_job(tx, step, by)
        return step.job

    def roll_back_version(self, version_id: str, reason: str, *, by: Actor) -> Version:
        """Put an earlier version back in place, at once; the one that is current is withdrawn.

        Whoever may stop a system may do this: going back is a stop of what is new, and waits for nobody.

        Raises:
            NotFound: There is no such version.
            Conflict: It was never current, or is withdrawn.
            Invalid: There is no reason.
        """
        with self._sql.begin() as tx:
            return self._roll_back_to(tx, version_id, by, reason)

    def expire_jobs(self) -> int:
        """End every job that ran out of time, fell silent, or must not go on; return how many.

        Cheap when there is nothing to do; two at once do no harm.
        """
        ended, after = 0, ""
        while True:
            with self._sql.read() as tx:
                ids = store.training.open_ids(tx, after, _SETTLED_AT_ONCE)
            ended += sum(1 for one in ids if not self._settled_job(one).is_open)
            if len(ids) < _SETTLED_AT_ONCE:
                return ended
            after = ids[-1]

    # ---- by hand

    def _settled_job(self, job_id: str) -> Job:
        """Return a job, ended first where its time is over."""
        with self._sql.read() as tx:
            job = _found(tx, job_id)
            if self._lapsed_job(tx, job) is None:
                return job
        with self._sql.begin() as tx:
            job = self._held_job(tx, job_id)
            step = self._lapsed_job(tx, job)
            if step is not None:
                self._take_job(tx, step, MACHINE)
        return job if step is None else step.job

    def _lapsed_job(self, tx: sa.Connection, job: Job) -> decide.Moved | None:
        if job.state is JobState.RUNNING:
            return decide.lapse(job, self._clock(), self._job_halt(tx, job.system_id))
        return decide.lapse_unbegun(job, self._clock()) if job.is_open else None

    def _held_job(self, tx: sa.Connection, job_id: str) -> Job:
        """Find a job and let nothing come between the look at it and the deed."""
        self._sql.exclusive(tx, f"registry.{job_id}")
        return _found(tx, job_id)

    def _take_job(self, tx: sa.Connection, step: decide.Moved, by: Actor) -> None:
        store.training.save_job(tx, step.job)
        self._ledger.append(tx, step.event, by=by)

    def _version_of_job(self, tx: sa.Connection, job: Job, label: str, by: Actor) -> str:
        """Propose what a job made as a version; a self-update, granted by its digest, is made current too."""
        subject = job.model_id or job.system_id
        name = label.strip() or job.id[-8:]
        if store.things.version_by_label(tx, subject, name) is not None:
            # A long run is not lost for want of a name: the end of the job's id makes it unique.
            name = f"{name[:40]}-{job.id[-8:]}"
        notes = f"{job.id}: {job.purpose}"[:_NOTES_LIMIT]
        command = ProposeVersion(label=name, digest=job.artefact, notes_zh=notes, notes_en=notes)
        version = self._propose_version(tx, subject, command, by=by)
        if job.kind is JobKind.SELF_UPDATE:
            self._promote(tx, version.id, by, _why(job))
        return version.id

    def _hold_job_model(self, tx: sa.Connection, system: System, job: Job) -> None:
        if job.model_id and job.model_id not in self._job_subjects(tx, system.id):
            raise Invalid(
                what=Text(
                    zh=f"模型 {job.model_id} 未与该系统关联。",
                    en=f"The model {job.model_id} is not linked to the system.",
                ),
                hint=Text(zh="请先登记并关联该模型。", en="Register the model and link it to the system first."),
                details={"field": "model_id"},
            )


def _keep(tx: sa.Connection, before: Job, told: ReportJob, report: Report) -> None:
    """Keep a report for the picture, and only so many of a long run."""
    every = decide.stride(told.number, REPORTS_KEPT)
    if every != decide.stride(before.progress.number, REPORTS_KEPT):
        store.training.thin_reports(tx, before.id, every)
    if told.number % every == 0 or told.number == 1:
        store.training.add_report(tx, before.id, report)


def _found(tx: sa.Connection, job_id: str) -> Job:
    job = store.training.job_by_id(tx, job_id)
    if job is None:
        raise _missing(job_id)
    return job


def _missing(job_id: str) -> NotFound:
    return NotFound(
        what=Text(zh=f"没有作业 {job_id}。", en=f"There is no job {job_id}."),
        hint=Text(zh="请在作业列表中查找。", en="Look it up in the list of jobs."),
    )


def _sees_only_its_own(by: Actor) -> bool:
    """A runner's token opens its own jobs and no other's."""
    return by.roles == frozenset({Role.RUNNER})


def _why(job: Job) -> str:
    return f"{job.decision.reason} ({job.id})" if job.decision else job.id
