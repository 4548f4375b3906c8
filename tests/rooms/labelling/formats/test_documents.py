"""PDF, office files and books take the label in; all other parts are the same bytes, and other programs read it."""

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import openpyxl
import pikepdf
import pptx
import pypdf
import pytest
from lxml import etree
from openpyxl.packaging.custom import StringProperty
from tests.rooms.labelling.formats import still_files as made_by
from tests.rooms.labelling.formats.still_files import OTHER, VALUE, WRAPPED, alone, exiftool_all, marked, saved, values

from safebelt.rooms.labelling.formats import epub, ooxml, pdf
from safebelt.rooms.labelling.formats.carrier import Broken, Unwritable
from safebelt.rooms.labelling.formats.kinds import Kind, carrier_of

TABLE, STREAM = pikepdf.ObjectStreamMode.disable, pikepdf.ObjectStreamMode.generate
CHINESE = made_by.label("编号-一", "某公司")


def without_info() -> bytes:
    made = pypdf.PdfWriter()
    made.add_blank_page(10, 10)
    made._info = None
    return saved(made.write)


PDFS: dict[str, Callable[[], bytes]] = {
    "table": lambda: made_by.pdf(mode=TABLE),
    "stream": lambda: made_by.pdf(mode=STREAM),
    "linear": lambda: made_by.pdf(linearize=True),
    "linear stream": lambda: made_by.pdf(mode=STREAM, linearize=True),
    "xmp": lambda: made_by.pdf(mode=STREAM, xmp=VALUE),
    "other writer": without_info,
    "late start": lambda: b"%junk\n" + made_by.pdf(),
}


@pytest.mark.parametrize("make", PDFS.values(), ids=PDFS)
@pytest.mark.parametrize("value", [VALUE, CHINESE], ids=["ascii", "chinese"])
def test_a_pdf_holds_one_label_and_every_reader_agrees(make: Callable[[], bytes], value: str) -> None:
    data = make()

    made = marked(marked(data, OTHER, Kind.PDF), value, Kind.PDF)

    assert alone(pdf.read(made), value)
    assert b"rec-02" not in made and marked(made, value, Kind.PDF) == made
    with pikepdf.open(io.BytesIO(made)) as opened, pikepdf.open(io.BytesIO(data)) as old:
        assert str(opened.docinfo["/AIGC"]) == value
        assert not made.startswith(b"%PDF") or opened.check_pdf_syntax() == []
        assert {key: str(text) for key, text in opened.docinfo.items() if key != "/AIGC"} == {
            key: str(text) for key, text in old.docinfo.items()
        }
        assert len(opened.pages) == 1 and opened.trailer.get("/ID") == old.trailer.get("/ID")
        assert opened.open_metadata().get("dc:title") == old.open_metadata().get("dc:title")
    if made.startswith(b"%PDF"):
        assert pypdf.PdfReader(io.BytesIO(made), strict=True).metadata["/AIGC"] == value


@pytest.mark.parametrize("mode", [TABLE, STREAM])
def test_an_update_adds_at_the_end_and_changes_no_byte_before(mode: pikepdf.ObjectStreamMode) -> None:
    data = made_by.pdf(mode=mode)

    made = marked(data, VALUE, Kind.PDF)

    assert made.startswith(data) and made.endswith(b"%%EOF\n")
    assert (b"/Type/XRef" in made[len(data) :]) is (mode is STREAM)


def test_an_encrypted_pdf_says_what_to_do_and_is_not_called_unlabelled() -> None:
    data = made_by.pdf(encryption=pikepdf.Encryption(owner="o", user=""))

    with pytest.raises(Unwritable) as refused:
        marked(data, VALUE, Kind.PDF)
    with pytest.raises(Broken):
        pdf.read(data)
    assert "加密" in refused.value.why.zh and "encrypted" in refused.value.why.en


def certified(permission: int) -> bytes:
    made = pikepdf.open(io.BytesIO(made_by.pdf()))
    signature = made.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Sig, ByteRange=[0, 10, 20, 30], Contents=b"\0" * 8,
            Reference=[
                pikepdf.Dictionary(
                    TransformMethod=pikepdf.Name.DocMDP, TransformParams=pikepdf.Dictionary(P=permission, V=pikepdf.Name("/1.2"))
                )
            ],
        )
    )  # fmt: skip
    made.Root.Perms = pikepdf.Dictionary(DocMDP=signature)
    return saved(made.save)


def test_a_certified_pdf_that_allows_no_change_is_refused_and_one_that_allows_some_is_not() -> None:
    with pytest.raises(Unwritable):
        marked(certified(1), VALUE, Kind.PDF)

    assert alone(pdf.read(marked(certified(2), VALUE, Kind.PDF)), VALUE)


def test_what_a_signature_covers_stays_as_it_is_even_when_a_label_is_replaced() -> None:
    data = certified(2)
    first = marked(data, VALUE, Kind.PDF)

    second = marked(first, OTHER, Kind.PDF)

    assert second.startswith(first) and alone(pdf.read(second), OTHER)


def test_labels_in_other_entries_of_a_pdf_are_found_and_taken_out() -> None:
    opened = pikepdf.open(io.BytesIO(made_by.pdf()))
    opened.docinfo["/Keywords"], opened.docinfo["/aigc"] = "mine " + WRAPPED, VALUE
    data = saved(opened.save)

    assert sorted(values(data, Kind.PDF)) == sorted([(WRAPPED, False), (VALUE, False)])

    made = marked(data, OTHER, Kind.PDF)

    assert alone(pdf.read(made), OTHER)
    with pikepdf.open(io.BytesIO(made)) as read:
        assert str(read.docinfo["/Keywords"]) == "mine " and "/aigc" not in read.docinfo


@pytest.mark.parametrize(
    "tail",
    [b"", b"startxref\n", b"startxref\n99999999\n%%EOF", b"startxref\n0\n%%EOF", b"xref\n0 1\nstartxref\n9\n%%EOF"]
    + [b"xref\n0 0\ntrailer\n<</Size 1/Prev 9>>\nstartxref\n9\n%%EOF"[:cut] for cut in (8, 20, 30)],
)
def test_a_pdf_without_its_cross_references_is_broken(tail: bytes) -> None:
    with pytest.raises(Broken):
        pdf.read(b"%PDF-1.7\n" + tail)


def own_properties() -> bytes:
    made = openpyxl.Workbook()
    made.custom_doc_props.append(StringProperty(name="Own", value="<值>"))
    made.custom_doc_props.append(StringProperty(name="aigc", value=WRAPPED))
    made.custom_doc_props.append(StringProperty(name="AIGC", value=OTHER))
    return saved(made.save)


def streamed() -> bytes:
    """A package written to a pipe: sizes stand behind each member, and a comment at the end."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise OSError

    out = Pipe()
    with zipfile.ZipFile(io.BytesIO(made_by.document())) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            new.writestr(item.filename, old.read(item))
        new.writestr("word/media/图.bin", b"x" * 100)
        new.comment = b"a comment"
    return out.getvalue()


def wide() -> bytes:
    """A package with the ends of ZIP64."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made_by.document())) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            with new.open(item.filename, "w", force_zip64=True) as member:
                member.write(old.read(item))
    raw = out.getvalue()
    end = raw.rindex(b"PK\5\6")
    count, size, start = struct.unpack_from("<10xHII", raw, end)
    far = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, size, start)
    full = struct.pack("<4H2IH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return raw[:end] + far + b"PK\6\7" + struct.pack("<IQI", 0, end, 1) + b"PK\5\6" + full


PACKAGES: dict[str, tuple[Kind, Callable[[], bytes]]] = {
    "docx": (Kind.DOCX, made_by.document),
    "xlsx": (Kind.XLSX, made_by.workbook),
    "pptx": (Kind.PPTX, made_by.slides),
    "own properties": (Kind.XLSX, own_properties),
    "streamed": (Kind.DOCX, streamed),
    "zip64": (Kind.DOCX, wide),
    "epub 3": (Kind.EPUB, made_by.book),
    "epub 2": (Kind.EPUB, lambda: made_by.book("2.0")),
    "epub prefixed": (Kind.EPUB, lambda: made_by.book("3.0", " prefix='own: http://own/'")),
}
TOUCHED = {"[Content_Types].xml", "_rels/.rels", "docProps/custom.xml", "书/p.opf"}


def members(data: bytes) -> dict[str, tuple[bytes, bytes]]:
    """What each member holds, and the bytes it lies there as, in order."""
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert opened.testzip() is None
        found = dict[str, tuple[bytes, bytes]]()
        for item in opened.infolist():
            named, extra = struct.unpack_from("<HH", data, item.header_offset + 26)
            start = item.header_offset + 30 + named + extra
            found[item.filename] = opened.read(item), data[item.header_offset : start + item.compress_size]
        return found


@pytest.mark.parametrize(("kind", "make"), PACKAGES.values(), ids=PACKAGES)
def test_a_package_holds_one_label_and_its_other_parts_are_the_same_bytes(
    kind: Kind, make: Callable[[], bytes]
) -> None:
    data = make()

    made = marked(data, VALUE, kind)

    before, after = members(data), members(made)
    assert alone(carrier_of(kind).read(made), VALUE)
    assert list(after)[: len(before)] == list(before)
    assert {name for name in after if after[name] != before.get(name)} <= TOUCHED
    assert marked(made, VALUE, kind) == made
    assert marked(marked(made, OTHER, kind), VALUE, kind) == made


@pytest.mark.parametrize(("kind", "make"), PACKAGES.values(), ids=PACKAGES)
def test_another_label_takes_its_place_in_a_package(kind: Kind, make: Callable[[], bytes]) -> None:
    made = marked(marked(make(), VALUE, kind), OTHER, kind)

    assert alone(carrier_of(kind).read(made), OTHER)
    assert not any(b"rec-01" in content for content, _raw in members(made).values())


def test_office_programs_libraries_read_the_property_and_the_content() -> None:
    word = docx.Document(io.BytesIO(marked(made_by.document(), VALUE, Kind.DOCX)))
    sheet = openpyxl.load_workbook(io.BytesIO(marked(own_properties(), VALUE, Kind.XLSX)))
    shown = pptx.Presentation(io.BytesIO(marked(made_by.slides(), VALUE, Kind.PPTX)))

    assert word.paragraphs[0].text == "正文 text" and word.core_properties.title == "kept"
    assert [(one.name, one.value) for one in sheet.custom_doc_props.props] == [("Own", "<值>"), ("AIGC", VALUE)]
    assert shown.slides[0].shapes.title.text == "正文"
    part = next(rel.target_part for rel in word.part.package.rels.values() if "custom-properties" in rel.reltype)
    assert part.content_type.endswith("custom-properties+xml") and VALUE in etree.fromstring(part.blob)[0][0].text


def test_exiftool_sees_the_label_in_documents(tmp_path: Path) -> None:
    files = {
        f"{number}.{kind.value}": marked(make(), VALUE, kind) for number, (kind, make) in enumerate(PACKAGES.values())
    }
    files |= {
        f"{name.replace(' ', '')}.pdf": marked(make(), VALUE, Kind.PDF)
        for name, make in PDFS.items()
        if "late" not in name
    }

    seen = exiftool_all(tmp_path, {name: data for name, data in files.items() if not name.endswith("epub")})

    for name, fields in seen.items():
        assert (fields.get("PDF:AIGC") or fields.get("XML:AIGC")) == VALUE, name
        assert "ExifTool:Error" not in fields and "ExifTool:Warning" not in fields, name


def test_a_label_in_an_office_files_description_is_found_and_taken_out() -> None:
    word = docx.Document()
    word.core_properties.comments = "mine " + WRAPPED
    data = saved(word.save)

    assert values(data, Kind.DOCX) == [(WRAPPED, False)]

    made = marked(data, VALUE, Kind.DOCX)

    assert alone(ooxml.read(made), VALUE)
    assert docx.Document(io.BytesIO(made)).core_properties.comments == "mine "


def test_a_book_keeps_its_mimetype_first_and_stored_and_its_package_valid() -> None:
    made = marked(made_by.book("3.0", ' prefix="own: http://own/"'), VALUE, Kind.EPUB)

    assert made[30:58] == b"mimetypeapplication/epub+zip"
    package = etree.fromstring(members(made)["书/p.opf"][0])
    meta = package.find(".//{*}meta")
    assert meta.get("property") == "TC260:AIGC" and meta.text == VALUE
    assert package.get("prefix") == "TC260: http://www.tc260.org.cn/ns/AIGC/1.0/ own: http://own/"


def test_a_signed_book_is_refused() -> None:
    out = io.BytesIO(made_by.book())
    with zipfile.ZipFile(out, "a") as packed:
        packed.writestr("META-INF/signatures.xml", "<signatures/>")

    with pytest.raises(Unwritable):
        marked(out.getvalue(), VALUE, Kind.EPUB)
    assert epub.read(out.getvalue()) == []


def replaced(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made_by.document())) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            new.writestr(item.filename, content if item.filename == name else old.read(item))
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"PK\3\4",
        made_by.document()[:-30],
        made_by.document()[100:],
        replaced("_rels/.rels", b"<Relationships>"),
        replaced("_rels/.rels", b"<!DOCTYPE a [<!ENTITY b 'c'>]><Relationships>&b;</Relationships>"),
        replaced("[Content_Types].xml", b""),
        replaced("_rels/.rels", b"<Relationships/>" + b" " * (17 << 20)),
        made_by.document().replace(b"[Content_Types].xml", b"_rels/.rels-or-what"),
    ],
    ids=["head", "tail", "front", "cut", "entity", "empty", "bomb", "missing"],
)
def test_a_package_that_is_not_whole_is_refused(data: bytes) -> None:
    with pytest.raises(Broken):
        marked(data, VALUE, Kind.DOCX)
