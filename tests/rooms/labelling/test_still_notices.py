"""The notice in GIF, TIFF and AVIF: it is there in every picture, the rest stays, and what cannot be kept is said."""

import io
import shutil
import subprocess
from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageSequence
from tests.rooms.labelling.conftest import DATA
from tests.rooms.labelling.watermark.pictures import photograph

from safebelt.kernel.actors import OWNER
from safebelt.rooms.labelling.formats.carrier import Broken, Unwritable
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.model import Axis, Mark, Verdict
from safebelt.rooms.labelling.provenance import gifs, pixels
from safebelt.rooms.labelling.provenance.corners_seen import is_seen
from safebelt.rooms.labelling.service import MarkFile

FONT = DATA / "fonts" / "notice.otf"
RIVER = photograph("china.jpg")[:300, :400]


def saved(name: str, image: Image.Image | None = None, **options: object) -> bytes:
    out = io.BytesIO()
    (image or Image.fromarray(RIVER)).save(out, name, **options)
    return out.getvalue()


def animation(*, is_clear: bool = False) -> bytes:
    frames = [Image.fromarray(np.roll(RIVER, 9 * at, axis=1)) for at in range(4)]
    if is_clear:
        hole = Image.fromarray(np.uint8(255 - 255 * (np.indices((300, 400)).sum(0) < 200)))
        frames = [one.convert("RGBA") for one in frames]
        for one in frames:
            one.putalpha(hole)
    again = {"save_all": True, "append_images": frames[1:], "duration": [40, 80, 120, 200], "loop": 3}
    return saved("GIF", frames[0], comment=b"by hand", disposal=2 if is_clear else 0, **again)


@pytest.mark.parametrize(("is_clear", "lang"), [(False, "zh"), (True, "en")])
def test_every_picture_of_an_animation_carries_it_and_times_loop_and_comment_stay(is_clear, lang) -> None:
    was = animation(is_clear=is_clear)
    made, corner = gifs.put(was, lang, FONT)
    before, after = (Image.open(io.BytesIO(one)) for one in (was, made))

    assert after.n_frames == 4 and after.info["loop"] == 3 and b"by hand" in made
    shown = [np.asarray(one.convert("RGB")) for one in ImageSequence.Iterator(after)]
    assert all(is_seen(one, FONT) for one in shown)
    assert [one.info["duration"] for one in ImageSequence.Iterator(after)] == [40, 80, 120, 200]
    after.seek(2)
    before.seek(2)
    old, new = (np.asarray(one.convert("RGBA")).astype(int) for one in (before, after))
    middle = np.s_[60:240]
    assert (old[middle, :, 3] == new[middle, :, 3]).all() and corner
    seen = new[middle, :, 3] > 0
    assert np.abs(old[middle] - new[middle])[seen].mean() < 4  # 251 colours instead of 256


def test_a_drawing_of_few_colours_keeps_every_one_of_them() -> None:
    drawing = np.zeros((200, 300, 3), dtype=np.uint8)
    drawing[40:160, 50:250] = (200, 30, 40)
    made, _ = gifs.put(saved("GIF", Image.fromarray(drawing)), "en", FONT)
    changed = (np.asarray(Image.open(io.BytesIO(made)).convert("RGB")) != drawing).any(axis=2)
    rows, columns = np.nonzero(changed)

    assert is_seen(np.asarray(Image.open(io.BytesIO(made)).convert("RGB")), FONT)
    assert not is_seen(drawing, FONT)
    assert rows.max() - rows.min() < 40 and columns.max() - columns.min() < 150


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_an_unrelated_decoder_sees_the_notice_in_the_animation(tmp_path) -> None:
    path = tmp_path / "a.gif"
    path.write_bytes(gifs.put(animation(), "zh", FONT)[0])
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    frames = np.frombuffer(raw, dtype=np.uint8).reshape(-1, 300, 400)

    assert len(frames) >= 4 and all(is_seen(one, FONT) for one in frames)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (Kind.TIFF, lambda: saved("TIFF", compression="tiff_lzw", description="a river", dpi=(300, 300))),
        pytest.param(Kind.AVIF, lambda: saved("AVIF", quality=90), marks=pytest.mark.soak),
        (Kind.GIF, animation),
    ],
)
def test_a_file_marked_in_the_shell_has_the_notice_the_label_and_the_manifest(
    labelling, served, tmp_path, kind, content
) -> None:
    source, out = tmp_path / f"a.{kind.value}", tmp_path / f"b.{kind.value}"
    source.write_bytes(content())
    marks = frozenset(Mark) - ({Mark.WATERMARK} if kind is Kind.GIF else set())
    made = labelling.mark(source, out, MarkFile(system_id=served.id, marks=marks), by=OWNER)
    found = labelling.verify(out)

    assert set(made.put) == marks
    asked = [Axis.EXPLICIT, Axis.AIGC, Axis.C2PA, *([Axis.WATERMARK] if Mark.WATERMARK in marks else [])]
    assert {found.axes[one].verdict for one in asked} == {Verdict.OK}
    assert labelling.verify(source).axes[Axis.EXPLICIT].verdict is Verdict.UNKNOWN


def test_a_tiff_keeps_its_compression_resolution_and_words() -> None:
    picture = pixels.decoded(
        data := saved("TIFF", compression="tiff_lzw", description="a river", dpi=(300, 300)), Kind.TIFF
    )
    again = Image.open(io.BytesIO(pixels.encoded(picture, picture.rgb, Kind.TIFF)))
    was = Image.open(io.BytesIO(data))

    assert (np.asarray(again) == np.asarray(was)).all()
    assert again.info["compression"] == "tiff_lzw" and again.tag_v2[270] == "a river"
    assert again.info["dpi"] == was.info["dpi"]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (Kind.TIFF, lambda: saved("TIFF", save_all=True, append_images=[Image.fromarray(RIVER)])),
        (Kind.TIFF, lambda: saved("TIFF", Image.fromarray(RIVER.astype(np.uint16)[..., 0] * 100))),
        (Kind.TIFF, lambda: saved("TIFF", Image.fromarray(RIVER).convert("CMYK"))),
        (Kind.AVIF, (DATA.parent / "tests" / "data" / "labelling" / "anim.avif").read_bytes),
        (Kind.HEIC, (DATA.parent / "tests" / "data" / "labelling" / "enc.heic").read_bytes),
    ],
)
def test_what_would_come_out_as_less_is_left_alone(kind, content) -> None:
    with pytest.raises(Unwritable):
        pixels.decoded(content(), kind)


def test_avif_of_ten_bits_is_left_alone() -> None:
    done, encoded = cv2.imencode(".avif", (RIVER[..., ::-1].astype(np.uint16) << 2), [cv2.IMWRITE_AVIF_DEPTH, 10])
    assert done
    with pytest.raises(Unwritable):
        pixels.decoded(encoded.tobytes(), Kind.AVIF)


def test_a_gif_with_blocks_of_text_is_left_alone() -> None:
    data = saved("GIF")
    text = b"\x21\x01\x0c" + bytes(12) + b"\x02hi\x00"
    with pytest.raises(Unwritable):
        gifs.put(data[:-1] + text + data[-1:], "en", FONT)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 255)), min_size=1, max_size=6), st.integers(0, 3))
def test_no_damage_to_a_file_ends_in_anything_but_a_named_refusal(flips, which) -> None:
    kind, whole = small()[which]
    data = bytearray(whole)
    for at, by in flips:
        data[at % len(data)] ^= by
    try:
        if kind is Kind.GIF:
            gifs.put(bytes(data), "en", FONT)
        else:
            picture = pixels.decoded(bytes(data), kind)
            pixels.encoded(picture, picture.rgb, kind)
    except (Broken, Unwritable):
        return


@cache
def small() -> tuple[tuple[Kind, bytes], ...]:
    one = Image.fromarray(RIVER[:120, :160])
    return (
        (Kind.GIF, saved("GIF", one)),
        (Kind.TIFF, saved("TIFF", one, compression="tiff_lzw")),
        (Kind.TIFF, saved("TIFF", one)),
        (Kind.AVIF, saved("AVIF", one)),
    )
