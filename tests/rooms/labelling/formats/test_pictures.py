"""JPEG, PNG, GIF, TIFF and SVG take the label in: pixels, profiles and other metadata stay, others' readers see it."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from lxml import etree
from PIL import Image, ImageCms, PngImagePlugin
from tests.rooms.labelling.formats.still_files import (
    OTHER,
    SVG,
    VALUE,
    WRAPPED,
    alone,
    exiftool,
    exiftool_all,
    image,
    marked,
    picture,
    saved,
    values,
)

from safebelt.rooms.labelling.formats import gif, jpeg, png, svg, tiff, xmp
from safebelt.rooms.labelling.formats.carrier import Broken, Span, Unwritable, applied
from safebelt.rooms.labelling.formats.kinds import Kind, carrier_of

XMP = b"http://ns.adobe.com/xap/1.0/\0"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif(comment: bytes = b"ASCII\0\0\0" + WRAPPED.encode()) -> Image.Exif:
    made = Image.Exif()
    made[0x010E], made[0x010F] = "AIGC" + VALUE, "Maker"
    made.get_ifd(0x8769)[0x9286] = comment
    return made


def frames() -> list[Image.Image]:
    return [picture().convert("P"), picture().rotate(180).convert("P")]


PICTURES = {
    "jpeg": (Kind.JPEG, lambda: image("JPEG", quality=90, icc_profile=PROFILE, comment=b"a comment")),
    "jpeg progressive": (Kind.JPEG, lambda: image("JPEG", progressive=True, exif=exif())),
    "jpeg grey": (Kind.JPEG, lambda: image("JPEG", picture().convert("L"), dpi=(300, 300))),
    "png": (Kind.PNG, lambda: image("PNG", icc_profile=PROFILE, dpi=(72, 72))),
    "png palette": (Kind.PNG, lambda: image("PNG", picture().convert("P"), exif=exif())),
    "png alpha": (Kind.PNG, lambda: image("PNG", picture().convert("RGBA"))),
    "apng": (
        Kind.PNG,
        lambda: saved(lambda out: frames()[0].save(out, "PNG", save_all=True, append_images=frames()[1:])),
    ),
    "gif": (Kind.GIF, lambda: image("GIF", comment=b"c")),
    "gif animated": (
        Kind.GIF,
        lambda: saved(lambda out: frames()[0].save(out, "GIF", save_all=True, append_images=frames()[1:], loop=0)),
    ),
    "tiff": (Kind.TIFF, lambda: image("TIFF", icc_profile=PROFILE, description="kept")),
    "tiff lzw": (Kind.TIFF, lambda: image("TIFF", compression="tiff_lzw")),
    "tiff big": (Kind.TIFF, lambda: image("TIFF", big_tiff=True)),
    "tiff pages": (
        Kind.TIFF,
        lambda: saved(lambda out: frames()[0].save(out, "TIFF", save_all=True, append_images=frames()[1:])),
    ),
}
each = pytest.mark.parametrize(("kind", "make"), PICTURES.values(), ids=PICTURES)


def shown(data: bytes) -> list[bytes]:
    """Every frame as decoded."""
    with Image.open(io.BytesIO(data)) as opened:
        pictures = list[bytes]()
        for number in range(getattr(opened, "n_frames", 1)):
            opened.seek(number)
            pictures.append(opened.convert("RGBA").tobytes())
        return pictures


@each
def test_the_label_is_alone_in_its_place_and_every_pixel_is_the_same(kind: Kind, make) -> None:
    data = make()

    made = marked(data, VALUE, kind)

    assert alone(carrier_of(kind).read(made), VALUE)
    assert shown(made) == shown(data)
    assert marked(made, VALUE, kind) == made


@each
def test_another_label_replaces_it_and_the_first_can_come_back(kind: Kind, make) -> None:
    data = make()
    made = marked(data, VALUE, kind)

    other = marked(made, OTHER, kind)

    assert alone(carrier_of(kind).read(other), OTHER)
    assert b"rec-01" not in other
    assert alone(carrier_of(kind).read(marked(other, VALUE, kind)), VALUE)
    assert shown(other) == shown(data)


@each
def test_profile_comment_and_resolution_are_kept(kind: Kind, make) -> None:
    data = make()

    before, after = (Image.open(io.BytesIO(one)).info for one in (data, marked(data, VALUE, kind)))

    for key in ("icc_profile", "comment", "dpi", "loop", "duration", "transparency"):
        assert before.get(key) == after.get(key), key


def test_exiftool_sees_every_label_and_nothing_wrong(tmp_path: Path) -> None:
    plain = {f"{number}.{kind.value}": make() for number, (kind, make) in enumerate(PICTURES.values())}
    plain["drawing.svg"] = SVG.encode()
    made = {name: marked(data, VALUE, Kind(name.rpartition(".")[2])) for name, data in plain.items()}

    before = exiftool_all(tmp_path, plain)
    after = exiftool_all(tmp_path, made)

    for name in plain:
        key = "XMP-TC260:SvgMetadataAigc" if name.endswith("svg") else "XMP-TC260:Aigc"
        assert after[name][key] == VALUE, name
        assert key not in before[name]
        for fault in ("ExifTool:Error", "ExifTool:Warning"):
            assert before[name].get(fault) == after[name].get(fault), name


@pytest.mark.parametrize(("kind", "name"), [(Kind.JPEG, "JPEG"), (Kind.PNG, "PNG"), (Kind.TIFF, "TIFF")])
def test_pillow_finds_the_packet_of_its_own(kind: Kind, name: str) -> None:
    with Image.open(io.BytesIO(marked(image(name), VALUE, kind))) as opened:
        packet = (
            opened.info.get("xmp") or opened.info.get("XML:com.adobe.xmp") or getattr(opened, "tag_v2", {}).get(700)
        )

    assert xmp.labels(packet if isinstance(packet, bytes) else str(packet).encode()) == [VALUE]


@pytest.mark.parametrize(("kind", "name"), [(Kind.JPEG, "JPEG"), (Kind.PNG, "PNG")])
def test_labels_in_exif_are_found_and_blanked_in_place(kind: Kind, name: str) -> None:
    data = image(name, exif=exif())

    found = carrier_of(kind).read(data)
    made = marked(data, VALUE, kind)

    assert sorted(one.value for one in found) == sorted([WRAPPED, VALUE])
    assert all(not one.is_native and one.at is not None for one in found)
    assert all(data[one.at : one.at + one.length].decode() in (WRAPPED, "AIGC" + VALUE) for one in found)
    kept = Image.open(io.BytesIO(made)).getexif()
    assert kept[0x010F] == "Maker" and kept[0x010E].strip() == ""


def test_a_user_comment_in_wide_characters_is_found_and_blanked() -> None:
    data = image("JPEG", exif=exif(b"UNICODE\0" + ("文" + WRAPPED).encode("utf-16-le")))

    assert WRAPPED in [one for one, _native in values(data, Kind.JPEG)]
    assert alone(jpeg.read(marked(data)), VALUE)
    assert "文".encode("utf-16-le") in marked(data)


def segment(payload: bytes, marker: int = 0xE1) -> bytes:
    return bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2) + payload


@pytest.mark.parametrize(
    ("payload", "marker", "kept"),
    [
        (f"AIGC{VALUE}".encode(), 0xE1, b""),
        (WRAPPED.encode(), 0xEB, b""),
        (b"mine " + WRAPPED.encode() + b" too", 0xFE, b"mine  too"),
        (b"Photoshop 3.0\0" + WRAPPED.encode(), 0xED, b"Photoshop 3.0\0" + b" " * len(WRAPPED)),
        (XMP + b"<broken " + b"TC260:AIGC='{&quot;Label&quot;:1}'", 0xE1, None),
        (XMP + xmp.merged(None, OTHER), 0xE1, XMP),
    ],
    ids=["glued", "wrapped", "comment", "photoshop", "broken", "attribute"],
)
def test_labels_glued_into_segments_are_found_and_taken_out(payload: bytes, marker: int, kept: bytes | None) -> None:
    plain = image("JPEG")
    data = plain[:2] + segment(payload, marker) + plain[2:]

    assert len(jpeg.read(data)) == 1
    if kept is None:
        with pytest.raises(Broken):
            marked(data)
        return
    made = marked(data)

    assert alone(jpeg.read(made), VALUE) and kept in made
    assert shown(made) == shown(plain)


def test_a_content_credential_may_quote_a_label_and_is_left_alone() -> None:
    plain = image("JPEG")
    data = plain[:2] + segment(b"JP\0\1\0\0\0\1" + WRAPPED.encode(), 0xEB) + plain[2:]

    assert jpeg.read(data) == []
    assert WRAPPED.encode() in marked(data)


def test_a_packet_too_long_for_a_segment_goes_into_the_extended_one(tmp_path: Path) -> None:
    title = "t" * 64_500
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:source>{title}</dc:source>'
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    plain = image("JPEG")
    data = plain[:2] + segment(XMP + packet.encode()) + plain[2:]

    made = marked(data, OTHER)

    assert alone(jpeg.read(made), OTHER) and shown(made) == shown(plain)
    assert marked(made, OTHER) == made
    seen = exiftool(tmp_path / "a.jpg", made)
    assert seen["XMP-dc:Source"] == title and seen["XMP-TC260:Aigc"] == OTHER


def test_a_label_in_an_extended_packet_is_found_and_taken_out(tmp_path: Path) -> None:
    plain = image("JPEG")
    main, extended, guid = xmp.outsourced(
        xmp.merged(b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>', OTHER).replace(b"</x:x", b"<!-- kept --></x:x"), VALUE
    )
    extended = xmp.merged(extended, OTHER)
    head = b"http://ns.adobe.com/xmp/extension/\0" + guid + len(extended).to_bytes(4)
    parts = [segment(head + at.to_bytes(4) + extended[at : at + 1000]) for at in range(0, len(extended), 1000)]
    data = plain[:2] + segment(XMP + main) + b"".join(reversed(parts)) + plain[2:]

    assert [one for one, _native in values(data, Kind.JPEG)] == [VALUE, OTHER]

    made = marked(data)

    assert alone(jpeg.read(made), VALUE) and b"kept" in made
    assert exiftool(tmp_path / "a.jpg", made, "-validate").get("ExifTool:Warning") is None


def test_a_full_jpeg_says_why_it_takes_no_label() -> None:
    plain = image("JPEG")
    main, extended, guid = xmp.outsourced(b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>', VALUE)
    main = main.replace(b"</x:xmpmeta>", b"<!--" + b"-x" * 32_100 + b"--></x:xmpmeta>")
    head = b"http://ns.adobe.com/xmp/extension/\0" + guid + len(extended).to_bytes(4) + bytes(4)
    data = plain[:2] + segment(XMP + main) + segment(head + extended) + plain[2:]

    with pytest.raises(Unwritable) as refused:
        marked(data, OTHER)

    assert "XMP" in refused.value.why.zh and "XMP" in refused.value.why.en


def test_the_index_of_further_pictures_still_points_at_them() -> None:
    data = saved(lambda out: picture().save(out, "MPO", save_all=True, append_images=[picture().rotate(180)]))

    made = marked(data)

    assert made != data and shown(made) == shown(data)
    with Image.open(io.BytesIO(made)) as opened:
        assert opened.n_frames == 2


def chunk(kind: bytes, payload: bytes) -> bytes:
    return len(payload).to_bytes(4) + kind + payload + zlib.crc32(kind + payload).to_bytes(4)


@pytest.mark.parametrize(
    ("late", "new"),
    [
        (False, chunk(b"tEXt", b"AIGC\0" + VALUE.encode())),
        (False, chunk(b"zTXt", b"AIGC\0\0" + zlib.compress(WRAPPED.encode()))),
        (True, chunk(b"iTXt", b"AIGC\0\1\0zh\0\0" + zlib.compress(b"{'Label'}"))),
        (True, chunk(b"iTXt", b"XML:com.adobe.xmp" + b"\0" * 5 + xmp.merged(None, OTHER))),
        (False, chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(xmp.merged(None, OTHER)))),
        (False, chunk(b"tEXt", b"Comment\0" + WRAPPED.encode())),
        (
            False,
            chunk(
                b"zTXt",
                b"Raw profile type xmp\0\0"
                + zlib.compress(b"\nxmp\n      99\n" + xmp.merged(None, OTHER).hex().encode()),
            ),
        ),
    ],
    ids=["tEXt", "zTXt", "iTXt", "late", "deflated", "comment", "magick"],
)
def test_every_wild_place_in_a_png_is_found_and_cleared(late: bool, new: bytes) -> None:
    plain = image("PNG")
    filler = chunk(b"tEXt", b"Own\0kept")
    at = len(plain) - 12 if late else 33
    data = plain[:at] + filler + new + plain[at:]

    assert len(png.read(data)) == 1

    made = marked(data, VALUE, Kind.PNG)

    assert alone(png.read(made), VALUE) and filler in made and shown(made) == shown(plain)
    assert made.index(b"XML:com.adobe.xmp") < made.index(b"IDAT")


def test_xmp_behind_more_than_a_megabyte_of_image_data_is_found() -> None:
    plain = image("PNG", Image.effect_noise((1300, 1300), 90))
    data = plain[:-12] + chunk(b"iTXt", b"XML:com.adobe.xmp" + b"\0" * 5 + xmp.merged(None, OTHER)) + plain[-12:]

    found = png.read(data)

    assert len(plain) > 1 << 20
    assert [(one.value, one.at) for one in found] == [(OTHER, len(plain) - 12)]


def test_every_checksum_of_a_png_is_right() -> None:
    with Image.open(io.BytesIO(marked(image("PNG"), VALUE, Kind.PNG))) as opened:
        assert isinstance(opened, PngImagePlugin.PngImageFile)
        opened.verify()


def test_an_edit_copies_image_data_and_does_not_hold_it() -> None:
    data = image("PNG", Image.effect_noise((600, 600), 90))

    edit = png.write(data, VALUE)

    assert sum(len(piece) for piece in edit if isinstance(piece, bytes)) < 2000
    assert sum(piece.end - piece.start for piece in edit if isinstance(piece, Span)) == len(data)


def test_an_old_gif_becomes_one_that_may_have_extensions() -> None:
    data = image("GIF").replace(b"GIF89a", b"GIF87a", 1)

    assert marked(data, VALUE, Kind.GIF).startswith(b"GIF89a")


def sub_blocks(raw: bytes) -> bytes:
    pieces = [raw[at : at + 255] for at in range(0, len(raw), 255)]
    return b"".join(bytes([len(piece)]) + piece for piece in pieces) + b"\0"


@pytest.mark.parametrize(
    "block",
    [
        b"\x21\xfe" + bytes([len(WRAPPED)]) + WRAPPED.encode() + b"\0",
        b"\x21\xff\x0bXMP DataXMP" + xmp.merged(None, OTHER) + b"\1" + bytes(range(255, -1, -1)) + b"\0",
        b"\x21\xff\x0bXMP DataXMP" + sub_blocks(xmp.merged(None, VALUE)),
    ],
    ids=["comment", "late packet", "sub-blocks"],
)  # fmt: skip
def test_wild_labels_in_a_gif_are_found_and_cleared(block: bytes) -> None:
    plain = image("GIF")
    data = plain[:-1] + block + plain[-1:]

    assert len(gif.read(data)) == 1

    assert alone(gif.read(marked(data, OTHER, Kind.GIF)), OTHER)


def test_a_tiff_of_the_other_byte_order_takes_the_label() -> None:
    head = b"MM\0*" + (8).to_bytes(4)
    tags = [(256, 4, 1, 1), (257, 4, 1, 1), (258, 3, 1, 8 << 16), (262, 3, 1, 1 << 16), (273, 4, 1, 8 + 2 + 12 * 6 + 4)]
    tags.append((279, 4, 1, 1))
    data = head + struct.pack(">H", 6) + b"".join(struct.pack(">HHII", *tag) for tag in tags) + bytes(4) + b"\x7f"

    made = marked(data, VALUE, Kind.TIFF)

    assert alone(tiff.read(made), VALUE) and shown(made) == shown(data)
    assert marked(marked(made, OTHER, Kind.TIFF), VALUE, Kind.TIFF).count(b"TC260:AIGC") == 2


def test_a_tiff_keeps_every_offset_it_has() -> None:
    data = image("TIFF", compression="tiff_lzw")

    made = marked(data, VALUE, Kind.TIFF)

    assert made[8 : len(data)] == data[8:]


@pytest.mark.parametrize(
    "data",
    [
        SVG.encode(),
        SVG.replace("UTF-8", "utf-16").encode("utf-16"),
        SVG.replace("UTF-8", "gb18030").encode("gb18030"),
        b"<svg/>",
        b'<s:svg xmlns:s="http://www.w3.org/2000/svg"><s:metadata/></s:svg>',
        b'<svg xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><metadata><rdf:RDF><x/></rdf:RDF></metadata></svg>',
        f"<svg><!-- <rdf:RDF></rdf:RDF> --><desc>{WRAPPED}</desc><metadata>AIGC{VALUE}</metadata></svg>".encode(),
        b'<svg xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/" TC260:AIGC="{&quot;Label&quot;:&quot;1&quot;}"></svg>',
        b'<!DOCTYPE svg [<!ENTITY a "b"> <!-- don\'t -->]><svg>&a;</svg>',
    ],
)
def test_a_drawing_takes_the_label_into_its_metadata(data: bytes) -> None:
    made = marked(data, VALUE, Kind.SVG)

    assert alone(svg.read(made), VALUE)
    assert marked(made, VALUE, Kind.SVG) == made
    assert alone(svg.read(marked(made, OTHER, Kind.SVG)), OTHER)
    parsed = etree.fromstring(made)
    elements = list(parsed.iter("{http://www.tc260.org.cn/ns/AIGC/1.0/}AIGC"))
    assert [one.text for one in elements] == [VALUE]


def test_a_drawing_stays_but_for_its_new_first_child() -> None:
    made = marked(SVG.encode(), VALUE, Kind.SVG)

    at, end = made.index(b"<metadata>"), made.index(b"</metadata>") + len(b"</metadata>")
    assert made[:at] + made[end:] == SVG.encode()
    assert made[:at].endswith(b'aria-label="a>b">')


def test_an_edit_of_a_broken_file_is_refused() -> None:
    for kind, data in (
        (Kind.JPEG, b"\xff\xd8\xff"),
        (Kind.PNG, b"\x89PNG"),
        (Kind.GIF, b"GIF89a"),
        (Kind.TIFF, b"II*\0"),
        (Kind.SVG, b"<p/>"),
    ):
        with pytest.raises(Broken):
            applied(data, carrier_of(kind).write(data, VALUE))
