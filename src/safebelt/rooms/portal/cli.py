"""The portal's command line: `safebelt portal complaints …`; the owner says for whom they act."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import App, Parameter

from safebelt.kernel.actors import Actor, Role
from safebelt.kernel.errors import NotFound
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.portal.model.complaints import (
    CHANNELS,
    SAID_KINDS,
    SPEAKERS,
    STAGES,
    Complain,
    Complaint,
    ComplaintFile,
    FileIn,
    PassOn,
    Said,
    Stage,
)
from safebelt.rooms.portal.service import Complaints, Portal
from safebelt.web.terminal import NEGATIVE, Answer, read_text

Side = Literal["operator", "authority"]
As = Annotated[Side, Parameter(name="--as", help="For whom you act: operator or authority.")]
Files = Annotated[tuple[Path, ...], Parameter(negative="")]
_ROLES: dict[str, Role] = {"operator": Role.OPERATOR, "authority": Role.AUTHORITY}


def actor(side: Side) -> Actor:
    """Return the owner of the machine, acting for one side and not for the other."""
    return Actor(id="owner", roles=frozenset({Role.OWNER, _ROLES[side]}), door="cli")


def commands(portal: Portal) -> App:
    """Build the group `portal`."""
    app = App(name="portal", help="The public's complaints. 公众门户：公众的投诉。")
    group = App(name="complaints", help="What the public complains of. 公众的投诉。")
    for part in (_reading, _acting, _entering):
        part(group, portal.complaints)
    app.command(group)
    return app


def _reading(app: App, complaints: Complaints) -> None:
    @app.command(name="list")
    def list_(
        *,
        as_: As,
        search: str = "",
        stage: Stage | None = None,
        overdue: bool = False,
        apart: bool = False,
        page: int = 1,
    ) -> Answer:
        """List complaints: what is owed soonest first, ended ones last; --apart lists those set apart as spam."""
        found = complaints.complaints(
            by=actor(as_), search=search, stage=stage, is_overdue=overdue, is_apart=apart, page=page
        )
        none = Text(zh="没有符合的投诉。", en="No complaint matches.")
        says = _both(lambda lang: "\n".join(_line(one, lang) for one in found.items) or none.in_(lang))
        return Answer(data=msgspec.to_builtins(found), says=says)

    @app.command
    def show(case_id: str, *, as_: As) -> Answer:
        """Show a complaint with all that was said in it; exits 1 where its answer is overdue."""
        found = complaints.complaint(case_id, by=actor(as_))
        is_late = found.complaint.is_overdue(found.today)
        return Answer(
            data=msgspec.to_builtins(found),
            says=_both(lambda lang: _shown(found, lang)),
            exit_code=NEGATIVE if is_late else 0,
        )


def _acting(app: App, complaints: Complaints) -> None:
    @app.command
    def answer(case_id: str, text: str, *, as_: As) -> Answer:
        """Answer a complaint; whoever complained reads it with their code."""
        return _done(complaints.answer(case_id, text, by=actor(as_)))

    @app.command(name="pass")
    def pass_(case_id: str, reason: str, *, as_: As, system: str = "", office: str = "") -> Answer:
        """Pass a complaint on: to the system it is about, to an authority's desk, or both."""
        cmd = PassOn(reason=reason, system_id=system, office_id=office)
        return _done(complaints.pass_on(case_id, cmd, by=actor(as_)))

    @app.command
    def close(case_id: str, reason: str, *, as_: As, refuse: bool = False) -> Answer:
        """Close a complaint that was answered; with --refuse, do not take it up."""
        return _done(complaints.close(case_id, reason, is_refused=refuse, by=actor(as_)))

    @app.command
    def apart(case_id: str, *, as_: As, back: bool = False) -> Answer:
        """Set a complaint apart as spam; with --back, put it among the others again."""
        return _done(complaints.set_apart(case_id, is_apart=not back, by=actor(as_)))


def _entering(app: App, complaints: Complaints) -> None:
    @app.command
    def enter(
        text: str,
        *,
        as_: As,
        kind: str = "other",
        system: str = "",
        contact: str = "",
        lang: Lang = "en",
        file: Files = (),
    ) -> Answer:
        """Enter a complaint that came on paper; prints the follow code this once (text: - reads standard input)."""
        written = read_text(Path("-")) if text == "-" else text
        cmd = Complain(text=written, kind=kind, system_id=system, contact=contact)
        filed = complaints.enter(cmd, files=[_file(one) for one in file], lang=lang, by=actor(as_))
        id_, code = filed.complaint.id, filed.code
        says = Text(
            zh=f"已录入投诉 {id_}。查询码（仅显示这一次，请交给投诉人）：{code}",
            en=f"Entered complaint {id_}. Follow code, shown this once, for whoever complained: {code}",
        )
        return Answer(data=msgspec.to_builtins(filed), says=says)


def _file(path: Path) -> FileIn:
    try:
        return FileIn(name=path.name, content=path.read_bytes())
    except OSError as error:
        raise NotFound(
            what=Text(zh=f"无法读取“{path}”。", en=f"Cannot read {str(path)!r}."),
            hint=Text(zh="请核对路径。", en="Check the path."),
        ) from error


def _done(moved: Complaint) -> Answer:
    return Answer(data=msgspec.to_builtins(moved), says=_both(lambda lang: _line(moved, lang)))


def _line(one: Complaint, lang: Lang) -> str:
    due = Text(zh=f" · 应于 {one.due_on} 前答复", en=f" · answer due {one.due_on}").in_(lang) if one.due_on else ""
    late = Text(zh=" · 已逾期", en=" · overdue").in_(lang) if one.overdue_on else ""
    return f"{one.id}  {STAGES[one.stage].in_(lang)}{due}{late} · {CHANNELS[one.channel].in_(lang)} {one.system_id}"


def _shown(found: ComplaintFile, lang: Lang) -> str:
    erased = Text(zh="（内容已删除）", en="(erased)").in_(lang)
    gone = found.complaint.erased_at is not None

    def said(one: Said) -> str:
        who, what = SPEAKERS[one.speaker].in_(lang), SAID_KINDS[one.kind].in_(lang)
        files = "".join(f"\n     + {file.name} ({file.size})" for file in one.files)
        contact = f"\n     @ {one.contact}" if one.contact else ""
        return f"  {one.number}. {one.at:%Y-%m-%d} {who}: {what}\n     {erased if gone else one.text}{contact}{files}"

    return "\n".join((_line(found.complaint, lang), *map(said, found.said)))


def _both(say: Callable[[Lang], str]) -> Text:
    zh, en = (say(lang) for lang in LANGS)
    return Text(zh=zh, en=en)
