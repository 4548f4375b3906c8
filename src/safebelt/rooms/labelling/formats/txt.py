"""Plain text: nothing can be put into it; what some write into it all the same is found.

The law and its guides name no place for metadata in plain text: the notice in the text and a file beside it carry the
label.  Read are a front matter with a map `AIGC`, as in Markdown, and a last line that is `{"AIGC":{…}}`.
"""

import codecs

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats.carrier import MAX_LABEL_BYTES, Buffer, Edit, Found, Unwritable
from safebelt.rooms.labelling.formats.markdown import MAX_FRONT_MATTER, blocks, front_matter
from safebelt.rooms.labelling.formats.texts import TextFile
from safebelt.rooms.labelling.formats.values import in_bytes


def read(data: Buffer) -> list[Found]:
    """Find every label; raises `Broken`."""
    text = TextFile.of(data, "a text", limit=2 * MAX_FRONT_MATTER)
    matter = front_matter(text.utf8)
    found = [
        Found(place="front matter AIGC", value=value, is_native=False, at=text.offset(start), length=end - start)
        for start, end, value in (blocks(text.utf8, *matter) if matter else [])
    ]
    return found + _last_line(data, text)


def write(data: Buffer, value: str) -> Edit:
    """Refuse: a text has no place for metadata.

    Raises:
        Unwritable: Always.
    """
    raise Unwritable(
        Text(
            zh="纯文本没有元数据的位置；请在正文加注显式提示，并随附同名的 .aigc.json 文件。",
            en="Plain text has no place for metadata; put a notice into the text and a .aigc.json file beside it.",
        )
    )


def _last_line(data: Buffer, text: TextFile) -> list[Found]:
    """Find a label that is all of the last line."""
    if text.codec is None:
        base = max(0, len(data) - 2 * MAX_LABEL_BYTES)
        tail = data[base:]
    else:
        base, tail = 0, text.utf8[-2 * MAX_LABEL_BYTES :]
    text_end = len(tail.rstrip(b" \t\r\n\0"))
    line = tail[:text_end].rpartition(b"\n")[2].removeprefix(codecs.BOM_UTF8)
    start = text_end - len(line)
    labels = in_bytes(line)
    if len(labels) != 1 or (line[: labels[0].start] + line[labels[0].end :]).strip(b" \t\r`#*<>!-"):
        return []
    at = base + start + labels[0].start if text.codec is None else None
    return [
        Found(place="last line", value=labels[0].value, is_native=False, at=at, length=labels[0].end - labels[0].start)
    ]
