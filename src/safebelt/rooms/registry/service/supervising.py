"""Deeds of an authority's desk."""

from safebelt.rooms.registry.service.lifecycle import Lifecycle


class Supervising(Lifecycle):
    """Deeds of an authority's desk."""
