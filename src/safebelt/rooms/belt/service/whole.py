"""The whole belt: every chapter in one class."""

from safebelt.rooms.belt.service.aging import Aging
from safebelt.rooms.belt.service.approvals import HeldCalls
from safebelt.rooms.belt.service.classifying import Classifying
from safebelt.rooms.belt.service.identity import Identities
from safebelt.rooms.belt.service.keys import Keys
from safebelt.rooms.belt.service.over_blocking import OverBlockings
from safebelt.rooms.belt.service.reconciling import Completeness
from safebelt.rooms.belt.service.replaying import Replays
from safebelt.rooms.belt.service.sealing import Originals
from safebelt.rooms.belt.service.telemetry import Telemetry
from safebelt.rooms.belt.service.transparency import Openly
from safebelt.rooms.belt.service.two_people import TwoPersonOrders
from safebelt.rooms.belt.service.usage import Quotas


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
    OverBlockings,
    Originals,
):
    """The belt, as console, API, command line and jobs use it."""
