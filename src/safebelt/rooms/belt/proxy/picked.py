"""What is picked out of JSON without building the rest; and out of forms.

A module of its own, because those around it are compiled, and a `msgspec.Struct` must not be: it would have no fields.
"""

from typing import Any

import msgspec

from safebelt.rooms.belt.proxy import forms


class _Named(msgspec.Struct):
    """What of a body rules can ask about; of a name that stands twice the last counts, as for whoever reads later."""

    model: str | None = None


class IntentUse(msgspec.Struct):
    """What of an intent's facts is counted by."""

    key_id: str = ""


class OutcomeUse(msgspec.Struct):
    """What of an outcome's facts is counted."""

    usage: dict[str, Any] = {}
    finish: str = ""


_read_named = msgspec.json.Decoder(_Named).decode
read_intent = msgspec.json.Decoder(IntentUse).decode
read_outcome = msgspec.json.Decoder(OutcomeUse).decode
read_usage = msgspec.json.Decoder(dict[str, Any]).decode


def surely_named_model(body: bytes) -> str | None:
    """Return the model that a body names which nobody takes apart: of JSON only, for a form may name a second one."""
    return None if body.startswith(b"--") else named_model(body)


def named_model(body: bytes) -> str | None:
    """Return the model a body names, JSON or a form; None where it names none, or what it says cannot be read."""
    try:
        return _read_named(body).model or None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return forms.named_model(body) if body.startswith(b"--") else None
