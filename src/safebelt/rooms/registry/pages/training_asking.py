"""The page on which a person asks for a job: find the system, say what the job will do, and who will run it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.model.register import System
from safebelt.rooms.registry.model.things import Linked, ThingKind, Version, VersionState
from safebelt.rooms.registry.model.training import JOB_KINDS, AskJob, JobKind, Plan
from safebelt.rooms.registry.service import Registry
from safebelt.web.forms import Form, empty_form, read_form
from safebelt.web.security import requires
from safebelt.web.templating import page as render

PathLang = Annotated[Lang, PathParameter()]
SystemId = Annotated[str, QueryParameter(max_length=60)]
Words = Annotated[str, QueryParameter(max_length=400)]
FormData = URLEncodedBody[dict[str, str | list[str]]]

ASK = Text(zh="申请一项作业", en="Ask for a job")
_FOUND = 20
"""Systems a search for the one meant shows; whoever has more types more."""

FIELDS: Mapping[str, Text] = {
    "kind": Text(zh="做什么", en="What it is"),
    "system_id": Text(zh="系统", en="System"),
    "purpose": Text(zh="目的", en="Purpose"),
    "runner": Text(zh="由谁运行", en="Who runs it"),
    "model_id": Text(zh="模型", en="Model"),
    "version_id": Text(zh="要上线的版本", en="Version to be promoted"),
    "base_model": Text(zh="从哪里开始", en="What it starts from"),
    "datasets": Text(zh="登记的数据集", en="Registered datasets"),
    "digests": Text(zh="其他数据", en="Other data"),
    "flop": Text(zh="计划计算量（浮点运算）", en="Planned compute (floating-point operations)"),
    "steps": Text(zh="计划步数", en="Planned steps"),
    "config": Text(zh="配置摘要（SHA-256）", en="Digest of the configuration (SHA-256)"),
    "target": Text(zh="更新内容的摘要（SHA-256）", en="Digest of what is put in place (SHA-256)"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A question for a job, as its form has it."""

    kind: JobKind
    purpose: str
    runner: str = ""
    model_id: str = ""
    version_id: str = ""
    base_model: str = ""
    datasets: tuple[str, ...] = ()
    digests: str = ""
    flop: float = 0.0
    steps: int = 0
    config: str = ""
    target: str = ""

    def command(self, system_id: str) -> AskJob:
        """Return what the service is asked."""
        plan = Plan(
            base_model=self.base_model,
            datasets=tuple(dict.fromkeys((*self.datasets, *self.digests.split()))),
            flop=self.flop,
            steps=self.steps,
            config=self.config,
            target=self.target,
        )
        return AskJob(
            kind=self.kind,
            system_id=system_id,
            purpose=self.purpose,
            plan=plan,
            model_id=self.model_id,
            version_id=self.version_id,
            runner=self.runner,
        )


class AskJobPages(Controller):
    """`/{lang}/registry/jobs/new`."""

    path = "/{lang:str}/registry/jobs/new"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("registry.jobs")])
    def form(
        self, registry: NamedDependency[Registry], lang: PathLang, system: SystemId = "", search: Words = ""
    ) -> Template:
        """Show the form; without a system, what finds it."""
        if not system:
            found = registry.systems(search=search, size=_FOUND)
            return render("registry/training_whose.html", lang=lang, title=ASK, found=found, search=search)
        return _page(registry, lang, registry.system(system), empty_form(kind=JobKind.TRAINING.value))

    @post(sync_to_thread=True, guards=[requires("registry.jobs")])
    def ask(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], lang: PathLang, data: FormData
    ) -> Template | Redirect:
        """Ask for a job."""
        system = registry.system(str(data.get("system_id", ""))[:60])
        form = read_form(data, _Asked, labels=FIELDS)
        if form.value is None:
            return _page(registry, lang, system, form, status=422)
        try:
            job = registry.ask_job(form.value.command(system.id), by=by)
        except (Invalid, Conflict, NotFound) as problem:
            return _page(registry, lang, system, form.refused(problem), status=problem.status)
        return Redirect(f"/{lang}/registry/jobs/{job.id}?done=asked", status_code=303)


def _page(registry: Registry, lang: Lang, system: System, form: Form[Any], status: int = 200) -> Template:
    held = [one for one in registry.links(system.id) if one.link.until is None]
    models = [one for one in held if one.thing_kind is ThingKind.MODEL]
    return render(
        "registry/training_ask.html",
        lang=lang,
        title=ASK,
        status=status,
        form=form,
        system=system,
        words=FIELDS,
        kinds=[(each.value, said.in_(lang)) for each, said in JOB_KINDS.items()],
        models=_choices(models, lang),
        datasets=_choices((one for one in held if one.thing_kind is ThingKind.DATASET), lang),
        versions=_versions(registry, system, models, lang),
    )


def _choices(linked: Iterable[Linked], lang: Lang) -> list[tuple[str, str]]:
    return list({one.link.thing_id: (one.link.thing_id, one.thing_name.in_(lang)) for one in linked}.values())


def _versions(registry: Registry, system: System, models: Iterable[Linked], lang: Lang) -> list[tuple[str, str]]:
    """Return versions of the system and its models that wait to become current, as choices."""
    subjects = {system.id: system.name, **{one.link.thing_id: one.thing_name for one in models}}
    return [
        (one.id, f"{name.in_(lang)} · {one.label}")
        for subject, name in subjects.items()
        for one in registry.versions(subject)
        if _waits(one)
    ]


def _waits(version: Version) -> bool:
    return version.state is VersionState.PROPOSED


PAGES: tuple[type, ...] = (AskJobPages,)
