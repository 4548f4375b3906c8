"""The code of the id: what it corrects, what it refuses, and the bound that decides."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safebelt.rooms.labelling.watermark import codes, keys

IDS = st.integers(min_value=0, max_value=(1 << 64) - 1)


@given(IDS)
@settings(max_examples=12, deadline=None)
def test_every_id_comes_back_with_seventy_of_its_code_bits_wrong(ident):
    word = codes.encode(ident).astype(np.float32)
    wrong = np.random.default_rng(ident % 997).choice(codes.CODE_BITS, 70, replace=False)
    word[wrong] *= -1

    assert codes.decode(word) == ident


@given(IDS)
@settings(max_examples=8, deadline=None)
def test_an_id_comes_back_from_noise_stronger_than_the_code(ident):
    noise = np.random.default_rng(ident % 991).standard_normal(codes.CODE_BITS).astype(np.float32)

    assert codes.decode(codes.encode(ident) + 1.35 * noise) == ident


@given(IDS, st.integers(min_value=0, max_value=63))
@settings(max_examples=60, deadline=None)
def test_ids_that_differ_in_one_bit_have_code_words_far_apart(ident, bit):
    apart = int((codes.encode(ident) != codes.encode(ident ^ (1 << bit))).sum())

    assert apart >= 56  # the free distance of the code


def test_noise_alone_never_passes_the_bound():
    rng = np.random.default_rng(5)
    for _ in range(12):
        soft = rng.standard_normal(codes.CODE_BITS).astype(np.float32)
        word = codes.encode(codes.decode(soft))

        score = float(soft @ word / np.linalg.norm(soft))

        assert codes.chance_by_luck(score, 1) > 1e-3


def test_the_chance_by_luck_is_the_bound_that_is_written_down():
    assert codes.chance_by_luck(0.0, 1) == 1.0
    assert codes.chance_by_luck(14.0, 4) == pytest.approx(4 * 2.0**64 * math.exp(-98))
    assert codes.chance_by_luck(14.0, 8) > codes.chance_by_luck(14.0, 4)
    assert codes.chance_by_luck(1e6, 4) == 0.0


@pytest.mark.parametrize("ident", [-1, 1 << 64])
def test_what_has_no_64_bits_is_refused(ident):
    with pytest.raises(ValueError, match="64 bits"):
        codes.encode(ident)


@pytest.mark.parametrize("soft", [np.zeros(383, np.float32), np.full(384, np.nan, np.float32)])
def test_what_is_no_reading_of_a_code_word_is_refused(soft):
    with pytest.raises(ValueError, match="384"):
        codes.decode(soft)


def test_streams_of_two_purposes_or_keys_owe_nothing_to_each_other():
    one, two = keys.signs(b"a" * 16, "x", 4096), keys.signs(b"a" * 16, "y", 4096)

    assert abs(float(one @ two)) < 5 * 64
    assert abs(float(one @ keys.signs(b"b" * 16, "x", 4096))) < 5 * 64
    assert (one == keys.signs(b"a" * 16, "x", 4096)).all()
    assert sorted(keys.order(b"a" * 16, "z", 50)) == list(range(50))


def test_a_short_key_is_refused():
    with pytest.raises(keys.WeakKey):
        keys.stream(b"a" * 15, "x", 1)
