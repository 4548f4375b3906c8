"""Words of the dossier as a signed package."""

from safebelt.kernel.events import Event

EVENTS: tuple[type[Event], ...] = ()
