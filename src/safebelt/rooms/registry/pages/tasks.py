"""Pages of tasks: one's own, all open ones, those overdue; done, taken back, changed."""

from collections.abc import Mapping
from typing import Annotated, Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.model.notes import ChangeTask, Task
from safebelt.rooms.registry.pages.notes_words import (
    DONE,
    FIELDS,
    TASKS,
    assignees,
    home_of,
    people,
    to,
    undo,
)
from safebelt.rooms.registry.service import Registry
from safebelt.web.forms import Form, empty_form, read_form
from safebelt.web.security import requires
from safebelt.web.templating import page as render

AnyRequest = Request[Any, Any, Any]
PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
FormData = URLEncodedBody[dict[str, str | list[str]]]
PageNumber = Annotated[int, QueryParameter(ge=1, le=100_000)]
Short = Annotated[str, QueryParameter(max_length=100)]


class TaskPages(Controller):
    """`/{lang}/registry/tasks`."""

    path = "/{lang:str}/registry/tasks"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("registry.collaborate")])
    def tasks(
        self,
        *,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        shown: Short = "mine",
        page: PageNumber = 1,
    ) -> Template:
        """List one's own tasks, all open ones, those overdue, or all."""
        found = registry.tasks(
            assignee=by.id if shown == "mine" else "",
            is_open=shown in {"mine", "open"},
            is_overdue=shown == "overdue",
            page=page,
        )
        return render(
            "registry/tasks.html",
            lang=lang,
            title=TASKS,
            found=found,
            shown=shown if shown in {"mine", "open", "overdue", "all"} else "all",
            today=registry.today(),
            home_of=home_of,
            by=by,
            back="list",
            undo=undo(request, registry),
            notice=None if "undo" in request.query_params else DONE.get(request.query_params.get("done", "")),
        )

    @post("/{task_id:str}/done", sync_to_thread=True, guards=[requires("registry.collaborate")])
    def finish(
        self,
        *,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        task_id: PathId,
        data: FormData,
    ) -> Redirect:
        """Mark a task done; the page that follows offers to take it back."""
        return _after(registry.finish_task(task_id, by=by), lang, "done", data)

    @post("/{task_id:str}/reopen", sync_to_thread=True, guards=[requires("registry.collaborate")])
    def reopen(
        self,
        *,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        task_id: PathId,
        data: FormData,
    ) -> Redirect:
        """Take back that a task is done."""
        return _after(registry.reopen_task(task_id, by=by), lang, "reopened", data)

    @get("/{task_id:str}/change", sync_to_thread=True, guards=[requires("registry.collaborate")])
    def changing(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], lang: PathLang, task_id: PathId
    ) -> Template:
        """Show the form that changes a task."""
        task = registry.task(task_id)
        due = task.due.isoformat() if task.due else ""
        form = empty_form(title=task.title, assignee=task.assignee, person=task.person, due=due)
        return _task_page(registry, by, lang, task, form)

    @post("/{task_id:str}/change", sync_to_thread=True, guards=[requires("registry.collaborate")])
    def change(
        self,
        *,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        task_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Change a task."""
        task = registry.task(task_id)
        form = read_form({**data, "has_due": "true"}, ChangeTask, labels=FIELDS)
        if form.value is None:
            return _task_page(registry, by, lang, task, form, status=422)
        try:
            changed = registry.change_task(task_id, form.value, by=by)
        except (Invalid, Conflict) as problem:
            return _task_page(registry, by, lang, task, form.refused(problem), status=problem.status)
        return to(changed.subject, lang, "changed", "tasks")


def _task_page(
    registry: Registry, by: Actor, lang: Lang, task: Task, form: Form[Any], *, status: int = 200
) -> Template:
    return render(
        "registry/task_change.html",
        lang=lang,
        title=Text(zh="更改任务", en="Change a task"),
        status=status,
        form=form,
        task=task,
        home=home_of(task.subject, lang),
        assignees=assignees(by, lang, task.assignee),
        people=people(registry, task.subject.system_id, lang),
    )


def _after(task: Task, lang: Lang, done: str, data: Mapping[str, Any]) -> Redirect:
    """Go back to where the button was; the form names one of two places, never an address."""
    home = f"/{lang}/registry/tasks" if data.get("back") == "list" else home_of(task.subject, lang)
    undo = f"&undo={task.id}" if done == "done" else ""
    return Redirect(f"{home}?done={done}{undo}#tasks", status_code=303)


PAGES: tuple[type, ...] = (TaskPages,)
