"""Deeds of the portal: show what is public, and take complaints to whoever has to answer them."""

from safebelt.rooms.portal.service.desk import Tools
from safebelt.rooms.portal.service.showing import Portal
from safebelt.rooms.portal.service.tending import Complaints

__all__ = ["Complaints", "Portal", "Tools"]
