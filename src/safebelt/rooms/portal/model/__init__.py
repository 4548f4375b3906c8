"""Words of the portal: the public register as it is read, and the public's complaints."""

from safebelt.rooms.portal.model.public import (
    Count,
    CountTable,
    PublicEntry,
    PublicSystem,
    PublicSystems,
    PublicVersion,
    Statistics,
)

__all__ = [
    "Count",
    "CountTable",
    "PublicEntry",
    "PublicSystem",
    "PublicSystems",
    "PublicVersion",
    "Statistics",
]
