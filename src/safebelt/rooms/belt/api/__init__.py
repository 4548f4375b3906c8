"""The belt's JSON door: `/api/belt`."""

from safebelt.rooms.belt.api.admission import AdmissionApi
from safebelt.rooms.belt.api.approvals import ApprovalApi
from safebelt.rooms.belt.api.keys import KeyApi
from safebelt.rooms.belt.api.limiting import LimitApi
from safebelt.rooms.belt.api.originals import OriginalsApi
from safebelt.rooms.belt.api.over_blocking import OverBlockingApi
from safebelt.rooms.belt.api.policies import PolicyApi
from safebelt.rooms.belt.api.reconciling import ReconcileApi
from safebelt.rooms.belt.api.records import RecordsApi
from safebelt.rooms.belt.api.setting import SettingApi
from safebelt.rooms.belt.api.stopping import StopApi
from safebelt.rooms.belt.api.strikes import StrikeApi
from safebelt.rooms.belt.api.transparency import TransparencyApi
from safebelt.rooms.belt.api.two_people import TwoPeopleApi
from safebelt.rooms.belt.api.upstreams import UpstreamApi
from safebelt.rooms.belt.api.versions import VersionApi

__all__ = [
    "AdmissionApi",
    "ApprovalApi",
    "KeyApi",
    "LimitApi",
    "OriginalsApi",
    "OverBlockingApi",
    "PolicyApi",
    "ReconcileApi",
    "RecordsApi",
    "SettingApi",
    "StopApi",
    "StrikeApi",
    "TransparencyApi",
    "TwoPeopleApi",
    "UpstreamApi",
    "VersionApi",
]
