"""Deeds of the registry: load, decide, save, remember, in one transaction."""

from safebelt.rooms.registry.service.base import Desk, Stopped, Tools
from safebelt.rooms.registry.service.changing import Changing
from safebelt.rooms.registry.service.filing import Filing
from safebelt.rooms.registry.service.importing import Importing
from safebelt.rooms.registry.service.notes import Notes
from safebelt.rooms.registry.service.packaging import Packaging
from safebelt.rooms.registry.service.publishing import Publishing
from safebelt.rooms.registry.service.supervising import Supervising
from safebelt.rooms.registry.service.training import Training


class Registry(
    Changing,
    Training,
    Supervising,
    Importing,
    Filing,
    Publishing,
    Packaging,
):
    """The register of parties and AI systems; `Tools` says what it works with."""


__all__ = ["Desk", "Registry", "Stopped", "Tools"]
