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
)

PAGES: tuple[type, ...] = (
    *doors.PAGES,
    *lifecycle.PAGES,
    *changes.PAGES,
    *things.PAGES,
    *notes.PAGES,
    *training.PAGES,
    *supervision.PAGES,
    *imports.PAGES,
    *forms.PAGES,
    *search.PAGES,
    *publication.PAGES,
    *dossiers.PAGES,
)
