"""Deeds that fill forms from what is on record."""

from safebelt.rooms.registry.service.lifecycle import Lifecycle


class Filing(Lifecycle):
    """Deeds that fill forms from what is on record."""
