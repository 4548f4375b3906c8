"""`safebelt belt replay`: what a changed policy would have done to retained records."""

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter, validators

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.belt.cli.words import System
from safebelt.rooms.belt.model import NOT_EVALUATED as REASONS
from safebelt.rooms.belt.model import Policy, Replay, ToolReplay
from safebelt.rooms.belt.service import MAX_REPLAYED, Belt
from safebelt.web.terminal import DONE, NOT_EVALUATED, Answer, read_text

MAX_POLICY_BYTES = 16 * 1024 * 1024
Since = Annotated[str, Parameter(help="A date or moment (UTC unless it says its zone), or how long: `7d`, `24h`.")]
Most = Annotated[int, Parameter(help="At most so many records, the newest.", validator=validators.Number(gte=1))]
_AGO = re.compile(r"(\d{1,5})([dh])")


def add_to(app: App, belt: Belt) -> None:
    """Add `replay`."""

    @app.command
    def replay(policy: str, *, since: Since, system: System = "", most: Most = MAX_REPLAYED) -> Answer:
        """Say what POLICY (a file, an id, or id@version) would have done to the records kept since then.

        Exit 3 where nothing could be evaluated.
        """
        belt.index()
        chosen = _policy(belt, policy)
        if system:
            belt.harness(system)  # a slip in an id would look like a quiet week
        wanted = min(most, MAX_REPLAYED)
        found = belt.replay(chosen, moment(since), system_id=system, most=wanted, progress=_tell)
        return Answer(
            data=replay_data(found),
            says=Text(**{lang: _told(found, lang) for lang in LANGS}),
            exit_code=DONE if sum(found.after.values()) else NOT_EVALUATED,
        )


def _tell(done: int, of: int) -> None:
    sys.stderr.write(f"{done}/{of}\n")


def _policy(belt: Belt, named: str) -> Policy:
    if (path := Path(named)).is_file():
        return belt.check_policy(read_text(path, limit=MAX_POLICY_BYTES).encode(), path.stem, path.parent)
    policy_id, _, version = named.partition("@")
    return belt.policy_version(policy_id, version) if version else belt.policy(policy_id)


def moment(typed: str) -> datetime:
    """Read a moment a person typed; a time without a zone is UTC.

    Raises:
        Invalid: It is none.
    """
    try:
        if found := _AGO.fullmatch(typed.strip()):
            hours = int(found[1]) * (24 if found[2] == "d" else 1)
            return datetime.now(UTC) - timedelta(hours=hours)
        at = datetime.fromisoformat(typed.strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid(
            what=Text(zh=f"看不懂这个时刻：“{typed[:40]}”。", en=f"“{typed[:40]}” is no moment."),
            hint=Text(
                zh="请写成 2026-11-21、2026-11-21T12:00:00Z、7d 或 24h。",
                en="Write it like 2026-11-21, 2026-11-21T12:00:00Z, 7d or 24h.",
            ),
            details={"field": "since"},
        ) from error


def replay_data(found: Replay) -> dict[str, Any]:
    """Return a replay as JSON-ready values."""
    data: dict[str, Any] = msgspec.to_builtins(found)
    return data


def _told(found: Replay, lang: Lang) -> str:
    after, read = found.after, sum(found.after.values())
    head = Text(
        zh=f"{found.policy}@{found.version}：自 {found.since.isoformat(timespec='seconds')} 起共 {found.exchanges} 次"
        f"{'（只看了最新的这些）' if found.is_capped else ''}，读到 {read} 次，其中本会拒绝 {after.get('refuse', 0)}、"
        f"遮盖 {after.get('mask', 0)}、标记 {after.get('flag', 0)}。能够完整评估的有 {found.evaluated} 次。",
        en=f"{found.policy}@{found.version}: {found.exchanges} exchanges since "
        f"{found.since.isoformat(timespec='seconds')}{' (the newest only)' if found.is_capped else ''}; of {read} read "
        f"it would have refused {after.get('refuse', 0)}, masked {after.get('mask', 0)}, "
        f"flagged {after.get('flag', 0)}. {found.evaluated} could be evaluated wholly.",
    )
    lines = [head.in_(lang)]
    for rule in found.rules:
        counts = Text(
            zh=f"新命中 {rule.newly}，不再命中 {rule.no_longer}，处置改变 {rule.changed}",
            en=f"newly hit {rule.newly}, no longer hit {rule.no_longer}, other action {rule.changed}",
        )
        about = "  ".join(part for part in (_terms(rule.terms, lang), rule.basis) if part)
        lines.append(f"  {rule.rule}  {counts.in_(lang)}  {about}  {' '.join(rule.examples)}".rstrip())
    if not found.rules:
        lines.append(Text(zh="  就读到的文本而言，没有变化。", en="  Nothing changes, as far as was read.").in_(lang))
    for reason, count in found.not_evaluated.items():
        name = Text(zh="未能（完整）评估", en="not (wholly) evaluated").in_(lang)
        examples = " ".join(found.not_evaluated_examples.get(reason, ()))
        lines.append(f"  {name}: {count}  {REASONS[reason].in_(lang)}  {examples}")
    return "\n".join([*lines, *_tools_told(found.tools, lang)])


def _tools_told(tools: ToolReplay, lang: Lang) -> list[str]:
    if not tools.calls and not tools.not_evaluated:
        return []
    after = tools.after
    head = Text(
        zh=f"  工具调用共 {tools.calls} 次，能够评估的 {tools.evaluated} 次：本会放行 {after.get('allow', 0)}、"
        f"等待人工批准 {after.get('hold', 0)}、拒绝 {after.get('deny', 0)}。",
        en=f"  {tools.calls} tool calls, {tools.evaluated} evaluated: it would have allowed {after.get('allow', 0)}, "
        f"held {after.get('hold', 0)} for a person, denied {after.get('deny', 0)}.",
    )
    lines = [head.in_(lang)]
    for one in tools.changes:
        named = f"{one.server}/{one.tool}" if one.server else one.tool
        lines.append(f"    {named}  {one.before} → {one.after}  {one.calls}  {one.rule}  {' '.join(one.examples)}")
    for reason, count in tools.not_evaluated.items():
        name = Text(zh="未能评估", en="not evaluated").in_(lang)
        lines.append(f"    {name}: {count}  {REASONS[reason].in_(lang)}")
    return lines


def _terms(count: int, lang: Lang) -> str:
    return Text(zh=f"{count} 个词语", en=f"{count} terms").in_(lang) if count else ""
