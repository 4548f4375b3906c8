"""Deeds of the belt, one class in five chapters: harnesses and keys, orders, exchanges, evidence, identity."""

from safebelt.rooms.belt.service.aging import Aging
from safebelt.rooms.belt.service.approvals import Approvals, HeldCalls
from safebelt.rooms.belt.service.base import CarriedHere, Tools
from safebelt.rooms.belt.service.classifying import Classifying, Sample
from safebelt.rooms.belt.service.commanding import EVERYTHING
from safebelt.rooms.belt.service.content import days_said
from safebelt.rooms.belt.service.evidence import texts_of
from safebelt.rooms.belt.service.exchanges import OPEN, day_range
from safebelt.rooms.belt.service.identity import BeltIdentity, Identities
from safebelt.rooms.belt.service.keys import MAX_GRACE_HOURS, Keys, digest_of
from safebelt.rooms.belt.service.policy_versions import RED_LINES, Loaded, NotTaken
from safebelt.rooms.belt.service.reconciling import Completeness
from safebelt.rooms.belt.service.replaying import MAX_REPLAYED, SHOWN_DAYS, Replays
from safebelt.rooms.belt.service.sealing import OPEN_ORIGINALS, SEAL, HandedOut, Originals
from safebelt.rooms.belt.service.stops import ALIVE_SECONDS
from safebelt.rooms.belt.service.strikes import StrikesFound
from safebelt.rooms.belt.service.telemetry import Telemetry
from safebelt.rooms.belt.service.transparency import Openly, OpenPolicy, OpenRule, Transparency
from safebelt.rooms.belt.service.trying import MAX_PROMPT_CHARS, Tried, TryIt
from safebelt.rooms.belt.service.two_people import TwoPersonOrders
from safebelt.rooms.belt.service.usage import Quotas
from safebelt.rooms.belt.service.words import (
    BeltNow,
    BusNow,
    Found,
    Full,
    Holds,
    LimitNow,
    Minute,
    Proof,
    Sealed,
    Search,
    Stop,
    Stops,
    Traffic,
    VersionNow,
)

__all__ = [
    "ALIVE_SECONDS",
    "EVERYTHING",
    "MAX_GRACE_HOURS",
    "MAX_PROMPT_CHARS",
    "MAX_REPLAYED",
    "OPEN",
    "OPEN_ORIGINALS",
    "RED_LINES",
    "SEAL",
    "SHOWN_DAYS",
    "Approvals",
    "Belt",
    "BeltIdentity",
    "BeltNow",
    "BusNow",
    "CarriedHere",
    "Found",
    "Full",
    "HandedOut",
    "Holds",
    "LimitNow",
    "Loaded",
    "Minute",
    "NotTaken",
    "OpenPolicy",
    "OpenRule",
    "Proof",
    "Sample",
    "Sealed",
    "Search",
    "Stop",
    "Stops",
    "StrikesFound",
    "Tools",
    "Traffic",
    "Transparency",
    "Tried",
    "TryIt",
    "VersionNow",
    "day_range",
    "days_said",
    "digest_of",
    "texts_of",
]


class Belt(
    Keys,
    Telemetry,
    TwoPersonOrders,
    Quotas,
    Aging,
    HeldCalls,
    Identities,
    Replays,
    Openly,
    Completeness,
    Classifying,
    Originals,
):
    """The belt, as console, API, command line and jobs use it."""
