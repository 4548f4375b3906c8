"""Folding hides no spelling, loses no place, and does not depend on how a text is cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.belt.scanner.samples import policy, rule

from safebelt.rooms.belt.model import Action, Side
from safebelt.rooms.belt.scanner import Scanner
from safebelt.rooms.belt.scanner.fold import INVISIBLE, MAX_INVISIBLE, Folded, fold, fold_with_map
from safebelt.rooms.belt.scanner.unescape import Unescaper

TERMS = ("红色按钮", "forbidden phrase", "straße", "пароль")
WORDS = Scanner(policy(rule("w", Action.REFUSE, TERMS)))


@given(st.text())
def test_folding_in_pieces_is_folding_the_whole(text: str) -> None:
    pieces = Folded()
    for place, char in enumerate(text):
        pieces.grow(char, range(place, place + 1), range(place + 1, place + 2))

    whole = fold_with_map(text)

    assert (pieces.text, pieces.starts, pieces.ends) == (whole.text, whole.starts, whole.ends)


@given(st.text())
def test_every_folded_character_comes_from_the_characters_it_names(text: str) -> None:
    folded = fold_with_map(text)

    assert len(folded.text) == len(folded.starts) == len(folded.ends)
    assert all(0 <= a < b <= len(text) for a, b in zip(folded.starts, folded.ends, strict=True))
    assert list(folded.starts) == sorted(folded.starts)


@given(
    st.text(max_size=20),
    st.sampled_from(TERMS),
    st.text(max_size=20),
    st.sampled_from(["\u200b", "\u0301", "\u00ad", ""]),
)
def test_every_hit_points_at_characters_that_fold_to_a_term(before: str, term: str, after: str, joint: str) -> None:
    text = f"{before} {joint.join(term.upper())} {after}"

    hits = WORDS.scan(text, Side.INPUT)

    slices = [fold(text[hit.start : hit.end]) for hit in hits]
    assert set(slices) <= {fold(term) for term in TERMS}
    assert fold(term) in slices


EVASIONS = {
    "upper case": str.upper,
    "full width": lambda t: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in t),
    "mathematical bold": lambda t: "".join(chr(0x1D41A + ord(c) - 97) if "a" <= c <= "z" else c for c in t),
    "zero width": "\u200b".join,
    "word joiner": "\u2060".join,
    "soft hyphen": "\u00ad".join,
    "combining marks": lambda t: "".join(c + "\u0336" for c in t),
    "tag characters between": "\U000e0041".join,
    "variation selectors": "\ufe0f".join,
    "Hangul filler": "\u3164".join,
    "line break for blank": lambda t: t.replace(" ", "\n"),
    "wide blank": lambda t: t.replace(" ", "\u3000"),
    "carriage return": "\r".join,
}


@pytest.mark.parametrize("name", EVASIONS)
@pytest.mark.parametrize("term", ["红色按钮", "forbidden phrase"])
def test_an_evasion_hides_no_phrase(name: str, term: str) -> None:
    text = "请看" + EVASIONS[name](term) + "吧"

    assert len(WORDS.scan(text, Side.INPUT)) == 1


@pytest.mark.parametrize(
    "text", ["红按色钮", "红色，按钮", "fo rbidden phrase", "for-bidden phrase", "forbiden phrase"]
)
def test_what_is_not_claimed_yet_is_really_not_found(text: str) -> None:
    assert WORDS.scan(text, Side.INPUT) == []


@pytest.mark.parametrize(
    ("term", "text", "is_found"),
    [
        ("ass", "class", False),
        ("ass", "assess", False),
        ("ass", "an ass.", True),
        ("ass", "他是ass吗", True),
        ("ass", "ASS", True),
        ("ass", "ass1", False),
        ("ass", "über-ass", True),
        ("武器", "这些武器库存", True),
        ("ai武器", "openai武器", False),
        ("ai武器", "用ai武器1", True),
        ("3d枪", "2023d枪", False),
        ("<|im_end|>", "x<|im_end|>y", True),
    ],
)
def test_latin_words_are_found_whole_and_chinese_anywhere(term: str, text: str, is_found: bool) -> None:
    assert bool(Scanner(policy(rule("w", Action.FLAG, (term,)))).scan(text, Side.OUTPUT)) is is_found


def test_terms_within_terms_and_terms_that_overlap_are_all_found() -> None:
    scanner = Scanner(policy(rule("w", Action.FLAG, ("他们说", "们说谎", "说", "说谎话"))))

    found = {(hit.start, hit.end) for hit in scanner.scan("他们说谎话", Side.INPUT)}

    assert found == {(0, 3), (1, 4), (2, 3), (2, 5)}


def test_a_rule_reads_only_its_sides() -> None:
    from dataclasses import replace

    only_input = replace(rule("w", Action.FLAG, ("红色",)), sides=frozenset({Side.INPUT}))
    scanner = Scanner(policy(only_input))

    assert scanner.scan("红色", Side.INPUT)
    assert not scanner.scan("红色", Side.OUTPUT)


def test_a_long_invisible_run_is_dropped_up_to_its_limit_and_then_shown() -> None:
    assert fold("a" + "\u200b" * MAX_INVISIBLE + "b") == "ab"
    assert fold("a" + "\u200b" * (MAX_INVISIBLE + 2) + "b") == f"a{INVISIBLE * 2}b"
    assert INVISIBLE not in fold(INVISIBLE)


SOURCE = r'{"a": "\u0041\n\"\\\ud83d\ude00\ud83dx\/é", "b": 1}'


@given(st.lists(st.integers(0, len(SOURCE)), max_size=12))
def test_escapes_are_read_the_same_however_the_source_is_cut(cuts: list[int]) -> None:
    reader = Unescaper()
    pieces = [reader.feed(SOURCE[a:b]) for a, b in pairwise([0, *sorted(cuts), len(SOURCE)])]
    pieces.append(reader.feed("", is_last=True))

    chars, starts, ends = Unescaper().feed(SOURCE, is_last=True)

    assert "".join(piece[0] for piece in pieces) == chars == '{"a": "A\n"\\😀\ud83dx/é", "b": 1}'
    assert [s for piece in pieces for s in piece[1]] == starts
    assert [e for piece in pieces for e in piece[2]] == ends


@given(st.text(alphabet='\\u0dDcCaf"n ', max_size=40), st.lists(st.integers(0, 40), max_size=10))
def test_broken_escapes_are_read_the_same_however_the_source_is_cut(source: str, cuts: list[int]) -> None:
    bounds = [0, *sorted(min(cut, len(source)) for cut in cuts), len(source)]
    reader = Unescaper()
    pieces = [*(reader.feed(source[a:b]) for a, b in pairwise(bounds)), reader.feed("", is_last=True)]

    whole = Unescaper().feed(source, is_last=True)

    assert "".join(piece[0] for piece in pieces) == whole[0]
    assert [s for piece in pieces for s in piece[1]] == whole[1]
    assert sum((b - a) for a, b in zip(whole[1], whole[2], strict=True)) == len(source)
