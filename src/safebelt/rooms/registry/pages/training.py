"""Pages about jobs that train, tune, update or promote: what waits for a person, what runs, and the stop."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect, ServerSentEvent, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, Problem, Refused
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.model.register import PersonRole
from safebelt.rooms.registry.model.things import Version, VersionState
from safebelt.rooms.registry.model.training import Because, GrantJob, Job, JobKind, JobState
from safebelt.rooms.registry.pages import training_words as words
from safebelt.rooms.registry.service import Registry
from safebelt.web.forms import Form, empty_form, read_form
from safebelt.web.live import Update, live
from safebelt.web.panels import Panel
from safebelt.web.security import actor_of, requires
from safebelt.web.templating import fragment
from safebelt.web.templating import page as render

AnyRequest = Request[Any, Any, Any]
PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
FormData = URLEncodedBody[dict[str, str | list[str]]]
PageNumber = Annotated[int, QueryParameter(ge=1, le=100_000)]
SystemId = Annotated[str, QueryParameter(max_length=60)]

_ON_A_DOSSIER = 4
"""Jobs a dossier shows; the list has the rest."""
_LIVE_SECONDS = 1.0


class JobPages(Controller):
    """`/{lang}/registry/jobs`."""

    path = "/{lang:str}/registry/jobs"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("registry.read")])
    def jobs(
        self, registry: NamedDependency[Registry], lang: PathLang, system: SystemId = "", page: PageNumber = 1
    ) -> Template:
        """List jobs: what waits for a person first."""
        found = registry.jobs(system_id=system, page=page)
        return render(
            "registry/training_jobs.html",
            lang=lang,
            title=words.JOBS,
            found=found,
            names=_names(registry, found.items),
            waiting=registry.jobs_waiting(),
            system=registry.system(system) if system else None,
            words=words,
        )

    @get("/live", guards=[requires("registry.read")])
    async def live_jobs(
        self, request: AnyRequest, registry: NamedDependency[Registry], lang: PathLang, system: SystemId = ""
    ) -> ServerSentEvent:
        """Send a row whenever a job of the first page changed."""
        shown: dict[str, int] = {}

        def newer_than(_cursor: str) -> Sequence[Update]:
            items = registry.jobs(system_id=system).items
            fresh = [one for one in reversed(items) if shown.get(one.id) != one.version]
            names = _names(registry, fresh)
            shown.update({one.id: one.version for one in fresh})
            return [Update(cursor="jobs", html=_row(request, lang, one, names)) for one in fresh]

        return live(request, newer_than, every_seconds=_LIVE_SECONDS)

    @get("/{job_id:str}", sync_to_thread=True, guards=[requires("registry.read")])
    def job(self, request: AnyRequest, registry: NamedDependency[Registry], lang: PathLang, job_id: PathId) -> Template:
        """Show one job: what it is for, what was checked, how far it is, who decided; grant, refuse or stop it."""
        notice = words.DONE.get(request.query_params.get("done", ""))
        return _job_page(request, registry, job_id, lang, empty_form(), notice=notice)

    @get("/{job_id:str}/live", guards=[requires("registry.read")])
    async def live_job(
        self, request: AnyRequest, registry: NamedDependency[Registry], lang: PathLang, job_id: PathId
    ) -> ServerSentEvent:
        """Send how far a job is, whenever it changed."""
        shown = {"version": 0}

        def newer_than(_cursor: str) -> Sequence[Update]:
            job = registry.job(job_id)
            if job.version == shown["version"]:
                return ()
            shown["version"] = job.version
            html = fragment(request.app, "registry/training_live.html", lang=lang, **_progress(registry, job, lang))
            return (Update(cursor=str(job.version), html=html),)

        return live(request, newer_than, every_seconds=_LIVE_SECONDS)

    @post("/{job_id:str}/grant", sync_to_thread=True, guards=[requires("registry.grant")])
    def grant(
        self,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        *,
        lang: PathLang,
        job_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Grant a job."""
        form = read_form(data, GrantJob, labels=words.FIELDS)
        if form.value is None:
            return _job_page(request, registry, job_id, lang, form, status=422)
        try:
            registry.grant_job(job_id, form.value, by=by)
        except (Invalid, Conflict, Refused) as problem:
            return _job_page(request, registry, job_id, lang, form.refused(problem), status=problem.status)
        return _to(lang, job_id, "granted")

    @post("/{job_id:str}/refuse", sync_to_thread=True, guards=[requires("registry.grant")])
    def refuse(
        self,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        *,
        lang: PathLang,
        job_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Refuse a job."""
        form = _because(data, "why")
        try:
            registry.refuse_job(job_id, form.typed("why"), by=by)
        except (Invalid, Conflict) as problem:
            return _job_page(
                request, registry, job_id, lang, form.refused(_about(problem, "why")), status=problem.status
            )
        return _to(lang, job_id, "refused")

    @post("/{job_id:str}/stop", sync_to_thread=True, guards=[requires("belt.stop")])
    def stop(
        self,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        *,
        lang: PathLang,
        job_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Stop a job."""
        form = _because(data, "stop_reason")
        try:
            registry.stop_job(job_id, form.typed("stop_reason"), by=by)
        except (Invalid, Conflict) as problem:
            refused = form.refused(_about(problem, "stop_reason"))
            return _job_page(request, registry, job_id, lang, refused, status=problem.status)
        return _to(lang, job_id, "stopped")

    @post("/{job_id:str}/roll-back/{version_id:str}", sync_to_thread=True, guards=[requires("belt.stop")])
    def roll_back(
        self,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        *,
        lang: PathLang,
        job_id: PathId,
        version_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Put an earlier version back in place."""
        form = _because(data, "back_reason")
        try:
            registry.roll_back_version(version_id, form.typed("back_reason"), by=by)
        except (Invalid, Conflict) as problem:
            refused = form.refused(_about(problem, "back_reason"))
            return _job_page(request, registry, job_id, lang, refused, status=problem.status)
        return _to(lang, job_id, "rolled_back")


def _job_page(
    request: AnyRequest,
    registry: Registry,
    job_id: str,
    lang: Lang,
    form: Form[Any],
    *,
    status: int = 200,
    notice: Text | None = None,
) -> Template:
    job = registry.job(job_id)
    system = registry.system(job.system_id)
    grantors = [p for role in (PersonRole.OVERSEER, PersonRole.ACCOUNTABLE) for p in system.current(role)]
    return render(
        "registry/training_job.html",
        lang=lang,
        title=words.title_of(job),
        status=status,
        system=system,
        people={one.id: one for one in system.people},
        grantors=words.person_options(grantors, lang),
        gate=registry.job_gate(job_id) if job.state is JobState.ASKED else None,
        checked=words.reason_of(job.decision.gate) if job.decision and job.decision.gate else None,
        earlier=_earlier(registry, job),
        form=form,
        may_grant=_may(request, "registry.grant"),
        may_stop=_may(request, "belt.stop"),
        notice=notice,
        **_progress(registry, job, lang),
    )


def _progress(registry: Registry, job: Job, lang: Lang) -> dict[str, Any]:
    reports = registry.job_reports(job.id) if job.started_at else ()
    return {
        "job": job,
        "answer": registry.job_answer(job.id),
        "reports": reports,
        "charts": words.charts(reports, lang),
        "columns": words.measures(reports),
        "words": words,
    }


def _earlier(registry: Registry, job: Job) -> Version | None:
    """Return the version that a finished promotion can be rolled back to."""
    if job.state is not JobState.FINISHED or job.kind not in (JobKind.PROMOTION, JobKind.SELF_UPDATE):
        return None
    if not job.version_id:
        return None
    version = registry.version(job.version_id)
    if version.state is not VersionState.CURRENT:
        return None
    older = (one for one in registry.versions(version.subject_id) if one.state is VersionState.SUPERSEDED)
    return max(older, key=lambda one: (one.current_until is not None, one.current_until), default=None)


def _names(registry: Registry, jobs: Sequence[Job]) -> Mapping[str, Text]:
    return {one: registry.system(one).name for one in {job.system_id for job in jobs}}


def _row(request: AnyRequest, lang: Lang, job: Job, names: Mapping[str, Text]) -> str:
    return fragment(request.app, "registry/training_row.html", lang=lang, job=job, names=names, words=words)


def _because(data: Mapping[str, str | list[str]], field: str) -> Form[Because]:
    """Read a form of one reason; two such forms stand on one page, so each field has a name of its own."""
    typed = data.get(field, "")
    return Form(values={field: typed if isinstance(typed, str) else ""})


def _about(problem: Problem, field: str) -> Problem:
    """Return a problem beside the field of the page it concerns."""
    problem.details = {**problem.details, "field": field}
    return problem


def _may(request: AnyRequest, action: str) -> bool:
    try:
        request.app.state.authorize(actor_of(request), action, "")
    except Problem:
        return False
    return True


def _to(lang: Lang, job_id: str, done: str) -> Redirect:
    return Redirect(f"/{lang}/registry/jobs/{job_id}?done={done}", status_code=303)


def _panel(registry: Registry, system_id: str) -> Mapping[str, Any]:
    found = registry.jobs(system_id=system_id, size=_ON_A_DOSSIER)
    more = found.total - len(found.items)
    return {"jobs": found.items, "is_empty": not found.items, "more": more, "system_id": system_id, "words": words}


PAGES: tuple[type, ...] = (JobPages,)


def panels(registry: Registry) -> tuple[Panel, ...]:
    """Return what this piece lays on a system's dossier."""
    return (
        Panel(
            name="jobs",
            title=words.PANEL,
            template="registry/_panel_training.html",
            context=lambda system_id, _lang: _panel(registry, system_id),
            place="main",
        ),
    )
