"""Words on what records keep of texts, and for how long."""

from safebelt.kernel.errors import Invalid, Refused
from safebelt.kernel.text import Text

SIX_MONTHS = 183
"""In days: what the rulebook's norms on keeping logs name (controls of kind `log_retention`)."""
MOST_DAYS = 36_500
"""A hundred years: beyond that a number of days is a slip."""


def hold_days(days: int) -> None:
    """Hold that texts can be kept for so many days.

    Raises:
        Invalid: They cannot.
    """
    if not 0 <= days <= MOST_DAYS:
        raise Invalid(
            what=Text(zh=f"文本不能保存 {days} 天。", en=f"Texts cannot be kept for {days} days."),
            hint=Text(
                zh=f"请填写 1 至 {MOST_DAYS}；0 表示与记录同期。",
                en=f"Give 1 to {MOST_DAYS}; 0 means for as long as the records are there.",
            ),
            details={"field": "content_days"},
        )


def two_people_seal() -> Refused:
    """Build the problem of originals that one person would keep."""
    return Refused(
        what=Text(
            zh="封存原文会扩大留存范围，须由两人分别作出。",
            en="Sealing originals widens what is kept, and takes two people.",
        ),
        hint=Text(
            zh="请在系统页面提出，或运行 safebelt belt seal，写明公钥、依据与理由。",
            en="Propose it on the system's page or with `safebelt belt seal`: for whom, on what basis, and why.",
        ),
        details={"field": "content"},
    )


def days_said(days: int, least: int = SIX_MONTHS) -> Text | None:
    """Return what to know about texts that go sooner than the house keeps records; None where they do not.

    No verified norm of the rulebook asks for the texts of exchanges to be kept: what its norms on logs name are the
    facts, which stay.  So fewer days are not refused, they are said.
    """
    if not 0 < days < least:
        return None
    return Text(
        zh=f"文本只保存 {days} 天，不足六个月（{least} 天）；事实（时间、调用方、处置与理由）不受影响。"
        "如适用的规定要求保存内容本身，请延长。",
        en=f"Texts are kept {days} days, less than six months ({least} days); facts (when, who, what "
        "was done and why) stay. Where a rule that holds for you asks for the content itself, keep it longer.",
    )
