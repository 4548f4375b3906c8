"""Deeds that decide what the public sees: preview, publish one or many, take out."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from safebelt.engines.canonical import canonical
from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, Problem
from safebelt.kernel.text import Text
from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide import grading, publication
from safebelt.rooms.registry.model.imports import FORMS
from safebelt.rooms.registry.model.publication import (
    EndPublication,
    Graded,
    KeptBack,
    NotPublished,
    Preview,
    Publication,
    PublicationRules,
    Publish,
    PublishedMany,
    PublishMany,
    Visibility,
)
from safebelt.rooms.registry.model.register import Party, System
from safebelt.rooms.registry.packs.publication import open_publication
from safebelt.rooms.registry.service.base import found_system
from safebelt.rooms.registry.service.showing import Showing
from safebelt.rooms.registry.store import published
from safebelt.rooms.registry.store.publication import Shown

MOST_BY_SEARCH = 10_000
"""Systems one deed takes that were found by a search: a search that finds more is no decision about each."""
TOGETHER = 100
"""Systems written in one transaction of a deed about many: long enough to be quick, short enough to let others in."""
REFUSED_SHOWN = 200
BATCH_READ = 1000
"""Records of an import batch read at a time."""
HISTORY_SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """A system's record as it would be published, worked out before anything is locked."""

    system: System
    cmd: Publish
    kept: KeptBack
    slips: tuple[tuple[str, Text], ...]
    shown: Shown
    digest: str


class Publishing(Showing):
    """Deeds that decide what the public sees."""

    @cached_property
    def publication_rules(self) -> PublicationRules:
        """What decides about the public register, from `registry/publication.yaml`."""
        return open_publication(self._tools.folder)

    def publication_draft(self, system_id: str) -> Publish:
        """Return a decision to begin with: contact and limits as they were published last, and no reason yet.

        Raises:
            NotFound: There is no such system.
        """
        with self._sql.read() as tx:
            current = store.publication.current(tx, found_system(tx, system_id).id)
            record = store.publication.record(tx, system_id, current.version) if current else None
        not_for = (record or {}).get("not_for") or {"zh": "", "en": ""}
        return Publish(
            reason="",
            visibility=current.visibility if current else Visibility.PUBLIC,
            contact=current.contact if current else "",
            not_for_zh=not_for["zh"],
            not_for_en=not_for["en"],
            until=current.until if current else None,
            basis=current.basis if current else "",
        )

    def preview_publication(self, system_id: str, cmd: Publish | None = None) -> Preview:
        """Return exactly what the public would see of a system; nothing changes.

        Args:
            system_id: Which.
            cmd: The decision as far as it is made; the contact and limits of the last one where it leaves them out.

        Raises:
            NotFound: There is no such system.
        """
        with self._sql.read() as tx:
            current = store.publication.current(tx, system_id)
        made = self._public_prepared(system_id, cmd or self.publication_draft(system_id))
        record = made.shown.record or {}
        return Preview(
            record=record,
            digest=made.digest,
            kept_back=made.kept,
            slips=made.slips,
            is_changed=current is None or current.digest != made.digest,
            current=current,
        )

    def publish(self, system_id: str, cmd: Publish, *, by: Actor) -> Publication:
        """Decide what the public sees of a system; what it sees is what was previewed.

        Raises:
            NotFound: There is no such system.
            Invalid: A reason, date or basis is missing, or a person would be put before the public.
            Conflict: The law keeps it back, it changed since it was previewed, or nothing would change.
        """
        made = self._public_prepared(system_id, cmd)
        with self._sql.begin() as tx:
            return self._public_enter(tx, made, by)

    def publish_many(self, cmd: PublishMany, *, by: Actor) -> PublishedMany:
        """Decide the same about many systems; what the law keeps back is restricted by that law instead.

        Each system has its own entry on the ledger.  One that cannot be decided is left as it was, and named.

        Raises:
            Invalid: No system is meant, too many are, or no reason is given.
            Conflict: There are more or fewer than expected.
        """
        ids = self._public_meant(cmd)
        done = {"published": 0, "restricted": 0, "unchanged": 0}
        refused: list[NotPublished] = []
        for start in range(0, len(ids), TOGETHER):
            self._public_enter_some(ids[start : start + TOGETHER], cmd.decision, done, refused, by)
        return PublishedMany(
            **done,
            refused=tuple(refused[:REFUSED_SHOWN]),
            refused_total=len(refused),
            obstacles=publication.obstacles(refused),
        )

    def unpublish(self, system_id: str, cmd: EndPublication, *, by: Actor) -> Publication:
        """Take a system out of the public register; its page then says so.

        Raises:
            NotFound: There is no such system.
            Invalid: No reason is given, or it names a person.
            Conflict: It is not public.
        """
        with self._sql.begin() as tx:
            self._one_at_a_time(tx, system_id)
            system = found_system(tx, system_id)
            _hold_no_slips(publication.slips(system, _parties(tx, system), Publish(reason=cmd.reason)), {"reason"})
            now, current = self._clock(), store.publication.current(tx, system_id)
            new, event = publication.end(current, system_id, cmd, at=now)
            new = replace(new, entry_id=self._ledger.append(tx, event, by=by))
            published.put(tx, new, Shown(record=None), reason=event.reason, is_end=new.ended_at == now)
        return new

    def publication(self, system_id: str) -> Publication | None:
        """Return the decision in force about a system; None where nobody decided yet, and nothing is public.

        Raises:
            NotFound: There is no such system.
        """
        with self._sql.read() as tx:
            return store.publication.current(tx, found_system(tx, system_id).id)

    def publication_history(self, system_id: str) -> list[sa.Row[Any]]:
        """Return every decision about what the public sees of a system, latest first, at most 50."""
        with self._sql.read() as tx:
            return store.publication.history(tx, system_id, HISTORY_SHOWN)

    # ---- how

    def _public_prepared(self, system_id: str, cmd: Publish) -> _Prepared:
        """Work out the record; the judgment opens connections of its own, so this is done before anything is locked."""
        with self._sql.read() as tx:
            system = found_system(tx, system_id)
            provider, deployer = _two_parties(tx, system)
            origin = _origin(tx, system_id)
        grades, kept = self._public_grades(system)
        record = publication.compose(system, provider, deployer, grades, cmd, origin=origin)
        body = canonical(record)
        parties = [party for party in (provider, deployer) if party is not None]
        return _Prepared(
            system=system,
            cmd=cmd,
            kept=kept,
            slips=publication.slips(system, parties, cmd),
            shown=Shown(
                record=json.loads(body),
                body=body,
                search=publication.public_search(record),
                marks=grades.marks,
            ),
            digest=sha256(body).hexdigest(),
        )

    def _public_grades(self, system: System) -> tuple[Graded, KeptBack]:
        rules, record = self.publication_rules, self._rules.on_record(system.id)
        judgment = self._rules.judgment_of(system.id, party=system.provider_id)
        kept = grading.kept_back(judgment, rules)
        if record is None or judgment is None:
            return Graded(on=None), kept
        facts = record.description.values()
        text = self._rules.text(judgment.on)
        return grading.graded(judgment, text, facts, rules, version=record.version, sha256=record.sha256), kept

    def _public_enter(self, tx: sa.Connection, made: _Prepared, by: Actor) -> Publication:
        system_id = made.system.id
        self._one_at_a_time(tx, system_id)
        if found_system(tx, system_id).version != made.system.version:
            raise Conflict(
                what=Text(zh="该系统的登记刚刚变更。", en="The system's registration has just changed."),
                hint=Text(zh="请重新预览后再决定。", en="Preview it again, then decide."),
            )
        is_open = made.cmd.visibility in (Visibility.PUBLIC, Visibility.EMBARGOED)
        _hold_no_slips(made.slips, None if is_open else set())
        new, event = publication.publish(
            store.publication.current(tx, system_id),
            system_id,
            made.cmd,
            kept=made.kept,
            digest=made.digest,
            is_basis_known=self._public_knows(tx, made.cmd.basis.strip()),
            at=self._clock(),
        )
        new = replace(new, entry_id=self._ledger.append(tx, event, by=by))
        told = event.reason if made.cmd.visibility is Visibility.PUBLIC else ""
        published.put(tx, new, made.shown if is_open else Shown(record=None), reason=told, is_end=False)
        return new

    def _public_knows(self, tx: sa.Connection, basis: str) -> bool:
        return bool(basis) and grading.knows(self._rules.text_within(tx, self._clock().date()), basis)

    def _public_enter_some(
        self, ids: tuple[str, ...], cmd: Publish, done: dict[str, int], refused: list[NotPublished], by: Actor
    ) -> None:
        prepared = list(self._public_prepared_some(ids, cmd, refused))
        with self._sql.begin() as tx:
            for made in prepared:
                try:
                    new = self._public_enter(tx, made, by)
                except Problem as problem:  # every one of them is raised before anything is written
                    if problem.details.get("unchanged"):
                        done["unchanged"] += 1
                    else:
                        refused.append(_refused(made.system.id, problem))
                else:
                    is_as_asked = new.visibility is cmd.visibility
                    done["published" if is_as_asked else "restricted"] += 1

    def _public_prepared_some(
        self, ids: tuple[str, ...], cmd: Publish, refused: list[NotPublished]
    ) -> Iterator[_Prepared]:
        for system_id in ids:
            try:
                made = self._public_prepared(system_id, cmd)
            except Problem as problem:
                refused.append(_refused(system_id, problem))
            else:
                yield replace(made, cmd=publication.as_the_law_says(cmd, made.kept))

    def _public_meant(self, cmd: PublishMany) -> tuple[str, ...]:
        """Return the ids of the systems a deed about many is about.

        Raises:
            Invalid: None is, or a search finds too many, or no reason is given.
            Conflict: There are more or fewer than expected.
        """
        if not cmd.decision.reason.strip():
            raise _invalid("reason", Text(zh="请填写理由。", en="Enter the reason."))
        with self._sql.read() as tx:
            imported = _of_batch(tx, cmd.batch) if cmd.batch else ()
        ids = tuple(dict.fromkeys((*cmd.ids, *imported, *self._public_found(cmd))))
        if not ids:
            raise Invalid(
                what=Text(zh="没有指明任何系统。", en="No system is meant."),
                hint=Text(
                    zh="请给出导入批次、查找词或系统编号；给出的批次或查找词没有对应任何系统时，请核对。",
                    en="Give an import batch, words to find, or ids; where you did, nothing answers to it: check it.",
                ),
                details={"field": "ids"},
            )
        if cmd.expected is not None and cmd.expected != len(ids):
            raise Conflict(
                what=Text(
                    zh=f"预计 {cmd.expected} 个系统，实为 {len(ids)} 个。",
                    en=f"{cmd.expected} systems were expected; there are {len(ids)}.",
                ),
                hint=Text(zh="请核对选择后重试。", en="Look at what is chosen, then try again."),
                details={"found": str(len(ids))},
            )
        return ids

    def _public_found(self, cmd: PublishMany) -> Iterator[str]:
        if not cmd.search.strip() and cmd.status is None:
            return
        page, size = 1, 200
        while True:
            found = self.systems(search=cmd.search, status=cmd.status, page=page, size=size)
            if found.total > MOST_BY_SEARCH:
                raise _invalid(
                    "search",
                    Text(
                        zh=f"找到 {found.total} 个系统，一次最多 {MOST_BY_SEARCH} 个；请缩小范围或按导入批次发布。",
                        en=f"The search finds {found.total} systems; at most {MOST_BY_SEARCH} are taken at once. "
                        "Narrow it, or publish by import batch.",
                    ),
                )
            yield from (system.id for system in found.items)
            if page >= found.pages:
                return
            page += 1


def _two_parties(tx: sa.Connection, system: System) -> tuple[Party | None, Party | None]:
    provider = store.register.party_by_id(tx, system.provider_id)
    return provider, store.register.party_by_id(tx, system.deployer_id) if system.deployer_id else None


def _parties(tx: sa.Connection, system: System) -> tuple[Party, ...]:
    return tuple(party for party in _two_parties(tx, system) if party is not None)


def _origin(tx: sa.Connection, system_id: str) -> dict[str, Any] | None:
    """Return where a system was taken over from, and what that source says of it; None where it was not."""
    item = store.imports.of_system(tx, system_id)
    batch = store.imports.batch_by_id(tx, item.batch_id) if item else None
    if item is None or batch is None:
        return None
    register = FORMS[batch.form]
    is_address = item.ref.startswith(("https://", "http://"))
    return {
        "register": {"zh": register.zh, "en": register.en},
        "url": item.ref if is_address else "",
        "ref": item.ref,
        "said": item.said,
        "imported_on": batch.at.date().isoformat(),
    }


def _of_batch(tx: sa.Connection, batch: str) -> tuple[str, ...]:
    """Return the systems an import batch entered, in the order of its source."""
    ids: list[str] = []
    after = -1
    while found := store.imports.entered(tx, batch, after, BATCH_READ):
        ids += (item.system_id for item in found)
        after = found[-1].place
    return tuple(ids)


def _hold_no_slips(slips: tuple[tuple[str, Text], ...], fields: set[str] | None) -> None:
    """Hold that no field puts a person before the public; `fields` limits which are looked at, None takes all."""
    wrong = [(field, says) for field, says in slips if fields is None or field in fields]
    if wrong:
        field, says = wrong[0]
        label = Text(zh=f"“{field}”", en=f"“{field}” ")
        raise _invalid(field, Text(zh=label.zh + says.zh, en=label.en + says.en))


def _refused(system_id: str, problem: Problem) -> NotPublished:
    return NotPublished(
        system_id=system_id,
        code=problem.code,
        why=problem.what,
        hint=problem.hint,
        field=problem.details.get("field", ""),
    )


def _invalid(field: str, what: Text) -> Invalid:
    return Invalid(
        what=what, hint=Text(zh="请更正后重新提交。", en="Correct it and send it again."), details={"field": field}
    )
