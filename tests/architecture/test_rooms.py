"""One measure, one room; one name, eight places."""

import ast
import inspect
import re
from pathlib import Path

import pytest
from tests.architecture.house import ROOT, SRC, events, modules, plates, room_names, room_of, sources

import safebelt.app
from safebelt.engines.sql import metadata

HEADINGS = ("Purpose", "Law served", "Words", "Deeds", "Events", "Doors", "Journey", "Threats")
"""Of every room's README, in this order."""

HOUSE_PATHS = {
    "/{lang:str}",
    "/log",
    "/witness",
    "/verifier",
    "/robots.txt",
    "/sitemap.xml",
    "/pki",
    "/.well-known/safebelt",
    "/{lang:str}/verify",
    "/{lang:str}/transparency",
    "/api/public/transparency",
}
"""The front page, which opens on a dossier; the log's tiles, whose address is its name to the world (C2SP tlog-tiles),
and where other logs have us cosign (C2SP tlog-witness);
a stranger's tools, whose address is written on paper; what search engines look for at the root; what X.509 software
and strangers ask, at addresses that are written into certificates; where anybody checks a content; and what
everybody may know of screening."""
PUBLIC_PATHS = ("/api/public", "/{lang:str}/register", "/{lang:str}/complaints")
"""What everybody may see, at addresses that say so to whoever knows nothing of rooms."""

ROOMS = room_names()


def missing_sections(readme: str) -> list[str]:
    """Name the headings that are absent, out of order, or empty."""
    parts = re.split(r"^## +(.+?) *$", readme, flags=re.MULTILINE)[1:]
    titles, bodies = [t.lower() for t in parts[::2]], parts[1::2]
    found = [i for h in HEADINGS for i, t in enumerate(titles) if t.startswith(h.lower())]
    if found != sorted(found):
        return ["order"]
    return [
        h
        for h in HEADINGS
        if not any(t.startswith(h.lower()) and b.strip() for t, b in zip(titles, bodies, strict=True))
    ]


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_explains_itself_under_the_fixed_headings(name: str) -> None:
    readme = SRC / "rooms" / name / "README.md"

    assert readme.exists(), f"{name} has no README.md with the headings {', '.join(HEADINGS)}"
    assert missing_sections(readme.read_text()) == []


def test_a_readme_with_a_missing_empty_or_misplaced_section_is_noticed() -> None:
    whole = "# R\n" + "".join(f"## {h}\ntext\n" for h in HEADINGS)

    assert missing_sections(whole) == []
    assert missing_sections(whole.replace("## Deeds\ntext\n", "")) == ["Deeds"]
    assert missing_sections(whole.replace("## Deeds\ntext\n", "## Deeds\n")) == ["Deeds"]
    assert missing_sections(
        whole.replace("## Words", "## X").replace("## Deeds", "## Words").replace("## X", "## Deeds")
    ) == ["order"]


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_has_a_plate_with_its_name_and_both_titles(name: str) -> None:
    plate = {room.name: room for room in plates()}.get(name)

    assert plate is not None, f"rooms/{name}/room.py has no ROOM named {name!r}"
    assert plate.title.zh and plate.title.en and plate.purpose.zh and plate.purpose.en
    assert plate.serves and all(re.fullmatch(r"R([1-9]|[12]\d|3[0-6])", requirement) for requirement in plate.serves)


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_has_tests_of_its_own(name: str) -> None:
    assert list((ROOT / "tests" / "rooms" / name).glob("**/test_*.py"))


@pytest.mark.parametrize("room", plates(), ids=lambda room: room.name)
def test_the_doors_of_a_room_carry_its_name(room) -> None:
    strange = [
        f"{controller.__name__}: {path}"
        for prefix, controllers in ((f"/api/{room.name}", room.api), (f"/{{lang:str}}/{room.name}", room.pages))
        for controller in controllers
        for path in ([controller.path] if isinstance(controller.path, str) else controller.path)
        if path != prefix and not path.startswith(f"{prefix}/") and path not in HOUSE_PATHS
        if not (room.name == "portal" and path.startswith(PUBLIC_PATHS))
    ]

    assert strange == []


def test_the_composition_root_knows_every_room() -> None:
    assert sorted(room.name for room in safebelt.app.ROOMS) == ROOMS


# --- tables ------------------------------------------------------------------------------------------------------


def declared_tables(path: Path) -> list[str]:
    """Read the names given to `Table(…)` in a file."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    tables = [call for call in calls if ast.unparse(call.func).split(".")[-1] == "Table" and call.args]
    return [str(call.args[0].value) for call in tables if isinstance(call.args[0], ast.Constant)]


def owner_prefix(path: Path) -> str:
    parts = path.relative_to(SRC).parts
    return f"{parts[1]}_" if parts[0] == "rooms" else "engine_"


def test_every_table_carries_the_name_of_its_room() -> None:
    tables = {table: owner_prefix(path) for path in sources() for table in declared_tables(path)}

    assert {name for name, prefix in tables.items() if not name.startswith(prefix)} == set()
    assert tables, "no tables were found: the search itself is broken"


def test_every_table_in_the_database_was_found_by_that_search() -> None:
    for _ in modules("safebelt"):
        pass  # imports everything, so that the metadata is complete

    assert set(metadata.tables) - {"engine_trial"} == {table for path in sources() for table in declared_tables(path)}


def test_every_table_a_room_owns_is_on_its_plate() -> None:
    wanted = {table for table in metadata.tables if not table.startswith("engine_")}

    assert {table.name for room in plates() for table in room.tables} == {t for t in wanted if has_plate(t)}


def has_plate(table: str) -> bool:
    return any(table.startswith(f"{room.name}_") for room in plates())


# --- events ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", events(), ids=lambda event: event.__name__)
def test_an_event_carries_the_name_of_its_room_and_is_listed_on_its_plate(event) -> None:
    room = room_of(event)
    plate = {one.name: one for one in plates()}.get(room)

    assert event.kind.startswith(f"{room}.")
    assert plate is None or event in plate.events
    assert inspect.getdoc(event)
