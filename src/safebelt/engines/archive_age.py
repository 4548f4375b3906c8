"""Files that only their owner reads: age (age-encryption.org/v1), written and read as a stream of any length.

Whatever this writes, the `age` of anybody opens, and the other way round.  Recipients (`age1…`, `ssh-ed25519 …`) are
the library's affair; it takes files under a passphrase only whole in memory, so that form is in `archive_passphrase`.
"""

import errno
import io
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

import pyrage

from safebelt.engines.archive_passphrase import (
    WORK_FACTOR,
    PassphraseReader,
    PassphraseWriter,
    is_under_passphrase,
    shut,
)
from safebelt.engines.clock import Chance
from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text

MARK = b"age-encryption.org/v1\n"
"""How every age file begins."""

_CHUNK = 64 * 1024
_START_BYTES = len(MARK) + 10  # as far as the kind of the first stanza


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """For whom a file is sealed.

    Attributes:
        recipients: Public keys: `age1…` or `ssh-…`.
        passphrase: Instead of them, a passphrase.
    """

    recipients: tuple[str, ...] = ()
    passphrase: str = field(default="", repr=False)

    @property
    def is_open(self) -> bool:
        """Whether there is neither: nothing is sealed."""
        return not (self.recipients or self.passphrase)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """With what a file is opened.

    Attributes:
        identities: Private keys: `AGE-SECRET-KEY-…`, or an SSH key in PEM.
        passphrase: The passphrase.
    """

    identities: tuple[str, ...] = field(default=(), repr=False)
    passphrase: str = field(default="", repr=False)


def is_sealed(start: bytes) -> bool:
    """Say whether a file that starts so is an age file."""
    return start.startswith(MARK)


@contextmanager
def sealing(out: BinaryIO, lock: Lock, *, chance: Chance, work_factor: int = WORK_FACTOR) -> Iterator[BinaryIO]:
    """Open what is written to `out` sealed; it is whole only where the block ends without an error.

    Args:
        out: Where to; stays open.
        lock: For whom.  Without a recipient and a passphrase everything is written as it is.
        chance: Randomness, for a passphrase.
        work_factor: Base-2 logarithm of scrypt's cost.

    Raises:
        Invalid: A recipient is none, or there are recipients and a passphrase.
        OSError: The disk does not take it.
    """
    if lock.is_open:
        yield out
    elif lock.recipients and lock.passphrase:
        raise _both()
    elif lock.passphrase:
        writer = PassphraseWriter(out, lock.passphrase, chance=chance, work_factor=work_factor)
        yield cast("BinaryIO", writer)
        writer.finish()
    else:
        with _to_recipients(out, [_recipient(each) for each in lock.recipients]) as pipe:
            yield pipe


@contextmanager
def opening(file: BinaryIO, keys: Keys) -> Iterator[BinaryIO]:
    """Open an age file, or one that is not sealed, for reading from its start.

    Raises:
        Invalid: It cannot be opened with these keys, or was changed.  What was changed or cut off further on is noticed
            while it is read.
    """
    start = file.read(_START_BYTES)
    file.seek(0)
    if not is_sealed(start):
        yield file
        return
    raw: io.RawIOBase
    if is_under_passphrase(start):
        raw = PassphraseReader(file, keys.passphrase)
    else:
        if not keys.identities:
            raise shut("it is sealed for recipients, and no identity was given", "按收件人加密，而未给出身份")
        raw = _Opened(file, [_identity(each) for each in keys.identities])
    with io.BufferedReader(raw, _CHUNK) as opened:
        yield cast("BinaryIO", opened)


# ---- a few bytes, whole


def seal_bytes(data: bytes, recipients: Sequence[str]) -> bytes:
    """Return a few bytes as an age file for recipients.

    Raises:
        Invalid: A recipient is none, or there is none.
    """
    if not recipients:
        raise _nobody()
    return bytes(pyrage.encrypt(data, [_recipient(each) for each in recipients]))


def open_bytes(data: bytes, keys: Keys) -> bytes:
    """Open a small age file, whole.

    Raises:
        Invalid: It cannot be opened with these keys, or was changed.
    """
    with opening(io.BytesIO(data), keys) as file:
        return file.read()


# ---- recipients and identities, by the library


def hold_recipient(text: str) -> str:
    """Return the text of a recipient if it is one.

    Raises:
        Invalid: It is none.
    """
    _recipient(text)
    return text


def _recipient(text: str) -> Any:
    make = pyrage.ssh.Recipient if text.startswith("ssh-") else pyrage.x25519.Recipient
    try:
        return make.from_str(text)
    except pyrage.RecipientError as error:
        raise Invalid(
            what=Text(zh=f"“{text[:80]}”不是 age 收件人公钥。", en=f"{text[:80]!r} is no age recipient."),
            hint=Text(
                zh="请给出以 age1 或 ssh- 开头的公钥，或每行一个公钥的文件。",
                en="Give a public key that begins with age1 or ssh-, or a file with one a line.",
            ),
        ) from error


def _identity(text: str) -> Any:
    try:
        if "PRIVATE KEY-----" in text:
            return pyrage.ssh.Identity.from_buffer(text.encode())
        return pyrage.x25519.Identity.from_str(text)
    except pyrage.IdentityError as error:
        raise Invalid(
            what=Text(zh="身份文件中没有可用的 age 私钥。", en="The identity file holds no usable age private key."),
            hint=Text(
                zh="文件中应有以 AGE-SECRET-KEY- 开头的一行，或为 SSH 私钥。",
                en="It should hold a line that begins with AGE-SECRET-KEY-, or be an SSH private key.",
            ),
        ) from error


class _Beside(threading.Thread):
    """The library at work beside us: it takes what to read from and what to write to, and returns at the end."""

    def __init__(self, work: Callable[[], None], end: int) -> None:
        super().__init__(daemon=True)
        self._work, self._end = work, end
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001  whatever it is, it is raised where the other side is waiting
            self.error = error
        finally:
            os.close(self._end)


class _Source:
    """The reading end of a pipe whose writer may give up: then what was read is no whole file."""

    def __init__(self, end: int) -> None:
        self._end, self.is_given_up = end, False

    def read(self, count: int = -1) -> bytes:
        data = os.read(self._end, count if count > 0 else _CHUNK)
        if not data and self.is_given_up:
            raise OSError(errno.ECANCELED, "given up")  # not EINTR: after that the library would ask again
        return data


class _Sink:
    """A file that remembers why it took no more: the library only says that something failed."""

    def __init__(self, out: BinaryIO) -> None:
        self._out, self.error = out, cast("OSError | None", None)

    def write(self, data: bytes) -> int:
        try:
            return self._out.write(data)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        self._out.flush()


@contextmanager
def _to_recipients(out: BinaryIO, recipients: Sequence[Any]) -> Iterator[BinaryIO]:
    theirs, ours = os.pipe()
    source, sink = _Source(theirs), _Sink(out)
    beside = _Beside(lambda: pyrage.encrypt_io(source, sink, recipients), theirs)
    pipe = os.fdopen(ours, "wb", _CHUNK)
    try:
        yield pipe
        pipe.close()
    except BaseException as error:
        source.is_given_up = True
        with suppress(OSError):
            pipe.close()
        beside.join()
        if sink.error is not None and isinstance(error, BrokenPipeError):
            raise sink.error from error
        raise
    beside.join()
    if beside.error is not None:
        raise sink.error or beside.error


class _Opened(io.RawIOBase):
    """What the library opens, as it comes; where it stops with an error, reading says so."""

    def __init__(self, file: BinaryIO, identities: Sequence[Any]) -> None:
        self._ours, theirs = os.pipe()
        sink = os.fdopen(theirs, "wb", _CHUNK, closefd=False)

        def work() -> None:
            try:
                pyrage.decrypt_io(file, sink, identities)
            finally:
                with suppress(BrokenPipeError):  # nobody reads on
                    sink.close()

        self._beside = _Beside(work, theirs)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not (data := os.read(self._ours, len(buffer))):
            self._beside.join()
            if self._beside.error is not None:
                raise shut(str(self._beside.error)) from self._beside.error
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            os.close(self._ours)
            self._beside.join()
        super().close()


def _nobody() -> Invalid:
    return Invalid(
        what=Text(zh="没有收件人：封存之后谁也打不开。", en="There is no recipient: nobody could ever open it."),
        hint=Text(zh="请至少给出一个公钥。", en="Give at least one public key."),
    )


def _both() -> Invalid:
    return Invalid(
        what=Text(zh="既给了收件人，又给了口令。", en="There are recipients and a passphrase."),
        hint=Text(zh="请只用其中一种方式加密。", en="Seal it in one of the two ways."),
    )
