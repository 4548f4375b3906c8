"""Deeds that look: search in words, lists with filters, pages that hold, tallies, hints."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa

from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide import search as judge
from safebelt.rooms.registry.decide import search_paging as paging
from safebelt.rooms.registry.decide.search_paging import MOST_RANKED, Edge, Place
from safebelt.rooms.registry.model import System
from safebelt.rooms.registry.model.search import (
    SOURCE,
    TAG,
    Filters,
    Found,
    Hit,
    Judged,
    Question,
    Sort,
    Tally,
)
from safebelt.rooms.registry.service import finding
from safebelt.rooms.registry.service.matching import (
    RANKED,
    Matches,
    Numbers,
    Read,
    Tellings,
    all_of,
    best_first,
    narrowed,
    told_of,
)
from safebelt.rooms.registry.service.registering import Registering
from safebelt.rooms.registry.store import listing, merging, published, segments, shelves

COUNTED = 10_000
"""Up to which systems in a list are counted; beyond, the answer says *more than*."""
COUNTED_WITHIN = 1_000
"""The same where several filters must hold at once, which no index counts by itself."""
TALLIED = 1_000
"""First results over which facets are counted; the answer says how many they were."""
UNITED_AT_ONCE = 8
"""Pairs of runs united in one turn of the habit; a pair takes seconds at most."""
MISSING_AT_ONCE = 5_000
"""Systems of an older version entered in one transaction, a second's work."""
_TALLIES_SHOWN = 12


class Looking(Registering):
    """Deeds that look."""

    _has_all_entered = False
    _has_published_entered = False

    def search(
        self, question: Question, *, after: str = "", before: str = "", size: int = 20, has_facets: bool = False
    ) -> Found:
        """Return a page of the systems that answer a question.

        Args:
            question: Words, filters, order.
            after: Cursor of a page: what comes after it.
            before: Cursor of a page: what comes before it; `after` is not looked at then.
            size: Systems on a page.
            has_facets: Whether to count facets too.

        Raises:
            Invalid: A cursor is none of this question's.
        """
        with self._sql.read() as tx:
            if is_in_words(question):
                return _ranked(tx, question, after or before, size, has_facets)
            return _listed(tx, question, after=after, before=before, size=size, has_facets=has_facets)

    def matching(self, question: Question, limit: int) -> list[str]:
        """Return ids of all systems that answer a question, in its order, at most `limit`."""
        with self._sql.read() as tx:
            if is_in_words(question):
                parts = judge.asked(question.text).parts
                found = _matches(tx, parts, question.filters, need=limit, page=limit) if parts else Matches((), 0)
                return _ids(tx, found.numbers[:limit])
            conditions = _conditions(tx, question)
            sort = _list_order(question.sort)
            return [key[-1] for key in listing.page(tx, conditions, sort, edge=(), back=False, size=limit)]

    def export(self, question: Question, *, batch: int = 500) -> Iterator[System]:
        """Yield every system that answers a question, in its order, read batch by batch.

        Systems that come in meanwhile may be left out; none is given twice.
        """
        if is_in_words(question):
            for ids in store.search.batches(self.matching(question, segments.CHUNK * segments.CHUNK), batch):
                with self._sql.read() as tx:
                    found = listing.systems_by_id(tx, ids)
                yield from found
            return
        sort, edge = _list_order(question.sort), tuple[str, ...]()
        while True:
            with self._sql.read() as tx:
                keys = listing.page(tx, _conditions(tx, question), sort, edge=edge, back=False, size=batch)
                found = listing.systems_by_id(tx, [key[-1] for key in keys])
            yield from found
            if len(keys) < batch:
                return
            edge = keys[-1]

    # ---- what others tell

    def note_judged(self, tx: sa.Connection, judged: Mapping[str, Judged]) -> None:
        """Keep what systems are looked up by after a judgment, inside the caller's transaction.

        Args:
            tx: The transaction in which the facts are put on record.
            judged: System id to its strictest classes and the red lines it meets.
        """
        store.search.set_judged(tx, judged)

    def note_source(self, tx: sa.Connection, source: str, system_ids: Sequence[str]) -> None:
        """Keep where systems were imported from, inside the caller's transaction."""
        store.search.set_labels(tx, SOURCE, {each: [source] for each in system_ids})

    # ---- upkeep

    def merge_search(self, *, least: int = merging.MERGE_FROM) -> int:
        """Put fresh entries on the shelves of the index, the oldest first; return how many.

        Called by a habit, and after an import until it returns 0.  Nothing is found or lost by it: fresh entries are
        found too, only slower the more there are.

        Args:
            least: Leave fewer than these alone.
        """
        return merging.merge(self._sql, least)

    def unite_search(self, most: int = UNITED_AT_ONCE) -> int:
        """Unite runs of the index that have grown alike, so that a question meets few; return how many pairs.

        Args:
            most: Pairs, each in a transaction of its own.
        """
        return merging.unite(self._sql, most)

    def index_missing(self, limit: int = MISSING_AT_ONCE) -> int:
        """Enter systems that an older version registered without a word for the search; return how many.

        Whoever registers a system enters it, so once none is missing none ever will be, and nothing more is read.
        """
        if self._has_all_entered:
            return 0
        with self._sql.read() as tx:
            if not store.search.missing(tx, 1):
                self._has_all_entered = True
                return 0
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, merging.LOCK)
            found = store.search.missing(tx, limit)
            listing.enter(tx, found)
        return len(found)

    def index_published(self, limit: int = MISSING_AT_ONCE) -> int:
        """Enter what an older version published anew, so that the public finds it by the index; return how many."""
        if self._has_published_entered:
            return 0
        with self._sql.read() as tx:
            self._has_published_entered = published.is_ready(tx)
        if self._has_published_entered:
            return 0
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, merging.LOCK)
            found = published.unentered(tx, limit)
            listing.enter(tx, found)
        return len(found)

    def keep_index(self) -> int:
        """Enter what is missing and merge what is fresh; return how many systems that was.  For the work process."""
        return self.index_missing() + self.index_published() + self.merge_search() + self.unite_search()


def is_in_words(question: Question) -> bool:
    """Whether a question asks for words rather than for an id, or for everything."""
    text = question.text.strip()
    return bool(text) and not judge.is_id(text)


def _list_order(sort: Sort) -> Sort:
    return Sort.NEWEST if sort is Sort.BEST else sort


def _conditions(tx: sa.Connection, question: Question) -> list[listing.Condition]:
    """The filters', and that of an id or the beginning of one."""
    conditions, _ = listing.narrowed(tx, question.filters)
    text = question.text.strip()
    return [*conditions, listing.begins_with(text, judge.ID_LENGTH)] if text else conditions


# ---- lists


def _listed(tx: sa.Connection, question: Question, *, after: str, before: str, size: int, has_facets: bool) -> Found:
    sort, conditions = _list_order(question.sort), _conditions(tx, question)
    at = before or after
    edge = paging.read_edge(at, sort).key if at else ()
    is_back = bool(before)
    first = listing.page(tx, conditions, sort, edge=(), back=False, size=TALLIED + 1) if has_facets else []
    if has_facets and not edge and not is_back:
        keys = first[: size + 1]
    else:
        keys = listing.page(tx, conditions, sort, edge=edge, back=is_back, size=size + 1)
    has_further = len(keys) > size
    shown = keys[1:] if has_further and is_back else keys[:size]
    has_next, has_previous = (bool(edge), has_further) if is_back else (has_further, bool(edge))
    total, most = _counted(tx, question, conditions, first)
    tallied = [key[-1] for key in first[:TALLIED]]
    return Found(
        hits=_hits(tx, [key[-1] for key in shown]),
        total=min(total, most),
        has_more_than_total=total > most,
        after=paging.written(Edge(sort, shown[-1])) if shown and has_next else "",
        before=paging.written(Edge(sort, shown[0])) if shown and has_previous else "",
        facets=_facets(tx, listing.of_ids(tx, tallied)) if tallied else {},
        counted=len(tallied),
    )


def _counted(
    tx: sa.Connection, question: Question, conditions: Sequence[listing.Condition], first: Sequence[tuple[str, ...]]
) -> tuple[int, int]:
    """Return how many systems a list has and up to which number they are counted; `first` of them are at hand."""
    if first and len(first) <= TALLIED:
        return len(first), TALLIED
    if first and len(conditions) > 1:
        return len(first), min(TALLIED, COUNTED_WITHIN)
    filters = question.filters if not question.text.strip() else None
    most = COUNTED if len(conditions) <= 1 else COUNTED_WITHIN
    return listing.counted(tx, filters, conditions, most + 1), most


# ---- words


def _ranked(tx: sa.Connection, question: Question, cursor: str, size: int, has_facets: bool) -> Found:
    asked = judge.asked(question.text)
    place = paging.read_place(cursor) if cursor else Place(0, shelves.last_number(tx))
    if not asked.parts:
        return Found(hits=(), total=0, has_more_than_total=False, was_cut=asked.was_cut)
    size = min(size, MOST_RANKED - place.offset)
    need = max(place.offset + size, RANKED, TALLIED if has_facets else 0)
    if question.sort is not Sort.BEST:
        need = MOST_RANKED
    end = place.offset + size if question.sort is Sort.BEST else need
    found = _matches(tx, asked.parts, question.filters, need=need, page=end, upto=place.upto)
    shown, told = _shown(tx, question, asked.parts, found.numbers, slice(place.offset, place.offset + size))
    end = place.offset + len(shown)
    has_next = end < MOST_RANKED and (found.has_more or end < found.total)
    tallied = found.numbers[:TALLIED] if has_facets else []
    return Found(
        hits=_hits(tx, shown, told),
        total=found.total,
        has_more_than_total=found.has_more,
        after=paging.written(replace(place, offset=end)) if has_next else "",
        before=paging.written(replace(place, offset=max(0, place.offset - size))) if place.offset else "",
        facets=_facets(tx, listing.of_numbers(tx, tallied)) if tallied else {},
        counted=len(tallied),
        meant=_meant(asked.parts, told),
        hints=() if found.total else _hints(tx, question, asked.parts),
        was_cut=asked.was_cut,
    )


def _matches(
    tx: sa.Connection, parts: Sequence[judge.Part], filters: Filters, *, need: int, page: int, upto: int | None = None
) -> Matches:
    """Return what answers words and filters: the first `need` of it, or, if that takes long, at least a page."""

    def ask(limit: int | None, only: Numbers | None) -> finding.Answer:
        return finding.answer(tx, parts, limit=limit, only=only, upto=upto)

    if filters == Filters():
        return all_of(ask(need, None))
    conditions, is_sparse = listing.narrowed(tx, filters)
    return narrowed(
        ask,
        only=shelves.numbers_of(tx, listing.selected(conditions)) if is_sparse else None,
        kept=lambda numbers: listing.kept(tx, numbers, conditions),
        need=need,
        page=page,
    )


def _ids(tx: sa.Connection, numbers: Sequence[int]) -> list[str]:
    by_number = shelves.systems_numbered(tx, numbers)
    return [by_number[number] for number in numbers if number in by_number]


def _shown(
    tx: sa.Connection, question: Question, parts: Sequence[judge.Part], numbers: Sequence[int], here: slice
) -> tuple[list[str], dict[str, Tellings]]:
    """Return the ids of a page of what was found, in the order asked for, and what each of them met."""
    if question.sort is not Sort.BEST:
        ids = _ids(tx, numbers)
        ordered = listing.by_name(tx, ids) if question.sort is Sort.NAME else sorted(ids)
        page = (ordered[::-1] if question.sort is Sort.NEWEST else ordered)[here]
        return page, told_of(_reader(tx), parts, page)
    return best_first(_reader(tx), question.text, parts, numbers, here, ids=lambda some: _ids(tx, some))


def _reader(tx: sa.Connection) -> Read:
    return lambda ids: listing.texts(tx, ids)


def _hits(tx: sa.Connection, ids: Sequence[str], told: Mapping[str, Tellings] | None = None) -> tuple[Hit, ...]:
    tags = store.search.labels_of(tx, ids, TAG)
    systems = listing.systems_by_id(tx, ids)
    if told is None:
        return tuple(Hit(system=each, tags=tags.get(each.id, ())) for each in systems)
    return tuple(
        Hit(
            system=each,
            tags=tags.get(each.id, ()),
            why=judge.why(told[each.id]),
            is_near=any(one.is_near for one in told[each.id]),
        )
        for each in systems
    )


def _meant(parts: Sequence[judge.Part], told: Mapping[str, Tellings]) -> dict[str, str]:
    """Return parts that nothing on the page holds as they were asked, with what was taken for them."""
    found: dict[str, str] = {}
    for part in parts:
        met = [one for each in told.values() for one in each if one.part == part.text]
        if met and all(one.is_near for one in met):
            found[part.text] = met[0].met
    return found


def _hints(tx: sa.Connection, question: Question, parts: Sequence[judge.Part]) -> tuple[str, ...]:
    """Return questions that find something where this one does not: with like words, or without what nobody wrote."""
    counts = {part: finding.answer(tx, [part], limit=1).total for part in parts}
    hints = []
    for part in parts:
        if not counts[part]:
            like = finding.similar(tx, part)
            hints += [" ".join(one if each is part else each.text for each in parts) for one in like]
    known = [part.text for part in parts if counts[part]]
    if len(known) < len(parts) and known:
        hints.append(" ".join(known))
    if len(known) == len(parts) > 1:
        hints += known
    found = [each for each in dict.fromkeys(hints) if finding.answer(tx, judge.asked(each).parts, limit=1).total]
    return tuple(each for each in found if each != question.text)[:5]


def _facets(tx: sa.Connection, meant: listing.Among) -> dict[str, tuple[Tally, ...]]:
    counted = listing.tallies(tx, meant)
    return {
        facet: tuple(
            Tally(value=value, count=count)
            for value, count in sorted(values.items(), key=lambda each: (-each[1], each[0]))[:_TALLIES_SHOWN]
        )
        for facet, values in sorted(counted.items())
    }
