"""Writes what `docs/reference` says of the law's files: how complete they are, which facts there are, the JSON Schema.

`gen_reference.py` asks for these pages.  Everything on them is read from `law/`, so no page can say more than is there.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.rulebook import packs
from safebelt.rooms.rulebook.decide.overlays import text_on
from safebelt.rooms.rulebook.model import (
    BASES,
    LANGUAGE_VERSION,
    STANDINGS,
    Fact,
    FactType,
    Instrument,
    Option,
    Provision,
    Rulebook,
    Subject,
)

SCHEMA_FILE = "system.schema.json"

SUBJECTS: Mapping[Subject, Text] = {
    Subject.SYSTEM: Text(zh="系统", en="The system"),
    Subject.CONTENT: Text(zh="内容", en="Its content"),
    Subject.MODEL: Text(zh="模型", en="Its model"),
    Subject.PROVIDER: Text(zh="提供者", en="The provider"),
    Subject.DEPLOYER: Text(zh="部署者", en="The deployer"),
    Subject.PARTY: Text(zh="您这一方", en="The party that asks"),
    Subject.EVENT: Text(zh="发生了什么", en="What has happened"),
    Subject.INCIDENT: Text(zh="安全事件", en="An incident"),
}
TYPES: Mapping[FactType, Text] = {
    FactType.YES_NO: Text(zh="是或否", en="yes or no"),
    FactType.ONE_OF: Text(zh="选一项", en="one of"),
    FactType.SOME_OF: Text(zh="可选多项", en="some of"),
    FactType.NUMBER: Text(zh="数字", en="number"),
    FactType.DATE: Text(zh="日期", en="date"),
    FactType.TEXT: Text(zh="文字", en="text"),
}


def law_pages(folder: Path, mark: str) -> dict[str, str]:
    """Return every page about the law by its file name.

    Args:
        folder: The law: `law/`.
        mark: The comment that says a page is generated.

    Raises:
        Unreadable: Something is wrong with the folder; every error with its file and line.
    """
    law = packs.open_law(folder)
    schema = json.dumps(packs.description_schema(law.rulebook), ensure_ascii=False, indent=1)
    written = {SCHEMA_FILE: f"{schema}\n"}
    for lang in LANGS:
        written[f"law-completeness.{lang}.md"] = completeness_page(law, lang, mark)
        written[f"facts.{lang}.md"] = facts_page(law.rulebook, lang, mark)
    return written


# ---- how complete the law is

_COMPLETENESS = Text(
    zh="# 法规的完整程度\n\n{0}\n\n规则语言 {1}。第一张表按文件统计；第二张表写明每部文件的现状和它编到哪里为止；"
    "第三张表逐条列出有义务而没有规范的条款及原因。"
    "数字来自 `law/`，含已通过的修改所增加的内容；测试核对本页与之一致。不构成法律意见。\n\n"
    "“有义务”指该条款对某人规定了义务、禁止、权利或豁免。“尚缺”必须为 0：每个这样的条款要么有规范引用它，"
    "要么说明为何没有。"
    "“已核实”的规范以见过的原文为依据；“未核实”的只供参考，从不拦截，也不算违规。“用例”是写在规范旁边、"
    "每次测试都会试算的预期结果。\n",
    en="# How complete the law is\n\n{0}\n\nRule language {1}. The first table counts by instrument; the second "
    "says where each "
    "instrument stands and how far it is encoded; the third names every provision with a duty that has no norm, "
    "and why. "
    "The numbers come from `law/`, with what enacted amendments add; a test holds this page to them. Not legal "
    "advice.\n\n"
    "*With a duty* means that a provision puts a duty, a prohibition, a right or an exemption on somebody. "
    "*Missing* must "
    "be 0: a norm cites each such provision, or it says why none does. *Verified* norms rest on the primary text, "
    "which was "
    "seen; *unverified* ones inform and never block or count as a breach. *Cases* are expected results that stand "
    "beside the "
    "norms and are tried with every test.\n",
)
_STANDING = Text(
    zh="\n## 现状与范围\n\n| 文件 | 全称 | 现状 | 我们的依据 | 编入的范围 |\n|---|---|---|---|---|",
    en="\n## Standing and scope\n\n| Instrument | Title | Standing | What we rest on | What is encoded "
    "|\n|---|---|---|---|---|",
)
_WITHOUT = Text(
    zh="\n## 有义务而没有规范的条款\n\n| 条款 | 说什么 | 为何没有规范 |\n|---|---|---|",
    en="\n## Provisions with a duty and without a norm\n\n| Provision | What it says | Why there is no norm "
    "|\n|---|---|---|",
)


def completeness_page(law: packs.Law, lang: Lang, mark: str) -> str:
    """Write the page about how complete the law is."""
    rows = packs.completeness(law.rulebook, law.cases)
    instruments = law.rulebook.base.instruments
    return "\n".join(
        (
            _COMPLETENESS.in_(lang).format(mark, LANGUAGE_VERSION),
            packs.completeness_table(rows, lang).rstrip("\n"),
            _STANDING.in_(lang),
            *(_standing_row(instruments[row.instrument], lang) for row in rows),
            _WITHOUT.in_(lang),
            *(_without_row(one, lang) for one in _without_norm(law.rulebook)),
            "",
        )
    )


def _standing_row(one: Instrument, lang: Lang) -> str:
    title = f"[{_cell(one.title.in_(lang))}]({one.url})" if one.url else _cell(one.title.in_(lang))
    scope = _cell(one.scope_note.in_(lang)) if one.scope_note else ""
    return f"| `{one.id}` | {title} | {STANDINGS[one.standing].in_(lang)} | {BASES[one.basis].in_(lang)} | {scope} |"


def _without_norm(rulebook: Rulebook) -> Iterator[Provision]:
    """Provisions of any time that have a duty and no norm, by instrument, in the order of the text."""
    texts = (rulebook.base, text_on(rulebook, date.max))
    cited = {cite for text in texts for norm in text.norms.values() for cite in norm.cites}
    provisions = {one.id: one for text in texts for one in text.provisions.values()}
    yield from sorted(
        (one for one in provisions.values() if one.duty and one.id not in cited), key=lambda one: one.instrument
    )


def _without_row(one: Provision, lang: Lang) -> str:
    why = _cell(one.no_norm.in_(lang)) if one.no_norm else ""
    return f"| `{one.id}` | {_cell(one.summary.in_(lang))} | {why} |"


# ---- which facts there are

_FACTS = Text(
    zh="# 事实\n\n{0}\n\n一份系统描述可以写的全部事实，共 {1} 项。没有写的就是*未知*；给出的列表视为完整："
    "没有列出的就是“否”，空列表 `[]` 表示没有。"
    "每项的说明与例子见 `safebelt rulebook template`；机器可读的格式见 [`system.schema.json`](system.schema.json)。"
    "编号以 `eu.`、`cn.` 等法域开头的，只有该法域的文件才问；其余为共用。\n",
    en="# Facts\n\n{0}\n\nEverything a description of a system may state: {1} facts. What is left out is "
    "*unknown*; a list that "
    "is given is complete: what it does not name is *no*, and `[]` is none. `safebelt rulebook template` has help "
    "and "
    "examples for each; [`system.schema.json`](system.schema.json) is the form machines read. Ids that start with a "
    "jurisdiction (`eu.`, `cn.` and so on) are asked by that jurisdiction's instruments alone; the others are "
    "shared.\n",
)
_COLUMNS = Text(
    zh="| 编号 | 类型 | 问题 | 可选值 |\n|---|---|---|---|", en="| Id | Type | Question | Values |\n|---|---|---|---|"
)


def facts_page(rulebook: Rulebook, lang: Lang, mark: str) -> str:
    """Write the page about facts, by what they are about, in the order they are asked."""
    known = sorted(packs.vocabulary(rulebook).values(), key=lambda fact: (fact.rank, fact.id))
    lines = [_FACTS.in_(lang).format(mark, len(known))]
    for subject, title in SUBJECTS.items():
        lines += [f"## {title.in_(lang)}\n", _COLUMNS.in_(lang)]
        lines += [_fact_row(fact, lang) for fact in known if fact.subject is subject]
        lines.append("")
    return "\n".join(lines)


def _fact_row(fact: Fact, lang: Lang) -> str:
    type_ = TYPES[fact.type].in_(lang)
    unit = f" ({fact.unit})" if fact.unit else ""
    return f"| `{fact.id}` | {type_}{unit} | {_cell(fact.question.in_(lang))} | {_options(fact, lang)} |"


def _options(fact: Fact, lang: Lang) -> str:
    """Values by group, those under no heading first."""
    headings: dict[str, str] = {"": ""} | {one.id: one.label.in_(lang) for one in fact.groups}
    parts = []
    for group, heading in headings.items():
        said = " · ".join(_option(one, lang) for one in fact.options if one.group == group)
        if said:
            parts.append(f"*{_cell(heading)}* {said}" if heading else said)
    return "<br>".join(parts)


def _option(one: Option, lang: Lang) -> str:
    return f"`{one.id}` {_cell(one.label.in_(lang))}"


def _cell(said: str) -> str:
    """Keep a sentence inside its cell."""
    return " ".join(said.split()).replace("|", "\\|")
