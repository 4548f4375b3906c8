"""The registry's pages; `doors` answers, `words` holds the wording that several of them share."""

from safebelt.rooms.registry.pages import (
    changes,
    doors,
    dossiers,
    forms,
    imports,
    lifecycle,
    notes,
    publication,
    search,
    supervision,
    things,
    training,
    training_asking,
)
from safebelt.rooms.registry.service import Registry
from safebelt.web.panels import Panel

PAGES: tuple[type, ...] = (
    *doors.PAGES,
    *lifecycle.PAGES,
    *changes.PAGES,
    *things.PAGES,
    *notes.PAGES,
    *training_asking.PAGES,
    *training.PAGES,
    *supervision.PAGES,
    *imports.PAGES,
    *forms.PAGES,
    *search.PAGES,
    *publication.PAGES,
    *dossiers.PAGES,
)

_WITH_PANELS = (dossiers, lifecycle, imports, changes, supervision, things, training, publication, notes, forms)


def panels(registry: Registry) -> tuple[Panel, ...]:
    """Return what the room's pieces lay on a system's dossier, in the order people need them."""
    return tuple(panel for piece in _WITH_PANELS for panel in piece.panels(registry))
