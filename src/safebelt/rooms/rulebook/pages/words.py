"""Wording the pages that show the law share: titles, places, kinds, notices."""

from collections.abc import Mapping
from typing import Any

from litestar import Request

from safebelt.kernel.errors import Problem
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model import (
    BASES,
    BEARERS,
    KINDS,
    MODALITIES,
    RELATIONS,
    STANDINGS,
    STATUSES,
    Deed,
    Held,
    Part,
    Subject,
)
from safebelt.rooms.rulebook.model.deeds import OPINIONS, GapKind
from safebelt.web.security import actor_of

__all__ = [
    "BASES",
    "BEARERS",
    "KINDS",
    "MODALITIES",
    "OPINIONS",
    "RELATIONS",
    "STANDINGS",
    "STATUSES",
]

HOME = Text(zh="规则库", en="Rulebook")
NORMS = Text(zh="查找规则", en="Find what the law demands")
CROSSWALK = Text(zh="规定对照", en="Crosswalks")
COVERAGE = Text(zh="证据通用", en="How far evidence reaches")
COMPLETENESS = Text(zh="编入情况", en="What is encoded")
FACTS = Text(zh="事实词表", en="Facts")
COVENANTS = Text(zh="自愿公约", en="Covenants")
GAPS = Text(zh="规则空白", en="Gaps in the law")

JURISDICTIONS: Mapping[str, Text] = {
    "cn": Text(zh="中国", en="China"),
    "eu": Text(zh="欧盟", en="European Union"),
    "us-ca": Text(zh="美国加利福尼亚州", en="California, US"),
    "us-co": Text(zh="美国科罗拉多州", en="Colorado, US"),
    "us-ny": Text(zh="美国纽约州", en="New York State, US"),
    "us-nyc": Text(zh="美国纽约市", en="New York City, US"),
    "us-tx": Text(zh="美国得克萨斯州", en="Texas, US"),
    "kr": Text(zh="韩国", en="South Korea"),
    "jp": Text(zh="日本", en="Japan"),
    "sg": Text(zh="新加坡", en="Singapore"),
    "vn": Text(zh="越南", en="Vietnam"),
    "intl": Text(zh="国际", en="International"),
    "house": Text(zh="本机构", en="This house"),
}
"""In the order they are listed."""

MILESTONES: Mapping[str, Text] = {
    "adopted": Text(zh="通过", en="adopted"),
    "published": Text(zh="公布", en="published"),
    "in_force": Text(zh="施行", en="in force"),
}

DEEDS: Mapping[Deed, Text] = {
    Deed.ADD: Text(zh="新增", en="added"),
    Deed.AMEND: Text(zh="修改", en="changed"),
    Deed.REPEAL: Text(zh="废止", en="repealed"),
}
PARTS: Mapping[Part, Text] = {
    Part.PROVISION: Text(zh="条款", en="provision"),
    Part.FACT: Text(zh="事实", en="fact"),
    Part.TERM: Text(zh="定义", en="definition"),
    Part.NORM: Text(zh="规则", en="norm"),
    Part.PARAMETER: Text(zh="数值", en="number"),
    Part.DERIVED: Text(zh="推算事实", en="derived fact"),
    Part.CLASS: Text(zh="类别", en="class"),
}
FIELDS: Mapping[str, Text] = {
    "title": Text(zh="标题", en="title"),
    "says": Text(zh="内容", en="what it says"),
    "summary": Text(zh="摘要", en="summary"),
    "modality": Text(zh="性质", en="kind"),
    "bearer": Text(zh="承担者", en="who"),
    "cites": Text(zh="依据", en="citations"),
    "in_force": Text(zh="条文生效日", en="in force by its text"),
    "starts": Text(zh="其他起始日", en="other first days"),
    "effective": Text(zh="实际起作用日", en="can bite from"),
    "when": Text(zh="适用条件", en="condition"),
    "unless": Text(zh="例外", en="exception"),
    "upon": Text(zh="触发事件", en="what starts its clock"),
    "overrides": Text(zh="优先于", en="prevails over"),
    "due": Text(zh="期限", en="due"),
    "evidence": Text(zh="证据", en="evidence"),
    "controls": Text(zh="机器执行的措施", en="measures a machine enforces"),
    "red_line": Text(zh="红线", en="red line"),
    "penalty": Text(zh="罚则", en="penalty"),
    "basis": Text(zh="资料来源", en="basis"),
    "status": Text(zh="核实情况", en="status"),
    "interpretation": Text(zh="解释说明", en="interpretation"),
    "duty": Text(zh="含义务", en="puts a duty on somebody"),
    "no_norm": Text(zh="没有规则的原因", en="why no norm"),
    "values": Text(zh="数值", en="values"),
    "bars": Text(zh="禁止服务", en="bars service"),
}

HELD: Mapping[Held, Text] = {
    Held.FULLY: Text(zh="所列证据都有", en="all its evidence held"),
    Held.PARTLY: Text(zh="有一部分", en="some held"),
    Held.NOT: Text(zh="都没有", en="none held"),
    Held.NONE_NAMED: Text(zh="未列明证据", en="names no evidence"),
}
SUBJECTS: Mapping[Subject, Text] = {
    Subject.SYSTEM: Text(zh="系统", en="System"),
    Subject.PROVIDER: Text(zh="提供者", en="Provider"),
    Subject.DEPLOYER: Text(zh="部署者", en="Deployer"),
    Subject.PARTY: Text(zh="主体", en="Party"),
    Subject.MODEL: Text(zh="模型", en="Model"),
    Subject.CONTENT: Text(zh="内容", en="Content"),
    Subject.EVENT: Text(zh="已发生的事项", en="What has happened"),
    Subject.INCIDENT: Text(zh="安全事件", en="Incident"),
}
GAP_KINDS: Mapping[GapKind, Text] = {
    GapKind.INCIDENT: Text(zh="安全事件", en="incident"),
    GapKind.COMPLAINT: Text(zh="投诉", en="complaint"),
    GapKind.SANDBOX_FINDING: Text(zh="沙盒结论", en="sandbox finding"),
}

REVIEW_FIELDS: Mapping[str, Text] = {
    "opinion": Text(zh="意见", en="Your opinion"),
    "note": Text(zh="核对了什么", en="What you checked"),
}
COVENANT_FIELDS: Mapping[str, Text] = {
    "party": Text(zh="主体编号", en="Party's id"),
    "covenant": Text(zh="公约", en="Covenant"),
    "reason": Text(zh="退出理由", en="Reason for leaving"),
}

DONE: Mapping[str, Text] = {
    "review": Text(zh="复核意见已记录，并已记入存证账本。", en="Your review is recorded, and the ledger remembers it."),
    "adopted": Text(
        zh="公约自今日起约束该主体，并已记入存证账本。",
        en="The covenant binds the party from today, and the ledger remembers it.",
    ),
    "left": Text(
        zh="公约自今日起不再约束该主体，并已记入存证账本。",
        en="The covenant binds the party no longer, and the ledger remembers it.",
    ),
}
"""What a page says after a deed; the address carries the key only, so nobody can put words in our mouth."""


def notice(request: Request[Any, Any, Any]) -> Text | None:
    """Return what a page says after a deed."""
    return DONE.get(request.query_params.get("done", ""))


def may(request: Request[Any, Any, Any], action: str) -> bool:
    """Whether who asks may do something, so that a form is shown only to those it serves."""
    try:
        request.app.state.authorize(actor_of(request), action, "")
    except Problem:
        return False
    return True
