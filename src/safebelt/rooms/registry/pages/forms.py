"""Pages about filings and forms."""

from safebelt.rooms.registry.service import Registry
from safebelt.web.panels import Panel

PAGES: tuple[type, ...] = ()


def panels(registry: Registry) -> tuple[Panel, ...]:
    """Return what this piece lays on a system's dossier."""
    return ()
