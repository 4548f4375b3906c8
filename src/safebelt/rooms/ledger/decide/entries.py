"""What an entry commits to, and how its bytes are read back."""

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Invalid
from safebelt.kernel.events import Event
from safebelt.kernel.text import Text
from safebelt.rooms.ledger.decide import refusals
from safebelt.rooms.ledger.model import Entry, Row

MAX_BODY_BYTES = 65_535
"""C2SP tlog-tiles gives an entry's length two bytes."""

_COLUMN_CHARS = {"actor": 80, "kind": 120, "subject": 80}
_FIELDS = {"id": str, "at": str, "actor": str, "door": str, "kind": str, "subject": str, "data": dict}


def entry_body(*, entry_id: str, at: datetime, by: Actor, event: Event, commitment: str | None) -> Mapping[str, Any]:
    """Return what the leaf commits to, before canonical encoding."""
    body: dict[str, Any] = {
        "id": entry_id,
        "at": at.isoformat(timespec="microseconds"),
        "actor": by.id,
        "door": by.door,
        "kind": event.kind,
        "subject": event.subject,
        "data": event.data(),
    }
    return body if commitment is None else {**body, "personal": commitment}


def commitment(salt: bytes, personal: bytes) -> str:
    """Return the hex SHA-256 that binds a leaf to personal data it does not show.

    Args:
        salt: Random bytes, erased with the data: without them a short name could be guessed from its hash.
        personal: RFC 8785 bytes of the personal fields.
    """
    return sha256(salt + personal).hexdigest()


def hold_form(body: Mapping[str, Any], encoded: bytes) -> None:
    """Hold that an entry fits the log, before it is remembered.

    Raises:
        Invalid: It is too long, or a name in it is.
    """
    for name, limit in _COLUMN_CHARS.items():
        if len(body[name]) > limit:
            raise _too_long(Text(zh=f"字段 {name}", en=f"the field {name}"), limit, Text(zh="个字符", en="characters"))
    if len(encoded) > MAX_BODY_BYTES:
        raise _too_long(Text(zh="存证条目", en="the entry"), MAX_BODY_BYTES, Text(zh="字节", en="bytes"))


def hold_reason(reason: str) -> None:
    """Hold that a reason is given.

    Raises:
        Invalid: It is blank.
    """
    if not reason.strip():
        raise Invalid(
            what=Text(zh="缺少理由。", en="A reason is missing."),
            hint=Text(
                zh="请写明理由；它将公开载入账本，请勿包含个人信息。",
                en="Say why; it goes to the public log, so leave personal data out.",
            ),
            details={"field": "reason"},
        )


def _too_long(what: Text, limit: int, unit: Text) -> Invalid:
    return Invalid(
        what=Text(zh=f"{what.zh}过长。", en=f"{what.en.capitalize()} is too long for the ledger."),
        hint=Text(
            zh=f"上限为 {limit} {unit.zh}；较大的内容请单独保存，只将其摘要写入账本。",
            en=f"At most {limit} {unit.en} fit; keep large content elsewhere and remember its digest.",
        ),
    )


def parse_body(body: bytes) -> Mapping[str, Any]:
    """Read an entry's bytes.

    Raises:
        ValueError: They are not the JSON object of an entry.
    """
    try:
        parsed = json.loads(body.decode("utf-8"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(parsed, dict) or set(parsed) - {"personal"} != set(_FIELDS):
        raise ValueError("not an entry")
    if not all(isinstance(parsed[name], form) for name, form in _FIELDS.items()):
        raise ValueError("a field of an entry has the wrong form")
    if datetime.fromisoformat(parsed["at"]).tzinfo is None or not isinstance(parsed.get("personal", ""), str):
        raise ValueError("a field of an entry has the wrong form")
    return parsed


def words(data: Any) -> str:
    """Return every value of an event's public fields as lower-case text to search in."""
    match data:
        case dict():
            return " ".join(filter(None, (words(value) for value in data.values())))
        case list() | tuple():
            return " ".join(filter(None, (words(value) for value in data)))
        case None:
            return ""
    return str(data).lower().replace("\x00", "")


def rotation_text(old: str, new: str) -> str:
    """Return the text with which an old key names its successor."""
    return f"safebelt key rotation\n{old}\n{new}\n"


def as_entry(row: Row) -> Entry:
    """Read a stored row as an entry.

    Raises:
        Unavailable: Its bytes cannot be read as an entry any more.
    """
    try:
        body = parse_body(row.body)
    except ValueError as error:
        raise refusals.unreadable(row.id) from error
    return Entry(
        id=row.id,
        index=row.index,
        at=row.at,
        actor=row.actor,
        door=body["door"],
        kind=row.kind,
        subject=row.subject,
        data=body["data"],
        body=row.body,
        personal=row.personal,
        is_erased=row.erased_at is not None,
    )
