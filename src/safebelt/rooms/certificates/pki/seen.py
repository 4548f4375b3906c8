"""What a checker has seen of authorities' lists and answers, so that an older one is caught when it comes again.

A signature and a date do not tell a replay: yesterday's list, on which today's revocation is missing, is as genuine as
today's and lasts until tonight.  Only who remembers that today's exists can tell.  So whoever checks keeps the highest
number of each authority's lists (RFC 5280, 5.2.3: numbers only rise) and the time of the latest answer about each
certificate, from one check to the next and from one process to the next.  Nothing is remembered that was not signed by
an authority whose own chain was proven, so nobody can spoil a memory without that authority's key.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography import x509

from safebelt.engines.signing import files
from safebelt.kernel.errors import Problem, Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.pki.keys import public_bytes

ANSWERS_KEPT = timedelta(days=7)  # an answer older than a day is stale anyhow, and need not be caught as a replay
MAX_ANSWERS = 20_000  # the latest are kept: two megabytes
MAX_BYTES = 8 * 1024 * 1024
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A memory; two of them join in any order, and nothing in either is forgotten.

    Attributes:
        lists: Of each authority the highest number of its lists, and when that list was signed.
        answers: Of each authority's certificates when the latest answer was produced.
    """

    lists: Mapping[str, tuple[int, datetime]] = field(default_factory=dict)
    answers: Mapping[tuple[str, int], datetime] = field(default_factory=dict)

    def joined(self, other: "Seen") -> "Seen":
        """Return what both have seen."""
        lists, answers = dict(self.lists), dict(self.answers)
        for authority, latest in other.lists.items():
            lists[authority] = max(latest, lists.get(authority, latest))
        for about, at in other.answers.items():
            answers[about] = max(at, answers.get(about, at))
        return Seen(lists=lists, answers=answers)

    def pruned(self) -> "Seen":
        """Return it without answers that are long stale beside the latest of them; lists are never forgotten."""
        if not self.answers:
            return self
        since = max(self.answers.values()) - ANSWERS_KEPT
        kept = sorted(((at, about) for about, at in self.answers.items() if at >= since), reverse=True)
        return Seen(lists=self.lists, answers={about: at for at, about in kept[:MAX_ANSWERS]})

    def list_contradicts(self, authority: str, number: int, at: datetime) -> Text | None:
        """Say what is wrong with a list beside the latest that was seen, or `None`."""
        highest, then = self.lists.get(authority, (number, at))
        if number < highest:
            return Text(
                zh=f"吊销列表编号 {number} 低于已见过的 {highest}，是旧列表重放",
                en=f"The list has number {number}, lower than {highest} seen before: an old one replayed",
            )
        if at < then or (number == highest and at != then):
            return Text(
                zh=f"吊销列表编号 {number} 与已见过的 {highest} 次序矛盾",
                en=f"The list has number {number}, and its time contradicts number {highest} seen before",
            )
        return None

    def answer_contradicts(self, authority: str, serial: int, at: datetime) -> Text | None:
        """Say what is wrong with an answer beside the latest that was seen, or `None`."""
        latest = self.answers.get((authority, serial), at)
        if at < latest:
            return Text(
                zh=f"OCSP 应答早于已见过的 {latest:%Y-%m-%d %H:%M:%S} 的应答，是旧应答重放",
                en=f"The answer is older than one of {latest:%Y-%m-%d %H:%M:%S} UTC seen before: an old one replayed",
            )
        return None

    def as_text(self) -> str:
        """Return it for a file: JSON."""
        return json.dumps(
            {
                "version": _VERSION,
                "lists": {one: [number, at.isoformat()] for one, (number, at) in sorted(self.lists.items())},
                "answers": {f"{one}:{serial:x}": at.isoformat() for (one, serial), at in sorted(self.answers.items())},
            },
            indent=1,
        )

    @classmethod
    def from_text(cls, text: str) -> "Seen":
        """Read what `as_text` wrote.

        Raises:
            ValueError: It is something else.
        """
        try:
            read = json.loads(text)
            if read["version"] != _VERSION or read.keys() != {"version", "lists", "answers"}:
                raise ValueError("another version")
            return cls(
                lists={_authority(one): _latest(*latest) for one, latest in read["lists"].items()},
                answers={_about(about): _moment(at) for about, at in read["answers"].items()},
            )
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError("not a memory of lists") from error


@lru_cache(maxsize=512)  # the same few authorities, again and again
def authority_of(issuer: x509.Certificate) -> str:
    """Return what an authority is remembered under: the SHA-256 of its key, hexadecimal.

    Its name would not do: another authority may have the same.
    """
    return sha256(public_bytes(issuer.public_key())).hexdigest()


def remembered(path: Path) -> Seen:
    """Read a memory; an empty one where there is no file yet.

    Raises:
        Unavailable: It cannot be read, is something else, or others may write to it: then a replay could not be told.
    """
    try:
        if not path.exists():
            return Seen()
        if path.stat().st_mode & 0o022 or path.stat().st_size > MAX_BYTES:
            raise ValueError("others may write to it, or it is too long")
        return Seen.from_text(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _unusable(path, error) from error


def remember(path: Path, seen: Seen) -> None:
    """Add to a memory, and write it only where that changed it; other processes may do so at the same time.

    Raises:
        Unavailable: It cannot be read or written.
    """
    if remembered(path).joined(seen).pruned() == remembered(path):
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(path):
            files.write(path, remembered(path).joined(seen).pruned().as_text(), mode=0o600)
    except OSError as error:
        raise _unusable(path, error) from error


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold others off while it is read and written; the lock is a file beside it, for the file itself is replaced."""
    descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _authority(text: str) -> str:
    if len(bytes.fromhex(text)) != sha256().digest_size or text != text.lower():
        raise ValueError("not an authority")
    return text


def _latest(number: Any, at: Any) -> tuple[int, datetime]:
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise ValueError("not a number of a list")
    return number, _moment(at)


def _about(text: str) -> tuple[str, int]:
    authority, _, serial = text.partition(":")
    return _authority(authority), int(serial, 16)


def _moment(text: Any) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a moment without a zone")
    return at.astimezone(UTC)


def _unusable(path: Path, error: Exception) -> Problem:
    return Unavailable(
        what=Text(
            zh=f"无法使用 {path} 中已见过的吊销列表记录，因此无法识别旧列表重放：{error}。",
            en=f"The memory of revocation lists in {path} cannot be used, so a replay could not be told: {error}.",
        ),
        hint=Text(
            zh="请检查该文件的权限（600）和内容，或从备份恢复；确需重新开始时，请自行移走该文件。",
            en="Check the file's mode (600) and contents, or restore it. To start anew, move it away yourself.",
        ),
        details={"path": str(path)},
    )
