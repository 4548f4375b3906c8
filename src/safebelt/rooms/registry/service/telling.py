"""What the register tells the rulebook, which lies below it and cannot ask by itself."""

from safebelt.kernel.errors import NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.registry.service import Registry
from safebelt.rooms.rulebook.service.base import About, Holdings


def about_system(registry: Registry, system_id: str) -> About | None:
    """Tell the rulebook, which lies below, what the register knows of a system."""
    try:
        name, party, persons = registry.about(system_id)
        held = registry.held_kinds(system_id)
    except NotFound:
        return None
    return About(name=name, party=party, persons=persons, held=held.all, claimed=held.claimed)


def holdings_of(registry: Registry, party_id: str) -> Holdings | None:
    """Tell the rulebook which systems are registered for a party."""
    try:
        party = registry.party(party_id)
    except NotFound:
        return None
    return Holdings(name=Text(zh=party.name, en=party.name), systems=registry.systems_of(party_id))
