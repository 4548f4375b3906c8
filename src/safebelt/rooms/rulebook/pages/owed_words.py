"""Wording and small readings that the pages of duties, trials and drafts share."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from litestar import Request
from litestar.params import PathParameter, QueryParameter, URLEncodedBody

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.rulebook.pages.owed_view import When

AnyRequest = Request[Any, Any, Any]
PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
FormData = URLEncodedBody[dict[str, str | list[str]]]
Day = Annotated[str, QueryParameter(max_length=10)]
Word = Annotated[str, QueryParameter(max_length=100)]
PageNumber = Annotated[int, QueryParameter(ge=1, le=100_000)]

OWED = Text(zh="我的义务", en="What I owe")
PARTY = Text(zh="各系统的义务", en="What is owed across systems")
TRY = Text(zh="试判一个系统", en="Try the law on a system")
DRAFTS = Text(zh="修正与草案", en="Amendments and drafts")
CHECKED = Text(zh="草案会改变什么", en="What the draft would change")
PROPOSAL = Text(zh="通过草案的提案", en="Proposal to adopt a draft")

GROUPS: Mapping[When, tuple[Text, Text]] = {
    When.PASSED: (
        Text(zh="日期已过", en="Date has passed"),
        Text(
            zh="这里不知道是否已经履行：请逐项核对，并留存证据。",
            en="Whether they were done is not known here: check each, and keep the evidence.",
        ),
    ),
    When.SOON: (
        Text(zh="未来 90 天", en="Within 90 days"),
        Text(zh="到期或者开始约束的日期在 90 天之内。", en="Due, or beginning to bind, within 90 days."),
    ),
    When.LATER: (
        Text(zh="90 天以后", en="Later"),
        Text(zh="到期或者开始约束的日期在 90 天之后。", en="Due, or beginning to bind, after that."),
    ),
    When.STANDING: (
        Text(zh="持续或随时", en="Standing"),
        Text(
            zh="现在就适用，没有已知的单一到期日。",
            en="They apply now, and no known date is their only one.",
        ),
    ),
    When.UPON: (
        Text(zh="发生某事才起算", en="Upon an event"),
        Text(zh="义务已经存在，期限从所述事件发生时起算。", en="The duty stands; its clock starts with the event."),
    ),
}

DONE: Mapping[str, Text] = {
    "override-proposed": Text(
        zh="例外已提出，并已记入账本；须由另一人同意后才生效。",
        en="The exception is proposed, and the ledger remembers it. It holds once another person seconds it.",
    ),
    "override": Text(zh="例外已生效，并已记入账本。", en="The exception holds, and the ledger remembers it."),
    "refused": Text(zh="提案已否决，并已记入账本。", en="The proposal is refused, and the ledger remembers it."),
    "proposed": Text(
        zh="提案已提出，并已记入账本；须由另一人同意后草案才参与判断。",
        en="It is proposed, and the ledger remembers it. The draft judges once another person seconds it.",
    ),
    "adopted": Text(
        zh="草案已由两人通过，并已记入账本；自其生效日起参与判断。",
        en="Two people adopted the draft, and the ledger remembers it. It judges from its day on.",
    ),
}
"""What a page says after a deed; the address carries the key only, so nobody can put words in our mouth."""


def notice(request: AnyRequest) -> Text | None:
    """Return what a page says after a deed."""
    return DONE.get(request.query_params.get("done", ""))


def day(typed: str) -> date | None:
    """Read the day a reader chose; None for none.

    Raises:
        Invalid: It is no day.
    """
    if not typed.strip():
        return None
    try:
        return date.fromisoformat(typed.strip())
    except ValueError:
        raise Invalid(
            what=Text(zh=f"“{typed}”不是日期。", en=f"“{typed}” is no day."),
            hint=Text(zh="请写成 2026-11-22 的样子。", en="Write it as 2026-11-22."),
            details={"field": "on"},
        ) from None


def one(data: Mapping[str, str | list[str]], name: str) -> str:
    """Return what was typed into a field of a form."""
    value = data.get(name, "")
    return value if isinstance(value, str) else (value[0] if value else "")


def many(data: Mapping[str, str | list[str]], name: str) -> tuple[str, ...]:
    """Return what was ticked in a form."""
    value = data.get(name, [])
    return (value,) if isinstance(value, str) else tuple(value)
