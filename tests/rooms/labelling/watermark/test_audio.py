"""The mark in sound: read from five seconds after what happens to sounds, and never where it is not."""

from itertools import pairwise

import numpy as np
import pytest
from tests.rooms.labelling.watermark.sounds import RATE, chords, faster, halved, noisy, ratio, talk

from safebelt.rooms.labelling.watermark import audio, codes, hearing
from safebelt.rooms.labelling.watermark.keys import WeakKey

KEY, OTHER = b"the key of a test", b"another key of it"
IDENT = 0x8F0F_1234_5678_9ABC


@pytest.fixture(scope="module")
def plain():
    return talk(9.0, seed=4)


@pytest.fixture(scope="module")
def marked(plain):
    return audio.embed(plain, RATE, IDENT, KEY)


def _cut(samples, rate=RATE, start=2.3, seconds=5.0):
    return samples[round(start * rate) : round((start + seconds) * rate)]


def test_the_change_is_as_quiet_as_was_asked(plain, marked):
    assert ratio(plain, marked) >= audio.SNR_DB
    assert len(marked) == len(plain)


@pytest.mark.parametrize(
    ("harm", "rate"),
    [
        (lambda sound: sound, RATE),
        (halved, RATE // 2),
        (lambda sound: faster(sound, 1.05), RATE),
        (lambda sound: noisy(sound, 20), RATE),
        (lambda sound: 0.2 * sound, RATE),
    ],
    ids=["nothing", "8 kHz", "5 % faster", "noise", "softer"],
)
def test_the_id_is_read_from_five_seconds_after(marked, harm, rate):
    reading = hearing.scan(_cut(harm(marked), rate), rate, KEY)

    assert reading is not None
    assert reading.ident == IDENT
    assert reading.chance_of_error <= hearing.MAX_CHANCE


def test_the_id_is_read_from_music():
    music = chords(6.0, seed=4)

    reading = hearing.scan(_cut(audio.embed(music, RATE, IDENT, KEY), start=0.7), RATE, KEY)

    assert reading is not None
    assert reading.ident == IDENT


def test_unmarked_sound_and_another_key_give_nothing(plain, marked):
    assert hearing.scan(_cut(plain), RATE, KEY) is None
    assert hearing.scan(_cut(marked), RATE, OTHER) is None


def test_blocks_of_any_length_give_what_the_whole_gives(plain, marked):
    block = plain[:, None]
    cuts = [0, 1, 7000, 7001, 90_000, len(block)]
    pieces = [block[start:end] for start, end in pairwise(cuts)]

    out = np.concatenate(list(audio.embed_blocks(pieces, RATE, IDENT, KEY)))

    assert np.array_equal(out[:, 0], marked)


def test_all_channels_are_changed_alike_and_silence_stays_silent():
    sound = talk(3.0, seed=9)
    stereo = np.stack([sound, np.zeros_like(sound)], axis=1)

    out = audio.embed(stereo, RATE, IDENT, KEY)

    assert not out[:, 1].any()
    assert ratio(sound, out[:, 0]) >= audio.SNR_DB
    assert not audio.embed(np.zeros(RATE, np.float32), RATE, IDENT, KEY).any()
    assert hearing.scan(np.zeros(RATE * 5, np.float32), RATE, KEY) is None


def test_what_is_no_sound_for_this_is_refused():
    with pytest.raises(audio.Unfit):
        audio.embed(np.zeros(100, np.float32), 4000, IDENT, KEY)
    with pytest.raises(audio.Unfit):
        audio.embed(np.full(100, np.nan, np.float32), RATE, IDENT, KEY)
    with pytest.raises(audio.Unfit):
        audio.embed(np.zeros((100, 9), np.float32), RATE, IDENT, KEY)
    with pytest.raises(WeakKey):
        audio.embed(np.zeros(100, np.float32), RATE, IDENT, b"short")
    with pytest.raises(ValueError, match="rate"):
        hearing.scan(np.zeros(100, np.float32), 4000, KEY)
    with pytest.raises(ValueError, match="numbers"):
        hearing.scan(np.full(RATE * 3, np.inf, np.float32), RATE, KEY)


def test_every_cell_belongs_to_one_bit_and_every_bit_has_its_part_of_the_low_bands():
    tile = audio.tile(KEY)
    bits = np.repeat(np.arange(codes.CODE_BITS), tile.each)
    low = tile.cells % audio.BANDS < 24

    assert sorted(tile.cells.tolist()) == list(range(audio.SLOTS * audio.BANDS))
    assert np.bincount(bits[low], minlength=codes.CODE_BITS).min() >= 4


def test_no_more_windows_are_asked_for_than_are_read(monkeypatch):
    monkeypatch.setattr(hearing, "MAX_WINDOWS", 2)
    asked = iter([(0.0, np.zeros(RATE, np.float32))] * 4)

    assert hearing.scan_windows(asked, RATE, KEY) is None
    assert len(list(asked)) == 2
