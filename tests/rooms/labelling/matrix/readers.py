"""Programs and libraries we did not write, each asked whether it finds a mark; and what a file shows or says, decoded."""

import html.parser
import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import docx
import encypher_c2pa
import openpyxl
import pikepdf
import pptx
import pypdf
import yaml
from lxml import etree
from PIL import Image

from safebelt.rooms.labelling.formats.kinds import MEDIA_TYPES, Kind

TC260 = "{http://www.tc260.org.cn/ns/AIGC/1.0/}AIGC"
IMAGES = (Kind.JPEG, Kind.PNG, Kind.WEBP, Kind.GIF, Kind.TIFF, Kind.AVIF)
MEDIA = (
    *(Kind.MP4, Kind.MOV, Kind.M4A, Kind.MKV, Kind.WEBM, Kind.AVI, Kind.FLV),
    *(Kind.WAV, Kind.MP3, Kind.FLAC, Kind.OGG, Kind.OPUS),
)
OFFICE = (Kind.DOCX, Kind.XLSX, Kind.PPTX)
SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Reader:
    """A reader that is not ours.

    Attributes:
        kinds: Formats it is asked about.
        label: Returns what it says of a file's label, as text or as the label's object; None where it finds none.
        is_program: Whether it is a program of its own, which takes long to start.
    """

    kinds: tuple[Kind, ...]
    label: Callable[[Path, Kind], Any]
    is_program: bool = False


def run(*words: object, is_text: bool = True) -> str:
    done = subprocess.run([str(word) for word in words], capture_output=True, check=False, timeout=SECONDS)
    return done.stdout.decode("utf-8", "replace") if is_text else done.stdout.hex()


def finds(reader: Reader, path: Path, kind: Kind, label: Mapping[str, str]) -> bool:
    """Whether a reader finds the whole label: its object, or its text in what a program prints."""
    said = reader.label(path, kind)
    if isinstance(said, Mapping):
        return dict(said) == dict(label)
    return said is not None and json.dumps(dict(label), separators=(",", ":")) in said


def _exiftool(path: Path, kind: Kind) -> str:
    """What it shows, each value freed from JSON's escaping."""
    del kind
    said = json.loads(run("exiftool", "-a", "-u", "-b", "-G1", "-j", path) or "[{}]")[0]
    return "\n".join(_plain(value) for value in said.values())


def _plain(value: Any) -> str:
    import base64

    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if text.startswith("base64:"):
        return base64.b64decode(text[7:]).decode("utf-8", "replace")
    return text


def _ffprobe(path: Path, kind: Kind) -> str:
    del kind
    said = json.loads(run("ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", path) or "{}")
    tags = [said.get("format", {}).get("tags", {}), *(one.get("tags", {}) for one in said.get("streams", ()))]
    return "\n".join(str(value) for each in tags for value in each.values())


def _pillow(path: Path, kind: Kind) -> str | None:
    del kind
    with Image.open(path) as opened:
        found = opened.info.get("xmp") or opened.info.get("XML:com.adobe.xmp")
        if found is None and hasattr(opened, "tag_v2"):
            found = opened.tag_v2.get(700)
    return None if found is None else _of_xmp(found if isinstance(found, bytes) else str(found).encode())


def _of_xmp(packet: bytes) -> str | None:
    root = etree.fromstring(packet.strip(b"\0 \n\r\t"))
    return next((one.text for one in root.iter(TC260)), None)


def _heif_convert(path: Path, kind: Kind) -> str | None:
    """The packet that it copies into the PNG it makes."""
    del kind
    with Image.open(converted(path)) as opened:
        found = opened.info.get("xmp") or opened.info.get("XML:com.adobe.xmp")
    return None if found is None else _of_xmp(found if isinstance(found, bytes) else str(found).encode())


def converted(path: Path) -> Path:
    out = path.with_suffix(".converted.png")
    run("heif-convert", path, out)
    return out


def _pikepdf(path: Path, kind: Kind) -> str | None:
    del kind
    with pikepdf.open(path) as opened:
        return str(opened.docinfo["/AIGC"]) if "/AIGC" in opened.docinfo else None


def _pypdf(path: Path, kind: Kind) -> str | None:
    del kind
    found = (pypdf.PdfReader(path).metadata or {}).get("/AIGC")
    return None if found is None else str(found)


def _openpyxl(path: Path, kind: Kind) -> str | None:
    del kind
    properties = openpyxl.load_workbook(path).custom_doc_props
    return next((one.value for one in properties.props if one.name == "AIGC"), None)


def _custom_part(path: Path, kind: Kind) -> str | None:
    """The part as python-docx or python-pptx open the package."""
    opened = docx.Document(str(path)) if kind is Kind.DOCX else pptx.Presentation(str(path))
    part = next((one for one in opened.part.package.iter_parts() if str(one.partname) == "/docProps/custom.xml"), None)
    if part is None:
        return None
    root = etree.fromstring(part.blob)
    return next((one[0].text for one in root if one.get("name") == "AIGC"), None)


def _lxml(path: Path, kind: Kind) -> str | None:
    if kind is Kind.EPUB:
        with zipfile.ZipFile(path) as opened:
            package = next(one for one in opened.namelist() if one.endswith(".opf"))
            root = etree.fromstring(opened.read(package))
        return next((one.text for one in root.iter() if str(one.get("property", "")).endswith("AIGC")), None)
    return next((one.text for one in etree.parse(path).getroot().iter(TC260)), None)


def _yaml(path: Path, kind: Kind) -> Any:
    del kind
    return next(yaml.safe_load_all(path.read_text("utf-8").split("\n---\n")[0].removeprefix("---\n"))).get("AIGC")


def _json(path: Path, kind: Kind) -> Any:
    found = json.loads(path.read_text("utf-8")).get("AIGC")
    return json.loads(found) if kind is Kind.JSON and isinstance(found, str) else found


class _Page(html.parser.HTMLParser):
    label: str | None = None
    text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "meta" and said.get("name") == "AIGC":
            self.label = said.get("content")

    def handle_data(self, data: str) -> None:
        self.text += data


def page(path: Path) -> _Page:
    made = _Page()
    made.feed(path.read_text("utf-8"))
    return made


READERS: Mapping[str, Reader] = {
    "exiftool": Reader(
        kinds=(*IMAGES, Kind.HEIC, Kind.SVG, *MEDIA, Kind.PDF, *OFFICE), label=_exiftool, is_program=True
    ),
    "ffprobe": Reader(kinds=MEDIA, label=_ffprobe, is_program=True),
    "heif-convert": Reader(kinds=(Kind.HEIC, Kind.AVIF), label=_heif_convert, is_program=True),
    "Pillow": Reader(kinds=IMAGES, label=_pillow),
    "pikepdf": Reader(kinds=(Kind.PDF,), label=_pikepdf),
    "pypdf": Reader(kinds=(Kind.PDF,), label=_pypdf),
    "openpyxl": Reader(kinds=(Kind.XLSX,), label=_openpyxl),
    "python-docx": Reader(kinds=(Kind.DOCX,), label=_custom_part),
    "python-pptx": Reader(kinds=(Kind.PPTX,), label=_custom_part),
    "lxml": Reader(kinds=(Kind.SVG, Kind.EPUB), label=_lxml),
    "PyYAML": Reader(kinds=(Kind.MARKDOWN,), label=_yaml),
    "html.parser": Reader(kinds=(Kind.HTML,), label=lambda path, _kind: page(path).label),
    "json": Reader(kinds=(Kind.JSON,), label=_json),
}
"""Who is asked for the label.  `html.parser` and `json` are Python's own: second parsers, where no other tool reads it."""
LIBRARIES = ("Pillow", "pikepdf", "pypdf", "openpyxl", "python-docx", "python-pptx", "lxml", "PyYAML", "encypher-c2pa")


def versions() -> dict[str, str]:
    """Which versions were asked; empty where a program is not here."""
    found = {name: version(name) for name in LIBRARIES}
    found["exiftool"] = run("exiftool", "-ver").strip() if shutil.which("exiftool") else ""
    found["ffmpeg"] = run("ffmpeg", "-version").split(" ")[2] if shutil.which("ffmpeg") else ""
    found["heif-convert"] = _libheif() if shutil.which("heif-info") else ""
    return found


def _libheif() -> str:
    """The version, which only its help tells."""
    said = subprocess.run(["heif-info", "--help"], capture_output=True, text=True, check=False, timeout=SECONDS)
    return (said.stdout + said.stderr).partition("version:")[2].split("\n")[0].strip()


def c2pa_state(path: Path, kind: Kind, root: str) -> str:
    """What an engine that shares no code with ours says of a manifest, given our root and no other."""
    said = encypher_c2pa.verify(
        path.read_bytes(), MEDIA_TYPES[kind], trust_pem=root, no_default_trust=True, telemetry=False, online=False
    )
    return str(said["validation_state"])


def essence(path: Path, kind: Kind) -> tuple[str, object]:
    """What decoded a file, and what it came to: pixels, frames, pages, parts, words."""
    if kind in IMAGES:
        return "Pillow", _pixels(path)
    if kind is Kind.HEIC:
        return "heif-convert", _pixels(converted(path))
    if kind in MEDIA:
        return "ffmpeg", run("ffmpeg", "-v", "error", "-nostdin", "-i", path, "-map", "0", "-f", "framemd5", "-")
    return _ESSENCE[kind](path)


def _pixels(path: Path) -> object:
    frames = []
    with Image.open(path) as opened:
        for number in range(getattr(opened, "n_frames", 1)):
            opened.seek(number)
            frames.append((opened.mode, opened.size, opened.tobytes()))
    return frames


def _pages(path: Path) -> tuple[str, object]:
    with pikepdf.open(path) as opened:
        return "pikepdf", [
            (pikepdf.unparse_content_stream(pikepdf.parse_content_stream(one)), str(one.mediabox))
            for one in opened.pages
        ]


def _parts(path: Path) -> tuple[str, object]:
    """Every part of a package but the few that name or hold properties."""
    with zipfile.ZipFile(path) as opened:
        touched = ("[Content_Types].xml", "_rels/.rels", "docProps/custom.xml")
        names = [one for one in opened.namelist() if one not in touched and not one.endswith(".opf")]
        return "zipfile", [(name, opened.read(name)) for name in names]


def _drawing(path: Path) -> tuple[str, object]:
    root = etree.parse(path).getroot()
    kept = [one for one in root if isinstance(one.tag, str) and not one.tag.endswith("}metadata")]
    return "lxml", [etree.tostring(one, method="c14n", exclusive=True) for one in kept]


def _words(path: Path) -> tuple[str, object]:
    text = path.read_text("utf-8")
    text = text.split("\n<!-- -----BEGIN C2PA")[0].split("\ufeff\U000e0133")[0]
    front, _, body = text.partition("\n---\n") if text.startswith("---\n") else ("", "", text)
    return "PyYAML", (
        {k: v for k, v in (yaml.safe_load(front[4:]) or {}).items() if k != "AIGC"} if front else {},
        body.rstrip(),
    )


_ESSENCE: Mapping[Kind, Callable[[Path], tuple[str, object]]] = {
    Kind.PDF: _pages,
    **dict.fromkeys((*OFFICE, Kind.EPUB), _parts),
    Kind.SVG: _drawing,
    Kind.MARKDOWN: _words,
    Kind.TXT: lambda path: ("text", path.read_text("utf-8").split("\ufeff\U000e0133")[0]),
    Kind.HTML: lambda path: ("html.parser", etree.tostring(etree.HTML(path.read_text("utf-8")).find("body"))),
    Kind.JSON: lambda path: ("json", {k: v for k, v in json.loads(path.read_text("utf-8")).items() if k != "AIGC"}),
}


def _book_text(path: Path) -> str:
    with zipfile.ZipFile(path) as opened:
        parts = [opened.read(one) for one in opened.namelist() if one.endswith((".xhtml", ".html", ".htm"))]
    return "\n".join("".join(etree.fromstring(part).itertext()) for part in parts)


def _slides_text(path: Path) -> str:
    shapes = [shape for slide in pptx.Presentation(str(path)).slides for shape in slide.shapes]
    return "\n".join(shape.text_frame.text for shape in shapes if shape.has_text_frame)


def _cells_text(path: Path) -> str:
    sheets = openpyxl.load_workbook(path).worksheets
    headers = [
        part.text or "" for one in sheets for part in (one.oddHeader.left, one.oddHeader.center, one.oddHeader.right)
    ]
    return "\n".join(
        [*headers, *(str(cell) for one in sheets for row in one.iter_rows(values_only=True) for cell in row)]
    )


def _words_text(path: Path) -> str:
    opened = docx.Document(str(path))
    headers = [line.text for one in opened.sections for line in one.header.paragraphs]
    return "\n".join([*headers, *(line.text for line in opened.paragraphs)])


NOTICE_READERS: Mapping[Kind, Mapping[str, Callable[[Path], str]]] = {
    Kind.TXT: {"text": lambda path: path.read_text("utf-8")},
    Kind.MARKDOWN: {"text": lambda path: path.read_text("utf-8")},
    Kind.HTML: {"html.parser": lambda path: page(path).text},
    Kind.PDF: {"pypdf": lambda path: "\n".join(one.extract_text() for one in pypdf.PdfReader(path).pages)},
    Kind.DOCX: {"python-docx": _words_text},
    Kind.XLSX: {"openpyxl": _cells_text},
    Kind.PPTX: {"python-pptx": _slides_text},
    Kind.EPUB: {"lxml": _book_text},
    Kind.SVG: {"lxml": lambda path: "".join(etree.parse(path).getroot().itertext())},
}
"""Who reads the words of a file; what is drawn or heard in a picture, film or sound, none of these does."""
