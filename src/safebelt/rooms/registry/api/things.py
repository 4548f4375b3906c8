"""JSON door to models, agents, components, datasets, deployments, versions."""

API: tuple[type, ...] = ()
