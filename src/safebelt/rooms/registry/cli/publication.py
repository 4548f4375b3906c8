"""Command line for what the public sees: `safebelt registry publication …`."""

import json
from datetime import date
from typing import Any

import msgspec
from cyclopts import App

from safebelt.kernel.actors import OWNER
from safebelt.kernel.text import LANGS, Text
from safebelt.rooms.registry.model.publication import (
    VISIBILITIES,
    EndPublication,
    Publication,
    Publish,
    PublishedMany,
    PublishMany,
    Visibility,
)
from safebelt.rooms.registry.model.register import Status
from safebelt.rooms.registry.service import Registry
from safebelt.web.terminal import NEGATIVE, Answer


def add(app: App, registry: Registry) -> None:
    """Add this piece's commands to the group `registry`."""
    group = App(name="publication", help="What the public sees. 公开登记册：公众看到什么。")
    _deciding(group, registry)
    _many(group, registry)
    app.command(group)


def _deciding(app: App, registry: Registry) -> None:
    @app.command
    def preview(system_id: str) -> Answer:
        """Show exactly what the public would see of a system."""
        found = registry.preview_publication(system_id)
        record = json.dumps(found.record, ensure_ascii=False, indent=2)
        slips = [Text(zh=f"{name}：{says.zh}", en=f"{name} {says.en}") for name, says in found.slips]
        parts = [Text(zh=record, en=record), found.kept_back.reason.says, *slips]
        says = Text(**{lang: "\n".join(one.in_(lang) for one in parts) for lang in LANGS})
        data = {"record": found.record, "digest": found.digest, "kept_back": found.kept_back.reason.as_data()}
        return Answer(data=data, says=says, exit_code=NEGATIVE if found.slips else 0)

    @app.command
    def publish(
        system_id: str,
        *,
        reason: str,
        visibility: Visibility = Visibility.PUBLIC,
        contact: str = "",
        not_for_zh: str = "",
        not_for_en: str = "",
        until: date | None = None,
        basis: str = "",
        cleared: str = "",
    ) -> Answer:
        """Decide what the public sees of a system.

        Args:
            system_id: Which system.
            reason: Why; of what is public, it goes to the public ledger. Name no person.
            visibility: What the public may see.
            contact: How the public reaches the organisation, such as help@example.org; never a person's own.
            not_for_zh: What it is not for, in Chinese.
            not_for_en: What it is not for, in English.
            until: First public day, where it is embargoed.
            basis: Norm or provision it is kept back by, where it is embargoed or restricted.
            cleared: Why it may be public, where the rulebook cannot tell whether a law keeps it back.
        """
        cmd = Publish(
            reason=reason,
            visibility=visibility,
            contact=contact,
            not_for_zh=not_for_zh,
            not_for_en=not_for_en,
            until=until,
            basis=basis,
            cleared=cleared,
        )
        return _said(registry.publish(system_id, cmd, by=OWNER))

    @app.command
    def end(system_id: str, *, reason: str) -> Answer:
        """Take a system out of the public register; its page then says so."""
        return _said(registry.unpublish(system_id, EndPublication(reason=reason), by=OWNER))


def _many(app: App, registry: Registry) -> None:
    @app.command
    def many(
        *ids: str,
        reason: str,
        batch: str = "",
        search: str = "",
        status: Status | None = None,
        visibility: Visibility = Visibility.PUBLIC,
        contact: str = "",
        basis: str = "",
        until: date | None = None,
        cleared: str = "",
        expected: int | None = None,
    ) -> Answer:
        """Decide the same about many systems: by id, import batch or search.

        Systems without facts on record, as most imported ones, need --cleared: why they may be public.
        Exits 1 where some could not be decided, and says why.

        Args:
            ids: Ids of systems.
            reason: Why; of what is public, it goes to the public ledger. Name no person.
            batch: All that this import entered; `registry imports list` names the batches.
            search: All that these words find.
            status: Of those found, only systems at this stage.
            visibility: What the public may see.
            contact: How the public reaches the organisation, such as help@example.org; never a person's own.
            basis: Norm or provision they are kept back by, where they are embargoed or restricted.
            until: First public day, where they are embargoed.
            cleared: Why they may be public, where the rulebook cannot tell whether a law keeps them back.
            expected: Stop before the first unless there are exactly so many.
        """
        decision = Publish(
            reason=reason, visibility=visibility, contact=contact, basis=basis, until=until, cleared=cleared
        )
        cmd = PublishMany(decision=decision, ids=ids, batch=batch, search=search, status=status, expected=expected)
        done = registry.publish_many(cmd, by=OWNER)
        data: dict[str, Any] = {
            "published": done.published,
            "restricted": done.restricted,
            "unchanged": done.unchanged,
            "refused": [
                {"system": one.system_id, "code": one.code, "zh": one.why.zh, "en": one.why.en} for one in done.refused
            ],
            "refused_total": done.refused_total,
            "obstacles": msgspec.to_builtins(done.obstacles),
        }
        return Answer(data=data, says=_came_to(done), exit_code=NEGATIVE if done.refused_total else 0)


def _came_to(done: PublishedMany) -> Text:
    """Say what a deed about many came to, and of each thing that stood in its way what to do about it."""
    zh = [
        f"按决定处理 {done.published} 个，依法限制 {done.restricted} 个，未变 {done.unchanged} 个，"
        f"未能处理 {done.refused_total} 个。"
    ]
    en = [
        f"{done.published} as decided, {done.restricted} kept back by law, {done.unchanged} unchanged, "
        f"{done.refused_total} refused."
    ]
    for one in done.obstacles:
        option = _OPTIONS.get(one.field)
        zh.append(f"  {one.systems} 个（如 {one.first}）：{one.why.zh}{one.hint.zh}")
        en.append(f"  {one.systems} (such as {one.first}): {one.why.en} {one.hint.en}")
        if option:
            zh.append(f"    这里的选项：{option}")
            en.append(f"    Here: {option}")
    return Text(zh="\n".join(zh), en="\n".join(en))


_OPTIONS = {
    "cleared": '--cleared "…"',
    "reason": '--reason "…"',
    "contact": '--contact "…"',
    "basis": '--basis "…"',
    "until": "--until YYYY-MM-DD",
}
"""The option of `many` that holds a part of the decision."""


def _said(made: Publication) -> Answer:
    title = VISIBILITIES[made.visibility]
    data = {
        "system": made.system_id,
        "visibility": made.visibility.value,
        "version": made.version,
        "digest": made.digest,
        "entry": made.entry_id,
    }
    says = Text(
        zh=f"{made.system_id}：{title.zh}（第 {made.version} 次决定）。",
        en=f"{made.system_id}: {title.en} (decision {made.version}).",
    )
    return Answer(data=data, says=says)
