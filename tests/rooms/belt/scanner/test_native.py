"""The loops in C give exactly what the plain ones give, and refuse tables that would lead them astray."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from safebelt.rooms.belt.scanner import native
from safebelt.rooms.belt.scanner.fold import MAX_INVISIBLE, fold_by_arrays, fold_whole
from safebelt.rooms.belt.scanner.pairs import Pairs

ROOT = Path(__file__).parents[4]
HAS_COMPILER = shutil.which("cc") or shutil.which("gcc")
needs_it = pytest.mark.skipif(not native.AVAILABLE, reason="installed without a compiler")

ANY = st.text(st.characters(exclude_categories=()), max_size=200)
"""Halves of surrogate pairs too: Python's texts can hold them."""
TRICKY = st.text(
    st.sampled_from("aB1 ,。务运行\u200b\u00ad\u0301ß…ﷺ🅰̷Ａ㍿\U000e0061\ud800\U0010ffff\n\t*"), max_size=120
)
GAP = 8


def test_it_is_compiled_wherever_it_can_be() -> None:
    made = list((ROOT / "src/safebelt/rooms/belt/scanner").glob("_fast.*.so"))

    assert native.AVAILABLE or not made, "compiled, but it does not load"


@needs_it
@given(ANY | TRICKY)
@example("\u200b" * MAX_INVISIBLE + "x")
@example("\u200b" * (MAX_INVISIBLE + 1) + "x")
@example("a" + "\u200b" * 200 + "ß" * 50)
@example("")
def test_a_text_folds_the_same_in_c_and_by_arrays(text: str) -> None:
    fast, plain = fold_whole(text), fold_by_arrays(text)

    assert (fast.data, fast.text, fast.is_moved) == (plain.data, plain.text, plain.is_moved)
    assert fast.classes == plain.classes
    assert (fast.origin is None) == (plain.origin is None)
    assert fast.origin is None or fast.origin.tolist() == plain.origin.tolist()


@needs_it
def test_every_character_there_is_folds_the_same() -> None:
    for plane in range(0, 0x110000, 0x1000):
        text = "".join(chr(code) + "." for code in range(plane, plane + 0x1000))

        fast, plain = fold_whole(text), fold_by_arrays(text)

        assert (fast.data, fast.classes) == (plain.data, plain.classes), hex(plane)


@needs_it
@given(TRICKY | ANY, st.sets(st.text("aB1务运行é", min_size=2, max_size=2), max_size=8))
def test_pairs_are_found_the_same_in_c_and_by_arrays(text: str, pairs: set[str]) -> None:
    whole = fold_whole(text)

    assert Pairs(pairs, GAP).are_in(whole) == Pairs(pairs, GAP, fast=False).are_in(whole)


@needs_it
@pytest.mark.parametrize(
    ("text", "is_there"), [("服务 运行", True), ("服务运行", False), ("服务" + " " * 9 + "运", False)]
)
def test_a_pair_is_two_letters_with_a_few_signs_between(text: str, is_there: bool) -> None:
    assert Pairs({"务运"}, GAP).are_in(fold_whole(text)) is is_there


@needs_it
@pytest.mark.parametrize("spoiled", range(4))
def test_a_table_cut_short_is_refused_and_not_read_past(spoiled: int) -> None:
    parts = list(native.packed())
    parts[spoiled] = parts[spoiled][:-1] if spoiled < 3 else parts[spoiled][:4]

    with pytest.raises(ValueError, match="folding table"):
        native._fast.fold(*parts, MAX_INVISIBLE, "ﷺﷺ é 务" * 50)


@needs_it
def test_a_table_that_points_outside_itself_is_refused() -> None:
    block_of, entries, spans, flat = native.packed()
    astray, far = b"\xff" * len(block_of), b"\xff\xff\xff\x00" * (len(spans) // 4)

    for table in ((astray, entries, spans, flat), (block_of, entries, far, flat)):
        with pytest.raises(ValueError, match="leads nowhere"):
            native._fast.fold(*table, MAX_INVISIBLE, "ß务")


@needs_it
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_bytes_that_are_no_folded_text_are_read_no_further_than_they_reach(data: bytes, classes: bytes) -> None:
    marked = native.MarkedPairs({"ab", "务运"}, GAP)

    try:
        assert marked.are_in(data, classes) in (True, False)
    except ValueError as error:
        assert "not as many characters" in str(error)


def test_without_a_compiler_it_says_so_and_goes_on() -> None:
    said = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); import hatch_build, pathlib;"
         "hatch_build.shutil.which = lambda _: None;"
         "print(hatch_build.compiled(pathlib.Path('nowhere/_fast.c')))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert said.stdout.strip() == "None"
    assert "plain Python" in said.stderr


@pytest.mark.skipif(not HAS_COMPILER, reason="no compiler")
def test_what_does_not_compile_is_left_out_and_said(tmp_path: Path) -> None:
    source = tmp_path / "_fast.c"
    source.write_text("this is no C\n")

    said = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); import hatch_build, pathlib;"
         f"print(hatch_build.compiled(pathlib.Path({str(source)!r})))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert said.stdout.strip() == "None"
    assert "error" in said.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["_fast.c"]


@pytest.mark.soak
@pytest.mark.skipif(not HAS_COMPILER, reason="no compiler")
def test_no_text_and_no_spoiled_table_makes_it_read_or_write_astray(tmp_path: Path) -> None:
    source = shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    target = source / "safebelt/rooms/belt/scanner/_fast.c"
    made = target.with_suffix("").with_suffix(sysconfig.get_config_var("EXT_SUFFIX"))
    include, guards = sysconfig.get_path("include"), "-fsanitize=address,undefined"
    subprocess.run(
        ["gcc", "-O1", "-g", "-fPIC", "-shared", guards, "-fno-sanitize-recover=undefined", f"-I{include}", target, "-o", made],
        check=True,
    )  # fmt: skip
    libraries = [
        subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]

    said = subprocess.run(
        [sys.executable, Path(__file__).with_name("spoiling.py"), "1", "120"],
        env={**os.environ, "PYTHONPATH": str(source), "PYTHONMALLOC": "malloc", "LD_PRELOAD": " ".join(libraries),
             "ASAN_OPTIONS": "detect_leaks=0"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert said.returncode == 0, said.stderr[-3000:]
    assert int(said.stdout) > 1_000
