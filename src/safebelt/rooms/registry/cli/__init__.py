"""The registry's command line: `safebelt registry …`."""

from cyclopts import App

from safebelt.rooms.registry.cli import (
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
from safebelt.rooms.registry.service import Registry

PIECES = (
    register,
    lifecycle,
    changes,
    things,
    notes,
    training,
    supervision,
    imports,
    forms,
    search,
    publication,
    dossiers,
)


def commands(registry: Registry) -> App:
    """Build the group `registry`."""
    app = App(name="registry", help="Know what exists. 登记：知道有什么。")
    for piece in PIECES:
        piece.add(app, registry)
    return app
