"""What every bus promises, embedded or scaled out."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

MAX_DELIVERIES = 5
"""A handler that fails this often on one message is passed over and said so in the log, lest one bug stop all news."""

DEDUP_MESSAGES = 4096
"""How many recent ids the embedded bus remembers; JetStream remembers those of `DEDUP_SECONDS`."""

DEDUP_SECONDS = 120.0
"""JetStream's own default window."""

_SUBJECT = re.compile(r"events(\.[^\s.*>]+)+")
_PATTERN = re.compile(r"([^\s.*>]+|\*)(\.([^\s.*>]+|\*))*(\.>)?|>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One piece of news.

    Attributes:
        id: Id of the ledger entry it relays; subscribers make their effect idempotent by it.
        subject: `events.<room>.<what_happened>.v<n>`.
        data: Its bytes, canonical JSON.
    """

    id: str
    subject: str
    data: bytes


Handler = Callable[[Message], None]


class Bus(Protocol):
    """Publishes and subscribes.

    At least once: a message may come twice, and a handler that raises gets it again, up to `MAX_DELIVERIES` times.
    Order is kept while no handler fails; it is not promised.
    """

    def publish(self, subject: str, id: str, data: bytes) -> None:
        """Hand a message over for good; publishing the same id again soon is harmless.

        Raises:
            Unavailable: It could not be handed over; publish it again.
        """

    def subscribe(self, pattern: str, handler: Handler, *, name: str) -> None:
        """Hear of messages published from now on.

        Args:
            pattern: A subject, in which `*` stands for one part and a final `>` for one part or more.
            handler: Gets each message, in a thread of the bus.
            name: Who listens: letters, digits, `-` and `_`; once per process.  Where the bus outlives the process,
                a listener that comes back under its name hears what it missed, and processes sharing a name
                share the messages.

        Raises:
            ValueError: The pattern or the name is malformed, or the name already listens in this process.
            Unavailable: The bus does not answer.
        """

    def close(self) -> None:
        """Stop listening and let go of every connection."""


def matches(pattern: str, subject: str) -> bool:
    """Say whether a subject fits a pattern, by the rules of NATS."""
    wanted, parts = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted, has_rest = wanted[:-1], len(parts) >= len(wanted)
        parts = parts[: len(wanted)]
        if not has_rest:
            return False
    return len(wanted) == len(parts) and all(w in ("*", p) for w, p in zip(wanted, parts, strict=True))


def check_subject(subject: str) -> None:
    """Raise `ValueError` unless it is a subject one can publish to."""
    if not _SUBJECT.fullmatch(subject):
        raise ValueError(f"not a subject: {subject!r}; write events.<room>.<kind>, without spaces, * or >")


def check_subscription(pattern: str, name: str) -> None:
    """Raise `ValueError` unless pattern and name are well formed."""
    if not _PATTERN.fullmatch(pattern):
        raise ValueError(f"not a pattern: {pattern!r}; write parts joined by dots; * is one part, a final > the rest")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise ValueError(f"not a listener's name: {name!r}; use letters, digits, - and _")
