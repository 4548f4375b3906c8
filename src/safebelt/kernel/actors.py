"""Who acts."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The standing roles.  Their powers are Cedar policies in `access/`, not code."""

    OPERATOR = "operator"
    OVERSEER = "overseer"
    AUDITOR = "auditor"
    ASSOCIATION = "association"
    ASSESSOR = "assessor"
    AUTHORITY = "authority"
    RUNNER = "runner"
    ADMIN = "admin"
    PUBLIC = "public"
    OWNER = "owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person, organisation or machine that acts on the house.

    Attributes:
        id: Pseudonymous id (`usr_…`, `key_…`, or a machine's name); never a person's name.
        roles: The roles it acts in.
        door: Which door it came through: `web`, `api`, `cli`, `file`, `machine`.
    """

    id: str
    roles: frozenset[Role] = frozenset()
    door: str = "machine"


PUBLIC = Actor(id="public", roles=frozenset({Role.PUBLIC}), door="web")
OWNER = Actor(id="owner", roles=frozenset({Role.OWNER}), door="cli")
"""Whoever holds `SAFEBELT_HOME`: the local command line acts as its owner."""
MACHINE = Actor(id="safebelt", door="machine")
"""Safebelt's own jobs: sequencing, sealing, watching."""
