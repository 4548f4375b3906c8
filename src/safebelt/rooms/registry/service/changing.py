"""Deeds of change: what a change re-opens, and who answers for which duty."""

from safebelt.rooms.registry.service.lifecycle import Lifecycle


class Changing(Lifecycle):
    """Deeds of change: what a change re-opens, and who answers for which duty."""
