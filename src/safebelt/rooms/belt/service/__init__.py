"""Deeds of the belt, one class in chapters; a chapter is loaded when somebody first names what is in it.

A worker of the traffic side loads `serving` alone: what it loads stays in memory for as long as it serves.
"""

from typing import TYPE_CHECKING

from safebelt.kernel.rooms import later

if TYPE_CHECKING:
    from safebelt.rooms.belt.service.approvals import Approvals
    from safebelt.rooms.belt.service.base import CarriedHere, Tools
    from safebelt.rooms.belt.service.classifying import Sample
    from safebelt.rooms.belt.service.commanding import EVERYTHING
    from safebelt.rooms.belt.service.content import days_said
    from safebelt.rooms.belt.service.evidence import texts_of
    from safebelt.rooms.belt.service.exchanges import OPEN, day_range
    from safebelt.rooms.belt.service.identity import BeltIdentity
    from safebelt.rooms.belt.service.keys import MAX_GRACE_HOURS, digest_of
    from safebelt.rooms.belt.service.open_tools import OpenStrikes, OpenToolRule, OpenTools
    from safebelt.rooms.belt.service.policy_versions import RED_LINES, Loaded, NotTaken
    from safebelt.rooms.belt.service.replaying import MAX_REPLAYED, SHOWN_DAYS
    from safebelt.rooms.belt.service.sealing import OPEN_ORIGINALS, SEAL, HandedOut
    from safebelt.rooms.belt.service.serving import Serving
    from safebelt.rooms.belt.service.stops import ALIVE_SECONDS
    from safebelt.rooms.belt.service.strikes import StrikesFound
    from safebelt.rooms.belt.service.transparency import OpenPolicy, OpenRule, Transparency
    from safebelt.rooms.belt.service.trying import MAX_PROMPT_CHARS, Tried, TryIt
    from safebelt.rooms.belt.service.whole import Belt
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
    "OpenStrikes",
    "OpenToolRule",
    "OpenTools",
    "Proof",
    "Sample",
    "Sealed",
    "Search",
    "Serving",
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

_CHAPTERS = {
    "approvals": "Approvals",
    "base": "CarriedHere Tools",
    "classifying": "Sample",
    "commanding": "EVERYTHING",
    "content": "days_said",
    "evidence": "texts_of",
    "exchanges": "OPEN day_range",
    "identity": "BeltIdentity",
    "keys": "MAX_GRACE_HOURS digest_of",
    "open_tools": "OpenStrikes OpenToolRule OpenTools",
    "policy_versions": "RED_LINES Loaded NotTaken",
    "replaying": "MAX_REPLAYED SHOWN_DAYS",
    "sealing": "OPEN_ORIGINALS SEAL HandedOut",
    "serving": "Serving",
    "stops": "ALIVE_SECONDS",
    "strikes": "StrikesFound",
    "transparency": "OpenPolicy OpenRule Transparency",
    "trying": "MAX_PROMPT_CHARS Tried TryIt",
    "whole": "Belt",
    "words": "BeltNow BusNow Found Full Holds LimitNow Minute Proof Sealed Search Stop Stops Traffic VersionNow",
}
__getattr__ = later(__name__, _CHAPTERS)
