"""Words of change control and responsibility."""

from safebelt.kernel.events import Event

EVENTS: tuple[type[Event], ...] = ()
