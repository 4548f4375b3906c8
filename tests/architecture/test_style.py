"""Modules are short, public names are documented, and no file tells where it was written."""

import ast
import re
import subprocess
from collections.abc import Iterator

import pytest
from tests.architecture.house import ROOT, SRC, VERSIONS, module_name, sources

MAX_LINES = 400


def undocumented(source: str, module: str) -> Iterator[str]:
    """Name every public module, class, function and method without a docstring."""

    def visit(node: ast.AST, name: str) -> Iterator[str]:
        if not ast.get_docstring(node):  # type: ignore[arg-type]
            yield name
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return  # what is inside a function is its own affair
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not child.name.startswith(
                "_"
            ):
                yield from visit(child, f"{name}.{child.name}")

    yield from visit(ast.parse(source), module)


def test_no_module_is_longer_than_400_lines() -> None:
    lengths = {module_name(path): len(path.read_text().splitlines()) for path in sources()}

    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}


def test_every_public_name_is_documented() -> None:
    missing = [name for path in sources() for name in undocumented(path.read_text(), module_name(path))]

    assert missing == []


def test_a_public_name_without_a_docstring_is_found() -> None:
    source = '"""M."""\nclass A:\n    """A."""\n    def b(self): ...\n    def _c(self): ...\ndef d():\n    """D."""\n    def e(): ...\n'

    assert list(undocumented(source, "m")) == ["m.A.b"]
    assert list(undocumented("async def f(): ...", "m")) == ["m", "m.f"]


# --- where it was written is nobody's business -------------------------------------------------------------------

# Put together from halves, so that this file does not name what it looks for.
TELLTALES = re.compile(
    "|".join(
        [
            r"(?<![\w.])/wo" + r"rk(?=[/\s'\"`]|$)", "py" + r"pi\.org", "python" + r"hosted\.org", "npm" + r"js\.(?:org|com)",
            r"--(?:extra-)?index" + "-url", "proxy\\.go" + "lang", "cra" + r"tes\.io", "/tmp/" + "brief",
        ]
    )
)  # fmt: skip


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_no_tracked_file_names_the_machine_it_was_written_on_or_a_registry() -> None:
    told = {
        name: match.group()
        for name in tracked()
        if (match := TELLTALES.search((ROOT / name).read_bytes().decode("utf-8", "replace")))
    }

    assert told == {}


@pytest.mark.parametrize(
    "text", ["see /wo" + "rk/main", "https://py" + "pi.org/simple", "cd /wo" + "rk", "--index" + "-url x"]
)
def test_a_telltale_is_found(text) -> None:
    assert TELLTALES.search(text)


@pytest.mark.parametrize("text", ["/worker", "docs/work/x", "/works", "the work/life balance", "index-url"])
def test_ordinary_words_are_no_telltales(text) -> None:
    assert not TELLTALES.search(text)


def test_lock_files_that_would_name_a_registry_are_not_in_the_tree() -> None:
    assert not [name for name in tracked() if name.endswith(("uv.lock", "package-lock.json", "poetry.lock"))]


# --- everything in its place -------------------------------------------------------------------------------------


def test_only_the_composition_root_reads_settings_from_the_environment() -> None:
    # Handing the whole of it to a child is no reading; whose child one is, is no setting.
    reads = re.compile(r"(?:environ(?:\[|\.get\()|getenv\()(?!\"SAFEBELT_PARENT\")")
    readers = {module_name(path) for path in sources() if reads.search(path.read_text())}

    assert readers <= {"safebelt.settings", "safebelt.app", "safebelt.__main__"}


def test_the_history_of_the_database_is_one_line_of_revisions() -> None:
    parents = [
        re.search(r"^down_revision = (.+)$", path.read_text(), re.MULTILINE) for path in sorted(VERSIONS.glob("*.py"))
    ]
    named = [match.group(1) for match in parents if match]

    assert len(named) == len(parents) == len(set(named))


def test_the_package_says_that_it_is_typed_and_nothing_ignores_types_without_a_reason() -> None:
    bare = [
        module_name(p) for p in sources() if re.search(r"#\s*type:\s*ignore\s*(?:$|#)", p.read_text(), re.MULTILINE)
    ]

    assert bare == []
    assert SRC.is_dir()
