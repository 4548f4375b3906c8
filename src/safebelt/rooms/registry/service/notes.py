"""Deeds of working together: files, comments, tasks."""

from safebelt.rooms.registry.service.registering import Registering


class Notes(Registering):
    """Deeds of working together: files, comments, tasks."""
