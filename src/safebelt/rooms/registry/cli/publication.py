"""Command line for what the public sees."""

from cyclopts import App

from safebelt.rooms.registry.service import Registry


def add(app: App, registry: Registry) -> None:
    """Add this piece's commands to the group `registry`."""
