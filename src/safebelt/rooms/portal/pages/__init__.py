"""The portal's pages, for people and for machines that read pages; and what it lays on a dossier."""

from safebelt.rooms.portal.pages import desk, machines
from safebelt.rooms.portal.pages.complaints import ComplaintPages
from safebelt.rooms.portal.pages.desk import panels
from safebelt.rooms.portal.pages.register import RegisterPages

PAGES: tuple[type, ...] = (RegisterPages, ComplaintPages, *desk.PAGES, *machines.PAGES)

__all__ = ["PAGES", "panels"]
