"""The shell's doors: `safebelt backup` and `safebelt restore`.

What they need is imported when somebody uses them: every other command starts without it.
"""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from safebelt.app import House
from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.web.terminal import Answer, read_text


def backup_command(house: House) -> Any:
    """Build `safebelt backup`."""

    def backup(
        file: Path,
        *,
        to: Annotated[list[str] | None, Parameter(name="--to")] = None,
        passphrase_file: Path | None = None,
    ) -> Answer:
        """把整个系统备份为一个文件。 Write everything into one file, as it stands now, while it works on.

        Parameters
        ----------
        file
            Where to; must not exist.
        to
            For whom it is encrypted: an age recipient (`age1…`, `ssh-ed25519 …`), or a file with one a line.
        passphrase_file
            Instead of recipients: a file that holds a passphrase.
        """
        from safebelt.engines.archive_age import Lock  # noqa: PLC0415
        from safebelt.run.keeping.backup import back_up  # noqa: PLC0415
        from safebelt.run.keeping.saying import backed_up  # noqa: PLC0415
        from safebelt.run.keeping.telling import to_stderr  # noqa: PLC0415

        lock = Lock(recipients=_recipients(to or []), passphrase=_passphrase(passphrase_file))
        return backed_up(back_up(house, file, lock, to_stderr(house.settings.lang)))

    return backup


def restore_command(house: House) -> Any:
    """Build `safebelt restore`."""

    def restore_(
        file: Path,
        *,
        home: Path | None = None,
        database: str | None = None,
        identity: Path | None = None,
        passphrase_file: Path | None = None,
        is_check: Annotated[bool, Parameter(name="--check", negative="")] = False,
        is_replace: Annotated[bool, Parameter(name="--replace", negative="")] = False,
        is_same_moment: Annotated[bool, Parameter(name="--same-moment", negative="")] = False,
        later: Path | None = None,
        is_erased_again: Annotated[bool, Parameter(name="--erase-again", negative="")] = False,
    ) -> Answer:
        """从备份恢复并核验；--check 只核验。 Make a house out of a backup and verify it; with --check only look.

        Parameters
        ----------
        file
            What `safebelt backup` wrote.
        home
            Where to; SAFEBELT_HOME where it is left out.
        database
            SQLAlchemy URL; SAFEBELT_DATABASE_URL, or SQLite under home, where it is left out.
        identity
            The age or SSH private key that opens it.
        passphrase_file
            The file that holds its passphrase.
        is_check
            Restore beside the place, verify, and throw it away again.
        is_replace
            A house that is there gives way: its folder is kept under another name, its database elsewhere is emptied.
        is_same_moment
            You know that nothing was cosigned for other logs since the backup: the witness's key goes on.
        later
            A later copy of the log's public folder: what was erased, revoked or stopped since is named.
        is_erased_again
            Personal data that were erased since, as the later log says, are erased again at once.
        """
        from safebelt.engines.archive_age import Keys  # noqa: PLC0415
        from safebelt.run.keeping.restore import Target, restore  # noqa: PLC0415
        from safebelt.run.keeping.saying import restored  # noqa: PLC0415
        from safebelt.run.keeping.telling import to_stderr  # noqa: PLC0415

        url = house.settings.database_url if database is None else database
        target = Target(
            home=home or house.settings.home,
            database="" if is_check else url,
            is_check=is_check,
            is_replace=is_replace,
            is_same_moment=is_same_moment,
            later=later,
            is_erased_again=is_erased_again,
        )
        if is_check and database:
            raise _check_elsewhere()
        keys = Keys(identities=_identities(identity), passphrase=_passphrase(passphrase_file))
        done = restore(house.settings, file, keys, target, to_stderr(house.settings.lang))
        return restored(house.settings, done, target)

    return restore_


# ---- what was typed


def _recipients(given: list[str]) -> tuple[str, ...]:
    from safebelt.engines.archive_age import hold_recipient  # noqa: PLC0415

    texts = list[str]()
    for each in given:
        is_key = each.startswith(("age1", "ssh-"))
        texts.extend([each] if is_key else _lines(read_text(Path(each))))
    return tuple(hold_recipient(text) for text in texts)


def _identities(file: Path | None) -> tuple[str, ...]:
    if file is None:
        return ()
    text = read_text(file)
    return (text,) if "PRIVATE KEY-----" in text else tuple(_lines(text))


def _passphrase(file: Path | None) -> str:
    if file is None:
        return ""
    if not (text := read_text(file).rstrip("\r\n")):
        raise Invalid(
            what=Text(zh=f"{file} 中没有口令。", en=f"{file} holds no passphrase."),
            hint=Text(zh="请在文件第一行写口令。", en="Write the passphrase into its first line."),
        )
    return text


def _lines(text: str) -> list[str]:
    """Return the lines of a file of keys, without what `#` begins."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _check_elsewhere() -> Invalid:
    return Invalid(
        what=Text(zh="--check 不使用其他数据库。", en="A check uses no database elsewhere."),
        hint=Text(zh="请去掉 --database。", en="Leave out --database."),
    )
