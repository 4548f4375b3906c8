"""A printed report is read by programs that never heard of us: its words, its language, its structure."""

import hashlib
import io
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pypdf import PdfReader

from safebelt.engines.reports import Press
from safebelt.kernel.documents import Document, Heading, Note, Pairs, Paragraph, Table
from safebelt.kernel.errors import Unavailable

FOLDER = Path(__file__).resolve().parents[2] / "reports"
REPORT = Document(
    title="透明度报告",
    lang="zh",
    at=datetime(2026, 11, 23, 8, 0, 0, 123456, tzinfo=UTC),
    footer="页脚",
    blocks=(
        Heading(text="第一部分"),
        Paragraph(text="一段话\n另一行"),
        Note(text="说明"),
        Pairs(rows=(("问", "答"), ("SHA-256", "0123456789abcdef" * 4))),
        Table(heads=("规则", "次数"), rows=(("身份证", "15"),) * 120, widths=(3, 1), numeric=(1,)),
    ),
)


@pytest.fixture(scope="module")
def press() -> Press:
    return Press(FOLDER)


def words(pdf: bytes) -> str:
    """Return what another reader gets, without the breaks of lines, which are the page's and not the words'."""
    return (
        "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
        .replace("\n", "")
        .replace("\u200b", "")
    )


def kinds(pdf: bytes) -> list[str]:
    """Return the kinds of the structure's elements, in the order in which they are read aloud."""
    found: list[str] = []

    def walk(element: Any) -> None:
        if isinstance(element, pikepdf.Array):
            for each in element:
                walk(each)
        elif isinstance(element, pikepdf.Dictionary) and "/S" in element:
            found.append(str(element.S))
            walk(element.get("/K", pikepdf.Array()))

    with pikepdf.open(io.BytesIO(pdf)) as file:
        walk(file.Root.StructTreeRoot.K)
    return found


def test_another_reader_gets_every_word_in_order(press: Press) -> None:
    said = words(press.pdf(REPORT))

    for word in ("透明度报告", "第一部分", "一段话", "另一行", "说明", "0123456789abcdef" * 4, "身份证"):
        assert word in said
    assert said.index("第一部分") < said.index("一段话") < said.index("说明") < said.index("身份证")
    assert said.count("身份证") == 120
    assert "次要" not in said  # what was not written is not read: this reader can say no


def test_a_program_that_reads_aloud_is_told_language_title_headings_and_heads_of_columns(press: Press) -> None:
    made = press.pdf(REPORT)

    with pikepdf.open(io.BytesIO(made)) as file:
        assert str(file.Root.Lang) == "zh-CN"
        assert file.Root.MarkInfo.Marked and file.Root.ViewerPreferences.DisplayDocTitle
        xmp = file.open_metadata()
        assert xmp["pdfuaid:part"] == "1" and xmp["dc:title"] == "透明度报告"
        fonts = [font for page in file.pages for font in page.Resources.Font.values()]
        assert fonts and all("/ToUnicode" in font for font in fonts)
        assert all(
            "/FontFile3" in font.DescendantFonts[0].FontDescriptor for font in fonts
        )  # the font lies in the file
    tags = kinds(made)
    assert tags.count("/TH") == 2 and tags.count("/TD") == 240 and "/H1" in tags and "/L" in tags


def test_what_has_no_structure_is_seen(press: Press) -> None:
    plain = pikepdf.new()
    plain.add_blank_page()
    out = io.BytesIO()
    plain.save(out)

    with pytest.raises(AttributeError):
        kinds(out.getvalue())


def test_the_same_report_is_the_same_file_in_another_process_too(press: Press) -> None:
    here = hashlib.sha256(press.pdf(REPORT)).hexdigest()

    script = (
        "import hashlib; from pathlib import Path; from tests.engines.test_reports import REPORT, FOLDER;"
        "from safebelt.engines.reports import Press; print(hashlib.sha256(Press(FOLDER).pdf(REPORT)).hexdigest())"
    )
    elsewhere = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert elsewhere.strip() == here
    assert hashlib.sha256(press.pdf(replace(REPORT, title="别的报告"))).hexdigest() != here
    later = replace(REPORT, at=datetime(2026, 11, 24, tzinfo=UTC))
    assert hashlib.sha256(press.pdf(later)).hexdigest() != here


def test_words_are_never_markup(press: Press) -> None:
    hostile = '#read("/etc/passwd") = 1 $x$ *b* `c` <l> @r \\ #panic() "q" //'
    blocks = (Paragraph(text=hostile), Heading(text=hostile), Pairs(rows=((hostile, hostile),)))

    said = words(press.pdf(replace(REPORT, title=hostile, footer=hostile, blocks=blocks)))

    assert said.replace(" ", "").count(hostile.replace(" ", "")) >= 4


def test_a_character_no_font_here_has_is_refused_and_never_drawn_as_a_box(press: Press) -> None:
    with pytest.raises(Unavailable) as refused:
        press.pdf(replace(REPORT, blocks=(Paragraph(text="私用 \U0010fffd"),)))

    assert "fonts" in refused.value.hint.en


def test_a_report_in_english_says_so(press: Press) -> None:
    made = press.pdf(replace(REPORT, lang="en", title="Report"))

    with pikepdf.open(io.BytesIO(made)) as file:
        assert str(file.Root.Lang) == "en-GB"
