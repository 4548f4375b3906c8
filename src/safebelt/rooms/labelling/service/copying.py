"""Copies without a visible notice, for who asked for one and took the duty to label on themselves."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from safebelt.engines.canonical import canonical
from safebelt.kernel.actors import MACHINE, Actor
from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.labelling import store
from safebelt.rooms.labelling.decide import copies, owed
from safebelt.rooms.labelling.model import Checked, Mark, Marked
from safebelt.rooms.labelling.model.copies import LOG_MONTHS, Copy, CopyGiven, GiveCopy, RecipientErased
from safebelt.rooms.labelling.model.events import Remembered
from safebelt.rooms.labelling.model.label import SIDECAR
from safebelt.rooms.labelling.service.marking import MarkFile, Marking
from safebelt.rooms.labelling.service.owing import Owing
from safebelt.rooms.labelling.service.verifying import Verifying

if TYPE_CHECKING:
    import sqlalchemy as sa

PAGE = 50
"""Copies on one page of a list."""
MAX_EXPORTED = 100_000
"""Copies in one export."""
_SALT_BYTES = 32
_ERASED_AT_ONCE = 500


class Copying(Marking, Verifying, Owing):
    """Gives copies without a visible notice, and keeps who received them as long as the law asks."""

    def give_copy(self, source: Path, out: Path, cmd: GiveCopy, *, by: Actor) -> tuple[Marked, Copy]:
        """Write a copy of an original with every mark but the visible notice, and remember who received it.

        Args:
            source: The original.
            out: Where the copy goes.
            cmd: Who asked, why, and what was agreed.
            by: Who gives it.

        Raises:
            NotFound, Invalid, Unavailable: As `mark`; or the request is not whole.
            Conflict: The file is not an original; or a mark could not be read back.
        """
        copies.hold_request(cmd)
        if out.resolve() == source.resolve():
            raise _no_copy()
        copies.hold_original(seen := self.verify(source), is_ours=self._is_ours(seen))
        due = self.owed(source, cmd.system_id)
        marks = owed.wished(due.marks, is_narrowed=False) - {Mark.EXPLICIT}
        given = list[Copy]()

        def remember(tx: "sa.Connection", mark: Remembered) -> None:
            given.append(self._given(tx, mark, cmd, by))

        with _taken_back(out):
            made = self.mark(source, out, MarkFile(system_id=cmd.system_id, marks=marks), by=by, also=remember)
        return made, given[0]

    def copies(self, *, find: str = "", system_id: str = "", page: int = 1) -> list[Copy]:
        """Return copies that were given, the latest first, a page at a time."""
        with self.desk.sql.read() as tx:
            return store.copies(tx, find=find, system_id=system_id, limit=PAGE, offset=(max(page, 1) - 1) * PAGE)

    def every_copy(self) -> list[Copy]:
        """Return all copies, the latest first, at most 100,000."""
        with self.desk.sql.read() as tx:
            return store.copies(tx, limit=MAX_EXPORTED)

    def forget(self) -> int:
        """Erase who received copies, where the time to keep it is over; return how many were erased."""
        today = self.desk.clock().date()
        with self.desk.sql.begin() as tx:
            over = store.over(tx, today, _ERASED_AT_ONCE)
            for copy_id, until in over:
                store.erase_recipient(tx, copy_id)
                self.desk.ledger.append(tx, RecipientErased(subject=copy_id, kept_until=until.isoformat()), by=MACHINE)
        return len(over)

    def _is_ours(self, seen: Checked) -> bool:
        numbers = [number for label in seen.labels if (number := label.fields.get("ProduceID"))]
        with self.desk.sql.read() as tx:
            return bool(numbers) and bool(store.by_ids(tx, numbers))

    def _given(self, tx: "sa.Connection", mark: Remembered, cmd: GiveCopy, by: Actor) -> Copy:
        rules, now = self.desk.rules, mark.at
        months = rules.text_within(tx, now.date()).parameters[LOG_MONTHS].on(now.date())
        salt = self.desk.chance(_SALT_BYTES)
        said = canonical({**asdict(cmd.recipient), "agreement": cmd.agreement})
        one = Copy(
            id=self.desk.new_id("cpy"),
            mark_id=mark.id,
            system_id=cmd.system_id,
            sha256=mark.sha256,
            agreement=cmd.agreement,
            at=now,
            keep_until=copies.keep_until(now.date(), int(months)),
            entry_id="",
            recipient=cmd.recipient,
        )
        event = CopyGiven(
            subject=one.id,
            mark_id=mark.id,
            sha256=mark.sha256,
            commitment=hashlib.sha256(salt + said).hexdigest(),
            keep_until=one.keep_until.isoformat(),
            system_id=cmd.system_id,
        )
        one = replace(one, entry_id=self.desk.ledger.append(tx, event, by=by))
        store.insert_copy(tx, one, salt.hex())
        return one


@contextmanager
def _taken_back(out: Path) -> Iterator[None]:
    """Leave no copy behind that nobody remembers."""
    beside = out.with_name(out.name + SIDECAR)
    before = {path for path in (out, beside) if path.exists()}
    try:
        yield
    except BaseException:
        for path in {out, beside} - before:
            path.unlink(missing_ok=True)
        raise


def _no_copy() -> Invalid:
    return Invalid(
        what=Text(zh="副本不能写在原件上。", en="The copy cannot take the original's place."),
        hint=Text(zh="请为副本另选文件名。", en="Choose another name for the copy."),
        details={"field": "output"},
    )
