"""What a restore says no with."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safebelt.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from safebelt.kernel.text import Text


def running(home: Path) -> Conflict:
    """The house runs."""
    return Conflict(
        what=Text(zh=f"{home} 处的 Safebelt 正在运行。", en=f"The Safebelt at {home} is running."),
        hint=Text(zh="请先停止：make down。", en="Stop it first: make down."),
    )


def restoring(home: Path) -> Conflict:
    """Another restore is at work."""
    return Conflict(
        what=Text(zh=f"另一次恢复正在写入 {home}。", en=f"Another restore is at work on {home}."),
        hint=Text(zh="请等它结束。", en="Wait until it has ended."),
    )


def occupied(home: Path) -> Conflict:
    """A house is in the way."""
    return Conflict(
        what=Text(zh=f"{home} 不是空目录。", en=f"{home} is not empty."),
        hint=Text(
            zh="请用 --home 另选目录；或加 --replace：现有目录将改名保留，数据库将被清空。",
            en="Choose another folder with --home, or add --replace: the folder is kept under another name, "
            "and a database elsewhere is emptied.",
        ),
    )


def mounted(home: Path) -> Conflict:
    """The folder is where another filesystem begins."""
    return Conflict(
        what=Text(
            zh=f"{home} 是挂载点，无法整体替换。", en=f"{home} is a mount point, which no folder can take the place of."
        ),
        hint=Text(
            zh=f"请恢复到其中的目录，例如 --home {home}/safebelt，并相应设置 SAFEBELT_HOME。",
            en=f"Restore into a folder on it, for example --home {home}/safebelt, and set SAFEBELT_HOME so.",
        ),
    )


def full(url: str) -> Conflict:
    """The database holds rows."""
    return Conflict(
        what=Text(zh=f"数据库 {url} 中已有数据。", en=f"The database {url} holds data already."),
        hint=Text(
            zh="请另建空数据库；或加 --replace 清空它（无法撤销）。",
            en="Make an empty one, or add --replace to empty it, which cannot be undone.",
        ),
    )


def newer(version: str, revision: str) -> Conflict:
    """The backup or the database is of a Safebelt that is newer."""
    return Conflict(
        what=Text(
            zh=f"备份或数据库来自更新的 Safebelt（版本 {version}，结构 {revision}）。",
            en=f"The backup or the database is of a newer Safebelt (version {version}, revision {revision}).",
        ),
        hint=Text(zh="请安装该版本后再恢复。", en="Install that version, then restore."),
    )


def no_backup() -> Invalid:
    """It is something else."""
    return Invalid(
        what=Text(zh="这不是 Safebelt 的备份。", en="This is no backup of Safebelt."),
        hint=Text(zh="请给出 `safebelt backup` 写出的文件。", en="Give a file that `safebelt backup` wrote."),
    )


def witness_key_outside(key: Path) -> Conflict:
    """A witness's key that would be used again lies outside the house."""
    return Conflict(
        what=Text(
            zh=f"见证密钥 {key} 可能联署过备份所不记得的内容。",
            en=f"The witness's key {key} may have cosigned more than the backup remembers.",
        ),
        hint=Text(
            zh="请移走该文件，将生成新密钥；若确知备份之后没有联署过任何内容，请加 --same-moment。",
            en="Move it away, and a new one will be made; or add --same-moment if you know that nothing was cosigned "
            "since.",
        ),
    )


@contextmanager
def no_file(file: Path) -> Iterator[None]:
    """Say so where the backup itself is not there."""
    try:
        yield
    except FileNotFoundError as error:
        if error.filename != str(file):
            raise
        raise NotFound(
            what=Text(zh=f"没有文件“{file}”。", en=f"There is no file {str(file)!r}."),
            hint=Text(zh="请核对路径。", en="Check the path."),
        ) from error


@contextmanager
def of_disk(home: Path) -> Iterator[None]:
    """Say so where the disk does not take a house."""
    try:
        yield
    except OSError as error:
        why = f"{error.strerror or error} ({error.filename or home})"
        raise Unavailable(
            what=Text(zh=f"未能恢复到 {home}：{why}。", en=f"Nothing could be restored to {home}: {why}."),
            hint=Text(
                zh="请检查路径、权限和磁盘空间，然后重新执行。",
                en="Check the path, its permissions and free disk space, then run it again.",
            ),
        ) from error
