"""Schema of a described system; its facts are checked against the vocabulary of the rulebook."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.packs.schemas.base import Day, Filled, InstrumentId, Strict, Word, wrong


class OwnWords(Strict):
    """What people call their own system, in both languages; one wording alone stands for both."""

    zh: Filled
    en: Filled

    def as_text(self) -> Text:
        """Return it as the kernel's `Text`."""
        return Text(zh=self.zh.strip(), en=self.en.strip())


def _both(value: Any) -> Any:
    return {"zh": value, "en": value} if isinstance(value, str) else value


Called = Annotated[OwnWords, BeforeValidator(_both)]


def _note(value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"zh", "en"} and all(isinstance(one, str) for one in value.values()):
        return f"{value['zh']} / {value['en']}"
    return value


def _or_none(value: Any) -> Any:
    return {} if value is None else value  # a key under which everything is still a comment


def _known(value: Any) -> Any:
    if value is None:
        raise wrong(
            "没有写值。",
            "No value is given.",
            "不知道就不要写这个事实；没有就写 [] 或 false。",
            "Leave the fact out if it is not known; write [] or false for none.",
        )
    return value


class SourceDoc(Strict):
    """Where facts were read."""

    title: Filled
    url: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""
    as_of: Day | None = None


class ValueDoc(Strict):
    """A fact in its full form."""

    value: Annotated[Any, BeforeValidator(_known)]
    source: str = ""
    as_of: Day | None = None
    note: Annotated[str, BeforeValidator(_note)] = ""


class ExpectedDoc(Strict):
    """What somebody else says the outcome is."""

    instrument: InstrumentId
    strictest: Word
    source: str = ""
    why: Called | None = None


class DescriptionDoc(Strict):
    """`system.yaml`."""

    safebelt: Literal["system/1"]
    id: Word
    name: Called
    purpose: Called | None = None
    sources: Annotated[dict[str, SourceDoc], BeforeValidator(_or_none)] = Field(default_factory=dict)
    facts: Annotated[dict[str, Any], BeforeValidator(_or_none)] = Field(default_factory=dict)
    expected: tuple[ExpectedDoc, ...] = ()
