"""Deeds that hand a dossier out, signed."""

from safebelt.rooms.registry.service.lifecycle import Lifecycle


class Packaging(Lifecycle):
    """Deeds that hand a dossier out, signed."""
