"""`kill -9` while backing up and while restoring: nothing is ever half, and the same command done again does it.

`SAFEBELT_KEEPING_KILLS` says how often the long trial kills in each way (100 if nobody says), `SAFEBELT_SEED` when.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.architecture.house import ROOT
from tests.run.keeping.conftest import Kept
from tests.run.keeping.furnished import emptied, files_of, house_at, rows_of

from safebelt.engines.archive import Reader

_WARM = 2
"""Deeds before the first kill; the first of them does what is done once only, and the quickest says how long one takes."""


class Worker:
    """Runs one deed at a time in a process of its own, and kills it where told."""

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.run.keeping.kill_workers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment,
        )

    def does(self, *deed: str, killed_after: float | None = None) -> bool:
        """Do a deed; return whether it came to its end."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(json.dumps(deed), file=self._process.stdin, flush=True)
        lines = self._process.stdout
        pid = int(lines.readline().split()[1])
        if killed_after is not None:
            time.sleep(killed_after)
            with contextlib.suppress(ProcessLookupError):  # it was quicker
                os.kill(pid, signal.SIGKILL)
        said = [lines.readline().strip()]
        while said[-1] != "gone":
            said.append(lines.readline().strip())
        return "done" in said

    def takes(self, *deed: str) -> float:
        """Do a deed to its end; return how many seconds that took."""
        begun = time.monotonic()
        assert self.does(*deed)
        return time.monotonic() - begun

    def end(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


@pytest.fixture
def worker() -> Iterator[Worker]:
    started = Worker()
    yield started
    started.end()


def _is_whole(file: Path) -> bool:
    with file.open("rb") as raw:
        return len(list(Reader(raw).parts())) > 10


def _kill_backups(worker: Worker, kept: Kept, folder: Path, times: int, chance: random.Random) -> str:
    takes = min(worker.takes("backup", str(kept.home), str(folder / f"first-{n}.sbk")) for n in range(_WARM))
    appeared = 0
    for number in range(times):
        file = folder / f"{number}.sbk"
        done = worker.does("backup", str(kept.home), str(file), killed_after=chance.uniform(0, takes))
        assert file.exists() or not done
        if file.exists():
            assert _is_whole(file), "a backup that is there is whole"
            appeared += 1
        else:
            assert worker.does("backup", str(kept.home), str(file))
        assert not (folder / f"{number}.sbk.part").exists() or not done
        for left in folder.glob(f"{number}.sbk*"):
            left.unlink()
    return f"{times} backups killed, {appeared} of them after they were whole, none half"


def _hold_restored(kept: Kept, home: Path, database: str) -> None:
    house = house_at(home, database)
    assert rows_of(house) == kept.rows
    assert files_of(home) == files_of(kept.home)
    house.close()


def _kill_restores(worker: Worker, kept: Kept, home: Path, database: str, times: int, chance: random.Random) -> str:
    def cleared() -> None:
        shutil.rmtree(home, ignore_errors=True)
        if database:
            emptied(database)

    deed = ("restore", str(kept.file), str(home), database)
    takes, appeared = 60.0, 0
    for _ in range(_WARM):  # the first does what is done once only
        takes = min(takes, worker.takes(*deed))
        cleared()
    for _ in range(times):
        for _again in range(chance.choice([1, 1, 2])):  # what a killed one left may itself be met by one that is killed
            if not home.exists():
                worker.does(*deed, killed_after=chance.uniform(0, takes))
        if home.exists():
            appeared += 1
        else:
            assert worker.does(*deed), "what is left must not be in the way"
        _hold_restored(kept, home, database)
        cleared()
    assert not [path for path in home.parent.iterdir() if path.name.startswith(home.name)]
    return f"{times} restores killed, {appeared} of them after the house was in its place, none half"


@pytest.mark.soak
def test_what_is_killed_is_not_there_or_whole_and_done_again_is_done(
    kept: Kept, worker: Worker, tmp_path: Path
) -> None:
    chance = random.Random(20261122)

    _kill_backups(worker, kept, tmp_path, 1, chance)
    _kill_restores(worker, kept, tmp_path / "home", "", 1, chance)


@pytest.mark.soak
@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_many_killed_restores_and_backups_are_never_half(
    kept: Kept, worker: Worker, engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    times, seed = int(os.environ.get("SAFEBELT_KEEPING_KILLS", "100")), int(os.environ.get("SAFEBELT_SEED", "7"))
    database, chance = "", random.Random(seed)
    if engine == "postgres":
        database = emptied(request.getfixturevalue("postgres_url"))
    else:
        print(f"\n{_kill_backups(worker, kept, tmp_path, times, chance)}")

    print(f"\n{engine}: {_kill_restores(worker, kept, tmp_path / 'home', database, times, chance)}")
