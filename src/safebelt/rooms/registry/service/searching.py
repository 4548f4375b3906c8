"""Deeds that find: search and lists, saved views, bulk acts."""

from safebelt.rooms.registry.service.search_keeping import Keeping


class Searching(Keeping):
    """Deeds that find."""
