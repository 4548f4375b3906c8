"""A file shows what it is by its first bytes; a name alone decides only between texts."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rooms.certificates.test_pki_c2pa import POINT

from safebelt.rooms.labelling.formats.kinds import MEDIA_TYPES, MODULES, Kind, carrier_of, sniff

SAMPLES = Path(__file__).resolve().parents[3] / "data" / "labelling"
MARKUP = {"svg": "<svg xmlns='http://www.w3.org/2000/svg'/>", "html": "<!doctype html><html></html>"}


@pytest.mark.parametrize("path", sorted(path.name for path in SAMPLES.iterdir() if path.suffix not in (".md", ".py")))
def test_a_real_file_is_known_without_its_name(path) -> None:
    kind = sniff((SAMPLES / path).read_bytes())

    same = {"ogg": {"ogg", "opus"}, "mp4": {"mp4", "m4a", "mov"}}
    suffix = path.rpartition(".")[2]
    assert kind is not None and kind.value in same.get(suffix, {suffix})


@pytest.mark.parametrize("name", ["a.png", "a.txt", "a", "", "a.mp3"])
def test_a_wrong_name_does_not_make_a_picture_something_else(name) -> None:
    assert sniff(POINT, name) is Kind.JPEG


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("suffix", MARKUP)
def test_markup_is_known_in_every_encoding_it_comes_in(suffix, codec) -> None:
    assert sniff(MARKUP[suffix].encode(codec)) is Kind(suffix)


def test_a_text_is_what_it_is_called_and_nothing_without_a_name() -> None:
    assert sniff("你好".encode(), "a.md") is Kind.MARKDOWN
    assert sniff("你好".encode(), "a.TXT") is Kind.TXT
    assert sniff("你好".encode()) is None
    assert sniff(b"\0\1\2", "a.txt") is None


@pytest.mark.parametrize("kind", Kind)
def test_every_format_has_a_carrier_and_a_media_type(kind) -> None:
    assert kind in MODULES and kind in MEDIA_TYPES
    assert callable(carrier_of(kind).read) and callable(carrier_of(kind).write)


@given(st.binary(max_size=200), st.text(max_size=12))
def test_no_bytes_and_no_name_make_it_raise(data, name) -> None:
    assert sniff(data, name) in (None, *Kind)


def test_every_beginning_of_a_file_is_some_format_or_none_and_never_an_error() -> None:
    starts = (
        b"ID3\x03\0\0\0\0\0\x10",
        b"PK\x03\x04",
        b"RIFF",
        b"\x1aE\xdf\xa3",
        b"OggS",
        b"\0\0\0\x20ftyp",
        b"\xff\xfb",
    )
    for start in starts:
        for end in range(len(start) + 1):
            for name in ("", "a.mp3", "a.txt"):
                assert sniff(start[:end], name) is None or sniff(start[:end], name) in Kind
    assert sniff(b"ID3\x03\0\0\0") is Kind.MP3
