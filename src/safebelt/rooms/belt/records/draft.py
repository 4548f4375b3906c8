"""A record before it has a place, and places."""

from typing import Literal

import msgspec

Place = tuple[str, int]
"""Segment and offset of a line."""

Kind = Literal["intent", "outcome", "note"]


class Draft:
    """A record before it has a place: facts and content already are JSON.

    Attributes:
        weight: About how many bytes its line takes.
        usage: What the facts of an outcome say was used, as JSON, where that is at hand: it is counted from this.
    """

    __slots__ = ("data", "facts", "id", "type", "usage", "weight")

    def __init__(self, kind: Kind, id_: str, facts: bytes, data: bytes | None, usage: bytes | None = None) -> None:
        self.type, self.id, self.facts, self.data, self.usage = kind, id_, facts, data, usage
        self.weight = len(facts) + (0 if data is None else len(data)) + 420  # a core without facts, salt and key names


def carried(id_: str, intents: dict[str, Place]) -> Draft:
    """Return the note that takes exchanges still under way into a new segment, so that recovery reads one segment."""
    facts = {"what": "carried", "open": {name: list(place) for name, place in intents.items()}}
    return Draft("note", id_, msgspec.json.encode(facts, order="sorted"), None)
