"""Writes a whole house into one file, as it stood at one moment, while it works on."""

import fcntl
import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, cast

import sqlalchemy as sa

import safebelt
from safebelt.app import House, every_table
from safebelt.engines.archive import Writer
from safebelt.engines.archive_age import Lock, sealing
from safebelt.engines.archive_rows import dump
from safebelt.engines.migrations import revisions
from safebelt.kernel.errors import Conflict, NotFound, Problem, Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.ledger.model import Checkpoint
from safebelt.rooms.ledger.service.publishing import LOCK
from safebelt.run.keeping.folders import HOME, LEFT_OUT, TABLES_LEFT_OUT, travelling
from safebelt.run.keeping.telling import Progress, Say
from safebelt.settings import Settings

FORMAT = "safebelt-backup/1"
HEAD, ROWS = "backup.json", "database/"
"""The first part, and before the name of every part with rows."""
_CREDENTIALS = re.compile(r"//[^/@\s]+@")
_ONLY_MINE = 0o600
_SIGNING, _WITNESS = "keys/ledger.key", "keys/witness.key"
_LOG_KEYS = frozenset({*(f"{_SIGNING}{end}" for end in ("", ".next", ".retired")), _WITNESS})
"""Read at the moment, or not there at that moment: never later, when a rotation may have gone on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """What was written.

    Attributes:
        file: Where.
        sha256: Of the whole file.
        size: Bytes of it.
        is_sealed: Whether it is encrypted.
        manifest: What stands in its manifest.
    """

    file: Path
    sha256: str
    size: int
    is_sealed: bool
    manifest: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    """One moment of the house: the database as it was, the log's head and keys that belong to it."""

    tx: sa.Connection
    at: datetime
    checkpoint: Checkpoint | None
    keys: Mapping[str, bytes]


def back_up(house: House, file: Path, lock: Lock, say: Say) -> BackedUp:
    """Write a backup; the file appears whole, or not at all.

    Args:
        house: The house, which may be at work.
        file: Where to; must not exist.
        lock: For whom it is sealed.
        say: Tells how far it is.

    Raises:
        NotFound: There is no house.
        Conflict: The file exists already, or another backup is being written to it.
        Unavailable: Disk or database do not answer.
    """
    if not house.settings.home.is_dir():
        raise _no_house(house.settings.home)
    trouble = _publish(house)
    with _whole_or_not(file) as out:
        with sealing(out.file, lock, chance=house.chance) as sealed, Writer(sealed) as archive, _moment(house) as now:
            manifest = _write(house, archive, now, trouble, say)
        size = out.file.tell()
    return BackedUp(file=file, sha256=out.digest.hexdigest(), size=size, is_sealed=not lock.is_open, manifest=manifest)


def _publish(house: House) -> str:
    """Bring the log up to date first; a log that is damaged must not keep anybody from backing it up."""
    try:
        house.ledger.advance()
    except Problem as problem:
        return str(problem)
    return ""


@contextmanager
def _moment(house: House) -> Iterator[_Moment]:
    """Choose the moment while nobody extends the log or changes its key, then let everybody go on.

    A rotation happens inside the log's section: the key files read here are those that the rows speak of.
    """
    with ExitStack() as stack:
        with house.sql.begin() as hold:
            house.sql.exclusive(hold, LOCK)
            tx = stack.enter_context(house.sql.snapshot())
            moment = _Moment(
                tx=tx, at=house.clock(), checkpoint=house.ledger.checkpoint(), keys=_log_keys(house.settings)
            )
        yield moment


def _log_keys(settings: Settings) -> dict[str, bytes]:
    """Read the keys of log and witness, wherever they lie; in a backup they lie under `keys/`."""
    signing = settings.signing_key or settings.home / "keys" / "ledger.key"
    witness = settings.witness_key or settings.home / "keys" / "witness.key"
    places = {name: Path(f"{signing}{name.removeprefix(_SIGNING)}") for name in _LOG_KEYS - {_WITNESS}}
    places[_WITNESS] = witness
    return {name: place.read_bytes() for name, place in sorted(places.items()) if place.exists()}


def _write(house: House, archive: Writer, now: _Moment, trouble: str, say: Say) -> dict[str, Any]:
    head, progress = head_of(house, now.at), Progress(say)
    archive.add(HEAD, json.dumps(head, ensure_ascii=False, indent=1).encode() + b"\n")
    for name, data in now.keys.items():
        archive.add(HOME + name, data, mtime=int(now.at.timestamp()))
    rows = Counter[str]()
    for table in every_table().sorted_tables:
        if table.name not in TABLES_LEFT_OUT:
            rows[table.name] += 0
            for number, (part, count) in enumerate(dump(now.tx, table), start=1):
                archive.add(f"{ROWS}{table.name}/{number:06d}.jsonl", part)
                rows[table.name] += count
                progress(table.name, rows=count)
    files, size = _add_files(house, archive, progress)
    last = now.checkpoint
    manifest = head | {
        "tables": dict(rows),
        "files": files + len(now.keys),
        "file_bytes": size + sum(map(len, now.keys.values())),
        "checkpoint": None if last is None else {"size": last.size, "root": last.root.hex(), "note": last.note},
        "trouble": trouble,
    }
    archive.finish(manifest)
    return manifest


def head_of(house: House, at: datetime) -> dict[str, Any]:
    """Return what a backup says of itself before anything else, JSON-ready."""
    settings = house.settings
    return {
        "format": FORMAT,
        "version": safebelt.__version__,
        "made_at": at.isoformat(),
        "revision": max(revisions()),
        "database": house.sql.engine.dialect.name,
        "origin": settings.log_origin,
        "witness": settings.witness_name,
        "settings": named_settings(settings),
        "left_out": [{"what": list(left.what), "why": {"zh": left.why.zh, "en": left.why.en}} for left in LEFT_OUT],
    }


def named_settings(settings: Settings) -> dict[str, str]:
    """Return every setting that is not its default.  Secrets are named and not copied."""
    said = dict[str, str]()
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if value != field.get_default(call_default_factory=True):
            said[name] = _CREDENTIALS.sub("//…@", _as_set(settings, name)) if field.repr else "…"
    return said


def _as_set(settings: Settings, name: str) -> str:
    """Return a setting in the form in which it is set."""
    value = getattr(settings, name)
    if not isinstance(value, dict):
        return str(value)
    return json.dumps(settings.model_dump(mode="json", include={name}, exclude_defaults=True)[name], ensure_ascii=False)


def _add_files(house: House, archive: Writer, progress: Progress) -> tuple[int, int]:
    """Add the files that travel; return how many there were, and their bytes."""
    home, stop = house.settings.home, house.box.stop_file_identity()
    files = size = 0
    for name, place in travelling(home, is_obeyed=bool(stop) and stop == house.box.state().stop_file):
        if name in _LOG_KEYS:
            continue
        try:
            file = place.open("rb")
        except FileNotFoundError:  # taken away since it was listed: an order carried out, a blob erased
            continue
        with file:
            is_ = os.fstat(file.fileno())
            archive.add_file(HOME + name, file, is_.st_size, mode=is_.st_mode & 0o777, mtime=int(is_.st_mtime))
        files, size = files + 1, size + is_.st_size
        progress(name, files=1)
    return files, size


class _Out:
    """A file that is hashed while it is written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.digest, self._size = file, sha256(), 0
        self.file = cast("BinaryIO", self)

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self._size += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    def tell(self) -> int:
        return self._size


@contextmanager
def _whole_or_not(file: Path) -> Iterator[_Out]:
    """Give a file beside the one wanted, readable by its owner alone, and put it in place when it is whole.

    What a killed backup left behind is taken over by the next.
    """
    if file.exists():
        raise _exists(file)
    draft = file.with_name(f"{file.name}.part")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT, _ONLY_MINE)
        with os.fdopen(handle, "wb") as out:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise _exists(draft) from error
            os.fchmod(handle, _ONLY_MINE)
            out.truncate(0)
            try:
                yield _Out(out)
                out.flush()
                os.fsync(handle)
                os.link(draft, file)  # unlike a rename it never replaces a backup made meanwhile
            finally:
                draft.unlink(missing_ok=True)
        _sync_folder(file.parent)
    except FileExistsError as error:
        raise _exists(file) from error
    except OSError as error:
        raise _unwritable(file, error) from error


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _no_house(home: Path) -> NotFound:
    return NotFound(
        what=Text(zh=f"{home} 处没有可备份的内容。", en=f"There is nothing at {home} to back up."),
        hint=Text(zh="请核对 SAFEBELT_HOME。", en="Check SAFEBELT_HOME."),
    )


def _exists(file: Path) -> Conflict:
    return Conflict(
        what=Text(zh=f"{file} 已存在，或正在写入。", en=f"{file} is there already, or being written."),
        hint=Text(zh="备份从不覆盖备份：请另取文件名。", en="No backup replaces another: choose another name."),
    )


def _unwritable(file: Path, error: OSError) -> Unavailable:
    why = f"{error.strerror or error} ({error.filename or file})"
    return Unavailable(
        what=Text(zh=f"备份 {file} 未能写成：{why}。", en=f"The backup {file} could not be written: {why}."),
        hint=Text(
            zh="请检查路径、权限和磁盘空间。什么都没有留下。",
            en="Check the path, its permissions and free disk space. Nothing was left behind.",
        ),
    )
