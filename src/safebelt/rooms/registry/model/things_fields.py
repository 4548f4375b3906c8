"""The particulars of each kind of thing, as data: what they are called, what form they have, which must be there."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.things import ThingKind


class Form(StrEnum):
    """What form a particular has.

    `line`, `text`: words.  `lines`: several, one a line.  `count`: a whole number.  `number`: any number.
    `day`: a date, kept as `2026-11-21`.  `choice`, `choices`: one or several of those named.  `url`: an http address.
    `fingerprint`: SHA-256 of a public key, 64 hex digits.
    """

    LINE = "line"
    TEXT = "text"
    LINES = "lines"
    COUNT = "count"
    NUMBER = "number"
    DAY = "day"
    CHOICE = "choice"
    CHOICES = "choices"
    URL = "url"
    FINGERPRINT = "fingerprint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of the values a particular may have."""

    value: str
    title: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Particular:
    """One particular of a kind of thing.

    Attributes:
        name: Its key in `details`.
        title: What people call it.
        form: What form it has.
        is_required: Whether a thing of this kind cannot be without it.
        choices: Of `choice` and `choices`: the values it may have.
        hint: What to write, where it is not plain.
    """

    name: str
    title: Text
    form: Form = Form.LINE
    is_required: bool = False
    choices: tuple[Choice, ...] = ()
    hint: Text | None = None


def _choices(**titles: Text) -> tuple[Choice, ...]:
    return tuple(Choice(value=value, title=title) for value, title in titles.items())


_MODALITIES = _choices(
    text=Text(zh="文本", en="text"),
    image=Text(zh="图像", en="images"),
    audio=Text(zh="音频", en="audio"),
    video=Text(zh="视频", en="video"),
    code=Text(zh="代码", en="code"),
    table=Text(zh="表格数据", en="tables"),
    control=Text(zh="控制信号", en="control signals"),
)

MODEL = (
    Particular(name="modalities", title=Text(zh="模态", en="Modalities"), form=Form.CHOICES, choices=_MODALITIES),
    Particular(name="parameters", title=Text(zh="参数量", en="Parameters"), form=Form.COUNT),
    Particular(
        name="training_compute_flop",
        title=Text(zh="训练累计计算量（FLOP）", en="Training compute (FLOP)"),
        form=Form.NUMBER,
        hint=Text(zh="例如 1e25", en="For example 1e25"),
    ),
    Particular(
        name="base_model",
        title=Text(zh="基础模型", en="Base model"),
        hint=Text(zh="由哪个模型微调而来：名称或编号", en="What it was tuned from: a name or an id"),
    ),
    Particular(
        name="weights",
        title=Text(zh="权重", en="Weights"),
        form=Form.CHOICE,
        choices=_choices(
            open=Text(zh="公开下载", en="open, for download"),
            held=Text(zh="自行持有，不公开", en="held by the operator, not public"),
            hosted=Text(zh="由他人托管，仅经接口使用", en="hosted by somebody else, used through an API"),
        ),
    ),
    Particular(name="data_until", title=Text(zh="训练数据截至", en="Training data until"), form=Form.DAY),
)
AGENT = (
    Particular(
        name="acts_on",
        title=Text(zh="可以对什么采取行动", en="What it may act on"),
        form=Form.LINES,
        is_required=True,
        hint=Text(zh="每行一项，例如：工单系统：新建、回复", en="One a line, for example: tickets: create, answer"),
    ),
    Particular(
        name="may_not",
        title=Text(zh="明确不得做什么", en="What it must not do"),
        form=Form.LINES,
        hint=Text(zh="每行一项", en="One a line"),
    ),
    Particular(
        name="autonomy",
        title=Text(zh="自主程度", en="How far it acts alone"),
        form=Form.CHOICE,
        choices=_choices(
            suggests=Text(zh="只提建议，由人执行", en="suggests; a person acts"),
            asks=Text(zh="行动前须经人同意", en="asks a person before it acts"),
            limits=Text(zh="在限定范围内自行行动", en="acts alone within limits"),
            alone=Text(zh="自行行动", en="acts alone"),
        ),
    ),
    Particular(name="endpoint", title=Text(zh="接口地址", en="Endpoint"), form=Form.URL),
    Particular(
        name="key_fingerprint",
        title=Text(zh="公钥指纹（SHA-256）", en="Fingerprint of its public key (SHA-256)"),
        form=Form.FINGERPRINT,
        hint=Text(zh="64 位十六进制；不同智能体不得共用同一公钥", en="64 hex digits; no two agents share a key"),
    ),
)
COMPONENT = (
    Particular(name="release", title=Text(zh="版本", en="Release")),
    Particular(
        name="purl",
        title=Text(zh="软件包地址（purl）", en="Package URL (purl)"),
        hint=Text(zh="例如 pkg:generic/openssl@3.0.15", en="For example pkg:generic/openssl@3.0.15"),
    ),
    Particular(name="supplier", title=Text(zh="供应方", en="Supplier")),
    Particular(name="does", title=Text(zh="起什么作用", en="What it does"), form=Form.TEXT),
)
DATASET = (
    Particular(name="modalities", title=Text(zh="模态", en="Modalities"), form=Form.CHOICES, choices=_MODALITIES),
    Particular(name="records", title=Text(zh="记录数", en="Records"), form=Form.COUNT),
    Particular(
        name="personal_data",
        title=Text(zh="个人信息", en="Personal data"),
        form=Form.CHOICE,
        is_required=True,
        choices=_choices(
            none=Text(zh="不含个人信息", en="holds none"),
            anonymised=Text(zh="已匿名化", en="anonymised"),
            pseudonymised=Text(zh="已去标识化", en="pseudonymised"),
            personal=Text(zh="含个人信息", en="holds personal data"),
            sensitive=Text(zh="含敏感个人信息", en="holds sensitive personal data"),
            unknown=Text(zh="不清楚", en="not known"),
        ),
    ),
    Particular(name="languages", title=Text(zh="语种", en="Languages"), form=Form.LINES),
    Particular(name="sources", title=Text(zh="来源", en="Sources"), form=Form.LINES),
    Particular(name="collected_from", title=Text(zh="采集起始日", en="Collected from"), form=Form.DAY),
    Particular(name="collected_to", title=Text(zh="采集截止日", en="Collected to"), form=Form.DAY),
)
DEPLOYMENT = (
    Particular(
        name="jurisdiction",
        title=Text(zh="法域", en="Jurisdiction"),
        is_required=True,
        hint=Text(zh="例如 CN、EU、GB、CN-GD", en="For example CN, EU, GB, CN-GD"),
    ),
    Particular(
        name="environment",
        title=Text(zh="环境", en="Environment"),
        form=Form.CHOICE,
        is_required=True,
        choices=_choices(
            production=Text(zh="生产", en="production"),
            pilot=Text(zh="试点", en="pilot"),
            staging=Text(zh="预发布", en="staging"),
            offline=Text(zh="离线使用", en="used offline"),
            embodied=Text(zh="装在设备或机器人中", en="inside a device or robot"),
        ),
    ),
    Particular(name="since", title=Text(zh="自何时起", en="Since"), form=Form.DAY, is_required=True),
    Particular(name="until", title=Text(zh="至何时止", en="Until"), form=Form.DAY),
    Particular(name="users", title=Text(zh="用户数", en="Users"), form=Form.COUNT),
    Particular(name="place", title=Text(zh="运行地点", en="Where it runs")),
)

SCHEMAS: Mapping[ThingKind, tuple[Particular, ...]] = {
    ThingKind.MODEL: MODEL,
    ThingKind.AGENT: AGENT,
    ThingKind.COMPONENT: COMPONENT,
    ThingKind.DATASET: DATASET,
    ThingKind.DEPLOYMENT: DEPLOYMENT,
}
"""Kind to its particulars, in the order a form asks for them."""

NEEDS_OWNER = frozenset({ThingKind.AGENT, ThingKind.DEPLOYMENT})
"""Kinds that cannot be without a party that answers: an agent acts, and a deployment is somebody's."""
