"""Wording the pages about complaints share, and what they read of forms."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from litestar import Request
from litestar.datastructures import UploadFile

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.portal.model.complaint_rules import ComplaintRules
from safebelt.rooms.portal.model.complaints import (
    CHANNELS,
    ERASED_BECAUSE,
    SAID_KINDS,
    SPEAKERS,
    STAGES,
    SUSPICIONS,
    Complain,
    Complaint,
    Destination,
    FileIn,
    Stage,
)

COMPLAIN = Text(zh="投诉一个 AI 系统", en="Complain about an AI system")
ABOUT = Text(
    zh="任何人都可以投诉，无需登录，不设 Cookie。投诉会送到负责该系统的一方和主管部门。",
    en="Anybody can complain, without signing in and without cookies. It reaches whoever answers for the system, and "
    "an authority.",
)
RECEIVED = Text(zh="已收到您的投诉", en="Your complaint was received")
FOLLOW = Text(zh="跟进投诉", en="Follow a complaint")
PAPER = Text(zh="投诉表（纸质）", en="Complaint, on paper")
WAITING = Text(zh="回执即将备好", en="Your receipt is nearly ready")
DESK = Text(zh="公众投诉", en="Complaints from the public")
ENTER = Text(zh="录入纸质投诉", en="Enter a complaint that came on paper")
CASE = Text(zh="投诉", en="Complaint")

DONE: Mapping[str, Text] = {
    "answered": Text(
        zh="已答复；投诉人凭查询码可以看到。", en="Answered; whoever complained reads it with their code."
    ),
    "passed": Text(zh="已移交。", en="Passed on."),
    "closed": Text(zh="已办结。", en="Closed."),
    "refused": Text(zh="已记录不予受理及理由。", en="Not taken up; the reason is on record."),
    "apart": Text(zh="已另列。", en="Set apart."),
    "back": Text(zh="已移回。", en="Put back among the others."),
    "added": Text(zh="已补充。", en="Added."),
    "withdrawn": Text(zh="已撤回。", en="Withdrawn."),
    "erased": Text(zh="文字、联系方式和文件均已删除。", en="Texts, contact and files are erased."),
}
"""What a page says once something was done."""

TONES: Mapping[Stage, str] = {
    Stage.RECEIVED: "time",
    Stage.WITH_PARTY: "time",
    Stage.PASSED_ON: "time",
    Stage.ANSWERED: "observe",
    Stage.CLOSED: "retired",
    Stage.REFUSED: "refused",
    Stage.WITHDRAWN: "retired",
}
"""Signs of stages."""


def address_of(request: Request[Any, Any, Any]) -> str:
    """Return where a request comes from, to be counted; it is written nowhere."""
    return request.client.host if request.client else ""


def text_of(data: Mapping[str, Any], name: str) -> str:
    """Return one text field of a form; what is missing or no text is empty."""
    value = data.get(name, "")
    return value if isinstance(value, str) else ""


def uploads(data: Mapping[str, Any], rules: ComplaintRules) -> tuple[FileIn, ...]:
    """Return the files of a form; a field left empty has none."""
    raw = data.get("files")
    each = raw if isinstance(raw, list | tuple) else [raw]
    files = (one for one in each if isinstance(one, UploadFile) and one.filename)
    return tuple(FileIn(name=one.filename, content=one.file.read(rules.file_bytes + 1)) for one in files)


def complain_of(data: Mapping[str, Any]) -> Complain:
    """Return what a form says."""
    names = ("text", "kind", "system_id", "contact", "website", "strike")
    return Complain(**{name: text_of(data, name) for name in names})


def typed(data: Mapping[str, Any]) -> dict[str, str]:
    """Return what was typed, to come back with what is wrong with it; files have to be chosen anew."""
    return {name: value for name, value in data.items() if isinstance(value, str) and name != "website"}


def kinds(rules: ComplaintRules, lang: Lang) -> list[tuple[str, str]]:
    """Return the kinds that are taken as choices."""
    return [(id_, name.in_(lang)) for id_, name in rules.kinds.items()]


def grouped(code: str) -> str:
    """Return a follow code as people write it down.

    Example:
        >>> grouped("0123456789abcdefghjkmnpqrs")
        '01234-56789-abcde-fghjk-mnpqrs'
    """
    cut = 20
    head = [code[at : at + 5] for at in range(0, cut, 5)]
    return "-".join((*head, code[cut:]))


def tone(complaint: Complaint, today: date) -> str:
    """Return the sign of a complaint."""
    return "flag" if complaint.is_overdue(today) else TONES[complaint.stage]


def left(due: date, today: date) -> Text:
    """Say how many days are left, or how long an answer is overdue."""
    days = (due - today).days
    if days < 0:
        return Text(zh=f"已逾期 {-days} 天", en=f"{-days} day{'' if days == -1 else 's'} overdue")
    if days == 0:
        return Text(zh="今天到期", en="due today")
    return Text(zh=f"还剩 {days} 天", en=f"{days} day{'' if days == 1 else 's'} left")


def goes_to(where: Destination) -> tuple[Text, ...]:
    """Say whom a complaint reaches, and, of whom it does not reach, so plainly with what can be done instead."""
    return (_to_party(where), _to_authority(where))


def _to_party(where: Destination) -> Text:
    if where.party:
        return Text(zh=f"责任方：{where.party}。", en=f"Who answers for it: {where.party}.")
    if where.has_party:
        return Text(
            zh="责任方：登记册中负责该系统的一方（名称不公开）。",
            en="Who answers for it: the party in the register, whose name is not public.",
        )
    return Text(
        zh="责任方：登记册没有说明由谁负责。登记册的管理者会收到它，并查找应由谁答复；您也可以直接联系提供该服务的机构。",
        en="Who answers for it: this register names nobody. Whoever keeps the register gets it and looks for who has "
        "to answer; you can also turn directly to the organisation whose service it was.",
    )


def _to_authority(where: Destination) -> Text:
    if where.authority:
        return Text(zh=f"主管部门：{where.authority}。", en=f"Authority: {where.authority}.")
    return Text(
        zh="主管部门：登记册没有列出对此主管的部门，因此没有主管部门收到它。您可以带着回执，向您所在地的主管部门、"
        "消费者保护或个人信息保护机构投诉；有人身危险时，请拨打急救或报警电话。",
        en="Authority: this register names none that is competent, so none has received it. You can take your receipt "
        "to the authority, consumer protection or data protection office where you live. Where anybody is in danger, "
        "call the emergency number.",
    )


__all__ = [
    "ABOUT",
    "CASE",
    "CHANNELS",
    "COMPLAIN",
    "DESK",
    "DONE",
    "ENTER",
    "ERASED_BECAUSE",
    "FOLLOW",
    "PAPER",
    "RECEIVED",
    "SAID_KINDS",
    "SPEAKERS",
    "STAGES",
    "SUSPICIONS",
    "TONES",
    "WAITING",
    "address_of",
    "complain_of",
    "goes_to",
    "grouped",
    "kinds",
    "left",
    "text_of",
    "tone",
    "typed",
    "uploads",
]
