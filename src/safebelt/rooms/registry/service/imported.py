"""What an imported system carries with it: where it was read, the proof that it entered, and where it went."""

import sqlalchemy as sa

from safebelt.kernel import merkle
from safebelt.kernel.errors import NotFound
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry import store
from safebelt.rooms.registry.model import Act, Dossier, System
from safebelt.rooms.registry.model.imports import Batch, ImportProof, Origin, Outcome
from safebelt.rooms.registry.service.entering import Entering
from safebelt.rooms.registry.service.remembering import act_of


class Imported(Entering):
    """Deeds that tell how a system entered."""

    def origin_of(self, system_id: str) -> Origin | None:
        """Return where a system's registration was read; None where it was not imported."""
        with self._sql.read() as tx:
            found = store.imports.of_system(tx, system_id)
            return None if found is None else Origin(batch=self._found_import(tx, found.batch_id), item=found)

    def class_names(self, lang: Lang) -> dict[str, tuple[str, dict[str, str]]]:
        """Return instrument to its short name and the names of its classes."""
        return {
            name: (one.short.in_(lang), {label.id: label.title.in_(lang) for label in one.classes})
            for name, one in self._rules.rulebook.base.instruments.items()
        }

    def import_proof(self, system_id: str) -> ImportProof:
        """Return the proof that a system entered by an import; the entry's own proof is the ledger's.

        Raises:
            NotFound: It was not imported.
        """
        with self._sql.read() as tx:
            found = store.imports.leaf_of(tx, system_id)
        if found is None:
            raise NotFound(
                what=Text(zh=f"{system_id} 不是导入的。", en=f"{system_id} was not imported."),
                hint=Text(
                    zh="它的登记在账本中有自己的条目。", en="Its registration has an entry of its own on the ledger."
                ),
            )
        entry_id, index, bodies = found
        hashes = [merkle.leaf_hash(one.encode()) for one in bodies]
        return ImportProof(
            system_id=system_id,
            leaf=bodies[index],
            index=index,
            size=len(bodies),
            path=tuple(one.hex() for one in merkle.inclusion_proof(index, hashes)),
            root=merkle.root(hashes).hex(),
            entry_id=entry_id,
        )

    def system(self, system_id: str) -> System:
        """Return one system; one that was taken out says so.

        Raises:
            NotFound: There is no such system.
        """
        try:
            return super().system(system_id)
        except NotFound as unknown:
            raise self._where_it_went_by_undoing(system_id, unknown) from unknown

    def dossier(self, system_id: str) -> Dossier:
        """Return a system's dossier; a system that was taken out says so.

        Raises:
            NotFound: There is no such system.
        """
        try:
            return super().dossier(system_id)
        except NotFound as unknown:
            raise self._where_it_went_by_undoing(system_id, unknown) from unknown

    def _acts(self, system_id: str) -> tuple[Act, ...]:
        """What was done about a system, the import it entered with among it."""
        acts, found = super()._acts(system_id), self.origin_of(system_id)
        if found is None or not found.item.entry_id:
            return acts
        one = self._ledger.entry(found.item.entry_id)
        return (*acts, act_of(one))

    def _where_it_went_by_undoing(self, system_id: str, unknown: NotFound) -> NotFound:
        found = self.origin_of(system_id)
        if found is None or found.item.outcome is not Outcome.TAKEN_OUT:
            return unknown
        return NotFound(
            what=Text(
                zh=f"系统 {system_id} 随导入 {found.batch.id} 登记，后因撤销导入而撤出。",
                en=f"The system {system_id} entered with the import {found.batch.id} and left when that was undone.",
            ),
            hint=Text(zh="撤销的理由见该次导入。", en="Why is said at that import."),
            details={"batch": found.batch.id},
        )

    def _found_import(self, tx: sa.Connection, batch_id: str) -> Batch:
        found = store.imports.batch_by_id(tx, batch_id)
        if found is None:
            raise NotFound(
                what=Text(zh=f"没有导入 {batch_id}。", en=f"There is no import {batch_id}."),
                hint=Text(zh="请在导入列表中查找。", en="Look it up in the list of imports."),
            )
        return found
