"""The file in which sealed originals are handed out: what the records carry, and nothing that opens it."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from safebelt.engines.archive_age import Keys
from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.belt.model import Record
from safebelt.rooms.belt.records.sealing import FORMAT, Sealed, sealed_in, unseal

MAX_BYTES = 256 * 1024 * 1024
"""Two lines of a segment at their longest, and their frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handout:
    """Sealed originals of one exchange.

    Attributes:
        format: Of the file.
        record: Id of the record.
        system: Whose exchange it was.
        parts: Half (`intent`, `outcome`) → what was sealed of it.
    """

    format: str
    record: str
    system: str
    parts: Mapping[str, Sealed]

    @property
    def recipients(self) -> tuple[str, ...]:
        """Who can open it, each once."""
        return tuple(dict.fromkeys(one for part in self.parts.values() for one in part.recipients))


def handout_of(record_id: str, system_id: str, halves: Mapping[str, Record | None]) -> Handout:
    """Gather what the halves of an exchange carry; it may be nothing."""
    found = {half: sealed_in(record.content) for half, record in halves.items() if record is not None}
    parts = {half: sealed for half, sealed in found.items() if sealed is not None}
    return Handout(format=FORMAT, record=record_id, system=system_id, parts=parts)


def written(handout: Handout) -> bytes:
    """Return the file: the same bytes for the same originals."""
    return msgspec.json.format(msgspec.json.encode(handout, order="sorted"), indent=1) + b"\n"


def read(content: bytes) -> Handout:
    """Read a file.

    Raises:
        Invalid: It is none.
    """
    try:
        found = msgspec.json.decode(content, type=Handout) if len(content) <= MAX_BYTES else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found = None
    if found is None or found.format != FORMAT or not found.parts:
        raise Invalid(
            what=Text(zh="这不是移交的封存原文。", en="This is no file of sealed originals."),
            hint=Text(
                zh="请给出由 safebelt belt open 或控制台移交的文件。",
                en="Give the file that the console or `safebelt belt open` handed out.",
            ),
            details={"field": "file"},
        )
    return found


def opened(handout: Handout, keys: Keys) -> dict[str, dict[str, str]]:
    """Return the originals: half → where each text stood → text.  Nobody keeps them here.

    Raises:
        Invalid: The keys are others, or something was changed.
    """
    return {half: unseal(part, handout.record, half, keys) for half, part in handout.parts.items()}


def identities(text: str) -> Keys:
    """Read an identity file as `age` and `ssh-keygen` write it: one key a line, or one key in PEM."""
    if "PRIVATE KEY-----" in text:
        return Keys(identities=(text,))
    lines = [line.strip() for line in text.splitlines()]
    return Keys(identities=tuple(line for line in lines if line and not line.startswith("#")))
