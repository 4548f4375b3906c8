"""Words of what is owed: kinds of content, and whether a mark is owed on it, with why."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.labelling.model.marks import Mark


class Medium(StrEnum):
    """What kind of content it is, by the names that label schemes use (`law/controls.yaml`, `label_scheme.media`)."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"


MEDIA: Mapping[Medium, Text] = {
    Medium.TEXT: Text(zh="文字", en="text"),
    Medium.IMAGE: Text(zh="图片", en="picture"),
    Medium.AUDIO: Text(zh="音频", en="sound"),
    Medium.VIDEO: Text(zh="视频", en="film"),
}


class Owing(StrEnum):
    """Whether a mark is owed.  *Not evaluated* is a verdict: facts are missing that would tell."""

    OWED = "owed"
    NOT_OWED = "not_owed"
    NOT_EVALUATED = "not_evaluated"


OWINGS: Mapping[Owing, Text] = {
    Owing.OWED: Text(zh="应当加注", en="owed"),
    Owing.NOT_OWED: Text(zh="不要求", en="not owed"),
    Owing.NOT_EVALUATED: Text(zh="未能判断", en="not evaluated"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedMark:
    """Whether one mark is owed on a content.

    Attributes:
        owing: The verdict.
        reason: Why, with the provisions it rests on.
        norms: Ids of the norms that ask for it, or may.
    """

    owing: Owing
    reason: Reason
    norms: tuple[str, ...] = ()


SCHEME_CONTROL = "label_scheme"
"""The control (`law/controls.yaml`) by which a norm says that content of some kinds is marked by a scheme."""
BY_EVIDENCE: Mapping[str, Mark] = {"explicit_label": Mark.EXPLICIT, "watermark": Mark.WATERMARK}
"""Which mark shows that such a norm is kept, by the evidence it names (`law/evidence.yaml`)."""
METADATA_EVIDENCE = "implicit_label_metadata"
METADATA_MARKS: Mapping[str, Mark] = {"gb45438": Mark.AIGC}
"""Which mark in metadata a scheme means; every other scheme asks for signed provenance, which C2PA is."""
PLACES, FUNCTIONS = "market.jurisdictions", "system.functions"
"""The facts (`law/facts.yaml`) that say where a system is offered, and what it does."""
FUNCTION_OF: Mapping[Medium, str] = {
    Medium.TEXT: "generates_text",
    Medium.IMAGE: "generates_images",
    Medium.AUDIO: "generates_speech_or_audio",
    Medium.VIDEO: "generates_video",
}
"""What a system does that made such a content: options of the fact `system.functions`."""
SHORT_TEXT_TOKENS = 200
"""Free text up to this many tokens needs no watermark: Code of Practice on Transparency of AI-Generated Content
(final, 10 June 2026), section 1, measure 1.1.  The code is voluntary; the Act itself names no number."""
