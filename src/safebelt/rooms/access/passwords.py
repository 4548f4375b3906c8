"""Passwords at rest: Argon2id with RFC 9106's second recommended parameters, a few at a time."""

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from safebelt.engines.clock import Chance
from safebelt.kernel.errors import TooMany
from safebelt.kernel.text import Text

AT_ONCE = 2
"""Hashes at a time.  Each takes 64 MiB and a core (RFC 9106, section 4), so a flood must queue, not multiply."""
WAIT_SECONDS = 3.0
"""How long one waits for its turn before being sent away: a waiting request holds a worker thread."""
SALT_BYTES = 16


class Passwords:
    """Hashes passwords and compares them.

    Args:
        chance: Source of salts.
        hasher: Other cost parameters than RFC 9106's; tests use cheap ones.
    """

    def __init__(self, chance: Chance, *, hasher: PasswordHasher | None = None) -> None:
        self._chance, self._hasher = chance, hasher or PasswordHasher()
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn to hash.

        Raises:
            TooMany: Too many others wait too.
        """
        if not self._turns.acquire(timeout=WAIT_SECONDS):
            raise TooMany(
                what=Text(zh="正在登录的人过多。", en="Too many people are signing in at this moment."),
                hint=Text(zh="请稍候片刻再试。", en="Wait a few seconds and try again."),
            )
        try:
            yield
        finally:
            self._turns.release()

    def hash(self, password: str) -> str:
        """Return the encoded Argon2id hash of a password."""
        return self._hasher.hash(_one_form(password), salt=self._chance(SALT_BYTES))

    def matches(self, stored: str, password: str) -> bool:
        """Whether the password is the one that `stored` was made from."""
        try:
            return self._hasher.verify(stored, _one_form(password))
        except (VerificationError, InvalidHashError):
            return False

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    @cached_property
    def nobodys(self) -> str:
        """A hash that no password opens, checked for names nobody bears so that they take as long as real ones."""
        return self._hasher.hash(self._chance(32), salt=self._chance(SALT_BYTES))


def _one_form(password: str) -> bytes:
    """The same characters typed on another keyboard are the same password (NIST SP 800-63B-4, section 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
