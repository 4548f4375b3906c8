"""A notice in a document is read by libraries that open it, and everything else of it is what it was."""

import io
import random
import zipfile
from pathlib import Path
from xml.parsers import expat

import docx
import openpyxl
import pptx
import pytest
from tests.rooms.labelling.formats import still_files as still
from tests.rooms.labelling.matrix.readers import NOTICE_READERS
from tests.rooms.labelling.matrix.specimens import SPECIMENS

from safebelt.kernel.actors import OWNER
from safebelt.rooms.labelling.formats.carrier import Broken, Unwritable
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.model import Axis, Mark, Verdict
from safebelt.rooms.labelling.model.label import NOTICE
from safebelt.rooms.labelling.provenance import notices
from safebelt.rooms.labelling.provenance.document_notices import DOCUMENTS, TABS
from safebelt.rooms.labelling.service import MarkFile

FILES = {kind: SPECIMENS[kind] for kind in sorted(DOCUMENTS)}
CHANGED = {
    Kind.DOCX: {"word/document.xml"},
    Kind.XLSX: {"xl/workbook.xml", "xl/_rels/workbook.xml.rels", "[Content_Types].xml", "xl/worksheets/notice.xml"},
    Kind.PPTX: {"ppt/slides/slide1.xml"},
    Kind.EPUB: {"OPS/text/一.xhtml"},
}


def noted(kind: Kind, lang: str = "") -> bytes:
    return notices.put(FILES[kind](), kind, lang)[0]


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("kind", FILES)
def test_a_library_that_opens_the_document_reads_the_notice(kind: Kind, lang: str, tmp_path: Path) -> None:
    path, plain = tmp_path / f"a.{kind}", tmp_path / f"b.{kind}"
    path.write_bytes(noted(kind, lang))
    plain.write_bytes(FILES[kind]())
    (read,) = NOTICE_READERS[kind].values()

    assert getattr(NOTICE, lang) in read(path)
    assert getattr(NOTICE, lang) not in read(plain)


@pytest.mark.parametrize("kind", CHANGED)
def test_every_other_part_of_a_package_is_the_same(kind: Kind) -> None:
    before, after = members(FILES[kind]()), members(noted(kind))

    assert {name for name in after if after[name] != before.get(name)} == CHANGED[kind]
    assert set(before) <= set(after)


def test_the_words_of_a_document_stand_as_before() -> None:
    document = docx.Document(io.BytesIO(noted(Kind.DOCX)))
    assert [line.text for line in document.paragraphs] == [NOTICE.zh, "正文 text"]

    workbook = openpyxl.load_workbook(io.BytesIO(noted(Kind.XLSX, "en")))
    assert workbook.worksheets[0]["A1"].value == "正文" and workbook.active.title != TABS["en"]
    assert workbook.sheetnames[-1] == TABS["en"]

    slides = pptx.Presentation(io.BytesIO(noted(Kind.PPTX)))
    shapes = list(slides.slides[0].shapes)
    assert slides.slides[0].shapes.title.text == "正文"
    assert len({shape.shape_id for shape in shapes}) == len(shapes)


@pytest.mark.parametrize("kind", FILES)
def test_a_document_gets_one_notice_only(kind: Kind) -> None:
    once = noted(kind)

    assert notices.put(once, kind, "")[0] == once


def test_a_drawing_stays_well_formed_and_its_notice_is_high_enough() -> None:
    made = notices.put(b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 100"><a/></svg>', Kind.SVG, "en")[0]

    expat.ParserCreate().Parse(made, True)
    assert b'font-size="8"' in made  # capitals reach 0.7 of it: 5.6 of 100


def test_a_signed_document_is_left_alone() -> None:
    out = io.BytesIO(still.document())
    with zipfile.ZipFile(out, "a") as opened:
        opened.writestr("_xmlsignatures/sig1.xml", "<a/>")

    with pytest.raises(Unwritable, match="signed"):
        notices.put(out.getvalue(), Kind.DOCX, "")


@pytest.mark.parametrize("kind", FILES)
def test_a_damaged_document_takes_no_notice_and_breaks_nothing(kind: Kind) -> None:
    chance, whole = random.Random(7), FILES[kind]()

    for _number in range(60):
        data = still.mutated(whole, chance)
        try:
            made = notices.put(data, kind, "")[0]
            assert notices.words(made, kind) is not None
        except (Unwritable, Broken):
            continue


def test_marking_and_checking_a_document_see_the_notice(labelling, served, tmp_path: Path) -> None:
    for kind, make in FILES.items():
        path = tmp_path / f"a.{kind}"
        path.write_bytes(make())
        before = labelling.verify(path).axes[Axis.EXPLICIT].verdict

        made = labelling.mark(path, path, MarkFile(system_id=served.id), by=OWNER)

        assert Mark.EXPLICIT in made.put and Mark.AIGC in made.put
        assert before is Verdict.ABSENT
        assert labelling.verify(path).axes[Axis.EXPLICIT].verdict is Verdict.OK
