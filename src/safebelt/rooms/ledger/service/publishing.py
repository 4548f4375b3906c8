"""How the log grows: sequence, integrate, publish; and how it heals.

*Life of an entry* is told in the room's README.  Every step of `advance` may be the last before a crash:
calling it again finishes the work, and no step can sign what does not extend what was signed before.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

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
from safebelt.rooms.ledger.model import Checkpoint, KeyRotated
from safebelt.rooms.ledger.service.checking import opener
from safebelt.rooms.ledger.store import peers
from safebelt.rooms.ledger.tiles import Folders, Heights, Missing, Tiles, Tree

LOCK = "ledger"
"""Name of the section in which one process at a time extends the log."""

_SETTLE_AFTER = 4096
"""Entries whose files are not known to be durable before they are made so in a log that is never quiet: what has to be
written again after a crash, in a fraction of a second."""


class Append(Protocol):
    """Remembers an event on the log, in the caller's transaction; returns the entry's id."""

    def __call__(self, tx: sa.Connection, event: Event, /, *, by: Actor) -> str:
        """Remember it."""


class Publishing:
    """The log as something that grows and is shown.

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
        self._folders = Folders(tiles, tiles.with_name(f"{tiles.name}-tree"))
        self._tree = Tree(self._tiles, self._folders.tree)
        self._signed = deque[tuple[str, tuple[VerifierKey, ...]]](maxlen=4)  # the last notes and keys that fitted
        self._has_looked = False

    def verifier_keys(self) -> tuple[VerifierKey, ...]:
        """Return every key that ever signed for this log, oldest first; the last is in force."""
        return self._keys.verifiers()

    def advance(self) -> Checkpoint | None:
        """Place what waits, write its tiles, sign and publish a checkpoint; return the newest, or None.

        Safe to call at any time, from any process, and again after a crash.

        Raises:
            Conflict: Signing would contradict a checkpoint signed before.
            Unavailable: The tree, its tiles or a stored checkpoint are damaged.
        """
        with self._sql.read() as tx:
            last = checkpoint_of(tx)
            is_quiet = not store.waiting(tx) and store.size(tx) == size_of(last)
            shown = None if last is None else shown_of(tx, last).note
        if is_quiet and self._has_looked and not self._keys.has_pending and self._tiles.checkpoint() == shown:
            if self._tree.unsettled:
                self._tree.settle()
            return last
        self._sequence()
        self._publish()
        last = self._show()
        self._has_looked = True
        if self._tree.unsettled > _SETTLE_AFTER:
            self._tree.settle()
        return last

    def _sequence(self) -> None:
        """Give every waiting entry its place."""
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, LOCK)
            self._settle_rotation(tx)
            start, last = store.size(tx), checkpoint_of(tx)
            if start < size_of(last):
                raise refusals.contradiction()
            store.sequence(tx, start)

    def _publish(self) -> None:
        """Write the tiles of every placed entry, then sign the root they come to."""
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, LOCK)
            last, size = checkpoint_of(tx), store.size(tx)
            self._hold_continuity(tx, last)  # before the tree is cut to what this database knows of
            tree = self._stand(tx, last)
            if size == tree.size:
                return
            self._integrate(tx, tree, size)
            store.add_checkpoint(tx, self._sign(size, tree.root()), self._clock())

    def _integrate(self, tx: sa.Connection, tree: Tree, size: int) -> None:
        """Add placed entries to the tree and its tiles, up to `size`."""
        try:
            tree.grow(store.bodies(tx, tree.size, size), {size})
        except ValueError as error:
            raise refusals.contradiction() from error

    def _sign(self, size: int, root: bytes) -> Checkpoint:
        note = sign_note(decide.checkpoint_text(self.origin, size, root), self._keys.current())
        return Checkpoint(origin=self.origin, size=size, root=root, note=note)

    def show(self) -> None:
        """Bring the public checkpoint file up to what is stored now, cosignatures of witnesses included."""
        self._show()

    def _show(self) -> Checkpoint | None:
        """Bring the public checkpoint file up to the newest stored one."""
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, LOCK)  # so that a slower process cannot put an older one in its place
            last = checkpoint_of(tx)
            if last is not None and self._tiles.checkpoint() != (shown := shown_of(tx, last).note):
                self._hold_continuity(tx, last)
                self._tiles.write("checkpoint", shown.encode(), is_durable=True)
            return last

    def _stand(self, tx: sa.Connection, last: Checkpoint | None) -> Tree:
        """Return the tree as it was signed last, written again from the rows where files are not there.

        Raises:
            Unavailable: Tree, tiles or rows do not come to the root that was signed.
        """
        size = size_of(last)
        try:
            if (start := self._tree.doubtful(size)) is not None:
                self._replay(tx, last, start)
            root = self._tree.stand(size)
        except Missing:
            self._replay(tx, last, 0)
            root = self._tree.stand(size)
        except ValueError as error:
            raise refusals.damaged() from error
        if last is not None and root != last.root:
            raise refusals.damaged()
        return self._tree

    def _replay(self, tx: sa.Connection, last: Checkpoint | None, start: int) -> None:
        """Write what is missing of tree and tiles from the rows, once these are seen to come to the signed root.

        Args:
            tx: In the exclusive section.
            last: The newest checkpoint.
            start: From here on files may be missing; a multiple of a bundle's width.

        Raises:
            Unavailable: The rows do not come to the root that was signed.
            Missing: The tree is not there up to `start`.
        """
        if last is None:
            return
        frontier = merkle.Frontier(start, self._tree.heights.node)
        for _, body in store.bodies(tx, start, last.size):
            frontier.append(merkle.leaf_hash(body))
        if (frontier.size, frontier.root()) != (last.size, last.root):
            raise refusals.damaged()
        self._tree.begin(start)
        stops = {size for size, _ in store.notes(tx) if size > start}
        self._tree.grow(store.bodies(tx, start, last.size), stops, is_replay=True)
        self._tree.settle()  # at once: the next process would begin from `start` again

    def _proven(
        self,
        size: int,
        find: Callable[[Heights], list[bytes]],
        leads: Callable[[Heights, list[bytes]], bool],
    ) -> list[bytes]:
        """Return a path through the tree that leads to a signed root.

        Nothing leaves the house unchecked: the tree's files are believed by nobody.  Where something is missing, it is
        written again from the rows; where a path leads elsewhere, the files are opened anew once, for they may have
        been put right since.

        Args:
            size: Of the tree.
            find: Finds the path.
            leads: Says whether it leads to the root that was signed.

        Raises:
            Unavailable: The tree, or the rows, do not come to the root.
        """
        heights = self._tree.heights
        for _ in range(2):
            try:
                heights.hold(size)
            except Missing:
                with self._sql.begin() as tx:
                    self._sql.exclusive(tx, LOCK)
                    self._replay(tx, checkpoint_of(tx), 0)
            path = find(heights)
            if leads(heights, path):
                return path
            heights.forget()
        raise refusals.damaged()

    def _hold_continuity(self, tx: sa.Connection, last: Checkpoint | None) -> None:
        """Hold that what was signed before is known here and signed by a key we have, before signing more.

        A database restored from an old backup would otherwise fork the log.

        Raises:
            Conflict: It is not.
        """
        keys = self.verifier_keys()
        if last is not None:
            self._hold_signed(last.note, keys)
        try:
            published = decide.parse_checkpoint(self._tiles.checkpoint() or "")
            self._hold_signed(published.note, keys)
        except (ValueError, Problem):
            return  # no checkpoint of ours: there is nothing to contradict, and `_show` replaces it
        is_last = last is not None and last.size == published.size
        known = last if is_last else checkpoint_of(tx, size=published.size)
        if known is None or known.root != published.root:
            raise refusals.contradiction()

    def _hold_signed(self, note: str, keys: tuple[VerifierKey, ...]) -> None:
        """Hold that a note is signed by one of our keys; the same note and keys are not worked out twice."""
        if (note, keys) not in self._signed:
            opener(keys)(note)
            self._signed.append((note, keys))

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


def checkpoint_of(tx: sa.Connection, *, size: int | None = None) -> Checkpoint | None:
    """Return the newest checkpoint, or the one of a given size."""
    found = store.checkpoint_note(tx, size)
    return None if found is None else decide.as_checkpoint(*found)


def shown_of(tx: sa.Connection, checkpoint: Checkpoint) -> Checkpoint:
    """Return a checkpoint as it is shown: with the cosignatures it has been given so far."""
    return replace(checkpoint, note=checkpoint.note + "".join(peers.lines_of(tx, checkpoint.size)))


def size_of(checkpoint: Checkpoint | None) -> int:
    """Return how many leaves a checkpoint covers."""
    return 0 if checkpoint is None else checkpoint.size
