"""The closed vocabularies of the rule language, each word with its title in both languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from safebelt.kernel.text import Text

LANGUAGE_VERSION = "1.0"
"""Version of the rule language: what files of law may say.  Counted apart from the software's version."""

NOT_LEGAL_ADVICE = Text(
    zh="本结果供理解之用，不构成法律意见，也不代表任何主管部门的批准。",
    en="This is here to help understanding. It is not legal advice, and no authority has approved anything by it.",
)
"""Stands beside every judgment that leaves the house."""


class FactType(StrEnum):
    """What values a fact takes: bool, str, tuple[str, ...], int or float, date, str."""

    YES_NO = "yes_no"
    ONE_OF = "one_of"
    SOME_OF = "some_of"
    NUMBER = "number"
    DATE = "date"
    TEXT = "text"


class Subject(StrEnum):
    """What a fact is about."""

    SYSTEM = "system"
    PROVIDER = "provider"
    DEPLOYER = "deployer"
    PARTY = "party"
    MODEL = "model"
    CONTENT = "content"
    EVENT = "event"
    INCIDENT = "incident"


OCCURRENCES = frozenset({Subject.EVENT, Subject.INCIDENT})
"""Subjects that are never asked about to classify a system: they start clocks."""


class Kind(StrEnum):
    """What an instrument is."""

    LAW = "law"
    STANDARD = "standard"
    FRAMEWORK = "framework"
    COVENANT = "covenant"
    HOUSE = "house"


class Standing(StrEnum):
    """Where an instrument stands."""

    IN_FORCE = "in_force"
    ADOPTED = "adopted"
    DRAFT = "draft"
    VOLUNTARY = "voluntary"
    REPEALED = "repealed"


class Basis(StrEnum):
    """On what our knowledge of a text rests."""

    PRIMARY = "primary"
    TWO_SECONDARY = "two_secondary"
    SECONDARY = "secondary"
    RECALLED = "recalled"
    UNSURE = "unsure"


class Status(StrEnum):
    """Whether it may count against anybody: what is unverified informs and does nothing else."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"


class Modality(StrEnum):
    """What a norm does: demand, forbid, entitle, exempt."""

    MUST = "must"
    MUST_NOT = "must_not"
    MAY = "may"
    EXEMPT = "exempt"


class Bearer(StrEnum):
    """On whom a norm lies."""

    PROVIDER = "provider"
    DEPLOYER = "deployer"
    IMPORTER = "importer"
    DISTRIBUTOR = "distributor"
    AUTHORISED_REPRESENTATIVE = "authorised_representative"
    PRODUCT_MANUFACTURER = "product_manufacturer"
    GPAI_PROVIDER = "gpai_provider"
    FRONTIER_DEVELOPER = "frontier_developer"
    DEVELOPER = "developer"
    PROPAGATION_PLATFORM = "propagation_platform"
    APP_STORE = "app_store"
    NETWORK_OPERATOR = "network_operator"
    CII_OPERATOR = "cii_operator"
    PERSONAL_INFORMATION_HANDLER = "personal_information_handler"
    RESEARCH_INSTITUTION = "research_institution"
    ETHICS_COMMITTEE = "ethics_committee"
    EMPLOYER = "employer"
    USER = "user"
    AFFECTED_PERSON = "affected_person"
    ANYONE = "anyone"
    ORGANISATION = "organisation"
    SIGNATORY = "signatory"
    AUTHORITY = "authority"


class Unit(StrEnum):
    """Units of legal time."""

    HOURS = "hours"
    DAYS = "days"
    WORKING_DAYS = "working_days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"


class DueKind(StrEnum):
    """How a duty is tied to time."""

    BEFORE = "before"
    AT = "at"
    PROMPTLY = "promptly"
    WITHIN = "within"
    BY = "by"
    EVERY = "every"
    ALWAYS = "always"


class RelationKind(StrEnum):
    """How the left provision of a crosswalk stands to the right one, as sets of what they demand."""

    EQUAL = "equal"
    SUBSET = "subset"
    SUPERSET = "superset"
    INTERSECTS = "intersects"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something duties are timed by.

    Attributes:
        id: Its word in the rule language.
        title: As it is said after *before*, *at*, *after*.
        fact: The date fact that fixes it; nothing where it is only told in words.
    """

    id: str
    title: Text
    fact: str | None = None


EVENTS: Mapping[str, Event] = {
    event.id: event
    for event in (
        Event(
            id="placing_on_market",
            title=Text(zh="投放市场", en="placing on the market"),
            fact="event.placed_on_market_on",
        ),
        Event(id="first_use", title=Text(zh="首次使用", en="first use"), fact="event.first_use_on"),
        Event(id="launch", title=Text(zh="上线", en="launch"), fact="event.launched_on"),
        Event(id="significant_change", title=Text(zh="重大变更", en="a significant change"), fact="event.changed_on"),
        Event(id="end_of_service", title=Text(zh="终止服务", en="the end of service"), fact="event.ended_on"),
        Event(
            id="incident_aware",
            title=Text(zh="知悉事件", en="becoming aware of the incident"),
            fact="incident.aware_on",
        ),
        Event(
            id="incident_closed",
            title=Text(zh="事件处置完毕", en="closing the incident"),
            fact="incident.closed_on",
        ),
        Event(id="threshold_met", title=Text(zh="达到门槛", en="meeting the threshold"), fact="event.threshold_met_on"),
        Event(
            id="adverse_decision",
            title=Text(zh="作出不利决定", en="the adverse decision"),
            fact="event.adverse_decision_on",
        ),
        Event(id="request", title=Text(zh="收到请求", en="the request"), fact="event.request_on"),
        Event(id="first_interaction", title=Text(zh="首次交互", en="the first interaction")),
        Event(id="each_output", title=Text(zh="每次输出", en="each output")),
        Event(id="each_session", title=Text(zh="每次会话", en="each session")),
        Event(id="recruitment", title=Text(zh="招聘", en="recruitment")),
        Event(id="audit", title=Text(zh="审计", en="the audit")),
    )
}

UNITS: Mapping[Unit, Text] = {
    Unit.HOURS: Text(zh="小时", en="hours"),
    Unit.DAYS: Text(zh="日", en="days"),
    Unit.WORKING_DAYS: Text(zh="个工作日", en="working days"),
    Unit.WEEKS: Text(zh="周", en="weeks"),
    Unit.MONTHS: Text(zh="个月", en="months"),
    Unit.YEARS: Text(zh="年", en="years"),
}

MEASURES: Mapping[str, Text] = {
    "people": Text(zh="人", en="people"),
    "hours": Text(zh="小时", en="hours"),
    "days": Text(zh="日", en="days"),
    "months": Text(zh="个月", en="months"),
    "seconds": Text(zh="秒", en="seconds"),
    "CNY": Text(zh="元人民币", en="CNY"),
    "USD": Text(zh="美元", en="USD"),
    "FLOP": Text(zh="次浮点运算", en="FLOP"),
    "questions": Text(zh="道题", en="questions"),
    "keywords": Text(zh="个关键词", en="keywords"),
    "items": Text(zh="条", en="items"),
    "inputs": Text(zh="次输入", en="inputs"),
    "clicks": Text(zh="次点击", en="clicks"),
    "views": Text(zh="次浏览", en="views"),
    "reposts": Text(zh="次转发", en="reposts"),
    "times": Text(zh="次", en="times"),
    "risks": Text(zh="类风险", en="risks"),
    "characters per minute": Text(zh="字每分钟", en="characters per minute"),
    "share of the original training compute": Text(zh="（占原训练算力的比例）", en="of the original training compute"),
}
"""Units of facts and parameters in words.  A `share` is told in per cent; a unit that is not here, as written."""

MODALITIES: Mapping[Modality, Text] = {
    Modality.MUST: Text(zh="应当", en="must"),
    Modality.MUST_NOT: Text(zh="不得", en="must not"),
    Modality.MAY: Text(zh="可以", en="may"),
    Modality.EXEMPT: Text(zh="豁免", en="is exempt"),
}

KINDS: Mapping[Kind, Text] = {
    Kind.LAW: Text(zh="法律", en="law"),
    Kind.STANDARD: Text(zh="标准", en="standard"),
    Kind.FRAMEWORK: Text(zh="框架", en="framework"),
    Kind.COVENANT: Text(zh="公约", en="covenant"),
    Kind.HOUSE: Text(zh="内部规则", en="house rule"),
}

STANDINGS: Mapping[Standing, Text] = {
    Standing.IN_FORCE: Text(zh="现行有效", en="in force"),
    Standing.ADOPTED: Text(zh="已通过", en="adopted"),
    Standing.DRAFT: Text(zh="草案", en="draft"),
    Standing.VOLUNTARY: Text(zh="自愿采用", en="voluntary"),
    Standing.REPEALED: Text(zh="已废止", en="repealed"),
}

BASES: Mapping[Basis, Text] = {
    Basis.PRIMARY: Text(zh="已见原文", en="primary text seen"),
    Basis.TWO_SECONDARY: Text(zh="两个二手来源一致", en="two secondary sources agree"),
    Basis.SECONDARY: Text(zh="一个二手来源", en="one secondary source"),
    Basis.RECALLED: Text(zh="凭记忆", en="from memory"),
    Basis.UNSURE: Text(zh="不确定", en="unsure"),
}

STATUSES: Mapping[Status, Text] = {
    Status.VERIFIED: Text(zh="已核实", en="verified"),
    Status.UNVERIFIED: Text(zh="未核实，仅供参考", en="unverified: it only informs"),
}

RELATIONS: Mapping[RelationKind, Text] = {
    RelationKind.EQUAL: Text(zh="等同于", en="is equal to"),
    RelationKind.SUBSET: Text(zh="包含于", en="is contained in"),
    RelationKind.SUPERSET: Text(zh="包含", en="contains"),
    RelationKind.INTERSECTS: Text(zh="与之部分重合", en="overlaps with"),
}

BEARERS: Mapping[Bearer, Text] = {
    Bearer.PROVIDER: Text(zh="提供者", en="provider"),
    Bearer.DEPLOYER: Text(zh="部署者", en="deployer"),
    Bearer.IMPORTER: Text(zh="进口者", en="importer"),
    Bearer.DISTRIBUTOR: Text(zh="分销者", en="distributor"),
    Bearer.AUTHORISED_REPRESENTATIVE: Text(zh="授权代表", en="authorised representative"),
    Bearer.PRODUCT_MANUFACTURER: Text(zh="产品制造者", en="product manufacturer"),
    Bearer.GPAI_PROVIDER: Text(zh="通用人工智能模型提供者", en="provider of a general-purpose AI model"),
    Bearer.FRONTIER_DEVELOPER: Text(zh="前沿模型开发者", en="frontier developer"),
    Bearer.DEVELOPER: Text(zh="开发者", en="developer"),
    Bearer.PROPAGATION_PLATFORM: Text(zh="内容传播平台", en="platform that spreads content"),
    Bearer.APP_STORE: Text(zh="应用程序分发平台", en="app store"),
    Bearer.NETWORK_OPERATOR: Text(zh="网络运营者", en="network operator"),
    Bearer.CII_OPERATOR: Text(zh="关键信息基础设施运营者", en="operator of critical information infrastructure"),
    Bearer.PERSONAL_INFORMATION_HANDLER: Text(zh="个人信息处理者", en="personal information handler"),
    Bearer.RESEARCH_INSTITUTION: Text(zh="科研机构", en="research institution"),
    Bearer.ETHICS_COMMITTEE: Text(zh="伦理委员会", en="ethics committee"),
    Bearer.EMPLOYER: Text(zh="用人单位", en="employer"),
    Bearer.USER: Text(zh="用户", en="user"),
    Bearer.AFFECTED_PERSON: Text(zh="受影响的人", en="affected person"),
    Bearer.ANYONE: Text(zh="任何人", en="anyone"),
    Bearer.ORGANISATION: Text(zh="组织", en="organisation"),
    Bearer.SIGNATORY: Text(zh="签署方", en="signatory"),
    Bearer.AUTHORITY: Text(zh="主管机关", en="authority"),
}
