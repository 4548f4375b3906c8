"""`kill -9` at random moments while processes append and extend the log: nothing acknowledged is lost, nothing is twice.

`SAFEBELT_KILLS` says how often the long trial kills on each database (1,000 if nobody says), `SAFEBELT_SEED` when.
"""

import json
import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.architecture.house import ROOT
from tests.rooms.ledger.conftest import Noted
from tests.rooms.ledger.kill_workers import ledger_at

from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.merkle import HASH_BYTES
from safebelt.rooms.ledger import decide, store
from safebelt.rooms.ledger.room import ROOM as LEDGER
from safebelt.rooms.ledger.service import Ledger, check_consistency

_AFTER = ("nothing", "an entry", "a checkpoint", "a checkpoint")
"""What a round waits for before its time begins to run: a busy machine takes long to get there."""
_LONGEST_SECONDS = 0.15
"""How long workers go on after that, at most: further checkpoints fall into it."""
_HANGS_SECONDS = 600
"""Only bounds a hang: a trial of hours may share its machine with whatever else runs there, or be stopped for minutes."""
_CONSISTENCY_PROOFS = 300


@dataclass
class Heard:
    """What the workers said before they were killed, and what anybody could fetch meanwhile."""

    appended: list[str] = field(default_factory=list)
    checkpoints: dict[int, str] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    published: int = 0

    def count(self, what: str) -> int:
        return {"nothing": -1, "an entry": len(self.appended), "a checkpoint": self.published}[what]

    def line(self, line: str) -> None:
        if line.startswith("+"):
            self.appended.append(line[1:])
        elif line.startswith("="):
            self.published += 1
            size, root = line[1:].split()
            self.checkpoint(int(size), root)
        elif line.startswith("!"):
            self.complaints.append(line[1:])

    def checkpoint(self, size: int, root: str) -> None:
        assert self.checkpoints.setdefault(size, root) == root, f"two trees of {size} were published"


class Workers:
    """The process that forks workers, and a thread that hears what they say."""

    def __init__(self, url: str, folder: Path) -> None:
        self.heard, self._control, self._folder = Heard(), queue.Queue[str](), folder
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.rooms.ledger.kill_workers", url, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment,
        )
        self._thread = threading.Thread(target=self._hear, daemon=True)
        self._thread.start()

    def round(self, seed: str, seconds: float, only: int | None, *, after: str) -> None:
        """Start two workers, let them work, and kill one or both.

        Args:
            seed: Names the round.
            seconds: How long they work.
            only: Which is killed first; None for both at once.
            after: From what on.
        """
        assert self._process.stdin is not None
        before, deadline = self.heard.count(after), time.monotonic() + 30
        print("go", seed, file=self._process.stdin, flush=True)
        pids = [int(pid) for pid in self._control.get(timeout=_HANGS_SECONDS).split()[1:]]
        while 0 <= before == self.heard.count(after) and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(seconds)
        for pid in [pids[only]] if only is not None else pids:
            os.kill(pid, signal.SIGKILL)
        self._look()
        if only is not None:  # the other goes on alone for a while
            time.sleep(seconds)
            os.kill(pids[1 - only], signal.SIGKILL)
        assert self._control.get(timeout=_HANGS_SECONDS) == "gone"
        self._look()

    def _look(self) -> None:
        """Fetch the public checkpoint, as anybody may."""
        file = self._folder / "ledger" / "checkpoint"
        if file.exists():
            found = decide.parse_checkpoint(file.read_text())
            self.heard.checkpoint(found.size, found.root.hex())

    def _hear(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line[0] in "+=!":
                self.heard.line(line.strip())
            else:
                self._control.put(line.strip())

    def end(self) -> Heard:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(_HANGS_SECONDS)
        self._thread.join(_HANGS_SECONDS)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return self.heard


def _kill_again_and_again(url: str, folder: Path, times: int, seed: int) -> Heard:
    chance = random.Random(seed)
    sql = Sql(url)
    metadata.create_all(sql.engine, tables=list(LEDGER.tables))
    sql.close()
    workers = Workers(url, folder)
    for number in range(times):
        only = chance.choice([None, None, 0, 1])
        seconds, after = chance.uniform(0, _LONGEST_SECONDS), chance.choice(_AFTER)
        workers.round(f"{seed}.{number}", seconds, only, after=after)
    return workers.end()


def _texts(ledger: Ledger) -> Counter[str]:
    """Read the log from its beginning to its end, and count what was noted."""
    found, at = Counter[str](), -1
    while rows := ledger.sequenced(at, 5000):
        assert [index for index, *_ in rows] == list(range(at + 1, at + 1 + len(rows))), "indexes without gaps"
        found.update(json.loads(body)["data"].get("text", "") for *_, kind, body in rows if kind == "test.noted.v1")
        at = rows[-1][0]
    return found


def _hold(url: str, folder: Path, heard: Heard) -> str:
    """Hold what the log became against what was acknowledged; return what was seen, in words."""
    sql, ledger = ledger_at(url, folder)
    try:
        return _held(sql, ledger, heard)
    finally:
        sql.close()


def _held(sql: Sql, ledger: Ledger, heard: Heard) -> str:
    ledger.advance()
    found, verdict = _texts(ledger), ledger.verify()
    with sql.read() as tx:
        stored = {size: decide.as_checkpoint(size, note).root.hex() for size, note in store.notes(tx)}

    assert verdict.holds is Truth.TRUE, verdict.faults
    assert verdict.waiting == 0
    assert [text for text in heard.appended if found[text] == 0] == [], "acknowledged entries are lost"
    assert [text for text, times in found.items() if text and times > 1] == [], "entries are there twice"
    assert {size: root for size, root in heard.checkpoints.items() if stored.get(size) != root} == {}
    sizes = sorted(heard.checkpoints)
    for size in sizes[:: max(1, len(sizes) // _CONSISTENCY_PROOFS)]:
        reason, _ = check_consistency(ledger.consistency(size), ledger.verifier_keys())
        assert reason.holds is Truth.TRUE
    return (
        f"{len(heard.appended)} acknowledged entries, {found.total()} found, none lost, none twice; "
        f"{len(heard.checkpoints)} checkpoints seen of {len(stored)}; {len(ledger.verifier_keys()) - 1} rotations; "
        f"{len(heard.complaints)} refusals"
    )


def _trial(url: str, folder: Path, times: int, seed: int) -> None:
    heard = _kill_again_and_again(url, folder, times, seed)
    seen = _hold(url, folder, heard)
    print(f"\n{times} rounds of kill -9 on {url.partition(':')[0]}: {seen}")
    assert len(heard.appended) > times, "the work must have been real"


def test_a_few_kills_lose_no_acknowledged_entry(database_url: str, tmp_path: Path) -> None:
    _trial(database_url, tmp_path, times=3, seed=20261122)


@pytest.mark.soak
def test_a_thousand_kills_lose_no_acknowledged_entry(database_url: str, tmp_path: Path) -> None:
    times, seed = int(os.environ.get("SAFEBELT_KILLS", "1000")), int(os.environ.get("SAFEBELT_SEED", "7"))
    _trial(database_url, tmp_path, times=times, seed=seed)


def test_a_lost_entry_a_doubled_one_and_another_tree_would_be_noticed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'test.db'}"
    sql, ledger = ledger_at(url, tmp_path)
    metadata.create_all(sql.engine, tables=list(LEDGER.tables))
    _append(sql, ledger, "once")
    last = ledger.advance()
    assert last is not None
    heard = Heard(appended=["once"], checkpoints={last.size: last.root.hex()})
    _held(sql, ledger, heard)

    for wrong, why in (
        (Heard(appended=["once", "never committed"]), "lost"),
        (Heard(checkpoints={last.size: bytes(HASH_BYTES).hex()}), str(last.size)),
        (Heard(checkpoints={last.size + 1: last.root.hex()}), str(last.size + 1)),
    ):
        with pytest.raises(AssertionError, match=why):
            _held(sql, ledger, wrong)
    with pytest.raises(AssertionError, match="two trees"):
        heard.checkpoint(last.size, "another")
    _append(sql, ledger, "once")
    with pytest.raises(AssertionError, match="twice"):
        _held(sql, ledger, heard)
    sql.close()


def _append(sql: Sql, ledger: Ledger, text: str) -> None:
    with sql.begin() as tx:
        ledger.append(tx, Noted(subject="sub_kill", text=text), by=OWNER)
