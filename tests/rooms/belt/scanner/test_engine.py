"""The fast engine finds what the plain-Python reference finds, and a stream what the whole text does, evasions and all."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.belt.scanner.samples import (
    EVERYTHING,
    MASKED_WORDS,
    NEAR_MISSES,
    RED_LINE,
    REFUSED,
    VALID,
    policy,
    rule,
)
from tests.rooms.belt.scanner.test_stream import stream, whole

from safebelt.rooms.belt.model import Action, Side, Stance
from safebelt.rooms.belt.scanner import Scanner, native, patterns
from safebelt.rooms.belt.scanner.chars import class_of, classes_of
from safebelt.rooms.belt.scanner.decode import Decoder
from safebelt.rooms.belt.scanner.fold import INVISIBLE, fold_whole, fold_with_map
from safebelt.rooms.belt.scanner.words import Words

needs_fast = pytest.mark.skipif(
    not patterns.AVAILABLE, reason="Hyperscan has no wheel here: the reference is all there is"
)

WORDS = policy(
    *EVERYTHING.rules,
    rule("more", Action.MASK, ("色情", "whale", "tattoo", "a*b c", "<|im_end|>", "爱尔兰", "it's", "пароль", "女孩")),
)
FAST, REFERENCE = Scanner(WORDS), Scanner(WORDS, fast=False)


@contextmanager
def without_compiler() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "AVAILABLE", False)
        yield


with without_compiler():
    WITHOUT_COMPILER = Scanner(WORDS)

_words = st.sampled_from([*REFUSED, *MASKED_WORDS, *RED_LINE, "色情", "whale", "tattoo", "it's", "女孩", "<|im_end|>"])
_values = [text for texts in (*VALID.values(), *NEAR_MISSES.values()) for text in texts if len(text) < 200]
_joints = st.sampled_from(
    [" ", "*", "\n", "😀", ".", "，", "-", "\u200b", "\u0301", "  ", " * ", "\t", "𝐚", "1", "\n\n"]
)
_changes = st.sampled_from(
    [
        lambda t: "".join(f"&#{ord(c)};" for c in t),
        lambda t: "".join(f"&#x{ord(c):x}" for c in t),
        lambda t: "".join(f"%{b:02X}" for b in t.encode()),
        lambda t: "".join(f"%25{b:02x}" for b in t.encode()),
        lambda t: t.translate(str.maketrans("aeiostlb", "43105718")),
        lambda t: t.upper(),
        lambda t: t[:-1],
        lambda t: t[1:],
        lambda t: t.replace("色", "\u0460").replace("o", "о"),
        lambda t: base64.b64encode(t.encode()).decode(),
        lambda t: "".join(chr(0xE0000 + ord(c)) for c in t if c.isascii()),
    ]
)
_pieces = st.one_of(
    _words,
    st.builds(lambda word, joint: joint.join(word), _words, _joints),
    st.builds(lambda word, joint, at: word[:at] + joint + word[at:], _words, _joints, st.integers(0, 6)),
    st.builds(lambda word, change: change(word), _words, _changes),
    st.sampled_from(["nv hai", "nvhai", "nühái", "se qing", "seqing", "aierlan", "ai er lan", "renren"]),
    st.sampled_from(_values),
    st.text(" a色情w.h*，1&#%;\n😀\u200b红", max_size=12),
    st.text(max_size=5),
)
evaded = st.lists(_pieces, max_size=7).map("".join)


@needs_fast
@settings(max_examples=600, deadline=None)
@given(evaded, st.sampled_from(Side))
def test_the_fast_engine_finds_what_the_reference_finds(text: str, side: Side) -> None:
    assert set(FAST.scan(text, side)) == set(REFERENCE.scan(text, side))


@needs_fast
@settings(max_examples=300, deadline=None)
@given(evaded, st.sampled_from(Side))
def test_the_engine_without_a_c_compiler_finds_what_the_reference_finds(text: str, side: Side) -> None:
    expected = set(REFERENCE.scan(text, side))

    with without_compiler():
        assert set(WITHOUT_COMPILER.scan(text, side)) == expected
        assert WITHOUT_COMPILER.finds_nothing(text, side) == (not expected)


@settings(max_examples=600, deadline=None)
@given(evaded, st.sampled_from(Side))
def test_whether_anything_is_found_is_what_a_whole_reading_says(text: str, side: Side) -> None:
    found = bool(REFERENCE.scan(text, side))

    assert (FAST.finds_nothing(text, side), REFERENCE.finds_nothing(text, side)) == (not found, not found)


@settings(max_examples=400, deadline=None)
@given(evaded, st.data())
def test_a_stream_passes_on_what_the_whole_text_would_whatever_it_hides(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=30)))
    pieces = [text[a:b] for a, b in pairwise([0, *cuts, len(text)])]
    stance = data.draw(st.sampled_from(Stance))

    assert stream(FAST, pieces, stance)[::2] == whole(FAST, text, stance)[::2]


@settings(max_examples=150, deadline=None)
@given(evaded)
def test_one_character_at_a_time_finds_what_the_whole_text_holds(text: str) -> None:
    _, hits, is_refused = stream(FAST, list(text), Stance.OBSERVE)

    if not is_refused:
        key = lambda hit: (hit.start, hit.end, hit.rule, hit.detector)  # noqa: E731
        assert sorted(hits, key=key) == sorted(whole(FAST, text, Stance.OBSERVE)[1], key=key)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), evaded, st.text("a\u200b\u0301ﬁ😀\ud800\U000e0041", max_size=200)))
def test_folding_through_arrays_is_folding_character_by_character(text: str) -> None:
    fast, slow = fold_whole(text), fold_with_map(text)

    assert fast.text == slow.text
    assert fast.data == slow.text.encode()
    assert fast.classes == classes_of(slow.text)
    assert slow.starts == (list(range(len(text))) if fast.origin is None else list(fast.origin))


def test_a_long_invisible_run_is_shown_by_both_ways_of_folding() -> None:
    text = "a" + "\u200b" * 70 + "b" + "\u200b" * 64 + "ﬁ" + "\u200b" * 63

    assert fold_whole(text).text == fold_with_map(text).text == f"a{INVISIBLE * 7}b{INVISIBLE}fi"


@pytest.mark.soak
def test_every_character_folds_the_same_both_ways() -> None:
    for code in range(0x110000):
        one = fold_whole(chr(code))
        assert one.text == fold_with_map(chr(code)).text, hex(code)
        assert one.classes == b"".join(map(class_of, one.text)), hex(code)


@given(st.lists(st.text("ab1", min_size=1, max_size=6), max_size=60), st.text("ab1", max_size=12))
def test_words_at_a_place_are_found_and_what_may_still_come_is_known(words: list[str], text: str) -> None:
    known = Words({word: (word,) for word in words}, lambda word: 1 << len(word))

    for place in range(len(text)):
        found, wait = known.at(text, place)
        assert sorted(known.words[i] for i in found) == sorted(w for w in set(words) if text.startswith(w, place))
        rest = text[place:]
        assert wait == sum({1 << len(w) for w in words if len(w) > len(rest) and w.startswith(rest)})


ENCODED = "x&#x7ea2;&#33394&amp;lt;&nbsp%E7%BA%A2%2525%E7%BA&#999999999;&unknown;%zz&copy;%c0%80&"


@given(
    st.one_of(st.just(ENCODED), st.text("&#x7ea2;%E7BA2amplt", max_size=40)), st.lists(st.integers(0, 80), max_size=12)
)
def test_encodings_are_read_the_same_however_the_text_is_cut(text: str, cuts: list[int]) -> None:
    bounds = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    decoder, out = Decoder(), []
    for a, b in pairwise(bounds):
        out.append(decoder.feed(text[a:b], range(a, b), range(a + 1, b + 1)))
    out.append(decoder.feed("", (), (), is_last=True))

    chars, starts, ends = Decoder().feed(text, range(len(text)), range(1, len(text) + 1), is_last=True)

    assert "".join(one[0] for one in out) == chars
    assert [place for one in out for place in one[1]] == list(starts)
    assert [place for one in out for place in one[2]] == list(ends)
    assert len(chars) == len(starts) == len(ends)


def test_what_is_encoded_is_read_and_what_is_not_stays() -> None:
    read = Decoder().feed(ENCODED, range(99), range(1, 100), is_last=True)[0]

    assert read == "x红色&lt;&nbsp红%25%E7%BA\ufffd&unknown;%zz©%c0%80&"
