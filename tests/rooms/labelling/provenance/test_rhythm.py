"""The rhythm that says AI: heard where it is, in other makers' pitch and tempo too, and nowhere else."""

import numpy as np
import pytest
from tests.rooms.labelling.watermark.sounds import RATE, chords, faster, halved, noisy, talk

from safebelt.rooms.labelling.provenance import rhythm


def _with_rhythm(sound, rate=RATE):
    return np.concatenate([rhythm.played(rate, 1)[:, 0], sound])


def _keyed(pattern, dot=0.1, hertz=600.0):
    """Return tones (1) and pauses (0), each a dot long."""
    gate = np.repeat([int(one) for one in pattern], round(dot * RATE)).astype(np.float64)
    return (0.3 * gate * np.sin(2 * np.pi * hertz * np.arange(len(gate)) / RATE)).astype(np.float32)


@pytest.mark.parametrize("sound", [talk(4, seed=1), chords(4, seed=1)], ids=["speech", "music"])
@pytest.mark.parametrize("harm", [lambda s: s, lambda s: noisy(s, 20), lambda s: faster(s, 0.9), lambda s: 0.1 * s])
def test_it_is_heard_before_a_sound(sound, harm):
    assert rhythm.is_heard(harm(_with_rhythm(sound)), RATE)
    assert rhythm.is_heard(halved(_with_rhythm(sound)), RATE // 2)
    assert not rhythm.is_heard(harm(sound), RATE)


def test_another_makers_pitch_and_tempo_are_the_same_rhythm():
    assert rhythm.is_heard(np.concatenate([_keyed("1011100010100000"), talk(2, seed=2)]), RATE)


@pytest.mark.parametrize(
    "pattern", ["1110100010100", "1011101010000", "1010001011100", "1011100011100", "1111111111111", "1010101010101"]
)
def test_another_rhythm_is_not_it(pattern):
    assert not rhythm.is_heard(np.concatenate([_keyed(pattern), talk(2, seed=2)]), RATE)


@pytest.mark.parametrize(
    "samples",
    [np.zeros(RATE, np.float32), np.zeros(3, np.float32), np.full(RATE, np.nan, np.float32), np.ones(RATE, np.float32)],
)
def test_nothing_is_not_it(samples):
    assert not rhythm.is_heard(samples, RATE)


def test_it_is_short_long_short_short_in_morse_code_of_all_channels():
    played = rhythm.played(8000, 2)
    is_on = np.abs(played[:, 0]).reshape(-1, round(8000 * rhythm.DOT_SECONDS)).max(axis=1) > 0.5 * rhythm.LEVEL

    assert "".join(str(int(one)) for one in is_on) == "101110001010000"
    assert np.array_equal(played[:, 0], played[:, 1])
