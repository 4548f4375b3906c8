"""Bilingual text that is *data* (law, names, reasons) rather than interface wording."""

from dataclasses import dataclass
from typing import Literal

Lang = Literal["zh", "en"]
LANGS: tuple[Lang, ...] = ("zh", "en")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One meaning in Chinese and English.

    Attributes:
        zh: Simplified Chinese wording.
        en: English wording.
    """

    zh: str
    en: str

    def in_(self, lang: Lang) -> str:
        """Return the wording for a reader of `lang`."""
        return self.zh if lang == "zh" else self.en
