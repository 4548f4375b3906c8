"""Words of jobs that train, tune, update or promote."""

from safebelt.kernel.events import Event

EVENTS: tuple[type[Event], ...] = ()
