"""Pages about models, agents, components, datasets, deployments, versions."""

PAGES: tuple[type, ...] = ()
