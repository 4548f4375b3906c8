"""Which label a content gets, and what it lacks.  Pure."""

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.labelling.model.label import CITATIONS, KEYS, NOTICE, AigcLabel, Conformance, Generation

MAX_VALUE_CHARS = 2048
"""Longest value (a cap of a large implementer's SDK; the standard states none)."""
_VALUE = re.compile(r'(?:[\x21\x23-\x5b\x5d-\x7e]++|\\")*+')
_CODE = re.compile(r"00[0-9A-Z]{20}(?:[0-9A-Z]{5})?")
_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORGANISATION, _NO_EXTENSION = "0011", "00000"
_REQUIRED = ("content_producer", "produce_id")
_NOT_HAN = bytes(byte for byte in range(256) if not 0x4E <= byte <= 0x9F)
"""First bytes of UTF-16 that stand for no Chinese character (U+4E00 to U+9FFF): counting so is four times as quick as a
regular expression, and the belt asks of every answer (`_lang.c` does it ten times as quick)."""
_LETTERS = bytes(ord("a" if chr(byte).isalpha() else " ") for byte in range(128)).ljust(256)
"""Every letter an `a`, all else a blank: a word begins where an `a` follows a blank."""


def is_label_value(value: str) -> bool:
    r"""Whether a value keeps to the characters of annex E j): 0x21, 0x23–0x5B, 0x5D–0x7E and `\"`."""
    return len(value) <= MAX_VALUE_CHARS and _VALUE.fullmatch(value) is not None


@lru_cache(maxsize=64)  # a house has few, and asks with every content
def provider_code_holds(code: str) -> Truth:
    """Whether a provider code of 22 or 27 characters holds.

    Returns:
        True or false by form and, for organisations bound by a unified social credit code, its check digit
        (GB 32100); unknown for a name, and for subject types whose coding was not seen.
    """
    if not _CODE.fullmatch(code):
        return Truth.UNKNOWN
    if code[2:4] != "11":
        return Truth.UNKNOWN
    subject = code[4:22]
    if not set(subject) <= set(_USCC):
        return Truth.FALSE
    total = sum(_USCC.index(char) * pow(3, place, 31) for place, char in enumerate(subject[:17]))
    return Truth.of(_USCC[-total % 31] == subject[17])


def provider_code_of(uscc: str) -> str:
    """Return the provider code of an organisation that generates, without an extension of its own making.

    Args:
        uscc: Its unified social credit code (GB 32100); empty for none.

    Returns:
        27 characters: format `00`, organisation `1` bound by that code `1`, the code, and `00000` for an extension
        that is not used (the rules for provider codes, 网安秘字〔2025〕29号).  Nothing where the code does not hold:
        none is ever invented.
    """
    made = f"{_ORGANISATION}{uscc}{_NO_EXTENSION}"
    return made if provider_code_holds(made) is Truth.TRUE else ""


def label(generation: Generation, *, provider_code: str, produce_id: str) -> tuple[AigcLabel, Conformance, Reason]:
    """Make the label of one content, and judge it.

    Args:
        generation: As `made`.
        provider_code: As `made`.
        produce_id: As `made`.

    Returns:
        The label, whether it is complete, and why.

    Raises:
        Invalid: A value holds characters that the standard does not provide for.
    """
    one = made(generation, provider_code=provider_code, produce_id=produce_id)
    lacking = missing(one)
    is_wrong = provider_code_holds(provider_code) is Truth.FALSE
    conformance = Conformance.INCOMPLETE if lacking or is_wrong else Conformance.COMPLETE
    return one, conformance, _reason(one, conformance, lacking)


def made(generation: Generation, *, provider_code: str, produce_id: str) -> AigcLabel:
    """Make the label of one content.

    Args:
        generation: Whether the content is, may be, or is suspected to be generated.
        provider_code: Code or name of the provider; empty where none is configured.  None is ever invented.
        produce_id: The provider's unique number for the content.

    Raises:
        Invalid: A value holds characters that the standard does not provide for.
    """
    one = AigcLabel(label=generation, content_producer=provider_code, produce_id=produce_id)
    for key, value in one.as_object().items():
        if not is_label_value(value):
            raise Invalid(
                what=Text(
                    zh=f"标识字段 {key} 的取值含有标准未规定的字符，或者过长。",
                    en=f"The label's {key} holds characters the standard does not provide for, or is too long.",
                ),
                hint=Text(
                    zh="请只使用可见 ASCII 字符（不含空格、引号和反斜杠）；中文名称请改用服务提供者编码。",
                    en="Use visible ASCII without blanks, quotes or backslashes; give a code for a Chinese name.",
                ),
                details={"field": key},
            )
    return one


def missing(made: AigcLabel) -> tuple[str, ...]:
    """Return the required keys that are empty, by the standard's names."""
    return tuple(KEYS[name] for name in _REQUIRED if not getattr(made, name))


def incomplete(lacking: Sequence[str]) -> Text:
    """Return what to say of a label that lacks required keys, and what to do."""
    named = ", ".join(lacking)
    return Text(
        zh=f"AIGC 标识不完整：缺 {named}，系统不会代为编造。在补齐之前，检验（verify）会判这份文件的标识格式为不成立，"
        "并以 1 退出。请在登记册中填写该系统提供者的统一社会信用代码，或设置 SAFEBELT_PROVIDER_CODE，然后重新加注。",
        en=f"The AIGC label is incomplete: {named} is missing, and none is invented. As it is, a check (verify) calls "
        "the label's form bad and exits 1. Enter the unified social credit code of the system's provider in the "
        "register, or set SAFEBELT_PROVIDER_CODE, and mark the original again.",
    )


def _reason(made: AigcLabel, conformance: Conformance, lacking: tuple[str, ...]) -> Reason:
    is_complete = conformance is Conformance.COMPLETE
    statements = [
        Reason(
            says=Text(zh=f"缺少必填字段 {key}，系统不会代为编造。", en=f"{key} is missing; none is invented."),
            holds=Truth.TRUE,
            cites=(CITATIONS["implicit"],),
        )
        for key in lacking
    ]
    if made.content_producer:
        statements.append(_code_reason(made.content_producer))
    statements.append(
        Reason(
            says=Text(
                zh="必填字段的范围依据二手资料整理，尚未对照标准原文核实。",
                en="Which keys are required is known from secondary sources and not yet checked against the standard.",
            ),
            holds=Truth.UNKNOWN,
            cites=(CITATIONS["implicit"],),
        )
    )
    return Reason(
        says=Text(
            zh="隐式标识的必填字段齐备。" if is_complete else "隐式标识不完整。",
            en="The implicit label has all its required keys." if is_complete else "The implicit label is incomplete.",
        ),
        holds=Truth.TRUE,
        cites=(CITATIONS["implicit"], CITATIONS["duty"]),
        because=tuple(statements),
    )


def _code_reason(code: str) -> Reason:
    holds = provider_code_holds(code)
    says = {
        Truth.TRUE: Text(
            zh="服务提供者编码格式正确，校验位相符；编码是否属于该主体未核实。",
            en="The provider code has the right form and check digit; whose it is was not verified.",
        ),
        Truth.FALSE: Text(zh="服务提供者编码的校验位不符。", en="The provider code's check digit is wrong."),
        Truth.UNKNOWN: Text(
            zh="服务提供者以名称或未知类型的编码表示，无法校验。",
            en="The provider is given by a name or by a kind of code that is not known here; it was not checked.",
        ),
    }[holds]
    return Reason(says=says, holds=holds, cites=(CITATIONS["provider_code"],))


def as_field(made: AigcLabel, conformance: Conformance) -> dict[str, Any]:
    """Return the label as a JSON field: `{"AIGC": {…}, "status": …}`, with `missing` where something is."""
    lacking = missing(made)
    field: dict[str, Any] = {"AIGC": made.as_object(), "status": conformance.value}
    return field | ({"missing": list(lacking)} if lacking else {})


def as_header(made: AigcLabel, conformance: Conformance) -> str:
    """Return the same as compact ASCII JSON, safe as an HTTP header value."""
    return json.dumps(as_field(made, conformance), ensure_ascii=True, separators=(",", ":"))


def notice_for(text: str) -> str:
    """Return the explicit notice in the language of the text."""
    return NOTICE.in_(lang_of(text))


def lang_of(text: str) -> Lang:
    """Return in which language a notice on a text is: Chinese where Chinese characters prevail over words."""
    han, words = counts(text)
    return "zh" if han and han >= words else "en"


def counts_plainly(text: str) -> tuple[int, int]:
    """Return how many Chinese characters (U+4E00 to U+9FFF) a text has, and how many words of letters of ASCII."""
    han = len(text.encode("utf-16-be", "surrogatepass")[::2].translate(None, _NOT_HAN))
    letters = b" %b" % text.encode("ascii", "replace").translate(_LETTERS)
    return han, letters.count(b" a")


try:
    from safebelt.rooms.labelling.decide._lang import counts
except ImportError:  # installed without a compiler
    counts = counts_plainly
