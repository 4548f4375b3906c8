"""Deeds of the ledger: append, advance (sequence, integrate, publish), prove, verify, erase, rotate.

*Life of an entry* is told in the room's README.  Every step of `advance` may be the last before a crash:
calling it again finishes the work, and no step can sign what does not extend what was signed before.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from safebelt.engines.canonical import canonical
from safebelt.engines.clock import Chance, Clock
from safebelt.engines.signing import KeyStore, VerifierKey, sign_note
from safebelt.engines.sql import Sql
from safebelt.kernel import merkle
from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Problem
from safebelt.kernel.events import Event
from safebelt.kernel.ids import NewId
from safebelt.rooms.ledger import decide, store
from safebelt.rooms.ledger.decide import refusals
from safebelt.rooms.ledger.model import Checkpoint, Entry, KeyRotated, PersonalErased, Verification
from safebelt.rooms.ledger.service.checking import opener
from safebelt.rooms.ledger.tiles import Edge, Missing, Tiles

_LOCK = "ledger"
_SALT_BYTES = 16  # 128 bits: more than anybody can try
MAX_PAGE = 200
"""Most entries one call of `entries` returns."""

T = TypeVar("T")


class Ledger:
    """The log of every governance act.

    Args:
        sql: The database.
        clock, new_id, chance: Time, ids and randomness.
        signer: The log's signing key.
        origin: The log's name in its checkpoints.
        tiles: Folder of the public static log; follows from the database and can be rebuilt.
    """

    def __init__(
        self,
        sql: Sql,
        *,
        clock: Clock,
        new_id: NewId,
        chance: Chance,
        signer: KeyStore,
        origin: str,
        tiles: Path,
    ) -> None:
        self._sql, self._clock, self._new_id, self._chance = sql, clock, new_id, chance
        self._keys, self.origin, self._tiles = signer, origin, Tiles(tiles)
        self._has_looked = False

    def append(self, tx: sa.Connection, event: Event, *, by: Actor) -> str:
        """Remember an event inside the caller's transaction and return the entry's id.

        Raises:
            Invalid: The event is too long for the log, or has no canonical form.
        """
        entry_id, at, salt, bound = self._new_id("ent"), self._clock(), None, None
        if personal := event.kept_apart():
            salt = self._chance(_SALT_BYTES)
            bound = decide.commitment(salt, canonical(personal))
        content = decide.entry_body(entry_id=entry_id, at=at, by=by, event=event, commitment=bound)
        body = canonical(content)
        decide.hold_form(content, body)
        row = {"id": entry_id, "at": at, "actor": by.id, "kind": event.kind, "subject": event.subject, "body": body}
        row |= {"words": decide.words(decide.parse_body(body)["data"]), "leaf": merkle.leaf_hash(body)}
        store.insert(tx, row, salt, personal)
        return entry_id

    def advance(self) -> Checkpoint | None:
        """Place what waits, write its tiles, sign and publish a checkpoint; return the newest, or None.

        Safe to call at any time, from any process, and again after a crash.

        Raises:
            Conflict: Signing would contradict a checkpoint signed before.
            Unavailable: The tiles or a stored checkpoint are damaged.
        """
        with self._sql.read() as tx:
            last = _checkpoint(tx)
            is_quiet = not store.waiting(tx) and store.size(tx) == _size(last)
        if is_quiet and self._has_looked and not self._keys.has_pending and self._tiles.checkpoint() == _note(last):
            return last
        self._sequence()
        self._publish()
        last = self._show()
        self._has_looked = True
        return last

    def entry(self, entry_id: str) -> Entry:
        """Return one entry.

        Raises:
            NotFound: There is none of that id.
        """
        with self._sql.read() as tx:
            return self._found(tx, entry_id)

    def entries(
        self,
        *,
        subject: str | None = None,
        kind: str | None = None,
        actor: str | None = None,
        search: str | None = None,
        before: int | None = None,
        after: int | None = None,
        limit: int = 50,
    ) -> list[Entry]:
        """Return entries, newest first; those not yet placed come before all others.

        Args:
            subject: Id of what entries are about.
            kind: Event kind.
            actor: Pseudonymous id of who acted.
            search: Part of the public data, of an id or of a kind, in any case.
            before: Only entries with a lower index: the next page.
            after: Only entries with a higher index, those nearest to it: the page before.
            limit: At most this many, up to `MAX_PAGE`.
        """
        filters = {"subject": subject, "kind": kind, "actor": actor}
        with self._sql.read() as tx:
            found = store.page(tx, filters, search, before=before, after=after, limit=max(1, min(limit, MAX_PAGE)))
        return [decide.as_entry(row) for row in found]

    def remembered(self, subjects: Sequence[str]) -> frozenset[str]:
        """Return which of many subjects an entry is about, placed or waiting."""
        with self._sql.read() as tx:
            return store.subjects_among(tx, subjects)

    def sequenced(self, after: int, limit: int) -> list[tuple[int, str, str, bytes]]:
        """Return index, id, kind and body of placed entries after an index, in order: what a relay reads.

        Args:
            after: -1 at the very start.
            limit: At most this many.
        """
        with self._sql.read() as tx:
            return store.sequenced(tx, after, limit)

    def count(self) -> int:
        """Return how many entries there are, placed or waiting."""
        with self._sql.read() as tx:
            return store.size(tx) + store.waiting(tx)

    def checkpoint(self) -> Checkpoint | None:
        """Return the newest signed checkpoint."""
        with self._sql.read() as tx:
            return _checkpoint(tx)

    def verifier_keys(self) -> tuple[VerifierKey, ...]:
        """Return every key that ever signed for this log, oldest first; the last is in force."""
        return self._keys.verifiers()

    def prove(self, entry_id: str) -> str:
        """Return a self-contained proof (C2SP tlog-proof) that an entry is in the log, publishing it first if need be.

        Raises:
            NotFound: There is no such entry.
            Conflict, Unavailable: The log is damaged; see `advance`.
        """
        found, last = self.entry(entry_id), self.checkpoint()
        if found.index is None or found.index >= _size(last):
            self.advance()
            found, last = self.entry(entry_id), self.checkpoint()
        if last is None or found.index is None:
            raise refusals.damaged()
        index, size = found.index, last.size
        path = self._from_tiles(lambda: merkle.inclusion_path(index, size, self._tiles.nodes(size)))
        if not merkle.verify_inclusion(index, size, merkle.leaf_hash(found.body), path, last.root):
            raise refusals.damaged()
        return decide.write_proof(body=found.body, index=index, path=path, checkpoint=last)

    def consistency(self, old_size: int, new_size: int | None = None) -> str:
        """Return a self-contained proof that the log of `new_size` only adds to the log of `old_size`.

        Args:
            old_size: Size of a published checkpoint.
            new_size: Size of a later one; the newest where it is left out.

        Raises:
            NotFound: No checkpoint of that size was published.
            Invalid: The sizes are in the wrong order.
        """
        with self._sql.read() as tx:
            new = _checkpoint(tx, size=new_size)
            old = _checkpoint(tx, size=old_size)
        if new is None or old is None:
            raise refusals.no_checkpoint(old_size if old is None else new_size or 0)
        if old.size > new.size:
            raise refusals.wrong_order()
        sizes = old.size, new.size
        path = self._from_tiles(lambda: merkle.consistency_path(*sizes, self._tiles.nodes(sizes[1])))
        if not merkle.verify_consistency(*sizes, path, old.root, new.root):
            raise refusals.damaged()
        return decide.write_consistency(old=old, new=new, path=path)

    def verify(self) -> Verification:
        """Hold the whole log against itself: every row, personal payload, checkpoint, signature, rotation and tile."""
        keys, published = self.verifier_keys(), self._tiles.checkpoint()
        with self._sql.read() as tx:
            audit = decide.Audit(
                store.notes(tx),
                keys=[str(key) for key in keys],
                open_note=opener(keys),
                canonical=canonical,
                files=self._tiles.content,
            )
            for row in store.rows(tx, store.size(tx)):
                audit.read(row)
        audit.read_published(published)
        return audit.close()

    def erase(self, entry_id: str, *, reason: str, by: Actor) -> str:
        """Erase an entry's personal data; its proof stands.  Return the id of the entry that remembers the erasing.

        Raises:
            NotFound: There is no such entry.
            Invalid: No reason is given.
            Conflict: The entry has no personal data, or none any more.
        """
        decide.hold_reason(reason)
        with self._sql.begin() as tx:
            self._found(tx, entry_id)
            if not store.erase(tx, entry_id, self._clock()):
                raise refusals.nothing_to_erase(entry_id)
            return self.append(tx, PersonalErased(subject=entry_id, reason=reason.strip()), by=by)

    def rotate_key(self, *, reason: str, by: Actor) -> VerifierKey:
        """Replace the signing key; the old key signs the new one, and the log remembers it.

        Raises:
            Invalid: No reason is given.
        """
        decide.hold_reason(reason)
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, _LOCK)
            self._settle_rotation(tx)
            old, new = self._keys.current(), self._keys.prepare()
            keys = str(old.verifier), str(new.verifier)
            note = sign_note(decide.rotation_text(*keys), old)
            event = KeyRotated(subject=self.origin, old=keys[0], new=keys[1], note=note, reason=reason.strip())
            self.append(tx, event, by=by)
        self.advance()
        return new.verifier

    def public_file(self, path: str) -> bytes:
        """Return a file of the static log by its C2SP path: `checkpoint`, `tile/0/000.p/5`, `tile/entries/000`.

        Raises:
            NotFound: There is no such file.
        """
        try:
            return self._tiles.public(path)
        except Missing as missing:
            raise refusals.no_file() from missing

    def _found(self, tx: sa.Connection, entry_id: str) -> Entry:
        row = store.get(tx, entry_id)
        if row is None:
            raise refusals.no_entry(entry_id)
        return decide.as_entry(row)

    def _sequence(self) -> None:
        """Give every waiting entry its place."""
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, _LOCK)
            self._settle_rotation(tx)
            start, last = store.size(tx), _checkpoint(tx)
            if start < _size(last):
                raise refusals.contradiction()
            store.sequence(tx, start)

    def _publish(self) -> None:
        """Write the tiles of every placed entry, then sign the root they come to."""
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, _LOCK)
            last, size = _checkpoint(tx), store.size(tx)
            edge = self._edge(tx, last)
            if size == edge.size:
                return
            self._hold_continuity(tx, last)
            self._integrate(tx, edge, size)
            store.add_checkpoint(tx, self._sign(size, edge.root()), self._clock())

    def _integrate(self, tx: sa.Connection, edge: Edge, size: int, stops: Iterable[int] = ()) -> None:
        """Add placed entries to the tiles, up to `size`."""
        try:
            edge.extend(store.bodies(tx, edge.size, size), {*stops, size})
        except ValueError as error:
            raise refusals.contradiction() from error

    def _sign(self, size: int, root: bytes) -> Checkpoint:
        note = sign_note(decide.checkpoint_text(self.origin, size, root), self._keys.current())
        return Checkpoint(origin=self.origin, size=size, root=root, note=note)

    def _show(self) -> Checkpoint | None:
        """Bring the public checkpoint file up to the newest stored one."""
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, _LOCK)  # so that a slower process cannot put an older one in its place
            last = _checkpoint(tx)
            if last is not None and self._tiles.checkpoint() != last.note:
                self._hold_continuity(tx, last)
                self._tiles.write("checkpoint", last.note.encode())
            return last

    def _edge(self, tx: sa.Connection, last: Checkpoint | None) -> Edge:
        """Return the tree's right edge at the last checkpoint, rebuilding tiles that are not there.

        Raises:
            Unavailable: Tiles or rows do not come to the root that was signed.
        """
        try:
            edge = Edge(self._tiles, _size(last))
        except Missing:
            self._rebuild(tx, last)
            edge = Edge(self._tiles, _size(last))
        except ValueError as error:
            raise refusals.damaged() from error
        if not edge.is_whole or (last is not None and edge.root() != last.root):
            raise refusals.damaged()
        return edge

    def _rebuild(self, tx: sa.Connection, last: Checkpoint | None) -> None:
        """Write all tiles anew from the rows, once the rows are seen to come to the signed root."""
        if last is None:
            return
        frontier = merkle.Frontier()
        for _, body in store.bodies(tx, 0, last.size):
            frontier.append(merkle.leaf_hash(body))
        if (frontier.size, frontier.root()) != (last.size, last.root):
            raise refusals.damaged()
        self._integrate(tx, Edge(self._tiles), last.size, [size for size, _ in store.notes(tx)])

    def _from_tiles(self, work: Callable[[], T]) -> T:
        """Do work that reads tiles; where one is missing, rebuild them and do it again."""
        try:
            return work()
        except Missing:
            with self._sql.begin() as tx:
                self._sql.exclusive(tx, _LOCK)
                self._rebuild(tx, _checkpoint(tx))
            return work()
        except ValueError as error:
            raise refusals.damaged() from error

    def _hold_continuity(self, tx: sa.Connection, last: Checkpoint | None) -> None:
        """Hold that what was signed before is known here and signed by a key we have, before signing more.

        A database restored from an old backup would otherwise fork the log.

        Raises:
            Conflict: It is not.
        """
        opened = opener(self.verifier_keys())
        if last is not None:
            opened(last.note)
        try:
            published = decide.parse_checkpoint(self._tiles.checkpoint() or "")
            opened(published.note)
        except (ValueError, Problem):
            return  # no checkpoint of ours: there is nothing to contradict, and `_show` replaces it
        known = _checkpoint(tx, size=published.size)
        if known is None or known.root != published.root:
            raise refusals.contradiction()

    def _settle_rotation(self, tx: sa.Connection) -> None:
        """Finish a rotation that the log remembers; give up one it does not.  The caller holds the section."""
        if (pending := self._keys.pending()) is None:
            return
        rotations = [decide.parse_body(body)["data"] for body in store.bodies_of(tx, KeyRotated.kind)]
        remembered = {str(rotation["new"]) for rotation in rotations}
        if str(pending.verifier) in remembered:
            self._keys.activate()
        else:
            self._keys.discard()


def _checkpoint(tx: sa.Connection, *, size: int | None = None) -> Checkpoint | None:
    """Return the newest checkpoint, or the one of a given size."""
    found = store.checkpoint_note(tx, size)
    return None if found is None else decide.as_checkpoint(*found)


def _size(checkpoint: Checkpoint | None) -> int:
    return 0 if checkpoint is None else checkpoint.size


def _note(checkpoint: Checkpoint | None) -> str | None:
    return None if checkpoint is None else checkpoint.note
