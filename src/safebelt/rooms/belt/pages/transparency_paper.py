"""The transparency report as a document for the printer; it says what the page says."""

from collections.abc import Iterator, Mapping

import safebelt
from safebelt.kernel.documents import Block, Document, Heading, Note, Pairs, Paragraph, Table
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.belt.decide.openly import SMALL
from safebelt.rooms.belt.pages import words
from safebelt.rooms.belt.service import OpenPolicy, OpenRule, OpenStrikes, OpenToolRule, OpenTools, Transparency
from safebelt.web.language import sayer
from safebelt.web.templating import moment


def paper(report: Transparency, lang: Lang) -> Document:
    """Return the report as a document in `lang`."""
    t = sayer(lang)
    period = t("统计区间：", "Period: ") + f"{moment(report.since, lang)} – {moment(report.at, lang)}"
    blocks: list[Block] = [Paragraph(text=period), Note(text=words.HOW_COUNTED.in_(lang))]
    for policy in report.policies:
        blocks += _policy(policy, lang)
    if not report.policies:
        blocks.append(Paragraph(text=t("还没有系统装上安全带。", "The belt is not fitted to any system yet.")))
    blocks += _counts(report, lang)
    blocks += _who(report, lang)
    blocks.append(Heading(text=sayer(lang)("记录保留什么", "What the records keep")))
    blocks.append(Paragraph(text=words.originals_kept(report.originals_sealed).in_(lang)))
    blocks.append(Note(text=words.NO_ADVICE.in_(lang)))
    title = words.TRANSPARENCY.in_(lang)
    footer = f"Safebelt {safebelt.__version__} · {title} · {moment(report.at, lang)}"
    return Document(title=title, lang=lang, at=report.at, footer=footer, blocks=tuple(blocks))


def _policy(policy: OpenPolicy, lang: Lang) -> Iterator[Block]:
    t = sayer(lang)
    yield Heading(text=policy.title.in_(lang))
    yield Pairs(
        rows=(
            (t("版本", "Version"), f"{policy.id}@{policy.version}"),
            *(((t("本版生效于", "In force since"), moment(policy.changed, lang)),) if policy.changed else ()),
            (t("在用的系统", "Systems"), str(policy.systems)),
            (t("其中只观察的", "Of them only observing"), str(policy.observing)),
            ("SHA-256", policy.digest),
            (t("申诉", "To appeal"), policy.appeal.in_(lang)),
        )
    )
    if policy.rules:
        yield Table(
            heads=(t("规则", "Rule"), t("处置", "Does"), t("依据", "Rests on"), t("命中的往来", "Exchanges hit")),
            rows=tuple(_rule(rule, lang) for rule in policy.rules),
            widths=(3, 3, 5, 2),
            numeric=(3,),
        )
    else:
        yield Paragraph(text=t("没有规则。", "No rule."))
    if policy.unguarded:
        yield Heading(text=t("不经审查放行的路径", "Paths that pass unguarded"), level=2)
        yield Paragraph(text=words.UNGUARDED_GO.in_(lang))
        for each in policy.unguarded:
            path = f"{'/'.join(each.methods)} {each.path}{'…' if each.is_under else ''}"
            yield Paragraph(text=f"{path}  {each.why.in_(lang)}")
    yield Heading(text=t("代理可用的工具", "Tools of agents"), level=2)
    yield from _tools(policy.tools, lang)
    yield Heading(text=t("屡次违规", "Repeated abuse"), level=2)
    yield from _strikes(policy.strikes, lang)


def _tools(tools: OpenTools | None, lang: Lang) -> Iterator[Block]:
    t = sayer(lang)
    if tools is None:
        yield Paragraph(text=words.NO_TOOLS.in_(lang))
        return
    yield Paragraph(text=words.tools_go(tools.unknown_tools, tools.hold_seconds, tools.offered).in_(lang))
    yield Note(text=words.CALLS_COUNTED.in_(lang))
    if tools.rules:
        counted = t("扣下或拒绝的往来", "Exchanges held or denied")
        yield Table(
            heads=(
                t("规则", "Rule"),
                t("工具与条件", "Tools, and when"),
                t("处置", "Does"),
                t("依据", "Rests on"),
                counted,
            ),
            rows=tuple(_tool_rule(rule, lang) for rule in tools.rules),
            widths=(3, 4, 2, 4, 2),
            numeric=(4,),
        )


def _tool_rule(rule: OpenToolRule, lang: Lang) -> tuple[str, ...]:
    t = sayer(lang)
    when = [each.in_(lang) for each in rule.when] or [t("任何参数", "any arguments")]
    if rule.is_for_some_callers:
        when.append(t("只适用于部分调用方", "only for some callers"))
    does = [words.TOOL_DEEDS[rule.action].in_(lang)]
    if rule.is_red_line:
        does.append(t("红线：始终执行", "red line: always acts"))
    return (
        f"{rule.title.in_(lang)}\n{rule.id}",
        "\n".join([", ".join(rule.tools), *when]),
        "\n".join(does),
        _basis(rule, lang),
        _count(rule.exchanges, lang) if rule.is_counted else t("不计数", "not counted"),
    )


def _strikes(strikes: OpenStrikes | None, lang: Lang) -> Iterator[Block]:
    if strikes is None:
        yield Paragraph(text=words.NO_STRIKES.in_(lang))
        return
    come = words.strikes_come(strikes.exchanges, strikes.within_minutes).in_(lang)
    yield Paragraph(text=come + ", ".join(strikes.rules))
    yield Paragraph(text=words.STRIKES_GO.in_(lang))


def _rule(rule: OpenRule, lang: Lang) -> tuple[str, ...]:
    t = sayer(lang)
    does = [words.DEEDS[rule.action].in_(lang)]
    if rule.is_red_line:
        does.append(t("红线：始终执行", "red line: always acts"))
    if rule.terms:
        does.append(t(f"{rule.terms} 个词语", f"{rule.terms} terms"))
    if rule.detectors:
        does.append(", ".join(rule.detectors))
    return f"{rule.title.in_(lang)}\n{rule.id}", "\n".join(does), _basis(rule, lang), _count(rule.exchanges, lang)


def _basis(rule: OpenRule | OpenToolRule, lang: Lang) -> str:
    t = sayer(lang)
    if rule.is_house_rule:
        return t("内部规则，无法定依据", "house rule, without a legal basis")
    lines = [rule.provision, *(each.in_(lang) for each in (rule.authority, rule.scope) if each)]
    if rule.expires:
        lines.append(t("有效至 ", "until ") + rule.expires)
    return "\n".join(lines)


def _counts(report: Transparency, lang: Lang) -> Iterator[Block]:
    t = sayer(lang)
    yield Heading(text=t("处置、停止与投诉", "What was done, stops, complaints"))
    rows = [
        *(
            (t("往来：", "Exchanges: ") + _word(words.DEEDS, done, lang), _count(count, lang))
            for done, count in report.by_action.items()
        ),
        *(
            (t("违规记录：", "Strikes: ") + words.STRIKES[what].in_(lang), _count(count, lang))
            for what, count in report.strikes.items()
        ),
        *(
            (t("命令：", "Orders: ") + _word(words.ORDERED, command, lang), str(count))
            for command, count in report.stops.items()
        ),
    ]
    complaints = _count(report.complaints, lang) if report.complaints_known else t("未评估", "not evaluated")
    about = t("对这些系统的投诉（各类，迄今）", "Complaints about these systems (every kind, to date)")
    yield Table(
        heads=(t("事项", "What"), t("次数", "How often")),
        rows=(*rows, (about, complaints)),
        widths=(4, 1),
        numeric=(1,),
    )


def _who(report: Transparency, lang: Lang) -> Iterator[Block]:
    t = sayer(lang)
    yield Heading(text=t("谁可以改动规则", "Who may change the rules"))
    sign = t("、", ", ")
    yield Pairs(
        rows=(
            (t("规则", "Rules"), sign.join(each.in_(lang) for each in report.may_change)),
            (
                t("红线（须两人）", "Red lines (two people)"),
                sign.join(each.in_(lang) for each in report.may_change_red_lines),
            ),
        )
    )


def _word(known: Mapping[str, Text], name: str, lang: Lang) -> str:
    return known[name].in_(lang) if name in known else name


def _count(count: int | None, lang: Lang) -> str:
    return sayer(lang)("少于 ", "fewer than ") + str(SMALL) if count is None else str(count)
