"""Deeds of the belt, one class in five chapters: harnesses and keys, orders, exchanges, evidence, identity."""

from safebelt.rooms.belt.service.base import CarriedHere, Tools
from safebelt.rooms.belt.service.evidence import Evidence, texts_of
from safebelt.rooms.belt.service.exchanges import OPEN, Exchanges, day_range
from safebelt.rooms.belt.service.harness import Harnesses, digest_of
from safebelt.rooms.belt.service.identity import BeltIdentity, Identities
from safebelt.rooms.belt.service.stops import ALIVE_SECONDS, EVERYTHING, StopOrders
from safebelt.rooms.belt.service.trying import MAX_PROMPT_CHARS, Tried, TryIt
from safebelt.rooms.belt.service.words import (
    BeltNow,
    Found,
    Full,
    Holds,
    Minute,
    Proof,
    Sealed,
    Search,
    Stop,
    Stops,
    Traffic,
)

__all__ = [
    "ALIVE_SECONDS",
    "EVERYTHING",
    "MAX_PROMPT_CHARS",
    "OPEN",
    "Belt",
    "BeltIdentity",
    "BeltNow",
    "CarriedHere",
    "Found",
    "Full",
    "Holds",
    "Minute",
    "Proof",
    "Sealed",
    "Search",
    "Stop",
    "Stops",
    "Tools",
    "Traffic",
    "Tried",
    "TryIt",
    "day_range",
    "digest_of",
    "texts_of",
]


class Belt(Harnesses, StopOrders, Exchanges, Evidence, Identities):
    """The belt, as console, API, command line and jobs use it."""
