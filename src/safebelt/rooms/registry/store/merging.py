"""Merging the index: here, or in a process beside an import, which has nothing to do with it but the database."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import lru_cache
from multiprocessing import get_context

from safebelt.engines.sql import Sql
from safebelt.rooms.registry.store import segments, shelves

LOCK = "registry.search.merge"
MERGE_FROM = 500
"""Fresh entries worth a merge; fewer are read one by one in a few milliseconds."""
MERGED_AT_ONCE = segments.CHUNK


def merge(sql: Sql, least: int = MERGE_FROM) -> int:
    """Put fresh entries on the shelves of the index, the oldest first; return how many.

    Args:
        sql: The database.
        least: Leave fewer than these alone.
    """
    with sql.begin() as tx:
        sql.exclusive(tx, LOCK)
        return 0 if shelves.fresh_count(tx, least) < least else shelves.merge(tx, MERGED_AT_ONCE)


def unite(sql: Sql, most: int) -> int:
    """Unite runs that have grown alike, each pair in a transaction of its own; return how many pairs."""
    for pairs in range(most):
        with sql.begin() as tx:
            sql.exclusive(tx, LOCK)
            if not shelves.unite(tx):
                return pairs
    return most


@contextmanager
def beside(sql: Sql) -> Iterator[Callable[[], int]]:
    """Give what merges in a process of its own, while this one works on; where that one dies, it is done here.

    Threads would take turns at it: half of it is Python.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as other:  # a fork would copy locks that threads here hold

        def merged() -> int:
            try:
                return other.submit(_merge_there, sql.url, MERGE_FROM).result()
            except BrokenProcessPool:
                return merge(sql, MERGE_FROM)

        yield merged


@lru_cache(maxsize=1)
def _database(url: str) -> Sql:
    return Sql(url)


def _merge_there(url: str, least: int) -> int:
    return merge(_database(url), least)
