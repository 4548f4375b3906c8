"""Deeds of the registry: load, decide, save, remember, in one transaction."""

from safebelt.rooms.registry.service.base import Desk, Stopped, Tools
from safebelt.rooms.registry.service.labelling import Labelling


class Registry(Labelling):
    """The register of parties and AI systems; `Tools` says what it works with."""


__all__ = ["Desk", "Registry", "Stopped", "Tools"]
