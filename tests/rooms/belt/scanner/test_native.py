"""The loops in C give exactly what the plain ones give, and refuse tables that would lead them astray."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.rooms.belt.guarded import HAS_COMPILER, run_guarded

from safebelt.rooms.belt.scanner import arrays, native, patterns
from safebelt.rooms.belt.scanner.by_hyperscan import ByHyperscan
from safebelt.rooms.belt.scanner.chars import MAX_INVISIBLE
from safebelt.rooms.belt.scanner.fold import Whole, fold, fold_whole
from safebelt.rooms.belt.scanner.terms import LEET_BYTES, leet_view, plain_form
from safebelt.rooms.belt.scanner.views import (
    MAX_GAP,
    Reading,
    WordHit,
    leet_hits,
    leet_words,
    plain_words,
    runs_at,
    spelled_words,
)
from safebelt.rooms.belt.scanner.words import Words

ROOT = Path(__file__).parents[4]
needs_it = pytest.mark.skipif(not native.AVAILABLE, reason="installed without a compiler")

ANY = st.text(st.characters(exclude_categories=()), max_size=200)
"""Halves of surrogate pairs too: Python's texts can hold them."""
TRICKY = st.text(
    st.sampled_from("aB1 ,。务运行\u200b\u00ad\u0301ß…ﷺ🅰̷Ａ㍿\U000e0061\ud800\U0010ffff\n\t*"), max_size=120
)
WORDS = st.sets(st.text("aB1t 务运行é.<|", min_size=1, max_size=6), max_size=12)
WRITTEN = st.text(st.sampled_from("aB1t 务运行é.,*\n\t@4|\u200b<<|"), max_size=60)

FILLED = st.sampled_from(["", "x ", "。", "务", "ab\t", "é", "x" * 9]).flatmap(
    lambda sign: st.integers(0, 130 // (len(sign) or 1)).map(sign.__mul__)
)
"""So that what stands behind it stands at any place of a block of 64."""
OF_ASCII = st.text(st.characters(max_codepoint=127), max_size=200)
LONG = st.builds("{}{}{}".format, FILLED, WRITTEN | TRICKY | OF_ASCII | ANY, FILLED)


def test_it_is_compiled_wherever_it_can_be() -> None:
    made = [*(ROOT / "src/safebelt/rooms/belt/scanner").glob("_*.so")]

    assert native.AVAILABLE or not made, "compiled, but it does not load"


@needs_it
@given(ANY | TRICKY)
@example("\u200b" * MAX_INVISIBLE + "x")
@example("\u200b" * (MAX_INVISIBLE + 1) + "x")
@example("a" + "\u200b" * 200 + "ß" * 50)
@example("")
def test_a_text_folds_the_same_in_c_and_by_arrays(text: str) -> None:
    fast, plain = fold_whole(text), arrays.fold_whole(text)

    assert (fast.data, fast.text, fast.is_moved) == (plain.data, plain.text, plain.is_moved)
    assert fast.classes == plain.classes
    assert (fast.origin is None) == (plain.origin is None)
    assert fast.origin is None or list(fast.origin) == list(plain.origin)


@needs_it
def test_every_character_there_is_folds_the_same() -> None:
    for plane in range(0, 0x110000, 0x1000):
        text = "".join(chr(code) + "." for code in range(plane, plane + 0x1000))

        fast, plain = fold_whole(text), arrays.fold_whole(text)

        assert (fast.data, fast.classes) == (plain.data, plain.classes), hex(plane)


def known(listed: set[str]) -> Words[str]:
    """Words as a policy has them: folded, and of the plain view."""
    return Words({form: (form,) for form in map(plain_form, map(fold, listed)) if form}, lambda _: 0)


def shown(whole: Whole) -> tuple[bytes, bool]:
    return (whole.data, True) if whole.entries is None else (whole.entries, False)


@needs_it
@given(WRITTEN | TRICKY, WORDS)
@example("a*务  运*", {"a务 运", "a", "务"})
@example("t*t*a", {"t", "ta", "tta"})
def test_words_stand_in_a_text_by_the_tree_where_the_reference_finds_them(text: str, listed: set[str]) -> None:
    words, whole = known(listed), fold_whole(text)

    found = native.tree(words.words, MAX_GAP).find(*shown(whole))

    hits = [WordHit(words.words[word], start, end) for word, start, end in found]
    assert len(hits) == len(set(hits))
    assert set(hits) == set(plain_words(words, Reading(whole.text)))


@needs_it
@given(WRITTEN | TRICKY, WORDS)
@example("x 务 运.行 x", {"务运行", "务运"})
def test_words_are_spelled_by_the_tree_where_the_reference_finds_them(text: str, listed: set[str]) -> None:
    words, whole = known(listed), fold_whole(text)

    runs = native.tree(words.words, MAX_GAP).spelled(*shown(whole))

    asked = spelled_words(words, Reading(whole.text), whole.classes, runs_at(whole.classes, runs))
    assert set(asked) == set(spelled_words(words, Reading(whole.text), whole.classes))


@needs_it
@given(WRITTEN | TRICKY, WORDS)
@example("B@tt @t", {"batt", "at"})
def test_signs_for_letters_are_read_by_the_tree_as_by_the_reference(text: str, listed: set[str]) -> None:
    terms = known(listed).words
    words = Words({leet_view(term): (("rule", term),) for term in terms}, lambda _: 0)
    whole = fold_whole(text)

    found = native.tree(words.words, MAX_GAP, LEET_BYTES).find(*shown(whole))

    hits = {hit for word, start, end in found for hit in leet_hits(words.names[word], whole.text, start, end)}
    assert hits == set(leet_words(words, Reading(whole.text)))


def glance(plain: Words[str], spelled: Words[str]) -> Callable[[str], bytes | None]:
    return native.glance(native.tree(plain.words, MAX_GAP), native.tree(spelled.words, MAX_GAP))


def with_spaces(data: bytes) -> bytes:
    return data.replace(b"\n", b" ").replace(b"\t", b" ")


@needs_it
@given(LONG, WORDS, WORDS)
@example("x" * 62 + " ab 务.", {"ab 务"}, set())
@example("x" * 62 + " a. b", set(), {"ab"})
@example("x" * 61 + " a. b", set(), {"ab"})
@example("。" * 61 + "x.ab", set(), {"xa"})
@example("。" * 63 + "ab.x", set(), {"bx"})
@example("。" * 63 + "ab", {"b"}, set())
@example("。" * 62 + "a  b", {"a b"}, set())
@example("务ab", {"务a"}, set())
@example("a\rb\x00", {"b"}, {"ab"})
@example(" " + "x" * 300, {"x" * 300}, set())
@settings(max_examples=400)
def test_a_glance_says_what_folding_and_looking_say_one_after_another(
    text: str, shown_words: set[str], spelled_ones: set[str]
) -> None:
    plain, spelled, whole = known(shown_words), known(spelled_ones), arrays.fold_whole(text)
    shows = plain_words(plain, Reading(whole.text))
    spells = [*spelled_words(spelled, Reading(whole.text), whole.classes)]
    may_spell = native.tree(spelled.words, MAX_GAP).spelled(*shown(fold_whole(text)))

    data = glance(plain, spelled)(text)

    assert data == (None if whole.is_moved or shows or may_spell else with_spaces(whole.data))
    assert data is None or not spells


@needs_it
@pytest.mark.skipif(not patterns.AVAILABLE, reason="no Hyperscan")
@given(LONG, WORDS)
@settings(max_examples=60, deadline=None)
def test_a_glance_without_a_compiler_gives_the_same_where_nothing_is_there(text: str, listed: set[str]) -> None:
    words, leet = known(listed), Words[tuple[str, str]]({}, lambda _: 0)
    whole = arrays.fold_whole(text)

    in_c, plain = glance(words, words)(text), ByHyperscan(words, words, leet, None).glance(text)

    assert plain == (in_c if in_c is not None else plain)
    assert (plain is None) == (
        whole.is_moved
        or bool([*plain_words(words, Reading(whole.text)), *spelled_words(words, Reading(whole.text), whole.classes)])
    )


@needs_it
def test_every_character_there_is_is_seen_the_same_at_a_glance() -> None:
    look = glance(known({"务"}), known(set()))

    for code in range(0x110000):
        text = chr(code) + "."
        whole = fold_whole(text)
        is_there = whole.is_moved or "务" in whole.text
        assert look(text) == (None if is_there else with_spaces(whole.data)), hex(code)


@needs_it
def test_a_long_list_is_found_word_by_word_in_a_text_of_all_of_them() -> None:
    listed = sorted(
        {f"{one}{other}{'x' * (number % 5)}" for number, one in enumerate("务运行abc") for other in range(3000)}
    )
    tree = native.tree(listed, MAX_GAP)

    found = tree.find(fold_whole("。" + "，".join(listed)).entries, False)

    assert [word for word, _, _ in found if len(listed[word]) > 1] == [*range(len(listed))]


@needs_it
@pytest.mark.parametrize("listed", [["b", "a"], ["a", "a"], [""], ["a", 1], [b"a"]])
def test_a_list_that_is_not_of_words_in_order_is_refused(listed: list[str]) -> None:
    with pytest.raises((ValueError, TypeError)):
        native.tree(listed, MAX_GAP)


@needs_it
def test_what_is_no_text_no_list_or_no_table_is_refused() -> None:
    tree = native.tree(["ab"], MAX_GAP)

    for ask in (
        lambda: tree.find(b"abc", False),
        lambda: tree.find("abc", True),  # type: ignore[arg-type]
        lambda: tree.spelled(b"abcde", False),
        lambda: native.tree(("ab",), MAX_GAP),  # type: ignore[arg-type]
        lambda: native.tree(["ab"], MAX_GAP, b"short"),
        lambda: native.glance(tree, ["ab"]),  # type: ignore[arg-type]
        lambda: native.glance(native.tree(["ab"], MAX_GAP, LEET_BYTES), tree),
        lambda: native.glance(tree, tree)(b"ab"),  # type: ignore[arg-type]
    ):
        with pytest.raises((ValueError, TypeError)):
            ask()


@needs_it
@given(st.binary(max_size=80), st.booleans(), WORDS)
def test_bytes_that_are_no_folded_text_are_read_no_further_than_they_reach(
    data: bytes, is_ascii: bool, listed: set[str]
) -> None:
    tree, data = native.tree(sorted(listed), MAX_GAP), data if is_ascii else data[: len(data) // 4 * 4]
    size = len(data) // (1 if is_ascii else 4)

    assert all(0 <= start < end <= size for _, start, end in tree.find(data, is_ascii))
    assert all(0 <= start < size for start in tree.spelled(data, is_ascii))


@needs_it
@pytest.mark.parametrize("spoiled", range(4))
def test_a_table_cut_short_is_refused_and_not_read_past(spoiled: int) -> None:
    parts = list(native.have_table())
    parts[spoiled] = parts[spoiled][:-1] if spoiled < 3 else parts[spoiled][:4]

    with pytest.raises(ValueError, match="folding table"):
        native._fast.fold(*parts, MAX_INVISIBLE, "ﷺﷺ é 务" * 50)
    if spoiled < 3:  # rows are never followed
        with pytest.raises(ValueError, match="folding table"):
            native._words.Glance(*parts, native.tree([], MAX_GAP), native.tree([], MAX_GAP))


@needs_it
def test_a_table_that_points_outside_itself_is_refused() -> None:
    block_of, entries, spans, flat = native.have_table()
    astray, far = b"\xff" * len(block_of), b"\xff\xff\xff\x00" * (len(spans) // 4)

    for table in ((astray, entries, spans, flat), (block_of, entries, far, flat)):
        with pytest.raises(ValueError, match="leads nowhere"):
            native._fast.fold(*table, MAX_INVISIBLE, "ß务")
    with pytest.raises(ValueError, match="leads nowhere"):
        native._words.Glance(astray, entries, spans, flat, native.tree([], MAX_GAP), native.tree([], MAX_GAP))


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
    assert run_guarded(Path(__file__).with_name("spoiling.py"), tmp_path, 120) > 1_000
