"""Deeds about what systems are made of and where they run."""

from safebelt.rooms.registry.service.registering import Registering


class Things(Registering):
    """Deeds about what systems are made of and where they run."""
