"""Deeds that show systems to the public."""

from safebelt.rooms.registry.service.lifecycle import Lifecycle


class Publishing(Lifecycle):
    """Deeds that show systems to the public."""
