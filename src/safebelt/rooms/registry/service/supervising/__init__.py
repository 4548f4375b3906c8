"""Deeds of an authority's desk, and of the operator who answers it."""

from safebelt.rooms.registry.service.supervising.acting import Supervising

__all__ = ["Supervising"]
