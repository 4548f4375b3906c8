"""Which files of a house travel in a backup, in which order, and which stay and why.

The order matters, for the house works on meanwhile.  A file is read after the moment of the database, so that whatever
a row speaks of is there; signed heads are read before the segments they speak of, so that no head covers more than was
copied.  What is more than the rows know (a record begun since, a file attached since) is what a crash leaves, too: the
house heals from it by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from safebelt.kernel.text import Text

HOME = "home/"
"""Before the name of every file of the house."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Something that does not travel.

    Attributes:
        what: Paths under home, or tables.
        why: Why not.
    """

    what: tuple[str, ...]
    why: Text


_DATABASE = LeftOut(
    what=("safebelt.db", "safebelt.db-wal", "safebelt.db-shm", "safebelt.db-journal"),
    why=Text(
        zh="数据库以数据行的形式备份，可恢复到任一种数据库", en="the database travels as rows, for either database"
    ),
)
_DERIVED = LeftOut(
    what=("ledger", "ledger-tree", "belt/compiled"),
    why=Text(
        zh="公开日志由数据行重建，编译好的词表由内容规则重建",
        en="the public log follows from the rows, compiled word lists from the policies",
    ),
)
_LOGS = LeftOut(what=("log",), why=Text(zh="程序日志，不是证据", en="program logs, which prove nothing"))
_OF_PROCESSES = LeftOut(
    what=("safebelt.pid", "belt/pulse", "belt/news", "belt/upstreams", "belt/records/writer.lock"),
    why=Text(zh="只对运行中的进程有意义", en="mean something to running processes only"),
)
_COPIES = LeftOut(what=("backups",), why=Text(zh="备份中不再套备份", en="a backup holds no earlier backups"))
_OBEYED = LeftOut(
    what=("belt/stop",),
    why=Text(
        zh="已执行的停止文件：其效力在 belt/state.json 中；恢复后不应再执行一次（尚未执行的会备份）",
        en="a stop file that was obeyed: its effect is in belt/state.json, and it must not be obeyed again "
        "(one not obeyed yet travels)",
    ),
)
_SESSIONS = LeftOut(
    what=("access_session",),
    why=Text(
        zh="已退出的登录不应复活；请重新登录", en="a session that was ended must not come back: people sign in again"
    ),
)
_DRAFTS = LeftOut(what=(".*",), why=Text(zh="写到一半的文件", en="files that are half written"))
LEFT_OUT = (_DATABASE, _DERIVED, _LOGS, _OF_PROCESSES, _COPIES, _OBEYED, _SESSIONS, _DRAFTS)
"""Everything that does not travel; every other file under home does."""
TABLES_LEFT_OUT = frozenset(_SESSIONS.what)

_NEVER = frozenset(name for left in (_DATABASE, _DERIVED, _LOGS, _OF_PROCESSES, _COPIES) for name in left.what)
_FIRST = ("keys", "belt/records/heads.log", "belt/records")


def travelling(home: Path, *, is_obeyed: bool) -> Iterator[tuple[str, Path]]:
    """Yield the path under home and the place of every file that travels, in the order in which they are read.

    Args:
        home: The house.
        is_obeyed: Whether the stop file was obeyed already.
    """
    skipped = _NEVER | frozenset(_OBEYED.what if is_obeyed else ())
    seen = set[str]()
    for start in (*_FIRST, ""):
        for name in _files(home, start, skipped, frozenset()):
            if name not in seen:
                if start:  # a few keys and segments; the many blobs come once only and need no remembering
                    seen.add(name)
                yield name, home / name


def _files(home: Path, name: str, skipped: frozenset[str], above: frozenset[Path]) -> Iterator[str]:
    """Yield the files at or below a path, by name; a folder that a link leads back to is entered once."""
    place = home / name
    if name in skipped or Path(name).name.startswith("."):
        return
    if place.is_file():
        yield name
    elif place.is_dir() and (real := place.resolve()) not in above:
        for child in sorted(each.name for each in place.iterdir()):
            yield from _files(home, f"{name}/{child}" if name else child, skipped, above | {real})
