"""The pages that say which mark was read back from which format, and by whom: nothing but what was written down."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.model import MARKS, Mark

ROOT = Path(__file__).resolve().parents[4]
DATA = ROOT / "tests" / "data" / "label-matrix.json"
PAGES = {lang: ROOT / "docs" / "reference" / f"label-matrix.{lang}.md" for lang in LANGS}
TOOL = "python -m tests.rooms.labelling.matrix.fill"
_TITLE = Text(zh="标识矩阵：哪种标识，由谁读回", en="Which mark was read back, from which format, and by whom")
_LEAD = Text(
    zh="每种格式取一个由他人程序写出的文件，逐一加上每种标识，再由并非本项目编写的工具读回。下表只记录实际运行的结果。",
    en="One file of each format, written by a program that is not ours, was given each mark by itself, and tools that we "
    "did not write read it back. The table holds what came of that, and nothing else.",
)
_LEGEND = Text(
    zh="✓ 读到完整的标识 · ✗ 未能读到 · = 解码后与标识前逐位相同 · ≠ 不同 · — 不写入，原因见下。显式提示与水印改变所见所闻，"
    "因此不比较内容；画面和声音中的提示须由人查看，水印只有持密钥者能读，故只列出本系统自己的读取结果。声音与视频的这两项取"
    " 10 秒的噪声与测试画面。",
    en="✓ found the whole mark · ✗ did not find it · = decodes to the same bits as before · ≠ does not · — is not put "
    "there; why, stands below. Notice and watermark change what is seen, so that is not compared; a notice in "
    "pictures and sound is for eyes and ears, and a watermark is read only by who has its key: there it is our own "
    "reader that is named. For these two marks, sound and film are ten seconds of noise and a test picture.",
)
_NOT_RUN = Text(zh="未运行", en="not run")
_HEADS = Text(zh="格式", en="Format")
_WHY = Text(zh="未写入的标识", en="Marks that are not put there")
_ASKED = Text(zh="所用工具", en="Who was asked")
UNREAD: Mapping[tuple[str, str], Text] = {
    ("gif", "Pillow"): Text(zh="Pillow 不读取 GIF 中的 XMP", en="Pillow reads no XMP of a GIF"),
    ("mkv", "exiftool"): Text(
        zh="exiftool 不读到文件末尾的标签", en="exiftool does not go on to tags at the file's end"
    ),
    ("webm", "exiftool"): Text(
        zh="exiftool 不读到文件末尾的标签", en="exiftool does not go on to tags at the file's end"
    ),
    ("wav", "ffprobe"): Text(zh="ffprobe 不显示它不认识的块", en="ffprobe shows no chunk that it does not know"),
}
"""Where a reader does not look; another does, and no reader has found a label to be wrong."""
_BLIND = Text(zh="读者不看之处", en="Where a reader does not look")
_NAMES = ("exiftool", "ffmpeg", "heif-convert", "remove-ai-watermarks")


def write(data: Mapping[str, Any]) -> None:
    """Write the pages."""
    for lang, path in PAGES.items():
        path.write_text(rendered(data, lang), "utf-8")


def load() -> dict[str, Any]:
    """Return what was written down."""
    found: dict[str, Any] = json.loads(DATA.read_text("utf-8"))
    return found


def rendered(data: Mapping[str, Any], lang: Lang) -> str:
    """Return a page.

    Args:
        data: What the readers said.
        lang: Its language.
    """
    marks = list(Mark)
    lines = [
        f"# {_TITLE.in_(lang)}", "", f"<!-- Written by {TOOL}; change what is read, not this page. -->", "",
        _LEAD.in_(lang), "", _LEGEND.in_(lang), "",
        f"| {_HEADS.in_(lang)} | " + " | ".join(MARKS[mark].in_(lang) for mark in marks) + " |",
        "|---|" + "---|" * len(marks),
    ]  # fmt: skip
    for kind in Kind:
        row = data["formats"][kind.value]
        lines.append(f"| {kind.value} | " + " | ".join(_cell(row[mark.value]) for mark in marks) + " |")
    lines += ["", f"## {_WHY.in_(lang)}", "", *_reasons(data, lang)]
    lines += ["", f"## {_BLIND.in_(lang)}", "", *(f"- {kind}: {why.in_(lang)}" for (kind, _), why in UNREAD.items())]
    lines += ["", f"## {_ASKED.in_(lang)}", "", *_tools(data["tools"], lang), ""]
    return "\n".join(lines)


def _cell(cell: Mapping[str, Any]) -> str:
    if "put" not in cell:
        return "—"
    said = [f"{name} {_sign(found)}" for name, found in cell["readers"].items()]
    if "essence" in cell:
        said.append(f"{'=' if cell['essence']['is_same'] else '≠'} {cell['essence']['by']}")
    return "<br>".join([f"`{cell['put']}`", *said])


def _sign(found: bool | str) -> str:
    return {True: "✓", False: "✗", "Trusted": "✓"}.get(found, "✗")


def _reasons(data: Mapping[str, Any], lang: Lang) -> list[str]:
    by_reason = dict[tuple[str, str], list[str]]()
    for kind in Kind:
        for mark in Mark:
            cell = data["formats"][kind.value][mark.value]
            if "put" not in cell:
                why = re.sub(rf"\b{kind.value}(?= (?:files|文件))", "…", cell["left_out"][lang])
                by_reason.setdefault((mark.value, why), []).append(kind.value)
    return [f"- {MARKS[Mark(mark)].in_(lang)} · {', '.join(kinds)}: {why}" for (mark, why), kinds in by_reason.items()]


def _tools(tools: Mapping[str, str], lang: Lang) -> list[str]:
    names = [*tools, *(name for name in _NAMES if name not in tools)]
    return [f"- {name} {tools.get(name) or _NOT_RUN.in_(lang)}" for name in sorted(names, key=str.lower)]
