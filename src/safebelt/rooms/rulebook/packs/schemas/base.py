"""Words every schema is made of: bilingual text, ids, dates, quantities, conditions as plain data."""

import re
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from safebelt.kernel.text import Text

CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_QUOTED = re.compile(r"“[^”]*”|‘[^’]*’|\"[^\"]*\"|'[^']*'|《[^》]*》|「[^」]*」")
_LATIN = re.compile(r"[A-Za-z]{2}")
ID_CHARS = 80
"""The ledger keeps what an entry is about in a column of this width."""

TITLE_CHARS = 40
"""A title is a headline: it stands in lists and on badges."""


def wrong(what_zh: str, what_en: str, hint_zh: str, hint_en: str) -> PydanticCustomError:
    """A validation error that says in both languages what is wrong and what to do."""
    context = {"what_zh": what_zh, "what_en": what_en, "hint_zh": hint_zh, "hint_en": hint_en}
    return PydanticCustomError("safebelt", "{what_en} {hint_en}", context)


def _chinese(text: str) -> str:
    if not CHINESE.search(text):
        raise wrong("zh 里没有中文。", "The zh wording holds no Chinese.", "请写中文。", "Write it in Chinese.")
    return text.strip()


def _not_chinese(text: str) -> str:
    outside = _QUOTED.sub("", text)
    if CHINESE.search(outside):
        raise wrong(
            "en 里有引号之外的中文。",
            "The en wording holds Chinese outside quotation marks.",
            "请写英文；必须引用的中文放进引号。",
            "Write it in English; put Chinese words that must be quoted in quotation marks.",
        )
    return text.strip()


def _english(text: str) -> str:
    _not_chinese(text)
    if not _LATIN.search(text):
        raise wrong("en 里没有英文。", "The en wording holds no English.", "请写英文。", "Write it in English.")
    return text.strip()


def _no_longer_than_a_title(text: str) -> str:
    if len(text) > TITLE_CHARS:
        raise wrong(
            f"标题有 {len(text)} 个字符，上限 {TITLE_CHARS}。",
            f"The title has {len(text)} characters; the limit is {TITLE_CHARS}.",
            "请缩短成一句短标题。",
            "Shorten it to a headline.",
        )
    return text


def _iso(value: Any) -> Any:
    if isinstance(value, date):
        return value
    try:
        if isinstance(value, str) and len(value) == len("2026-07-27"):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise wrong(
        f"{value!r} 不是日期。", f"{value!r} is not a date.", "请写成 2026-07-27 的形式。", "Write it like 2026-07-27."
    )


Filled = Annotated[str, Field(min_length=1, pattern=r"\S")]
Chinese = Annotated[Filled, AfterValidator(_chinese)]
English = Annotated[Filled, AfterValidator(_english)]
Day = Annotated[date, BeforeValidator(_iso)]
Plain = bool | int | float | date | str
"""A constant as the YAML gives it."""

Word = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]
"""Id of an option, a class, a term, a fact …"""
Dotted = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)+$", max_length=ID_CHARS)]
"""Id of a norm, a term, a parameter or a fact."""
InstrumentId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*/[a-z0-9][a-z0-9.-]*$")]
Eid = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]
Cite = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*/[a-z0-9][a-z0-9.-]*#[a-z0-9][a-z0-9_.-]*$")]

Jurisdiction = Literal[
    "cn", "eu", "us", "us-ca", "us-co", "us-ny", "us-nyc", "us-tx", "kr", "jp", "vn", "sg", "intl", "house"
]


class Strict(BaseModel):
    """Unknown keys are errors: a misspelt exception would otherwise be a duty."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_enum_values=False, ser_json_inf_nan="null")


class Words(Strict):
    """One meaning in Chinese and English."""

    zh: Chinese
    en: English

    def as_text(self) -> Text:
        """Return it as the kernel's `Text`."""
        return Text(zh=self.zh, en=self.en)


class Name(Strict):
    """A name, which may be the same in both languages: GB 45438, ISO/IEC 42001."""

    zh: Filled
    en: Annotated[Filled, AfterValidator(_not_chinese)]

    @model_validator(mode="after")
    def _is_chinese_or_the_same(self) -> Self:
        if self.zh != self.en:
            _chinese(self.zh)
        return self

    def as_text(self) -> Text:
        """Return it as the kernel's `Text`."""
        return Text(zh=self.zh.strip(), en=self.en.strip())


class Title(Words):
    """A headline in both languages."""

    zh: Annotated[Chinese, AfterValidator(_no_longer_than_a_title)]
    en: Annotated[English, AfterValidator(_no_longer_than_a_title)]


def text(words: Words | None) -> Text | None:
    """Return an optional wording as an optional `Text`."""
    return words.as_text() if words else None
