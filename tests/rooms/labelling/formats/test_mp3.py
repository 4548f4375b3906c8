"""MP3: a frame of an ID3 tag of any version; other frames, other tags and the sound stay."""

import struct
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.labelling.formats.media import LABEL, LONGER, copied, label, labelled, sample

from safebelt.rooms.labelling.formats import id3, mp3, xmp
from safebelt.rooms.labelling.formats.carrier import Broken, Unwritable

SOUND = b"\xff\xfb\x90\x64" + bytes(range(256)) * 4
LATIN_COVER = b"\xff\xe0\xff\x00\xff\xfe picture \xff"


def safe(number: int, length: int = 4) -> bytes:
    return bytes(number >> 7 * place & 127 for place in reversed(range(length)))


def frame(version: int, name: bytes, body: bytes, flags: bytes = b"\0\0") -> bytes:
    if version == 2:
        return name + len(body).to_bytes(3) + body
    return name + (safe(len(body)) if version == 4 else struct.pack(">I", len(body))) + flags + body


def tag(version: int, body: bytes, flags: int = 0) -> bytes:
    head = bytes((version, 0, flags)) + safe(len(body))
    return b"ID3" + head + body + (b"3DI" + head if flags & 0x10 else b"")


def title(version: int) -> bytes:
    return frame(version, b"TT2" if version == 2 else b"TIT2", b"\0Kept")


def user(version: int, description: str, value: str) -> bytes:
    body = b"\0" + description.encode() + b"\0" + value.encode()
    return frame(version, b"TXX" if version == 2 else b"TXXX", body)


def only(data: bytes) -> id3.Tag:
    first = id3.tag_at(data, 0)
    assert first is not None
    return first


@pytest.mark.parametrize("version", [2, 3, 4])
def test_a_tag_of_each_version_takes_the_label_and_keeps_its_frames_and_the_sound(version) -> None:
    data = tag(version, title(version) + user(version, "mood", "Kept too")) + SOUND

    for value in (LABEL, LONGER, label("r")):
        data = labelled(data, mp3, value)
        assert [one.raw for one in only(data).frames[:2]] == [title(version), user(version, "mood", "Kept too")]
        assert data.endswith(SOUND)


@pytest.mark.parametrize("version", [2, 3, 4])
def test_padding_is_used_before_a_tag_grows(version) -> None:
    data = tag(version, title(version) + bytes(500)) + SOUND

    new = labelled(data, mp3)

    assert len(new) == len(data)
    assert copied(mp3.write(data, LABEL)) <= 600


def test_a_file_without_a_tag_gets_one_of_the_version_that_most_readers_take() -> None:
    new = labelled(SOUND, mp3)

    assert new[3] == 3
    assert new.endswith(SOUND)
    assert new[: -len(SOUND)].endswith(bytes(10))


@pytest.mark.parametrize("version", [2, 3])
def test_a_tag_that_is_unsynchronised_stays_so(version) -> None:
    cover = frame(version, b"PIC" if version == 2 else b"APIC", LATIN_COVER)
    body = cover.replace(b"\xff\0", b"\xff\0\0").replace(b"\xff\xe0", b"\xff\0\xe0").replace(b"\xff\xfe", b"\xff\0\xfe")
    data = tag(version, body + bytes(20), 0x80) + SOUND
    assert only(data).frames[0].raw == cover

    new = labelled(data, mp3)

    assert only(new).frames[0].raw == cover
    assert not any(a == 255 and b >= 224 for a, b in pairwise(new[10 : -len(SOUND)]))


def test_words_of_other_scripts_are_unsynchronised_too() -> None:
    data = tag(3, title(3), 0x80) + SOUND

    labelled(data, mp3, '{"Label":"1","ContentProducer":"某某公司ÿ"}')


def test_frames_of_2_4_that_are_compressed_grouped_or_sized_are_read() -> None:
    text = b"\0AIGC\0" + LABEL.encode()
    packed = zlib.compress(text)
    shapes = (
        frame(4, b"TXXX", safe(len(text)) + packed, b"\0\x09"),
        frame(4, b"TXXX", b"\x42" + text, b"\0\x40"),
        frame(4, b"TXXX", safe(len(text)) + text, b"\0\x03"),
        frame(3, b"TXXX", struct.pack(">I", len(text)) + packed, b"\0\x80"),
    )
    for shape in shapes:
        version = 3 if shape is shapes[-1] else 4
        assert [found.value for found in mp3.read(tag(version, title(version) + shape) + SOUND)] == [LABEL]

        labelled(tag(version, title(version) + shape) + SOUND, mp3)


def test_what_is_encrypted_or_no_deflate_at_all_is_left_alone() -> None:
    locked = frame(4, b"TXXX", b"\x01" + user(4, "AIGC", LABEL)[10:], b"\0\x04")
    torn = frame(4, b"TXXX", b"not deflate", b"\0\x08")
    data = tag(4, locked + torn) + SOUND
    assert mp3.read(data) == []

    assert [one.raw for one in only(labelled(data, mp3)).frames[:2]] == [locked, torn]


def test_plain_sizes_in_2_4_as_an_old_itunes_wrote_them_are_understood() -> None:
    long = b"TXXX" + struct.pack(">I", 300) + b"\0\0" + b"\0mood\0" + b"x" * 294
    data = tag(4, long + title(4)) + SOUND

    new = labelled(data, mp3)

    assert [one.raw for one in only(new).frames[:2]] == [long, title(4)]


def test_a_footer_follows_the_length_of_its_tag_which_has_no_padding() -> None:
    data = tag(4, title(4), 0x10) + SOUND

    new = labelled(data, mp3)

    first = only(new)
    assert new[first.end - 10 : first.end - 7] == b"3DI"
    assert new[first.end - 4 : first.end] == new[6:10]
    assert new.endswith(SOUND)


def test_checksums_of_extended_headers_are_made_anew() -> None:
    frames = title(3)
    extended = struct.pack(">IHII", 10, 0x8000, 20, zlib.crc32(frames))
    three = labelled(tag(3, extended + frames + bytes(20), 0x40) + SOUND, mp3)
    body = only(three)
    kept = b"".join(one.raw for one in body.frames)
    assert three[10:24] == struct.pack(">IHII", 10, 0x8000, len(body.tail), zlib.crc32(kept))

    frames = title(4)
    extended = safe(12) + b"\x01\x20\x05" + safe(zlib.crc32(frames + bytes(20)), 5)
    four = labelled(tag(4, extended + frames + bytes(20), 0x40) + SOUND, mp3)
    body = only(four)
    kept = b"".join(one.raw for one in body.frames) + body.tail
    assert four[10:22] == safe(12) + b"\x01\x20\x05" + safe(zlib.crc32(kept), 5)


def ape(*items: tuple[str, str], header: bool = True) -> bytes:
    body = b"".join(struct.pack("<II", len(value), 0) + key.encode() + b"\0" + value.encode() for key, value in items)
    ends = struct.pack("<III", 2000, len(body) + 32, len(items))
    first = b"APETAGEX" + ends + struct.pack("<I", 0xA0000000) + bytes(8)
    return (first if header else b"") + body + b"APETAGEX" + ends + struct.pack("<I", 0x80000000 * header) + bytes(8)


V1 = b"TAG" + b"Kept".ljust(125, b"\0")


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("end", [b"", V1])
def test_tags_at_the_end_stay_but_for_their_labels(header, end) -> None:
    data = tag(3, title(3)) + SOUND + ape(("Title", "Kept"), ("AIGC", LABEL), ("Artist", "x"), header=header) + end
    assert [found.place for found in mp3.read(data)] == ["APEv2 AIGC"]

    new = labelled(data, mp3)

    assert new.endswith(SOUND + ape(("Title", "Kept"), ("Artist", "x"), header=header) + end)


def test_labels_in_comments_packets_second_tags_and_a_tag_at_the_end_give_way() -> None:
    comment = frame(3, b"COMM", b"\0eng\0" + b'{"AIGC":' + LABEL.encode() + b"}")
    packet = frame(3, b"PRIV", b"XMP\0" + xmp.merged(None, LABEL))
    data = tag(3, comment + packet + title(3)) + tag(4, user(4, "AIGC", LABEL) + title(4)) + SOUND
    data += tag(4, title(4) + user(4, "aigc", LABEL), 0x10) + V1
    assert [found.is_native for found in mp3.read(data)] == [False] * 4

    new = labelled(data, mp3)

    assert new.count(title(3)) == 3  # which looks the same in each version
    assert new.endswith(V1)


def test_a_description_in_utf_16_and_the_first_of_several_labels_are_read() -> None:
    wide = frame(3, b"TXXX", b"\1" + "AIGC".encode("utf-16") + b"\0\0" + LABEL.encode("utf-16"))
    data = tag(3, wide + user(3, "AIGC", LONGER) + user(3, "x:aigc", LABEL)) + SOUND

    assert [(found.value, found.is_native) for found in mp3.read(data)] == [
        (LABEL, True), (LONGER, True), (LABEL, False),
    ]  # fmt: skip
    labelled(data, mp3)


def test_what_is_neither_frame_nor_padding_is_not_written_over() -> None:
    with pytest.raises(Unwritable):
        mp3.write(tag(3, title(3) + b"\x01" + user(3, "AIGC", LABEL)) + SOUND, LABEL)


def test_names_of_2_2_that_were_left_in_a_later_tag_are_frames() -> None:
    old = frame(3, b"TT2\0", b"\0Kept") + frame(3, b"COM ", b"\0eng\0Kept")

    new = labelled(tag(3, old) + SOUND, mp3)

    assert b"".join(one.raw for one in only(new).frames[:2]) == old


def test_a_tag_that_says_it_is_compressed_is_refused() -> None:
    with pytest.raises(Unwritable):
        mp3.write(tag(2, b"whatever", 0x40) + SOUND, LABEL)


@pytest.mark.parametrize(
    "data",
    [tag(3, title(3))[:-1], tag(3, b"TIT2\x7f\xff\xff\xff\0\0x"), tag(3, b"\x7f\xff\xff\xff", 0x40),
     b"ID3\3\0\0\x7f\x7f\x7f\x7f", SOUND + ape(("a", "b"))[:-44] + b"APETAGEX" + struct.pack("<III", 2000, 99999, 1) + bytes(12),
     tag(3, title(3) * 20_000)],
)  # fmt: skip
def test_tags_that_end_beyond_the_file_and_frames_beyond_their_tag_are_broken(data) -> None:
    with pytest.raises(Broken):
        mp3.write(data, LABEL)


@given(number=st.integers(0, 2**28 - 1))
def test_numbers_of_seven_bits_come_back(number) -> None:
    assert id3.synchsafe(id3.as_synchsafe(number)) == number
    assert max(id3.as_synchsafe(number)) < 128


def test_a_block_keeps_its_length_when_its_label_goes() -> None:
    for version in (2, 3, 4):
        block = tag(version, title(version) + user(version, "AIGC", LABEL) + bytes(3))

        assert len(id3.without(block)) == len(block)
        assert id3.labels(id3.without(block), "x", None, is_native=False) == []
        assert title(version) in id3.without(block)
    footed = tag(4, user(4, "AIGC", LABEL) + title(4), 0x10)
    assert len(id3.without(footed)) == len(footed)


def test_real_files_keep_their_sound() -> None:
    for name in ("three.mp3", "four.mp3", "bare.mp3"):
        assert labelled(sample(name), mp3).endswith(sample(name)[-400:])
