"""Deeds that find."""

from safebelt.rooms.registry.service.registering import Registering


class Searching(Registering):
    """Deeds that find."""
