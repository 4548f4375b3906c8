"""What all sections of a policy file are made of."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from safebelt.kernel.text import Text
from safebelt.rooms.belt.model import Basis, Classifier, OnSilence, TermsFile
from safebelt.rooms.belt.scanner.fold import fold

MAX_RULE_ID = 120
"""What the column holds in which hits are kept."""
MAX_TERM_CHARS = 64
"""Longest term, in folded characters: a stream may have to hold back as much."""

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


def is_term(term: str) -> str:
    """Return a term; raises ValueError where none can be looked for."""
    folded = fold(term)
    if not folded.strip():
        raise ValueError("a term is empty, or made of invisible characters only")
    if len(folded) > MAX_TERM_CHARS:
        raise ValueError(f"a term has more than {MAX_TERM_CHARS} characters")
    if '"' in folded or "\\" in folded or "\n" in folded:
        raise ValueError("a term holds a quote, a backslash or a line break: masking it could break JSON")
    return term


Term = Annotated[str, AfterValidator(is_term)]


class TermsFileData(Strict):
    """A list as the policy keeps it: with its terms, so that a version needs no file."""

    file: str
    category: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    terms: Annotated[tuple[Term, ...], Field(min_length=1)]

    def as_file(self) -> TermsFile:
        """Return it as a word of the belt."""
        return TermsFile(file=self.file, category=self.category, sha256=self.sha256, terms=len(self.terms))


class ClassifierData(Strict):
    """A trained model that a rule asks."""

    model: Literal["guardian"]
    at_least: Annotated[float, Field(ge=0.5, le=1)] = 0.9
    within_ms: Annotated[int, Field(ge=10, le=10_000)] = 500
    on_silence: OnSilence = OnSilence.PASS

    def as_classifier(self) -> Classifier:
        """Return it as a word of the belt."""
        return Classifier(
            model=self.model, at_least=self.at_least, within_ms=self.within_ms, on_silence=self.on_silence
        )
