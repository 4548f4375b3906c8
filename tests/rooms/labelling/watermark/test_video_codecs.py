"""The mark of films through a real encoder: ffmpeg, a program that knows nothing of us."""

import shutil
import subprocess

import numpy as np
import pytest
from tests.rooms.labelling.watermark.pictures import photograph

from safebelt.rooms.labelling.watermark import video

pytestmark = [pytest.mark.soak, pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")]
KEY = b"the key of a test"
IDENT = 0x0F0F_1234_5678_9ABC
HEIGHT, WIDTH, FRAMES = 720, 1280, 75


def _film():
    """Pan over a photograph enlarged fourfold, three seconds."""
    import cv2

    scene = cv2.resize(photograph("china.jpg"), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    return [np.ascontiguousarray(scene[5 * i :][:HEIGHT, 9 * i : 9 * i + WIDTH]) for i in range(FRAMES)]


def _encoded(frames, path, *how):
    size = f"{frames[0].shape[1]}x{frames[0].shape[0]}"
    command = [
        "ffmpeg",
        "-y",
        "-v",
        "error",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-s",
        size,
        "-r",
        "25",
        "-i",
        "-",
        *how,
    ]
    subprocess.run(
        [*command, "-pix_fmt", "yuv420p", str(path)], input=b"".join(f.tobytes() for f in frames), check=True
    )


def _frames(path, height, width):
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3)


@pytest.mark.parametrize(
    ("how", "half"),
    [
        (["-c:v", "libx264", "-crf", "23"], False),
        (["-c:v", "libx264", "-crf", "32"], False),
        (["-c:v", "libx264", "-crf", "26", "-vf", "scale=iw/2:ih/2"], True),
        (["-c:v", "libvpx-vp9", "-crf", "36", "-b:v", "0", "-cpu-used", "6"], False),
        (["-c:v", "libx265", "-crf", "30", "-x265-params", "log-level=error"], False),
    ],
    ids=["H.264 CRF 23", "H.264 CRF 32", "H.264 CRF 26 at half size", "VP9 CRF 36", "H.265 CRF 30"],
)
def test_the_id_is_read_after(how, half, tmp_path):
    film = _film()
    _encoded([video.embed_frame(frame, IDENT, KEY) for frame in film], tmp_path / "marked.mkv", *how)
    _encoded(film, tmp_path / "plain.mkv", *how)
    shape = (HEIGHT // 2, WIDTH // 2) if half else (HEIGHT, WIDTH)

    reading = video.scan(_frames(tmp_path / "marked.mkv", *shape), KEY)

    assert reading is not None
    assert reading.ident == IDENT
    assert video.scan(_frames(tmp_path / "plain.mkv", *shape), KEY) is None
