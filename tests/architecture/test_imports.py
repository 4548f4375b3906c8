"""The import contracts hold, and each has been broken on purpose and seen to fail."""

import configparser
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path

import grimp
import pytest
from tests.architecture.house import ROOT, SRC

CONTRACTS = configparser.ConfigParser()
CONTRACTS.read(ROOT / ".importlinter")
IDS = [section.rpartition(":")[2] for section in CONTRACTS.sections() if section.startswith("importlinter:contract:")]


@dataclass(frozen=True)
class Plant:
    """A violation: lines put at the end of files (new or not), and what the report must name."""

    contract: str
    lines: dict[str, str]
    named: tuple[str, ...] = field(default=("planted",))


PLANTS = {
    "the kernel calls up": Plant("floors", {"kernel/planted.py": "import safebelt.web.language"}),
    "an engine calls a kit": Plant("floors", {"engines/planted.py": "import safebelt.web.language"}),
    "a kit calls a room": Plant("floors", {"web/planted.py": "import safebelt.rooms.ledger.model"}),
    "a room reads the settings": Plant("floors", {"rooms/ledger/planted.py": "import safebelt.settings"}),
    "a floor nobody declared": Plant("floors", {"planted.py": '"""A new floor."""'}),
    "a room calls up": Plant("rooms", {"rooms/ledger/planted.py": "import safebelt.rooms.belt.model"}),
    "a room nobody declared": Plant("rooms", {"rooms/planted/__init__.py": '"""A new room."""'}),
    "words open a drawer": Plant(
        "furniture",
        {"rooms/ledger/model.py": "import safebelt.rooms.ledger.store"},
        ("safebelt.rooms.ledger.model", "safebelt.rooms.ledger.store"),
    ),
    "furniture nobody declared": Plant("furniture", {"rooms/ledger/planted.py": '"""A new kind of file."""'}),
    "words open a socket": Plant("pure", {"rooms/ledger/model.py": "import socket"}, ("rooms.ledger.model", "socket")),
    "the kernel knows SQL": Plant("pure", {"kernel/text.py": "import sqlalchemy"}, ("kernel.text", "sqlalchemy")),
    "the kernel knows engines": Plant(
        "pure", {"kernel/text.py": "import safebelt.engines.clock"}, ("kernel.text", "safebelt.engines.clock")
    ),
    "a neighbour opens a drawer": Plant(
        "drawers",
        {"rooms/belt/model.py": "import safebelt.rooms.ledger.store"},
        ("safebelt.rooms.belt.model -> safebelt.rooms.ledger.store",),
    ),
    "a door opens a drawer": Plant(
        "drawers",
        {"rooms/ledger/planted/__init__.py": "import safebelt.rooms.ledger.store"},
        ("safebelt.rooms.ledger.planted -> safebelt.rooms.ledger.store",),
    ),
    "two files go in circles": Plant(
        "acyclic",
        {
            "kernel/planted_a.py": "import safebelt.kernel.planted_b",
            "kernel/planted_b.py": "import safebelt.kernel.planted_a",
        },
    ),
}


def lint(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    program = Path(sysconfig.get_path("scripts")) / "lint-imports"
    return subprocess.run(
        [program, "--no-cache", "--no-logo", "--config", root / ".importlinter", *options],
        cwd=root,
        env={"PYTHONPATH": str(root / "src"), "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_all_import_contracts_are_kept() -> None:
    result = lint(ROOT)

    assert result.returncode == 0, result.stdout
    assert f"{len(IDS)} kept, 0 broken" in result.stdout


def test_every_contract_has_a_violation_to_be_tried_on_it() -> None:
    assert {plant.contract for plant in PLANTS.values()} == set(IDS)


@pytest.mark.parametrize("name", PLANTS)
def test_a_contract_broken_on_purpose_is_seen_and_named(name: str, tmp_path: Path) -> None:
    plant = PLANTS[name]
    shutil.copytree(SRC, tmp_path / "src" / "safebelt", ignore=shutil.ignore_patterns("static", "__pycache__"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    for file, line in plant.lines.items():
        path = tmp_path / "src" / "safebelt" / file
        path.parent.mkdir(exist_ok=True)
        with path.open("a") as text:
            text.write(f"\n{line}\n")

    result = lint(tmp_path, "--contract", plant.contract)

    assert result.returncode == 1
    assert "0 kept, 1 broken" in result.stdout
    assert f"{CONTRACTS[f'importlinter:contract:{plant.contract}']['name']} BROKEN" in result.stdout
    assert all(word in result.stdout for word in plant.named), result.stdout


# --- what no contract of import-linter can say -------------------------------------------------------------------


def room_and_file(module: str) -> tuple[str, str]:
    parts = module.split(".")
    return (parts[2], parts[3]) if parts[:2] == ["safebelt", "rooms"] and len(parts) > 3 else ("", "")


def trespasses(graph: grimp.ImportGraph) -> list[str]:
    """Imports across rooms of anything but `model`, or, for code that may act, `service`."""
    found = []
    for importer in graph.modules:
        room, file = room_and_file(importer)
        allowed = {"model"} if file in ("model", "decide") else {"model", "service"}
        for imported in graph.find_modules_directly_imported_by(importer) if room else ():
            other, wanted = room_and_file(imported)
            is_room_itself = imported.startswith("safebelt.rooms.") and not other
            if (other and other != room and wanted not in allowed) or (is_room_itself and not imported.endswith(room)):
                found.append(f"{importer} -> {imported}")
    return sorted(found)


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("safebelt", cache_dir=None)


def test_across_rooms_only_words_and_deeds_are_imported(graph) -> None:
    assert trespasses(graph) == []


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("safebelt.rooms.belt.service", "safebelt.rooms.ledger.store"),
        ("safebelt.rooms.belt.service", "safebelt.rooms.ledger.decide"),
        ("safebelt.rooms.belt.pages", "safebelt.rooms.ledger.pages"),
        ("safebelt.rooms.belt.decide.screening", "safebelt.rooms.ledger.service"),
        ("safebelt.rooms.belt.model", "safebelt.rooms.ledger.decide"),
        ("safebelt.rooms.belt.service", "safebelt.rooms.ledger"),
    ],
)
def test_an_import_across_rooms_that_is_not_allowed_is_named(importer, imported) -> None:
    graph = grimp.ImportGraph()
    graph.add_import(importer=importer, imported=imported)
    graph.add_import(importer="safebelt.rooms.belt.service", imported="safebelt.rooms.ledger.model")
    graph.add_import(importer="safebelt.rooms.belt.service", imported="safebelt.rooms.registry.service.deeds")
    graph.add_import(importer="safebelt.rooms.belt.service", imported="safebelt.rooms.belt.store")

    assert trespasses(graph) == [f"{importer} -> {imported}"]
