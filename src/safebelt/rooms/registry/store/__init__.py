"""The registry's memory: one module for each piece."""

import sqlalchemy as sa

from safebelt.rooms.registry.store import (
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

TABLES: tuple[sa.Table, ...] = (
    *register.TABLES,
    *lifecycle.TABLES,
    *changes.TABLES,
    *things.TABLES,
    *notes.TABLES,
    *training.TABLES,
    *supervision.TABLES,
    *imports.TABLES,
    *forms.TABLES,
    *search.TABLES,
    *publication.TABLES,
    *dossiers.TABLES,
)
