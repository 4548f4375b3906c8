"""Words of marking: which marks there are, which are wished for, and what was put where."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.model.label import AigcLabel


class Mark(StrEnum):
    """A way to say that AI made a content."""

    EXPLICIT = "explicit"
    AIGC = "aigc"
    C2PA = "c2pa"
    WATERMARK = "watermark"


MARKS: Mapping[Mark, Text] = {
    Mark.EXPLICIT: Text(zh="显式标识", en="visible notice"),
    Mark.AIGC: Text(zh="AIGC 元数据", en="AIGC metadata"),
    Mark.C2PA: Text(zh="C2PA 签名清单", en="signed C2PA manifest"),
    Mark.WATERMARK: Text(zh="数字水印", en="watermark"),
}


class Duty(StrEnum):
    """What a platform that passes content on says of it (the Labelling Measures, Art. 6)."""

    CONFIRMED = "confirmed"
    POSSIBLE = "possible"
    SUSPECTED = "suspected"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be put on a content.

    Attributes:
        label: The implicit label.
        marks: Which marks.
        lang: Language of a visible notice: `zh`, `en`, or empty for the content's own.
    """

    label: AigcLabel
    marks: frozenset[Mark]
    lang: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """What was put on a content, each mark read back out of the finished file.

    Attributes:
        kind: The file's format.
        put: Each mark and where it stands.
        left_out: Each mark that was wished for and is not there, with why.
        sha256: Digest of the finished file, hexadecimal.
        size: Its length in bytes.
        lacking: Required keys that its label has no value for; none is invented.
    """

    kind: str
    put: Mapping[Mark, str]
    left_out: Mapping[Mark, Text]
    sha256: str
    size: int
    lacking: tuple[str, ...] = ()
