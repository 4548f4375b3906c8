"""Deeds that keep views and tags, and that do one thing to many systems."""

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import NotFound, Problem, Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide import notes
from safebelt.rooms.registry.decide import search_keeping as decide
from safebelt.rooms.registry.model import NamePerson, PersonRole, Status
from safebelt.rooms.registry.model.lifecycle import Move
from safebelt.rooms.registry.model.notes import Assign
from safebelt.rooms.registry.model.search import (
    TAG,
    BulkItem,
    BulkKind,
    BulkOrder,
    BulkPreview,
    BulkProgress,
    Outcome,
    SavedView,
    SaveView,
)
from safebelt.rooms.registry.service.base import found_system
from safebelt.rooms.registry.service.lifecycle import Lifecycle
from safebelt.rooms.registry.service.search_looking import Looking
from safebelt.rooms.registry.store import listing
from safebelt.rooms.registry.store import search_keeping as keeping

PREVIEWED = 10
AT_ONCE = 200
"""Systems one step of a bulk act takes: a few seconds at most."""


class Keeping(Looking, Lifecycle):
    """Deeds about views, tags and bulk acts."""

    # ---- views

    def save_view(self, cmd: SaveView, *, by: Actor) -> SavedView:
        """Keep a question.

        Raises:
            Invalid: It has no name, or too long a one.
            Conflict: You keep too many.
        """
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, f"registry.views.{by.id}")
            kept = sum(one.owner == by.id for one in keeping.views(tx, by.id))
            view, event = decide.save_view(cmd, kept=kept, new_id=self._new_id("vew"), at=self._clock(), by=by)
            keeping.add_view(tx, view)
            self._ledger.append(tx, event, by=by)
        return view

    def views(self, *, by: Actor) -> tuple[SavedView, ...]:
        """Return your views, then those that others share, each by name."""
        with self._sql.read() as tx:
            return keeping.views(tx, by.id)

    def view(self, view_id: str, *, by: Actor) -> SavedView:
        """Return a view of yours, or one that is shared.

        Raises:
            NotFound: There is none.
        """
        with self._sql.read() as tx:
            return _seen(keeping.view_by_id(tx, view_id), view_id, by)

    def delete_view(self, view_id: str, *, by: Actor) -> None:
        """Delete a view; `restore_view` takes it back.

        Raises:
            NotFound: There is none.
            Refused: It is somebody else's.
        """
        with self._sql.begin() as tx:
            event = decide.delete_view(_seen(keeping.view_by_id(tx, view_id), view_id, by), by)
            keeping.set_deleted(tx, view_id, self._clock())
            self._ledger.append(tx, event, by=by)

    def restore_view(self, view_id: str, *, by: Actor) -> SavedView:
        """Take back the deletion of a view.

        Raises:
            NotFound: No such view was deleted.
            Refused: It is somebody else's.
        """
        with self._sql.begin() as tx:
            view = _seen(keeping.view_by_id(tx, view_id, deleted=True), view_id, by)
            event = decide.restore_view(view, by)
            keeping.set_deleted(tx, view_id, None)
            self._ledger.append(tx, event, by=by)
        return view

    # ---- tags

    def tag_system(self, system_id: str, *, add: str = "", remove: str = "", by: Actor) -> tuple[str, ...]:
        """Add a tag to a system, or take one away; return its tags.

        Raises:
            NotFound: There is no such system.
            Invalid: A tag is empty, too long, or one too many.
            Conflict: Nothing would change.
        """
        with self._sql.begin() as tx:
            self._one_at_a_time(tx, system_id)
            system = found_system(tx, system_id)
            before = store.search.labels_of(tx, [system.id], TAG).get(system.id, ())
            tags, event = decide.change_tags(system.id, before, add=add, remove=remove)
            store.search.set_labels(tx, TAG, {system.id: tags})
            self._ledger.append(tx, event, by=by)
        return tags

    def tags_of(self, system_id: str) -> tuple[str, ...]:
        """Return a system's tags, in order.

        Raises:
            NotFound: There is no such system.
        """
        with self._sql.read() as tx:
            return store.search.labels_of(tx, [found_system(tx, system_id).id], TAG).get(system_id, ())

    # ---- many at once

    def preview_bulk(self, cmd: BulkOrder) -> BulkPreview:
        """Return whom a bulk act would concern; nothing is done.

        Raises:
            Invalid: What it needs is missing.
        """
        decide.hold_value(cmd)
        ids = self._concerned(cmd)
        with self._sql.read() as tx:
            return BulkPreview(total=len(ids), first=tuple(listing.systems_by_id(tx, ids[:PREVIEWED])))

    def order_bulk(self, cmd: BulkOrder, *, by: Actor) -> BulkProgress:
        """Order something for many systems; `step_bulk` does it.

        Raises:
            Invalid: What it needs is missing, it concerns nobody, or too many.
            Conflict: The preview counted others.
        """
        ids, bulk_id = self._concerned(cmd), self._new_id("blk")
        event = decide.order_bulk(cmd, len(ids), new_id=bulk_id)
        with self._sql.begin() as tx:
            keeping.add_bulk(tx, bulk_id, cmd, ids, at=self._clock(), by=by)
            self._ledger.append(tx, event, by=by)
        return self.bulk(bulk_id)

    def step_bulk(self, bulk_id: str, *, limit: int = AT_ONCE) -> BulkProgress:
        """Do what was ordered to the next systems, each in a transaction of its own; return how far it is.

        What is refused for one system is noted with its reason and stops no other.  A step that dies is taken up by
        the next: an item whose deed was done but not noted is refused the second time, since nothing would change.

        Raises:
            NotFound: There is no such order.
        """
        with self._sql.read() as tx:
            found = keeping.order_of(tx, bulk_id)
            if found is None:
                raise _no_bulk(bulk_id)
            ids = keeping.waiting(tx, bulk_id, limit)
        order, by, _ = found
        for system_id in ids:
            item = self._one(order, system_id, by)
            with self._sql.begin() as tx:
                keeping.settle(tx, bulk_id, item)
        progress = self.bulk(bulk_id)
        if not progress.waiting:
            with self._sql.begin() as tx:
                keeping.close(tx, bulk_id)
        return progress

    def step_bulks(self) -> int:
        """Take every open bulk act a step further; return how many there are.  Called by a habit."""
        with self._sql.read() as tx:
            waiting = keeping.open_bulks(tx)
        for bulk_id in waiting:
            self.step_bulk(bulk_id)
        return len(waiting)

    def bulk(self, bulk_id: str) -> BulkProgress:
        """Return how far a bulk act is.

        Raises:
            NotFound: There is no such order.
        """
        with self._sql.read() as tx:
            progress = keeping.progress(tx, bulk_id)
        if progress is None:
            raise _no_bulk(bulk_id)
        return progress

    def bulk_items(self, bulk_id: str) -> tuple[BulkItem, ...]:
        """Return what became of each system of a bulk act.

        Raises:
            NotFound: There is no such order.
        """
        self.bulk(bulk_id)
        with self._sql.read() as tx:
            return keeping.items(tx, bulk_id)

    def _concerned(self, cmd: BulkOrder) -> list[str]:
        if cmd.systems:
            with self._sql.read() as tx:
                return listing.there(tx, list(dict.fromkeys(cmd.systems))[: decide.BULK_LIMIT + 1])
        return self.matching(cmd.question, decide.BULK_LIMIT + 1) if cmd.question is not None else []

    def _one(self, order: BulkOrder, system_id: str, by: Actor) -> BulkItem:
        try:
            self._do(order, system_id, by)
        except Unavailable:
            raise
        except Problem as problem:
            return BulkItem(system_id=system_id, outcome=Outcome.REFUSED, says=problem.what)
        return BulkItem(system_id=system_id, outcome=Outcome.DONE)

    def _do(self, order: BulkOrder, system_id: str, by: Actor) -> None:
        match order.kind:
            case BulkKind.NAME_ACCOUNTABLE:
                person = NamePerson(role=PersonRole.ACCOUNTABLE, name=order.value, contact=order.contact)
                self.name_person(system_id, person, by=by)
            case BulkKind.ADD_TAG:
                self.tag_system(system_id, add=order.value, by=by)
            case BulkKind.REMOVE_TAG:
                self.tag_system(system_id, remove=order.value, by=by)
            case BulkKind.PUT_TASK:
                self._put_task(system_id, order.value, by)
            case BulkKind.WITHDRAW:
                self.move(system_id, Move(to=Status.WITHDRAWN, reason=order.value), by=by)

    def _put_task(self, system_id: str, task_title: str, by: Actor) -> None:
        cmd = Assign(subject_id=system_id, title=task_title)
        with self._sql.begin() as tx:
            subject = store.notes.subject(tx, found_system(tx, system_id).id)
            if subject is None:
                raise RuntimeError(f"{system_id} is in the register and yet no subject of tasks")
            task, event = notes.assign(subject, cmd, new_id=self._new_id("tsk"), at=self._clock(), by=by)
            store.notes.add_task(tx, task)
            self._ledger.append(tx, event, by=by)


def _seen(view: SavedView | None, view_id: str, by: Actor) -> SavedView:
    if view is None or not (view.is_shared or view.owner == by.id):
        raise NotFound(
            what=Text(zh=f"没有保存的视图 {view_id}。", en=f"There is no saved view {view_id}."),
            hint=Text(zh="请在已保存的视图中查找。", en="Look it up among the saved views."),
        )
    return view


def _no_bulk(bulk_id: str) -> NotFound:
    return NotFound(
        what=Text(zh=f"没有批量操作 {bulk_id}。", en=f"There is no bulk act {bulk_id}."),
        hint=Text(zh="请核对编号。", en="Check the id."),
    )
