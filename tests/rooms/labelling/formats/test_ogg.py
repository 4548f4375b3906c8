"""Ogg: comments laced anew, pages numbered and summed right, and no other page touched where it need not be."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.labelling.formats.media import LABEL, copied, label, labelled, sample
from tests.rooms.labelling.formats.test_flac import block, comments

from safebelt.rooms.labelling.formats import ogg
from safebelt.rooms.labelling.formats.carrier import Broken, Unwritable

HEADS = {
    "opus": (b"OpusHead" + bytes(11), b"OpusTags", b""),
    "vorbis": (b"\x01vorbis" + bytes(23), b"\x03vorbis", b"\x01"),
    "theora": (b"\x80theora" + bytes(35), b"\x81theora", b""),
    "speex": (b"Speex   " + bytes(72), b"", b""),
}


def crc(data: bytes) -> int:
    """The checksum of RFC 3533, bit by bit."""
    register = 0
    for byte in data:
        register ^= byte << 24
        for _bit in range(8):
            register = (register << 1) ^ (0x04C11DB7 if register & 0x80000000 else 0)
        register &= 0xFFFFFFFF
    return register


def page(number: int, *packets: bytes, flags: int = 0, granule: int = 0, serial: int = 7, ends: bool = True) -> bytes:
    lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes((len(packet) % 255,)) for packet in packets)
    lacing = lacing if ends else lacing[:-1]
    head = struct.pack("<4sBBqIII", b"OggS", 0, flags, granule, serial, number, 0) + bytes((len(lacing),)) + lacing
    raw = head + b"".join(packets)
    return raw[:22] + struct.pack("<I", ogg.checksum(raw)) + raw[26:]


def stream(codec: str, *entries: str, serial: int = 7, setup: bytes = b"") -> list[bytes]:
    """A stream of one page of beginning, one of comments and three of sound."""
    head, mark, rest = HEADS[codec]
    packets = [mark + comments(*entries) + rest, *([setup] if setup else [])]
    sound = [page(2 + n, b"sound %d" % n, granule=960 * n, serial=serial, flags=4 * (n == 2)) for n in range(3)]
    return [page(0, head, flags=2, serial=serial), page(1, *packets, serial=serial), *sound]


def pages(data: bytes) -> list[ogg.Page]:
    """The pages of a file, each of which has the checksum that a slow reader of bits makes."""
    at, found = 0, list[ogg.Page]()
    while at < len(data):
        one = ogg._page(data, at)
        raw = data[one.start : one.end]
        assert struct.unpack_from("<I", raw, 22)[0] == (ogg.checksum if len(raw) > 9000 else crc)(
            raw[:22] + bytes(4) + raw[26:]
        )
        found.append(one)
        at = one.end
    return found


def numbers(data: bytes, serial: int = 7) -> list[int]:
    return [one.number for one in pages(data) if one.serial == serial]


@given(st.binary(max_size=300))
def test_the_fast_checksum_is_the_one_of_the_standard(data) -> None:
    assert ogg.checksum(data) == crc(data)


@pytest.mark.parametrize("codec", HEADS)
def test_the_comments_of_each_codec_take_the_label_and_the_sound_stays(codec) -> None:
    old = stream(codec, "TITLE=Kept", setup=b"\x05setup" * 50 if codec == "vorbis" else b"")

    new = labelled(b"".join(old), ogg)

    assert new.endswith(b"".join(old[2:]))
    assert numbers(new) == [0, 1, 2, 3, 4]
    assert (b"\x05setup" * 50 in new) == (codec == "vorbis")


def test_flac_in_ogg_keeps_the_length_of_its_block() -> None:
    head = page(0, b"\x7fFLAC\x01\0\0\1fLaC" + block(0, bytes(34)), flags=2)
    data = head + page(1, block(4, comments("TITLE=Kept"), last=True)) + page(2, b"sound", granule=9)

    new = labelled(data, ogg)

    second = pages(new)[1]
    assert new[second.body] == 0x84
    assert int.from_bytes(new[second.body + 1 : second.body + 4]) == second.end - second.body - 4


def test_a_label_that_needs_a_page_more_numbers_all_later_ones_anew() -> None:
    old = stream("opus", "TITLE=Kept")
    other = stream("theora", serial=9)
    data = old[0] + other[0] + old[1] + other[1] + old[2] + other[2] + old[3] + other[3] + old[4] + other[4]

    new = labelled(data, ogg, label("x" * 65_000))

    assert numbers(new) == [0, 1, 2, 3, 4, 5]
    assert numbers(new, 9) == [0, 1, 2, 3, 4]
    assert [one.granule for one in pages(new) if one.serial == 7] == [0, -1, 0, 0, 960, 1920]
    back = labelled(new, ogg)
    assert numbers(back) == [0, 1, 2, 3, 4]
    assert back == labelled(data, ogg)


def test_comments_over_several_pages_stay_on_as_many_between_those_of_others() -> None:
    whole = HEADS["opus"][1] + comments("TITLE=Kept", "X=" + "x" * 2000)
    cut = 255 * 4
    old = [
        page(0, HEADS["opus"][0], flags=2), page(0, HEADS["theora"][0], flags=2, serial=9),
        page(1, whole[:cut], ends=False, granule=-1), page(1, b"\x81theora" + comments(), serial=9),
        page(2, whole[cut:], flags=1), page(3, b"sound", granule=960),
    ]  # fmt: skip

    new = labelled(b"".join(old), ogg)

    assert numbers(new) == [0, 1, 2, 3]
    assert [one.serial for one in pages(new)] == [7, 9, 7, 9, 7, 7]
    assert new.endswith(old[-1])


def test_streams_beside_and_behind_the_first_lose_their_labels() -> None:
    first, second = stream("opus", "TITLE=Kept"), stream("vorbis", "AIGC=" + LABEL, "X=Kept", serial=8, setup=b"\x05s")
    third = stream("opus", "aigc=" + LABEL, serial=7)
    data = first[0] + second[0] + first[1] + second[1] + b"".join(first[2:] + second[2:]) + b"".join(third)
    assert [found.is_native for found in ogg.read(data)] == [False, False]

    new = labelled(data, ogg)

    assert new.count(b"Kept") == 2
    assert numbers(new) == [0, 1, 2, 3, 4] * 2


def test_what_looks_like_a_beginning_and_has_no_checksum_is_sound() -> None:
    data = b"".join(stream("opus")) + page(5, b"OggS\0\x02" + bytes(40), granule=9999)

    assert labelled(data, ogg).endswith(data[-200:][data[-200:].index(b"OggS") :][-60:])


def test_the_padding_of_opus_and_what_others_keep_behind_their_comments_stays() -> None:
    old = [
        page(0, HEADS["opus"][0], flags=2),
        page(1, b"OpusTags" + comments("A=b") + b"\1binary"),
        page(2, b"s", granule=1),
    ]

    assert b"\1binary" in labelled(b"".join(old), ogg)


def test_real_files_change_by_one_page() -> None:
    for name in ("a.ogg", "a.opus", "flac.ogg"):
        assert copied(ogg.write(sample(name), LABEL)) < 4000
        assert labelled(sample(name), ogg).endswith(sample(name)[-100:])


def test_sound_on_a_page_of_comments_and_a_file_without_comments_are_refused() -> None:
    shared = page(0, HEADS["opus"][0], flags=2) + page(1, b"OpusTags" + comments(), b"sound", granule=960)
    strange = page(0, b"fishead\0" + bytes(40), flags=2)

    for data in (shared, strange):
        with pytest.raises(Unwritable):
            ogg.write(data, LABEL)


@pytest.mark.parametrize(
    "data",
    [b"", b"OggS" + bytes(30), b"".join(stream("opus"))[:40], stream("opus")[0],
     stream("opus")[0] + page(1, b"OpusXXXX"), stream("opus")[0] + page(1, b"x" * 254, ends=False, granule=-1),
     stream("vorbis")[0] + page(1, b"\x03vorbis\xff\xff\xff\xff")],
)  # fmt: skip
def test_pages_that_end_beyond_the_file_and_headers_without_end_are_broken(data) -> None:
    with pytest.raises(Broken):
        ogg.write(data, LABEL)


def test_comments_that_never_end_are_not_gathered_without_bound() -> None:
    data = stream("opus")[0] + b"".join(page(1, bytes(65_025), ends=False, granule=-1) for _number in range(300))

    with pytest.raises(Broken):
        ogg.read(data)
