"""Children are kept, ended together, and never fill the disk with their complaints."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from safebelt.engines import supervisor as engine
from safebelt.engines.supervisor import ChildSpec, OnlyOne, Supervisor, holder_of


def _run(supervisor: Supervisor, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    supervisor.run_until(lambda: time.monotonic() > deadline)


@pytest.fixture(autouse=True)
def signals() -> object:
    import signal

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_child_that_ends_starts_again_after_a_pause(tmp_path: Path) -> None:
    said: list[str] = []
    keeper = Supervisor([ChildSpec(name="c", argv=("-c", "raise SystemExit(3)"))], logs=tmp_path, say=said.append)

    keeper.start()
    _run(keeper, 1.5)
    keeper.end()

    assert 1 <= len(said) <= 5 and all("ended with 3" in line for line in said)


def test_a_child_that_will_not_end_is_ended_by_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_TERM_SECONDS", 0.5)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    keeper = Supervisor([ChildSpec(name="c", argv=("-c", deaf))], logs=tmp_path, say=lambda _: None)
    keeper.start()
    for _ in range(100):
        if (tmp_path / "c.log").exists() and (tmp_path / "c.log").read_bytes():
            break
        time.sleep(0.05)
    pid = keeper.pid("c")

    began = time.monotonic()
    keeper.end()

    assert time.monotonic() - began < 15
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_kill_that_cannot_be_noted_does_not_end_the_supervisor(tmp_path: Path) -> None:
    said: list[str] = []

    def full(_pid: int) -> None:
        raise OSError(28, "No space left on device")

    spec = ChildSpec(name="c", argv=("-c", "import time; time.sleep(60)"), watch=lambda _: "stuck", on_killed=full)
    keeper = Supervisor([spec], logs=tmp_path, say=said.append)

    keeper.start()
    _run(keeper, 0.3)
    is_alive = keeper.pid("c") > 0
    keeper.end()

    assert is_alive and any("No space" in line for line in said)


def test_a_log_does_not_grow_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_LOG_BYTES", 10_000)
    monkeypatch.setattr(engine, "_LOG_LOOK_SECONDS", 0.05)
    noisy = "import time\nwhile True: print('x' * 500, flush=True); time.sleep(0.002)"
    keeper = Supervisor([ChildSpec(name="c", argv=("-c", noisy))], logs=tmp_path, say=lambda _: None)

    keeper.start()
    _run(keeper, 2.0)
    keeper.end()

    assert (tmp_path / "c.log.1").exists()
    assert (tmp_path / "c.log").stat().st_size < 200_000


def test_one_process_holds_the_house_and_its_death_gives_it_free(tmp_path: Path) -> None:
    path = tmp_path / "safebelt.pid"
    hold = f"""
import time
from pathlib import Path
from safebelt.engines.supervisor import OnlyOne
held = OnlyOne(Path({str(path)!r}))
print("held", flush=True)
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()

    assert holder_of(path) == process.pid
    with pytest.raises(BlockingIOError):
        OnlyOne(path)
    process.kill()
    process.wait()
    process.stdout.close()
    assert holder_of(path) == 0
    OnlyOne(path).release()


def test_a_number_left_behind_names_nobody(tmp_path: Path) -> None:
    """After a crash the id may belong to any process, even to this one."""
    path = tmp_path / "safebelt.pid"
    path.write_text(str(os.getpid()))

    assert holder_of(path) == 0 and holder_of(tmp_path / "none") == 0
    held = OnlyOne(path)
    assert path.read_text() == str(os.getpid())
    held.release()
