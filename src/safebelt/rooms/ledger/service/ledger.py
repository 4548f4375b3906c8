"""Deeds of the ledger: append, read, prove, verify, erase, rotate.  How it grows and is shown: `publishing`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from safebelt.engines.canonical import canonical
from safebelt.engines.clock import Chance, Clock
from safebelt.engines.signing import CosignerStore, KeyStore, VerifierKey, sign_note
from safebelt.engines.sql import Sql
from safebelt.kernel import merkle
from safebelt.kernel.actors import Actor
from safebelt.kernel.events import Event
from safebelt.kernel.ids import NewId
from safebelt.rooms.ledger import decide, store
from safebelt.rooms.ledger.decide import refusals
from safebelt.rooms.ledger.model import Checkpoint, Entry, KeyRotated, PersonalErased, Verification
from safebelt.rooms.ledger.service.asking import Asking
from safebelt.rooms.ledger.service.checking import opener
from safebelt.rooms.ledger.service.elsewhere import NewClient, real_client
from safebelt.rooms.ledger.service.following import Following
from safebelt.rooms.ledger.service.publishing import LOCK, Publishing, checkpoint_of, shown_of, size_of
from safebelt.rooms.ledger.service.witnessing import Witnessing
from safebelt.rooms.ledger.store import peers as store_peers
from safebelt.rooms.ledger.tiles import LONG_STRETCH, STRETCH, BundlesJob, Missing, RowsJob, examined

_SALT_BYTES = 16  # 128 bits: more than anybody can try
Progress = Callable[[int, int], None]
"""Told how much of how much is done."""

MAX_PAGE = 200
"""Most entries one call of `entries` returns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peers:
    """What the ledger needs to deal with other logs.

    Attributes:
        cosigners: Our keys as a witness.
        folder: Where the monitor keeps checkpoints and evidence.
        policy: File of logs that the monitor watches by itself (C2SP tlog-policy), or None.
        witness_seconds: How often our checkpoint is taken to its witnesses.
        monitor_seconds: How often other logs are looked at.
        new_client: Makes an HTTP client.
    """

    cosigners: CosignerStore
    folder: Path
    policy: Path | None = None
    witness_seconds: float = 10.0
    monitor_seconds: float = 60.0
    new_client: NewClient = real_client


class Ledger(Publishing):
    """The log of every governance act, and those who watch logs.

    Args:
        sql: The database.
        clock: The time.
        new_id: Mints ids.
        chance: Randomness.
        signer: The log's signing key.
        origin: The log's name in its checkpoints.
        tiles: Folder of the public static log; follows from the database and can be rebuilt.
        peers: Other logs; where nothing is said, our cosigner's key lies beside the log's.

    Attributes:
        witnessing: Us as a witness of other logs.
        asking: Others as witnesses of us.
        following: The monitor.
        witness_seconds, monitor_seconds: How often witnesses are asked, and other logs are looked at.
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
        peers: Peers | None = None,
    ) -> None:
        super().__init__(sql, clock=clock, new_id=new_id, chance=chance, signer=signer, origin=origin, tiles=tiles)
        others = peers or _peers_beside(signer, origin, chance, tiles)
        self.witness_seconds, self.monitor_seconds = others.witness_seconds, others.monitor_seconds
        self.witnessing = Witnessing(sql, clock=clock, cosigners=others.cosigners, origin=origin, append=self.append)
        self.asking = Asking(
            sql,
            clock=clock,
            origin=origin,
            append=self.append,
            path=self._consistency_path,
            show=self.show,
            new_client=others.new_client,
        )
        self.following = Following(
            sql, append=self.append, folder=others.folder, policy=others.policy, new_client=others.new_client
        )

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

    def about(self, subject: str, *, limit: int = MAX_PAGE) -> list[Entry]:
        """Return entries about one subject, newest first, as `entries` does; it is asked with every check.

        Args:
            subject: Its id.
            limit: At most this many, up to `MAX_PAGE`.
        """
        with self._sql.read() as tx:
            found = store.about(tx, subject, max(1, min(limit, MAX_PAGE)))
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
        """Return the newest signed checkpoint, with the cosignatures it has been given so far."""
        with self._sql.read() as tx:
            last = checkpoint_of(tx)
            return None if last is None else shown_of(tx, last)

    def prove(self, entry_id: str) -> str:
        """Return a self-contained proof (C2SP tlog-proof) that an entry is in the log, publishing it first if need be.

        It carries the checkpoint that most witnesses have cosigned, among those that cover the entry.

        Raises:
            NotFound: There is no such entry.
            Conflict, Unavailable: The log is damaged; see `advance`.
        """
        found, last = self.entry(entry_id), self.checkpoint()
        if found.index is None or found.index >= size_of(last):
            self.advance()
            found, last = self.entry(entry_id), self.checkpoint()
        if last is None or found.index is None:
            raise refusals.damaged()
        last = self._witnessed(found.index) or last
        index, size, root, leaf = found.index, last.size, last.root, merkle.leaf_hash(found.body)
        path = self._proven(
            size,
            lambda heights: heights.inclusion(index, size),
            lambda _, path: merkle.verify_inclusion(index, size, leaf, path, root),
        )
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
            new = checkpoint_of(tx, size=new_size)
            old = checkpoint_of(tx, size=old_size)
        if new is None or old is None:
            raise refusals.no_checkpoint(old_size if old is None else new_size or 0)
        if old.size > new.size:
            raise refusals.wrong_order()
        path = self._consistency_path(old.size, new.size)
        if not merkle.verify_consistency(old.size, new.size, path, old.root, new.root):
            raise refusals.damaged()
        return decide.write_consistency(old=old, new=new, path=path)

    def verify(self, progress: Progress | None = None) -> Verification:
        """Hold the whole log against itself: every row, payload, checkpoint, signature, rotation, tile and tree file.

        Args:
            progress: Told how many entries were examined, and of how many.
        """

        def jobs(tx: sa.Connection, audit: decide.Audit) -> Iterator[RowsJob]:
            for start in range(0, audit.published, STRETCH):
                end = min(start + STRETCH, audit.published)
                yield RowsJob(self._folders, start, end, audit.stops(start, end), store.stretch(tx, start, end))

        return self._audit(jobs, progress, has_rows=True)

    def verify_files(self, progress: Progress | None = None) -> Verification:
        """Hold the log's files against each other and its checkpoints: bundles, tiles and tree, but not the rows.

        Args:
            progress: Told how many entries were examined, and of how many.
        """

        def jobs(_: sa.Connection, audit: decide.Audit) -> Iterator[BundlesJob]:
            for start in range(0, audit.published, LONG_STRETCH):
                end = min(start + LONG_STRETCH, audit.published)
                yield BundlesJob(self._folders, start, end, audit.stops(start, end))

        return self._audit(jobs, progress, has_rows=False)

    def _audit(
        self,
        jobs: Callable[[sa.Connection, decide.Audit], Iterable[RowsJob | BundlesJob]],
        progress: Progress | None,
        *,
        has_rows: bool,
    ) -> Verification:
        keys, published = self.verifier_keys(), self._tiles.checkpoint()
        with self._sql.read() as tx:
            audit = decide.Audit(
                store.notes(tx),
                keys=[str(key) for key in keys],
                open_note=opener(keys),
                open_cosigned=lambda key, note: opener([VerifierKey.parse(key)])(note),
            )
            for stretch in examined(jobs(tx, audit), audit.published):
                audit.take(stretch)
                if progress is not None:
                    progress(stretch.end, audit.published)
            if has_rows:
                for row in store.rows_beyond(tx, audit.published):
                    audit.read_beyond(row, canonical)
            for size, key, line in store_peers.cosignatures(tx):
                audit.read_cosignature(size, key, line)
        audit.read_published(published)
        return audit.close(self._folders)

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
            remembered = self.append(tx, PersonalErased(subject=entry_id, reason=reason.strip()), by=by)
            if not store.erase(tx, entry_id, self._found(tx, remembered).at):
                raise refusals.nothing_to_erase(entry_id)
            return remembered

    def rotate_key(self, *, reason: str, by: Actor) -> VerifierKey:
        """Replace the signing key; the old key signs the new one, and the log remembers it.

        Raises:
            Invalid: No reason is given.
        """
        decide.hold_reason(reason)
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, LOCK)
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

    def _consistency_path(self, old: int, new: int) -> list[bytes]:
        """Return the path between two sizes, of which the larger was signed."""
        with self._sql.read() as tx:
            last = checkpoint_of(tx, size=new)
        if last is None:
            raise refusals.no_checkpoint(new)
        root = last.root
        return self._proven(
            new,
            lambda heights: heights.consistency(old, new),
            lambda heights, path: merkle.verify_consistency(old, new, path, heights.root(old), root),
        )

    def _witnessed(self, index: int) -> Checkpoint | None:
        """Return the most widely cosigned checkpoint that covers an index, or None."""
        with self._sql.read() as tx:
            size = store_peers.best_size(tx, index)
            best = None if size is None else checkpoint_of(tx, size=size)
            return None if best is None else shown_of(tx, best)

    def _found(self, tx: sa.Connection, entry_id: str) -> Entry:
        row = store.get(tx, entry_id)
        if row is None:
            raise refusals.no_entry(entry_id)
        return decide.as_entry(row)


def _peers_beside(signer: KeyStore, origin: str, chance: Chance, tiles: Path) -> Peers:
    """Return what there is where nobody said anything about other logs."""
    path = signer.path.with_name("witness.key")
    cosigners = CosignerStore(path, name=f"{origin}/witness", chance=chance)
    return Peers(cosigners=cosigners, folder=tiles.with_name("monitor"))
