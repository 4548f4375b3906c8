"""A million systems judged by the whole law: by columns, one by one, and by a peer rules engine on the same logic.

Interleaved rounds in one run, after the engines have been seen to agree; CPU ratios are the result, absolutes depend
on the machine and its neighbours.  The peer is rego-cpp (the package `regopy`) with the law written as Rego, on
systems of which everything is known, since Rego has no third value.  Run: `python -m bench.rulebook [systems]`.
"""

import gc
import json
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl

from bench._population import synthetic
from bench._rego import Policy, document
from safebelt.kernel.conditions import Truth
from safebelt.rooms.rulebook import decide, packs
from safebelt.rooms.rulebook.columns import BATCH_ROWS, Columns, Verdicts, compile_law
from safebelt.rooms.rulebook.columns.impact import Comparison
from safebelt.rooms.rulebook.decide.impact import reform
from safebelt.rooms.rulebook.model import LawText, Rulebook

ROOT = Path(__file__).parent.parent
ON, SEED, ROUNDS = date(2026, 11, 22), 20261122, 3
SYSTEMS, FORGOTTEN = 1_000_000, 0.15
ONE_BY_ONE, PEER, BUILT = 300, 8, 20_000
AGREE_ONE_BY_ONE, AGREE_PEER = 200, 24


@dataclass
class Engine:
    """A way to judge, and what it took in each round, per system."""

    name: str
    run: Callable[[], object]
    systems: int
    cpu_us: list[float] = field(default_factory=list)
    wall_us: list[float] = field(default_factory=list)

    def measure(self) -> None:
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        self.run()
        self.cpu_us.append((time.process_time() - cpu) / self.systems * 1e6)
        self.wall_us.append((time.perf_counter() - wall) / self.systems * 1e6)

    @property
    def cpu(self) -> float:
        return statistics.median(self.cpu_us)

    @property
    def wall(self) -> float:
        return statistics.median(self.wall_us)


def everything(columns: Columns, table: pl.DataFrame) -> Verdicts:
    """Every verdict, whether in force, every class and each instrument's strictest, of every system, held in memory."""
    verdicts = columns.judge(table)
    for instrument in verdicts.classes:
        verdicts.strictest(instrument)
    return verdicts


def peak_mb(run: Callable[[], object]) -> tuple[float, float]:
    """Memory of this process before a run and at its highest during it, in MB (Linux; elsewhere its highest ever)."""
    gc.collect()
    try:
        Path("/proc/self/clear_refs").write_text("5")  # forget the highest so far: proc(5)
        before = _status("VmRSS")
        run()
        return before, _status("VmHWM")
    except OSError:
        run()
        return 0.0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024


# --- agreement ---------------------------------------------------------------------------------------------------


def check_one_by_one(text: LawText, columns: Columns, table: pl.DataFrame) -> None:
    """Stop if the scalar engine comes to anything else on a sample."""
    sample = table.sample(min(AGREE_ONE_BY_ONE, table.height), seed=SEED)
    verdicts = columns.judge(sample)
    for at in range(sample.height):
        judged, row = decide.judge(text, columns.layout.facts(sample, at), ON), verdicts.row(at)
        assert {name: one.verdict for name, one in judged.findings.items()} == row.norms
        assert {name: one.in_force.now for name, one in judged.findings.items()} == row.in_force
        assert {name: dict(one.truths) for name, one in judged.classes.items()} == row.classes
        assert {name: one.strictest for name, one in judged.classes.items()} == row.strictest


class Peer:
    """The law as a compiled Rego policy."""

    def __init__(self, text: LawText, columns: Columns) -> None:
        from regopy import Interpreter  # noqa: PLC0415  only where it is installed

        self._engine = Interpreter()
        self.source = Policy(text, ON).source()
        self._engine.add_module("law.rego", self.source)
        self._bundle = self._engine.build("data.law.result")
        known = synthetic(columns.layout, max(AGREE_PEER, PEER), seed=SEED + 1, forgotten=0)
        self._verdicts = columns.judge(known)
        self._documents = [document(text, columns.layout.facts(known, at)) for at in range(known.height)]

    def ask(self, at: int) -> dict[str, Any]:
        self._engine.set_input(self._documents[at])
        answer: dict[str, Any] = json.loads(str(self._engine.query_bundle(self._bundle)))["expressions"][0]
        return answer

    def check(self) -> None:
        """Stop if it comes to anything else."""
        for at in range(AGREE_PEER):
            row, answer = self._verdicts.row(at), self.ask(at)
            assert {name for name, one in row.norms.items() if one.value == "applies"} == set(answer["applies"])
            truths = {f"{name}.{one}": truth for name, found in row.classes.items() for one, truth in found.items()}
            held = {name for name, truth in truths.items() if truth is Truth.TRUE}
            assert held == set(answer["classes"])

    def run(self) -> None:
        for at in range(PEER):
            self.ask(at)


# --- measuring ---------------------------------------------------------------------------------------------------


def measure(rulebook: Rulebook, systems: int) -> dict[str, Any]:
    text = decide.text_on(rulebook, ON)
    began = time.perf_counter()
    columns = compile_law(text, ON)
    compiled = time.perf_counter() - began
    began = time.perf_counter()
    table = synthetic(columns.layout, systems, seed=SEED, forgotten=FORGOTTEN)
    drawn = time.perf_counter() - began
    facts = [columns.layout.facts(table, at) for at in range(ONE_BY_ONE)]
    check_one_by_one(text, columns, table)

    def one_by_one() -> None:
        for one in facts:
            decide.judge(text, one, ON)

    many = [facts[at % len(facts)] for at in range(BUILT)]
    engines = [
        Engine("columns", lambda: everything(columns, table), systems),
        Engine("one by one", one_by_one, ONE_BY_ONE),
        Engine("a table out of Python facts", lambda: columns.table(many), BUILT),
        _impact(rulebook, systems),
    ]
    peer = None
    if find_spec("regopy"):
        peer = Peer(text, columns)
        peer.check()
        engines.append(Engine(f"Rego: rego-cpp {version('regopy')}", peer.run, PEER))
    for _ in range(ROUNDS):
        for engine in engines:
            engine.measure()
    before, peak = peak_mb(lambda: everything(columns, table))
    result = everything(columns, table)
    base = engines[0]
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": _machine(),
        "versions": {"python": platform.python_version(), "polars": pl.__version__},
        "law": {
            "on": ON.isoformat(),
            "norms": len(result.norms),
            "classes": sum(map(len, result.classes.values())),
            "instruments": len(text.instruments),
            "facts_asked": len(columns.layout.slots),
            "distinct_outcomes": len({*result.norms.values()}),
        },
        "systems": systems,
        "share_of_facts_unknown": FORGOTTEN,
        "compile_seconds": round(compiled, 3),
        "draw_seconds": round(drawn, 3),
        "columns_seconds": round(base.wall * systems / 1e6, 3),
        "columns_cpu_seconds": round(base.cpu * systems / 1e6, 3),
        "systems_per_second": round(1e6 / base.wall),
        "batch_rows": BATCH_ROWS,
        "memory_mb": {
            "before": round(before),
            "peak": round(peak),
            "table": round(table.estimated_size() / 2**20),
            "result": round(result.planes.estimated_size() / 2**20),
        },
        "engines": [
            {
                "name": one.name,
                "systems": one.systems,
                "cpu_us": round(one.cpu, 3),
                "wall_us": round(one.wall, 3),
                "cpu_times_columns": round(one.cpu / base.cpu, 1),
            }
            for one in engines
        ],
        "agreed_on": {"one by one": AGREE_ONE_BY_ONE, "Rego": AGREE_PEER if peer else None},
    }


def _impact(rulebook: Rulebook, systems: int) -> Engine:
    """The latest enacted amendment, before and after, over as many systems; the texts are compiled before."""
    comparison = Comparison(reform(rulebook, rulebook.enacted[-1], ON))
    table = synthetic(comparison.columns.layout, systems, seed=SEED, forgotten=FORGOTTEN)

    def run() -> None:
        comparison.add(table)
        comparison.impact(())

    return Engine("impact of the latest amendment", run, systems)


def _machine() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor() or platform.machine()}, {pl.thread_pool_size()} threads"


def as_markdown(found: dict[str, Any]) -> str:
    law, memory, versions, agreed = found["law"], found["memory_mb"], found["versions"], found["agreed_on"]
    systems = f"{found['systems']:,} systems"
    peer = (
        f"on {agreed['Rego']} with the peer (norms that apply, classes that hold)."
        if agreed["Rego"]
        else "there was no peer: regopy is not installed, so this run supports no claim against one."
    )
    said = [
        "# The rulebook by columns",
        "",
        f"{found['measured_at']}, {found['machine']}, Python {versions['python']}, Polars {versions['polars']}.",
        f"Law as it reads on {law['on']}: {law['norms']} norms and {law['classes']} classes of {law['instruments']}",
        f"instruments, {law['facts_asked']} facts asked, {law['distinct_outcomes']} distinct verdicts.",
        f"The systems are synthetic; {found['share_of_facts_unknown']:.0%} of their facts are unknown.",
        "",
        f"**{systems} × every norm: {found['columns_seconds']} s ({found['columns_cpu_seconds']} s CPU),",
        f"{found['systems_per_second']:,} systems/s.**",
        f"Memory of the process: {memory['before']} MB before, two tables of {memory['table']} MB among it;",
        f"{memory['peak']} MB at its highest. The result takes {memory['result']} MB.",
        f"Batches of {found['batch_rows']:,}. Not counted: compiling the law, {found['compile_seconds']} s,",
        f"and drawing the systems, {found['draw_seconds']} s.",
        "",
        "| engine | systems per round | CPU µs per system | wall µs per system | CPU, times columns |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {one['name']} | {one['systems']:,} | {one['cpu_us']:,.2f} | {one['wall_us']:,.2f}"
            f" | {one['cpu_times_columns']:,.1f} |"
            for one in found["engines"]
        ),
        "",
        f"Medians of {ROUNDS} interleaved rounds. Before timing, the engines agreed on every verdict, on what is in",
        f"force and on every class of {agreed['one by one']} systems judged one by one, and {peer}",
        "One by one counts verdicts and classes; reasons and dates, worked out only when asked, are not counted.",
        "The peer interprets Rego in C++ from a compiled bundle; Open Policy Agent itself was not measured.",
    ]
    return "\n".join(said) + "\n"


def main(systems: int) -> None:
    """Measure, print, and keep the results."""
    found = measure(packs.load_law(ROOT / "law"), systems)
    said = as_markdown(found)
    sys.stdout.write(said)
    results = ROOT / "bench" / "results"
    results.mkdir(exist_ok=True)
    (results / "rulebook.json").write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (results / "rulebook.md").write_text(said, encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else SYSTEMS)
