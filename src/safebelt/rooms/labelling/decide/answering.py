"""One answer of a check, and the one about time.  Pure."""

from datetime import datetime
from functools import lru_cache

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.labelling.model.checks import AxisFound, Verdict
from safebelt.rooms.labelling.model.provenance import Manifest

_HOLDS = {
    Verdict.OK: Truth.TRUE,
    Verdict.BAD: Truth.FALSE,
    Verdict.ABSENT: Truth.UNKNOWN,
    Verdict.UNKNOWN: Truth.UNKNOWN,
}
_TRUSTED = frozenset({"timeStamp.validated", "timeStamp.trusted"})
"""What is asked for, both: it is of this signature, and its maker's chain leads to a root that is trusted here."""


def found(verdict: Verdict, zh: str, en: str, *because: Reason) -> AxisFound:
    """Return one answer with its reason."""
    return _made(verdict, zh, en, because) if because else _again(verdict, zh, en)


def _made(verdict: Verdict, zh: str, en: str, because: tuple[Reason, ...] = ()) -> AxisFound:
    return AxisFound(verdict=verdict, reason=Reason(says=Text(zh=zh, en=en), holds=_HOLDS[verdict], because=because))


_again = lru_cache(maxsize=128)(_made)
"""Most answers are given to file after file, in the same words."""


def time_of(
    manifest: Manifest,
    *,
    is_valid: Reason | None,
    lasts: tuple[datetime, datetime] | None,
    stamper: tuple[Reason, ...] = (),
) -> AxisFound:
    """Say when a manifest was signed, as far as that is proven.

    A certificate that is over by now was in its time when it signed, if a time-stamp says so.  One that was revoked is
    not made good by a stamp: its key may have been another's before anybody knew.

    Args:
        manifest: What the engine found.
        is_valid: Whether the signing certificate is in its time now; None where that was not asked.
        lasts: From when and until when it counts, by its issuer's own records; None where those are not this house's.
        stamper: Whether who made the stamp may be believed: chain, revocation; empty where nobody was asked.
    """
    stamps = sorted(code for code in manifest.failure if code.startswith("timeStamp."))
    if stamps:
        return found(Verdict.BAD, f"时间戳不成立（{stamps[0]}）。", f"The time-stamp does not hold ({stamps[0]}).")
    if manifest.signed_at:
        return _stamped(manifest, lasts, stamper)
    if is_valid is None or is_valid.holds is Truth.TRUE:
        return found(
            Verdict.ABSENT,
            "没有时间戳，签名时间未得到证明。",
            "There is no time-stamp: when it was signed is not proven.",
        )
    return found(
        Verdict.UNKNOWN,
        "证书不在有效期内，又没有时间戳证明签名在其有效期内完成。",
        "The certificate is not in its time, and no time-stamp proves that it was when it signed.",
        is_valid,
    )


def _stamped(manifest: Manifest, lasts: tuple[datetime, datetime] | None, stamper: tuple[Reason, ...]) -> AxisFound:
    at = moment(manifest.signed_at)
    if not manifest.success >= _TRUSTED or at is None:
        return found(
            Verdict.UNKNOWN,
            "时间戳的签发者不在此处信任之列，或时间无法读取。",
            "The time-stamp is by somebody not trusted here, or its time cannot be read.",
        )
    shown = f"{at:%Y-%m-%d %H:%M:%S} UTC"
    if lasts is not None and not lasts[0] <= at <= lasts[1]:
        return found(
            Verdict.BAD,
            f"时间戳证明签名于 {shown} 作出，当时证书不在有效期内。",
            f"A time-stamp proves that it was signed at {shown}, when the certificate was not in its time.",
        )
    if lasts is None and "claimSignature.outsideValidity" in manifest.failure:
        return found(
            Verdict.BAD,
            "签名时证书不在有效期内。",
            "The certificate was not in its time when it signed.",
        )
    return _by(stamper or (_NOT_ASKED,), shown, manifest.stamper_name[:100])


def _by(stamper: tuple[Reason, ...], shown: str, name: str) -> AxisFound:
    """Say what a stamp comes to that holds by itself: as much as its maker may be believed."""
    worst = min(stamper, key=lambda one: (Truth.FALSE, Truth.UNKNOWN, Truth.TRUE).index(one.holds))
    why = _deepest(worst).says
    if worst.holds is Truth.FALSE:
        return found(
            Verdict.BAD,
            f"时间戳称签名于 {shown} 作出，但其签署者（{name}）不可信：{why.zh}",
            f"A time-stamp says that it was signed at {shown}, and its stamper ({name}) is not to be "
            f"believed: {why.en}",
            *stamper,
        )
    if worst.holds is Truth.UNKNOWN:
        return found(
            Verdict.UNKNOWN,
            f"时间戳称签名于 {shown} 作出，其签署者（{name}）是否可信未定：{why.zh}",
            f"A time-stamp says that it was signed at {shown}; whether its stamper ({name}) is to be believed is open: "
            f"{why.en}",
            *stamper,
        )
    return found(
        Verdict.OK,
        f"时间戳证明签名于 {shown} 作出，当时证书在有效期内；其签署者（{name}）的证书链成立，且未被吊销。",
        f"A time-stamp proves that it was signed at {shown}, when the certificate was in its time; its stamper's chain "
        f"holds, and it is not revoked ({name}).",
        *stamper,
    )


def _deepest(reason: Reason) -> Reason:
    """Return the first of a statement's grounds, and of theirs, that stands as it does: what it rests on in the end."""
    for one in reason.because:
        if one.holds is reason.holds:
            return _deepest(one)
    return reason


_NOT_ASKED = Reason(
    says=Text(
        zh="未询问时间戳签署者的证书是否被吊销：检验不访问网络，或本机构的记录无法回答。",
        en="Whether the stamper's certificate was revoked was not asked: the check uses no network, or this house's "
        "records do not answer.",
    ),
    holds=Truth.UNKNOWN,
)


def moment(text: str) -> datetime | None:
    """Read a moment as the engine writes it (RFC 3339); None where it is none, or of no time zone."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
