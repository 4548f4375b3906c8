"""The portal's JSON doors."""

from safebelt.rooms.portal.api.complaints import ComplaintDeskApi, PublicComplaintApi
from safebelt.rooms.portal.api.public import PublicApi

API: tuple[type, ...] = (PublicApi, PublicComplaintApi, ComplaintDeskApi)
