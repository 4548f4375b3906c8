"""One prepared house for all journeys that are not about the first hour itself: making it takes four seconds of a core."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.journeys.home import Home, scripted_upstream


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Return what puts a copy of a house where `safebelt demo` ran into a folder that is not there yet.

    It ran before an operator's own upstream, once for all of pytest's workers.
    """
    base = tmp_path_factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    made = root / "prepared"
    with (root / "prepared.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            with scripted_upstream() as (upstream, _):
                home = Home(root / "preparing", upstream=upstream)
                said = home.run("demo")
            assert said.returncode == 0, said.stdout + said.stderr
            home.folder.rename(made)

    def copied(folder: Path) -> Path:
        shutil.copytree(made, folder)
        return folder

    return copied
