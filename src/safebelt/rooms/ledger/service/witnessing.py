"""Us as a witness of others: which logs we watch, and the cosignature a log is given when it only grew.

The record of what was cosigned is brought up to date in one transaction, and the cosignature leaves after it is
durable.  So no two trees of one size are ever cosigned: not by two requests at once, which the record's size keeps
apart, nor after a crash, nor by a log that was removed and added again.

A cosignature is no entry of the ledger.  It makes the other log no promise of ours beyond what the record holds; and
two houses that witness each other would make each other's logs grow for ever, each entry asking for a cosignature
that is an entry again.  Which logs we accept is an act, and is one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from safebelt.engines.clock import Clock
from safebelt.engines.signing import CosignerStore, Note, VerifierKey, open_note, signature_lines
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Invalid
from safebelt.rooms.ledger import decide
from safebelt.rooms.ledger.decide import refusals
from safebelt.rooms.ledger.model import LogUnwatched, LogWatched, Standing, Submission, Watched
from safebelt.rooms.ledger.service.publishing import Append
from safebelt.rooms.ledger.store import peers

_LOCK = "ledger witness"
MAX_ORIGIN_CHARS = 80
"""As much as an entry's subject can hold."""
MAX_KEYS = 8
"""Keys of one log: it signs with one, and with another while it rotates."""


class Malformed(ValueError):  # noqa: N818  it says what a body is
    """The body of a request is not that of the protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignatures:
    """The answer to a submission that is cosigned: signature lines, each ending in a newline."""

    lines: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """The answer to a submission that begins elsewhere: the size last cosigned."""

    size: int


class Witnessing:
    """Us as a witness.

    Args:
        sql: The database.
        clock: The time, which cosignatures carry.
        cosigners: Our keys.
        origin: Our own log's name.
        append: Remembers an event on our own log.
    """

    def __init__(self, sql: Sql, *, clock: Clock, cosigners: CosignerStore, origin: str, append: Append) -> None:
        self._sql, self._clock, self._cosigners = sql, clock, cosigners
        self._origin, self._append = origin, append

    def cosigner_keys(self) -> tuple[VerifierKey, ...]:
        """Return the verifier keys of our cosignatures, Ed25519 before ML-DSA-44."""
        return tuple(cosigner.verifier for cosigner in self._cosigners.cosigners())

    def watched(self) -> list[Watched]:
        """Return the logs that we witness, by name."""
        with self._sql.read() as tx:
            return peers.all_watched(tx)

    def add(self, origin: str, keys: Sequence[VerifierKey], *, by: Actor) -> str:
        """Begin to witness a log, or accept other keys of it; return the id of the entry that remembers it.

        Raises:
            Invalid: The origin cannot be one, is our own, or there are too many keys.
            Conflict: It is witnessed with these very keys already.
        """
        _hold_origin(origin, self._origin)
        texts = tuple(dict.fromkeys(map(str, keys)))
        if not 0 < len(texts) <= MAX_KEYS:
            raise refusals.too_many_keys(MAX_KEYS)
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, _LOCK)
            known = peers.get_watched(tx, origin)
            if known is not None and known.until is None and known.keys == texts:
                raise refusals.watched_already(origin)
            peers.watch(tx, origin, texts, self._clock())
            return self._append(tx, LogWatched(subject=origin, keys=texts), by=by)

    def remove(self, origin: str, *, reason: str, by: Actor) -> str:
        """Cease to witness a log; return the id of the entry that remembers it.

        What was cosigned stays on record: whoever adds the log again goes on from there.

        Raises:
            Invalid: No reason is given.
            NotFound: It is not witnessed.
        """
        decide.hold_reason(reason)
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, _LOCK)
            if not peers.unwatch(tx, origin, self._clock()):
                raise refusals.not_watched(origin)
            return self._append(tx, LogUnwatched(subject=origin, reason=reason.strip()), by=by)

    def add_checkpoint(self, body: bytes) -> Cosignatures | Stale:
        """Cosign a checkpoint that only adds to what was cosigned before (C2SP tlog-witness, `add-checkpoint`).

        Raises:
            Malformed: The body is not that of the protocol, or its old size is larger than its own.
            NotFound: The log is not witnessed here.
            Refused: No key accepted for that log has signed, or its signature is wrong.
            Invalid: The checkpoint is not shown to add to what was cosigned.
            Unavailable: Our keys cannot be used.
        """
        try:
            asked = decide.read_submission(body.decode("utf-8"))
        except ValueError as error:
            raise Malformed("not a submission") from error
        with self._sql.read() as tx:
            log = peers.get_watched(tx, asked.checkpoint.origin)
        if log is None or log.until is not None:
            raise refusals.not_watched(asked.checkpoint.origin)
        return self._cosign(asked, log, _opened(asked.checkpoint.note, log))

    def _cosign(self, asked: Submission, log: Watched, note: Note) -> Cosignatures | Stale:
        new, cosigners = asked.checkpoint, self._cosigners.cosigners()
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, _LOCK)
            known = peers.get_watched(tx, log.origin)
            if known is None or known.until is not None or known.keys != log.keys:  # changed since it was opened
                raise refusals.not_watched(log.origin)
            standing = decide.stand(asked, known.size, known.root)
            if standing is Standing.STALE:
                return Stale(size=known.size)
            if standing is Standing.IMPOSSIBLE:
                raise Malformed("the old size is larger than the checkpoint's")
            if standing is Standing.INCONSISTENT:
                raise refusals.not_consistent()
            now = self._clock()
            lines = "".join(each.cosign(note.text, at=int(now.timestamp())) for each in cosigners)
            kept = f"{note.text}\n{_verified_lines(new.note, note)}{lines}"
            fresh = replace(known, size=new.size, root=new.root, note=kept, at=now)
            if not peers.keep_cosigned(tx, fresh, asked.old):
                return Stale(size=known.size)
        return Cosignatures(lines=lines)

    def latest(self, origin_hash: str) -> str:
        """Return the newest checkpoint cosigned for a log, by the SHA-256 of its origin in lower-case hex.

        Raises:
            NotFound: We have cosigned none.
        """
        for log in self.watched():
            if sha256(log.origin.encode()).hexdigest() == origin_hash and log.note:
                return log.note
        raise refusals.nothing_cosigned()


def _opened(note: str, log: Watched) -> Note:
    """Open a checkpoint with the keys accepted for its log.

    Raises:
        Malformed: It is no note, or its text is not what was read.
        Refused: None of the keys has signed it, or a signature is wrong.
    """
    try:
        opened = open_note(note, [VerifierKey.parse(key) for key in log.keys])
    except Invalid as problem:
        raise Malformed("not a note") from problem
    if opened.text != decide.text_of(note):
        raise Malformed("not a checkpoint")
    return opened


def _verified_lines(note: str, opened: Note) -> str:
    """Return the log's own signature lines, without those of strangers."""
    lines = signature_lines(note.partition("\n\n")[2])
    return "".join(lines[key.name, key.key_id] for key in opened.signed_by)


def _hold_origin(origin: str, ours: str) -> None:
    is_form = 0 < len(origin) <= MAX_ORIGIN_CHARS and origin.isprintable() and origin == origin.strip()
    if not is_form:
        raise refusals.no_origin(MAX_ORIGIN_CHARS)
    if origin == ours:
        raise refusals.own_log()
