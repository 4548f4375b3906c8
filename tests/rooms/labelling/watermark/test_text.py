"""A text generated with the key is told from one without it, by a chance that is computed; the model stays as it is."""

import math
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safebelt.rooms.labelling.watermark import text_chance
from safebelt.rooms.labelling.watermark.text import CONTEXT, LAYERS, Processor, read, tournament, words

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
VOCABULARY = 300
LOGS = np.log(np.arange(1, VOCABULARY + 1, dtype=np.float64) ** -1.6)
LOGS -= np.log(np.exp(LOGS).sum())
"""About 3.5 bits a token."""


def written(processor, count=140, seed=1, temperature=1.0):
    chance = np.random.default_rng(seed)
    ids = [int(one) for one in chance.integers(0, VOCABULARY, CONTEXT)]
    while len(ids) < count:
        scores = np.roll(LOGS, ids[-1] * 17 + ids[-2] * 31)
        made = scores if processor is None else processor(np.array(ids), scores)
        chances = np.exp(made / temperature - (made / temperature).max())
        ids.append(int(chance.choice(VOCABULARY, p=chances / chances.sum())))
    return ids


def chance_of(ids, key=KEY):
    return text_chance.chance(read(key, ids))


def test_a_marked_text_is_found_and_a_plain_one_or_another_key_is_not():
    marked, plain = written(Processor(KEY)), written(None)

    assert chance_of(marked) < 1e-10
    assert chance_of(plain) > 1e-3
    assert chance_of(marked, OTHER) > 1e-3
    assert text_chance.mean(read(KEY, marked)) > 0.55 > text_chance.mean(read(KEY, plain))


def test_a_part_of_a_marked_text_among_other_text_is_found():
    mixed = [*written(None, 60, seed=2), *written(Processor(KEY), 140, seed=3), *written(None, 60, seed=4)]

    assert chance_of(mixed) < 1e-6


@given(st.lists(st.integers(0, 2**31 - 1), max_size=60))
@settings(max_examples=40, deadline=None)
def test_any_tokens_can_be_read_and_only_new_contexts_witness(ids):
    found = read(KEY, ids)

    assert len(found) <= max(0, len(ids) - CONTEXT)
    assert 0 <= text_chance.chance(found) <= 1
    assert len(read(KEY, [7] * 50)) == 1


def test_the_chance_is_what_it_says_for_texts_without_the_mark():
    chance = np.random.default_rng(4)
    found = [chance_of([int(one) for one in chance.integers(0, 5000, 34)]) for _ in range(250)]

    for rate in (0.5, 0.1, 0.02):
        seen, spread = float(np.mean([one <= rate for one in found])), math.sqrt(rate * (1 - rate) / len(found))
        assert seen <= rate + 4 * spread
    assert np.mean([one <= 0.5 for one in found]) > 0.4  # and not by being told too little


@pytest.mark.parametrize("score", [75, 90, 100, 110])
def test_the_tail_is_the_binomials_where_all_rounds_count_the_same(score):
    coins = 5 * LAYERS
    exact = sum(math.comb(coins, ones) for ones in range(score, coins + 1)) / 2**coins

    assert text_chance._tail(score, 5, text_chance.EVEN) == pytest.approx(exact, abs=1e-14)
    assert text_chance._bound(score, 5, text_chance.EVEN) >= exact


def test_a_weighted_tail_lies_below_its_bound_and_falls():
    tails = [text_chance._tail(score, 30, text_chance.WEIGHTS) for score in range(2475, 3300, 25)]
    bounds = [text_chance._bound(score, 30, text_chance.WEIGHTS) for score in range(2475, 3300, 25)]

    assert tails == sorted(tails, reverse=True)
    assert all(tail <= bound + 1e-14 for tail, bound in zip(tails, bounds, strict=True))


def test_the_tournament_keeps_the_sum_and_averaged_over_keys_the_model():
    chances = np.exp(LOGS[:8]) / np.exp(LOGS[:8]).sum()
    tokens, total = np.arange(8, dtype=np.int64), np.zeros(8)
    for number in range(1000):
        left = tournament(chances, words(KEY, (number, 1, 2, 3), tokens))
        assert left.min() >= 0 and left.sum() == pytest.approx(1)
        total += left

    assert total / 1000 == pytest.approx(chances, abs=0.05)


def test_bits_are_as_often_one_as_not_in_every_round_and_depend_on_all_of_the_context():
    tokens = np.arange(4000, dtype=np.int64)
    found = words(KEY, (1, 2, 3, 4), tokens)

    ones = [float(((found >> np.uint32(layer)) & np.uint32(1)).mean()) for layer in range(LAYERS)]
    assert max(abs(one - 0.5) for one in ones) < 0.045
    for other in ((2, 2, 3, 4), (1, 2, 4, 3), (1, 2, 3, 5)):
        same = (words(KEY, other, tokens) == found).mean()
        assert same < 0.01
    assert (words(KEY, (1, 2, 3, 4), tokens[::-1]) == found[::-1]).all()


def test_where_temperature_comes_later_what_is_drawn_has_the_same_chances():
    ids, scores = np.array([5, 6, 7, 8]), LOGS

    once = Processor(KEY)(ids, scores / 0.7)
    later = Processor(KEY, temperature=0.7)(ids, scores) / 0.7

    both = [np.exp(one - one.max()) / np.exp(one - one.max()).sum() for one in (once, later)]
    assert both[0] == pytest.approx(both[1], abs=1e-12)


def test_a_context_that_stood_before_and_a_beginning_are_left_as_they_are():
    repeated = np.array([1, 2, 3, 4, 9, 1, 2, 3, 4])

    assert (Processor(KEY)(repeated, LOGS) == LOGS).all()
    assert (Processor(KEY)(np.array([1, 2, 3]), LOGS) == LOGS).all()
    assert (Processor(KEY)(repeated[:-1], LOGS) != LOGS).any()


def test_what_was_ruled_out_stays_ruled_out_and_types_stay():
    scores = LOGS.astype(np.float32)
    scores[10:] = -np.inf

    made = Processor(KEY)(np.array([1, 2, 3, 4], dtype=np.intc), scores)

    assert made.dtype == np.float32
    assert (np.exp(made[10:]) == 0).all() and np.isfinite(made[:10]).all()
    none = np.full(5, -np.inf)
    assert (Processor(KEY)(np.array([1, 2, 3, 4]), none) == none).all()


def test_a_batch_of_tensors_comes_back_as_tensors():
    class Tensor:
        """What a tensor has of methods that are used: no library of a model is loaded for a test."""

        def __init__(self, values):
            self.values = np.asarray(values)

        def detach(self):
            return self

        float = cpu = detach

        def numpy(self):
            return self.values

        def new_tensor(self, values):
            return SimpleNamespace(values=values)

    made = Processor(KEY)(Tensor([[1, 2, 3, 4], [5, 6, 7, 8]]), Tensor([LOGS, LOGS]))

    assert made.values.shape == (2, VOCABULARY)
    assert (made.values[0] == Processor(KEY)(np.array([1, 2, 3, 4]), LOGS)).all()


def test_a_text_of_no_choice_keeps_its_words_and_carries_nothing():
    sure = np.full(VOCABULARY, -np.inf)
    sure[7] = 0.0

    made = Processor(KEY)(np.array([1, 2, 3, 4]), sure)

    assert made.argmax() == 7
    assert Counter(np.exp(made) > 0)[True] == 1


@pytest.mark.parametrize("make", [lambda: Processor(b"short"), lambda: Processor(KEY, temperature=0.0)])
def test_a_weak_key_or_no_chance_is_refused(make):
    with pytest.raises(ValueError, match=r"key|chance"):
        make()


@pytest.mark.parametrize("ids", [[-1, 2, 3, 4, 5], [1, 2, 3, 4, 2**31]])
def test_what_is_no_token_is_refused(ids):
    with pytest.raises(ValueError, match="tokens"):
        read(KEY, ids)
