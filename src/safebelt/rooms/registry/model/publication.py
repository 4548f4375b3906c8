"""Words of what the public sees."""

from safebelt.kernel.events import Event

EVENTS: tuple[type[Event], ...] = ()
