"""A notice on a PDF's first page is read by libraries that open it, and what the page showed it still shows."""

import io
import random

import pikepdf
import pypdf
import pytest
from tests.rooms.labelling.conftest import DATA
from tests.rooms.labelling.formats import still_files as still

from safebelt.rooms.labelling.formats.carrier import Broken, Unwritable
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.provenance import notices, pdf_notices
from safebelt.rooms.labelling.provenance.corners import WORDS

FONT = DATA / "fonts" / "notice.otf"
MODES = (pikepdf.ObjectStreamMode.disable, pikepdf.ObjectStreamMode.generate)


def written(*, rotate: int = 0, above: bool = False, mode: pikepdf.ObjectStreamMode = MODES[0]) -> bytes:
    """Two pages that say something, with content in two streams that leave the page turned upside down."""
    made = pikepdf.new()
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    for number in (1, 2):
        page = made.add_blank_page(page_size=(300, 200))
        parts = (b"-1 0 0 -1 300 200 cm BT /F1 12 Tf 50 50 Td (page %d) Tj ET" % number, b"0 0 10 10 re f")
        page.Contents = pikepdf.Array([made.make_stream(part) for part in parts])
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        page.Rotate = rotate
        if above:
            made.Root.Pages.Resources = page.Resources
            del page["/Resources"]
    return still.saved(lambda out: made.save(out, object_stream_mode=mode))


def noted(data: bytes, lang: str = "zh") -> bytes:
    return notices.put(data, Kind.PDF, lang, FONT)[0]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("above", [False, True])
@pytest.mark.parametrize("lang", WORDS)
def test_a_library_reads_the_notice_on_the_first_page_and_what_stood_there(lang, above, mode) -> None:
    data = written(above=above, mode=mode)

    made = noted(data, lang)

    pages = [one.extract_text() for one in pypdf.PdfReader(io.BytesIO(made)).pages]
    assert WORDS[lang] in pages[0] and "page 1" in pages[0]
    assert WORDS[lang] not in pages[1] and "page 2" in pages[1]
    assert made.startswith(data)  # an update: nothing of the file is touched
    assert pdf_notices.words_of(made) == WORDS[lang] and pdf_notices.words_of(data) is None
    with pikepdf.open(io.BytesIO(made)) as opened:
        assert opened.check_pdf_syntax() == []


@pytest.mark.parametrize(("rotate", "corner"), [(0, (0, 200)), (90, (0, 0)), (180, (300, 0)), (270, (300, 200))])
def test_on_a_turned_page_it_stands_in_the_corner_that_is_seen_as_upper_left(rotate, corner) -> None:
    with pikepdf.open(io.BytesIO(noted(written(rotate=rotate)))) as opened:
        *_, matrix, _do, _q = pikepdf.parse_content_stream(opened.pages[0])

    assert str(matrix.operator) == "cm"
    assert tuple(float(one) for one in matrix.operands)[4:] == corner


def test_one_notice_is_enough_and_a_label_goes_beside_it() -> None:
    made = noted(written())

    assert noted(made) == made
    assert [value for value, _ in still.values(still.marked(made, kind=Kind.PDF), Kind.PDF)] == [still.VALUE]
    assert pdf_notices.words_of(still.marked(made, kind=Kind.PDF)) == WORDS["zh"]


def test_a_signed_or_locked_pdf_says_why_it_takes_none() -> None:
    with pytest.raises(Unwritable, match="signed"):
        noted(written() + b"%/ByteRange [0 1 2 3]\n")
    with pytest.raises(Unwritable, match="encrypted"):
        noted(still.pdf(encryption=pikepdf.Encryption(owner="o", user="u")))


def test_a_damaged_pdf_takes_none_and_breaks_nothing() -> None:
    chance, whole = random.Random(11), written()

    for _number in range(150):
        data = still.mutated(whole, chance)
        try:
            assert pdf_notices.words_of(noted(data)) == WORDS["zh"]
        except (Unwritable, Broken):
            continue
