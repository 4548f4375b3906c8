"""The mark of films: it is read from many frames together, where none alone would do."""

import numpy as np
import pytest
from tests.rooms.labelling.watermark.pictures import jpeg, landscape, resized

from safebelt.rooms.labelling.watermark import image, video

KEY, OTHER = b"the key of a test", b"another key of it"
IDENT = 0x0F0F_1234_5678_9ABC


def _film(frames, height=360, width=480):
    """Pan over a picture, a few pixels each frame."""
    scene = landscape(height + 60, width + 6 * frames, seed=21)
    return [np.ascontiguousarray(scene[2 * i % 60 :][:height, 6 * i : 6 * i + width]) for i in range(frames)]


def _harmed(frame):
    return jpeg(resized(frame, 0.5), 25)


def test_the_id_is_read_from_many_frames_of_which_none_alone_gives_it():
    harmed = [_harmed(video.embed_frame(frame, IDENT, KEY)) for frame in _film(24)]

    reading = video.scan(harmed, KEY)

    assert image.scan(harmed[3], KEY) is None
    assert reading is not None
    assert reading.ident == IDENT


def test_unmarked_films_and_other_keys_give_nothing():
    film = _film(6)
    marked = [video.embed_frame(frame, IDENT, KEY) for frame in film]

    assert video.scan(film, KEY) is None
    assert video.scan(marked, OTHER) is None
    assert video.scan([], KEY) is None


def test_frames_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match="one size"):
        video.scan([np.zeros((300, 300, 3), np.uint8), np.zeros((300, 400, 3), np.uint8)], KEY)


def test_no_more_frames_are_asked_for_than_are_read(monkeypatch):
    monkeypatch.setattr(video, "MAX_FRAMES", 3)
    asked = iter([np.zeros((300, 300, 3), np.uint8)] * 5)

    video.scan(asked, KEY)

    assert len(list(asked)) == 2
