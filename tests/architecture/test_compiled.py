"""What is compiled is what the sources say, and nothing in it is of a kind that would be compiled wrongly in silence."""

import ast
import importlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tests.architecture.house import ROOT, SRC

from safebelt import compiled

MODULES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["safebelt"]["compiled"]
SOURCES = compiled.sources_of(MODULES)
IS_WANTED = os.environ.get("SAFEBELT_INTERPRETED", "0") == "0"


def house(folder: Path) -> Path:
    """A package of two modules with the note of having been compiled."""
    package = folder / "safebelt"
    package.mkdir()
    for name in ("one", "two"):
        (package / f"{name}.py").write_text(f"NAME = {name!r}\n")
    modules = ["safebelt.one", "safebelt.two"]
    digest = compiled.digest(list(compiled.sources_of(modules, package).values()))
    (package / compiled.NOTE).write_text(json.dumps({"modules": modules, "sources": digest}))
    return package


@pytest.fixture(autouse=True)
def _finders_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", sys.meta_path.copy())


def test_what_is_compiled_is_what_runs_here_unless_the_sources_were_asked_for() -> None:
    assert compiled.IN_USE is IS_WANTED, "after a change of what is compiled: `make setup`, or `python hatch_build.py`"
    kinds = {Path(importlib.import_module(name).__file__ or "").suffix for name in MODULES}
    assert kinds == ({".so"} if IS_WANTED else {".py"})


def test_sources_that_are_as_they_were_are_taken_compiled(tmp_path: Path) -> None:
    before = list(sys.meta_path)

    assert compiled.choose(house(tmp_path), {})
    assert sys.meta_path == before


@pytest.mark.parametrize("spoil", ["change", "remove"])
def test_one_changed_source_takes_all_from_their_sources(tmp_path: Path, spoil: str) -> None:
    package = house(tmp_path)
    two = package / "two.py"
    two.write_text("NAME = 'changed'\n") if spoil == "change" else two.unlink()

    assert not compiled.choose(package, {})
    found = [finder.find_spec("safebelt.one", None) for finder in sys.meta_path[:1]]
    assert [spec.origin for spec in found if spec] == [str(package / "one.py")]


@pytest.mark.parametrize(
    ("said", "is_taken"), [("1", False), ("true", False), ("0", True), ("", True), ("False", True)]
)
def test_the_setting_takes_the_sources(tmp_path: Path, said: str, is_taken: bool) -> None:
    assert compiled.choose(house(tmp_path), {"SAFEBELT_INTERPRETED": said}) is is_taken


def test_without_a_note_nothing_compiled_is_expected(tmp_path: Path) -> None:
    before = list(sys.meta_path)

    assert not compiled.choose(tmp_path, {})
    assert sys.meta_path == before


def test_only_the_named_modules_are_found_by_their_sources(tmp_path: Path) -> None:
    finder = compiled.Sources({"safebelt.one": tmp_path / "one.py"})

    assert finder.find_spec("safebelt.three") is None


def test_the_sources_run_when_they_are_asked_for() -> None:
    told = subprocess.run(
        [sys.executable, "-c", f"import importlib; print([importlib.import_module(m).__file__ for m in {MODULES!r}])"],
        env={**os.environ, "SAFEBELT_INTERPRETED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert ast.literal_eval(told.stdout) == [str(SOURCES[name]) for name in MODULES]


# --- what a compiler would take in silence, and get wrong ---------------------------------------------------------


def read_by_their_fields(source: str) -> list[str]:
    """The classes whose fields others find by looking: structs and dataclasses; compiled, they have none to be found."""
    classes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)]
    return [
        each.name
        for each in classes
        if any(ast.unparse(base).endswith(("Struct", "BaseModel")) for base in each.bases)
        or any("dataclass" in ast.unparse(mark) for mark in each.decorator_list)
    ]


def test_a_class_that_is_read_by_its_fields_is_seen() -> None:
    structs = "class A(msgspec.Struct, frozen=True):\n    x: int\nclass B(BaseModel): ..."
    others = "@dataclass(frozen=True)\nclass C:\n    x: int\nclass D(NamedTuple):\n    x: int\nclass E: ..."

    assert read_by_their_fields(f"{structs}\n{others}") == ["A", "B", "C"]


def test_no_class_that_is_read_by_its_fields_is_compiled() -> None:
    assert {name: found for name, path in SOURCES.items() if (found := read_by_their_fields(path.read_text()))} == {}


SEEN = {
    "safebelt.engines.clock": ["known[begin:at]"],
    "safebelt.rooms.belt.proxy.frames": [
        "data[-2 - size:-2]",
        "data[len(head):len(data) - len(tail)]",
        "piece[self._begin:self._end]",
    ],
    "safebelt.rooms.belt.proxy.heads": [
        "data[found.end(1):end]",
        "data[place:place + len(learned)]",
        "data[size:end]",
        "whole[place:place + len(learned)]",
    ],
    "safebelt.rooms.belt.proxy.reply": ["data[at:at + _SLICE]"],
    "safebelt.rooms.belt.proxy.seats": ["id_.join(self._field)[len(_SAFEBELT):-1]"],
    "safebelt.rooms.belt.proxy.shapes": ["written[behind:at]"],
    "safebelt.rooms.belt.records.lines": ["salts[place * SALT_BYTES:(place + 1) * SALT_BYTES]"],
    "safebelt.rooms.belt.scanner.patterns": ["data[place:size]"],
    "safebelt.rooms.labelling.decide.label": ["code[2:4]", "code[4:22]"],
}
"""Slices with two ends that were looked at: none can end before it begins, or it is one of text."""


def slices(source: str) -> list[str]:
    """The slices with two ends: of bytes, and ending before it begins, one raises when compiled by mypyc 2.4."""
    return sorted(
        ast.unparse(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice)
        if node.slice.lower is not None and node.slice.upper is not None
    )


def test_a_slice_with_two_ends_is_seen() -> None:
    assert slices("a[1:]; a[:2]; a[x]; a[b:c]; a[1:2:3]") == ["a[1:2:3]", "a[b:c]"]


def test_every_slice_with_two_ends_that_is_compiled_was_looked_at() -> None:
    assert {name: found for name, path in SOURCES.items() if (found := slices(path.read_text()))} == SEEN


def derived_outside(sources: dict[str, str], inside: set[str]) -> list[str]:
    """The classes outside that are derived from one inside: a compiled class refuses to be made with them.

    Args:
        sources: Text of every module, by name.
        inside: Names of the compiled ones.
    """
    own = {
        name: {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef)}
        for name, text in sources.items()
        if name in inside
    }
    found = []
    for name, text in sources.items():
        if name in inside:
            continue
        tree = ast.parse(text)
        taken = {
            each.asname or each.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for each in node.names
            if each.name in own.get(node.module or "", ())
        }
        found += [
            f"{name}.{node.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef) and taken & {ast.unparse(base) for base in node.bases}
        ]
    return found


def test_a_class_derived_outside_is_seen() -> None:
    sources = {"a": "class A: ...", "b": "from a import A\nclass B(A): ...", "c": "from a import A\nclass C: x: A"}

    assert derived_outside(sources, {"a"}) == ["b.B"]


def test_no_compiled_class_is_derived_from_outside() -> None:
    every = {
        ".".join(path.relative_to(SRC.parent).with_suffix("").parts): path.read_text() for path in SRC.rglob("*.py")
    }
    may_be = exceptions(every)

    assert [name for name in derived_outside(every, set(MODULES)) if name not in may_be] == []


def exceptions(sources: dict[str, str]) -> set[str]:
    """Errors and protocols: those stay classes of Python, and may be derived from anywhere."""
    plain = {"Exception", "Protocol"}
    bases = {
        (name, node.name): [ast.unparse(base) for base in node.bases]
        for name, text in sources.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef)
    }
    for _ in range(4):  # as deep as ours go
        plain |= {own for (_, own), above in bases.items() if plain & set(above)}
    return {f"{name}.{own}" for (name, own), above in bases.items() if plain & set(above)}
