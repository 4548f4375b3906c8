"""The registry's JSON door: `/api/registry`."""

from safebelt.rooms.registry.api import (
    changes,
    dossiers,
    forms,
    imports,
    lifecycle,
    notes,
    publication,
    register,
    search,
    supervision,
    things,
    training,
)

API: tuple[type, ...] = (
    *register.API,
    *lifecycle.API,
    *changes.API,
    *things.API,
    *notes.API,
    *training.API,
    *supervision.API,
    *imports.API,
    *forms.API,
    *search.API,
    *publication.API,
    *dossiers.API,
)
