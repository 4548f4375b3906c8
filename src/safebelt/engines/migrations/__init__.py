"""One history of the database's shape, for SQLite and PostgreSQL alike: `migrate(sql)` brings it up to date.

To write the next revision, with every room's tables loaded by `safebelt.app.every_table`:

    python -c "from safebelt import app; app.every_table()
    from safebelt.engines.migrations import draft; print(draft('0004', 'what changed'))"

then read the file, as whoever runs it on a live register would.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from safebelt.engines import jobs as _jobs  # noqa: F401  the engines' own tables belong to every history
from safebelt.engines.bus import relay as _relay  # noqa: F401
from safebelt.engines.sql import Sql, UtcDateTime, metadata
from safebelt.kernel.errors import Conflict, Unavailable
from safebelt.kernel.text import Text

if TYPE_CHECKING:  # every command opens the database, and hardly ever has it to be migrated
    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import DowngradeOps, UpgradeOps
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

HERE = Path(__file__).resolve().parent
VERSIONS = HERE / "versions"

_OPTIONS: dict[str, Any] = {"version_table": "engine_revision", "compare_type": True, "transactional_ddl": True}


def migrate(sql: Sql, *, versions: Path = VERSIONS, to: str = "") -> str:
    """Bring a database up to the newest revision and return that revision's id; "" where there is none.

    Safe when several processes start at once: one migrates, the others wait and find it done.  All revisions
    happen in one transaction, on SQLite too: after a crash the database is as it was before.

    Args:
        sql: The database.
        versions: The folder of revisions.
        to: An earlier revision to stop at: that of the backup whose rows are put in next.

    Raises:
        Conflict: The database is of a newer version than this software.
        Unavailable: The database does not answer.
    """
    wanted = to or max(revisions(versions), default="")
    return wanted if wanted and wanted == _stands_at(sql) else _upgrade(sql, versions, to or "head")


def revisions(versions: Path = VERSIONS) -> tuple[str, ...]:
    """Return the ids of the revisions that this software knows, oldest first."""
    return tuple(sorted(path.stem.partition("_")[0] for path in versions.glob("*.py")))


def _stands_at(sql: Sql) -> str:
    """Return the revision a database has come to; "" where it has none, or does not answer (`_upgrade` says so)."""
    try:
        with sql.read() as tx:
            if not sa.inspect(tx).has_table(_OPTIONS["version_table"]):
                return ""
            return tx.execute(sa.select(sa.table(_OPTIONS["version_table"], sa.column("version_num")))).scalar() or ""
    except Unavailable:
        return ""


def _upgrade(sql: Sql, versions: Path, to: str) -> str:
    from alembic.config import Config  # noqa: PLC0415
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    script = _history(versions)

    def upgrade(revision: Any, _context: Any) -> Any:
        return script._upgrade_revs(to, revision)  # the documented way of alembic's own command.upgrade

    with sql.begin() as tx:
        sql.exclusive(tx, "engine migrations")
        with EnvironmentContext(Config(), script, fn=upgrade) as environment:
            environment.configure(connection=tx, target_metadata=metadata, **_OPTIONS)
            try:
                environment.run_migrations()
            except CommandError as error:
                raise _unknown_revision(error) from error
    return (script.get_current_head() or "") if to == "head" else to


def differences(sql: Sql) -> list[Any]:
    """Return how a database differs from the tables the code declares; empty when they agree."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415

    with sql.engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection, opts=_OPTIONS), metadata))


def draft(revision: str, message: str, *, versions: Path = VERSIONS) -> Path:
    """Write the next revision from what the code declares beyond the newest one.

    Args:
        revision: Its id, for example `0002`.
        message: What changes, a few words.
        versions: The folder of revisions.

    Returns:
        The file written.

    Raises:
        Conflict: Nothing changed.
    """
    from alembic.autogenerate import produce_migrations  # noqa: PLC0415
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415

    script, scratch = _history(versions), Sql("sqlite://")
    migrate(scratch, versions=versions)
    options = {**_OPTIONS, "render_item": _render_item}
    with scratch.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        changes = produce_migrations(context, metadata)
    scratch.close()
    up, down = changes.upgrade_ops, changes.downgrade_ops
    if up is None or down is None or up.is_empty():
        raise Conflict(
            what=Text(zh="数据库结构没有变化。", en="Nothing about the database's shape has changed."),
            hint=Text(zh="请先修改 store.py 中的表。", en="Change a table in a `store.py` first."),
        )
    written = script.generate_revision(
        revision, message, upgrades=_render(context, up), downgrades=_render(context, down), imports=""
    )
    if written is None:
        raise RuntimeError("alembic wrote no file")
    return Path(written.path)


def _history(versions: Path) -> ScriptDirectory:
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    return ScriptDirectory(str(HERE), version_locations=[str(versions)])


def _render(context: MigrationContext, operations: UpgradeOps | DowngradeOps) -> str:
    from alembic.autogenerate import render_python_code  # noqa: PLC0415

    return render_python_code(operations, migration_context=context, render_item=_render_item)


def _render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write our own timestamp type as what it is stored as, so that old revisions need none of today's code."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


def _unknown_revision(error: CommandError) -> Conflict:
    return Conflict(
        what=Text(
            zh=f"数据库版本比本软件新，或来自其他分支：{error}",
            en=f"The database is of a newer version than this software, or of another branch: {error}",
        ),
        hint=Text(
            zh="请安装写入该数据库的软件版本，或从备份恢复。",
            en="Install the version of Safebelt that wrote it, or restore a backup.",
        ),
    )
