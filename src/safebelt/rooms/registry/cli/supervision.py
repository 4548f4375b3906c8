"""Command line for an authority's cases: `safebelt registry supervise …`; the owner says for whom they act."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from safebelt.kernel.actors import Actor, Role
from safebelt.kernel.errors import NotFound
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.registry.cli.supervision_said import case_said, cases_said
from safebelt.rooms.registry.model.supervision import (
    STEP_KINDS,
    AnswerCase,
    CaseKind,
    Channel,
    Confidentiality,
    CountsFrom,
    DayUnit,
    FileIn,
    OpenCase,
    Outcome,
    SetUpOffice,
    Side,
    Stage,
    Step,
    StepKind,
    WaitsOn,
    WriteStep,
)
from safebelt.rooms.registry.service import Registry
from safebelt.web.terminal import NEGATIVE, Answer

As = Annotated[Side, Parameter(name="--as", help="For whom you act: authority or operator.")]
Many = Annotated[tuple[str, ...], Parameter(negative="")]
Files = Annotated[tuple[Path, ...], Parameter(negative="")]
_ROLES = {Side.AUTHORITY: Role.AUTHORITY, Side.OPERATOR: Role.OPERATOR}


def actor(side: Side) -> Actor:
    """Return the owner of the machine, acting for one side and not for the other."""
    return Actor(id="owner", roles=frozenset({Role.OWNER, _ROLES[side]}), door="cli")


def add(app: App, registry: Registry) -> None:
    """Add this piece's commands to the group `registry`."""
    group = App(name="supervise", help="An authority's cases. 监督案件。")
    for part in (_desks, _reading, _opening, _acting, _replying):
        part(group, registry)
    app.command(group)


def _desks(app: App, registry: Registry) -> None:
    @app.command
    def office(
        party_id: str, *, as_: As, jurisdiction: str = "", instrument: Many = (), zone: str = "UTC", officer: str = ""
    ) -> Answer:
        """Set up an authority's desk with the competence it states; without --jurisdiction, work at a present one."""
        by = actor(as_)
        if jurisdiction:
            cmd = SetUpOffice(party_id=party_id, jurisdiction=jurisdiction, instruments=instrument, zone=zone)
            found = registry.set_up_office(cmd, by=by)
        else:
            found = registry.move_officer(officer or by.id, party_id, by=by)
        says = Text(zh=f"监督工作台：{found.name}。", en=f"The desk of {found.name}.")
        return Answer(data=msgspec.to_builtins(found), says=says)


def _reading(app: App, registry: Registry) -> None:
    @app.command(name="list")
    def list_(
        *,
        as_: As,
        search: str = "",
        stage: Stage | None = None,
        waits_on: WaitsOn | None = None,
        page: int = 1,
        size: int = 20,
    ) -> Answer:
        """List cases: what is due soonest first, closed ones last."""
        found = registry.cases(by=actor(as_), search=search, stage=stage, waits_on=waits_on, page=page, size=size)
        return Answer(data=msgspec.to_builtins(found), says=_both(lambda lang: cases_said(found, lang)))

    @app.command
    def show(case_id: str, *, as_: As) -> Answer:
        """Show a case: its steps, what they rest on, and what can be done next; exits 1 where something is overdue."""
        found = registry.case_file(case_id, by=actor(as_))
        is_late = found.case.due_on is not None and found.case.due_on < found.today
        data = {
            "case": found.case,
            "steps": found.steps,
            "drafts": found.drafts,
            "bases": found.bases,
            "today": found.today,
            "next": [one.kind for one in found.options if one.reason.holds.value == "true"],
        }
        says = _both(lambda lang: case_said(found, lang))
        return Answer(data=msgspec.to_builtins(data), says=says, exit_code=NEGATIVE if is_late else 0)


def _opening(app: App, registry: Registry) -> None:
    @app.command(name="open")
    def open_(
        system_id: str,
        about: str,
        *,
        as_: As,
        party: str = "",
        kind: CaseKind = CaseKind.ROUTINE,
        confidentiality: Confidentiality = Confidentiality.PUBLIC,
        basis: Many = (),
        other_basis: str = "",
    ) -> Answer:
        """Prepare a case; it stays private until its first step is served."""
        cmd = OpenCase(
            system_id=system_id,
            about=about,
            party_id=party,
            kind=kind,
            confidentiality=confidentiality,
            basis=basis,
            other_basis=other_basis,
        )
        case = registry.open_case(cmd, by=actor(as_))
        says = Text(
            zh=f"已准备案件 {case.id}，送达第一步之前仅主管部门可见。",
            en=f"Prepared case {case.id}; only the authority sees it until its first step is served.",
        )
        return Answer(data=msgspec.to_builtins(case), says=says)


def _acting(app: App, registry: Registry) -> None:
    @app.command
    def step(
        case_id: str,
        kind: StepKind,
        text: str,
        *,
        as_: As,
        contest: str,
        basis: Many = (),
        other_basis: str = "",
        item: Many = (),
        re: str = "",
        outcome: Outcome | None = None,
        days: int = 0,
        unit: DayUnit = DayUnit.CALENDAR,
        counts_from: CountsFrom = CountsFrom.SERVICE,
        due: date | None = None,
        held_on: date | None = None,
        appeal_days: int = 0,
        suspensive: bool = False,
        appeal_to: str = "",
        file: Files = (),
        serve: bool = False,
    ) -> Answer:
        """Draft a step of the authority; --serve serves it at once."""
        cmd = WriteStep(
            kind=kind,
            text=text,
            contest=contest,
            basis=basis,
            other_basis=other_basis,
            items=item,
            re=re,
            outcome=outcome,
            days=days,
            unit=unit,
            counts_from=counts_from,
            due=due,
            held_on=held_on,
            appeal_days=appeal_days,
            is_suspensive=suspensive,
            appeal_to=appeal_to,
        )
        return _drafted(registry, case_id, cmd, actor(as_), files=_read(file), serve=serve)

    @app.command
    def serve(case_id: str, step_id: str, *, as_: As, channel: Channel = Channel.HERE) -> Answer:
        """Serve a draft."""
        return _told(registry.serve_step(case_id, step_id, channel=channel, by=actor(as_)))

    @app.command
    def erase(case_id: str, step_id: str = "", *, as_: As) -> Answer:
        """Erase a draft, or a case of which nothing was served."""
        if step_id:
            registry.erase_draft(case_id, step_id, by=actor(as_))
        else:
            registry.erase_case(case_id, by=actor(as_))
        return Answer(
            data={"erased": step_id or case_id}, says=Text(zh="已删除，不留痕迹。", en="Erased; nothing is left.")
        )

    @app.command
    def refer(
        case_id: str, to: str, reason: str, *, as_: As, contest: str, basis: Many = (), other_basis: str = ""
    ) -> Answer:
        """Refer a case to the authority TO; it accepts or declines."""
        cmd = WriteStep(
            kind=StepKind.REFERRAL, text=reason, contest=contest, basis=basis, other_basis=other_basis, to_office=to
        )
        return _drafted(registry, case_id, cmd, actor(as_), serve=True)

    @app.command
    def close(case_id: str, text: str, *, as_: As, contest: str, basis: Many = (), other_basis: str = "") -> Answer:
        """Close a case."""
        cmd = WriteStep(kind=StepKind.CLOSING, text=text, contest=contest, basis=basis, other_basis=other_basis)
        return _drafted(registry, case_id, cmd, actor(as_), serve=True)

    @app.command
    def publish(case_id: str, step_id: str, *, as_: As, zh: str = "", en: str = "", take_down: bool = False) -> Answer:
        """Make a decision public in both languages, or take it down."""
        summary = Text(zh=zh, en=en)
        registry.publish_decision(case_id, step_id, summary, is_public=not take_down, by=actor(as_))
        says = Text(zh="已撤下。", en="Taken down.") if take_down else Text(zh="已公开。", en="Made public.")
        return Answer(data={"step": step_id, "is_public": not take_down}, says=says)


def _replying(app: App, registry: Registry) -> None:
    @app.command
    def answer(
        case_id: str, text: str, *, as_: As, kind: StepKind = StepKind.ANSWER, re: str = "", file: Files = ()
    ) -> Answer:
        """Answer for the operator; --kind rectified or extension_request reports, or asks for more time."""
        cmd = AnswerCase(kind=kind, text=text, re=re)
        return _told(registry.answer_case(case_id, cmd, files=_read(file), by=actor(as_)))

    @app.command
    def appeal(case_id: str, text: str, *, as_: As, file: Files = ()) -> Answer:
        """Appeal for the operator against the decision that stands."""
        cmd = AnswerCase(kind=StepKind.APPEAL, text=text)
        return _told(registry.answer_case(case_id, cmd, files=_read(file), by=actor(as_)))

    @app.command
    def receipt(case_id: str, step_id: str, *, as_: As, on: date | None = None, proof: str = "") -> Answer:
        """Acknowledge a step of the other side; as the authority with --on and --proof, record that its own arrived."""
        by = actor(as_)
        if on is not None or proof:
            day = on or registry.case_file(case_id, by=by).today
            return _told(registry.prove_receipt(case_id, step_id, on=day, note=proof, by=by))
        return _told(registry.acknowledge(case_id, step_id, by=by))


def _drafted(
    registry: Registry, case_id: str, cmd: WriteStep, by: Actor, *, files: tuple[FileIn, ...] = (), serve: bool = False
) -> Answer:
    draft = registry.draft_step(case_id, cmd, files=files, by=by)
    if serve:
        return _told(registry.serve_step(case_id, draft.id, by=by))
    title = STEP_KINDS[draft.kind]
    says = Text(
        zh=f"已起草“{title.zh}”{draft.id}，尚未送达。", en=f"Drafted the {title.en} {draft.id}; it is not served yet."
    )
    return Answer(data=msgspec.to_builtins(draft), says=says)


def _told(step: Step) -> Answer:
    title = STEP_KINDS[step.kind]
    due_zh = f"，期限 {step.due_on}" if step.due_on else ""
    due_en = f", due {step.due_on}" if step.due_on else ""
    says = Text(
        zh=f"第 {step.number} 步“{title.zh}”{step.id} 已在案{due_zh}。",
        en=f"Step {step.number}, {title.en} {step.id}, is on record{due_en}.",
    )
    return Answer(data=msgspec.to_builtins(step), says=says)


def _read(paths: tuple[Path, ...]) -> tuple[FileIn, ...]:
    try:
        return tuple(FileIn(name=path.name, content=path.read_bytes()) for path in paths)
    except OSError as error:
        raise NotFound(
            what=Text(zh=f"无法读取文件：{error.strerror}。", en=f"A file cannot be read: {error.strerror}."),
            hint=Text(zh="请核对路径。", en="Check the path."),
        ) from error


def _both(said: Any) -> Text:
    words: dict[Lang, str] = {lang: said(lang) for lang in LANGS}
    return Text(zh=words["zh"], en=words["en"])
