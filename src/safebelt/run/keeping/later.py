"""What a restored house has forgotten, as a later copy of its own public log tells: above all, what was taken back."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from safebelt.app import House
from safebelt.kernel import merkle
from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Invalid, Problem
from safebelt.kernel.text import Text
from safebelt.rooms.ledger import decide
from safebelt.rooms.ledger.model import Checkpoint, PersonalErased
from safebelt.rooms.ledger.tiles import WIDTH, Missing, Tiles
from safebelt.rooms.portal.model.events import ComplaintErased

TAKEN_BACK = frozenset(
    {
        "access.token_revoked.v1",
        "access.user_disabled.v1",
        "belt.hold_ordered.v1",
        "belt.key_revoked.v1",
        "belt.limit_ordered.v1",
        "belt.record_erased.v1",
        "belt.stop_ordered.v1",
        "belt.strike_reviewed.v1",
        "belt.two_people_set.v1",
        "belt.version_ordered.v1",
        "certificates.revoked.v1",
        "certificates.suspended.v1",
        "ledger.personal_erased.v1",
        "portal.complaint_erased.v1",
        "registry.comment_deleted.v1",
        "registry.evidence_withdrawn.v1",
        "registry.file_withdrawn.v1",
        "registry.version_withdrawn.v1",
    }
)
"""Kinds of entries after which something is gone, shut, stopped or bound that a restored house has again as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """An act that the house has forgotten: its place in the later log, its kind, and what it was about."""

    index: int
    kind: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What a later log has beyond a restored one.

    Attributes:
        size: How many entries the later log has.
        entries: How many of them the house has forgotten.
        taken_back: Those after which something was gone, shut, stopped or bound.
        erased_again: Entries whose personal data were erased again now.
    """

    size: int
    entries: int
    taken_back: tuple[Lost, ...]
    erased_again: tuple[str, ...] = ()


def forgotten(house: House, folder: Path) -> Forgotten:
    """Read a later copy of the log, and hold that it is whole and goes on from this house's.

    Args:
        house: The restored house.
        folder: A copy of the public folder: `checkpoint` and `tile/`.

    Raises:
        Invalid: It is no log, is damaged, or does not go on from this one.
    """
    tiles, known = Tiles(folder), house.ledger.checkpoint()
    start, entries, lost = 0 if known is None else known.size, 0, list[Lost]()
    try:
        later = decide.parse_checkpoint(tiles.checkpoint() or "")
        for index, body in enumerate(_beyond(tiles, later, known), start=start):
            entry, entries = decide.parse_body(body), entries + 1
            if entry["kind"] in TAKEN_BACK:
                lost.append(Lost(index=index, kind=entry["kind"], subject=entry["subject"]))
    except (ValueError, KeyError, Missing) as error:
        raise _no_later_log(folder) from error
    return Forgotten(size=later.size, entries=entries, taken_back=tuple(lost))


def _beyond(tiles: Tiles, later: Checkpoint, known: Checkpoint | None) -> Iterator[bytes]:
    """Yield the entries after those of a checkpoint; at the end both checkpoints were seen to be of this one log."""
    frontier, start = merkle.Frontier(), 0 if known is None else known.size
    if later.size < start:
        raise ValueError("it is not later")
    for bundle in range(-(-later.size // WIDTH)):
        for body in tiles.bodies(bundle, min(WIDTH, later.size - bundle * WIDTH)):
            if known is not None and frontier.size == start and frontier.root() != known.root:
                raise ValueError("another log")
            frontier.append(merkle.leaf_hash(body))
            if frontier.size > start:
                yield body
    if frontier.root() != later.root or (known is not None and later.size == start and later.root != known.root):
        raise ValueError("not what was signed")


def erase_again(house: House, found: Forgotten) -> tuple[str, ...]:
    """Erase the personal data again that were erased after the backup; return the entries concerned.

    What is itself forgotten, or was erased before, needs nothing.
    """
    done = [lost.subject for lost in found.taken_back if _erased_again(house, lost)]
    house.ledger.advance()
    return tuple(done)


def _erased_again(house: House, lost: Lost) -> bool:
    try:
        if lost.kind == PersonalErased.kind:
            reason = f"erased before, as entry {lost.index} of the later log"
            house.ledger.erase(lost.subject, reason=reason, by=OWNER)
        elif lost.kind == ComplaintErased.kind:
            house.portal.complaints.erase_again(lost.subject, by=OWNER)
        else:
            return False
    except Problem:  # itself forgotten, or erased before
        return False
    return True


def _no_later_log(folder: Path) -> Invalid:
    return Invalid(
        what=Text(
            zh=f"{folder} 不是本日志较晚的完整副本。", en=f"{folder} is no whole later copy of this house's log."
        ),
        hint=Text(
            zh="请给出公开目录的副本，其中有 checkpoint 和 tile/。",
            en="Give a copy of the public folder, with `checkpoint` and `tile/` in it.",
        ),
    )
