"""Words of models, agents, components, datasets, deployments, versions."""

from safebelt.kernel.events import Event

EVENTS: tuple[type[Event], ...] = ()
