"""Weighing a change of the law: `impact`."""

from datetime import date
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.rulebook.cli import telling
from safebelt.rooms.rulebook.decide.impact import Affected, Count, Impact
from safebelt.rooms.rulebook.exports.impact import class_title, impact_data, norm_title
from safebelt.rooms.rulebook.model import NOT_LEGAL_ADVICE, Overlay
from safebelt.rooms.rulebook.service import Rules
from safebelt.rooms.rulebook.service.weighing import Whom
from safebelt.web.terminal import Answer, read_text

SHOWN = 20


def add(app: App, rules: Rules) -> None:
    """Add the command `impact`."""

    @app.command
    def impact(
        overlay: str,
        *,
        population: Annotated[
            str, Parameter(help="`register`, `examples` (the systems that come with the law), or a folder.")
        ] = Whom.REGISTER.value,
        on: date | None = None,
        list_: Annotated[
            int, Parameter(name="--list", help="How many of the affected systems to list one by one.")
        ] = SHOWN,
    ) -> Answer:
        """Weigh OVERLAY (a file, `-`, or the id of one this house knows) on a population: who changes class or duties.

        Judged on its first day, unless --on names another.
        """
        found = rules.impact(_overlay(rules, overlay), _whom(population), on=on, listed=max(0, list_))
        return Answer(data=impact_data(found), says=telling.in_both(lambda lang: _told(found, lang)))


def _overlay(rules: Rules, given: str) -> Overlay:
    """A known change by its id, or else the draft in a file."""
    if any(one.id == given for one in rules.overlays()):
        return rules.overlay(given)
    is_file = given == "-" or given.endswith((".yaml", ".yml")) or Path(given).is_file()
    return rules.draft(read_text(Path(given))) if is_file else rules.overlay(given)


def _whom(given: str) -> Whom | Path:
    return Whom(given) if given in set(Whom) else Path(given)


def _told(found: Impact, lang: Lang) -> str:
    overlay, change = found.reform.overlay, found.reform
    head = {
        "zh": f"{overlay.title.zh}（{overlay.id}），按 {change.on} 判断；修改 {len(change.changes)} 处",
        "en": f"{overlay.title.en} ({overlay.id}), judged as of {change.on}; entries changed: {len(change.changes)}",
    }[lang]
    lines = [head, "", _count(found.total, lang)]
    for title, divisions in ((_SECTORS, found.by_sector), (_SIZES, found.by_size)):
        shown = [one for one in divisions if one.count.systems]
        lines += ["", title.in_(lang)] if shown else []
        lines += [f"  {one.count.affected:>6} / {one.count.systems:<6} {one.label.in_(lang)}" for one in shown]
    for one in found.transitions:
        before = class_title(change, one.instrument, one.before).in_(lang)
        after = class_title(change, one.instrument, one.after).in_(lang)
        lines.append(f"  {one.systems:>6}  {norm_title(change, one.instrument).in_(lang)}: {before} → {after}")
    lines += [""] + [line for one in found.listed for line in _affected(one, found, lang)]
    return "\n".join((*lines, "", NOT_LEGAL_ADVICE.in_(lang)))


_SECTORS = Text(zh="按领域（受影响 / 全部）", en="By sector (affected / all)")
_SIZES = Text(zh="按提供者规模（受影响 / 全部）", en="By size of the provider (affected / all)")


def _count(total: Count, lang: Lang) -> str:
    return {
        "zh": f"{total.systems} 个系统，{total.affected} 个受影响：{total.regraded} 个换类别，{total.gain} 个增加义务，"
        f"{total.lose} 个减少义务，{total.moved} 个日期移动；{total.opened} 个出现新的未知",
        "en": f"{total.systems} systems, {total.affected} affected: {total.regraded} change class, {total.gain} gain a "
        f"duty, {total.lose} lose one, {total.moved} have a date moved; {total.opened} face a new question",
    }[lang]


def _affected(one: Affected, found: Impact, lang: Lang) -> list[str]:
    change, effect = found.reform, one.effect
    lines = [f"{one.id}  {one.name.in_(lang)}"]
    for each in effect.regraded:
        before = class_title(change, each.instrument, each.before).in_(lang)
        after = class_title(change, each.instrument, each.after).in_(lang)
        lines.append(f"    {norm_title(change, each.instrument).in_(lang)}: {before} → {after}")
    lines += [f"    + {each.from_}  {norm_title(change, each.norm).in_(lang)}" for each in effect.gained]
    lines += [f"    - {norm_title(change, each).in_(lang)}" for each in effect.lost]
    if effect.moved:
        days = sorted({each.after for each in effect.moved})
        said = Text(
            zh=f"{len(effect.moved)} 条移至 {'、'.join(map(str, days))}",
            en=f"{len(effect.moved)} moved to {', '.join(map(str, days))}",
        )
        lines.append(f"    ~ {said.in_(lang)}")
    return lines
