"""Whether the memory a belt holds stays what it is: with 10,000 words, step by step, over many exchanges.

`python -m bench.memory` writes bench/results/memory.md and memory.json.  The belt is the one `bench.belt` measures, its
records in *prompt* mode; 32 clients ask as fast as they are answered.
"""

import argparse
import json
import os
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import _beltside
from bench._wire import OTHER_CORE, Load, compiled, free_port, machine, process, tree, wait_for
from bench.belt import CLIENTS, PACE_MS, answers, target

RESULTS = Path(__file__).parent / "results"
WARM = 40_000
"""Exchanges before the first figure that counts: by then every cache of the belt has its size."""


def held(pid: int) -> dict[str, float]:
    """Return the resident memory of a process's tree in MB: all of it, and the part that no file backs."""
    found = {"VmRSS": 0.0, "RssAnon": 0.0}
    for one in tree(pid):
        for line in Path(f"/proc/{one}/status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in found:
                found[name] += int(value.split()[0]) * 1024 / 1e6
    return {"all_mb": found["VmRSS"], "own_mb": found["RssAnon"]}


def steps(port: int, pid: int, request: Path, load: Load, exchanges: int, step: int) -> list[dict[str, float]]:
    """Ask, and look after every step."""
    found = [{"exchanges": 0, **held(pid)}]
    done = 0
    for count in [WARM, *[step] * ((exchanges - WARM) // step), (exchanges - WARM) % step]:
        if count:
            load(port, request, CLIENTS, 7200.0, count)
            done += count
            found.append({"exchanges": done, **held(pid)})
            sys.stderr.write(f"{found[-1]}\n")
    return found


def growth(found: list[dict[str, float]]) -> float:
    """MB of its own that the belt has gained since it was warm, by 100,000 exchanges: the slope of the best line."""
    warm = found[1:]
    if len(warm) < 2:
        return 0.0
    mean_x = sum(one["exchanges"] for one in warm) / len(warm)
    mean_y = sum(one["own_mb"] for one in warm) / len(warm)
    spread = sum((one["exchanges"] - mean_x) ** 2 for one in warm)
    return sum((one["exchanges"] - mean_x) * (one["own_mb"] - mean_y) for one in warm) / spread * 100_000


def page(found: dict[str, Any]) -> str:
    """Return the page of a result."""
    rows = [f"| {one['exchanges']:,.0f} | {one['all_mb']:.1f} | {one['own_mb']:.1f} |" for one in found["steps"]]
    return "\n".join(
        [
            "# The belt's memory, measured", "",
            f"`python -m bench.memory` on {found['machine']}, {found['measured_at']}: 10,000 words, "
            f"{found['workers']} process of the belt, records in *prompt* mode.", "",
            "| after exchanges | resident, MB | of that its own, no file's, MB |", "|---|---|---|", *rows, "",
            f"Since it was warm: {found['growth']:+.2f} MB of its own per 100,000 exchanges.", "",
        ]
    )  # fmt: skip


def main() -> None:
    """Measure, print, and keep the results."""
    words = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    words.add_argument("--exchanges", type=int, default=300_000)
    words.add_argument("--step", type=int, default=20_000)
    asked = words.parse_args([] if sys.argv[0].endswith("__main__.py") else None)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="safebelt-bench-")))
        load, up = Load(folder), free_port()
        files = answers(folder)
        program = compiled("upstream", folder)
        stack.enter_context(process([str(program), str(up), *map(str, files), str(PACE_MS)], core=OTHER_CORE))
        wait_for(up)
        place = folder / "prompt"
        place.mkdir()
        house = _beltside.prepared(place, up)
        pid, port = stack.enter_context(_beltside.running(house, "prompt", place / "belt.log"))
        one = target(folder, "belt", port, pid, key=house.key)
        taken = steps(port, pid, one.whole, load, asked.exchanges, asked.step)
        workers = len(tree(pid))
    found = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(),
        "load": list(os.getloadavg()), "workers": workers, "steps": taken, "growth": growth(taken),
    }  # fmt: skip
    (RESULTS / "memory.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "memory.md").write_text(page(found), encoding="utf-8")
    sys.stdout.write(page(found))


if __name__ == "__main__":
    main()
