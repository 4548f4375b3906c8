"""Command line for what the public sees: `safebelt registry publication …`."""

import json
from datetime import date
from typing import Annotated, Any

from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER
from safebelt.kernel.text import LANGS, Text
from safebelt.rooms.registry.model.publication import (
    VISIBILITIES,
    EndPublication,
    Publication,
    Publish,
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
        """Decide what the public sees of a system."""
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
        expected: Annotated[int | None, Parameter(help="Stop unless there are exactly so many.")] = None,
    ) -> Answer:
        """Decide the same about many systems: by id, import batch or search."""
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
        }
        says = Text(
            zh=f"按决定处理 {done.published} 个，依法限制 {done.restricted} 个，未变 {done.unchanged} 个，"
            f"未能处理 {done.refused_total} 个。",
            en=f"{done.published} as decided, {done.restricted} kept back by law, {done.unchanged} unchanged, "
            f"{done.refused_total} refused.",
        )
        return Answer(data=data, says=says, exit_code=NEGATIVE if done.refused_total else 0)


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
