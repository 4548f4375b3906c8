"""A notice that is drawn stands over no face where there is a place without one, and says so where there is none."""

import io
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data as photographs
from tests.rooms.labelling.watermark.pictures import photograph

from safebelt.kernel.actors import OWNER
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.model import Axis, Mark, Verdict
from safebelt.rooms.labelling.provenance import corners, corners_seen, faces, films, gifs
from safebelt.rooms.labelling.service import MarkFile

DATA = Path(__file__).parents[4] / "labelling"
FONT, CASCADE = DATA / "fonts" / "notice.otf", DATA / "faces" / "frontal.xml"
FACE = photographs.astronaut()[40:220, 135:315]
"""Eileen Collins (NASA, public domain), 180 by 180 pixels."""
CORNERS = ("bottom right", "bottom left", "top right", "top left")
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


@pytest.fixture
def blind(tmp_path) -> Path:
    """A font beside which nothing lies that finds faces."""
    (tmp_path / "room" / "fonts").mkdir(parents=True)
    return Path(shutil.copy(FONT, tmp_path / "room" / "fonts"))


def scene(*where: str, size: tuple[int, int] = (600, 800), is_mirrored: bool = False) -> np.ndarray:
    """Return a picture with the face in some corners, whose other corners show so much that a notice would go to it."""
    made = np.repeat(np.random.default_rng(4).integers(0, 2, (*size, 1)) * 255, 3, axis=2).astype(np.uint8)
    face = FACE[:, ::-1] if is_mirrored else FACE
    for one in where:
        top, left = (0 if "top" in one else size[0] - 180), (0 if "left" in one else size[1] - 180)
        made[top : top + 180, left : left + 180] = face
    return made


def box(corner: corners.Corner) -> faces.Box:
    rows, columns = corner.words().shape
    return corner.top, corner.left, corner.top + rows, corner.left + columns


def covered(corner: corners.Corner, picture: np.ndarray) -> float:
    whole = (0, 0, *picture.shape[:2])
    return faces.part_covered(box(corner), faces.found(picture, [whole], CASCADE))


@pytest.mark.parametrize("is_mirrored", [False, True])
@pytest.mark.parametrize("where", CORNERS)
def test_the_notice_goes_where_no_face_is_and_without_the_look_would_lie_on_it(where, is_mirrored, blind) -> None:
    picture = scene(where, is_mirrored=is_mirrored)

    seeing, not_seeing = corners.chosen(picture, "zh", FONT), corners.chosen(picture, "zh", blind)

    assert seeing.name in set(CORNERS) - {where}
    assert covered(seeing, picture) == 0
    assert not_seeing.name == where + corners.NOT_LOOKED
    assert covered(not_seeing, picture) > 0.2


def test_with_a_face_in_every_corner_it_stands_at_an_edge_and_is_seen_there() -> None:
    picture = scene(*CORNERS, size=(600, 1000))

    made, where = corners.put(picture, "zh", FONT)

    assert where == "bottom"
    assert corners_seen.is_seen(made, FONT) and not corners_seen.is_seen(picture, FONT)


def test_with_a_face_in_every_place_the_one_with_least_of_it_is_taken_and_that_is_said() -> None:
    picture = np.tile(FACE, (3, 3, 1))
    picture[360:, 360:] = np.roll(FACE, -40, axis=0)  # in this corner the face stands higher, so that less is covered

    made = corners.chosen(picture, "zh", FONT)
    every = [
        faces.part_covered((one.top, one.left, one.top + rows, one.left + columns), found)
        for rows, columns in [made.words().shape]
        for found in [faces.found(picture, [(0, 0, 540, 540)], CASCADE)]
        for one in corners.places(540, 540, (rows, columns))
    ]

    assert made.name.endswith(corners.OVER_A_FACE)
    assert 0 < covered(made, picture) <= min(every) + 0.02


@pytest.mark.parametrize("name", ["grass", "gravel", "brick", "moon", "coins", "china.jpg"])
def test_where_nobody_is_no_face_is_found(name) -> None:
    picture = photograph(name) if "." in name else getattr(photographs, name)()

    assert faces.found(picture, [(0, 0, *picture.shape[:2])], CASCADE) == []


@pytest.mark.parametrize("side", [36, 180, 700])
def test_a_face_is_found_from_a_twelfth_of_the_picture_on(side) -> None:
    face = np.asarray(Image.fromarray(FACE).resize((side * 2, side * 2), Image.Resampling.BICUBIC))
    picture = np.full((max(480, side * 3), max(480, side * 3), 3), 90, dtype=np.uint8)
    picture[40 : 40 + side * 2, 60 : 60 + side * 2] = face

    (top, left, bottom, right), *others = faces.found(picture, [(0, 0, *picture.shape[:2])], CASCADE)

    assert not others
    assert top < 40 + side < bottom and left < 60 + side < right


def test_a_face_far_from_every_place_is_not_looked_for() -> None:
    picture = np.full((900, 900, 3), 90, dtype=np.uint8)
    picture[360:540, 360:540] = FACE

    assert faces.found(picture, [(0, 0, 60, 200)], CASCADE) == []
    assert len(faces.found(picture, [(400, 400, 460, 500)], CASCADE)) == 1


def test_another_cascade_than_the_measured_one_is_not_used(blind) -> None:
    (blind.parents[1] / "faces").mkdir()
    other = blind.parents[1] / corners.CASCADE
    other.write_bytes(CASCADE.read_bytes().replace(b"0.88888", b"0.88889"))

    with pytest.raises(OSError, match="measured"):
        faces.found(FACE, [(0, 0, 180, 180)], other)
    assert corners.chosen(scene("top left"), "en", blind).name.endswith(corners.NOT_LOOKED)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 90), st.integers(1, 400), st.integers(0, 2**32 - 1), st.booleans())
def test_pictures_of_every_shape_are_looked_into(height, width, seed, is_grey) -> None:
    shape = (height, width) if is_grey else (height, width, 3)
    picture = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)

    for top, left, bottom, right in faces.found(picture, [(0, 0, height, width)], CASCADE):
        assert 0 <= top < bottom <= height and 0 <= left < right <= width


def test_a_photograph_marked_in_the_shell_keeps_its_face(labelling, served, tmp_path) -> None:
    source, out = tmp_path / "a.jpg", tmp_path / "b.jpg"
    Image.fromarray(scene("bottom right")).save(source, quality=90)

    made = labelling.mark(source, out, MarkFile(system_id=served.id, marks=frozenset({Mark.EXPLICIT})), by=OWNER)
    kept = np.asarray(Image.open(out)).astype(int)[420:, 620:] - np.asarray(Image.open(source))[420:, 620:]

    assert made.put[Mark.EXPLICIT] in set(CORNERS) - {"bottom right"}
    assert np.abs(kept).mean() < 2
    assert labelling.verify(out).axes[Axis.EXPLICIT].verdict is Verdict.OK


def test_a_gif_is_looked_into_beyond_its_first_picture() -> None:
    shown = [scene(), scene(), scene("bottom right"), scene()]
    plain, later = (io.BytesIO(), io.BytesIO())
    for out, some in ((plain, [shown[0], shown[0], shown[1]]), (later, shown)):
        first, *others = (Image.fromarray(one).quantize(64) for one in some)
        first.save(out, "GIF", save_all=True, append_images=others, duration=200)

    assert gifs.put(plain.getvalue(), "zh", FONT)[1] == "bottom right"
    assert gifs.put(later.getvalue(), "zh", FONT)[1] in set(CORNERS) - {"bottom right"}


@needs_ffmpeg
@pytest.mark.parametrize("second", [None, 0, 2, 6])
def test_a_film_shows_its_notice_over_no_face_of_the_time_it_is_shown(labelling, served, tmp_path, second) -> None:
    source, out = tmp_path / "film.mp4", tmp_path / "marked.mp4"
    calm = np.full((360, 640, 3), 110, dtype=np.uint8)
    with_face = calm.copy()
    with_face[180:, 460:] = FACE
    frames = [with_face if second is not None and second <= i / 10 < second + 1 else calm for i in range(80)]
    raw = ["ffmpeg", "-y", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "640x360", "-r", "10"]
    how = ["-i", "pipe:0", "-c:v", "libx264", "-preset", "veryfast", "-crf", "16", "-pix_fmt", "yuv420p", str(source)]
    subprocess.run([*raw, *how], input=b"".join(one.tobytes() for one in frames), check=True)

    made = labelling.mark(source, out, MarkFile(system_id=served.id, marks=frozenset({Mark.EXPLICIT})), by=OWNER)

    is_in_the_way = second in (0, 2)  # in the sixth second the notice is gone
    assert (made.put[Mark.EXPLICIT] == "bottom right, first 3 s") is not is_in_the_way
    opening = films.opening(out, Kind.MP4, films.probed(out, Kind.MP4), 3.0, faces.SIDE)
    assert any(corners_seen.is_seen(one, FONT) for one in opening)
