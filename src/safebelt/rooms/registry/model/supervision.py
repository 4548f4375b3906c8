"""Words of an authority's cases."""

from safebelt.kernel.events import Event

EVENTS: tuple[type[Event], ...] = ()
