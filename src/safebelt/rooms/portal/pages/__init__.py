"""The portal's pages, for people and for machines that read pages."""

from safebelt.rooms.portal.pages import machines
from safebelt.rooms.portal.pages.register import RegisterPages

PAGES: tuple[type, ...] = (RegisterPages, *machines.PAGES)
