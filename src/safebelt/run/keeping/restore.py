"""Makes a house out of a backup: beside its place first, whole and examined, and only then in it.

A house under `home` appears by one rename.  A database elsewhere is filled in one transaction, and bears a mark until
the home is in its place: after a crash in between nothing looks like a house that is not one, and the same command
begins anew.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from safebelt.app import House, every_table
from safebelt.engines.archive import Reader
from safebelt.engines.archive_age import Keys, opening
from safebelt.engines.sql import Sql
from safebelt.engines.supervisor import OnlyOne, holder_of
from safebelt.kernel.conditions import Truth
from safebelt.kernel.text import Text
from safebelt.run.keeping import refusals
from safebelt.run.keeping.examine import Seen, examine
from safebelt.run.keeping.filling import Filling, hold_free, unmark
from safebelt.run.keeping.later import Forgotten, erase_again, forgotten
from safebelt.run.keeping.telling import Progress, Say
from safebelt.settings import Settings

WITNESS_KEY = "keys/witness.key"
SET_ASIDE = "keys/witness.key.before-restore"
_PID_FILE = "safebelt.pid"
_FEW = 2000
"""So many files are made durable one by one, some milliseconds each; more of them together with all else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a house goes, and what is allowed there.

    Attributes:
        home: The folder.
        database: URL of a database elsewhere; empty for SQLite under home, as it must be for a check.
        is_check: Only to look: everything is thrown away again.
        is_replace: Whether a house that is there already gives way: its folder is kept beside, its database is emptied.
        is_same_moment: Whether nothing was cosigned since the backup, so that the witness's key may cosign again.
        later: A later copy of the public log, to learn from what was forgotten; or None.
        is_erased_again: Whether personal data that were erased after the backup are erased again at once.
    """

    home: Path
    database: str = ""
    is_check: bool = False
    is_replace: bool = False
    is_same_moment: bool = False
    later: Path | None = None
    is_erased_again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What came of it.

    Attributes:
        home: Where the house is.
        manifest: What the backup says of itself.
        seen: What the house proves.
        kept: Where the house that was there before is now, or None.
        is_witness_retired: Whether the witness's key was set aside, so that a new one is made.
        forgotten: What a later log has beyond this one; None where none was given.
    """

    home: Path
    manifest: Mapping[str, Any]
    seen: Seen
    kept: Path | None
    is_witness_retired: bool
    forgotten: Forgotten | None


def restore(settings: Settings, file: Path, keys: Keys, target: Target, say: Say) -> Restored:
    """Make a house out of a backup.

    Args:
        settings: Every other knob.
        file: The backup.
        keys: With what it is opened.
        target: Where to.
        say: Tells how far it is.

    Raises:
        Invalid: The backup is damaged, of another form, or shut to these keys.
        Conflict: A house is there already, or is running; or the backup is of a newer Safebelt.
        Unavailable: Disk or database do not answer.
    """
    return _Work(settings=settings, file=file, keys=keys, target=target, say=say).done()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """One restore."""

    settings: Settings
    file: Path
    keys: Keys
    target: Target
    say: Say

    def done(self) -> Restored:
        home, target = self.target.home.absolute(), self.target
        if not target.is_check:
            _hold_place(self.settings, home, target)
        with refusals.of_disk(home), _beside(home, self.say, is_check=target.is_check) as staging:
            if target.database:
                self._read_through()  # nothing is emptied for a file that is damaged further on
            sql = Sql(target.database or f"sqlite:///{staging / 'safebelt.db'}")
            try:
                return self._fill(home, staging, sql)
            finally:
                sql.close()

    def _fill(self, home: Path, staging: Path, sql: Sql) -> Restored:
        every_table()
        hold_free(sql, is_replace=self.target.is_replace, say=self.say)
        with _reading(self.file, self.keys) as reader:
            filling = Filling(reader, sql, staging, Progress(self.say))
            filling.fill(is_marked=bool(self.target.database))
        sql.close()  # an open SQLite file must not be moved: its write-ahead log would stay behind
        retired = not self.target.is_same_moment and _set_aside(staging)
        self.say(Text(zh="正在核验……", en="Verifying …"))
        seen, lost = self._examined(staging, filling)
        kept = None
        if not self.target.is_check:
            kept = _put_in_place(staging, home)
            if self.target.database:
                unmark(sql)
        return Restored(
            home=home,
            manifest=reader.manifest,
            seen=seen,
            kept=kept,
            is_witness_retired=retired,
            forgotten=lost,
        )

    def _examined(self, staging: Path, filling: Filling) -> tuple[Seen, Forgotten | None]:
        """Let the house that came out prove what it is, under its own name and with its own keys."""
        own = {
            "home": staging,
            "database_url": self.target.database,
            "log_origin": filling.head["origin"],
            "witness_name": filling.head["witness"],
            "signing_key": None,
            "witness_key": None,
        }
        house = House(self.settings.model_copy(update=own))
        try:
            # before anything is signed here: what waits may have been placed otherwise in the later log
            lost = None if self.target.later is None else forgotten(house, self.target.later)
            seen = examine(house, filling.manifest, may_sign=not self.target.is_check)
            if lost is not None and self.target.is_erased_again and not self.target.is_check:
                lost = replace(lost, erased_again=erase_again(house, lost))
            return seen, lost
        finally:
            house.close()

    def _read_through(self) -> None:
        progress = Progress(self.say)
        with _reading(self.file, self.keys) as reader:
            for part in reader.parts():
                progress(part.name, files=1)


@contextmanager
def _reading(file: Path, keys: Keys) -> Iterator[Reader]:
    with refusals.no_file(file), file.open("rb") as raw, opening(raw, keys) as opened:
        yield Reader(opened)


@contextmanager
def _beside(home: Path, say: Say, *, is_check: bool) -> Iterator[Path]:
    """Give an empty folder beside the place; whatever is still in it at the end is removed: it holds private keys."""
    staging = home.with_name(f"{home.name}.{'checking' if is_check else 'restoring'}")
    staging.parent.mkdir(parents=True, exist_ok=True)
    try:
        only = OnlyOne(staging.with_name(f"{staging.name}.pid"))
    except BlockingIOError as error:
        raise refusals.restoring(home) from error
    try:
        if staging.exists():
            say(
                Text(
                    zh="上一次恢复中途终止；其残留已清除，现重新开始。",
                    en="An earlier restore ended half-way; what it left is removed, and this one begins anew.",
                )
            )
            shutil.rmtree(staging)
        staging.mkdir(mode=0o700)
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        only.release()
        staging.with_name(f"{staging.name}.pid").unlink(missing_ok=True)


def _hold_place(settings: Settings, home: Path, target: Target) -> None:
    """Hold that no house is in the way, and that no key lies elsewhere that must not be used again.

    Raises:
        Conflict: A house is there, or runs there; or the witness's key lies outside.
    """
    if holder_of(home / _PID_FILE):
        raise refusals.running(home)
    if home.is_mount():
        raise refusals.mounted(home)
    if home.is_dir() and any(home.iterdir()) and not target.is_replace:
        raise refusals.occupied(home)
    outside = settings.witness_key
    if outside is not None and outside.exists() and not target.is_same_moment:
        raise refusals.witness_key_outside(outside)


def _set_aside(staging: Path) -> bool:
    """Take the witness's key out of use: it may have cosigned more than this house remembers."""
    key = staging / WITNESS_KEY
    if not key.exists():
        return False
    key.replace(staging / SET_ASIDE)
    return True


def _put_in_place(staging: Path, home: Path) -> Path | None:
    """Let the house appear in its place, at once; return where the one before it is kept."""
    _make_durable(staging)
    kept = None
    if home.exists():
        with suppress(OSError):
            home.rmdir()  # only where it is empty
    if home.exists():
        kept = next(place for place in _spare_names(home) if not place.exists())
        home.rename(kept)
    staging.rename(home)
    _sync(home.parent)
    return kept


def _make_durable(folder: Path) -> None:
    """See to it that everything in a folder outlives a power cut."""
    places = [folder, *islice(folder.rglob("*"), _FEW)]
    if len(places) > _FEW:
        os.sync()  # the whole machine, once: for many files that is quicker than each by itself
        return
    for place in places:
        _sync(place)


def _sync(place: Path) -> None:
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _spare_names(home: Path) -> Iterator[Path]:
    number = 1
    while True:
        yield home.with_name(f"{home.name}.replaced-{number}")
        number += 1


def verdict(seen: Seen) -> Text:
    """Say in a sentence what a restored house proves."""
    if seen.holds is Truth.TRUE:
        return Text(zh="全部核验通过。", en="Everything that was verified holds.")
    if seen.holds is Truth.UNKNOWN:
        return Text(zh="日志为空，没有可核验的内容。", en="The log is empty: there was nothing to verify.")
    return Text(zh="核验发现问题。", en="Verifying found faults.")
