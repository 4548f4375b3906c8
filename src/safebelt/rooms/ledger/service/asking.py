"""Others as witnesses of us: whom we ask, and how their cosignatures come to our checkpoints.

`collect` is a habit of its own, beside the log's: it never holds up an entry.  Each witness is asked in a thread of
its own, so that a slow or silent one holds up nobody else either; one that has not answered by the next turn is left
alone until it has.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog

from safebelt.engines.clock import Clock
from safebelt.engines.signing import VerifierKey, read_note, signature_lines
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Problem
from safebelt.kernel.text import Text
from safebelt.rooms.ledger import decide
from safebelt.rooms.ledger.decide import refusals
from safebelt.rooms.ledger.model import Checkpoint, Submission, Witness, WitnessAsked, WitnessDropped
from safebelt.rooms.ledger.service.elsewhere import NewClient, is_address
from safebelt.rooms.ledger.service.publishing import Append, checkpoint_of
from safebelt.rooms.ledger.store import peers

if TYPE_CHECKING:
    import httpx2

Path = Callable[[int, int], Sequence[bytes]]
"""Proof that the log of the first size is a prefix of the log of the second."""

_LOCK = "ledger witnesses"
MAX_WITNESSES = 32
"""A note has room for a hundred signatures, and a witness may have two or three keys."""
MAX_KEYS = 4
"""Keys of one witness."""
_ANSWER_BYTES = 64 * 1024
_ANSWER_SECONDS = 10.0  # a cosignature is one small transaction; whoever needs longer is asked again next time
_HTTP_OK, _HTTP_CONFLICT = 200, 409

_log = structlog.get_logger(__name__)


class Asking:
    """Those who witness us.

    Args:
        sql: The database.
        clock: The time.
        origin: Our log's name.
        append: Remembers an event on our log.
        path: Makes proofs of consistency.
        show: Publishes the newest checkpoint with the cosignatures it has.
        new_client: Makes an HTTP client.
    """

    def __init__(
        self,
        sql: Sql,
        *,
        clock: Clock,
        origin: str,
        append: Append,
        path: Path,
        show: Callable[[], None],
        new_client: NewClient,
    ) -> None:
        self._sql, self._clock, self._origin, self._append = sql, clock, origin, append
        self._path, self._show, self._new_client = path, show, new_client
        self._busy, self._guard = set[str](), threading.Lock()

    def witnesses(self) -> list[Witness]:
        """Return whom we ask, oldest first."""
        with self._sql.read() as tx:
            return peers.witnesses(tx)

    def ask(self, url: str, keys: Sequence[VerifierKey], *, by: Actor) -> str:
        """Begin to ask a witness; return the id of the entry that remembers it.

        Args:
            url: Its submission prefix (C2SP tlog-witness).
            keys: Verifier keys it cosigns with; cosignatures of other keys are ignored.
            by: Who decides it.

        Raises:
            Invalid: The address is none, or a key is not that of a cosigner.
            Conflict: It is asked already, one of its keys belongs to another, or there are too many witnesses.
        """
        url = url.rstrip("/")
        if not is_address(url):
            raise refusals.no_url()
        found = tuple(dict.fromkeys(keys))
        if not 0 < len(found) <= MAX_KEYS:
            raise refusals.too_many_keys(MAX_KEYS)
        if not all(key.type.is_cosignature for key in found):
            raise refusals.no_cosigner_key()
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, _LOCK)
            self._hold_room(tx, url, found)
            for key in found:
                peers.ask(tx, _row(key), url, self._clock())
            event = WitnessAsked(subject=self._origin, url=url, keys=tuple(map(str, found)))
            return self._append(tx, event, by=by)

    def drop(self, url: str, *, reason: str, by: Actor) -> str:
        """Cease to ask a witness; what it cosigned stays.  Return the id of the entry that remembers it.

        Raises:
            Invalid: No reason is given.
            NotFound: It is not asked.
        """
        decide.hold_reason(reason)
        url = url.rstrip("/")
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, _LOCK)
            if not peers.drop(tx, url, self._clock()):
                raise refusals.not_asked(url)
            event = WitnessDropped(subject=self._origin, url=url, reason=reason.strip())
            return self._append(tx, event, by=by)

    def collect(self, *, wait_seconds: float = _ANSWER_SECONDS) -> None:
        """Ask every witness that has not cosigned the newest checkpoint yet; wait for answers, but not for ever."""
        with self._sql.read() as tx:
            last, witnesses = checkpoint_of(tx), peers.witnesses(tx)
        threads = [
            threading.Thread(target=self._ask_one, args=(witness, last), name=f"witness {witness.url}", daemon=True)
            for witness in witnesses
            if last is not None and witness.size < last.size and self._is_free(witness.url)
        ]
        for thread in threads:
            thread.start()
        patience = wait_seconds
        for thread in threads:
            thread.join(patience)
            patience = 0.0 if thread.is_alive() else patience  # who comes after it has had the time already

    def _is_free(self, url: str) -> bool:
        """Take a witness, unless an earlier turn still waits for it."""
        with self._guard:
            if url in self._busy:
                return False
            self._busy.add(url)
            return True

    def _ask_one(self, witness: Witness, last: Checkpoint) -> None:
        try:
            trouble = self._get_cosigned(witness, last)
            if trouble != witness.trouble:
                with self._sql.begin() as tx:
                    peers.set_trouble(tx, witness.url, trouble)
            if trouble is None:
                self._show()
        except Exception as error:  # noqa: BLE001  nobody waits for this thread: say what happened, ask again next time
            _log.error("ledger.witness_failed", url=witness.url, error=str(error), exc_info=error)
        finally:
            with self._guard:
                self._busy.discard(witness.url)

    def _get_cosigned(self, witness: Witness, last: Checkpoint) -> Text | None:
        """Have a checkpoint cosigned and keep the cosignatures; return why it did not come to that."""
        with self._new_client(_ANSWER_SECONDS) as calls:
            try:
                answer = self._submit(calls, witness.url, min(witness.size, last.size), last)
                if answer.status_code == _HTTP_CONFLICT:
                    size = decide.read_size(answer.text)
                    if size > last.size:
                        return _ahead(size, last.size)
                    answer = self._submit(calls, witness.url, size, last)
            except Problem as problem:
                return problem.what
            except ValueError:
                return _NOT_THE_PROTOCOL
        if answer.status_code != _HTTP_OK:
            return _refused(answer.status_code)
        return self._keep(witness, last, answer.content)

    def _submit(self, calls: "httpx2.Client", url: str, old: int, last: Checkpoint) -> "httpx2.Response":
        from safebelt.engines.http import fetch  # noqa: PLC0415  only who asks a witness needs a client

        path = tuple(self._path(old, last.size)) if 0 < old < last.size else ()
        body = decide.write_submission(Submission(old=old, path=path, checkpoint=last)).encode()
        return fetch(calls, "POST", f"{url}/add-checkpoint", content=body, max_bytes=_ANSWER_BYTES)

    def _keep(self, witness: Witness, last: Checkpoint, answer: bytes) -> Text | None:
        """Keep the cosignatures that are good and of keys we know; say so where none is."""
        keys = {(key.name, key.key_id): key for key in map(VerifierKey.parse, witness.keys)}
        try:
            lines = signature_lines(answer.decode("utf-8"))
        except ValueError:
            return _NOT_THE_PROTOCOL
        good = [(keys[who], line) for who, line in lines.items() if who in keys and _fits(last, keys[who], line)]
        if not good:
            return _NOT_COSIGNED
        with self._sql.begin() as tx:
            for key, line in good:
                peers.add_cosignature(tx, last.size, _row(key), line)
        return None

    def _hold_room(self, tx: sa.Connection, url: str, keys: Sequence[VerifierKey]) -> None:
        present = peers.witnesses(tx)
        of_others = {key for each in present if each.url != url for key in each.keys}
        ours = {key for each in present if each.url == url for key in each.keys}
        wanted = set(map(str, keys))
        if wanted <= ours or wanted & of_others:
            raise refusals.asked_already(url)
        if len(present) >= MAX_WITNESSES and not ours:
            raise refusals.too_many_witnesses(MAX_WITNESSES)
        if len(ours | wanted) > MAX_KEYS:
            raise refusals.too_many_keys(MAX_KEYS)


def _fits(checkpoint: Checkpoint, key: VerifierKey, line: str) -> bool:
    """Whether a line is a witness's cosignature of a checkpoint; one without a time is not that of a witness."""
    with suppress(Problem):
        return read_note(f"{decide.text_of(checkpoint.note)}\n{line}", [key]).at.get(key, 0) > 0
    return False


def _row(key: VerifierKey) -> peers.Key:
    return peers.Key(name=key.name, key_id=key.key_id.hex(), key=str(key))


_NOT_THE_PROTOCOL = Text(
    zh="其回答不符合 C2SP tlog-witness。", en="Its answer is not that of a witness (C2SP tlog-witness)."
)
_NOT_COSIGNED = Text(
    zh="其回答中没有已知公钥的有效联署。", en="Its answer holds no good cosignature of a key we know it by."
)


def _ahead(size: int, ours: int) -> Text:
    return Text(
        zh=f"见证人已联署过大小为 {size} 的本日志，而现有日志只有 {ours}：本日志曾被回退，请立即查明。",
        en=f"It has cosigned this log at size {size}, which now has {ours}: this log was rolled back. Find out why.",
    )


def _refused(status: int) -> Text:
    known = {
        400: Text(zh="它读不懂请求（400）。", en="It could not read what it was sent (400)."),
        403: Text(zh="它不接受本日志的签名公钥（403）。", en="It does not accept this log's key (403)."),
        404: Text(zh="它不见证本日志（404）。", en="It does not witness this log (404)."),
        409: Text(zh="它同时被他人请求（409）。", en="Somebody else asked it at the same moment (409)."),
        422: Text(
            zh="它认定本日志与此前联署的不一致（422），请立即查明。",
            en="It finds this log inconsistent with what it cosigned before (422). Find out why.",
        ),
    }
    return known.get(status, Text(zh=f"它回答了 {status}。", en=f"It answered {status}."))
