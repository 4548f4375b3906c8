"""What the portal does by itself: notice what is overdue, and erase what was kept as long as is stated."""

from datetime import timedelta

from safebelt.kernel.actors import MACHINE, Actor
from safebelt.kernel.errors import Conflict
from safebelt.rooms.portal import store
from safebelt.rooms.portal.decide import complaints as decide
from safebelt.rooms.portal.model.complaints import ErasedBecause
from safebelt.rooms.portal.model.events import ComplaintOverdue
from safebelt.rooms.portal.service.handling import Handling

AT_ONCE = 50
"""Complaints of one turn."""


class Complaints(Handling):
    """Every deed about complaints.

    Args:
        tools: What they are taken with.
    """

    def tend(self) -> int:
        """Notice what is overdue and erase what was kept long enough; return how many complaints were touched."""
        return self.notice_overdue() + self.erase_kept_too_long()

    def notice_overdue(self) -> int:
        """Remember of each complaint, once, that its last day is past; return of how many."""
        with self._sql.read() as tx:
            waiting = store.newly_overdue(tx, self.today, AT_ONCE)
        for one in waiting:
            moved = decide.overdue(one, self.today)
            event = ComplaintOverdue(subject=one.id, due_on=one.due_on.isoformat() if one.due_on else "")
            try:
                with self._sql.begin() as tx:
                    store.save(tx, moved)
                    self._ledger.append(tx, event, by=MACHINE)
            except Conflict:  # somebody was quicker: answered it, or noticed it too
                continue
        return len(waiting)

    def erase_again(self, case_id: str, *, by: Actor) -> None:
        """Erase a complaint's texts and files again, which an older backup brought back.

        Raises:
            NotFound: There is no such complaint: it is itself forgotten.
            Conflict: They are erased already.
        """
        with self._sql.begin() as tx:
            found, said = self._found(tx, case_id)
            if found is None:
                raise decide.no_such_complaint()
            self._erase(tx, found, said, ErasedBecause.ASKED, by)

    def erase_kept_too_long(self) -> int:
        """Erase the texts and files of complaints that ended long enough ago; return of how many."""
        before = self._clock() - timedelta(days=self.rules.retention_days)
        with self._sql.read() as tx:
            found = [(one, store.said_in(tx, one.id)) for one in store.kept_too_long(tx, before, AT_ONCE)]
        for one, said in found:
            try:
                with self._sql.begin() as tx:
                    self._erase(tx, one, said, ErasedBecause.RETENTION, MACHINE)
            except Conflict:  # erased meanwhile
                continue
        return len(found)
