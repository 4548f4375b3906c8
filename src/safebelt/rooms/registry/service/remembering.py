"""The ledger's entries as the dossier tells them: the leaf's fields, and what was kept apart from the leaf."""

from collections.abc import Mapping
from typing import Any

from safebelt.kernel.events import Event
from safebelt.rooms.ledger.model import Entry
from safebelt.rooms.registry.model import EVENTS, Act
from safebelt.rooms.registry.model.notes import EVENTS as OF_NOTES

_TOLD: Mapping[str, type[Event]] = {event.kind: event for event in EVENTS if event not in OF_NOTES}
"""Notes are between those who work on a system; whoever reads the dossier reads the rest."""


def says(entry: Entry) -> dict[str, Any]:
    """Return an entry's fields with its own that were kept apart; what was erased since is missing."""
    event = _TOLD.get(entry.kind)
    return {**entry.data, **(event.read_apart(entry.personal) if event else {})}


def act_of(entry: Entry) -> Act:
    """Return an entry as a dossier shows it; personal data beyond the event's own fields stays in the ledger."""
    return Act(entry_id=entry.id, at=entry.at, actor=entry.actor, kind=entry.kind, data=says(entry))
