"""Words of gates, evidence, sign-offs."""

from safebelt.kernel.events import Event

EVENTS: tuple[type[Event], ...] = ()
