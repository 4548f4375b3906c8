"""A record before it has a place, and places."""

from typing import Literal

import msgspec

Place = tuple[str, int]
"""Segment and offset of a line."""

Kind = Literal["intent", "outcome", "note"]


class Draft(msgspec.Struct, frozen=True, gc=False):
    """A record before it has a place: facts and content already are JSON."""

    type: Kind
    id: str
    facts: bytes
    data: bytes | None

    @property
    def weight(self) -> int:
        """About how many bytes its line takes."""
        return len(self.facts) + len(self.data or b"") + 420  # a core without facts, salt and key names


def carried(id_: str, intents: dict[str, Place]) -> Draft:
    """Return the note that takes exchanges still under way into a new segment, so that recovery reads one segment."""
    facts = {"what": "carried", "open": {name: list(place) for name, place in intents.items()}}
    return Draft("note", id_, msgspec.json.encode(facts, order="sorted"), None)
