"""Words of search, saved views, bulk acts."""

from safebelt.kernel.events import Event

EVENTS: tuple[type[Event], ...] = ()
