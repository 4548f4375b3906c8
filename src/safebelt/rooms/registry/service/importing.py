"""Deeds that bring many in, and take them back."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import sqlalchemy as sa

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide import imports as judge
from safebelt.rooms.registry.imports import Readout, read
from safebelt.rooms.registry.imports.bounds import Unfit
from safebelt.rooms.registry.imports.collecting import uncollected
from safebelt.rooms.registry.model.imports import (
    TROUBLES_KEPT,
    Batch,
    BatchPage,
    File,
    Form,
    Item,
    ItemPage,
    Mapped,
    Outcome,
    Planned,
    Preview,
    Record,
    State,
    Wish,
)
from safebelt.rooms.registry.packs import mappings
from safebelt.rooms.registry.service.base import pages_of
from safebelt.rooms.registry.service.carrying import CHUNK, LOCK, Carrying, Progress, silent
from safebelt.rooms.registry.service.entering import values_of, wish_of
from safebelt.rooms.registry.store import entering

AT_ONCE = 1000
"""Records a page imports while the browser waits; more are left to the work process."""
FIRST_SHOWN = 50
BARRED_SHOWN = 200
_SALT_BYTES = 16


class Importing(Carrying):
    """Deeds that bring many in, and take them back."""

    def preview_import(self, files: Sequence[File], wish: Wish) -> Preview:
        """Say what an import would do; nothing is entered and nothing kept.

        Raises:
            Invalid: The form cannot be told, or the mapping cannot be read.
        """
        found = self._read_import(files, wish)
        if found.headings:
            return self._proposed_mapping(found)
        self._enter_all_missing()
        with self._sql.read() as tx:
            planned = self._plan_import(tx, found.records, wish)
            fresh = [one for one in planned if one.outcome is Outcome.NEW]
            weighed = self._rules.weigh(tx, [(values_of(one.record), "") for one in fresh])
        return Preview(
            form=found.form,
            total=len(found.records) + len(found.troubles),
            counts=_counts(planned, found),
            first=planned[:FIRST_SHOWN],
            outlook=judge.classes_summed({}, (one.classes for one in weighed)),
            barred=tuple(one.record.name.en for one, found_ in zip(fresh, weighed, strict=True) if found_.barred_by)[
                :BARRED_SHOWN
            ],
            troubles=found.troubles[:TROUBLES_KEPT],
        )

    def bring_import(self, files: Sequence[File], wish: Wish, *, by: Actor) -> Batch:
        """Keep files as a batch that waits for somebody's word; nothing is entered yet.

        Raises:
            Invalid: The form cannot be told, the mapping cannot be read, or a table has no mapping.
        """
        return self._keep_import(files, wish, self._read_import(files, wish), by)

    def _keep_import(self, files: Sequence[File], wish: Wish, found: Readout, by: Actor) -> Batch:
        if found.headings:
            raise _no_mapping()
        kept = [{"name": one.name, "digest": self._tools.blobs.put([one.content])} for one in files]
        batch = Batch(
            id=self._new_id("bat"),
            form=found.form,
            name=files[0].name if len(files) == 1 else f"{files[0].name} + {len(files) - 1}",
            sha256=found.sha256,
            state=State.PLANNED,
            by=by.id,
            at=self._clock(),
            provider=wish.provider,
            takes_likely=wish.takes_likely,
            chosen=wish.chosen,
            total=len(found.records),
            counts={Outcome.REFUSED.value: len(found.troubles)} if found.troubles else {},
            troubles=found.troubles[:TROUBLES_KEPT],
            mapping=wish.mapping,
        )
        with self._sql.begin() as tx:
            store.imports.add_batch(tx, batch, kept, self._tools.chance(_SALT_BYTES).hex())
        return batch

    def import_files(self, files: Sequence[File], wish: Wish, *, by: Actor, progress: Progress = silent) -> Batch:
        """Bring files and import them.

        Raises:
            Invalid: As `bring`.
        """
        found = self._read_import(files, wish)
        return self._import_parts(self._keep_import(files, wish, found, by).id, found, by, progress)

    def confirm_import(
        self, batch_id: str, *, by: Actor, chosen: tuple[int, ...] = (), takes_likely: bool = False
    ) -> Batch:
        """Import a batch that waits; a long one is left to the work process.

        Raises:
            NotFound: There is no such batch.
            Conflict: It has ended.
        """
        batch = judge.hold_to_confirm(self.import_batch(batch_id))
        batch = replace(batch, chosen=chosen, takes_likely=takes_likely, state=State.WAITING)
        with self._sql.begin() as tx:
            store.imports.save_batch(tx, batch)
        return self.carry_out_import(batch_id, by=by) if batch.total <= AT_ONCE else batch

    def import_waiting(self) -> int:
        """Import what waits, and what a crash broke off; return how many batches.  For the work process."""
        with self._sql.read() as tx:
            waiting = store.imports.in_state(tx, (State.WAITING, State.RUNNING))
        for batch_id in waiting:
            by = self.import_batch(batch_id).by
            self.carry_out_import(batch_id, by=Actor(id=by, door="machine"))
        return len(waiting)

    def carry_out_import(self, batch_id: str, *, by: Actor, progress: Progress = silent) -> Batch:
        """Import a batch part by part, each in its own transaction; called again after a crash, it goes on.

        Raises:
            NotFound: There is no such batch.
            Conflict: It has ended.
        """
        batch = judge.hold_to_confirm(self.import_batch(batch_id))
        return self._import_parts(
            batch_id, self._read_import(self._files_of_import(batch_id), wish_of(batch)), by, progress
        )

    def undo_import(self, batch_id: str, *, reason: str, by: Actor) -> Batch:
        """Take out what a batch entered and nobody has touched since; what somebody touched stays.

        Raises:
            NotFound: There is no such batch.
            Conflict: It has not ended, or was undone.
            Invalid: No reason is given.
        """
        why, after = judge.hold_to_undo(self.import_batch(batch_id), reason), -1
        while True:
            untouched = self._without_acts(batch_id, after)
            with self._sql.begin() as tx:
                self._sql.exclusive(tx, LOCK)
                batch = self._found_import(tx, batch_id)
                judge.hold_to_undo(batch, reason)
                part = store.imports.entered(tx, batch_id, after, CHUNK)
                if part:
                    after = part[-1].place
                    batch = self._undo_import_part(tx, batch, part, untouched=untouched, reason=why, by=by)
                is_last = len(part) < CHUNK
                batch = replace(batch, state=State.UNDONE if is_last else batch.state)
                store.imports.save_batch(tx, batch)
            if is_last:
                return batch

    def _without_acts(self, batch_id: str, after: int) -> frozenset[str]:
        """Systems of the next part about which the ledger remembers nothing but the import."""
        with self._sql.read() as tx:
            ids = [one.system_id for one in store.imports.entered(tx, batch_id, after, CHUNK)]
        return frozenset(ids) - self._ledger.remembered(ids)

    def discard_import(self, batch_id: str) -> Batch:
        """Forget a batch that was never confirmed: the files go, and nothing had been entered.

        Raises:
            NotFound: There is no such batch.
            Conflict: It was confirmed.
        """
        batch = self.import_batch(batch_id)
        if batch.state is not State.PLANNED:
            raise Conflict(
                what=Text(zh="这次导入已经确认。", en="This import was confirmed."),
                hint=Text(zh="请改用撤销。", en="Undo it instead."),
            )
        with self._sql.begin() as tx:
            batch = replace(batch, state=State.UNDONE)
            store.imports.save_batch(tx, batch)
        return batch

    # --- looking up ----------------------------------------------------------------------------------------------

    def import_batch(self, batch_id: str) -> Batch:
        """Return one batch.

        Raises:
            NotFound: There is none of that id.
        """
        with self._sql.read() as tx:
            return self._found_import(tx, batch_id)

    def import_batches(self, *, page: int = 1, size: int = 20) -> BatchPage:
        """Return a page of batches, newest first."""
        with self._sql.read() as tx:
            found, total = store.imports.batches(tx, page=page, size=size)
        return BatchPage(items=found, total=total, page=page, pages=pages_of(total, size))

    def import_items(self, batch_id: str, *, outcome: Outcome | None = None, page: int = 1, size: int = 50) -> ItemPage:
        """Return a page of a batch's records.

        Raises:
            NotFound: There is no such batch.
        """
        with self._sql.read() as tx:
            self._found_import(tx, batch_id)
            found, total = store.imports.items(tx, batch_id, outcome=outcome, page=page, size=size)
        return ItemPage(items=found, total=total, page=page, pages=pages_of(total, size))

    def import_barred(self, batch_id: str) -> tuple[Item, ...]:
        """Return the records of a batch whose systems met a red line when they entered, at most 200."""
        with self._sql.read() as tx:
            return store.imports.barred(tx, batch_id, BARRED_SHOWN)

    def preview_of_import(self, batch_id: str) -> Preview:
        """Say anew what a waiting batch would do.

        Raises:
            NotFound: There is no such batch.
        """
        return self.preview_import(self._files_of_import(batch_id), wish_of(self.import_batch(batch_id)))

    # --- reading ------------------------------------------------------------------------------------------------

    def _read_import(self, files: Sequence[File], wish: Wish) -> Readout:
        folder = self._tools.folder / "imports"

        def mapping(form: Form) -> Mapped | None:
            if wish.mapping.strip():
                return mappings.read_mapping(wish.mapping)
            return None if form is Form.CSV else mappings.shipped(folder, form)

        try:
            with uncollected():
                return read(
                    files,
                    form=wish.form,
                    mapping=mapping,
                    vocabulary=self._rules.rulebook.base.facts,
                    describe=lambda text, name: self._rules.read(text, name=name),
                    provider=wish.provider.strip(),
                )
        except Unfit as wrong:
            raise Invalid(what=wrong.trouble.says, hint=wrong.trouble.hint, details={"field": "file"}) from wrong

    def _proposed_mapping(self, found: Readout) -> Preview:
        known = mappings.headings(self._tools.folder / "imports")
        text = mappings.proposal(found.headings, known, frozenset(self._rules.rulebook.base.facts))
        return Preview(form=found.form, total=0, counts={}, first=(), outlook={}, barred=(), troubles=(), proposal=text)

    def _plan_import(self, tx: sa.Connection, records: Sequence[Record], wish: Wish) -> tuple[Planned, ...]:
        return judge.plan(records, judge.joined(*(entering.known(tx, part) for part in _parts(records))), wish)

    def _files_of_import(self, batch_id: str) -> list[File]:
        with self._sql.read() as tx:
            files, _ = store.imports.files_and_salt(tx, batch_id)
        return [File(name=one["name"], content=self._tools.blobs.get(one["digest"])) for one in files]


def import_job(registry: Importing) -> Callable[[object], None]:
    """Return the handler of a job that imports what waits; done twice, it finds nothing left to do."""

    def run(_job: object) -> None:
        registry.import_waiting()

    return run


def _parts(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    for start in range(0, len(records), CHUNK):
        yield records[start : start + CHUNK]


def _counts(planned: Sequence[Planned], found: Readout) -> dict[str, int]:
    counts = judge.summed({}, (one.outcome.value for one in planned))
    refused = counts.get(Outcome.REFUSED.value, 0) + len(found.troubles)
    return {**counts, Outcome.REFUSED.value: refused} if refused else counts


def _no_mapping() -> Invalid:
    return Invalid(
        what=Text(zh="表格需要一份对应表。", en="A table needs a mapping."),
        hint=Text(
            zh="先预览一次：会给出一份建议，核对后用 --mapping 指定。",
            en="Preview it first: a mapping is proposed; look it over and pass it with --mapping.",
        ),
        details={"field": "mapping"},
    )
