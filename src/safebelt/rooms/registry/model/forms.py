"""Words of filings and forms."""

from safebelt.kernel.events import Event

EVENTS: tuple[type[Event], ...] = ()
