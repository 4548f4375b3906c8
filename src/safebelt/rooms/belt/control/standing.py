"""Orders for other machines: one signed, numbered message that says all that stands, again and again.

A message is a signed note (C2SP signed-note) whose text is::

    <authority>/orders
    <number>
    <base64 of the standing orders, JSON>

It names every order that stands, so that a node that was away, or joins late, needs no other; and its number only
grows, so that none is obeyed twice or out of order.
"""

import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

import msgspec

from safebelt.kernel.errors import Problem
from safebelt.rooms.belt.control.switch import key_of
from safebelt.rooms.belt.model import Order

MOST_BYTES = 512 * 1024
"""Some thousand orders; a NATS server takes a megabyte."""
MOST_SKEW = timedelta(seconds=60)
"""Two machines' clocks may differ so much; a message that was kept back for longer is not believed."""


class Why(StrEnum):
    """Why a message is not obeyed."""

    FORGED = "forged"
    GARBLED = "garbled"
    REPLAYED = "replayed"
    OLD = "old"
    LATE = "late"


class Standing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands.

    Attributes:
        at: When it was said.
        orders: The newest order for each system and for all, of each matter; `run` and its like too.
    """

    at: datetime
    orders: tuple[Order, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A true message."""

    number: int
    standing: Standing


@dataclass(kw_only=True)
class Heard:
    """What a node remembers of its authority.

    Attributes:
        number: Of the last message that was taken.
        obeyed: The order last given to this node's box, by `place_of`.
    """

    number: int = 0
    obeyed: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Said:
    """What an authority remembers.

    Attributes:
        number: Of the last message.
        orders: The newest order, by `place_of`.
    """

    number: int = 0
    orders: dict[str, Order] = field(default_factory=dict)


def subject_of(authority: str) -> str:
    """Return where on the bus an authority speaks."""
    return f"safebelt.orders.{sha256(authority.encode()).hexdigest()[:24]}"


def place_of(order: Order) -> str:
    """Return where an order stands among those of its house: a newer one of the same place takes its place."""
    return key_of(order.system_id, matter=order.command.matter)


def text_of(authority: str, number: int, standing: Standing) -> str:
    """Return the text that is signed."""
    return f"{authority}/orders\n{number}\n{b64encode(msgspec.json.encode(standing)).decode()}\n"


def read(raw: bytes, authorities: Iterable[str], open_note: Callable[[str], str]) -> Message | Why:
    """Return what a message says, or why it is not to be believed.  Never raises, whatever the bytes.

    Args:
        raw: As it came.
        authorities: Whose word counts.
        open_note: Signed note → its text, or raises Problem where none of their keys signed it.
    """
    if len(raw) > MOST_BYTES:
        return Why.GARBLED
    try:
        text = open_note(raw.decode())
    except UnicodeDecodeError:
        return Why.GARBLED
    except Problem:
        return Why.FORGED
    try:
        authority, number, standing, _ = text.split("\n")
        said = msgspec.json.decode(b64decode(standing, validate=True), type=Standing)
        message = Message(number=int(number), standing=said)
    except (ValueError, msgspec.DecodeError, RecursionError):
        return Why.GARBLED
    return message if authority in {f"{each}/orders" for each in authorities} else Why.FORGED


def refusal(message: Message, heard: Heard, now: datetime) -> Why | None:
    """Return why a true message is not taken: its number was reached already, or it was kept back."""
    if message.number <= heard.number:
        return Why.REPLAYED if message.number == heard.number else Why.OLD
    return Why.LATE if abs(now - message.standing.at) > MOST_SKEW else None


def news(message: Message, heard: Heard) -> list[Order]:
    """Return the orders of a message that this node was not given yet."""
    return [order for order in message.standing.orders if heard.obeyed.get(place_of(order)) != order.id]


def load_heard(path: Path) -> Heard:
    """Return what a node kept; nothing where there is no such file, or it cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Heard)
    except (OSError, msgspec.DecodeError):
        return Heard()


def load_said(path: Path) -> Said:
    """Return what an authority kept; nothing where there is no such file, or it cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Said)
    except (OSError, msgspec.DecodeError):
        return Said()


def keep(path: Path, value: Heard | Said) -> None:
    """Keep it, so that a crash leaves the old one or the new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        file.write(msgspec.json.encode(value))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
