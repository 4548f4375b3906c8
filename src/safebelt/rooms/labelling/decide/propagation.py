"""What a platform that passes content on says of it, and what it writes: the Labelling Measures, Art. 6.  Pure.

A label that says *is generated* decides; without one, what the user declared; without that, what was detected.  The
producer's part of a label is never touched, and what it says is never made less.
"""

from collections.abc import Mapping

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.labelling.decide.reading import generation_of
from safebelt.rooms.labelling.model.label import CITATIONS, KEYS, Generation
from safebelt.rooms.labelling.model.marks import Duty

_LABELS = {
    Duty.CONFIRMED: Generation.GENERATED,
    Duty.POSSIBLE: Generation.POSSIBLY,
    Duty.SUSPECTED: Generation.SUSPECTED,
}
_DUTIES = {generation: duty for duty, generation in _LABELS.items()}
_CITES = (CITATIONS["duty"],)
_SAYS = {
    Duty.CONFIRMED: (
        "文件的隐式标识表明内容由 AI 生成：应提示“由 AI 生成”。",
        "The file's label says that AI generated the content: the notice is *AI-generated*.",
    ),
    Duty.POSSIBLE: (
        "没有隐式标识，用户声明或标识称可能由 AI 生成：应提示“可能由 AI 生成”。",
        "No label confirms it, and the user or the label says it may be: the notice is *may be AI-generated*.",
    ),
    Duty.SUSPECTED: (
        "没有隐式标识和用户声明，但检测到生成合成的痕迹：应提示“疑似由 AI 生成”。",
        "Neither label nor user says so, and traces were detected: the notice is *suspected to be AI-generated*.",
    ),
    Duty.NONE: (
        "没有标识、声明或检测到的痕迹：没有应加的提示；这不表示内容出自人手。",
        "There is no label, no declaration and no trace: no notice is owed; a human need not have made it.",
    ),
}
NOTICES: Mapping[Duty, Text] = {
    Duty.CONFIRMED: Text(zh="本内容由人工智能生成", en="AI-generated (AI生成)"),
    Duty.POSSIBLE: Text(zh="本内容可能由人工智能生成", en="May be AI-generated (可能由AI生成)"),
    Duty.SUSPECTED: Text(zh="本内容疑似由人工智能生成", en="Suspected to be AI-generated (疑似由AI生成)"),
}
"""What stands beside the content where it is shown."""


def duty(fields: Mapping[str, str], *, is_declared: bool, is_detected: bool) -> tuple[Duty, Reason]:
    """Return what is to be said of a content, and why.

    Args:
        fields: Its label, by the standard's keys; empty where there is none that can be read.
        is_declared: Whether the user declared it to be generated.
        is_detected: Whether a visible notice or other traces of generation were found.
    """
    said = _DUTIES.get(generation) if (generation := generation_of(fields)) else None
    if said is Duty.CONFIRMED:
        found = Duty.CONFIRMED
    elif said is Duty.POSSIBLE or is_declared:
        found = Duty.POSSIBLE
    elif said is Duty.SUSPECTED or is_detected:
        found = Duty.SUSPECTED
    else:
        found = Duty.NONE
    zh, en = _SAYS[found]
    return found, Reason(says=Text(zh=zh, en=en), holds=Truth.of(found is not Duty.NONE or None), cites=_CITES)


def passed_on(fields: Mapping[str, str], found: Duty, *, propagator: str, propagate_id: str) -> dict[str, str]:
    """Return the label as the platform writes it: the producer's part as it was, the platform's pair beside it.

    Args:
        fields: The label there is; empty for none, and then no producer is invented.
        found: What is to be said.
        propagator: The platform's name or code.
        propagate_id: Its number for the content.
    """
    label = {key: fields.get(key, "") for key in KEYS.values()}
    if generation_of(fields) is None:
        label[KEYS["label"]] = _LABELS[found].value
    label[KEYS["content_propagator"]], label[KEYS["propagate_id"]] = propagator, propagate_id
    return label
