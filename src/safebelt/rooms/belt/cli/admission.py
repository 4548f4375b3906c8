"""Commands about the rules of admission."""

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter, validators

from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.belt.cli.words import Reason, listed
from safebelt.rooms.belt.decide.admission import not_permitted
from safebelt.rooms.belt.model import AdmissionVersion, Asked
from safebelt.rooms.belt.permissions import AdmissionRules
from safebelt.rooms.belt.service import Belt
from safebelt.web.terminal import Answer


def add_to(app: App, belt: Belt) -> None:
    """Add `admission`."""
    group = App(name="admission", help="Who may use what, for which purpose, in which setting. 准入规则。")
    _reading(group, belt)
    _trying(group, belt)
    _bringing(group, belt)
    app.command(group)


def _reading(app: App, belt: Belt) -> None:
    @app.command
    def show() -> Answer:
        """Show the rules of admission in force: what each permits or forbids, why, and on what it rests."""
        found = belt.admission()
        if found is None:
            none = Text(
                zh="没有准入规则：持有密钥即可进入。", en="There are no rules of admission: every key is let in."
            )
            return Answer(data=None, says=none)
        return Answer(data=_data(found), says=Text(**{lang: _told(found, lang) for lang in LANGS}))

    @app.command
    def check(file: Path) -> Answer:
        """Read a file of rules and say what is wrong with it; exit 2 where something is."""
        found = belt.check_admission(_content(file), file.name)
        return Answer(data=_data(found), says=Text(**{lang: _told(found, lang) for lang in LANGS}))

    @app.command
    def versions() -> Answer:
        """List the versions that were in force, newest first: when, who brought them and why."""
        found = belt.admission_versions()
        lines = [
            f"{each.number}  {each.digest[:12]}  {each.brought.value:<9}  {each.at.isoformat(timespec='seconds')}  "
            f"{each.by}  {each.reason}"
            for each in found
        ]
        nothing = Text(
            zh="还没有版本：安全带首次启动时记下。", en="No version yet: the first start of the belt keeps one."
        )
        return Answer(data=[_version_data(each) for each in found], says=listed(lines, nothing))


def _trying(app: App, belt: Belt) -> None:
    @app.command(name="try")
    def try_(
        *,
        key: str = "key_tried",
        system: str = "",
        scope: str = "chat",
        model: str = "",
        purpose: str = "",
        user_class: str = "",
        region: str = "",
        data_class: str = "",
        hour: Annotated[
            int | None, Parameter(help="Hour of the day.", validator=validators.Number(gte=0, lte=23))
        ] = None,
        weekday: int | None = None,
        minor: bool | None = None,
    ) -> Answer:
        """Say what the rules in force come to for a request; what is left out is unknown; exit 1: not let in."""
        request = Asked(
            key,
            "",
            system,
            scope,
            model=model or None,
            purpose=purpose or None,
            user_class=user_class or None,
            region=region or None,
            data_class=data_class or None,
            hour=hour,
            weekday=weekday,
            minor=minor,
        )
        found = belt.try_admission(request)
        if found is None or found.is_admitted:
            by = [rule.id for rule in found.rules] if found else []
            says = Text(
                zh=f"准入：{'、'.join(by) or '没有规则'}", en=f"Let in: {', '.join(by) or 'there are no rules'}"
            )
            return Answer(data={"is_admitted": True, "rules": by}, says=says)
        barred = not_permitted(found)
        says = Text(zh=f"{barred.reason.says.zh}{barred.hint.zh}", en=f"{barred.reason.says.en} {barred.hint.en}")
        return Answer(data={"is_admitted": False, "rules": list(barred.rules)}, says=says, exit_code=1)


def _bringing(app: App, belt: Belt) -> None:
    @app.command
    def load(file: Path, *, reason: Reason) -> Answer:
        """Bring a file of rules into force without a restart."""
        return _brought(belt.load_admission(_content(file), reason, by=OWNER, name=file.name))

    @app.command(name="roll-back")
    def roll_back(*, reason: Reason, number: int = 0) -> Answer:
        """Bring the version before back into force, or the one whose number is named."""
        return _brought(belt.roll_back_admission(reason, by=OWNER, number=number))

    @app.command
    def off(*, reason: Reason) -> Answer:
        """Have no rules at all, so that every key is let in; `roll-back` ends it."""
        made = belt.switch_off_admission(reason, by=OWNER)
        says = Text(
            zh=f"准入规则已关闭（第 {made.number} 版）：每一把有效的密钥都可进入。",
            en=f"The rules of admission are off (version {made.number}): every valid key is let in.",
        )
        return Answer(data=_version_data(made), says=says)


def _brought(made: AdmissionVersion) -> Answer:
    says = Text(
        zh=f"第 {made.number} 版准入规则已生效。", en=f"Version {made.number} of the rules of admission is in force."
    )
    return Answer(data=_version_data(made), says=says)


def _version_data(version: AdmissionVersion) -> dict[str, object]:
    data: dict[str, object] = msgspec.to_builtins(version)
    return data


def _data(found: AdmissionRules) -> dict[str, object]:
    rules = [msgspec.to_builtins(found.rules[name]) for name in sorted(found.rules)]
    return {"digest": found.digest, "reads": sorted(found.reads), "rules": rules}


def _told(found: AdmissionRules, lang: Lang) -> str:
    words = {"zh": ("允许", "禁止", "本单位规则"), "en": ("permits", "forbids", "house rule")}[lang]
    lines = [
        f"{rule.id}  {words[not rule.permits]}  {rule.why.in_(lang)}  ({' '.join(rule.cites) or words[2]})"
        for rule in (found.rules[name] for name in sorted(found.rules))
    ]
    return "\n".join([found.digest[:12], *lines])


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Invalid(
            what=Text(zh=f"无法读取 {file}：{error.strerror}。", en=f"{file} cannot be read: {error.strerror}."),
            hint=Text(zh="请给出一个 Cedar 文件。", en="Name a Cedar file."),
        ) from error
