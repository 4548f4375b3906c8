"""The engines of the house, each built when it is first needed; `app.py` builds the rooms on them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from safebelt.engines.clock import real_chance, real_ids, wall_clock
from safebelt.kernel.errors import Unavailable
from safebelt.kernel.text import Text

if TYPE_CHECKING:
    from safebelt.engines.bus.port import Bus
    from safebelt.engines.jobs import Jobs
    from safebelt.engines.signing import KeyStore
    from safebelt.engines.sql import Sql
    from safebelt.settings import Settings


class Engines:
    """Database, keys, queue and bus, with time, ids and chance.

    Args:
        settings: Every knob.
        is_prepared: Whether the database's shape is known to be up to date.
    """

    def __init__(self, settings: Settings, *, is_prepared: bool = False) -> None:
        self.settings, self._is_prepared = settings, is_prepared
        self.clock, self.chance, self.new_id = wall_clock, real_chance, real_ids()

    @cached_property
    def sql(self) -> Sql:
        """The database, its shape brought up to date."""
        from safebelt.engines.sql import Sql

        home = self.settings.home
        try:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(
                what=Text(
                    zh=f"无法使用状态目录 {home}：{error.strerror}。",
                    en=f"The state folder {home} cannot be used: {error.strerror}.",
                ),
                hint=Text(
                    zh="请把 SAFEBELT_HOME 设为可写的目录。", en="Set SAFEBELT_HOME to a folder that can be written to."
                ),
            ) from error
        sql = Sql(self.settings.sql_url)
        if not self._is_prepared:
            from safebelt.engines.migrations import migrate

            migrate(sql)
        return sql

    @cached_property
    def keys(self) -> KeyStore:
        """The signing key of ledger and records."""
        from safebelt.engines.signing import KeyStore

        path = self.settings.signing_key or self.settings.home / "keys" / "ledger.key"
        return KeyStore(path, name=self.settings.log_origin, chance=self.chance)

    @cached_property
    def jobs(self) -> Jobs:
        """The queue of work that must happen."""
        from safebelt.engines.jobs import Jobs

        return Jobs(self.sql, clock=self.clock, new_id=self.new_id)

    @cached_property
    def bus(self) -> Bus:
        """In-process, or NATS JetStream where an address is set."""
        if self.settings.bus:
            from safebelt.engines.bus.nats import Nats

            return Nats(self.settings.bus)
        from safebelt.engines.bus.inprocess import InProcess

        return InProcess()

    def sign(self, text: str) -> str:
        """Sign a note with the key in force."""
        from safebelt.engines.signing import sign_note

        return sign_note(text, self.keys.current())

    def open_note(self, note: str) -> str:
        """Return a note's text if one of our keys, now or before, signed it; raises a `Problem` otherwise."""
        from safebelt.engines.signing import open_note

        return open_note(note, self.keys.verifiers()).text
