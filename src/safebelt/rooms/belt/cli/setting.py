"""Commands that fit the belt."""

import msgspec
from cyclopts import App

from safebelt.kernel.actors import OWNER
from safebelt.kernel.text import Text
from safebelt.rooms.belt.cli.words import listed
from safebelt.rooms.belt.model import ContentMode, Harness, NoticeMode, RecordMode, Stance
from safebelt.rooms.belt.service import Belt, days_said
from safebelt.web.terminal import Answer


def add_to(app: App, belt: Belt) -> None:
    """Add `systems`."""
    app.command(_systems(belt))


def _systems(belt: Belt) -> App:
    app = App(name="systems", help="How the belt sits on each system. 各系统的安全带。")

    @app.command(name="list")
    def list_() -> Answer:
        """List the systems the belt is fitted to."""
        rows = [msgspec.to_builtins(harness) for harness in belt.harnesses()]
        lines = [f"{row['system_id']}  {row['stance']:<7}  {row['policy']}  {row['record_mode']}" for row in rows]
        nothing = Text(
            zh="还没有系统装上安全带：safebelt belt systems fit <系统>",
            en="No system has the belt: safebelt belt systems fit ID",
        )
        return Answer(data=rows, says=listed(lines, nothing))

    @app.command
    def fit(
        system: str,
        *,
        policy: str = "",
        stance: Stance = Stance.OBSERVE,
        record_mode: RecordMode = RecordMode.STRICT,
        notice: NoticeMode = NoticeMode.END,
    ) -> Answer:
        """Fit the belt to a system; it observes unless told otherwise."""
        return _fitted(belt.fit(system, policy, stance, record_mode, notice, by=OWNER))

    @app.command(name="set")
    def set_(
        system: str,
        *,
        policy: str | None = None,
        stance: Stance | None = None,
        record_mode: RecordMode | None = None,
        notice: NoticeMode | None = None,
        content: ContentMode | None = None,
        content_days: int | None = None,
    ) -> Answer:
        """Change how the belt sits on a system; what is not named stays."""
        now = belt.harness(system).version
        changed = belt.change(
            system,
            by=OWNER,
            version=now,
            policy=policy,
            stance=stance,
            record_mode=record_mode,
            notice=notice,
            content=content,
            content_days=content_days,
        )
        return _fitted(changed)

    @app.command
    def observe(system: str) -> Answer:
        """Change nothing, record what would have been done; red lines and stops act all the same."""
        return _fitted(belt.change(system, by=OWNER, version=belt.harness(system).version, stance=Stance.OBSERVE))

    @app.command
    def enforce(system: str) -> Answer:
        """Let the policy act."""
        return _fitted(belt.change(system, by=OWNER, version=belt.harness(system).version, stance=Stance.ENFORCE))

    return app


def _fitted(harness: Harness) -> Answer:
    line = f"{harness.system_id}  {harness.stance.value}  {harness.policy}  {harness.record_mode.value}"
    line += f"  {harness.content.value}"
    says = Text(zh=line, en=line)
    if note := days_said(harness.content_days):
        says = Text(zh=f"{line}\n{note.zh}", en=f"{line}\n{note.en}")
    return Answer(data=msgspec.to_builtins(harness), says=says)
