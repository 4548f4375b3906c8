"""Command line for change control, responsibility and rights."""

from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from cyclopts import App

from safebelt.kernel.actors import OWNER
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.registry.model.changes import CAUSES, STANDINGS, Change, Difference, Redo, Reopened, Standing
from safebelt.rooms.registry.model.responsibility import (
    PARTS,
    Assign,
    DutyHeld,
    EndAssignment,
    HandOver,
    Part,
    ResponsibilityMap,
    Right,
)
from safebelt.rooms.registry.service import Registry
from safebelt.rooms.rulebook.model import BEARERS, Bearer
from safebelt.web.terminal import DONE, NEGATIVE, NOT_EVALUATED, Answer, read_text


def add(app: App, registry: Registry) -> None:
    """Add this piece's commands to the group `registry`."""
    app.command(_changes(registry))
    _add_responsibility(app, registry)

    @app.command
    def rights(system_id: str) -> Answer:
        """Show what people and parties may do or claim because of a system; exits 3 while nothing is evaluated."""
        found = registry.rights_of(system_id)
        is_judged = bool(registry.descriptions(system_id))
        none = Text(zh="没有已知的权利适用。", en="No right is known to apply.")
        unknown = Text(zh="没有记录事实，未评估。", en="No facts are on record: not evaluated.")
        says = _lines([_right(one) for one in found], none if is_judged else unknown)
        return Answer(data=_data(found), says=says, exit_code=DONE if is_judged else NOT_EVALUATED)


def _changes(registry: Registry) -> App:
    app = App(name="changes", help="What changed, and what that re-opens. 变更与重做。")

    @app.command(name="list")
    def list_(system_id: str) -> Answer:
        """Show what changed and what is left to do; exits 1 where something is overdue."""
        changes, to_do = registry.changes(system_id), registry.to_do(system_id)
        none = Text(zh="没有待办。", en="Nothing is left to do.")
        left = _lines([_left(one) for one in to_do], none)
        past = _lines([_change(one) for one in changes], Text(zh="没有变更记录。", en="No change is on record."))
        is_late = any(one.standing is Standing.OVERDUE for one in to_do)
        says = Text(zh=f"{left.zh}\n\n变更：\n{past.zh}", en=f"{left.en}\n\nChanges:\n{past.en}")
        data = {"changes": _data(changes), "to_do": _data(to_do)}
        return Answer(data=data, says=says, exit_code=NEGATIVE if is_late else DONE)

    @app.command
    def preview(system_id: str, file: Path) -> Answer:
        """Show what the facts in FILE would re-open, without putting them on record; exits 1 where they would."""
        found = registry.preview(system_id, read_text(file))
        head = _difference(found.difference)
        bars = Text(zh="", en="")
        if found.barred_by:
            bars = Text(
                zh=f"\n触及红线：{'、'.join(found.barred_by)}", en=f"\nRed lines met: {', '.join(found.barred_by)}"
            )
        is_felt = bool(found.difference.reopened or found.barred_by)
        says = Text(zh=head.zh + bars.zh, en=head.en + bars.en)
        return Answer(data=_data(found), says=says, exit_code=NEGATIVE if is_felt else DONE)

    @app.command
    def put_back(system_id: str, version: int) -> Answer:
        """Put the facts of an earlier description back."""
        record = registry.put_back(system_id, version, by=OWNER)
        says = Text(
            zh=f"已恢复第 {version} 版事实，现为第 {record.version} 版。",
            en=f"The facts of version {version} count again, as version {record.version}.",
        )
        return Answer(data={"system": system_id, "version": record.version, "sha256": record.sha256}, says=says)

    return app


def _add_responsibility(app: App, registry: Registry) -> None:
    @app.command
    def responsibility(system_id: str) -> Answer:
        """Show who answers for each duty; exits 1 where nobody does for some, 3 while nothing is evaluated."""
        found = registry.responsibility(system_id)
        names = {one.id: one.name for one in registry.system(system_id).people}
        none = Text(zh="没有记录事实，义务未评估。", en="No facts are on record: duties are not evaluated.")
        says = _lines([_duty(one, names) for one in found.duties], none)
        return Answer(data=_data(found), says=says, exit_code=_exit(found))

    @app.command
    def assign(
        system_id: str, scope: str, person: str, *, part: Part, reason: str, since: date | None = None
    ) -> Answer:
        """Let a named person stand for a duty, or for every duty of a bearer (bearer:provider)."""
        command = Assign(scope=scope, part=part, person_id=person, reason=reason, since=since)
        made = registry.assign(system_id, command, by=OWNER)
        return Answer(data=_data(made), says=Text(zh=f"已指定 {made.id}。", en=f"Assigned: {made.id}."))

    @app.command
    def hand_over(
        system_id: str, scope: str, *, part: Part, from_person: str, to_person: str, reason: str, on: date | None = None
    ) -> Answer:
        """Hand a duty over from one person to another."""
        command = HandOver(scope=scope, part=part, from_person=from_person, to_person=to_person, reason=reason, on=on)
        made = registry.hand_over(system_id, command, by=OWNER)
        return Answer(data=_data(made), says=Text(zh=f"已交接，见 {made.id}。", en=f"Handed over: {made.id}."))

    @app.command
    def end_assignment(system_id: str, assignment: str, *, reason: str) -> Answer:
        """End an assignment without a successor."""
        ended = registry.end_assignment(system_id, EndAssignment(assignment_id=assignment, reason=reason), by=OWNER)
        return Answer(data=_data(ended), says=Text(zh=f"已终止 {ended.id}。", en=f"Ended: {ended.id}."))


def _exit(found: ResponsibilityMap) -> int:
    if not found.facts_version:
        return NOT_EVALUATED
    return NEGATIVE if found.gaps else DONE


def _left(one: Reopened) -> Text:
    stands, why = STANDINGS[one.standing], _redo(one.redo)
    return Text(zh=f"[{stands.zh}] {why.zh}", en=f"[{stands.en}] {why.en}")


def _redo(one: Redo) -> Text:
    cause, day = CAUSES[one.cause], one.due.isoformat() if one.due else "—"
    gate, norms = one.gate or "—", ", ".join(one.norms)
    return Text(
        zh=f"{one.evidence}（{cause.zh}），期限 {day}（{one.basis or '—'}），关口 {gate}；依据 {norms}",
        en=f"{one.evidence} ({cause.en}), by {day} ({one.basis or '—'}), gate {gate}; rests on {norms}",
    )


def _change(one: Change) -> Text:
    found = _difference(one.difference)
    return Text(
        zh=f"{one.id} {one.on} 第 {one.before_version} → {one.version} 版：{found.zh}",
        en=f"{one.id} {one.on} version {one.before_version} → {one.version}: {found.en}",
    )


def _difference(found: Difference) -> Text:
    """Tell what a change re-opens, and what it brings that opens nothing and why."""
    says = found.reason.says
    gained, lost, informs = len(found.gained), len(found.lost), len(found.informs)
    unverified = Text(
        zh=f"（其中 {informs} 项的法条未经核实，只作提示，不阻断）" if informs else "",
        en=f" ({informs} of them rest on law nobody has verified: they inform and open nothing)" if informs else "",
    )
    lines = [
        Text(
            zh=f"{says.zh}；新增义务 {gained}{unverified.zh}，不再适用 {lost}。",
            en=f"{says.en}; duties gained {gained}{unverified.en}, lost {lost}.",
        ),
        *(_named_duties(found) if gained else ()),
        *(_redo(one) for one in found.reopened),
    ]
    return _lines(lines, Text(zh="", en=""))


def _named_duties(found: Difference) -> tuple[Text, ...]:
    names = ", ".join(f"{one}*" if one in set(found.informs) else one for one in found.gained)
    star = Text(zh="（* 未经核实）", en=" (* not verified)") if found.informs else Text(zh="", en="")
    return (Text(zh=f"  新增：{names}{star.zh}", en=f"  gained: {names}{star.en}"),)


def _duty(one: DutyHeld, names: dict[str, str]) -> Text:
    if not one.is_ours:
        bearer = BEARERS[Bearer(one.bearer)]
        return Text(zh=f"{one.norm}：由{bearer.zh}承担", en=f"{one.norm}: lies on the {bearer.en}")
    if one.gap:
        return Text(zh=f"{one.norm}：缺口——{one.gap.says.zh}", en=f"{one.norm}: GAP: {one.gap.says.en}")
    said = {
        lang: "; ".join(
            f"{PARTS[part].in_(lang)} {', '.join(names.get(held.person_id, held.person_id) for held in found)}"
            for part, found in one.holders.items()
            if found
        )
        for lang in LANGS
    }
    return Text(zh=f"{one.norm}：{said['zh']}", en=f"{one.norm}: {said['en']}")


def _right(one: Right) -> Text:
    bearer, cites = BEARERS[Bearer(one.bearer)], ", ".join(one.cites)
    mark = Text(zh="" if one.is_verified else "（未核实）", en="" if one.is_verified else " (unverified)")
    return Text(
        zh=f"{bearer.zh}：{one.says.zh}{mark.zh} [{cites}]", en=f"{bearer.en}: {one.says.en}{mark.en} [{cites}]"
    )


def _lines(said: list[Text], none: Text) -> Text:
    def in_(lang: Lang) -> str:
        return "\n".join(one.in_(lang) for one in said) if said else none.in_(lang)

    return Text(zh=in_("zh"), en=in_("en"))


def _data(value: Any) -> Any:
    return msgspec.to_builtins(value)
