"""Matroska and WebM: the label where a reader comes by, and every position points to what it pointed to."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.labelling.formats.media import LABEL, LONGER, copied, label, labelled, sample

from safebelt.rooms.labelling.formats import ebml, matroska
from safebelt.rooms.labelling.formats.carrier import Broken, Unwritable
from safebelt.rooms.labelling.formats.ebml import Element, made, void

SEGMENT, SEEK_HEAD, INFO, TRACKS, CUES, TAGS, CLUSTER = (
    0x18538067, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1254C367, 0x1F43B675,
)  # fmt: skip
HEAD = made(0x1A45DFA3, made(0x4282, b"matroska"))
FRAME = made(0xA3, b"\x81\0\0\x80a frame that stays")


def summed(body: bytes) -> bytes:
    return b"\xbf\x84" + zlib.crc32(body).to_bytes(4, "little") + body


def simple(name: str, value: str, *inside: bytes) -> bytes:
    return made(0x67C8, made(0x45A3, name.encode()) + made(0x4487, value.encode()) + b"".join(inside))


def tag(*simples: bytes) -> bytes:
    return made(0x7373, made(0x63C0, b"") + b"".join(simples))


def seek(kind: int, position: int, wide: int = 2) -> bytes:
    return made(0x4DBB, made(0x53AB, kind.to_bytes(4)) + made(0x53AC, position.to_bytes(wide)))


def film(
    *, front: bytes = b"", room: int = 0, seeks: bool = True, back: bytes = b"", wide: int = 2, size_bytes: int = 8,
    checked: bool = False, is_open: bool = False,
) -> bytes:  # fmt: skip
    """A film of one cluster; SeekHead, Cues and the cluster itself hold its position in the segment."""
    check = summed if checked else bytes

    def body(position: int, cues_at: int) -> bytes:
        entries = seek(CLUSTER, position, wide) + seek(CUES, cues_at, wide)
        head = made(SEEK_HEAD, check(entries)) + void(room) if seeks else b""
        cluster = made(CLUSTER, check(made(0xE7, b"\0") + made(0xA7, position.to_bytes(wide)) + FRAME))
        track = made(
            0xB7,
            made(0xF7, b"\1") + made(0xF1, position.to_bytes(wide)) + made(0xDB, made(0x97, position.to_bytes(wide))),
        )
        cues = made(CUES, check(made(0xBB, made(0xB3, b"\0") + track)))
        return head + made(INFO, b"") + front + cluster + cues + back

    first = body(0, 0)
    whole = body(
        first.index(CLUSTER.to_bytes(4), first.index(INFO.to_bytes(4))),
        first.index(CUES.to_bytes(4), first.index(FRAME)),
    )
    segment = made(SEGMENT, whole, size_bytes)
    if is_open:
        segment = SEGMENT.to_bytes(4) + b"\x01" + b"\xff" * 7 + whole
    return HEAD + segment


def parts(data: bytes) -> tuple[Element, list[Element]]:
    segment = ebml.element(data, len(HEAD), len(data))
    return segment, list(ebml.children(data, segment))


def kinds(data: bytes) -> list[int]:
    return [part.kind for part in parts(data)[1]]


def positions(data: bytes) -> list[tuple[int, int]]:
    """What every position in a film says, and where its cluster is."""
    segment, inside = parts(data)
    cluster = next(part for part in inside if part.kind == CLUSTER)
    cues = next(part for part in inside if part.kind == CUES)
    found = list[tuple[int, int]]()
    for mark, place in ((b"\x53\xac", None), (b"\xf1", cues), (b"\x97", cues), (b"\xa7", cluster)):
        if place is None:
            head = next((part for part in inside if part.kind == SEEK_HEAD), None)
            for entry in ebml.children(data, head) if head else ():
                fields = [ebml.content(data, one) for one in ebml.children(data, entry)] if entry.kind == 0x4DBB else []
                target = {CLUSTER: cluster, CUES: cues}.get(int.from_bytes(fields[0])) if fields else None
                if target:
                    found.append((int.from_bytes(fields[1]), target.start - segment.body))
        else:
            at = data.index(mark, place.body) + len(mark)
            wide = data[at] & 0x7F
            found.append((int.from_bytes(data[at + 1 : at + 1 + wide]), cluster.start - segment.body))
    return found


def checks(data: bytes) -> list[bool]:
    return [
        zlib.crc32(data[part.body + 6 : part.end]).to_bytes(4, "little") == data[part.body + 2 : part.body + 6]
        for part in parts(data)[1]
        if ebml.has_checksum(data[part.body : part.end])
    ]


CASES = {
    "tags with a Void behind them": ({"front": made(TAGS, tag(simple("TITLE", "Kept"))) + void(900)}, 0),
    "a Void before the cluster": ({"front": void(400)}, 0),
    "the room behind the SeekHead": ({"room": 500}, 0),
    "a SeekHead that has room for an entry": ({"room": 60}, 4),
    "no room at all": ({"room": 0}, 5),
    "no SeekHead": ({"seeks": False}, 5),
    "tags that may grow before the cluster": ({"front": made(TAGS, tag(simple("TITLE", "Kept"))), "seeks": False}, 5),
    "checksums": ({"checked": True}, 5),
    "checksums and a SeekHead with room": ({"checked": True, "room": 60}, 4),
    "a segment of open length": ({"seeks": False, "is_open": True}, 5),
    "a length of a segment that is too short for more": ({"seeks": False, "size_bytes": 2}, 5),
}


@pytest.mark.parametrize("case", CASES)
def test_the_label_goes_where_there_is_room_and_every_position_is_right(case) -> None:
    options, _place = CASES[case]
    data = film(**options)
    assert all(said == real for said, real in positions(data))

    new = labelled(data, matroska)
    longer = labelled(new, matroska, LONGER)

    for made_ in (new, longer):
        assert all(said == real for said, real in positions(made_))
        assert all(checks(made_))
        assert FRAME in made_
        assert b"Kept" in made_ or b"Kept" not in data
        assert parts(made_)[0].end == len(made_)
    labelled(longer, matroska, label("r"))


@pytest.mark.parametrize("case", CASES)
def test_nothing_moves_where_there_is_room_before_the_cluster_or_an_entry_can_name_the_end(case) -> None:
    options, place = CASES[case]
    data = film(**options)

    new = labelled(data, matroska)

    assert (new.index(FRAME) == data.index(FRAME)) == (place != 5)
    assert (len(new) == len(data)) == (place == 0)
    assert (kinds(new)[-1] == TAGS) == (place == 4)


def test_tags_at_the_end_that_the_seekhead_names_grow_there() -> None:
    data = labelled(film(room=60), matroska)

    new = labelled(data, matroska, LONGER)

    assert kinds(new) == kinds(data)
    assert new.index(FRAME) == data.index(FRAME)


def test_a_position_that_outgrows_its_field_is_refused_and_says_what_to_do() -> None:
    data = film(wide=1, front=void(60) + made(TRACKS, bytes(40)))

    with pytest.raises(Unwritable) as refused:
        matroska.write(data, LONGER)

    assert "remux" in refused.value.why.en


def test_labels_of_other_cases_in_other_tags_and_below_others_give_way_and_their_neighbours_stay() -> None:
    nested = tag(simple("ALBUM", "Kept", simple("AIGC", LABEL), simple("PART", "Kept too")))
    front = made(TAGS, tag(simple("aigc", LABEL), simple("ARTIST", "Kept as well")) + nested)
    back = made(TAGS, tag(simple("COMMENT", '{"AIGC":' + LABEL + "}")))
    data = film(front=front, back=back)
    assert [found.is_native for found in matroska.read(data)] == [False, False, False]

    new = labelled(data, matroska)

    assert [text in new for text in (b"Kept", b"Kept too", b"Kept as well")] == [True] * 3
    assert all(said == real for said, real in positions(new))


def test_a_cluster_of_unknown_length_ends_before_the_next_element_of_the_segment() -> None:
    cluster = CLUSTER.to_bytes(4) + b"\xff" + made(0xE7, b"\0") + FRAME
    body = made(INFO, b"") + cluster + cluster + made(CUES, b"")
    data = HEAD + SEGMENT.to_bytes(4) + b"\xff" + body

    new = labelled(data, matroska)

    assert new.count(FRAME) == 2
    assert new.index(b"AIGC") < new.index(FRAME)


def test_a_checksum_over_the_whole_segment_becomes_a_void() -> None:
    data = HEAD + made(SEGMENT, summed(made(INFO, b"") + made(CLUSTER, FRAME)))

    new = labelled(data, matroska)

    assert kinds(new)[0] == ebml.VOID


def test_real_files_get_little_that_is_new() -> None:
    for name in ("a.mkv", "front.mkv", "a.webm"):
        assert copied(matroska.write(sample(name), LABEL)) < 600


@given(body=st.binary(max_size=400), room=st.integers(0, 1000))
def test_what_is_fitted_fills_its_room_and_can_be_read(body, room) -> None:
    new = ebml.fitted(TAGS, body, room)

    if new is None:
        assert room < len(made(TAGS, body))
    else:
        assert len(new) == room
        first = ebml.element(new, 0, room)
        assert ebml.content(new, first) == body
        assert first.end == room or ebml.element(new, first.end, room).end == room


@given(length=st.integers(2, 70_000))
def test_a_void_is_as_long_as_asked_for(length) -> None:
    new = void(length)

    assert len(new) == length
    held = ebml.element(new, 0, length)
    assert (held.kind, held.start, held.end, held.is_open) == (ebml.VOID, 0, length, False)


@pytest.mark.parametrize("length", [0, 1, 126, 127, 128, 16382, 16383, 2**32, 2**49])
def test_a_length_is_never_the_one_that_says_unknown(length) -> None:
    field = ebml.length_field(length)

    assert int.from_bytes(field) & ((1 << 7 * len(field)) - 1) == length
    assert length != (1 << 7 * len(field)) - 1


@pytest.mark.parametrize(
    "data",
    [b"", b"\x1aE\xdf\xa3", HEAD, HEAD + made(INFO, b""), film()[:-4], HEAD + SEGMENT.to_bytes(4) + b"\x00",
     HEAD + made(SEGMENT, TAGS.to_bytes(4) + b"\xff" + bytes(20)), struct.pack(">I", 0x1A45DFA3) + b"\xff"],
)  # fmt: skip
def test_elements_that_end_beyond_what_holds_them_are_broken(data) -> None:
    with pytest.raises(Broken):
        matroska.write(data, LABEL)


def test_tags_in_tags_without_end_are_broken() -> None:
    nested = simple("DEEP", "1")
    for _depth in range(40):
        nested = simple("DEEP", "1", nested)

    with pytest.raises(Broken):
        matroska.read(film(front=made(TAGS, tag(nested))))
