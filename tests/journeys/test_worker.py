"""A belt's worker holds what exchanges need and nothing else, and no more after a million of them."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from bench import _beltside, belt
from bench._wire import OTHER_CORE, Load, compiled, free_port, process, resident_mb, wait_for
from tests.journeys import home as home_module
from tests.journeys.home import Home

LIBRARIES = {
    "alembic", "babel", "c2pa", "cv2", "cyclopts", "granian", "httpx2", "icalendar", "jinja2", "litestar", "nats", "PIL",
    "polars", "pydantic", "pydantic_settings", "rich", "soundfile", "typst", "yaml",
}  # fmt: skip
"""What the control plane is made of."""
OURS = re.compile(
    r"safebelt\.(settings|__main__|rooms\.\w+\.(pages|api|cli|jobs)|rooms\.(portal|rulebook|ledger)\.(?!room)"
    r"|rooms\.(registry|certificates)\.(model|store|packs)|rooms\.labelling\.(formats|provenance|watermark)"
    r"|rooms\.belt\.service\.(whole|telemetry|trying|transparency)|engines\.migrations|run\.(up|doors|console|preparing)\b)"
)
"""Modules of ours that serve people, programs, the law or the console."""
MOST_MB, GROWS_MB = 130.0, 8.0
"""What is asked for; `bench/results/memory.md` says what is measured."""


def imported(log: str) -> list[set[str]]:
    """What each program that ran in a process imported, as Python itself says (PYTHONPROFILEIMPORTTIME)."""
    programs = log.split("import time: self [us]")[1:]
    return [{line.rpartition("|")[2].strip() for line in one.splitlines() if "|" in line} for one in programs]


def unneeded(modules: set[str]) -> set[str]:
    return {name for name in modules if name.partition(".")[0] in LIBRARIES - {"rich"} or OURS.match(name)}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[int, Home, Path]]:
    home = Home(tmp_path / "house")
    home.json("demo")
    home.env["PYTHONPROFILEIMPORTTIME"] = "1"
    started = home.start("serve", "belt")
    try:
        home_module.wait_for(f"{home.belt}/health", started)
        yield started.pid, home, tmp_path / "belt.log"
    finally:
        started.terminate()
        started.wait(60)


def test_a_worker_serves_without_the_control_planes_libraries(served: tuple[int, Home, Path]) -> None:
    pid, home, log = served
    asked = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}

    answer = httpx2.post(
        f"{home.belt}/v1/chat/completions", json=asked, headers={"authorization": f"Bearer {home.key}"}, timeout=60
    )

    assert answer.status_code == 502, "nobody answers for the model here; the belt does, and has it on record"
    assert httpx2.get(f"{home.belt}/health", timeout=60).json()["pid"] == pid, "the process that was started serves"
    shown = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
    assert b"safebelt serve belt" in shown, "and is found by the words that the guide on stopping names"
    before, now = imported(log.read_text("utf-8", "replace"))
    assert unneeded(now) == set()
    assert {"pydantic_settings", "cyclopts", "safebelt.settings", "safebelt.run.preparing"} <= unneeded(before), (
        "negative control: what prepared the worker loads them, and is gone"
    )


@pytest.mark.soak
@pytest.mark.skipif(not shutil.which("gcc"), reason="no C compiler for the load generator")
def test_memory_is_flat_over_a_million_exchanges(tmp_path: Path) -> None:
    last = int(os.environ.get("SAFEBELT_EXCHANGES", "1000000"))
    load, port = Load(tmp_path), free_port()
    whole, stream = belt.answers(tmp_path)
    command = [str(compiled("upstream", tmp_path)), str(port), str(whole), str(stream), "5"]
    with process(command, core=OTHER_CORE):
        wait_for(port)
        house = _beltside.prepared(tmp_path, port)
        with _beltside.running(house, "prompt", tmp_path / "belt.log") as (pid, at):
            target = belt.target(tmp_path, "belt", at, pid, key=house.key)
            held = {0: resident_mb(pid)}
            for mark in (last // 100, last // 10, last):
                load(at, target.whole, belt.CLIENTS, 3600.0, mark - max(held))
                held[mark] = resident_mb(pid)
                print(json.dumps(held))

    assert held[last] < MOST_MB, "with 10,000 words"
    assert held[last] - held[last // 10] < GROWS_MB
