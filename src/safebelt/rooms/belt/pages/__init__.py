"""The belt's pages: the live console, the stop control, systems, policies, and *Try it*."""

from safebelt.rooms.belt.pages.admission import AdmissionPages
from safebelt.rooms.belt.pages.approvals import ApprovalPages
from safebelt.rooms.belt.pages.console import ConsolePages
from safebelt.rooms.belt.pages.keys import KeyPages
from safebelt.rooms.belt.pages.limiting import LimitPages
from safebelt.rooms.belt.pages.originals import OriginalPages
from safebelt.rooms.belt.pages.over_blocking import OverBlockingPages
from safebelt.rooms.belt.pages.panels import belt_state, dossier_panels
from safebelt.rooms.belt.pages.policies import PolicyPages
from safebelt.rooms.belt.pages.reconciling import ReconcilePages
from safebelt.rooms.belt.pages.setting import SettingPages
from safebelt.rooms.belt.pages.stopping import StopPages
from safebelt.rooms.belt.pages.strikes import StrikePages
from safebelt.rooms.belt.pages.transparency import TransparencyPages
from safebelt.rooms.belt.pages.trying import TryPages
from safebelt.rooms.belt.pages.two_people import TwoPeoplePages
from safebelt.rooms.belt.pages.upstreams import UpstreamPages
from safebelt.rooms.belt.pages.versions import VersionPages

__all__ = [
    "AdmissionPages",
    "ApprovalPages",
    "ConsolePages",
    "KeyPages",
    "LimitPages",
    "OriginalPages",
    "OverBlockingPages",
    "PolicyPages",
    "ReconcilePages",
    "SettingPages",
    "StopPages",
    "StrikePages",
    "TransparencyPages",
    "TryPages",
    "TwoPeoplePages",
    "UpstreamPages",
    "VersionPages",
    "belt_state",
    "dossier_panels",
]
