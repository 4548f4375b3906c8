"""Deeds of the registry: load, decide, save, remember, in one transaction.

A piece is loaded when somebody first names what is in it: who only asks `providers` for a code loads no register.
"""

from typing import TYPE_CHECKING

from safebelt.kernel.rooms import later

if TYPE_CHECKING:
    from safebelt.rooms.registry.service.base import Desk, Stopped, Tools
    from safebelt.rooms.registry.service.whole import Registry

__all__ = ["Desk", "Registry", "Stopped", "Tools"]

__getattr__ = later(__name__, {"base": "Desk Stopped Tools", "whole": "Registry"})
