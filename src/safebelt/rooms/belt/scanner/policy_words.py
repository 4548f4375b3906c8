"""What all sections of a policy file are made of."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from safebelt.kernel.text import Text
from safebelt.rooms.belt.model import Basis

MAX_RULE_ID = 120
"""What the column holds in which hits are kept."""
RuleId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$", max_length=MAX_RULE_ID)]


def _is_chinese(text: str) -> str:
    if not any("\u4e00" <= char <= "\u9fff" for char in text):
        raise ValueError("the Chinese wording holds no Chinese character")
    return text


Filled = Annotated[str, Field(min_length=1, pattern=r"\S")]


class Strict(BaseModel):
    """Data without fields that nobody knows."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(Strict):
    """Wording in both languages."""

    zh: Annotated[Filled, AfterValidator(_is_chinese)]
    en: Filled

    def as_text(self) -> Text:
        """Return it as a text."""
        return Text(zh=self.zh.strip(), en=self.en.strip())


class BasisData(Strict):
    """What a rule rests on."""

    provision: Filled
    authority: Words
    scope: Words
    expires: date | None = None

    def as_basis(self) -> Basis:
        """Return it as a word of the belt."""
        return Basis(
            provision=self.provision,
            authority=self.authority.as_text(),
            scope=self.scope.as_text(),
            expires=self.expires,
        )
