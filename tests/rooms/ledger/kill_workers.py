"""Processes to be killed: they append to a log and extend it, and say what they were told is done.

    python -m tests.rooms.ledger.kill_workers <database url> <folder>

For each line `go <seed>` on standard input two workers are forked, from a process that has imported everything and
opened nothing.  Lines on standard output: `pids <a> <b>`, then what the workers say until they are killed
(`+<text>` an entry whose transaction was committed, `=<size> <root>` a checkpoint that was published), then `gone`.
Each line is one write of a few bytes into a pipe: whole, or not there at all.
"""

import os
import random
import sys
import threading
from pathlib import Path

from tests.rooms.ledger.conftest import ORIGIN, Noted

from safebelt.engines.clock import real_chance, real_ids, wall_clock
from safebelt.engines.signing import KeyStore
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Problem
from safebelt.rooms.ledger.service import Ledger

_THREADS = 3
_ROTATES = 0.05
"""How often a worker also replaces the signing key: that, too, may be the moment of the kill."""


def ledger_at(url: str, folder: Path) -> tuple[Sql, Ledger]:
    """Open the ledger as any process of the house does."""
    sql = Sql(url)
    keys = KeyStore(folder / "keys" / "ledger.key", name=ORIGIN, chance=real_chance)
    ledger = Ledger(
        sql,
        clock=wall_clock,
        new_id=real_ids(),
        chance=real_chance,
        signer=keys,
        origin=ORIGIN,
        tiles=folder / "ledger",
    )
    return sql, ledger


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def _append(sql: Sql, ledger: Ledger, name: str) -> None:
    number = 0
    while True:
        number += 1
        text, personal = f"{name}-{number}", {"name": "somebody"} if number % 3 == 0 else {}
        try:
            with sql.begin() as tx:
                ledger.append(tx, Noted(subject="sub_kill", text=text, personal=personal), by=OWNER)
        except Problem:  # the database was busy for too long: nothing was done, and nothing is said
            continue
        _say(f"+{text}")


def _extend(ledger: Ledger, *, rotates: bool) -> None:
    while True:
        try:
            if rotates:
                ledger.rotate_key(reason="a rotation to be killed in", by=OWNER)
                rotates = False
            last = ledger.advance()
        except Problem as problem:
            _say(f"!{problem}")
            continue
        if last is not None:
            _say(f"={last.size} {last.root.hex()}")


def _work(url: str, folder: Path, seed: str, place: int) -> None:
    """Append in some threads, and extend the log in another; for ever."""
    sql, ledger = ledger_at(url, folder)
    rotates = place == 0 and random.Random(seed).random() < _ROTATES
    for number in range(_THREADS):
        threading.Thread(target=_append, args=(sql, ledger, f"{seed}-{place}-{number}"), daemon=True).start()
    _extend(ledger, rotates=rotates)


def main(url: str, folder: Path) -> None:
    """Fork two workers for each line, and say when both are gone."""
    for line in sys.stdin:
        pids = []
        for place in range(2):
            if (pid := os.fork()) == 0:
                try:
                    _work(url, folder, line.split()[1], place)
                finally:
                    os._exit(70)
            pids.append(pid)
        _say("pids {} {}".format(*pids))
        for pid in pids:
            os.waitpid(pid, 0)
        _say("gone")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
