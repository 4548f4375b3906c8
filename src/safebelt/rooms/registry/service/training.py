"""Deeds about jobs that train, tune, update or promote."""

from safebelt.rooms.registry.service.things import Things


class Training(Things):
    """Deeds about jobs that train, tune, update or promote."""
