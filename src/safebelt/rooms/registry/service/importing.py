"""Deeds that bring many in, and take them back."""

from safebelt.rooms.registry.service.searching import Searching


class Importing(Searching):
    """Deeds that bring many in, and take them back."""
