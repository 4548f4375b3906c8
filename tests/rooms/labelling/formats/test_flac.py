"""FLAC: one comment among the others; padding gives way first."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.labelling.formats.media import LABEL, LONGER, label, labelled, sample

from safebelt.rooms.labelling.formats import flac, id3, vorbis
from safebelt.rooms.labelling.formats.carrier import Broken

SOUND = b"\xff\xf8 frames"
STREAM = bytes(34)


def block(kind: int, body: bytes, *, last: bool = False) -> bytes:
    return bytes((kind | 128 * last,)) + len(body).to_bytes(3) + body


def comments(*entries: str, vendor: bytes = b"somebody") -> bytes:
    listed = b"".join(struct.pack("<I", len(entry.encode())) + entry.encode() for entry in entries)
    return struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", len(entries)) + listed


def kinds(data: bytes) -> list[int]:
    """The kinds of the blocks, the last of which alone says that it is."""
    at, found = data.index(b"fLaC") + 4, list[int]()
    while True:
        found.append(data[at] & 127)
        is_last, at = data[at] > 127, at + 4 + int.from_bytes(data[at + 1 : at + 4])
        if is_last:
            assert data[at:] == SOUND
            return found


@pytest.mark.parametrize("spare", [0, 1, 1000])
def test_padding_takes_up_the_label_so_that_the_sound_stays(spare) -> None:
    grown = 4 + len("AIGC=" + LABEL)
    data = (
        b"fLaC"
        + block(0, STREAM)
        + block(4, comments("TITLE=Kept"))
        + block(3, b"seek")
        + block(1, bytes(grown + spare), last=True)
        + SOUND
    )

    new = labelled(data, flac)

    assert len(new) == len(data)
    assert kinds(new) == [0, 4, 3, 1]
    assert b"Kept" in new
    assert len(labelled(new, flac, label("r"))) == len(data)


def test_without_enough_padding_the_comments_grow() -> None:
    data = b"fLaC" + block(0, STREAM) + block(1, bytes(20)) + block(4, comments("TITLE=Kept"), last=True) + SOUND

    new = labelled(data, flac)

    assert kinds(new) == [0, 1, 4]
    assert block(1, bytes(20)) in new


@pytest.mark.parametrize("last", [True, False])
def test_a_block_of_comments_is_made_behind_the_first(last) -> None:
    data = b"fLaC" + block(0, STREAM, last=last) + (b"" if last else block(1, bytes(9), last=True)) + SOUND

    assert kinds(labelled(data, flac)) == ([0, 4] if last else [0, 4, 1])


def test_labels_of_other_cases_in_a_second_block_and_in_a_tag_before_give_way() -> None:
    data = id3.fresh(LABEL) + b"fLaC" + block(0, STREAM)
    data += block(4, comments("aigc=" + LABEL, "TITLE=Kept", 'COMMENT={"AIGC":' + LABEL + "}"))
    data += block(4, comments("AIGC=" + LONGER, "ARTIST=Kept too"), last=True) + SOUND
    assert [found.is_native for found in flac.read(data)] == [False, False, False, True]

    new = labelled(data, flac)

    assert kinds(new) == [0, 4, 4]
    assert b"Kept too" in new
    assert new.startswith(b"ID3")


def test_the_real_file_keeps_its_length() -> None:
    assert len(labelled(sample("a.flac"), flac)) == len(sample("a.flac"))


@given(entries=st.lists(st.text(max_size=30)), rest=st.binary(max_size=9), vendor=st.binary(max_size=9))
def test_comments_without_a_label_come_back_byte_by_byte(entries, rest, vendor) -> None:
    held = [entry for entry in entries if "aigc" not in entry.casefold()]
    old = comments(*held, vendor=vendor) + rest

    assert vorbis.rewritten(old, None) == old
    assert vorbis.rewritten(old, LABEL) == comments(*held, "AIGC=" + LABEL, vendor=vendor) + rest


@pytest.mark.parametrize(
    "data",
    [b"", b"fLaC", b"fLaC" + block(4, b"", last=True), b"fLaC" + block(0, STREAM),
     b"fLaC" + block(0, STREAM) + block(4, b"\xff\xff\xff\xff", last=True),
     b"fLaC" + block(0, STREAM) + block(4, b"\0\0\0\0\xff\xff\xff\xff", last=True),
     b"fLaC" + block(0, STREAM) + block(4, b"\0\0\0\0\1\0\0\0\xff\xff\xff\xff", last=True)],
)  # fmt: skip
def test_blocks_and_comments_that_end_too_early_are_broken(data) -> None:
    with pytest.raises(Broken):
        flac.write(data, LABEL)
