"""The belt's JSON door: `/api/belt`."""

from safebelt.rooms.belt.api.records import RecordsApi
from safebelt.rooms.belt.api.setting import SettingApi
from safebelt.rooms.belt.api.stopping import StopApi

__all__ = ["RecordsApi", "SettingApi", "StopApi"]
