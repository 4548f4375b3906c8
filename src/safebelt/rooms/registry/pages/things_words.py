"""Wording that several pages about parts and versions share."""

from collections.abc import Mapping

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.decide.things import as_text
from safebelt.rooms.registry.model import Party
from safebelt.rooms.registry.model.differences import ASPECTS, CHANGES, Aspect, Change
from safebelt.rooms.registry.model.things import (
    RELATIONS,
    THING_KINDS,
    VERSION_STATES,
    Relation,
    Thing,
    ThingKind,
    Value,
    VersionState,
)
from safebelt.rooms.registry.model.things_fields import SCHEMAS, Form, Particular

__all__ = [
    "ASPECTS",
    "CHANGES",
    "RELATIONS",
    "THING_KINDS",
    "VERSION_STATES",
    "Aspect",
    "Change",
    "Form",
    "Relation",
    "ThingKind",
    "VersionState",
]

THINGS = Text(zh="部件", en="Parts")
NEW = Text(zh="登记部件", en="Register a part")
CHANGE = Text(zh="变更部件登记", en="Change a part")
PARTS = Text(zh="部件与版本", en="Parts and versions")
DIFF = Text(zh="两个版本的差异", en="What differs between two versions")
ENDING = Text(zh="解除关联", en="End a link")
WITHDRAWING = Text(zh="撤下版本", en="Withdraw a version")

NEW_OF: Mapping[ThingKind, Text] = {
    ThingKind.MODEL: Text(zh="登记模型", en="Register a model"),
    ThingKind.AGENT: Text(zh="登记智能体", en="Register an agent"),
    ThingKind.COMPONENT: Text(zh="登记组件", en="Register a component"),
    ThingKind.DATASET: Text(zh="登记数据集", en="Register a dataset"),
    ThingKind.DEPLOYMENT: Text(zh="登记部署", en="Register a deployment"),
}
WHAT_IS: Mapping[ThingKind, Text] = {
    ThingKind.MODEL: Text(
        zh="由数据训练得到的参数，自行训练、下载或经接口使用均可。",
        en="Parameters that were learned from data: your own, downloaded, or used through an API.",
    ),
    ThingKind.AGENT: Text(
        zh="能自行采取行动的程序；每个智能体有独立身份、负责主体和行动范围。",
        en="A program that acts; each has an identity of its own, a party that answers, and bounds to what it may do.",
    ),
    ThingKind.COMPONENT: Text(
        zh="软件库、框架、传感器等其他组成部分。", en="A library, framework, sensor or any other building block."
    ),
    ThingKind.DATASET: Text(zh="用于训练或测试的数据。", en="Data used for training or testing."),
    ThingKind.DEPLOYMENT: Text(
        zh="系统在某地、某环境、由某主体投入使用。", en="A system put to use: where, in what environment, by whom."
    ),
}

FIELDS: Mapping[str, Text] = {
    "kind": Text(zh="类型", en="Kind"),
    "name_zh": Text(zh="中文名称", en="Name in Chinese"),
    "name_en": Text(zh="英文名称", en="Name in English"),
    "about_zh": Text(zh="中文说明", en="Description in Chinese"),
    "about_en": Text(zh="英文说明", en="Description in English"),
    "owner_id": Text(zh="负责主体", en="Party that answers for it"),
    "licence": Text(zh="许可", en="Licence"),
    "origin_url": Text(zh="来源网址", en="Origin"),
    "sha256": Text(zh="文件摘要（SHA-256）", en="Digest of its file (SHA-256)"),
    "reason": Text(zh="理由", en="Reason"),
    "revision": Text(zh="修订", en="Revision"),
    "thing_id": Text(zh="部件", en="Part"),
    "relation": Text(zh="关系", en="Relation"),
    "since": Text(zh="起始日期", en="Since"),
    "until": Text(zh="结束日期", en="Until"),
    "label": Text(zh="版本号", en="Label"),
    "digest": Text(zh="摘要（SHA-256）", en="Digest (SHA-256)"),
    "notes_zh": Text(zh="改动说明（中文）", en="What changed, in Chinese"),
    "notes_en": Text(zh="改动说明（英文）", en="What changed, in English"),
    "made_on": Text(zh="制作日期", en="Made on"),
    "made_by": Text(zh="制作者", en="Made by"),
    "state": Text(zh="状态", en="State"),
    "status": Text(zh="阶段", en="Stage"),
    "purpose_zh": Text(zh="中文用途", en="Purpose in Chinese"),
    "purpose_en": Text(zh="英文用途", en="Purpose in English"),
    "provider_id": Text(zh="提供者", en="Provider"),
    "deployer_id": Text(zh="部署者", en="Deployer"),
}

DONE: Mapping[str, Text] = {
    "thing": Text(zh="部件已登记，并已记入存证账本。", en="The part is registered, and the ledger remembers it."),
    "changed": Text(zh="变更已保存，并已记入存证账本。", en="The change is saved, and the ledger remembers it."),
    "linked": Text(zh="已关联，并已记入存证账本。", en="The part is linked, and the ledger remembers it."),
    "ended": Text(zh="已解除关联；历史仍保留。", en="The link has ended; it stays in the history."),
    "version": Text(
        zh="版本已提出。上线须经“版本上线”关口，由记名人员批准。",
        en="The version is proposed. It becomes current only through the gate for promotions, by a named person.",
    ),
    "withdrawn": Text(zh="版本已撤下，并已记入存证账本。", en="The version is withdrawn, and the ledger remembers it."),
}
"""What a page says after a deed."""

TONES: Mapping[VersionState, str] = {
    VersionState.PROPOSED: "draft",
    VersionState.CURRENT: "run",
    VersionState.SUPERSEDED: "time",
    VersionState.WITHDRAWN: "refuse",
}
"""Which of the house's tags a version's state wears."""


def home_of(subject_id: str, lang: Lang) -> str:
    """Return the page where a subject's versions are."""
    if subject_id.startswith("sys_"):
        return f"/{lang}/registry/systems/{subject_id}/parts"
    return f"/{lang}/registry/things/{subject_id}"


def kind_options(lang: Lang) -> list[tuple[str, str]]:
    """Return the kinds as choices, after the empty one."""
    return [
        ("", Text(zh="全部", en="all").in_(lang)),
        *((kind.value, title.in_(lang)) for kind, title in THING_KINDS.items()),
    ]


def party_options(parties: tuple[Party, ...]) -> list[tuple[str, str]]:
    """Return parties as choices."""
    return [(party.id, party.name) for party in parties]


def relation_options(lang: Lang) -> list[tuple[str, str]]:
    """Return the relations as choices."""
    return [(relation.value, title.in_(lang)) for relation, title in RELATIONS.items()]


def thing_options(things: tuple[Thing, ...], lang: Lang) -> list[tuple[str, str]]:
    """Return things as choices, after the empty one."""
    none = ("", Text(zh="请选择", en="choose").in_(lang))
    return [none, *((each.id, f"{each.name.in_(lang)} · {THING_KINDS[each.kind].in_(lang)}") for each in things)]


def choice_options(each: Particular, lang: Lang) -> list[tuple[str, str]]:
    """Return a particular's values as choices; where one may be left out, after the empty one."""
    choices = [(choice.value, choice.title.in_(lang)) for choice in each.choices]
    if each.form is Form.CHOICE and not each.is_required:
        return [("", Text(zh="未说明", en="not stated").in_(lang)), *choices]
    return choices


def shown(thing: Thing) -> list[tuple[Text, Text]]:
    """Return a thing's particulars as people read them: title and value."""
    return [
        (each.title, _said(each, thing.details[each.name]))
        for each in SCHEMAS[thing.kind]
        if each.name in thing.details
    ]


def _said(each: Particular, value: Value) -> Text:
    titles = {choice.value: choice.title for choice in each.choices}
    if isinstance(value, tuple):
        told = [titles.get(item, Text(zh=item, en=item)) for item in value]
        return Text(zh="\n".join(item.zh for item in told), en="\n".join(item.en for item in told))
    if each.form is Form.COUNT:
        return Text(zh=f"{value:,}", en=f"{value:,}")
    if each.form is Form.NUMBER:
        return Text(zh=f"{value:g}", en=f"{value:g}")
    return titles.get(str(value), Text(zh=str(value), en=str(value)))


def as_typed(thing: Thing) -> dict[str, str | tuple[str, ...]]:
    """Return a thing as the fields of its form."""
    own: dict[str, str | tuple[str, ...]] = {
        "name_zh": thing.name.zh,
        "name_en": thing.name.en,
        "about_zh": thing.about.zh,
        "about_en": thing.about.en,
        "owner_id": thing.owner_id,
        "licence": thing.licence,
        "origin_url": thing.origin_url,
        "sha256": thing.sha256,
        "revision": str(thing.revision),
    }
    forms = {each.name: each.form for each in SCHEMAS[thing.kind]}
    details = {
        name: value if isinstance(value, tuple) and forms.get(name) is Form.CHOICES else as_text(value)
        for name, value in thing.details.items()
    }
    return own | details


def field_title(name: str) -> Text:
    """Return what people call a field; a fact keeps its id, which the rulebook explains."""
    return FIELDS.get(name, Text(zh=name, en=name))
