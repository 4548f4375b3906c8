"""Words of attachments, comments, tasks."""

from safebelt.kernel.events import Event

EVENTS: tuple[type[Event], ...] = ()
