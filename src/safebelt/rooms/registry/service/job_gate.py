"""What a job is judged by, gathered in one place: facts, red lines, evidence, compute, data, the stop control."""

from functools import cached_property

import sqlalchemy as sa

from safebelt.kernel.text import Text
from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide import training as decide
from safebelt.rooms.registry.model.register import STATUSES, System
from safebelt.rooms.registry.model.things import VERSION_STATES, VersionState
from safebelt.rooms.registry.model.training import (
    Cause,
    Gate,
    Halt,
    Job,
    JobKind,
    JobOrder,
    JobRules,
    Progress,
)
from safebelt.rooms.registry.packs.training import load_rules
from safebelt.rooms.registry.service.base import found_system
from safebelt.rooms.registry.service.things import Things
from safebelt.rooms.rulebook.model.deeds import OnRecord

STOP_CONTROL = "stop_control"
"""By whom a job is stopped where the belt's stop control is; its own records say which person gave the order."""


class JobGate(Things):
    """What is asked before a job may be granted, and what keeps one from running."""

    @cached_property
    def _job_rules(self) -> JobRules:
        return load_rules(self._tools.folder, self._rules.rulebook.base.evidence)

    def _gate_of_job(self, tx: sa.Connection, job: Job) -> Gate:
        return decide.check(self._job_case(tx, job, found_system(tx, job.system_id)), self._job_rules)

    def _job_case(self, tx: sa.Connection, job: Job, system: System) -> decide.Case:
        record = self._rules.on_record(system.id)
        trains = job.kind in (JobKind.TRAINING, JobKind.FINE_TUNING)
        return decide.Case(
            kind=job.kind,
            system=system,
            facts_version=record.version if record else 0,
            barred_by=self._rules.barred_within(tx, system.id, party=system.provider_id),
            order=self._tools.stopped(system.id),
            demands=self._job_demands(tx, job.kind, system) if record else None,
            compute=self._job_compute(tx, job, record) if record and trains else None,
            strangers=self._job_strangers(tx, job),
            version_fault=self._job_version_fault(tx, job),
        )

    def _job_demands(self, tx: sa.Connection, kind: JobKind, system: System) -> tuple[decide.Demand, ...] | None:
        judgment = self._rules.judgment_of(system.id, party=system.provider_id)
        if judgment is None:
            return None
        held = store.lifecycle.held(tx, system.id, self._clock().date())
        titles = {name: one.title for name, one in self._rules.rulebook.base.evidence.items()}
        ids = {name: tuple(one.id for one in pieces) for name, pieces in held.items()}
        return decide.demands(judgment, self._job_rules.evidence_for(kind), ids, titles)

    def _job_compute(self, tx: sa.Connection, job: Job, record: OnRecord) -> decide.Compute:
        """Add up what was granted since the facts were recorded: ten small jobs are one large one."""
        others = (one for one in store.training.granted_since(tx, job.system_id, record.at) if one.id != job.id)
        planned = job.plan.flop + sum(_committed(one) for one in others)
        fact, facts = self._job_rules.compute_fact, record.description.values()
        known = facts.get(fact)
        if known is not None:
            return decide.Compute(planned=planned, on_record=float(known))
        without, _ = self._rules.judge({**facts, fact: 0.0})
        with_it, _ = self._rules.judge({**facts, fact: planned})
        return decide.Compute(planned=planned, on_record=None, changes=decide.changed(without, with_it))

    def _job_strangers(self, tx: sa.Connection, job: Job) -> tuple[str, ...]:
        wanted = tuple(one for one in job.plan.datasets if one.startswith("dat_"))
        known = store.things.things_by_ids(tx, wanted) if wanted else {}
        return tuple(one for one in wanted if one not in known)

    def _job_version_fault(self, tx: sa.Connection, job: Job) -> Text | None:
        if job.kind is not JobKind.PROMOTION:
            return None
        version = store.things.version_by_id(tx, job.version_id)
        if version is None:
            return Text(zh=f"没有版本 {job.version_id}", en=f"There is no version {job.version_id}")
        if version.subject_id not in self._job_subjects(tx, job.system_id):
            return Text(
                zh=f"版本“{version.label}”不属于该系统", en=f"Version “{version.label}” does not belong to the system"
            )
        if version.state is not VersionState.PROPOSED:
            state = VERSION_STATES[version.state]
            return Text(zh=f"版本“{version.label}”{state.zh}", en=f"Version “{version.label}” is {state.en}")
        return None

    def _job_subjects(self, tx: sa.Connection, system_id: str) -> frozenset[str]:
        """Return the system and the things it is made of now: whose versions its people answer for."""
        linked = store.things.links_of(tx, system_id)
        return frozenset({system_id, *(one.link.thing_id for one in linked if one.link.until is None)})

    def _job_halt(self, tx: sa.Connection, system_id: str) -> Halt | None:
        """Return what keeps a system's jobs from running now; a pause is weaker than all else."""
        system = found_system(tx, system_id)
        if decide.closed(system.status, self._job_rules):
            stage = STATUSES[system.status]
            why = Text(zh=f"系统处于“{stage.zh}”。", en=f"The system is at “{stage.en}”.")
            return Halt(cause=Cause.SYSTEM, by=decide.HOUSE, why=why)
        order = self._tools.stopped(system_id)
        halt = _ordered(order) if order else None
        barred = self._rules.barred_within(tx, system_id, party=system.provider_id)
        if barred and (halt is None or halt.order is JobOrder.PAUSE):
            red_lines = ", ".join(barred)
            why = Text(zh=f"系统触及红线：{red_lines}。", en=f"The system meets a red line: {red_lines}.")
            return Halt(cause=Cause.SYSTEM, by=decide.HOUSE, why=why)
        return halt


def _ordered(order: str) -> Halt:
    """Return what an order of the stop control means for a job: there is no request in it that could be let end."""
    is_pause = order == "pause"
    return Halt(
        cause=Cause.CONTROL,
        by=STOP_CONTROL,
        why=Text(
            zh=f"停止控制对该系统下达了“{order}”；下令的人和理由见停止记录。",
            en=f"The stop control has “{order}” in force for the system; its records say who gave the order, and why.",
        ),
        order=JobOrder.PAUSE if is_pause else JobOrder.STOP,
    )


def _committed(job: Job) -> float:
    """Return the compute a granted job may use, or has used once it ended."""
    spent: Progress = job.progress
    return job.limits.max_flop if job.is_open and job.limits else spent.flop
