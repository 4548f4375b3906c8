"""Deeds of change: what a change re-opens, who answers for which duty, and what the house looks at by itself."""

from safebelt.rooms.registry.service.watching import Watching


class Changing(Watching):
    """Deeds of change: what a change re-opens, who answers for which duty, and what the house looks at by itself."""
