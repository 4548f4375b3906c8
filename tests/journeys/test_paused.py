"""A paused process of the house ends when it goes on, if it was told to meanwhile."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

_MANY_THREADS = 12
"""Each habit has a thread: with so many, the work has begun."""
_WAITS_SECONDS = 120


def _threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads where Linux shows them")
def test_work_that_was_paused_when_it_was_told_to_end_ends_once_it_goes_on(tmp_path: Path) -> None:
    environment = {**os.environ, "SAFEBELT_HOME": str(tmp_path / "home")}
    work = subprocess.Popen([sys.executable, "-m", "safebelt", "serve", "work"], env=environment)
    try:
        until = time.monotonic() + _WAITS_SECONDS
        while _threads(work.pid) < _MANY_THREADS:
            assert work.poll() is None
            assert time.monotonic() < until, "the work never began"
            time.sleep(0.1)
        time.sleep(1)

        for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGCONT):
            work.send_signal(number)
            time.sleep(0.2)

        assert work.wait(_WAITS_SECONDS) == 0
    finally:
        if work.poll() is None:
            work.kill()
            work.wait()
