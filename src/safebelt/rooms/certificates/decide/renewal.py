"""When a certificate is renewed, what is signed for that, and how long to wait after a failure.  Pure."""

from datetime import datetime, timedelta
from hashlib import sha256

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.model.certificates import Standing
from safebelt.rooms.certificates.model.renewal import Bearing, Carried

HEADER = "safebelt renewal v1"
"""First line of what is signed: a signature over it fits nothing else, and a proof of identity does not fit it."""
SKEW = timedelta(minutes=10)
"""How far two clocks may be apart.  What keeps a request from being told twice is not this bound: a key gets one
certificate by renewal, however often the request is sent."""
USED = 2 / 3
"""The part of a certificate's life after which it is renewed (30 of 90 days are left)."""
EARLY = 1 / 15
"""At most this part of the life earlier: services that were certified in one hour do not all ask in one hour."""
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)
ASK_EVERY = timedelta(minutes=1)
"""How often a service asks whether its certificate was taken back: so long it may prove what no longer counts."""
_TRIES_LEFT = 8
"""The pause never grows beyond this fraction of what is left, so that an end that comes near is met by more tries."""
_DOUBLINGS = 12
_WHOLE = 1 << 32


def renewal_text(*, system_id: str, fingerprint: str, request: bytes, days: int, at: datetime) -> str:
    """Return what is signed with the key of the certificate in use.

    Args:
        system_id: Whose certificate it is.
        fingerprint: SHA-256 of the certificate in use, hexadecimal: it says by whom it was issued too, so that the
            request is good at one authority only.
        request: The request on the new key, to the byte.
        days: How long the next certificate is to count.
        at: When it is asked for.
    """
    lines = (
        HEADER,
        f"system {system_id}",
        f"certificate {fingerprint}",
        f"request {sha256(request).hexdigest()}",
        f"days {days}",
        f"at {at.isoformat(timespec='seconds')}",
    )
    return "".join(f"{line}\n" for line in lines)


def hold_moment(at: datetime, now: datetime) -> None:
    """Hold that a request is of now.

    Raises:
        Invalid: Its time is none, or the two clocks are too far apart.
    """
    if at.tzinfo is not None and abs(at - now) <= SKEW:
        return
    told = now.isoformat(timespec="seconds")
    raise Invalid(
        what=Text(
            zh=f"请求的时间与此刻（{told}）相差超过 {SKEW.seconds // 60} 分钟。",
            en=f"The request is of another time: it is {told} here, and {SKEW.seconds // 60} minutes may lie between.",
        ),
        hint=Text(zh="请校准时钟后重新请求。", en="Set the clock right, and ask again."),
        details={"field": "at", "now": told},
    )


def due_at(not_before: datetime, not_after: datetime, mark: str) -> datetime:
    """Return when a certificate is to be renewed.

    Args:
        not_before: From when it counts.
        not_after: Until when.
        mark: Its serial number: chance that everybody reads alike, so that the moment stays where it is.
    """
    spread = int.from_bytes(sha256(mark.encode()).digest()[:4]) / _WHOLE
    return not_before + (not_after - not_before) * (USED - EARLY * spread)


def next_try(now: datetime, failures: int, *, not_after: datetime | None, chance: bytes) -> datetime:
    """Return when to try again: pauses double up to six hours, and shrink again where the end comes near.

    Args:
        now: When it failed.
        failures: How often it failed by now.
        not_after: When the certificate in use ends; None where there is none, or it is over.
        chance: Four random bytes: those that failed together do not come back together.
    """
    pause = min(FIRST_PAUSE * (1 << min(failures - 1, _DOUBLINGS)), LONGEST_PAUSE)
    if not_after is not None and not_after > now:
        pause = min(pause, max((not_after - now) / _TRIES_LEFT, FIRST_PAUSE))
    return now + pause * (0.75 + 0.5 * int.from_bytes(chance) / _WHOLE)


def bearing(carried: Carried, now: datetime) -> Bearing:
    """Return how a service stands with its identity now."""
    if carried.not_before is None or carried.not_after is None:
        return Bearing.NONE
    if now > carried.not_after:
        return Bearing.OVER
    if carried.standing is not Standing.GOOD:
        return Bearing.TAKEN_BACK
    return Bearing.DUE if now >= due_at(carried.not_before, carried.not_after, carried.serial) else Bearing.GOOD
