"""The image mark: it is read after what happens to pictures, and is not read where it is not."""

import functools

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.labelling.watermark.pictures import ATTACKS, landscape, photograph, psnr

from safebelt.rooms.labelling.watermark import codes, image, keys, locate, placing
from safebelt.rooms.labelling.watermark.pattern import PERIOD, pattern

KEY, OTHER = b"the key of a test", b"another key of it"
IDENT = 0xA1B2_C3D4_0000_FFFF


@functools.cache
def _plain(name):
    return photograph(name) if name.endswith(".jpg") else landscape(700, 900, seed=4)


@functools.cache
def _marked(name):
    return image.embed(_plain(name), IDENT, KEY)


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_id_of_a_photograph_is_exact_after(attack):
    reading = image.scan(ATTACKS[attack](_marked("china.jpg")), KEY)

    assert reading is not None
    assert reading.ident == IDENT
    assert reading.chance_of_error < 1e-9


@pytest.mark.parametrize("attack", ["resize 50 % + JPEG 50", "crop 20 %", "screenshot-like"])
def test_the_id_of_a_larger_picture_with_a_flat_sky_is_exact_after(attack):
    reading = image.scan(ATTACKS[attack](_marked("landscape")), KEY)

    assert reading is not None
    assert reading.ident == IDENT


def test_a_cut_and_a_turn_are_measured():
    cut = image.scan(ATTACKS["crop 20 %"](_marked("landscape")), KEY)
    turned = image.scan(ATTACKS["rotation +2°"](_marked("china.jpg")), KEY)

    assert cut is not None
    assert cut.scale == pytest.approx(1 / np.sqrt(0.8), rel=0.01)
    assert turned is not None
    assert abs(turned.angle) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg", "landscape"])
def test_the_picture_stays_as_good_as_was_asked(name):
    assert psnr(_plain(name), _marked(name)) >= 41
    assert psnr(_plain(name), image.embed(_plain(name), IDENT, KEY, psnr_db=46)) >= 46


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg", "landscape"])
def test_an_unmarked_picture_has_no_id(name):
    assert image.scan(_plain(name), KEY) is None


@pytest.mark.parametrize("attack", ["nothing", "JPEG 50", "crop 20 %"])
def test_another_key_reads_nothing(attack):
    assert image.scan(ATTACKS[attack](_marked("china.jpg")), OTHER) is None


@pytest.mark.parametrize(
    "empty",
    [
        np.zeros((400, 500, 3), np.uint8),
        np.full((300, 300, 3), 255, np.uint8),
        np.random.default_rng(3).integers(0, 256, (400, 500, 3)).astype(np.uint8),
        np.tile(np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8), (300, 160, 1)),
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((65, 90, 3), np.uint8),
    ],
    ids=["black", "white", "noise", "stripes", "a pixel", "tiny"],
)
def test_what_is_flat_noise_or_tiny_has_no_id(empty):
    assert image.scan(empty, KEY) is None


def test_a_grey_picture_stays_grey_and_carries_the_id():
    grey = cv2.cvtColor(_plain("china.jpg"), cv2.COLOR_RGB2GRAY)
    marked = image.embed(np.repeat(grey[..., None], 3, axis=2), IDENT, KEY)

    reading = image.scan(marked, KEY)

    assert (marked[..., 0] == marked[..., 2]).all()
    assert reading is not None
    assert reading.ident == IDENT


def test_odd_sizes_and_the_smallest_size_carry_the_id():
    for height, width in ((256, 256), (431, 777)):
        reading = image.scan(image.embed(landscape(height, width, seed=9), IDENT, KEY), KEY)

        assert reading is not None
        assert reading.ident == IDENT


def test_marking_in_bands_is_marking_at_once(monkeypatch):
    whole = _marked("landscape")
    monkeypatch.setattr(image, "_BAND_PIXELS", 900 * 37)

    assert (image.embed(_plain("landscape"), IDENT, KEY) == whole).mean() > 0.9999


@pytest.mark.parametrize("shape", [(255, 900, 3), (256, 4100, 3)])
def test_a_picture_without_room_is_refused(shape):
    with pytest.raises(image.TooSmall):
        image.embed(np.zeros(shape, np.uint8), IDENT, KEY)


def test_a_picture_beyond_the_bound_is_refused():
    endless = np.broadcast_to(np.zeros((1, 1, 3), np.uint8), (20_000, 20_000, 3))

    with pytest.raises(image.TooLarge):
        image.embed(endless, IDENT, KEY)
    with pytest.raises(image.TooLarge):
        image.scan(endless, KEY)


@pytest.mark.parametrize(
    "wrong", [np.zeros((300, 300), np.uint8), np.zeros((300, 300, 4), np.uint8), np.zeros((300, 300, 3))]
)
def test_what_is_no_picture_is_refused(wrong):
    with pytest.raises(ValueError, match="8-bit"):
        image.embed(wrong, IDENT, KEY)
    with pytest.raises(ValueError, match="8-bit"):
        image.scan(wrong, KEY)


def test_a_short_key_is_refused():
    with pytest.raises(keys.WeakKey):
        image.embed(_plain("china.jpg"), IDENT, b"short")
    with pytest.raises(keys.WeakKey):
        image.scan(_plain("china.jpg"), b"short")


@given(st.integers(1, 220), st.integers(1, 220), st.integers(0, 2**32 - 1))
@settings(max_examples=12, deadline=None)
def test_a_scan_of_anything_ends_without_a_reading(height, width, seed):
    anything = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)

    assert image.scan(anything, KEY) is None


def test_the_pattern_is_laid_where_the_picture_itself_speaks_for_the_id():
    plain = locate.whitened(image.canonical(_plain("china.jpg")))
    marks = pattern(KEY)
    best = _shift(placing.laid(plain, marks, IDENT, 0), marks.tile(IDENT, 0))
    others = [(row, column) for row in range(0, 256, 64) for column in range(0, 256, 64)]

    said = {at: _said_of_the_id(plain, marks, at) for at in (best, *others)}

    assert said[best] > 1.5
    assert said[best] > max(said[at] for at in others)


def _rough(coarseness):
    """A picture that is rough all over."""
    rough = cv2.GaussianBlur(np.random.default_rng(5).normal(size=(640, 640)).astype(np.float32), (0, 0), coarseness)
    rough = np.clip(128 + 30 * rough / rough.std(), 0, 255).astype(np.uint8)
    return np.repeat(rough[..., None], 3, axis=2)


def test_a_rough_picture_is_read_where_a_pattern_laid_anywhere_is_lost(monkeypatch):
    rough, marks = _rough(3), pattern(KEY)
    monkeypatch.setattr(image, "FINE", PERIOD)
    anywhere = image.embed_variant(rough, marks.tile(IDENT, 0), psnr_db=41.05)

    reading = image.scan(image.embed(rough, IDENT, KEY), KEY)

    assert image.scan(anywhere, KEY) is None
    assert reading is not None
    assert reading.ident == IDENT


@pytest.mark.parametrize("attack", ["nothing", "crop 20 %", "resize 50 % + JPEG 50", "rotation -2°"])
def test_a_rough_picture_carries_a_fine_pattern_where_the_usual_one_is_drowned(attack, monkeypatch):
    fine = image.embed(_rough(2), IDENT, KEY)
    monkeypatch.setattr(image, "FINE", PERIOD)
    usual = image.embed(_rough(2), IDENT, KEY)

    reading = image.scan(ATTACKS[attack](fine), KEY)

    assert reading is not None
    assert reading.ident == IDENT
    assert image.scan(ATTACKS[attack](usual), KEY) is None


def test_a_smooth_picture_carries_a_coarse_pattern_that_is_weaker_and_lasts_longer(monkeypatch):
    dusk = np.linspace(60, 200, 640)[:, None] + cv2.GaussianBlur(
        np.random.default_rng(6).normal(size=(640, 640)), (0, 0), 1, 6
    )
    dusk = np.repeat(dusk.astype(np.uint8)[..., None], 3, axis=2)
    coarse = image.embed(dusk, IDENT, KEY)
    monkeypatch.setattr(image, "COARSE", PERIOD)
    monkeypatch.setattr(image, "_COARSE_LOSS", 1.0)
    usual = image.embed(dusk, IDENT, KEY)

    assert psnr(dusk, coarse) > psnr(dusk, usual) + 0.4
    assert _score_after("resize 50 % + JPEG 50", coarse) > _score_after("resize 50 % + JPEG 50", usual) + 3


def test_the_mark_of_earlier_versions_is_read():
    """They laid the usual pattern of 256 pixels in every picture, at any shift."""
    tile = np.roll(pattern(KEY).tile(IDENT, 1), (70, 190), axis=(0, 1))

    reading = image.scan(ATTACKS["JPEG 50"](image.embed_variant(_plain("landscape"), tile, psnr_db=41.05)), KEY)

    assert reading is not None
    assert reading.ident == IDENT


def test_less_of_a_mark_is_put_where_brightening_would_erase_it(monkeypatch):
    bright = np.full((640, 640, 3), 245, np.uint8)
    bright[100:320, 150:370] = (0.8 * _plain("china.jpg")[100:320, 100:320]).astype(np.uint8)
    spared = image.embed(bright, IDENT, KEY)
    monkeypatch.setattr(image, "_WORTH_NEAR_WHITE", 1.0)
    even = image.embed(bright, IDENT, KEY)

    assert psnr(bright, spared) >= 41
    assert _score_after("brightness and contrast", spared) > _score_after("brightness and contrast", even) + 1


def _shift(one, other):
    """By how many pixels, down and right, `one` is `other` rolled."""
    alike = np.fft.ifft2(np.fft.fft2(one) * np.conj(np.fft.fft2(other))).real
    return tuple(int(at) for at in np.unravel_index(alike.argmax(), alike.shape))


def _said_of_the_id(plain, marks, at):
    """What the unmarked picture says of the id at a shift, as the reader counts it."""
    soft = locate.carriers(*locate.lattice(plain, np.eye(2)), marks, 0, at)
    summed = np.bincount(marks.bits, weights=soft, minlength=codes.CODE_BITS)
    return float(summed @ codes.encode(IDENT)) / float(np.sqrt((soft * soft).sum()))


def test_what_white_swallows_of_a_mark_is_given_to_the_rest(monkeypatch):
    lamp = cv2.GaussianBlur(np.full((640, 640), 255, np.uint8), (0, 0), 1)
    cv2.circle(lamp, (520, 520), 60, 90, -1)
    lamp = np.repeat(cv2.GaussianBlur(lamp, (0, 0), 20)[..., None], 3, axis=2)

    regained = image.embed(lamp, IDENT, KEY)
    monkeypatch.setattr(image, "_MOST_REGAINED", 1.0)
    swallowed = image.embed(lamp, IDENT, KEY)

    assert 41 <= psnr(lamp, regained) < psnr(lamp, swallowed) - 1.5
    assert _score_after("JPEG 50", regained) > _score_after("JPEG 50", swallowed) + 1


def test_a_picture_without_black_and_white_has_nothing_to_regain(monkeypatch):
    marked = _marked("landscape")
    monkeypatch.setattr(image, "_MOST_REGAINED", 1.0)

    assert (image.embed(_plain("landscape"), IDENT, KEY) == marked).mean() > 0.99


def _score_after(attack, marked):
    reading = image.scan(ATTACKS[attack](marked), KEY)
    return reading.score if reading else 0.0
