"""Carrying an import out: part by part, each in its own transaction, and one written while the next is worked out."""

import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from safebelt.engines.sql import Drafts, put
from safebelt.kernel.actors import Actor
from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide import imports as judge
from safebelt.rooms.registry.imports import Readout
from safebelt.rooms.registry.imports.collecting import uncollected
from safebelt.rooms.registry.model.imports import Batch, Known, Record, State
from safebelt.rooms.registry.service.entering import Part, values_of
from safebelt.rooms.registry.service.imported import Imported
from safebelt.rooms.registry.store import entering, merging

CHUNK = 1000
"""Records of one transaction: what is lost by a crash, and how long others wait for a writer."""
MERGE_EVERY = 16 * CHUNK
"""Records after which the index is merged, so that questions stay quick; runs so small are united by a habit later."""
ABREAST_FROM = 5 * CHUNK
"""Records from which a second thread is worth its while."""
_AHEAD = 4
"""Parts that are worked out and wait to be written, each a few MB."""
_FORESEEN = 8 * CHUNK
"""Records that are looked up and judged together: most of what columns cost, they cost once however long they are."""
_SWITCH_SECONDS = 0.0005
LOCK = "registry.imports"

Progress = Callable[[int, int], None]
"""Told after each part: records dealt with, records there are."""


def silent(_done: int, _total: int) -> None:
    """Tell nobody."""


class _Overtaken(Exception):  # noqa: N818  it says what happened to a part
    """Another import went on between the working out of a part and its writing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Foreseen:
    """What was read for the next parts, all at once.

    Attributes:
        upto: The records it covers end before this one.
        known: What the register held of them.
        others: How far all other imports were.
    """

    upto: int
    known: Known
    others: int


class Carrying(Imported):
    """Carries imports out."""

    def _import_parts(self, batch_id: str, found: Readout, by: Actor, progress: Progress) -> Batch:
        """Import what is left of a batch, and return it."""
        self._enter_all_missing()
        with self._sql.read() as tx:
            batch = judge.hold_to_confirm(self._found_import(tx, batch_id))
        if batch.total - batch.done >= ABREAST_FROM and not self._sql.is_in_memory:
            self._import_abreast(batch, found.records, by, progress)
        while batch.state is not State.DONE:
            batch = self._import_next(batch_id, found.records, by)
            progress(batch.done, batch.total)
            if batch.done % MERGE_EVERY < CHUNK:
                self._merge_all()
        self._merge_all()
        return batch

    def _import_next(self, batch_id: str, records: Sequence[Record], by: Actor) -> Batch:
        """Work out the next part and write it, in one transaction."""
        with uncollected(), self._sql.begin() as tx:
            self._sql.exclusive(tx, LOCK)
            batch = self._found_import(tx, batch_id)
            some = records[batch.done : batch.done + CHUNK]
            if batch.state is not State.DONE and some:
                part = self._draft_part(tx, batch, some, entering.known(tx, some), by)
                return self._finish_part(tx, part, by)
            batch = replace(batch, state=State.DONE)
            store.imports.save_batch(tx, batch)
            return batch

    def _import_abreast(self, batch: Batch, records: Sequence[Record], by: Actor, progress: Progress) -> None:
        """Work out parts in this thread, and write them in another, while no other import goes on.

        Where one does, what was worked out and not written is let go: what follows is worked out with its writing.
        """
        flights, merges = deque[tuple[Part, Future[None]]](), list[Future[int]]()
        with (
            _one_thread() as reader,
            _one_thread() as writer,
            self._merger(writer) as merge,
            _taking_turns(),
            suppress(_Overtaken),
        ):
            soon = reader.submit(self._foresee, batch.id, records, batch.done)
            unseen = list[Known]()  # by what `soon` reads: what was worked out and not written when it was asked for
            while batch.done < batch.total:
                seen, ahead = soon.result(), unseen
                unseen = [one.entered for one, _ in flights]
                soon = reader.submit(self._foresee, batch.id, records, seen.upto)
                while batch.done < seen.upto:
                    self._land(flights, _AHEAD, progress)
                    part, drafts = self._drafted(batch, records, judge.joined(seen.known, *ahead), by)
                    flights.append((part, writer.submit(self._write, part, drafts, seen.others, by)))
                    batch = part.batch
                    ahead.append(part.entered)
                    unseen.append(part.entered)
                    if batch.done % MERGE_EVERY < CHUNK:
                        merges.append(merge())
            self._land(flights, 0, progress)
            for one in merges:
                one.result()

    @contextmanager
    def _merger(self, writer: ThreadPoolExecutor) -> Iterator[Callable[[], Future[int]]]:
        """Give what merges the index meanwhile: a process of its own, or on SQLite, which has one lock, the writer."""
        if self._sql.is_sqlite:
            yield lambda: writer.submit(merging.merge, self._sql, merging.MERGE_FROM)
            return
        with _one_thread() as other, merging.beside(self._sql) as merge:
            yield lambda: other.submit(merge)

    def _foresee(self, batch_id: str, records: Sequence[Record], start: int) -> _Foreseen:
        """Read what the register holds of the records of the next parts, and judge them, which is remembered."""
        soon = records[start : start + _FORESEEN]
        with self._sql.read() as tx:
            others = store.imports.brought_by_others(tx, batch_id)
            known = entering.known(tx, soon)
            self._rules.weigh(tx, [(values_of(one), "") for one in soon])
        return _Foreseen(upto=start + len(soon), known=known, others=others)

    def _drafted(self, batch: Batch, records: Sequence[Record], known: Known, by: Actor) -> tuple[Part, Drafts]:
        """Work out the next part, with the rows that it inserts."""
        with uncollected(), self._sql.drafting() as (tx, drafts):
            return self._draft_part(tx, batch, records[batch.done : batch.done + CHUNK], known, by), drafts

    def _write(self, part: Part, drafts: Drafts, others: int, by: Actor) -> None:
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, LOCK)
            now = self._found_import(tx, part.batch.id)
            if now.done != part.before or store.imports.brought_by_others(tx, now.id) != others:
                raise _Overtaken
            put(tx, drafts)
            self._finish_part(tx, part, by)

    def _land(self, flights: deque[tuple[Part, Future[None]]], most: int, progress: Progress) -> None:
        """Let go of the parts that are written, and wait until at most so many are not."""
        while flights and (len(flights) > most or flights[0][1].done()):
            part, written = flights[0]
            written.result()
            flights.popleft()
            progress(part.batch.done, part.batch.total)

    def _enter_all_missing(self) -> None:
        """See to it that every system is in the index: by it those of a name are found that a record may repeat."""
        while self.index_missing():
            pass

    def _merge_all(self) -> None:
        """Put what entered on the shelves of the index, so that questions stay quick."""
        with uncollected():
            while self.merge_search():
                pass


@contextmanager
def _one_thread() -> Iterator[ThreadPoolExecutor]:
    """Give a thread that does one thing after the other; at the end what it has not begun is let go."""
    thread = ThreadPoolExecutor(1, "safebelt-import")
    try:
        yield thread
    finally:
        thread.shutdown(cancel_futures=True)


@contextmanager
def _taking_turns() -> Iterator[None]:
    """Let threads of Python take turns ten times as often as they do by default.

    One that waits for the database would otherwise wait for the other's turn to end after each of its answers, which
    are many and short.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, _SWITCH_SECONDS))
    try:
        yield
    finally:
        sys.setswitchinterval(before)
