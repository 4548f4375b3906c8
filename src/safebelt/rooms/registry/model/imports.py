"""Words of imports and their undoing."""

from safebelt.kernel.events import Event

EVENTS: tuple[type[Event], ...] = ()
