"""The code that the provider of each system bears, asked in plain words of the database.

A belt's worker asks twice a second and for nothing else, so this loads no register: its tables and nouns are a tenth of
what such a worker may hold in memory.  `Registry.providers_known_as` answers the same of every scheme.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from safebelt.engines.sql import Sql

_AT_ONCE = 500
"""Systems asked about in one query: databases bound the number of parameters."""
_CODES = sa.text(
    "SELECT s.id, i.value FROM registry_system s JOIN registry_identifier i ON i.party_id = s.provider_id "
    "WHERE i.scheme = 'uscc' AND s.id IN :systems ORDER BY i.at, i.id"
).bindparams(sa.bindparam("systems", expanding=True))


def codes_of(sql: Sql, system_ids: Sequence[str]) -> dict[str, str]:
    """Return the unified social credit code of each system's provider, by system; none for who bears none."""
    found = dict[str, str]()
    with sql.read() as tx:
        for at in range(0, len(system_ids), _AT_ONCE):
            for system, code in tx.execute(_CODES, {"systems": system_ids[at : at + _AT_ONCE]}):
                found.setdefault(system, code)
    return found
