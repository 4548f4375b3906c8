"""Copies without a visible notice: when one may be given, and how long who received it is kept.  Pure.

The notice is left out when a copy is made from the original; from a file that carries one it is never taken off.
"""

from calendar import monthrange
from datetime import date

from safebelt.kernel.errors import Conflict, Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.labelling.model import Axis, Checked, Verdict
from safebelt.rooms.labelling.model.copies import MAX_CHARACTERS, GiveCopy

_OURS = (Axis.LEDGER, Axis.WATERMARK)
"""Answers that are *ok* only where this house marked the file, or what it comes from."""


def hold_request(cmd: GiveCopy) -> None:
    """Hold that a request says who asks, why, and what was agreed.

    Raises:
        Invalid: A part is missing or too long.
    """
    parts = {
        "system": cmd.system_id,
        "name": cmd.recipient.name,
        "contact": cmd.recipient.contact,
        "reason": cmd.recipient.reason,
        "agreement": cmd.agreement,
    }
    for field, said in parts.items():
        if not said.strip() or len(said) > MAX_CHARACTERS or not said.isprintable():
            raise Invalid(
                what=Text(
                    zh=f"“{field}”为空、过长或含有控制字符。",
                    en=f"{field!r} is empty, too long, or holds control characters.",
                ),
                hint=Text(
                    zh="请写明谁要、如何联系、用途，以及由其承担标识义务的协议，各不超过 500 字。",
                    en="Say who asks, how to reach them, what for, and by which agreement labelling became their duty; "
                    "500 characters each.",
                ),
                details={"field": field},
            )


def hold_original(seen: Checked, *, is_ours: bool) -> None:
    """Hold that a file is the original, and not one from which a notice would have to be taken.

    Args:
        seen: What a check of it came to.
        is_ours: Whether its label names a mark of this house.

    Raises:
        Conflict: It carries a notice, or this house marked it already, or the look into it came to no end.
    """
    if is_ours or any(seen.axes[axis].verdict is Verdict.OK for axis in _OURS):
        raise Conflict(
            what=Text(
                zh="这个文件已由本机构加注标识，画面中可能带有提示。",
                en="This house marked this file already, and a notice may be in what it shows.",
            ),
            hint=_HINT,
        )
    if seen.axes[Axis.EXPLICIT].verdict is Verdict.OK:
        raise Conflict(what=Text(zh="这个文件已带有显式标识。", en="This file carries a visible notice."), hint=_HINT)
    if not seen.kind:
        raise Conflict(what=Text(zh="这个文件未能检验完毕。", en="This file could not be looked through."), hint=_HINT)


_HINT = Text(
    zh="副本只从未加标识的原件制作，从不从已加标识的文件中去除标识。请给出原件。",
    en="A copy is made from the original that was not marked, never by taking a mark off. Hand in the original.",
)


def keep_until(on: date, months: int) -> date:
    """Return the last day on which who received a copy is kept: the same day of a later month, or its last."""
    index = on.month - 1 + months
    year, month = on.year + index // 12, index % 12 + 1
    return date(year, month, min(on.day, monthrange(year, month)[1]))
