"""JSON door to jobs that train, tune, update or promote: runners ask and report, people grant, refuse and stop."""

from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import JSONBody, PathParameter, QueryParameter

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused
from safebelt.rooms.registry.api.register import PageNumber, PageSize
from safebelt.rooms.registry.model.things import Version
from safebelt.rooms.registry.model.training import (
    AskJob,
    Because,
    FinishJob,
    Gate,
    GrantJob,
    Job,
    JobAnswer,
    JobPage,
    JobState,
    ReportJob,
    StartJob,
)
from safebelt.rooms.registry.service import Registry
from safebelt.web.openapi import problems
from safebelt.web.security import Guard, actor_of, requires

JobId = Annotated[str, PathParameter(description="Id of a job, `job_…`.")]
VersionId = Annotated[str, PathParameter(description="Id of a version, `ver_…`.")]


def staff_or_runner() -> Guard:
    """Let through who may read the register, and runners, who may ask for jobs and see their own."""

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        authorize = connection.app.state.authorize
        try:
            authorize(actor_of(connection), "registry.jobs", "")
        except Refused:
            authorize(actor_of(connection), "registry.read", "")

    guard.safebelt_action = "registry.read"  # type: ignore[attr-defined]
    return guard


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """A job and where it stands.

    Attributes:
        answer: What its runner would be told now.
        gate: What is asked before it may be granted, as it stands now; only while it waits for a person.
    """

    job: Job
    answer: JobAnswer
    gate: Gate | None


class JobsApi(Controller):
    """`/api/registry/jobs`."""

    path = "/api/registry/jobs"
    tags = ("registry",)

    @get(sync_to_thread=True, guards=[staff_or_runner()], responses=problems())
    def list_jobs(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        *,
        system: Annotated[str, QueryParameter(description="Only this system's.", max_length=60)] = "",
        only: Annotated[JobState | None, QueryParameter(name="state", description="Only jobs in this state.")] = None,
        page: PageNumber = 1,
        size: PageSize = 20,
    ) -> JobPage:
        """List jobs: what waits for a person first, then what runs; a runner sees its own."""
        return registry.jobs(system_id=system, state=only, by=by, page=page, size=size)

    @post(
        sync_to_thread=True,
        guards=[requires("registry.jobs")],
        responses=problems(NotFound, Invalid, has_body=True),
    )
    def ask_for_job(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], data: JSONBody[AskJob]
    ) -> Job:
        """Ask for a training, a fine-tuning, a promotion or a self-update; a person decides."""
        return registry.ask_job(data, by=by)

    @get("/{job_id:str}", sync_to_thread=True, guards=[staff_or_runner()], responses=problems(NotFound))
    def get_job(self, registry: NamedDependency[Registry], by: NamedDependency[Actor], job_id: JobId) -> JobView:
        """Return one job: runners ask here whether it was granted."""
        job = registry.job(job_id, by=by)
        gate = registry.job_gate(job_id) if job.state is JobState.ASKED else None
        return JobView(job=job, answer=registry.job_answer(job_id, by=by), gate=gate)

    @post(
        "/{job_id:str}/grant",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("registry.grant")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def grant_job(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], job_id: JobId, data: JSONBody[GrantJob]
    ) -> Job:
        """Grant a job within limits: another person than who asked, in the name of a person named for the system."""
        return registry.grant_job(job_id, data, by=by)

    @post(
        "/{job_id:str}/refuse",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("registry.grant")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def refuse_job(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], job_id: JobId, data: JSONBody[Because]
    ) -> Job:
        """Refuse a job, with the reason."""
        return registry.refuse_job(job_id, data.reason, by=by)

    @post(
        "/{job_id:str}/start",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("registry.jobs")],
        responses=problems(NotFound, Conflict, has_body=True),
    )
    def start_job(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], job_id: JobId, data: JSONBody[StartJob]
    ) -> JobAnswer:
        """Begin a granted job, with exactly the data and the configuration that were granted."""
        return registry.start_job(job_id, data, by=by)

    @post(
        "/{job_id:str}/reports",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("registry.jobs")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def report_job(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], job_id: JobId, data: JSONBody[ReportJob]
    ) -> JobAnswer:
        """Report how far a job is; the answer says whether it may go on.  A repeated number is not counted again."""
        return registry.report_job(job_id, data, by=by)

    @post(
        "/{job_id:str}/finish",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("registry.jobs")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def finish_job(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], job_id: JobId, data: JSONBody[FinishJob]
    ) -> Job:
        """Say that a job's process ended; what it made becomes a proposed version."""
        return registry.finish_job(job_id, data, by=by)

    @post(
        "/{job_id:str}/stop",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("belt.stop")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def stop_job(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], job_id: JobId, data: JSONBody[Because]
    ) -> Job:
        """Stop a job; whoever may stop a system may.  Its runner is told with its next report."""
        return registry.stop_job(job_id, data.reason, by=by)


class RollBackApi(Controller):
    """`/api/registry/versions/{id}/roll-back`."""

    path = "/api/registry/versions"
    tags = ("registry",)

    @post(
        "/{version_id:str}/roll-back",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("belt.stop")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def roll_back(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        version_id: VersionId,
        data: JSONBody[Because],
    ) -> Version:
        """Put an earlier version back in place, at once; the current one is withdrawn.  Waits for nobody's grant."""
        return registry.roll_back_version(version_id, data.reason, by=by)


API: tuple[type, ...] = (JobsApi, RollBackApi)
