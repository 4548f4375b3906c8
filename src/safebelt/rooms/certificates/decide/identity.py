"""What a live service signs to prove who it is, and when its certificate is due."""

import re
from datetime import datetime

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.decide.renewal import due_at
from safebelt.rooms.certificates.model import Kept

HEADER = "safebelt identity v1"
"""First line of what is signed: a signature over it fits nothing else."""
_NONCE = re.compile(r"[A-Za-z0-9_-]{22,86}")  # 16 to 64 bytes, base64url without padding


def hold_nonce(nonce: str) -> str:
    """Hold that whoever asks chose enough at random for an older answer not to fit.

    Raises:
        Invalid: It is too short, too long, or not base64url.
    """
    if not _NONCE.fullmatch(nonce):
        raise Invalid(
            what=Text(zh="nonce 不是 16 到 64 字节的 base64url。", en="The nonce is not base64url of 16 to 64 bytes."),
            hint=Text(
                zh="请每次随机生成，例如 `openssl rand 24 | basenc --base64url`。",
                en="Draw a new one each time, for example `openssl rand 24 | basenc --base64url`.",
            ),
            details={"field": "nonce"},
        )
    return nonce


def identity_text(*, system_id: str, place: str, nonce: str, at: datetime) -> str:
    """Return what a service signs.

    Args:
        system_id: Who it says it is.
        place: Where it is reached.  Whoever asks compares it with the address they asked: an answer that another
            place passed on names the wrong one.
        nonce: What the asker chose.
        at: When it answers.
    """
    lines = (
        HEADER,
        f"system {system_id}",
        f"place {place}",
        f"nonce {nonce}",
        f"at {at.isoformat(timespec='seconds')}",
    )
    return "".join(f"{line}\n" for line in lines)


def is_due(kept: Kept, not_before: datetime, now: datetime) -> bool:
    """Whether a kept certificate is to be renewed now."""
    return now >= due_at(not_before, kept.not_after, kept.serial)
