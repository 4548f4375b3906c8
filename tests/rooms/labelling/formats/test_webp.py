"""WebP: one packet of XMP, announced, and the picture as it was."""

import io
import struct

import pytest
from tests.rooms.labelling.formats.media import LABEL, LONGER, labelled, sample

from safebelt.rooms.labelling.formats import webp, xmp
from safebelt.rooms.labelling.formats.carrier import Broken
from safebelt.rooms.labelling.formats.riff import Chunk, chunks, made

NAMES = ("lossy.webp", "lossless.webp", "alpha.webp", "anim.webp")


def parts(data: bytes) -> list[Chunk]:
    assert struct.unpack_from("<I", data, 4)[0] == len(data) - 8
    return list(chunks(data, 12, len(data)))


def whole(*inside: bytes) -> bytes:
    body = b"WEBP" + b"".join(inside)
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("name", NAMES)
def test_pillow_decodes_the_same_pixels_and_reads_the_packet(name) -> None:
    pillow = pytest.importorskip("PIL.Image", reason="Pillow is not here to decode the picture")

    before, after = pillow.open(io.BytesIO(sample(name))), pillow.open(io.BytesIO(labelled(sample(name), webp, LONGER)))

    assert after.size == before.size
    assert after.mode == before.mode
    for frame in range(getattr(before, "n_frames", 1)):
        before.seek(frame)
        after.seek(frame)
        assert before.tobytes() == after.tobytes()
    assert xmp.labels(after.info["xmp"]) == [LONGER]


@pytest.mark.parametrize("name", ["lossy.webp", "lossless.webp"])
def test_a_bare_image_gets_the_announcement_with_the_canvas_it_says(name) -> None:
    assert parts(sample(name))[0].kind in (b"VP8 ", b"VP8L")

    new = labelled(sample(name), webp)

    first = parts(new)[0]
    assert first.kind == b"VP8X"
    assert new[first.body] & 0x04
    assert new[first.body + 4 : first.body + 10] == (31).to_bytes(3, "little") + (29).to_bytes(3, "little")
    assert [chunk.kind for chunk in parts(new)][-1] == b"XMP "


def test_the_announcement_says_that_a_lossless_image_is_transparent() -> None:
    for alpha in (0, 1):
        image = made(b"VP8L", b"\x2f" + struct.pack("<I", 9 | 4 << 14 | alpha << 28) + b"rest")

        new = labelled(whole(image), webp)

        first = parts(new)[0]
        assert bool(new[first.body] & 0x10) == bool(alpha)
        assert new[first.body + 4 : first.body + 10] == b"\x09\0\0\x04\0\0"


def test_an_extended_file_changes_by_one_bit_and_its_packet() -> None:
    old = sample("alpha.webp")

    new = labelled(old, webp)

    assert [chunk.kind for chunk in parts(new)] == [chunk.kind for chunk in parts(old)]
    assert b"<dc:source>Kept</dc:source>" in new
    for before, after in zip(parts(old), parts(new), strict=True):
        if before.kind not in (b"VP8X", b"XMP "):
            assert old[before.start : before.end] == new[after.start : after.end]


def test_other_packets_and_the_users_comment_lose_their_labels() -> None:
    text = b"ASCII\0\0\0" + b'{"AIGC":' + LABEL.encode() + b"}"
    ifd = struct.pack("<HHHIII", 1, 0x8769, 4, 1, 26, 0)
    comment = struct.pack("<HHHIII", 1, 0x9286, 7, len(text), 44, 0)
    exif = made(b"EXIF", b"Exif\0\0II*\0\x08\0\0\0" + ifd + comment + text)
    image = made(b"VP8L", b"\x2f" + struct.pack("<I", 9 | 4 << 14) + b"rest")
    packet = made(b"XMP ", xmp.merged(None, LABEL))
    data = whole(made(b"VP8X", b"\x0c" + bytes(9)), image, exif, packet, packet)
    assert [found.is_native for found in webp.read(data)] == [True, True, False]

    new = labelled(data, webp)

    assert [chunk.kind for chunk in parts(new)] == [b"VP8X", b"VP8L", b"EXIF", b"XMP ", b"XMP "]


@pytest.mark.parametrize(
    "data",
    [
        b"", b"RIFF\x04\0\0\0WEBP", sample("lossy.webp")[:-3], whole(made(b"JUNK", b"x")),
        whole(made(b"VP8 ", b"\0\0\0\x9d\x01\x2a\0\0\0\0")), whole(made(b"VP8L", b"\x2e1234")),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_broken(data) -> None:
    with pytest.raises(Broken):
        webp.write(data, LABEL)
