"""Tables of models, agents, components, datasets, deployments, versions."""

import sqlalchemy as sa

TABLES: tuple[sa.Table, ...] = ()
