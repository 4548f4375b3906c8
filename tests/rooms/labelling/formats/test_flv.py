"""FLV: one property more, and every offset of a key frame still names that key frame."""

import struct

import pytest
from tests.rooms.labelling.formats.media import LABEL, LONGER, label, labelled, sample

from safebelt.rooms.labelling.formats import flv
from safebelt.rooms.labelling.formats.carrier import MAX_LABEL_BYTES, Broken

HEAD = b"FLV\x01\x05\0\0\0\x09\0\0\0\0"
EVENT = b"\x02\0\x0aonMetaData"


def tag(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + len(body).to_bytes(3) + bytes(7) + body + struct.pack(">I", len(body) + 11)


def named(name: str, value: bytes) -> bytes:
    return struct.pack(">H", len(name)) + name.encode() + value


def number(value: float) -> bytes:
    return b"\0" + struct.pack(">d", value)


def text(value: str) -> bytes:
    return b"\x02" + struct.pack(">H", len(value)) + value.encode()


def numbers(*values: float) -> bytes:
    return b"\x0a" + struct.pack(">I", len(values)) + b"".join(map(number, values))


def array(*properties: bytes, count: int | None = None, ends: bytes = b"\0\0\x09") -> bytes:
    return (
        EVENT + b"\x08" + struct.pack(">I", len(properties) if count is None else count) + b"".join(properties) + ends
    )


FRAMES = tag(9, b"\x12first") + tag(8, b"sound") + tag(9, b"\x12second")


def film(*properties: bytes) -> bytes:
    """A film whose metadata name the offsets of its key frames and its length."""

    def built(first: int, second: int, size: int) -> bytes:
        places = named(
            "keyframes",
            b"\x03" + named("filepositions", numbers(first, second)) + named("times", numbers(0, 1)) + b"\0\0\x09",
        )
        known = (named("filesize", number(size)), named("lastkeyframelocation", number(second)), places)
        return HEAD + tag(18, array(*properties, *known)) + FRAMES

    data = built(0, 0, 0)
    start = data.index(FRAMES)
    return built(start, data.index(b"\x12second") - 11, len(data))


def offsets(data: bytes) -> list[bytes]:
    """What stands where the metadata say that key frames begin."""
    at = data.index(b"filepositions") + 13 + 5
    places = [int(struct.unpack_from(">d", data, at + 1 + 9 * number)[0]) for number in range(2)]
    last = int(struct.unpack_from(">d", data, data.index(b"lastkeyframelocation") + 21)[0])
    return [data[place : place + 1] + data[place + 11 :][:6] for place in (*places, last)]


def chain(data: bytes) -> list[int]:
    """The kinds of the tags, each of which says behind it how long it was."""
    at, kinds = 13, list[int]()
    while at < len(data):
        size = 11 + int.from_bytes(data[at + 1 : at + 4])
        assert struct.unpack_from(">I", data, at + size)[0] == size
        kinds.append(data[at])
        at += size + 4
    return kinds


def test_offsets_of_key_frames_and_the_length_of_the_file_are_right_after_the_label() -> None:
    data = film(named("title", text("Kept")))
    right = [b"\x09\x12first", b"\x09\x12secon", b"\x09\x12secon"]
    assert [one[:6] for one in offsets(data)] == [one[:6] for one in right]

    for value in (LABEL, LONGER, label("r")):
        data = labelled(data, flv, value)
        assert [one[:6] for one in offsets(data)] == [one[:6] for one in right]
        assert struct.unpack_from(">d", data, data.index(b"filesize") + 9)[0] == len(data)
        assert chain(data) == [18, 9, 8, 9]
        assert b"Kept" in data


def test_a_length_of_the_file_that_was_wrong_stays_as_it_was() -> None:
    data = HEAD + tag(18, array(named("filesize", number(7)))) + FRAMES

    new = labelled(data, flv)

    assert named("filesize", number(7)) in new


def test_metadata_are_made_where_there_are_none() -> None:
    new = labelled(HEAD + FRAMES, flv)

    assert chain(new) == [18, 9, 8, 9]
    assert new.endswith(FRAMES)


@pytest.mark.parametrize(
    "body",
    [array(named("width", number(1))), array(named("width", number(1)), count=900), array(ends=b""),
     EVENT + b"\x03" + named("width", number(1)) + b"\0\0\x09"],
)  # fmt: skip
def test_an_array_an_object_and_one_without_an_end_take_the_label(body) -> None:
    new = labelled(HEAD + tag(18, body) + FRAMES, flv)

    assert chain(new) == [18, 9, 8, 9]
    count = struct.unpack_from(">I", body, 14)[0] if body[13] == 8 else None
    if count is not None:
        assert struct.unpack_from(">I", new, 13 + 11 + 14)[0] == count + 1


def test_labels_of_other_names_and_in_later_metadata_give_way() -> None:
    wrapped = named("comment", text('{"AIGC":' + LABEL + "}"))
    later = tag(18, array(named("AIGC", text(LABEL)), named("title", text("Kept"))))
    data = HEAD + tag(18, array(named("aigc", text(LABEL)), wrapped)) + later + FRAMES
    assert [found.is_native for found in flv.read(data)] == [False, False, False]

    new = labelled(data, flv)

    assert chain(new) == [18, 18, 9, 8, 9]
    assert b"Kept" in new


def test_a_label_longer_than_a_string_can_be_is_a_long_string() -> None:
    longest = label("x" * (MAX_LABEL_BYTES - len(LABEL) + len("rec_1")))

    new = labelled(sample("a.flv"), flv, longest)

    assert b"AIGC\x0c" in new


def test_other_script_data_and_encrypted_ones_are_left_alone() -> None:
    cue = tag(18, b"\x02\0\x0aonCuePoint\x08\0\0\0\0\0\0\x09")
    data = HEAD + tag(18 | 0x20, b"locked") + cue + FRAMES

    new = labelled(data, flv)

    assert new.endswith(data[len(HEAD) :])


@pytest.mark.parametrize(
    "data",
    [b"", b"FLV\x01\x05\xff\xff\xff\xff" + bytes(9), HEAD + tag(18, array())[:9] + b"\xff" * 9,
     HEAD + tag(18, array(named("a", b"\x0b"))), HEAD + tag(18, array(named("a", b"\x02\xff\xff"))),
     HEAD + tag(18, array(named("a", b"\x0a\xff\xff\xff\xff"))), HEAD + tag(18, array(named("a", b"\x42"))),
     HEAD + tag(18, array(named("a", b"\x03" + (named("a", b"\x03") * 50))))],
)  # fmt: skip
def test_tags_and_values_that_end_beyond_what_holds_them_are_broken(data) -> None:
    with pytest.raises(Broken):
        flv.write(data, LABEL)
