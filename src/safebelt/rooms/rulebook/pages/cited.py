"""Citations as readers know them: *EU AI Act, Art. 26(2)*, with our summary and where the official text is."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model import LawText

_ROMAN = re.compile(r"[ivxlc]+")
_CODE = re.compile(r"[A-Za-z]{0,2}[-.]?[0-9]+(?:[.-][0-9A-Za-z]+)*")
"""Numbers of standards and frameworks, which stand for themselves: `gv-1.1`, `a.6.2.8`, `5.1.b`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """One citation.

    Attributes:
        path: Of its page, after `/{lang}/`; empty where it is words of our own.
        summary: Our summary of the provision.
        source: Where the official text is.
    """

    label: Text
    path: str = ""
    summary: Text | None = None
    source: str = ""


def cited(text: LawText, cite: str) -> Cited:
    """Return a citation of a provision, a norm, or free words."""
    if cite in text.provisions:
        provision = text.provisions[cite]
        instrument = text.instruments[provision.instrument]
        place = place_of(provision.eid) or provision.title or _same(provision.eid.replace("__", " · "))
        label = Text(zh=f"{instrument.short.zh} {place.zh}", en=f"{instrument.short.en}, {place.en}")
        path = f"rulebook/provisions/{provision.instrument}/{provision.eid}"
        return Cited(label=label, path=path, summary=provision.summary, source=instrument.url)
    if cite in text.norms:
        return Cited(label=text.norms[cite].title, path=f"rulebook/norms/{cite}")
    if cite in text.instruments:
        return Cited(label=text.instruments[cite].short, path=f"rulebook/instruments/{cite}")
    return Cited(label=_same(cite))


def every(text: LawText, cites: Iterable[str]) -> tuple[Cited, ...]:
    """Return citations, each once."""
    return tuple(cited(text, one) for one in dict.fromkeys(cites))


def place_of(eid: str) -> Text | None:
    """Return a place in an instrument in words; None where its id says nothing to people.

    Example:
        >>> place_of("art_26__para_2").en
        'Art. 26(2)'
    """
    zh = en = ""
    before = ""
    for token in eid.split("__"):
        kind, _, value = token.partition("_")
        said = _step(kind, value, before)
        if said is None:
            return _same(eid.upper()) if _CODE.fullmatch(eid) else None
        zh, en, before = zh + said.zh, en + said.en, kind
    return Text(zh=zh, en=en)


def _step(kind: str, value: str, before: str) -> Text | None:
    """One step of the way: what it adds to the words so far."""
    shown = value.upper() if _ROMAN.fullmatch(value) and kind == "annex" else value
    in_annex = before == "annex"
    words = {
        "art": Text(zh=f"第{shown}条", en=f"Art. {shown}"),
        "para": Text(zh=f"第{shown}款", en=f"({shown})"),
        "point": Text(zh=f"第{shown}点", en=f", point {shown}") if in_annex else Text(zh=f"({shown})", en=f"({shown})"),
        "subpara": Text(zh=f"({shown})", en=f"({shown})"),
        "annex": Text(zh=f"附件{shown}", en=f"Annex {shown}"),
        "appendix": Text(zh=f"附录{shown}", en=f"Appendix {shown}"),
        "sec": Text(zh=f"{shown.upper()}部分", en=f", Section {shown.upper()}")
        if in_annex
        else Text(zh=f"第{shown}节", en=f"§ {shown}"),
    }
    if not value or "_" in value:
        return None
    return _letters(kind, value, before) or words.get(kind)


def _letters(kind: str, value: str, before: str) -> Text | None:
    """A lettered paragraph of a section, as American statutes number them, and a point below a point or section."""
    is_lettered = kind == "para" and before == "sec" and not value[0].isdigit()
    if is_lettered:
        return Text(zh=f"({value})", en=f"({value})")  # a letter, the same in both languages
    if kind == "point" and before == "sec":
        return Text(zh=f"第{value}点", en=f", point {value}")
    return None


def _same(word: str) -> Text:
    return Text(zh=word, en=word)
