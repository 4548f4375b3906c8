"""What a caller is told of its strikes: in every answer's head, and in words where something is refused."""

from dataclasses import replace

from safebelt.kernel.text import Text
from safebelt.rooms.belt.model import Standing
from safebelt.rooms.belt.proxy.errors import BeltError
from safebelt.rooms.belt.proxy.wire import Headers

NO_HEADERS: Headers = ()


def headers_of(stands: Standing | None) -> Headers:
    """Return what an answer's head says: how many strikes count, and the newest of them."""
    if stands is None:
        return NO_HEADERS
    return ((b"x-safebelt-strikes", f"{stands.strikes}; newest={stands.newest}".encode("ascii")),)


def warned(error: BeltError, stands: Standing | None, complain_at: Text | None) -> BeltError:
    """Tell a refused caller of its strikes besides, what may come of them, and how to appeal."""
    if stands is None:
        return error
    where = appeal_at(stands.newest, complain_at)
    told = Text(
        zh=f"{error.hint.zh} 此密钥因屡次违规已有 {stands.strikes} 条违规记录（最近一条 {stands.newest}）。"
        f"是否停用密钥由人工审核决定。{where.zh}",
        en=f"{error.hint.en} This key has {stands.strikes} strike(s) for repeated abuse (the newest: {stands.newest}). "
        f"A person decides whether the key is suspended. {where.en}",
    )
    return replace(error, hint=told)


def appeal_at(strike: str, complain_at: Text | None) -> Text:
    """Say how to appeal against a strike.

    Args:
        strike: Its id.
        complain_at: Address of the complaints' page about the system, where there is one.
    """
    if complain_at is None:
        return Text(
            zh=f"如有异议，请联系运营者并告知 {strike}。",
            en=f"To appeal, write to the operator and name {strike}.",
        )
    return Text(
        zh=f"申诉（有回执）：{complain_at.zh}&strike={strike}",
        en=f"To appeal, with a receipt: {complain_at.en}&strike={strike}",
    )
