"""HEIF and AVIF: the packet describes the primary image, pictures stay where they are, and tables say so."""

import io
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from PIL import Image
from tests.rooms.labelling.formats.media import LABEL, LONGER, label, labelled, sample
from tests.rooms.labelling.formats.test_mp4 import find, full

from safebelt.rooms.labelling.formats import heif, heif_plain, kinds, offsets, xmp
from safebelt.rooms.labelling.formats.boxes import boxes, made
from safebelt.rooms.labelling.formats.carrier import Broken, Unwritable, applied
from safebelt.rooms.labelling.formats.kinds import Kind

PICTURE = b"a picture, coded somehow"
KEPT = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:source>Kept</dc:source>'
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)
WIDTHS = {0x4400: "II", 0x4440: "II", 0x8800: "QQ"}


def entry(version: int, sizes: int, number: int, offset: int, length: int, method: int = 0) -> bytes:
    head = struct.pack(">I" if version == 2 else ">H", number) + (struct.pack(">H", method) if version else b"")
    base = bytes(sizes >> 4 & 15)
    return head + bytes(2) + base + struct.pack(">H", 1) + struct.pack(">" + WIDTHS[sizes], offset, length)


def infe(number: int, kind: bytes, rest: bytes = b"\0") -> bytes:
    return full(b"infe", struct.pack(">HH", number, 0) + kind + rest, version=2)


def image(
    *, version: int = 0, sizes: int = 0x4400, packet: bytes | None = None, in_idat: bool = False,
    between: bytes = b"", refers: bool = True, open_end: bool = False, exif: bytes | None = None,
) -> bytes:  # fmt: skip
    """An image of one picture, and of a packet of XMP and EXIF where asked for."""

    def meta(at: int) -> bytes:
        places = [(1, at, len(PICTURE), 0)]
        listing = [infe(1, b"av01")]
        after = at + len(PICTURE)
        if packet is not None:
            places.append((2, 0, len(packet), 1) if in_idat else (2, after, len(packet), 0))
            after += 0 if in_idat else len(packet)
            listing.append(infe(2, b"mime", b"XMP\0application/rdf+xml\0"))
        if exif is not None:
            places.append((3, after, len(exif), 0))
            listing.append(infe(3, b"Exif"))
        count = struct.pack(">I" if version == 2 else ">H", len(places))
        entries = b"".join(entry(version, sizes, *place) for place in places)
        iloc = full(b"iloc", struct.pack(">H", sizes) + count + entries, version=version)
        iinf = full(b"iinf", struct.pack(">H", len(listing)) + b"".join(listing))
        iref = full(b"iref", made(b"cdsc", struct.pack(">HHH", 2, 1, 1))) if refers and packet is not None else b""
        idat = made(b"idat", packet) if in_idat and packet is not None else b""
        hdlr = full(b"hdlr", bytes(4) + b"pict" + bytes(13))
        return full(b"meta", hdlr + full(b"pitm", b"\0\1") + iloc + iinf + iref + idat)

    ftyp = made(b"ftyp", b"heic\0\0\0\0mif1")
    body = PICTURE + (packet or b"" if not in_idat else b"") + (exif or b"")
    mdat = made(b"mdat", body)
    return (
        ftyp + meta(len(ftyp) + len(meta(0)) + len(between) + 8) + between + (bytes(4) + mdat[4:] if open_end else mdat)
    )


def item(data: bytes, number: int) -> bytes:
    """The bytes of an item, as the tables of the file say."""
    table = offsets.items(data, find(data, b"meta", b"iloc"))
    found = next(one for one in table if one.number == number)
    base = find(data, b"meta", b"idat").body if found.method == 1 else 0
    return b"".join(data[base + found.base + one.offset :][: one.length] for one in found.extents)


@pytest.mark.parametrize("sizes", WIDTHS)
@pytest.mark.parametrize("version", [0, 1, 2])
def test_a_packet_is_made_that_describes_the_primary_image_which_stays_whole(version, sizes) -> None:
    data = image(version=version, sizes=sizes)
    assert item(data, 1) == PICTURE

    new = labelled(data, heif)

    assert item(new, 1) == PICTURE
    assert xmp.labels(item(new, 2)) == [LABEL]
    cdsc = find(new, b"meta", b"iref")
    assert new[cdsc.body + 4 : cdsc.end] == made(b"cdsc", struct.pack(">HHH", 2, 1, 1))
    assert kinds.sniff(new) is Kind.HEIC


@pytest.mark.parametrize("in_idat", [True, False])
@pytest.mark.parametrize("version", [1, 2])
def test_a_packet_that_grows_moves_to_the_end_and_leaves_nothing_of_itself(in_idat, version) -> None:
    data = image(version=version, packet=KEPT, in_idat=in_idat)
    assert item(data, 2) == KEPT

    new = labelled(data, heif)

    assert item(new, 1) == PICTURE
    assert b"<dc:source>Kept</dc:source>" in item(new, 2)
    assert new.count(b"<dc:source>Kept") == 1
    assert [box.kind for box in boxes(new, 0, len(new), is_file=True)][-1] == b"mdat"


def test_a_packet_with_room_stays_where_it_is() -> None:
    data = labelled(image(packet=KEPT + b" " * 1000), heif)

    assert len(data) == len(image(packet=KEPT + b" " * 1000))
    assert len(labelled(data, heif, label("r"))) == len(data)


def test_free_space_behind_the_tables_takes_up_the_new_item() -> None:
    data = image(between=made(b"free", bytes(500)))

    new = labelled(data, heif)

    assert new.index(PICTURE) == data.index(PICTURE)
    assert item(new, 1) == PICTURE


def test_frames_that_reach_to_the_end_get_their_length_before_a_packet_follows() -> None:
    data = image(open_end=True)

    new = labelled(data, heif)

    assert item(new, 1) == PICTURE
    assert not any(box.is_open for box in boxes(new, 0, len(new), is_file=True))


def test_tables_that_reach_to_the_end_get_their_new_length() -> None:
    data = image(packet=KEPT, in_idat=True, version=1)
    start = data.index(b"meta") - 4
    tables_last = data[: data.index(b"mdat") - 4]
    data = tables_last[:start] + bytes(4) + tables_last[start + 4 :]

    new = labelled(data, heif)

    assert [box.kind for box in boxes(new, 0, len(new))] == [b"ftyp", b"meta", b"mdat"]


def test_a_label_in_the_users_comment_is_read_and_gives_way() -> None:
    text = b"ASCII\0\0\0" + b'{"AIGC":' + LABEL.encode() + b"}"
    ifd = struct.pack("<HHHIII", 1, 0x8769, 4, 1, 26, 0)
    comment = struct.pack("<HHHIII", 1, 0x9286, 7, len(text), 44, 0)
    data = image(exif=struct.pack(">I", 0) + b"II*\0\x08\0\0\0" + ifd + comment + text)
    assert [one.is_native for one in heif.read(data)] == [False]

    new = labelled(data, heif)

    assert len(item(new, 3)) == len(item(data, 3))
    assert item(new, 1) == PICTURE


def test_of_two_packets_the_one_that_describes_the_image_keeps_the_label() -> None:
    data = labelled(image(packet=KEPT), heif, LONGER)

    assert [one.is_native for one in heif.read(data)] == [True]


def test_real_avif_files_of_two_writers_keep_what_they_say() -> None:
    for name in ("a.avif", "anim.avif", "xmp.avif"):
        new = labelled(sample(name), heif)

        assert item(new, 1) == item(sample(name), 1)
    assert b"<dc:source>Kept</dc:source>" in new


@pytest.mark.parametrize("name", ["a.avif", "anim.avif", "xmp.avif"])
def test_pillow_decodes_the_same_pixels_and_reads_the_packet(name) -> None:
    pillow = pytest.importorskip("PIL.Image", reason="Pillow is not here to decode the picture")
    features = pytest.importorskip("PIL.features")
    if not features.check("avif"):
        pytest.skip("this Pillow does not decode AVIF")

    before, after = pillow.open(io.BytesIO(sample(name))), pillow.open(io.BytesIO(labelled(sample(name), heif)))

    for frame in range(getattr(before, "n_frames", 1)):
        before.seek(frame)
        after.seek(frame)
        assert before.tobytes() == after.tobytes()
    if name != "anim.avif":  # of a sequence it shows what describes the track
        assert xmp.labels(after.info["xmp"]) == [LABEL]


def test_a_table_without_room_for_offsets_is_refused_and_a_missing_one_is_broken() -> None:
    narrow = image().replace(b"\x44\0\0\1", b"\0\0\0\1", 1)

    with pytest.raises((Unwritable, Broken)):
        heif.write(narrow, LABEL)
    with pytest.raises(Broken):
        heif.read(image().replace(b"iloc", b"ixxx"))
    with pytest.raises(Broken):
        heif.read(image().replace(b"pitm", b"pxxx"))


needs_heif_convert = pytest.mark.skipif(shutil.which("heif-convert") is None, reason="heif-convert is not here")


def pixels(data: bytes, folder: Path, ending: str) -> bytes:
    """The picture as libheif decodes it."""
    source, out = folder / f"a.{ending}", folder / "a.png"
    source.write_bytes(data)
    out.unlink(missing_ok=True)
    subprocess.run(["heif-convert", source, out], check=True, capture_output=True, timeout=60)
    with Image.open(out) as opened:
        return opened.tobytes()


@needs_heif_convert
@pytest.mark.parametrize("name", ["enc.heic", "enc.avif"])
def test_a_picture_of_heif_enc_decodes_to_the_same_pixels_labelled_and_with_a_plain_table(name, tmp_path) -> None:
    data = sample(name)
    made = labelled(data, heif)

    plain = applied(made, heif_plain.plain(made))

    whole = pixels(data, tmp_path, name[-4:])
    assert pixels(made, tmp_path, name[-4:]) == whole
    assert pixels(plain, tmp_path, name[-4:]) == whole
    assert [one.value for one in heif.read(plain)] == [LABEL]


@pytest.mark.parametrize("sizes", WIDTHS)
@pytest.mark.parametrize("version", [0, 1, 2])
def test_a_plain_table_has_no_bases_and_says_the_same_places(version, sizes) -> None:
    data = image(version=version, sizes=sizes, packet=KEPT, in_idat=bool(version))

    made = applied(data, heif_plain.plain(data))

    table = find(made, b"meta", b"iloc")
    assert offsets.shape(made, table)[1][2:] == (0, 0)
    assert [item(made, number) for number in (1, 2)] == [PICTURE, KEPT]
    assert len(made) == len(data)


def test_a_table_that_is_plain_already_is_left_as_it_is() -> None:
    data = image()

    assert applied(data, heif_plain.plain(data)) == data


@pytest.mark.parametrize("cut", [0, 20, 60, 100])
def test_a_table_that_is_not_whole_is_broken(cut) -> None:
    with pytest.raises((Broken, Unwritable)):
        heif_plain.plain(image(packet=KEPT)[:cut])
