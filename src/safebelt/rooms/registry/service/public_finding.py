"""How the public finds systems by words: as the house does, but by what is published alone and shown on the day.

Best matches come first.  What is not shown is neither found nor counted, and no word of it is offered for a mistyped
one: the words of published texts stand on shelves of their own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from safebelt.rooms.registry.decide import search as judge
from safebelt.rooms.registry.model.public import PublicPage, Wanted
from safebelt.rooms.registry.service import finding
from safebelt.rooms.registry.service.base import pages_of
from safebelt.rooms.registry.service.matching import RANKED, Matches, Numbers, all_of, best_first, narrowed
from safebelt.rooms.registry.store import public as shown
from safebelt.rooms.registry.store import shelves

_CURSOR = re.compile(r"([0-9]{1,9})-([0-9]{1,12})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins among what words found.

    Attributes:
        offset: Results before the page.
        upto: The last entry there was when the first page was read.
    """

    offset: int
    upto: int

    @property
    def cursor(self) -> str:
        """The place as programs send it back."""
        return f"{self.offset}-{self.upto}"


def is_in_words(wanted: Wanted) -> bool:
    """Whether a visitor looks for words rather than for an id, or for everything."""
    text = wanted.search.strip()
    return bool(text) and not judge.is_id(text)


def read_place(cursor: str) -> Place | None:
    """Read a cursor of what words found; None where it is none: a list begins at its first page then."""
    found = _CURSOR.fullmatch(cursor)
    return Place(int(found[1]), int(found[2])) if found else None


def find(tx: sa.Connection, wanted: Wanted, today: date, *, page: int, size: int, cursor: str) -> PublicPage:
    """Return a page of what words find, best first; `cursor`, where there is one, says which instead of `page`."""
    parts, at = judge.asked(wanted.search).parts, read_place(cursor)
    place = at or Place(min((page - 1) * size, shown.COUNTED_TO), shelves.last_number(tx))
    need = max(place.offset + size, RANKED)
    found = _matches(tx, parts, wanted, today, need=need, upto=place.upto) if parts else Matches((), 0)
    total = min(found.total, shown.COUNTED_TO)
    pages = pages_of(total, size)
    if at is None:
        place = Place((min(page, pages) - 1) * size, place.upto)
    end = place.offset + size
    ids, _ = best_first(
        lambda some: shown.texts(tx, some),
        wanted.search,
        parts,
        found.numbers,
        slice(place.offset, end),
        ids=lambda some: _ids(tx, some),
    )
    is_last = end >= found.total and not found.has_more
    return PublicPage(
        items=shown.lines(tx, ids, today),
        total=total,
        is_more=found.has_more or found.total > total,
        page=min(page, pages),
        pages=pages,
        next="" if is_last else Place(end, place.upto).cursor,
    )


def _matches(
    tx: sa.Connection, parts: tuple[judge.Part, ...], wanted: Wanted, today: date, *, need: int, upto: int
) -> Matches:
    def ask(limit: int | None, only: Numbers | None) -> finding.Answer:
        return finding.public_answer(tx, parts, today, limit=limit, only=only, upto=upto)

    if not wanted.stage and not wanted.marks:
        return all_of(ask(need, None))
    few = shown.few(tx, wanted)
    only = shelves.numbers_of(tx, few) if few is not None else None
    return narrowed(ask, only=only, kept=lambda numbers: shown.kept(tx, numbers, wanted), need=need, page=need)


def _ids(tx: sa.Connection, numbers: Sequence[int]) -> list[str]:
    by_number = shelves.systems_numbered(tx, numbers)
    return [by_number[number] for number in numbers if number in by_number]
